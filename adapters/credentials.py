"""Where are a venue's credentials? A config names the place; the client reads it when it is built.

A secret itself is never part of a config: a value that looks like one is refused, and never repeated.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_LONGEST_WORD = 16  # keys are one long run of letters and digits, names of variables are words joined by _


def names_a_variable(value: str) -> str:
    """The name of an environment variable. Raises ValueError, without the value, for what may be a secret."""
    if not _VARIABLE.fullmatch(value) or max(map(len, value.split("_"))) > _LONGEST_WORD:
        raise ValueError(
            "must be the NAME of an environment variable in capitals, such as BROKER_API_KEY, never the key "
            "itself (what was given is not shown; if it was a real key, replace it at the broker)"
        )
    return value


VariableName = Annotated[str, AfterValidator(names_a_variable)]


class EnvironmentCredentials(BaseModel):
    """Credentials kept in environment variables; each venue adds the names of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: Literal["env"] = "env"
