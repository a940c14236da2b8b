"""How are secrets kept out of every line that is written?

Known ones (values of environment variables that hold credentials) are replaced wherever they stand; unknown ones are
found by their looks: `password=...`, Authorization headers, passwords in URLs, key ids, long runs of mixed characters.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

MASK = "***"
_SHORT = 8  # a known secret shorter than this is replaced only where it stands alone

_NAME = r"[\w.\-]*(?:key|secret|token|passw|passphrase|pwd|credential|signature)[\w.\-]*"
_EXCEPTION = r"(?-i:KeyError:\s)"  # it names what was not found
_SECRET_NAME = re.compile(_NAME, re.IGNORECASE)
_LOOK = re.compile(
    r"key|secret|token|passw|passphrase|pwd|credential|signature|auth|bearer|basic|://", re.IGNORECASE
)
"""Where none of these words stands, none of the rules below that look for words can find anything."""

_URL = re.compile(r"""(?P<head>\w://[^/\s:@"'\\]*):(?P<secret>[^\s"'\\]+)@""")
_HEADER = re.compile(
    r"""(?P<head>authorization(?:\\*["'])?\s*(?:=>?|:|,)\s*(?:b?\\*["'])?)(?!\*)(?:(?P<scheme>[A-Za-z]+)\s+)?[^\s"',}\\]+""",
    re.IGNORECASE,
)
_SCHEME = re.compile(
    r"(?P<head>\b(?:bearer|(?:basic|token)(?=\s+\S*\d))\s+)[A-Za-z0-9._~+/=\-]{8,}", re.IGNORECASE
)
_PAIR = re.compile(
    rf"""(?P<name>(?!{_EXCEPTION}){_NAME})
    (?P<sep>(?:\\*["'])?\s*(?:=>?|:)\s*|\\*["']\s*,\s*)
    (?P<value>b?(?P<quote>\\*["']).*?(?P=quote)|(?:[^\s"'&;<>\\,]|,(?!\s))+)""",
    re.IGNORECASE | re.VERBOSE,
)
_INSTRUMENT = re.compile(r"[A-Z0-9/.\-]+\.[A-Z0-9_]+")  # KEY.XNYS is a bank, not a key
_PLAIN = ("", "None", "none", "null", "true", "false", "True", "False", MASK)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_KEY_ID = re.compile(r"\b(?:PK|AK|CK)(?=[A-Z]*\d)[A-Z0-9]{14,30}\b")  # Alpaca's: paper, live, broker
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")
_RUN = re.compile(r"[A-Za-z0-9]{32,}")
_MIXED = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"))


class Scrubber:
    """Takes secrets out of text and of everything made of text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """`secrets` are known ones: they go wherever they stand, also quoted for a URL or in base64."""
        shapes = {shape for secret in secrets for shape in _shapes(secret)}
        longest_first = sorted(shapes, key=len, reverse=True)
        self._known = re.compile("|".join(map(_pattern, longest_first))) if shapes else None

    def text(self, text: str) -> str:
        """The text with every secret replaced by ***."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        if _LOOK.search(text) is not None:
            text = _PEM.sub(MASK, text)
            text = _URL.sub(rf"\g<head>:{MASK}@", text)
            text = _HEADER.sub(rf"\g<head>{MASK}", text)
            text = _SCHEME.sub(rf"\g<head>{MASK}", text)
            text = _PAIR.sub(_without_value, text)
        text = _KEY_ID.sub(MASK, text)
        text = _JWT.sub(MASK, text)
        return _RUN.sub(_without_mixed, text)

    def value(self, value: Any, name: str = "") -> Any:
        """Text, and text within lists and mappings, scrubbed; a value under a name such as `api_key` goes whole."""
        if isinstance(value, str):
            return MASK if name and value and _names_a_secret(name) else self.text(value)
        if isinstance(value, bytes):
            return self.text(value.decode(errors="replace"))
        if isinstance(value, dict):
            return {self.value(key): self.value(each, str(key)) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(each, name) for each in value]
        return value


def _shapes(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), encoded, repr(secret)[1:-1]} - {""}


def _pattern(secret: str) -> str:
    return re.escape(secret) if len(secret) >= _SHORT else rf"(?<!\w){re.escape(secret)}(?!\w)"


def _names_a_secret(name: str) -> bool:
    if name.endswith(("_variable", "_VARIABLE")):  # where a secret is, not what it is
        return False
    return _SECRET_NAME.fullmatch(name) is not None and _INSTRUMENT.fullmatch(name) is None


def _without_value(found: re.Match[str]) -> str:
    value = found["value"]
    if not _names_a_secret(found["name"]) or value.strip("\\\"'") in _PLAIN:
        return found[0]
    mark = found["quote"] or ""
    return f"{found['name']}{found['sep']}{mark}{MASK}{mark}"


def _without_mixed(found: re.Match[str]) -> str:
    """Hashes are all small letters and digits; keys mix."""
    return MASK if all(kind.search(found[0]) for kind in _MIXED) else found[0]
