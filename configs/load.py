"""Which run did the user ask for? Composes groups and overrides, validates them once; Hydra stays in here.

Hydra only composes: it makes no folder, no log and no `.hydra`, and the task runs after it has returned.
Whatever it or a model refuses is a ConfigError, one line.
"""

from __future__ import annotations

import io
import logging
import os
import re
import sys
import warnings
from argparse import ArgumentError, ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Transformer
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, MissingMandatoryValue, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from configs import refusals, sources
from configs.edge import INTERRUPTED, OK, guarded, one_line, say
from configs.errors import ConfigError
from configs.launcher import BASIC, Launcher, launcher_of
from configs.resolve import resolve
from configs.schema import RunConfig
from configs.validate import validated

__all__ = [
    "Axis",
    "Composed",
    "Task",
    "compose",
    "draft",
    "load",
    "main",
    "plain",
    "resolve",
    "settled",
    "swept",
]

FOLDER = Path(__file__).parent
MULTIRUNS = Path("outputs", "multirun")


@dataclass(frozen=True)
class Composed:
    """One run: its validated config, and the YAML it came from with nothing left to resolve."""

    config: RunConfig
    text: str
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Key of `risk` -> the file or `command line` that set it; only where `main` was asked for it."""


Task = Callable[[Composed], int]
"""What is done with a run; answers the exit code, or raises an error that carries one."""
HandOut = Callable[[Callable[[Any], Any], Sequence[Any], Launcher], Iterator[Any]]
"""(work, items, launcher) -> the work's answers in the order of the items (runs/workers.py has it)."""


def compose(
    config_name: str, overrides: Sequence[str] = (), config_dir: Path | str | None = None
) -> Composed:
    """The run that overrides make of `backtest` or `live`, written as on the command line; for Python users.

    `config_dir` is a folder of the user's own groups. Raises ConfigError.
    """
    flags = [] if config_dir is None else [f"--config-dir={config_dir}"]
    return _jobs(config_name, [*flags, "--", *overrides])[0].composed()


def load(text: str) -> Composed:
    """The run that a run folder's `config.yaml` holds, validated again. Raises ConfigError."""
    return _composed(plain(text))


def plain(text: str) -> dict[str, Any]:
    """The document in a run folder's `config.yaml`, resolved and not validated. Raises ConfigError."""
    try:
        document: Any = OmegaConf.to_container(OmegaConf.create(text), resolve=True, throw_on_missing=True)
    except _HYDRAS as error:
        raise _refusal(error) from error
    if not isinstance(document, dict) or not document:
        raise ConfigError("this is not the config of a run: it holds no keys")
    return document


@dataclass(frozen=True)
class Axis:
    """A key that is to take several values: `values` as plain data, or an interval from `low` to `high`.

    key: as a user writes it; group: whether the values are options of a group; tags: those of Hydra's `tag(...)`.
    """

    key: str
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    step: float | None = None
    group: bool = False
    tags: tuple[str, ...] = ()


def swept(argv: Sequence[str]) -> tuple[list[str], list[Axis]]:
    """The words of a command line that choose one value, and an axis for each that chooses several, in Hydra's syntax.

    Raises ConfigError for what cannot be read.
    """
    parser = OverridesParser.create()
    flags, overrides = _split(argv)
    folders = [FOLDER, *_user_folders(argv)]
    single, axes = list(flags), []
    for word in overrides:
        try:
            found = parser.parse_override(word)
        except HydraException as error:
            raise refusals.override(word) from error
        if found.is_sweep_override():
            axes.append(_axis(found, folders))
        else:
            single.append(word)
    return single, axes


