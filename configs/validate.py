"""Is this composed document a run that may start?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from configs.messages import refusal
from configs.schema import RunConfig, from_plain


def validated(document: Mapping[str, Any]) -> RunConfig:
    """The frozen config of a composed document (plain mappings, lists, text and numbers).

    Raises ConfigError, in one line, for the first thing wrong with it.
    """
    try:
        return from_plain(RunConfig, document)
    except ValidationError as error:
        raise refusal(error, document) from None
