"""Does the record keep what it is told?"""

from __future__ import annotations

from risk.breaker import Notice
from runs.record import Recorder
from tests.runs.records import T0


def test_a_notice_is_kept_as_a_row() -> None:
    recorder = Recorder()
    recorder.noticed(Notice("WARNING", "DAILY_LOSS: 80% used", T0))
    recorder.noticed(Notice("FLAT", "verified flat", T0 + 1, "strategy:EmaCross-001"))
    assert recorder.notices == [
        {"ts": T0, "kind": "WARNING", "scope": "book", "reason": "DAILY_LOSS: 80% used"},
        {"ts": T0 + 1, "kind": "FLAT", "scope": "strategy:EmaCross-001", "reason": "verified flat"},
    ]