def _axis(found: Any, folders: Sequence[Path]) -> Axis:
    key = found.get_key_element()
    sweep, group = found.value(), any((folder / found.key_or_group).is_dir() for folder in folders)
    tags = tuple(sorted(sweep.tags)) if hasattr(sweep, "tags") else ()
    if hasattr(sweep, "end"):
        return Axis(key, low=sweep.start, high=sweep.end, tags=tags)
    if not found.is_discrete_sweep() or found.is_delete():
        raise refusals.override(found.input_line)
    if hasattr(sweep, "include"):
        names = sorted(
            {path.stem for folder in folders for path in (folder / found.key_or_group).glob("*.yaml")}
        )
        return Axis(key, tuple(sweep.filter(names)), group=group)
    if getattr(sweep, "shuffle", False):
        raise ConfigError(f"{key}: shuffle(...) has no place here, trials are numbered; leave it out")
    parser = OverridesParser.create()
    values = tuple(
        parser.parse_override(f"value={text}").value()
        for text in found.sweep_iterator(transformer=Transformer.str)
    )
    return Axis(key, values, step=getattr(sweep, "step", None), group=group, tags=tags)


def draft(config_name: str, argv: Sequence[str]) -> dict[str, Any]:
    """The document that a command line composes, neither resolved nor validated. Raises ConfigError."""
    jobs = _jobs(config_name, argv)
    return jobs[0].unresolved if jobs else {}


