"""How is the same work done for many items at once: here, in processes on this machine's cores, or on a Ray cluster?

Every pool answers futures, so that whoever hands out work need not know which pool it is.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from configs.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from configs.launcher import Launcher

_LOOK_SECS = 0.5  # how often a process of this machine looks whether its parent is still there
_IDLE_SECS = 300  # a process of this machine that has had nothing to do for so long ends


class Pool(Protocol):
    """Workers that do one kind of work; `workers` is how many items they do at once."""

    workers: int
    ahead: int
    """How many items may be out at once so that no worker is ever without one."""

    def submit(self, item: Any) -> Future[Any]:
        """Hand out one item."""


@contextmanager
def pool(work: Callable[[Any], Any], launcher: Launcher) -> Iterator[Pool]:
    """Workers that do `work` (a picklable function) the way a launcher says.

    A block left by an exception kills what still runs. Raises ConfigError for a Ray that is not there.
    """
    if launcher.name == "ray":
        with _ray(work, launcher) as workers:
            yield workers
    elif launcher.name == "joblib":
        with _cores(work, launcher) as workers:
            yield workers
    else:
        yield _Here(work)


class Source(Protocol):
    """Where items come from, and where their answers go."""

    def next(self) -> Any | None:
        """The next item; None while there is none to hand out, for good or until an answer came."""

    def told(self, answer: Any) -> None:
        """One answer, as soon as it is there."""


def drive(source: Source, workers: Pool, limit: int | None = None) -> None:
    """Hand out items and take answers until the source has no more and all are answered, or after `limit` items."""
    waiting: set[Future[Any]] = set()
    out = 0
    while True:
        while len(waiting) < workers.ahead and (limit is None or out < limit):
            item = source.next()
            if item is None:
                break
            waiting.add(workers.submit(item))
            out += 1
        if not waiting:
            return
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            source.told(future.result())


def in_order(work: Callable[[Any], Any], items: Iterable[Any], launcher: Launcher) -> Iterator[Any]:
    """The answers of `work` to items, in their order."""
    with pool(work, launcher) as workers:
        out = [workers.submit(item) for item in items]
        for future in out:
            yield future.result()


class _Here:
    """This very process."""

    workers = 1
    ahead = 1

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._work = work

    def submit(self, item: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(self._work(item))
        return future


class _Processes:
    """Processes of loky, joblib's own: started afresh, so that no thread or lock of the engine is copied."""

    def __init__(self, executor: Any, work: Callable[[Any], Any], workers: int) -> None:
        self.workers, self.ahead = workers, 2 * workers
        self._executor = executor
        self._work = work

    def submit(self, item: Any) -> Future[Any]:
        future: Future[Any] = self._executor.submit(self._work, item)
        return future


@contextmanager
def _cores(work: Callable[[Any], Any], launcher: Launcher) -> Iterator[Pool]:
    from joblib import cpu_count  # noqa: PLC0415 - only where several processes are wanted
    from joblib.externals.loky import get_reusable_executor  # noqa: PLC0415 - as above

    workers = cpu_count() if launcher.workers == "auto" else launcher.workers
    executor = get_reusable_executor(max_workers=workers, timeout=_IDLE_SECS, initializer=leave_to_parent)
    try:
        yield _Processes(executor, work, workers)
    except BaseException:
        executor.shutdown(wait=True, kill_workers=True)
        raise


def leave_to_parent() -> None:
    """Let Ctrl-C, which every process of a terminal gets, be dealt with by the parent, and end when that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECS)
    os._exit(1)  # a killed parent can take no answer


@dataclass(frozen=True)
class _Elsewhere:
    """Work that finds the user's own modules and files as here, where the same folders are there."""

    work: Callable[[Any], Any]
    folder: str
    modules: tuple[str, ...]

    @classmethod
    def of(cls, work: Callable[[Any], Any]) -> _Elsewhere:
        """This work, with this process's folder and module path."""
        here = str(Path.cwd())
        return cls(work, here, tuple(place or here for place in sys.path))

    def __call__(self, item: Any) -> Any:
        """Do it for one item."""
        if Path.cwd() != Path(self.folder) and Path(self.folder).is_dir():
            os.chdir(self.folder)
        sys.path.extend(place for place in self.modules if place not in sys.path)
        return self.work(item)


def _task(work: _Elsewhere, item: Any) -> Any:
    return work(item)


class _Cluster:
    """Tasks of Ray, one core each."""

    def __init__(self, task: Any, work: Any, workers: int) -> None:
        self.workers, self.ahead = workers, 2 * workers
        self._task = task
        self._work = work  # in Ray's store, so that it travels once to each machine

    def submit(self, item: Any) -> Future[Any]:
        future: Future[Any] = self._task.remote(self._work, item).future()
        return future


@contextmanager
def _ray(work: Callable[[Any], Any], launcher: Launcher) -> Iterator[Pool]:
    try:
        import ray  # noqa: PLC0415 - only where it is wanted: an extra, and slow to load
    except ModuleNotFoundError:
        raise ConfigError("hydra/launcher=ray: Ray is not installed; pip install 'keel[ray]'") from None
    began = not ray.is_initialized()
    if began:
        try:
            ray.init(
                address=launcher.address or "local",
                num_cpus=None if launcher.address or launcher.workers == "auto" else launcher.workers,
                runtime_env=launcher.runtime_env or None,
                log_to_driver=False,
                include_dashboard=None if launcher.address else False,
                logging_level=logging.ERROR,
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            first = str(error).partition("\n")[0]
            raise ConfigError(
                f"hydra.launcher.address={launcher.address}: no Ray cluster answers there: {first}"
            ) from error
    try:
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call] # Ray's own
        cores = max(1, int(resources.get("CPU", 1)))
        workers = cores if launcher.workers == "auto" else launcher.workers
        yield _Cluster(ray.remote(num_cpus=1)(_task), ray.put(_Elsewhere.of(work)), workers)
    finally:
        if began:
            ray.shutdown()
