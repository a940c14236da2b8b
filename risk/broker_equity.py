"""Is the equity that a broker tells to be believed?

Keel knows from fills, prices and cash flows what the account should be worth. A broker's answer may differ by a steady
amount; when the difference jumps, nothing explains it. Such an answer blocks new exposure until a later one agrees with
it or the old difference is back, and never reaches a breaker. Silence blocks new exposure too, and never trips one.
"""

from __future__ import annotations

from decimal import Decimal

from risk.numbers import ZERO

NANOS = 1_000_000_000


class EquityWatch:
    """Judges the readings of one broker account; market time is handed in, in UTC nanoseconds."""

    def __init__(
        self, since: int, *, tolerance_pct: Decimal = Decimal("0.005"), patience_secs: int = 60
    ) -> None:
        """Begin at `since`; `tolerance_pct` is the share of equity by which the difference may move in one step."""
        self.tolerance_pct = tolerance_pct
        self.patience_secs = patience_secs
        self._known_at = since
        self._difference = ZERO  # broker's equity less the explained one, as last believed
        self._suspect: tuple[int, Decimal] | None = None  # when and at which difference a jump was seen
        self._told = ""

    def believe(self, ts: int, equity: Decimal | None, explained: Decimal) -> Decimal | None:
        """The equity to read the breakers with, or None when it is not known or not believed.

        `equity` is what the broker says (None: no answer), `explained` what fills, prices and cash flows make it.
        """
        if equity is None or not equity.is_finite():
            return None
        difference, allowed = equity - explained, self.tolerance_pct * max(abs(equity), abs(explained))
        self._known_at = ts
        agrees = abs(difference - self._difference) <= allowed
        if not agrees and self._suspect is not None:
            seen_at, suspect = self._suspect
            if ts == seen_at:  # the same answer again is not a second one
                return None
            agrees = abs(difference - suspect) <= allowed
        if not agrees:
            self._suspect = (ts, difference)
            self._told = (
                f"the broker says {equity:,.2f}, fills and prices make it {explained + self._difference:,.2f}"
            )
            return None
        self._difference, self._suspect = difference, None
        return equity

    def refuses(self, ts: int) -> str | None:
        """Why new exposure is refused at this moment; None when equity is known and believed."""
        if self._suspect is not None:
            return (
                f"UNTRUSTED_EQUITY: {self._told}, and no second answer agrees yet; only reducing orders pass"
            )
        silent = abs(ts - self._known_at) / NANOS  # a clock that went back is no answer either
        if silent > self.patience_secs:
            return (
                f"EQUITY_UNKNOWN: no equity from the broker for {silent:,.0f} s, limit {self.patience_secs} s; "
                "only reducing orders pass"
            )
        return None