def settled(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document of `draft` with every `${...}` worked out. Raises ConfigError where a value is missing."""
    try:
        found: Any = OmegaConf.to_container(
            OmegaConf.create(dict(document)), resolve=True, throw_on_missing=True
        )
    except _HYDRAS as error:
        raise _refusal(error) from error
    return dict(found)


def main(
    config_name: str,
    argv: Sequence[str],
    task: Task,
    *,
    with_sources: bool = False,
    hand_out: HandOut | None = None,
) -> int:
    """Hydra's command line for one verb: compose what `argv` says, do the task, answer the exit code.

    With `-m` the task is done for every job, in order or, through `hand_out`, as `hydra/launcher` says; the answer is
    the worst of their codes. Without `hand_out` jobs are done in order only.
    """

    def work() -> int:
        words, launcher = launcher_of(argv)
        return _do_all(_jobs(config_name, words, with_sources=with_sources), task, launcher, hand_out)

    return guarded(work)


@dataclass(frozen=True)
class _Job:
    """One composition: a document, or why there is none. `number` counts the jobs of a multirun."""

    document: dict[str, Any]
    overrides: tuple[str, ...]
    number: int | None
    error: ConfigError | None = None
    unresolved: dict[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def composed(self, multirun: Path | None = None) -> Composed:
        if self.error is not None:
            raise self.error
        if multirun is None:
            return _composed(self.document, self.sources)
        settings = dict(self.document.get("run") or {})
        settings["dir"] = str(Path(settings.get("dir") or multirun) / str(self.number))
        return _composed({**self.document, "run": settings}, self.sources)


def _composed(document: Mapping[str, Any], set_by: Mapping[str, str] | None = None) -> Composed:
    return Composed(validated(document), OmegaConf.to_yaml(OmegaConf.create(dict(document))), set_by or {})


def _do_all(jobs: Sequence[_Job], task: Task, launcher: Launcher, hand_out: HandOut | None) -> int:
    if not jobs:  # --help, --cfg and --info print and end
        return OK
    elsewhere = launcher.name != BASIC
    if elsewhere and (jobs[0].number is None or hand_out is None):
        why = "this verb does its jobs in order" if hand_out is None else "add -m, it is for several runs"
        raise ConfigError(f"hydra/launcher={launcher.name}: {why}")
    if jobs[0].number is None:
        return task(jobs[0].composed())
    folder = MULTIRUNS / datetime.now().astimezone().strftime("%Y-%m-%d_%H-%M-%S-%f")
    answers: Iterator[_Done | None] = iter([None] * len(jobs))
    if elsewhere and hand_out is not None:
        answers = hand_out(_Captured(task, folder.absolute()), jobs, launcher)
    worst = OK
    for job, answer in zip(jobs, answers, strict=True):
        say(f"job {job.number} (of {len(jobs)}): {' '.join(map(refusals.shown, job.overrides))}")
        code = _do(job, folder, task) if answer is None else answer.printed()
        worst = max(worst, code)
        if code == INTERRUPTED:
            break
    return worst


def _do(job: _Job, folder: Path, task: Task) -> int:
    return guarded(lambda: task(job.composed(folder)))


@dataclass(frozen=True)
class _Done:
    """What a job that was done in another process printed there, and its exit code."""

    code: int
    out: str
    err: str

    def printed(self) -> int:
        sys.stderr.write(self.err)
        sys.stdout.write(self.out)
        return self.code


@dataclass(frozen=True)
class _Captured:
    """The work of another process on a job: what it prints is shown where the jobs were handed out, in their order."""

    task: Task
    folder: Path

    def __call__(self, job: _Job) -> _Done:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = _do(job, self.folder, self.task)
        return _Done(code, out.getvalue(), err.getvalue())


def _jobs(config_name: str, argv: Sequence[str], *, with_sources: bool = False) -> list[_Job]:
    """What Hydra composes for this command line: one job, several with -m, none where it only prints."""
    jobs: list[_Job] = []

    def collect(config: DictConfig) -> None:
        jobs.append(_job(config, _sources("risk") if with_sources else {}))

    folders = _user_folders(argv)
    said = io.StringIO()
    with TemporaryDirectory() as scratch, _as_command_line(_arranged(argv, scratch)), _logging_kept():
        try:
            with redirect_stderr(said), warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # Hydra warns of mistakes in a user's YAML
                hydra.main(version_base="1.3", config_path=str(FOLDER), config_name=config_name)(collect)()
        except SystemExit as stop:
            if stop.code:
                raise refusals.command_line(said.getvalue()) from None
        except _HYDRAS as error:
            raise refusals.of_run_folder(_refusal(error, folders), folders) from error
    sys.stderr.write(said.getvalue())
    return jobs


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Put the root logger back as it was: `--info` makes Hydra log to a stream that is gone afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def _job(config: DictConfig, set_by: Mapping[str, str]) -> _Job:
    settings = HydraConfig.get()
    number = settings.job.num if settings.mode is RunMode.MULTIRUN else None
    written: Any = OmegaConf.to_container(settings.overrides.task, resolve=False)
    unresolved: Any = OmegaConf.to_container(config, resolve=False)
    try:
        document: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        return _Job({}, tuple(written), number, _refusal(error), unresolved)
    return _Job(document, tuple(written), number, None, unresolved, set_by)


def _sources(section: str) -> dict[str, str]:
    """Key of a section -> the file or command line that set it, for the job that Hydra has just composed."""
    settings = HydraConfig.get()
    written: Any = OmegaConf.to_container(settings.overrides, resolve=False)
    parsed = OverridesParser.create().parse_overrides(written["task"])
    loader = GlobalHydra.instance().config_loader()
    defaults = loader.compute_defaults_list(
        settings.job.config_name, [*written["hydra"], *written["task"]], RunMode.RUN
    )
    folders = [Path(source.path) for source in settings.runtime.config_sources if source.schema == "file"]
    files = []
    for each in defaults.defaults:
        names = [folder / f"{each.config_path}.yaml" for folder in folders]
        if path := next((name for name in names if name.is_file()), None):
            content: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
            files.append(sources.File(path, each.package or "", content))
    given = [
        sources.Given(each.key_or_group, each.value(), each.is_delete())
        for each in parsed
        if each.package is None
    ]
    return sources.set_by(section, files, given)


@contextmanager
def _as_command_line(argv: Sequence[str]) -> Iterator[None]:
    """Let Hydra read `argv` as the process's and raise its errors; leave a Hydra around this one alone."""
    around, GlobalHydra.instance().hydra = GlobalHydra.instance().hydra, None
    old_argv, sys.argv = sys.argv, [sys.argv[0], *argv]
    old_mode = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = around
        sys.argv = old_argv
        del os.environ["HYDRA_FULL_ERROR"]
        if old_mode is not None:
            os.environ["HYDRA_FULL_ERROR"] = old_mode


# Keys in a section, Hydra's own left out: `risk.max_leverage=1`, `risk={max_leverage: 1}`.
_IN_SECTION = re.compile(r"(?!hydra\b)[A-Za-z_]\w*((\.\w+)+=|=\{)")
# Options that name a class: two of them laid over each other would be neither.
_SEVERAL = re.compile(r"\+?(data|risk|strategy|venue)(?:@[\w.]+)?=\[(.+)\]")


def _arranged(argv: Sequence[str], scratch: str) -> list[str]:
    """Flags, then overrides, which argparse takes in one piece only. `scratch` is for Hydra's folders (-m).

    A key in a section may set what its YAML does not list: `++`, Hydra's add-or-override; whether there is
    such a key is for the models to say. Raises ConfigError for several options where only one can be.
    """
    flags, overrides = _split(argv)
    for override in overrides:
        if several := _SEVERAL.fullmatch(override):
            raise refusals.several(several[1], several[2].split(","))
    widened = [f"++{override}" if _IN_SECTION.match(override) else override for override in overrides]
    quoted = scratch.replace("\\", "\\\\").replace("'", "\\'")
    return [*flags, "--", *widened, f"hydra.sweep.dir='{quoted}'"]


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The flags of a command line and its overrides."""
    words = list(argv)
    split = words.index("--") if "--" in words else len(words)
    flags = [word for word in words[:split] if not _is_override(word)]
    return flags, [word for word in words[:split] if _is_override(word)] + words[split + 1 :]


def _is_override(word: str) -> bool:
    return not word.startswith("-") and ("=" in word or word.startswith("~"))


def _user_folders(argv: Sequence[str]) -> list[Path]:
    """The folder given with --config-dir, if any. Raises ConfigError when it cannot be read."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--config-dir", "-cd", type=Path)
    try:
        folder = parser.parse_known_args(list(argv))[0].config_dir
    except ArgumentError:  # a flag without its value: Hydra's own parser says so
        return []
    if folder is None:
        return []
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        raise ConfigError(
            f"--config-dir={folder}: not a folder that can be read; it holds strategy/, venue/ ..."
        )
    _refuse_hidden(folder)
    return [folder]


