"""Which rows contradict themselves, each looked at alone or beside its neighbour?"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from market._evidence import Evidence, Floats, Mask

_SAMPLE = 10_000
_LARGEST_EXACT = 2.0**52
_SWAP_FACTOR = 2.0


def unreadable(evidence: Evidence) -> list[str]:
    """No rows at all, or cells that are empty or no finite number."""
    if not len(evidence.frame):
        return ["no rows"]
    found = []
    for name in (*evidence.prices, *evidence.sizes):
        broken = ~np.isfinite(evidence.column(name))
        if broken.any():
            found.append(f"{name} is empty or no number in {evidence.first(broken)}; fill or remove")
    return found


def disorder(evidence: Evidence) -> list[str]:
    """Stamps that run backwards, or twice the same (quotes may share a stamp, bars may not)."""
    if (early := evidence.ts <= 0).any():
        return [
            f"the stamp lies before 1970, where the engine's clock begins, in {evidence.first(early)}; remove"
        ]
    step = np.diff(evidence.ts, prepend=evidence.ts[0] - 1)
    backwards, twice = step < 0, step == 0
    if backwards.sum() > len(step) / 2:
        return [
            f"stamps run backwards in {evidence.first(backwards)}; newest first? set data.newest_first=true"
        ]
    found = []
    if backwards.any():
        found.append(f"stamps run backwards in {evidence.first(backwards)}; sort by time")
    if twice.any() and evidence.kind == "bars":
        found.append(f"the same stamp twice in {evidence.first(twice)}; remove one of them")
    return found


def contradictions(evidence: Evidence) -> list[str]:
    """Prices at or below zero, high below low, a close outside its bar, bid above ask, sizes below zero."""
    rules = evidence.rules
    found = []
    for name in evidence.prices:
        values = evidence.column(name)
        if (values <= 0).any():
            found.append(f"{name} is zero or negative in {evidence.first(values <= 0, name)}")
        elif (flat := _rounded(values, rules.price_precision) <= 0).any():
            digits = f"{rules.price_precision} decimals (data.price_precision)"
            found.append(f"{name} becomes zero at {digits} in {evidence.first(flat, name)}")
    for name in evidence.sizes:
        if (negative := evidence.column(name) < 0).any():
            found.append(f"{name} is negative in {evidence.first(negative, name)}")
    found += _too_large(evidence)
    return found + (_bars(evidence) if evidence.kind == "bars" else _quotes(evidence))


def oddities(evidence: Evidence) -> list[str]:
    """Doubts: sizes of zero, decimals lost to rounding, stamps to come, open and close that look swapped."""
    found = []
    for name in evidence.sizes:
        if (empty := evidence.column(name) == 0).any():
            found.append(f"{name} is 0, and nothing fills there, in {evidence.first(empty)}")
    for names, digits in (
        (evidence.prices, evidence.rules.price_precision),
        (evidence.sizes, evidence.rules.size_precision),
    ):
        for name in names:
            values = evidence.column(name)
            if (lost := _rounded(values, digits) != values).any():
                found.append(f"{name} was rounded to {digits} decimals in {evidence.first(lost, name)}")
    if (future := evidence.ts > evidence.now_ns).any():
        found.append(
            f"the stamp lies in the future in {evidence.first(future)}; unfinished bar or wrong zone?"
        )
    return found + (_open_and_close(evidence) if evidence.kind == "bars" else [])


def _rounded(values: Floats, digits: int | None) -> Floats:
    return values if digits is None else np.round(values, digits)


def _too_large(evidence: Evidence) -> list[str]:
    """Numbers whose last decimal no float can hold any more: they could not be stored exactly."""
    digits = {name: evidence.rules.price_precision for name in evidence.prices}
    digits |= {name: evidence.rules.size_precision for name in evidence.sizes}
    broken = {
        name: evidence.column(name) * 10.0 ** (places or 0) > _LARGEST_EXACT
        for name, places in digits.items()
    }
    return [
        f"{name} is too large for {digits[name] or 0} decimals in {evidence.first(mask, name)}; lower the precision"
        for name, mask in broken.items()
        if mask.any()
    ]


def _bars(evidence: Evidence) -> list[str]:
    open_, high, low, close = (evidence.column(name) for name in evidence.prices)
    upside_down = high < low
    outside = ~upside_down & ((np.maximum(open_, close) > high) | (np.minimum(open_, close) < low))
    found = []
    if upside_down.any():
        found.append(f"high is below low in {evidence.first(upside_down, 'high', 'low')}")
    if outside.any():
        found.append(f"open or close lies outside low to high in {evidence.first(outside, *evidence.prices)}")
    return [line + _swapped(evidence, upside_down | outside) for line in found[:1]] + found[1:]


def _quotes(evidence: Evidence) -> list[str]:
    crossed = evidence.column("bid") > evidence.column("ask")
    if not crossed.any():
        return []
    hint = "; are the columns bid and ask swapped?" if crossed.mean() > 0.5 else "; remove crossed quotes"  # noqa: PLR2004 - most
    return [f"bid is above ask in {evidence.first(crossed, 'bid', 'ask')}{hint}"]


def _swapped(evidence: Evidence, broken: Mask) -> str:
    """If exchanging two columns puts every row right, say which."""
    if broken.mean() < 0.1:  # noqa: PLR2004 - a few bad rows are not a column in the wrong place
        return ""
    names = (*evidence.prices, "volume")
    sample = {name: evidence.column(name)[:_SAMPLE] for name in names}
    for one, other in combinations(names, 2):
        trial = sample | {one: sample[other], other: sample[one]}
        if (_consistent(trial)).all():
            return f"; are the columns {one} and {other} swapped (data.columns)?"
    return "; are the columns named right (data.columns)?"


def _consistent(bars: dict[str, Floats]) -> Mask:
    top, bottom = np.maximum(bars["open"], bars["close"]), np.minimum(bars["open"], bars["close"])
    return (bars["low"] > 0) & (top <= bars["high"]) & (bottom >= bars["low"])


def _open_and_close(evidence: Evidence) -> list[str]:
    """An open is near the close before it; if instead each close is near the open before, they are swapped."""
    open_, close = evidence.column("open"), evidence.column("close")
    right = np.abs(np.diff(close) - (close - open_)[1:]).mean() if len(close) > 1 else 0.0
    wrong = np.abs(close[1:] - open_[:-1]).mean() if len(close) > 1 else 0.0
    if right > _SWAP_FACTOR * wrong > 0:
        return [
            "each close continues the open before it: are the columns open and close swapped (data.columns)?"
        ]
    return []
