"""What does a request to Alpaca that went wrong mean: never sent, refused, or is the outcome unknown?"""

from __future__ import annotations

import json
from typing import Any

from alpaca.common.exceptions import APIError
from requests import exceptions
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from adapters.outcomes import NotSentError, RefusedError, RequestError, UnknownOutcomeError

DUPLICATE, DUPLICATE_CODE = "client_order_id must be unique", 40010001
FIXES = {
    401: "the keys are wrong or for the other environment; paper keys start with PK, live keys with AK",
    402: "the plan of this account does not include it",
}
FEED_FIX = "this feed needs a subscription of its own; venue.feed=iex is free"
LONGEST_MESSAGE = 300


class AlpacaRefusedError(RefusedError):
    """Alpaca said no; `status` is the HTTP status, `code` its own number for the reason, `body` the whole answer."""

    def __init__(self, text: str, status: int, body: dict[str, Any]) -> None:
        """`text` is one line."""
        super().__init__(text)
        self.status = status
        self.body = body
        self.code = body.get("code")


class RateLimitedError(UnknownOutcomeError):
    """Too many requests: wait `wait_secs`, and ask what became of an order before it is sent again."""

    def __init__(self, wait_secs: float) -> None:
        """`wait_secs` is what the broker asked for."""
        super().__init__(f"429: too many requests; the broker asks for {wait_secs:.1f} s of silence")
        self.wait_secs = wait_secs


class DuplicateError(UnknownOutcomeError):
    """The broker has an order of this client order id already: perhaps this very one, sent before."""


def outcome_of(error: BaseException) -> RequestError:
    """The error of adapters.outcomes that says what `error` means; one line."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, APIError):
        return _of_answer(error)
    if _never_connected(error):
        return NotSentError("nobody answers there: the connection could not be made")
    return UnknownOutcomeError(_of_silence(error))


def _of_silence(error: BaseException) -> str:
    if isinstance(error, exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, exceptions.ConnectionError):
        return "the connection broke before the broker answered"
    if isinstance(error, exceptions.JSONDecodeError):
        return "the answer cannot be read"
    return f"{type(error).__name__}: {str(error)[:LONGEST_MESSAGE]}"


def _of_answer(error: APIError) -> RequestError:
    status = error.status_code or 0
    text = str(error)
    body = _body_of(text)
    message = " ".join(str(body.get("message") or text or "no reason given").split())[:LONGEST_MESSAGE]
    if status >= 500 or status in (0, 408):  # noqa: PLR2004 - HTTP's own numbers
        return UnknownOutcomeError(f"{status or 'no status'}: {message}")
    if DUPLICATE in message or body.get("code") == DUPLICATE_CODE:
        return DuplicateError(f"{status}: {message}")
    fix = FIXES.get(status, FEED_FIX if status == 403 and "subscription" in message else None)  # noqa: PLR2004
    return AlpacaRefusedError(f"{status}: {message}" + (f" ({fix})" if fix else ""), status, body)


def _body_of(text: str) -> dict[str, Any]:
    """The broker's JSON; empty when it is none: some errors have no body, some a page of HTML."""
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _never_connected(error: BaseException) -> bool:
    if isinstance(error, exceptions.ConnectTimeout | exceptions.InvalidURL | exceptions.InvalidSchema):
        return True
    reason = error.args[0] if isinstance(error, exceptions.ConnectionError) and error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)
