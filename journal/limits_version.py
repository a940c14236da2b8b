"""Which limits did a decision go by? A short name for exactly these values."""

from __future__ import annotations

import hashlib

from risk.limits import RiskConfig

LENGTH = 12


def limits_text(limits: RiskConfig) -> str:
    """The limits as JSON."""
    return limits.model_dump_json()


def limits_version(limits: RiskConfig) -> str:
    """The first letters of the hash of the limits."""
    return hashlib.sha256(limits_text(limits).encode()).hexdigest()[:LENGTH]
