"""Which rows contradict themselves, each looked at alone or beside its neighbour?"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from market._evidence import Evidence, Floats, Mask

_SAMPLE = 10_000
_LARGEST_EXACT = 2.0**50
_LARGEST_PRICE, _LARGEST_SIZE = 1.7e13, 3.4e13
"""What the engine's own numbers can hold."""
_SWAP_FACTOR = 2.0
_NOTABLE = 1e-6
"""Share of a value that rounding may change unmentioned."""


def unreadable(evidence: Evidence) -> list[str]:
    """No rows at all, or cells that are empty or no finite number."""
    if not len(evidence.frame):
        return ["no rows"]
    broken = {name: ~np.isfinite(evidence.column(name)) for name in evidence.names}
    return [
        f"{name} is empty or no number in {evidence.first(mask)}; fill or remove"
        for name, mask in broken.items()
        if mask.any()
    ]


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
        remedy = "remove one of them"
        if evidence.rules.length is not None and twice.mean() > 0.5:  # noqa: PLR2004 - most rows
            remedy = f"are they shorter than bar={evidence.rules.length.text}?"
        found.append(f"the same stamp twice in {evidence.first(twice)}; {remedy}")
    return found


def contradictions(evidence: Evidence) -> list[str]:
    """Prices at or below zero, high below low, a close outside its bar, bid above ask, sizes below zero."""
    found = []
    for name in evidence.names:
        values, places = evidence.column(name), evidence.digits(name) or 0
        rules = {
            "is zero or negative": (values <= 0) & (name in evidence.prices),
            "is negative": (values < 0) & (name in evidence.sizes),
            f"becomes zero at {places} decimals (data.price_precision)": (
                (evidence.stored(name) <= 0) & (values > 0) & (name in evidence.prices)
            ),
            f"is too large to be exact at {places} decimals": values > _largest(evidence, name, places),
        }
        found += [
            f"{name} {rule} in {evidence.first(mask, name)}" for rule, mask in rules.items() if mask.any()
        ]
    return found + (_bars(evidence) if evidence.kind == "bars" else _quotes(evidence))


def oddities(evidence: Evidence) -> list[str]:
    """Doubts: sizes of zero, decimals lost to rounding, stamps to come, open and close that look swapped."""
    found = []
    for name in evidence.names:
        values = evidence.column(name)
        lost = np.abs(evidence.stored(name) - values) > _NOTABLE * values
        if lost.any():
            rounded = f"was rounded to {evidence.digits(name)} decimals"
            found.append(f"{name} {rounded} in {evidence.first(lost, name)}")
        empty = (values == 0) & (name in evidence.sizes)
        if empty.any():
            found.append(f"{name} is 0, and nothing fills there, in {evidence.first(empty)}")
    future = evidence.ts > evidence.now_ns
    if future.any():
        found.append(f"stamps lie in the future in {evidence.first(future)}; unfinished bar or wrong zone?")
    return found + (_open_and_close(evidence) if evidence.kind == "bars" else [])


def _largest(evidence: Evidence, name: str, places: int) -> float:
    bound = _LARGEST_PRICE if name in evidence.prices else _LARGEST_SIZE
    return min(bound, _LARGEST_EXACT / 10.0**places)


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
    most = crossed.mean() > 0.5  # noqa: PLR2004 - half of the rows
    hint = "; are the columns bid and ask swapped (data.columns)?" if most else "; remove crossed quotes"
    return [f"bid is above ask in {evidence.first(crossed, 'bid', 'ask')}{hint}"]


def _swapped(evidence: Evidence, broken: Mask) -> str:
    """If exchanging two columns puts every row right, say which; of several that with the smallest bars."""
    if broken.mean() < 0.1:  # noqa: PLR2004 - a few bad rows are not a column in the wrong place
        return ""
    names = (*evidence.prices, "volume")
    sample = {name: evidence.column(name)[:_SAMPLE] for name in names}
    swaps = {}
    for one, other in combinations(names, 2):
        trial = sample | {one: sample[other], other: sample[one]}
        if _consistent(trial).all():
            swaps[f"{one} and {other} swapped"] = float((trial["high"] / trial["low"]).mean())
    likely = min(swaps, key=lambda swap: swaps[swap], default="named right")
    return f"; are the columns {likely} (data.columns)?"


def _consistent(bars: dict[str, Floats]) -> Mask:
    top, bottom = np.maximum(bars["open"], bars["close"]), np.minimum(bars["open"], bars["close"])
    return (bars["low"] > 0) & (top <= bars["high"]) & (bottom >= bars["low"])


def _open_and_close(evidence: Evidence) -> list[str]:
    """An open is near the close before it; if each close is near the open before, they are swapped."""
    open_, close = evidence.column("open"), evidence.column("close")
    if len(close) < 2:  # noqa: PLR2004 - nothing before the first
        return []
    right, wrong = np.abs(open_[1:] - close[:-1]).mean(), np.abs(close[1:] - open_[:-1]).mean()
    if right > _SWAP_FACTOR * wrong:
        return [
            "each close continues the open before it: are the columns open and close swapped (data.columns)?"
        ]
    return []
