"""Which verb was asked for, and how does it end?

`python -m live VERB ...`: the verb comes off first, the rest is the verb's own. Nothing of a verb is imported
before it is asked for, so that the list of verbs costs no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from configs.closest import closest
from configs.edge import OK, guarded
from configs.errors import ConfigError

HELP = ("--help", "-h", "help")
EXIT_CODES = "Exit codes: 0 ok, 1 failed, 2 bad input, 3 halted, 130 interrupted."


@dataclass(frozen=True)
class Verb:
    """A command. `path` (package.module:name) names a function from its arguments to its exit code."""

    name: str
    summary: str
    path: str

    def run(self, argv: Sequence[str]) -> int:
        """Do it; answers the exit code. What it raises is for the caller to tell."""
        module, _, name = self.path.partition(":")
        return int(getattr(import_module(module), name)(argv))


def dispatch(program: str, about: str, verbs: Sequence[Verb], argv: Sequence[str]) -> int:
    """Run the verb that `argv` begins with; without one, or with --help, list them. Answers the exit code.

    `program` is how a user starts it (`python -m live`), `about` the sentence above the list.
    """
    return guarded(lambda: _dispatch(program, about, verbs, argv))


def key_values(verb: str, argv: Sequence[str], keys: Sequence[str]) -> dict[str, str]:
    """The key=value arguments of a verb that composes no config. Raises ConfigError, with the close match."""
    given: dict[str, str] = {}
    for argument in argv:
        key, found, value = argument.partition("=")
        if not found:
            raise ConfigError(f"{argument}: {verb} takes key=value arguments: {', '.join(keys) or 'none'}")
        if key not in keys:
            near = closest(key, keys)
            hint = f"did you mean {near}?" if near else f"{verb} takes {', '.join(keys) or 'none'}"
            raise ConfigError(f"unknown key {key}; {hint}")
        if key in given:
            raise ConfigError(f"{key} is given twice; give it once")
        given[key] = value
    return given


def _dispatch(program: str, about: str, verbs: Sequence[Verb], argv: Sequence[str]) -> int:
    if not argv or argv[0] in HELP:
        print(_listing(program, about, verbs), end="")  # noqa: T201 - what a person asked to read
        return OK
    word = argv[0]
    for verb in verbs:
        if verb.name == word:
            return verb.run(argv[1:])
    raise ConfigError(_not_a_verb(program, word, [verb.name for verb in verbs]))


def _listing(program: str, about: str, verbs: Sequence[Verb]) -> str:
    width = max((len(verb.name) for verb in verbs), default=0)
    rows = "".join(f"  {verb.name:<{width}}  {verb.summary}\n" for verb in verbs)
    usage = f"usage: {program} VERB [KEY=VALUE] ..."
    return f"{about}\n\n{usage}\n\n{rows}\n{program} VERB --help says more.\n{EXIT_CODES}\n"


def _not_a_verb(program: str, word: str, names: Sequence[str]) -> str:
    if "=" in word or word.startswith("-"):
        return f"{word}: a verb comes first, as in {program} {names[0]} {word}"
    near = closest(word, names)
    hint = f"did you mean {near}?" if near else f"{program} has {', '.join(names)}"
    return f"there is no verb {word}; {hint}"
