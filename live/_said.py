"""How is a secret kept out of what a person says to a verb?

By what a node goes by: the environment, `.env`, and the variables that the config of the account's last run names.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml

from journal.control import command_row
from runs.logs.secrets import scrubber_with, variables_in

if TYPE_CHECKING:
    from live._about import About
    from runs.logs.scrub import Scrubber


def scrubber_of(about: About) -> Scrubber:
    """What takes secrets out of everything that is said about this account."""
    return scrubber_with(_named(about.run["config"]))


def said(about: About, text: str) -> str:
    """What a person said, without secrets: before it is in a row, a state or an answer."""
    return scrubber_of(about).text(text)


def asked_row(about: About, verb: str, args: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The row of a new command about this account, without secrets."""
    scrubber = scrubber_of(about)
    return command_row(about.account, verb, scrubber.value(dict(args)), scrubber.text(why))


@lru_cache(maxsize=8)
def _named(config: str) -> tuple[str, ...]:
    try:
        return tuple(variables_in(yaml.safe_load(config)))
    except yaml.YAMLError:  # what the environment calls a secret is known without it
        return ()
