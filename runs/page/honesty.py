"""Is a result luck, and was anything checked? What the page says of it, in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runs.page.html import lines, pairs, paragraph, table
from runs.page.related import CHECKS
from runs.wording import percent, ratio, span

if TYPE_CHECKING:
    from runs.page.related import Check, Related, Swept
    from runs.page.seen import Seen
    from runs.summary import Summary

_HALF = 0.5
OF_OTHER_CODE = "of other code"
"""What is said instead of a verdict on code that has changed since."""
_ASKS = {
    "lookahead": "does it decide with what it cannot know yet?",
    "warmup": "does it forget how much history came before?",
    "stress": "does the profit survive costs, delay, gaps and chance?",
}
_MARKED = {
    "caught": "caught this strategy",
    "nothing": "had nothing to compare: it says nothing of this strategy",
}
"""Verdict -> what is said of it above the table."""


def honesty(seen: Seen) -> str:
    """Trials, deflated Sharpe ratio, overfitting, length of the record, and the newest bias checks."""
    summary, related = seen.summary, seen.related
    said = [
        trials_sentence(summary),
        deflated_sentence(summary),
        swept_sentence(None if related is None else related.sweep),
    ]
    said += [track_sentence(summary), interval_sentence(summary)]
    parts = [lines(each for each in said if each)]
    if summary.costs is not None and summary.costs.free:
        parts.append(paragraph("Nothing cost anything in this run: no real account is like that.", "bad"))
    return "".join([*parts, _figures(summary, related), _checks(seen, related)])


def trials_sentence(summary: Summary) -> str:
    """How much was tried."""
    count = summary.trials_ledger
    if count is None:
        return "Trials: none counted, since this run is no trial or the ledger could not be read."
    if count <= 1:
        return "1 of 1 trials: nothing was chosen among others, as far as the ledger knows."
    return f"{count:,} trials of this strategy on these instruments and bars are in the ledger, this one included."


def deflated_sentence(summary: Summary) -> str:
    """What the Sharpe ratio is worth after that many trials."""
    sure, count = summary.deflated_sharpe, summary.trials_ledger
    if sure is None or count is None:
        return "Deflated Sharpe: not defined for this run."
    return f"Deflated Sharpe {sure:.3f}: {sure_sentence(sure, count)}."


def sure_sentence(sure: float, count: int) -> str:
    """What a deflated Sharpe ratio is the probability of."""
    if count <= 1:
        return f"as the only trial, its true Sharpe ratio is above zero with a probability of {percent(sure)}"
    return (
        f"with a probability of {percent(sure)} its true Sharpe ratio is above what the best of {count:,} trials "
        "without any edge would be expected to show"
    )


def swept_sentence(swept: Swept | None) -> str:
    """How likely the best of a sweep is overfitted."""
    if swept is None:
        return "Overfitting probability: not measured; a sweep of this strategy on this data does."
    if swept.same_code is False:
        return f"Overfitting probability: {OF_OTHER_CODE}, changed since the newest sweep ({swept.folder})."
    fitted = "more often than not" if swept.pbo >= _HALF else "less often than not"
    return (
        f"Overfitting probability {percent(swept.pbo)}: in the newest sweep ({swept.trials:,} trials, {swept.folder}) "
        f"the best of one half of the days fell below the median on the other {fitted}."
    )


def track_sentence(summary: Summary) -> str:
    """Whether the record is long enough."""
    days, needed = summary.track_record_days, summary.min_track_record_days
    if days is None:
        return ""
    if needed is None:
        return f"Length: {days:,} session days; no length of record would be 95% sure of a Sharpe ratio above zero."
    enough = "long enough" if days >= needed else "too short"
    return f"Length: {days:,} session days; 95% sure of a Sharpe ratio above zero takes {needed:,}: {enough}."


def interval_sentence(summary: Summary) -> str:
    """Where the figures lie when its days are drawn again."""
    if summary.sharpe_low is None:
        return ""
    sharpe = span(summary.sharpe_low, summary.sharpe_high, ratio)
    drawdown = span(summary.max_drawdown_low, summary.max_drawdown_high, percent)
    return f"Chance: 90% of resamples of its days have a Sharpe ratio of {sharpe} and a deepest drawdown of {drawdown}."


def _figures(summary: Summary, related: Related | None) -> str:
    sweep = None if related is None else related.sweep
    old = sweep is not None and sweep.same_code is False
    fitted = OF_OTHER_CODE if old else percent(None if sweep is None else sweep.pbo)
    return pairs(
        [
            ("Trials counted", "n/a" if summary.trials_ledger is None else f"{summary.trials_ledger:,}"),
            ("Deflated Sharpe", percent(summary.deflated_sharpe)),
            ("Probability of a Sharpe above 0, as the only trial", percent(summary.probabilistic_sharpe)),
            ("Probability of overfitting (PBO)", fitted),
        ]
    )


def _checks(seen: Seen, related: Related | None) -> str:
    found = {check.verb: check for check in (related.checks if related else ())}
    rows = [
        _row(verb, found[verb]) if verb in found else (verb, "not run", _ASKS[verb], _command(verb, seen))
        for verb in CHECKS
    ]
    marked = [
        f"{verb} {_MARKED[check.verdict]}."
        for verb, check in found.items()
        if check.verdict in _MARKED and check.same_code is not False
    ]
    return "".join(
        [
            "<h3>Bias checks</h3>",
            *(paragraph(each, "bad") for each in marked),
            table(("Check", "Verdict", "What it found", "Where"), rows, words=(0, 1, 2, 3), kind="told"),
        ]
    )


def _row(verb: str, check: Check) -> tuple[str, str, str, str]:
    nothing = check.verdict == "nothing"
    verdict = "nothing to compare" if nothing else check.verdict
    evidence = "; ".join(check.caught) or (
        check.why if nothing else f"nothing wrong in {', '.join(check.findings)}"
    )
    if check.same_code is False:
        return verb, OF_OTHER_CODE, "the strategy's code has changed since: run it again", check.folder
    other = "" if check.exact else " (with other settings than this run's)"
    return verb, verdict + other, evidence, check.folder


def _command(verb: str, seen: Seen) -> str:
    own = seen.kept.strategies if seen.kept else []
    name = own[0].partition(":")[0].rpartition(".")[2] if own and own[0].startswith("strategies.") else "NAME"
    return f"python -m backtests {verb} strategy={name}"
