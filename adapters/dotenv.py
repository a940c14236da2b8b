"""What does a `.env` file hold, and may anybody else read it?"""

from __future__ import annotations

import re
import stat
from pathlib import Path

from adapters.errors import AdapterError

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_dotenv(path: Path) -> dict[str, str]:
    """Name -> value of its NAME=VALUE lines; empty where there is none.

    Raises AdapterError, without any of it, for a file that others may read, or that cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if mode & _OTHERS:
            raise AdapterError(f"{path} may be read by others of this machine: chmod 600 {path}")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise AdapterError(f"{path} cannot be read ({type(error).__name__})") from None
    lines = (_LINE.fullmatch(line) for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {found[1]: _plain(found[2]) for found in lines if found is not None}


def _plain(value: str) -> str:
    """Without quotes, or without a comment behind it."""
    if value[:1] in "\"'" and (end := value.find(value[0], 1)) > 0:
        return value[1:end]
    return re.split(r"(?:^|\s)#", value, maxsplit=1)[0].strip()
