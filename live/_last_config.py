"""What did the config of an account's last run say, as far as a verb needs it?

Only the sections that are asked for are read: a strategy whose file is gone cannot keep anybody from flattening.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ValidationError

from adapters.venue import VenueConfig
from configs.asked import limits_asked
from configs.errors import ConfigError
from configs.messages import refusal
from configs.resolve import resolve
from configs.schema import ApprovalSettings, from_plain
from market.rates import NO_RATES
from risk.limits import RiskConfig

if TYPE_CHECKING:
    from adapters.account import Operator
    from live._about import About


class NoMarket:
    """What a venue's account needs of market data when nobody trades: nothing."""

    kind = "bars"
    instruments = bar_types = symbols = ()
    rates = NO_RATES


def own_limits(about: About) -> RiskConfig:
    """The limits of the last run's config. Raises ConfigError."""
    sections = _sections(about)
    venue = sections.get("venue", {})
    risk = _read(RiskConfig, sections.get("risk", {}))
    approval = _read(ApprovalSettings, sections.get("approval") or {})
    return limits_asked(risk, approval, str(venue.get("mode", about.account.mode)))


def operator(about: About) -> Operator | None:
    """The account at its venue; None where nothing outlives the node. Raises ConfigError, AdapterError."""
    section = _sections(about).get("venue", {})
    kind: type[VenueConfig] = resolve(str(section.get("config")), "venue.config", of=VenueConfig)
    config = _read(kind, section)
    factory: Any = resolve(config.factory, "venue.factory", absent=config.absent)
    found: Operator | None = factory(config, NoMarket(), None).operator()
    return found


def _sections(about: About) -> dict[str, Any]:
    try:
        document = yaml.safe_load(about.run["config"])
    except yaml.YAMLError:
        document = None
    if not isinstance(document, dict):
        raise ConfigError(f"run {about.run['run_id']}: the config that the journal kept of it cannot be read")
    return document


def _read[Model: BaseModel](model: type[Model], section: dict[str, Any]) -> Model:
    try:
        return from_plain(model, section)
    except ValidationError as error:
        raise refusal(error, {}) from error
