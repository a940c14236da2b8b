"""A store that speaks S3's protocol, with what a command of the documents finds in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from pyarrow.fs import LocalFileSystem, S3FileSystem, copy_files

BUCKET = "bucket"


@contextmanager
def store_for(words: list[str], prices: Path) -> Iterator[None]:
    """Where a command speaks of S3: the environment of somebody who may use a store that holds `prices`, if there."""
    if not any("s3://" in word for word in words):
        yield
        return
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "{}:{}".format(*server.get_host_and_port())
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                patch.delenv(name)
            patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            patch.setenv("AWS_ENDPOINT_URL", f"http://{address}")
            store = S3FileSystem(
                endpoint_override=address, scheme="http", allow_bucket_creation=True, region="us-east-1"
            )
            store.create_dir(BUCKET)
            if prices.is_dir():
                copy_files(
                    str(prices),
                    f"{BUCKET}/prices",
                    source_filesystem=LocalFileSystem(),
                    destination_filesystem=store,
                )
            yield
    finally:
        server.stop()
