"""One node an account: the second is refused, the next one comes in when the first is gone, however it went."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from journal.config import JournalConfig
from journal.errors import JournalDownError, JournalInUseError
from journal.hold import Hold, held, holder, is_held, signature
from tests.journal.filled import journal_on, throwaway_database
from tests.journal.kept import until
from tests.journal.proxy import Proxy
from tests.journal.test_writer import HERE

pytestmark = pytest.mark.slow

SCOPE = "paper:alpaca_paper"
HOLDS = """
import sys, time
from journal.config import JournalConfig
from journal.errors import JournalError
from journal.hold import Hold
try:
    hold = Hold(JournalConfig.model_validate_json(sys.argv[1]), sys.argv[2])
except JournalError as error:
    print(type(error).__name__, error, flush=True)
else:
    print("held", flush=True)
    sys.stdin.readline()
    hold.release()
"""


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JournalConfig]:
    with journal_on(request.param, tmp_path) as found:
        yield found


def node(config: JournalConfig, scope: str = SCOPE, cwd: Path = HERE) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDS, config.model_dump_json(), scope]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cwd)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_node_on_an_account_is_refused_and_told_who_has_it(config: JournalConfig) -> None:
    with node(config) as first:
        assert said(first) == "held"
        with node(config) as second:
            told = said(second)
            assert told.startswith("JournalInUseError another node trades paper:alpaca_paper in journal ")
            assert told.endswith(f"process {first.pid}: stop it first")
        with pytest.raises(JournalInUseError):
            Hold(config, SCOPE)
        assert is_held(config, SCOPE)
        assert holder(config, SCOPE) == first.pid
        first.communicate("\n")
    assert not is_held(config, SCOPE)
    assert holder(config, SCOPE) is None
    with held(config, SCOPE) as hold:
        assert hold.still_held()


def test_accounts_do_not_stand_in_each_others_way(config: JournalConfig) -> None:
    with held(config, "paper:a"), held(config, "live:a"), held(config, "paper:b"):
        assert not is_held(config, "live:b")


def test_an_account_is_free_when_its_node_is_killed(config: JournalConfig) -> None:
    for _ in range(3):
        with node(config) as first:
            assert said(first) == "held"
            first.send_signal(signal.SIGKILL)
            first.wait()
            until(lambda: not is_held(config, SCOPE))  # at once, or after a moment
            with held(config, SCOPE) as hold:
                assert hold.still_held()


def test_of_many_nodes_that_start_at_once_one_gets_it(config: JournalConfig) -> None:
    nodes = [node(config) for _ in range(5)]
    told = [said(each) for each in nodes]
    assert sorted(each.split()[0] for each in told) == ["JournalInUseError"] * 4 + ["held"]
    for each in nodes:
        each.communicate("\n")


def test_looking_whether_it_is_held_never_refuses_a_node(config: JournalConfig) -> None:
    over = threading.Event()
    looked = 0

    def look() -> None:
        nonlocal looked
        while not over.is_set():
            is_held(config, SCOPE)
            looked += 1

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for each in lookers:
        each.start()
    tries = 0
    while tries < 60 or looked <= 30:
        with held(config, SCOPE):
            tries += 1
    over.set()
    for each in lookers:
        each.join()
    assert not signature(config, SCOPE).exists()


def test_a_hold_that_was_given_up_is_not_held(config: JournalConfig) -> None:
    hold = Hold(config, SCOPE)
    hold.release()
    assert not hold.still_held()
    hold.release()


def test_two_names_of_one_file_are_one_account(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "journal.db")
    with held(JournalConfig(path=tmp_path / "journal.db"), SCOPE):
        with pytest.raises(JournalInUseError):
            Hold(JournalConfig(path=tmp_path / "link.db"), SCOPE)
        relative = Path(os.path.relpath(tmp_path / "journal.db"))
        with pytest.raises(JournalInUseError):
            Hold(JournalConfig(path=relative), SCOPE)


def test_the_file_of_a_lock_that_is_deleted_is_made_again(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    with held(config, SCOPE) as hold:
        for each in (tmp_path / "holds").glob("*.lock"):
            each.unlink()
        assert hold.still_held()
        with pytest.raises(JournalInUseError):
            Hold(config, SCOPE)


def test_a_node_that_lost_its_lock_to_another_knows(tmp_path: Path) -> None:
    config = JournalConfig(path=tmp_path / "journal.db")
    first = Hold(config, SCOPE)
    for each in (tmp_path / "holds").glob("*.lock"):
        each.unlink()
    with held(config, SCOPE) as second:
        assert not first.still_held()
        assert second.still_held()
    assert first.still_held()  # it is free again


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalDownError, match="cannot be used") as error:
        Hold(JournalConfig(path=tmp_path / "file" / "journal.db"), SCOPE)
    assert "\n" not in str(error.value)


# -- a server that is cut off -----------------------------------------------------------------------------------------


def through(url: str, proxy: Proxy) -> JournalConfig:
    return JournalConfig(kind="postgres", url=url.replace(":5432", f":{proxy.port}"))


def test_a_lock_whose_connection_is_lost_is_taken_again() -> None:
    with throwaway_database() as url, Proxy(5432) as proxy, held(through(url, proxy), SCOPE) as hold:
        for _ in range(3):
            proxy.cut()
            until(hold.still_held)
        assert is_held(JournalConfig(kind="postgres", url=url), SCOPE)


def test_a_lock_is_not_held_while_the_server_cannot_be_reached() -> None:
    with throwaway_database() as url, Proxy(5432) as proxy, held(through(url, proxy), SCOPE) as hold:
        proxy.refusing = True
        proxy.cut()
        assert not hold.still_held()
        assert not hold.still_held()
        proxy.heal()
        until(hold.still_held)


def test_a_server_that_says_nothing_holds_nobody_up_and_the_lock_comes_back() -> None:
    """The server keeps the lock of the connection it does not know to be dead: our next one ends it."""
    with throwaway_database() as url, Proxy(5432) as proxy, held(through(url, proxy), SCOPE) as hold:
        proxy.deaf = True
        began = time.monotonic()
        assert not hold.still_held()
        assert time.monotonic() - began < 60
        proxy.heal()
        until(hold.still_held)


def test_a_lock_that_another_node_took_meanwhile_is_gone() -> None:
    with throwaway_database() as url, Proxy(5432) as proxy:
        config = JournalConfig(kind="postgres", url=url)
        with held(through(url, proxy), SCOPE) as first:
            proxy.refusing = True
            proxy.cut()
            assert not first.still_held()
            until(lambda: not is_held(config, SCOPE))
            with held(config, SCOPE):
                proxy.heal()
                assert not first.still_held()
            until(first.still_held)


def test_nobody_can_tell_where_no_server_answers() -> None:
    with Proxy(5432) as proxy:
        proxy.refusing = True
        config = JournalConfig(kind="postgres", url=f"postgresql://postgres@127.0.0.1:{proxy.port}/none")
        with pytest.raises(JournalDownError) as error:
            Hold(config, SCOPE)
        assert "\n" not in str(error.value)
        with pytest.raises(JournalDownError):
            is_held(config, SCOPE)


def test_a_process_that_was_frozen_gives_its_lock_up_only_when_it_ends() -> None:
    with throwaway_database() as url:
        config = JournalConfig(kind="postgres", url=url)
        with node(config) as first:
            assert said(first) == "held"
            first.send_signal(signal.SIGSTOP)
            assert is_held(config, SCOPE)
            first.send_signal(signal.SIGKILL)
            first.wait()
        until(lambda: not is_held(config, SCOPE))
        with psycopg.connect(url) as server:
            assert server.execute("SELECT 1").fetchone() == (1,)
