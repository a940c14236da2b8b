"""How are files on an S3-compatible store found, brought here and put there?

Arrow's own client: keys, regions and profiles come from where AWS's tools look for them (environment, ~/.aws, the
machine's role), the address of another store than Amazon's from AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from market.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow.fs import FileInfo

SCHEME = "s3://"
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_CONNECT_SECS, _REQUEST_SECS, _ATTEMPTS = 5, 60, 3
_BLOCK = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Held:
    """One file there: its path below the folder asked for, its bytes, and when it was changed (ns since 1970)."""

    name: str
    size: int
    changed_ns: int


def is_remote(path: str | Path) -> bool:
    """Whether a path of the config is an address on such a store."""
    return str(path).startswith(SCHEME)


class Place:
    """A bucket, or a folder or a file in it. Raises FileError, in one line, for whatever the store refuses."""

    def __init__(self, address: str) -> None:
        """`address`: s3://bucket/folder; nothing is asked of the store yet."""
        self.address = address.rstrip("/")
        self.path = self.address.removeprefix(SCHEME)
        bucket = self.path.partition("/")[0]
        if not bucket or "@" in self.path:
            raise FileError(
                f"{SCHEME}...: write an address on S3 as s3://bucket/folder, without any key in it"
            )
        self.bucket = bucket

    def files(self) -> list[Held]:
        """All files below it by path; the file itself where it is one. Raises FileError where there is none."""
        from pyarrow.fs import FileSelector, FileType  # noqa: PLC0415 - only where a store is named

        with self._asked("read"):
            store = _store()
            own = store.get_file_info(self.path)
            if own.type == FileType.File:
                return [_held(own, "")]
            if own.type == FileType.NotFound and store.get_file_info(self.bucket).type == FileType.NotFound:
                raise FileError(f"{self.address}: there is no bucket {self.bucket} at {_where()}")
            selected = store.get_file_info(FileSelector(self.path, allow_not_found=True, recursive=True))
        found = [_held(one, one.path[len(self.path) + 1 :]) for one in selected if one.type == FileType.File]
        return sorted(found, key=lambda one: one.name)

    def text(self, name: str) -> str | None:
        """A small file as text; None where it is not there."""
        from pyarrow.fs import FileType  # noqa: PLC0415 - as above

        with self._asked("read"):
            if _store().get_file_info(self._of(name)).type != FileType.File:
                return None
            with _store().open_input_stream(self._of(name)) as stream:
                return bytes(stream.read()).decode()

    def bring(self, name: str, target: Path) -> None:
        """Copy a file here; `target` is there whole or not at all. OSError: it cannot be written here."""
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with draft.open("wb") as own:
                for block in self._blocks(name):
                    own.write(block)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def put(self, name: str, source: Path) -> None:
        """Copy a file there; it appears when it is whole."""
        with (
            self._asked("written"),
            _store().open_output_stream(self._of(name)) as stream,
            source.open("rb") as own,
        ):
            while block := own.read(_BLOCK):
                stream.write(block)

    def _blocks(self, name: str) -> Iterator[bytes]:
        with self._asked("read"):
            stream = _store().open_input_stream(self._of(name))
        with stream:
            while True:
                with self._asked("read"):
                    block = bytes(stream.read(_BLOCK))
                if not block:
                    return
                yield block

    def _of(self, name: str) -> str:
        return f"{self.path}/{name}" if name else self.path

    @contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        import pyarrow as pa  # noqa: PLC0415 - as above

        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise FileError(f"{self.address}: cannot be {what}: {self._why(str(error))}") from None

    def _why(self, said: str) -> str:
        if "NETWORK_CONNECTION" in said or "curlCode" in said:
            return f"no answer from {_where()}; is AWS_ENDPOINT_URL right and the network up?"
        if "ACCESS_DENIED" in said or "HTTP status 403" in said or "INVALID_ACCESS_KEY" in said:
            return f"{_where()} gives no access with these keys; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret"
        if "NO_SUCH_BUCKET" in said or "does not exist" in said or "NoSuchBucket" in said:
            return f"there is no bucket {self.bucket} at {_where()}"
        return " ".join(said.split())[:200]


@lru_cache(maxsize=1)
def _client(endpoint: str | None, _process: int) -> Any:
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem  # noqa: PLC0415 - as above

    settings: dict[str, Any] = {}
    if endpoint:
        parts = urlsplit(endpoint if "//" in endpoint else f"https://{endpoint}")
        settings = {"endpoint_override": parts.netloc + parts.path.rstrip("/"), "scheme": parts.scheme}
        settings["region"] = _region() or "us-east-1"
    return S3FileSystem(
        connect_timeout=_CONNECT_SECS,
        request_timeout=_REQUEST_SECS,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        **settings,
    )


def _store() -> Any:
    return _client(_endpoint(), os.getpid())


def _endpoint() -> str | None:
    return next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), None)


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _where() -> str:
    """The store's address for messages, without user and password."""
    endpoint = _endpoint()
    return (urlsplit(endpoint).netloc or endpoint).rpartition("@")[2] if endpoint else "Amazon S3"


def _held(one: FileInfo, name: str) -> Held:
    return Held(name, one.size, one.mtime_ns or 0)
