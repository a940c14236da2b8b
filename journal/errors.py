"""What can go wrong with the journal?

JournalError            one line: what, why, what to do; carries an exit code
├── JournalAbsentError  there is none where one was looked for
├── JournalDownError    it cannot be written or read now: a full disk, a lock, a dead server
├── JournalInUseError   another node trades this account
└── JournalBrokenError  it can be read, and what it says cannot be true
"""

from __future__ import annotations


class JournalError(Exception):
    """The journal cannot do what was asked."""

    exit_code = 1


class JournalAbsentError(JournalError):
    """There is no journal where one was looked for."""

    exit_code = 2


class JournalDownError(JournalError):
    """The journal cannot be reached or written now."""


class JournalInUseError(JournalError):
    """Another node trades this account and writes its journal."""

    exit_code = 2


class JournalBrokenError(JournalError):
    """The journal is damaged, or was made by another version of Keel."""
