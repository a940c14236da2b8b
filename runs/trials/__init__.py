"""How many configurations were tried before this one? The ledger of trials, one SQLite file a user.

A trial is a configuration that was run over past data and came to its end: the same configuration on the same data
with the same strategy code is one trial, however often it is run. A family is what was tried on the same data: the same
strategy classes on the same instruments and bar, whatever the period and the source. One that failed is kept, but has
no result that could have been chosen and counts no more than one never run. Bailey & Lopez de Prado, The Deflated
Sharpe Ratio, 2014: what counts is how many were tried, not how many are shown.
"""

from runs.luck.figures import Trials
from runs.trials.reading import Counted, Family, counted, families, trials_of
from runs.trials.sharing import export_trials, import_trials
from runs.trials.trial import Ran, family_of
from runs.trials.writing import record, record_many

__all__ = [
    "Counted",
    "Family",
    "Ran",
    "Trials",
    "counted",
    "export_trials",
    "families",
    "family_of",
    "import_trials",
    "record",
    "record_many",
    "trials_of",
]
