"""PostgreSQL: cut off at any byte, silent, refusing, started anew; nothing raised, no row lost, none there twice."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import psycopg
import pytest

from journal import tables
from journal.config import JournalConfig
from journal.errors import JournalDownError
from tests.journal.filled import throwaway_database
from tests.journal.kept import Kept, begun, open_folder, running
from tests.journal.proxy import Proxy
from tests.journal.test_sqlite_faults import refused
from tests.journal.test_writer import wait_until_well

pytestmark = pytest.mark.slow

STEP = 41  # every so many bytes; tried with 1
SERVER_PORT = 5432


@contextmanager
def through_proxy(run_id: str = "run-1", *, start: bool = True) -> Iterator[tuple[Kept, Proxy]]:
    """A run that writes through a cable, and reads beside it."""
    with throwaway_database() as url, Proxy(SERVER_PORT) as proxy:
        direct = JournalConfig(kind="postgres", url=url)
        cable = JournalConfig(kind="postgres", url=url.replace(f":{SERVER_PORT}", f":{proxy.port}"))
        kept = begun(cable, run_id, start=start)
        reading = begun(direct, run_id, start=False)
        kept.engine, engine = reading.engine, kept.engine
        try:
            yield kept, proxy
        finally:
            proxy.heal()
            kept.writer.close()
            reading.engine.dispose()
            engine.dispose()


def once(kept: Kept, count: int) -> None:
    """All the orders and alerts there were, in order, once, and a chain that holds."""
    wanted = [str(number) for number in range(count)]
    assert kept.names() == wanted
    assert kept.names(tables.alerts) == wanted
    assert kept.broken() == []


def sent(kept: Kept, number: int) -> None:
    kept.add(kept.alert(str(number)))
    with suppress(JournalDownError):
        kept.writer.commit(kept.order(str(number)))


@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("again", ["connected", "new"])
def test_a_transaction_that_is_cut_off_at_any_byte_is_there_once(way: str, again: str) -> None:
    """Towards the server and from it; on a connection that is in use, and from the first byte of a new one."""
    with through_proxy(start=False) as (kept, proxy):
        for number in range(8):  # the server's statements are prepared after five
            sent(kept, number)
        before = list(proxy.passed)
        if again == "new":
            kept.writer._store.close()  # noqa: SLF001 - as after any error
        sent(kept, 8)
        size = proxy.passed[way == "down"] - before[way == "down"]
        assert size > 100
        count = 9
        for place in range(0, size + 20, STEP):
            if again == "new":
                kept.writer._store.close()  # noqa: SLF001 - as above
            setattr(proxy, way, place)
            sent(kept, count)
            proxy.heal()
            kept.writer.commit()
            count += 1
        once(kept, count)


def test_a_cable_that_is_cut_at_random_moments_loses_nothing() -> None:
    with through_proxy() as (kept, proxy):
        over = threading.Event()
        choose = Random(2)  # noqa: S311 - nothing is to be kept secret

        def cut() -> None:
            while not over.wait(choose.random() * 0.05):
                how = choose.randrange(4)
                if how == 0:
                    proxy.cut()
                elif how == 1:
                    proxy.refusing = True
                    proxy.cut()
                    over.wait(0.02)
                    proxy.refusing = False
                else:
                    setattr(proxy, ("up", "down")[how - 2], choose.randrange(3_000))
                    over.wait(0.01)
                    proxy.heal()

        cutter = threading.Thread(target=cut)
        cutter.start()
        count, enough = 0, time.monotonic() + 6
        while time.monotonic() < enough or count <= 100:
            sent(kept, count)
            count += 1
            if kept.writer.problem:
                time.sleep(0.01)
        over.set()
        cutter.join()
        proxy.heal()
        wait_until_well(kept)
        kept.writer.commit()
        once(kept, count)


def test_a_connection_that_drops_for_a_moment_is_not_even_noticed() -> None:
    with through_proxy() as (kept, proxy):
        for number in range(10):
            sent(kept, number)
            proxy.cut()
            kept.writer.commit()
            assert kept.writer.problem is None
        once(kept, 10)


@pytest.mark.parametrize("how", ["silent", "deaf"])
def test_a_server_that_says_nothing_any_more_holds_nobody_up(how: str) -> None:
    """A black hole: connections stay open and nothing comes. Only our own patience ends that."""
    with through_proxy() as (kept, proxy):
        for number in range(8):
            sent(kept, number)
        setattr(proxy, how, True)
        said = refused(kept, "silent")
        assert "does not answer" in said or "timeout" in said
        time.sleep(3)
        assert kept.writer.problem is not None
        kept.add(kept.order("meanwhile"))
        began = time.monotonic()
        proxy.heal()
        wait_until_well(kept)
        assert time.monotonic() - began < 60
        assert kept.names() == [*(str(number) for number in range(8)), "silent", "silent-again", "meanwhile"]
        assert kept.broken() == []


def test_a_server_that_cannot_be_reached_is_told_and_everything_is_there_when_it_is_back() -> None:
    with through_proxy() as (kept, proxy):
        sent(kept, 0)
        proxy.refusing = True
        proxy.cut()
        refused(kept, "down")
        for number in range(5_000):
            kept.add(kept.order(f"waits-{number}"))
        time.sleep(1)
        proxy.heal()
        wait_until_well(kept)
        assert kept.names() == ["0", "down", "down-again", *(f"waits-{number}" for number in range(5_000))]
        assert kept.broken() == []


def test_a_transaction_that_lives_on_at_the_server_does_not_keep_its_locks() -> None:
    """The server believes in its dead client: the new connection ends the old one, or it would wait for hours."""
    with through_proxy() as (kept, proxy):
        for number in range(3):
            sent(kept, number)
        with psycopg.connect(
            str(kept.config.url).replace(f":{proxy.port}", f":{SERVER_PORT}"), autocommit=True
        ) as spy:
            name = kept.writer._store._name  # type: ignore[attr-defined]  # noqa: SLF001 - the store's own
            spy.execute("BEGIN")
            spy.execute("SELECT set_config('application_name', %s, false)", (name,))
            spy.execute(
                "UPDATE heads SET at = at WHERE chain = 'run-1'"
            )  # as our transaction did, before we lost it
            proxy.cut()
            proxy.heal()
            began = time.monotonic()
            sent(kept, 3)
            wait_until_well(kept)
            assert time.monotonic() - began < 60
            with pytest.raises(psycopg.OperationalError, match="terminating connection"):
                spy.execute("SELECT 1")
        once(kept, 4)


def test_rows_that_the_server_lost_are_told_and_the_rest_goes_on() -> None:
    """As after a failover to a server that had not got the newest rows yet."""
    with through_proxy() as (kept, proxy):
        for number in range(5):
            sent(kept, number)
        with kept.engine.begin() as connection:
            connection.execute(tables.orders.delete().where(tables.orders.c.seq > 3))
            third = connection.execute(tables.orders.select().where(tables.orders.c.seq == 3)).one()
            connection.execute(tables.heads.update().values(seq=3, hash=third.hash, batch=1))
        proxy.cut()
        sent(kept, 5)
        wait_until_well(kept)
        assert kept.names() == ["0", "1", "2", "5"]
        assert "rows 4 to 5 of this run are missing in it" in kept.writer.take_news()[0]


def test_a_slow_server_is_given_fewer_rows_at_a_time() -> None:
    """Else the same large transaction would run out of time again and again."""
    with through_proxy() as (kept, _):
        kept.writer.commit(kept.order("0"))
        with kept.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN PERFORM pg_sleep(0.004); RETURN NEW; END'; "
                "CREATE TRIGGER slow BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION slow()"
            )
        for number in range(1, 2_000):
            kept.add(kept.order(str(number)))
        wait_until_well(kept, 240)
        assert kept.names() == [str(number) for number in range(2_000)]
        assert kept.broken() == []


# -- a server of our own ----------------------------------------------------------------------------------------------


def free_port() -> int:
    """One that the system gives to nobody by itself, also while the server that has it is down."""
    while True:
        port = secrets.randbelow(10_000) + 20_000
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Cluster:
    """A PostgreSQL server of the test's own, which can be stopped, killed and frozen."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=str)
        tools = found[-1].parent if found else None
        if tools is None or os.geteuid() != 0:
            pytest.skip("no PostgreSQL server is installed here, or nobody may start one as postgres")
        self.folder, self.tools = folder, tools
        shutil.chown(folder, "postgres", "postgres")
        self.port = free_port()
        self.run("initdb", "-D", folder / "data", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def run(self, tool: str, *arguments: str | Path) -> None:
        subprocess.run(
            [self.tools / tool, *arguments], user="postgres", group="postgres", extra_groups=[], check=True,
            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder,
        )  # fmt: skip

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1"
        self.run(
            "pg_ctl",
            "-D",
            self.folder / "data",
            "-o",
            options,
            "-l",
            self.folder / "log",
            "-w",
            "-t",
            "240",
            "start",
        )

    def stop(self, how: str) -> None:
        self.run("pg_ctl", "-D", self.folder / "data", "-m", how, "-w", "-t", "240", "stop")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with open_folder() as folder:
        found = Cluster(folder)
        yield found
        with suppress(subprocess.CalledProcessError):
            found.stop("immediate")


def test_a_server_that_is_stopped_or_crashes_and_comes_back(cluster: Cluster) -> None:
    with running(JournalConfig(kind="postgres", url=cluster.url)) as kept:
        count = 0
        for how in ("fast", "immediate", "immediate"):
            for _ in range(20):
                kept.writer.commit(kept.order(str(count)))
                count += 1
            cluster.stop(how)
            with pytest.raises(JournalDownError) as error:
                kept.writer.commit(kept.order(str(count)))
            assert "\n" not in str(error.value)
            count += 1
            cluster.start()
            wait_until_well(kept)
        kept.writer.commit()
        assert kept.names() == [str(number) for number in range(count)]
        assert kept.broken() == []


def test_a_server_that_crashes_while_much_is_written(cluster: Cluster) -> None:
    with running(JournalConfig(kind="postgres", url=cluster.url)) as kept:
        over = threading.Event()
        count = 0

        def work() -> None:
            nonlocal count
            while not over.is_set():
                for _ in range(100):
                    kept.add(kept.order(str(count)))
                    count += 1
                time.sleep(0.01)

        worker = threading.Thread(target=work)
        worker.start()
        for _ in range(3):
            time.sleep(0.4)
            cluster.stop("immediate")
            cluster.start()
        over.set()
        worker.join()
        wait_until_well(kept)
        kept.writer.commit()
        assert kept.names() == [str(number) for number in range(count)]
        assert kept.broken() == []