def _refuse_hidden(folder: Path) -> None:
    """Raise ConfigError for a file that Hydra would not read because one of the same name ships."""
    for shipped in sorted(FOLDER.rglob("*.yaml")):
        own = folder / shipped.relative_to(FOLDER)
        if own.is_file() and own.read_bytes() != shipped.read_bytes():
            raise ConfigError(
                f"{own}: the {own.stem} that ships would be read instead; give yours another name"
            )


_HYDRAS = (
    HydraException,
    OmegaConfBaseException,
    YAMLError,
    OSError,
    ValueError,
    TypeError,
    AssertionError,
    RecursionError,
    UserWarning,
)
"""What Hydra, OmegaConf and YAML raise over a user's files and overrides."""


def _refusal(error: Exception, folders: Sequence[Path] = ()) -> ConfigError:
    """Their refusal as one line of ours; `folders` are the user's own."""
    for kind, told in _TOLD:
        if isinstance(error, kind) and (line := told(error)):
            return line
    cause = error.__cause__
    if isinstance(cause, OmegaConfBaseException) and not str(error):
        return _refusal(cause, folders)
    return refusals.composition(str(error), one_line(cause or ""), [FOLDER, *folders])


_TOLD: tuple[tuple[type[Exception], Callable[[Any], ConfigError | None]], ...] = (
    (OverrideParseException, lambda error: refusals.override(error.override)),
    (MissingConfigException, lambda error: refusals.option(error.missing_cfg_file, error.options)),
    (YAMLError, refusals.yaml),
    (MissingMandatoryValue, lambda error: refusals.missing(error.full_key)),
    (OmegaConfBaseException, lambda error: refusals.value(error.full_key, str(error))),
    (OSError, refusals.file),
    (RecursionError, lambda _: refusals.endless()),
)
