"""Under which limits does a run trade once `approval` has had its say?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from configs.schema import ApprovalSettings, RunConfig
    from risk.limits import RiskConfig


def asked_limits(config: RunConfig) -> RiskConfig:
    """The config's own limits, with what `approval` asks of them."""
    return limits_asked(config.risk, config.approval, config.venue.mode)


def limits_asked(risk: RiskConfig, approval: ApprovalSettings, mode: str) -> RiskConfig:
    """Limits with what `approval` asks of them on a venue of this mode."""
    return risk.model_copy(update={key: value for key, (value, _) in asked(approval, mode).items()})


def asked(approval: ApprovalSettings, mode: str) -> Mapping[str, tuple[Any, str]]:
    """Key of the limits -> the value that `approval` gives it on a venue of this mode, and the key that says so."""
    found: dict[str, tuple[Any, str]] = {}
    if approval.mode == "all" or (approval.mode == "live_orders" and mode == "live"):
        found["require_approval"] = (True, f"approval.mode={approval.mode}")
    if approval.timeout_mins is not None:
        found["approval_timeout_mins"] = (approval.timeout_mins, "approval.timeout_mins")
    if approval.band_pct is not None:
        found["approval_band_pct"] = (approval.band_pct, "approval.band_pct")
    return found
