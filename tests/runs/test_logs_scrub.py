"""No secret gets through: known ones wherever they stand, unknown ones by their looks, and nothing else is touched."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel

from adapters.alpaca.config import AlpacaCredentials
from risk.breaker import Notice
from runs.logs.clean import clean
from runs.logs.scrub import MASK, Scrubber
from runs.logs.secrets import named_variables, scrubber_for
from tests.runs.log_scenes import T0, Kept, log_into, order

LOOKS = [
    "password=HUSH",
    "api_key: 'HUSH'",
    '{"secret": "HUSH", "x": 1}',
    r"{\"apiKey\": \"HUSH\"}",
    "{'APCA-API-SECRET-KEY': 'HUSH'}",
    "[('APCA-API-KEY-ID', 'HUSH')]",
    "headers={'X-MBX-APIKEY': b'HUSH'}",
    "Authorization: Bearer HUSH",
    "authorization=Basic HUSH",
    "{'Authorization': 'HUSH'}",
    "sent with bearer HUSH",
    "https://api.example.com/v2?symbol=AAPL&apikey=HUSH&limit=1",
    "wss://host/ws?listenKey=HUSH",
    "postgresql://keel:HUSH@localhost:5432/journal",
    "redis://:HUSH@localhost",
    "PGPASSWORD=HUSH psql",
    "passphrase = HUSH",
    "Config(token=HUSH, timeout=5)",
    "signature=HUSH",
    "SECRET_TOKEN => HUSH",
    "KeyError: 'api_key=HUSH'",
    '{"KeyError": "HUSH"}',
    "my_KeyError: HUSH",
]
HUSHED = "hunter2-hush/40"
HARMLESS = [
    "MAX_POSITION: AAPL.XNAS would be 14,210.00 USD, 28.4% of equity 50,000.00 USD; limit 10.0%",
    "KEY.XNYS: 100 at 15.20",
    "credentials are in key_variable: ALPACA_API_KEY, secret_variable: ALPACA_API_SECRET",
    "https://paper-api.alpaca.markets/v2/orders",
    "O-20261121-100438-001-001-17 filled 1178 @ 3.7835",
    "61e69015-8549-4bfd-b9c3-01e75843f47d",
    "git 8f14e45fceea167a5a36dedd4bea2543d41d8cd98f00b204e9800998ecf8427e",
    "password=None",
    "KeyError: 'fast'",
    "Breaks-001 raised in on_bar: KeyError: 'close' at breaks.py:12",
    "basic information needed",
]


@pytest.mark.parametrize("text", LOOKS)
def test_a_secret_is_found_by_its_looks(text: str) -> None:
    said = Scrubber().text(text.replace("HUSH", HUSHED))
    assert MASK in said
    assert "hunter2" not in said
    assert Scrubber().text(said) == said


@pytest.mark.parametrize(
    "secret",
    [
        "PKAB12CD34EF56GH78IJ",  # paper
        "AKZZ99YY88XX77WW66VV",  # live
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc123_x",
        "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIEow\nand cut off",
    ],
)
def test_what_can_only_be_a_key_goes_without_a_name(secret: str) -> None:
    said = Scrubber().text(f"the broker said {secret}")
    assert secret.splitlines()[-1] not in said
    assert said == f"the broker said {MASK}"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Scrubber().text(text) == text


@given(st.text(min_size=8, max_size=40), st.text(max_size=30), st.text(max_size=30))
def test_a_known_secret_is_nowhere_in_any_text(secret: str, before: str, after: str) -> None:
    assume(secret not in MASK and MASK[0] not in secret)
    said = Scrubber([secret]).text(f"{before}{secret}{after} {secret!r}")
    assert secret not in said


@given(st.text())
def test_scrubbing_never_raises_and_twice_is_as_good_as_once(text: str) -> None:
    once = Scrubber(["correct horse"]).text(text)
    assert Scrubber(["correct horse"]).text(once) == once


def test_a_short_secret_goes_only_where_it_stands_alone() -> None:
    assert Scrubber(["demo"]).text("user demo, democracy") == f"user {MASK}, democracy"


def test_what_is_made_of_text_is_scrubbed_and_a_secret_s_own_field_goes_whole() -> None:
    found = Scrubber(["correct horse"]).value(
        {"api_key": "abc", "key_variable": "ALPACA_API_KEY", "list": ["a correct horse", 5], "n": 1.5}
    )
    assert found == {"api_key": MASK, "key_variable": "ALPACA_API_KEY", "list": [f"a {MASK}", 5], "n": 1.5}


# -- which secrets there are ------------------------------------------------------------------------------------------


class Deep(BaseModel):
    """A config that names variables at two depths."""

    credentials: AlpacaCredentials = AlpacaCredentials()
    more: list[dict[str, str]] = [{"token_variable": "MY_BROKER"}]


def test_a_config_names_its_variables_at_any_depth() -> None:
    assert set(named_variables(Deep())) == {
        "ALPACA_API_KEY",
        "ALPACA_API_SECRET",
        "ALPACA_OAUTH_TOKEN",
        "MY_BROKER",
    }


def test_values_of_named_and_of_secret_sounding_variables_are_known(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("# keys\nexport MY_BROKER='from a file'\nALPACA_API_KEY=\n")
    environment = {
        "ALPACA_API_SECRET": "letmein-please",
        "OTHER_TOKEN": "another-one",
        "PGPASSWORD": "of-the-journal",
        "HOME": "/home/anna",
        "PWD": "/home/anna/work",
        "LANG": "en_US.UTF-8",
        "API_KEY": "x",
    }
    scrubber = scrubber_for(Deep(), environment, dotenv)
    said = scrubber.text(
        "letmein-please another-one of-the-journal from a file /home/anna/work en_US.UTF-8 x"
    )
    assert said == f"{MASK} {MASK} {MASK} {MASK} /home/anna/work en_US.UTF-8 x"


# -- exceptions -------------------------------------------------------------------------------------------------------


class OwnText(Exception):  # noqa: N818 - as a user would name it
    """One whose text does not come from its arguments."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def __str__(self) -> str:
        return f"cannot reach {self.url}"


