"""How may a request to a venue end, other than well?

RequestError
├── NotSentError         nothing left this machine: known
├── RefusedError         the venue said no: known
└── UnknownOutcomeError  it may have arrived: the venue has to be asked

Whatever else a request raises counts as an unknown outcome.
"""

from __future__ import annotations


class RequestError(Exception):
    """A request did not end well; `str()` is one line."""


class NotSentError(RequestError):
    """Nothing left this machine."""


class RefusedError(RequestError):
    """The venue refused the request; `str()` is its reason."""


class UnknownOutcomeError(RequestError):
    """The request may have arrived: no answer came."""
