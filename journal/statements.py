"""What is said to either database about rows and about the heads of chains? Every piece is a name of our own."""

# ruff: noqa: S608

from __future__ import annotations

from functools import cache

from journal.database import VERSION_TABLE
from journal.errors import JournalBrokenError
from journal.shapes import Shape


@cache
def fence(mark: str) -> str:
    """Moves the head of a chain from where a store knows it to the next place; changes one row, or none."""
    return (
        f"UPDATE heads SET seq = {mark}, hash = {mark}, batch = {mark}, at = {mark} "
        f"WHERE chain = {mark} AND batch = {mark} AND hash = {mark}"
    )


def moved() -> JournalBrokenError:
    """The error of a fence that changed no row."""
    return JournalBrokenError("somebody else changed the head of this run")


@cache
def insert_of(shape: Shape, mark: str) -> str:
    """Adds a row; where the row has a key of its own, it replaces the one with that key. `mark` stands for a value."""
    names = ", ".join(f'"{name}"' for name in shape.names)
    text = f"INSERT INTO {shape.name} ({names}) VALUES ({', '.join([mark] * len(shape.names))})"
    if not shape.keys:
        return text
    others = [f'"{name}" = excluded."{name}"' for name in shape.names if name not in shape.keys]
    return f"{text} ON CONFLICT ({', '.join(shape.keys)}) DO UPDATE SET {', '.join(others)}"


@cache
def first_head(mark: str) -> str:
    """Adds the head of a chain: chain, seq, hash, batch, at; nothing where it has one."""
    values = ", ".join([mark] * 5)
    return f"INSERT INTO heads (chain, seq, hash, batch, at) VALUES ({values}) ON CONFLICT (chain) DO NOTHING"


@cache
def head_there(mark: str, lock: str) -> str:
    """Finds seq, hash and batch of a chain's head. `lock`: its end, which waits for whoever changes it."""
    return f"SELECT seq, hash, batch FROM heads WHERE chain = {mark}{lock}"


@cache
def no_head(mark: str) -> str:
    """Takes the head of a chain away."""
    return f"DELETE FROM heads WHERE chain = {mark}"


@cache
def version() -> str:
    """Finds the version of a journal."""
    return f"SELECT version_num FROM {VERSION_TABLE}"
