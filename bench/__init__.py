"""How fast is Keel beside the bare engine? Ratios within one run, because machines are noisy."""
