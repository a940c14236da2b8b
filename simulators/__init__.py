"""Local brokers: what tests and rehearsals trade at instead of a real one."""
