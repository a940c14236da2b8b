"""What does a run become when some of its keys have other values, without composing it again?

A point is a dict of dotted key -> value: `{"strategy.fast": 5, "risk.max_leverage": 1.5}`. A key may also name a whole
section (`strategy`, `risk`), whose value is then that section's document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from configs.errors import ConfigError
from configs.messages import unknown_key
from configs.validate import validated

if TYPE_CHECKING:
    from configs.schema import RunConfig

type Point = Mapping[str, Any]
"""Dotted key -> value."""
type Document = dict[str, Any]
"""A run as plain mappings, lists, text and numbers; `document_of` makes one of a config's text."""


def document_of(text: str) -> Document:
    """The base document in a run's config, as `Composed.text` or a run folder's `config.yaml` holds it.

    Raises ConfigError for what is not the config of a run.
    """
    from configs.load import plain  # noqa: PLC0415 - loads Hydra, which a worker does without

    return plain(text)


def configured(base: Document, point: Point) -> RunConfig:
    """The validated config of a base document with a point's values put in; `base` stays as it is.

    Raises ConfigError, in one line, for what the command line would refuse.
    """
    return validated(placed(base, point))


def placed(base: Document, point: Point) -> Document:
    """The base document with a point's values put in, not yet validated. Raises ConfigError for a key that cannot be.

    Whole sections are put in before single keys, so that `strategy` and `strategy.fast` may be given together.
    """
    document = base
    for key in sorted(point, key=lambda key: key.count(".")):
        document = _with(document, key.split("."), point[key], "")
    return document


def _with(section: Document, path: list[str], value: Any, parent: str) -> Document:
    first, *rest = path
    if not rest:
        return {**section, first: value}
    inner = section.get(first)
    if inner is None and first in section:
        inner = {}
    if not isinstance(inner, Mapping):
        raise ConfigError(unknown_key(f"{parent}{first}", section))
    return {**section, first: _with(dict(inner), rest, value, f"{parent}{first}.")}
