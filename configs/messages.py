"""How is a value that was refused told in one line: field, value, what is allowed, what to do?

A value under a key that may hold a secret is never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from configs.closest import closest, listed
from configs.edge import one_line
from configs.errors import ConfigError
from configs.parameters import ALGORITHMS_OWN, ENGINES_OWN, FILLED_IN, parameter_names
from configs.resolve import resolve
from configs.schema import CHOSEN_BY, CLASS_PATH, AlgorithmSpec, RunConfig, StrategySpec

LONGEST_VALUE = 60
_SECRET = re.compile(r"credential|secret|password|passphrase|token|api_?key|private_?key", re.IGNORECASE)


def refusal(error: ValidationError, document: Mapping[str, Any]) -> ConfigError:
    """The first thing wrong with a document, as one line, and how many more there are."""
    lines = list(dict.fromkeys(_told(one, document) for one in error.errors(include_url=False)))
    rest = f" ({len(lines) - 1} more after this one)" if len(lines) > 1 else ""
    return ConfigError(lines[0] + rest)


def given(key: str, value: object) -> str:
    """`key=value` as a user would write it; only the key of a section, a list of them, or a possible secret."""
    if may_be_secret(key) or isinstance(value, Mapping) or _holds_sections(value):
        return key
    text = one_line(_spelled(value))
    return f"{key}={text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + '...'}"


def may_be_secret(key: str) -> bool:
    """Whether what stands under this key must not be repeated."""
    return _SECRET.search(key) is not None


def unknown_key(key: str, known: Iterable[str]) -> str:
    """The line for a key that does not exist; `known` are the keys beside it."""
    parent, _, name = key.rpartition(".")
    beside = [word for word in known if word != name]
    near = closest(name, beside)
    prefix = f"{parent}." if parent else ""
    hint = (
        f"did you mean {prefix}{near}?" if near else f"{parent or 'a run'} has {listed(beside) or 'no keys'}"
    )
    return f"unknown key {key}; {hint}"


def _holds_sections(value: object) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value)


def _spelled(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(_spelled(item) for item in value)}]"
    return str(value)


def _told(error: ErrorDetails, document: Mapping[str, Any]) -> str:
    key = _dotted(error["loc"])
    if error["type"] == "extra_forbidden":
        return _unknown(error["loc"], key, document)
    if error["type"] == "missing":
        return _missing(error["loc"], key, document)
    if error["type"] == CLASS_PATH:
        return f"{key}.{error['msg']}"
    wanted = _WANTED.get(error["type"], _pydantics_own)(error)
    return f"{given(key, error['input'])}: {wanted}" if key else wanted


def _dotted(loc: tuple[int | str, ...]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _unknown(loc: tuple[int | str, ...], key: str, document: Mapping[str, Any]) -> str:
    name = str(loc[-1])
    if loc[0] in {"strategy", "strategies"}:
        if name in FILLED_IN:
            return f"{key} is filled in by Keel; choose with instruments=[...] and bar=..."
        if name in ENGINES_OWN:
            return f"{key} belongs to the engine and is set by Keel; leave it out"
    if loc[0] == "exec_algorithms" and name in ALGORITHMS_OWN:
        return f"{key} belongs to the engine and is set by Keel; leave it out"
    return unknown_key(key, _keys_beside(loc, document))


def _missing(loc: tuple[int | str, ...], key: str, document: Mapping[str, Any]) -> str:
    parent, _, name = key.rpartition(".")
    if len(loc) == 1:
        return f"{key} is missing; choose one with {key}=NAME (--help lists them)"
    if loc[0] == "strategies" and name in {"strategy_path", "config_path"}:
        near = closest(str(loc[1]), (other for other in document["strategies"] if other != loc[1]))
        hint = f"did you mean strategies.{near}? Or" if near else "to add it,"
        return f"{parent} names no strategy; {hint} write +strategy@{parent}=NAME"
    if loc[0] == "exec_algorithms" and name in {"algorithm_path", "config_path"}:
        return f"{key} is missing; name a class as package.module:Name"
    return f"{key} is missing; give {key}=VALUE"


def _keys_beside(loc: tuple[int | str, ...], document: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys that are allowed where the last part of `loc` stands."""
    model: Any = RunConfig
    section: Any = document
    for part in loc[:-1]:
        section = section.get(part) if isinstance(section, Mapping) else None
        model = _inside(model, part, section)
    if model is StrategySpec and isinstance(section, Mapping):
        config_class = resolve(section["config_path"], "config_path")
        return (*parameter_names(config_class), "instruments", "strategy_path", "config_path")
    if model is AlgorithmSpec and isinstance(section, Mapping):
        config_class = resolve(section["config_path"], "config_path")
        return (*parameter_names(config_class), "algorithm_path", "config_path")
    return tuple(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else ()


def _inside(model: Any, part: int | str, section: Any) -> Any:
    """The model of the section under key `part`: the class the section names, else the declared one."""
    if model is RunConfig and part in CHOSEN_BY and isinstance(section, Mapping):
        return resolve(str(section[CHOSEN_BY[str(part)]]), str(part))
    if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
        return _model_in(model.model_fields[str(part)].annotation)
    return model  # an entry of a list or a mapping


def _model_in(annotation: Any) -> Any:
    """The model class somewhere in an annotation such as `dict[str, Model]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in inner if model is not None), None)


def _pydantics_own(error: ErrorDetails) -> str:
    """What pydantic or a validator says, without the words around it."""
    text = one_line(error["msg"])
    for prefix in ("Value error, ", "Assertion failed, "):
        text = text.removeprefix(prefix)
    return text.replace("Input should be", "must be", 1)


def _one_of(error: ErrorDetails) -> str:
    options = re.findall(r"'([^']*)'|(?<![\w'])(-?\d+)(?![\w'])", error["ctx"]["expected"])
    words = [word or number for word, number in options]
    near = closest(str(error["input"]), words)
    wanted = f"must be one of {', '.join(words)}" if len(words) > 1 else f"must be {words[0]}"
    return wanted + (f"; did you mean {near}?" if near else "")


def _says(sentence: str) -> Callable[[ErrorDetails], str]:
    return lambda _: sentence


_WANTED: Mapping[str, Callable[[ErrorDetails], str]] = {
    "literal_error": _one_of,
    "int_type": _says("must be a whole number"),
    "int_from_float": _says("must be a whole number"),
    "float_type": _says("must be a number"),
    "decimal_type": _says("must be a number"),
    "decimal_parsing": _says("must be a number"),
    "finite_number": _says("must be a finite number"),
    "bool_type": _says("must be true or false"),
    "bool_parsing": _says("must be true or false"),
    "string_too_short": _says("must not be empty"),
    "too_short": _says("must name at least one"),
    "string_type": _says("must be text; put it in quotes if it looks like something else"),
    "tuple_type": _says("must be a list, such as [a,b]"),
    "list_type": _says("must be a list, such as [a,b]"),
    "date_parsing": _says("must be a day, such as 2005-01-31"),
    "date_from_datetime_parsing": _says("must be a day, such as 2005-01-31"),
    "date_type": _says("must be a day, such as 2005-01-31"),
    "path_type": _says("must be the path of a file or folder"),
    "model_type": _says("must be a section with keys of its own"),
    "dict_type": _says("must be a section with keys of its own"),
}
