"""Which parameters does a strategy or an execution algorithm take, and are these values right for them?

The config class's own `__init__` is the schema: its annotations (`Annotated[int, Field(gt=0)]` too) and
defaults. What Keel fills in itself and what belongs to NautilusTrader are not the user's to give.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from nautilus_trader.trading import ExecutionAlgorithmConfig, StrategyConfig
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticUndefined, to_json

FILLED_IN = frozenset({"instrument_id", "instrument_ids", "bar_type", "bar_types", "strategy_id"})
"""Parameters that Keel gives: from `instruments`, `bar` and the strategy's place in the run."""
ENGINES_OWN = frozenset(name for name in dir(StrategyConfig) if not name.startswith("_")) - FILLED_IN
"""Options of NautilusTrader's StrategyConfig, which Keel sets."""
ALGORITHMS_OWN = frozenset(name for name in dir(ExecutionAlgorithmConfig) if not name.startswith("_"))
"""Options of NautilusTrader's ExecutionAlgorithmConfig, which Keel sets; the id is the algorithm's name in the run."""


def accepted(config_class: type) -> dict[str, inspect.Parameter]:
    """Name -> parameter of every argument the class takes, with those its bases take through `**`."""
    found: dict[str, inspect.Parameter] = {}
    for cls in config_class.__mro__:
        init = vars(cls).get("__init__")
        if init is None:
            continue
        if not inspect.isfunction(init):  # the engine's own, compiled class
            break
        parameters = list(inspect.signature(init).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                found.setdefault(parameter.name, parameter)
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def parameter_names(config_class: type) -> tuple[str, ...]:
    """The parameters a user may give, in the order of the signature."""
    of_algorithm = issubclass(config_class, ExecutionAlgorithmConfig)
    not_theirs = ALGORITHMS_OWN if of_algorithm else FILLED_IN | ENGINES_OWN
    return tuple(name for name in accepted(config_class) if name not in not_theirs)


@lru_cache(maxsize=256)
def parameter_model(config_class: type) -> type[BaseModel]:
    """A pydantic model of the parameters a user may give; made once a class, for a sweep asks for each trial.

    Raises ValueError, in one line, when the signature cannot be read as a schema.
    """
    parameters = accepted(config_class)
    try:
        hints = _hints(config_class)
        fields: dict[str, Any] = {
            f"parameter_{place}": _field(parameters[name], hints)
            for place, name in enumerate(parameter_names(config_class))
        }
        return create_model(config_class.__name__, __config__=_CONFIG, **fields)
    except (NameError, TypeError, PydanticUserError) as error:
        raise ValueError(f"the parameters of {config_class.__name__} cannot be read: {error}") from error


def checked(config_class: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given parameters, in their types. Raises pydantic.ValidationError naming each that is wrong."""
    document = to_json(dict(given), inf_nan_mode="constants")
    model = parameter_model(config_class).model_validate_json(document, strict=True)
    fields = type(model).model_fields
    return {
        str(field.alias): getattr(model, name)
        for name, field in fields.items()
        if name in model.model_fields_set
    }


# Fields are numbered and carry the parameter's name as alias: a parameter may be called `copy` or `json`.
_CONFIG = ConfigDict(
    extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True, hide_input_in_errors=True
)


def _hints(config_class: type) -> dict[str, Any]:
    hints: dict[str, Any] = {}
    for cls in reversed(config_class.__mro__):
        init = vars(cls).get("__init__")
        if inspect.isfunction(init):
            hints |= get_type_hints(init, include_extras=True)
    return hints


def _field(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> tuple[Any, Any]:
    default = PydanticUndefined if parameter.default is parameter.empty else parameter.default
    guessed = Any if default is None or default is PydanticUndefined else type(default)
    return _readable(hints.get(parameter.name, guessed)), Field(default, alias=parameter.name)


def _readable(annotation: Any) -> Any:
    """The annotation, with the engine's own types (InstrumentId, OrderSide ...) read from their text."""
    if get_origin(annotation) in (Union, UnionType):
        return Union[tuple(_readable(part) for part in get_args(annotation))]  # noqa: UP007 - made at run time
    if isinstance(annotation, type) and annotation.__module__.startswith("nautilus_trader"):
        return Annotated[annotation, BeforeValidator(_from_text(annotation))]
    return annotation


def _from_text(engine_type: Any) -> Any:
    variants = [name for name in dir(engine_type) if isinstance(getattr(engine_type, name), engine_type)]
    wanted = (
        f"one of {', '.join(variants)}"
        if variants
        else f"the text of a NautilusTrader {engine_type.__name__}"
    )

    def read(value: object) -> Any:
        if not isinstance(value, str):
            raise ValueError(f"must be {wanted}")  # noqa: TRY004 - pydantic turns only ValueError into a message
        try:
            return engine_type.from_str(value)
        except ValueError as error:
            raise ValueError(f"must be {wanted}" + ("" if variants else f": {error}")) from None

    return read
