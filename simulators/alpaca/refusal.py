"""How does Alpaca say no? An HTTP status and a body of code and message.

RefusedError  the request is answered with its status and body
"""

from __future__ import annotations

from typing import Any

FORBIDDEN, UNPROCESSABLE, NOT_FOUND, DUPLICATE, LIMITED = 40310000, 42210000, 40410000, 40010001, 42910000


class RefusedError(Exception):
    """An HTTP answer that is not a success; `body()` is what is sent."""

    def __init__(self, status: int, code: int, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details

    def body(self) -> dict[str, Any]:
        """As on the wire."""
        return {"code": self.code, "message": str(self), **self.details}


def unprocessable(message: str, **details: Any) -> RefusedError:
    """422: the input is not recognised."""
    return RefusedError(422, UNPROCESSABLE, message, **details)


def forbidden(message: str, **details: Any) -> RefusedError:
    """403: buying power, shares or permission are missing."""
    return RefusedError(403, FORBIDDEN, message, **details)


def not_found(message: str, **details: Any) -> RefusedError:
    """404."""
    return RefusedError(404, NOT_FOUND, message, **details)
