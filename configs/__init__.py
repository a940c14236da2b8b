"""Every choice a user can make, as Hydra groups, and what makes one validated, frozen config of them."""
