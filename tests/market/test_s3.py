"""Files and prepared data on an S3-compatible store are what they are here, and its refusals are one line."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer
from pyarrow.fs import FileSelector, FileType, S3FileSystem

from backtests import run
from market import DataError, MarketData, open_market
from market.errors import CatalogError
from market.files import ParquetFiles

SECRET = "not-to-be-told"  # noqa: S105 - of nobody


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A local store; its address."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    _, port = running.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    running.stop()


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment of somebody who may use the store, and a cache folder of their own."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> S3FileSystem:
    """The store with the bucket of this test, which is also named by the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    store = S3FileSystem(
        endpoint_override=server.removeprefix("http://"),
        scheme="http",
        allow_bucket_creation=True,
        region="us-east-1",
    )
    store.create_dir(bucket(tmp_path))
    return store


def bucket(tmp_path: Path) -> str:
    return tmp_path.name.replace("_", "-").lower()


def rows(seed: int = 1, count: int = 300) -> pd.DataFrame:
    close = np.round(100 + np.cumsum(np.random.default_rng(seed).normal(0, 0.5, count)), 2)
    time = pd.date_range("2023-01-02", periods=count, freq="D", tz="UTC")
    return pd.DataFrame(
        {"time": time, "open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 1000.0}
    )


def put(store: S3FileSystem, path: str, table: pd.DataFrame) -> None:
    with store.open_output_stream(path) as stream:
        table.to_parquet(stream)


def opened(
    path: str | Path, catalog: Path, symbols: tuple[str, ...] = (), shared: str | None = None
) -> MarketData:
    source = ParquetFiles(
        path=str(path),
        label="START",
        instrument_class="crypto",
        catalog_dir=catalog,
        catalog_s3=shared,
        symbols=symbols,
    )
    return open_market(source)


@pytest.fixture
def two(store: S3FileSystem, tmp_path: Path) -> tuple[str, Path]:
    """The same two files there and here: address and folder."""
    here = tmp_path / "here"
    here.mkdir()
    for seed, symbol in enumerate(("BTCUSD", "ETHUSD")):
        rows(seed).to_parquet(here / f"{symbol}.parquet")
        store.create_dir(f"{bucket(tmp_path)}/prices")
        with store.open_output_stream(f"{bucket(tmp_path)}/prices/{symbol}.parquet") as stream:
            stream.write((here / f"{symbol}.parquet").read_bytes())
    return f"s3://{bucket(tmp_path)}/prices", here


@pytest.mark.parametrize("end", ["", "/BTCUSD.parquet", "/{symbol}.parquet"])
def test_files_there_are_the_data_they_are_here(two: tuple[str, Path], end: str, tmp_path: Path) -> None:
    address, here = two
    there, local = opened(f"{address}{end}", tmp_path / "a"), opened(f"{here}{end}", tmp_path / "b")
    assert there.symbols == local.symbols
    assert there.version == local.version
    assert there.updates() == local.updates()


def test_a_file_is_copied_once_and_again_when_it_changes(
    two: tuple[str, Path], store: S3FileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _ = two
    copied: list[str] = []
    from market._s3 import Place  # noqa: PLC0415 - what is watched here

    bring = Place.bring

    def watched(place: Place, name: str, target: Path) -> None:
        copied.append(name)
        bring(place, name, target)

    monkeypatch.setattr(Place, "bring", watched)
    first = opened(address, tmp_path / "a")
    opened(address, tmp_path / "a")
    assert sorted(copied) == ["BTCUSD.parquet", "ETHUSD.parquet"]
    time.sleep(1.1)  # a store tells whole seconds
    put(store, f"{bucket(tmp_path)}/prices/ETHUSD.parquet", rows(9))
    assert opened(address, tmp_path / "a").version != first.version
    assert copied[2:] == ["ETHUSD.parquet"]
    store.delete_file(f"{bucket(tmp_path)}/prices/ETHUSD.parquet")
    assert opened(address, tmp_path / "a").symbols == ("BTCUSD",)


def test_a_catalog_there_spares_another_machine_the_preparing(
    two: tuple[str, Path], store: S3FileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, here = two
    shared = f"s3://{bucket(tmp_path)}/prepared"
    one = opened(here, tmp_path / "one", ("BTCUSD",), shared)
    opened(here, tmp_path / "one", ("ETHUSD",), shared)
    monkeypatch.setattr("market._build._stage", lambda *_: pytest.fail("it was prepared again"))
    both = opened(here, tmp_path / "two", ("BTCUSD", "ETHUSD"), shared)
    assert len(both.symbols) == 2
    assert [bar for bar in both.bars() if bar.bar_type in one.bar_types] == one.updates()
    files = store.get_file_info(FileSelector(f"{bucket(tmp_path)}/prepared", recursive=True))
    assert sum(one.type == FileType.File for one in files) == 5


def test_what_was_changed_there_is_not_trusted(
    two: tuple[str, Path], store: S3FileSystem, tmp_path: Path
) -> None:
    shared = f"s3://{bucket(tmp_path)}/prepared"
    market = opened(two[1], tmp_path / "one", ("BTCUSD",), shared)
    name = market.files[0].relative_to(market.catalog_path).as_posix()
    with store.open_output_stream(f"{bucket(tmp_path)}/prepared/{market.catalog_path.name}/{name}") as stream:
        stream.write(b"other rows")
    with pytest.raises(CatalogError, match="is not what its manifest says; remove s3://"):
        opened(two[1], tmp_path / "two", ("BTCUSD",), shared)


class Refusing(BaseHTTPRequestHandler):
    """Gives nobody access."""

    def do_GET(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_PUT = do_GET  # noqa: N815 - the library's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def _said(path: str, capsys: pytest.CaptureFixture[str]) -> str:
    code = run.run(["data=parquet", f"data.path={path}", "instruments=[BTCUSD]"])
    assert code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line]
    assert len(lines) == 1
    assert SECRET not in lines[0]
    return lines[0]


def test_no_bucket_and_no_file_are_one_line(
    store: S3FileSystem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "there is no bucket nobodys at 127.0.0.1" in _said("s3://nobodys/prices", capsys)
    store.create_dir(f"{bucket(tmp_path)}/other")
    assert "there is no .parquet file at s3://" in _said(f"s3://{bucket(tmp_path)}/prices", capsys)
    assert "without any key in it" in _said("s3://KEY:SECRET@bucket/prices", capsys)


def test_no_access_is_one_line(
    refusing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", refusing)
    assert "gives no access with these keys" in _said("s3://bucket/prices", capsys)


def test_no_answer_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://somebody:secret@127.0.0.1:9")
    said = _said("s3://bucket/prices", capsys)
    assert "no answer from 127.0.0.1:9" in said
    assert "secret" not in said


def test_an_address_of_a_shared_catalog_is_checked() -> None:
    for wrong in ("bucket", "s3://", "s3://key@bucket"):
        with pytest.raises(ValueError, match="must be an address such as s3://bucket/folder"):
            ParquetFiles(path="a", label="END", catalog_s3=wrong)


def test_a_shared_catalog_that_does_not_answer_ends_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    file = tmp_path / "BTCUSD.parquet"
    rows().to_parquet(file)
    with pytest.raises(DataError, match=r"no answer from 127\.0\.0\.1:9"):
        opened(file, tmp_path / "one", (), "s3://bucket/prepared")
