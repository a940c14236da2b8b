"""How do the configured execution algorithms become engine objects behind the run's risk desk?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nautilus_trader.model import ExecAlgorithmId

from risk.algorithms import AlgorithmGate, gated_algorithm
from runs.errors import RunError

if TYPE_CHECKING:
    from configs.schema import RunConfig
    from risk.desk import RiskDesk


class AlgorithmError(RunError):
    """An execution algorithm of the run cannot be made."""

    exit_code = 2


def build_algorithms(config: RunConfig, desk: RiskDesk) -> list[AlgorithmGate]:
    """Every configured execution algorithm behind the desk's gate; orders name it by its key in the run.

    Raises AlgorithmError when a class does not take what it is given.
    """
    for name, spec in config.exec_algorithms.items():
        algorithm_class, config_class = spec.classes()
        try:
            own = config_class(**spec.params, exec_algorithm_id=ExecAlgorithmId(name))
            desk.algorithms[name] = gated_algorithm(algorithm_class, desk)(own)
        except (TypeError, ValueError) as error:
            raise AlgorithmError(f"exec_algorithms.{name}: {spec.algorithm_path}: {error}") from error
    return list(desk.algorithms.values())