class Stubborn(Exception):  # noqa: N818 - as a user would name it
    """One that keeps its text where nobody can change it."""

    __slots__ = ("_kept",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self._kept = text

    def __str__(self) -> str:
        return self._kept


URL = "https://anna:hunter2@host/x"


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"no route to {URL}"),
        KeyError(URL),
        OSError(5, f"cannot open {URL}", URL),
        UnicodeDecodeError("utf-8", b"abc", 0, 1, URL),
        OwnText(URL),
        Stubborn(URL),
        ValueError({"url": URL, "password": "hunter2"}),
        ValueError([URL]),
        ExceptionGroup("several", [ValueError(URL), OwnText(URL)]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_is_clean_wherever_it_is_told_later(error: Exception) -> None:
    kind = type(error)
    error.add_note(f"while asking {URL}")
    try:
        try:
            int(URL)
        except ValueError as cause:
            raise error from cause
    except kind:
        clean(error, Scrubber())
        said = "".join(traceback.format_exception(error)) + repr(error) + str(error)
    assert "hunter2" not in said
    assert isinstance(error, kind)
    assert type(error).__name__ == kind.__name__


def test_a_clean_exception_is_not_touched() -> None:
    arguments = ("division by zero", 1, [2])
    error = ValueError(*arguments)
    clean(error, Scrubber())
    assert all(one is other for one, other in zip(error.args, arguments, strict=True))


# -- the log ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "say",
    [
        lambda log, text: log.alert("JOURNAL", text),
        lambda log, text: log.refused(T0, order(), f"MAX_LEVERAGE: {text}"),
        lambda log, text: log.noticed(Notice("ALARM", text, T0)),
        lambda log, text: log.failed("S-001", "on_bar", ValueError(text)),
        lambda log, text: log.engine_error(text, component="XNAS"),
        lambda log, text: log.health(api_key=text, nested={"list": [text]}),
        lambda log, text: log.ended("error", ValueError(text)),
    ],
)
def test_no_event_lets_a_secret_through(say: Any) -> None:
    kept = Kept()
    log = log_into(kept, secrets=["correct horse"])
    say(log, f"with correct horse at {URL}")
    log.close()
    said = "".join(line.text for line in kept.lines)
    assert MASK in said
    assert "correct horse" not in said
    assert "hunter2" not in said
    assert all(json.loads(line.text) for line in kept.lines)
