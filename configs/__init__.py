"""Every choice a user can make, as Hydra groups of YAML, and what turns them into one validated, frozen config."""
