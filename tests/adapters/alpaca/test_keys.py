"""Credentials of Alpaca: where they are found, which are refused, and that no text ever holds them."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from adapters.alpaca.config import AlpacaRehearsalConfig, AlpacaVenueConfig
from adapters.alpaca.keys import REHEARSAL, Keys, read_keys
from adapters.errors import AdapterError

PAPER, LIVE = "PKTESTTESTTEST000001", "AKTESTTESTTEST000001"
SECRET = "hushhushHUSH0123456789hushhush0123456789"  # noqa: S105 - made up
NONE = Path("/nowhere/.env")


def venue(mode: str = "paper", **rest: Any) -> AlpacaVenueConfig:
    named = {"name": f"alpaca_{mode}", "mode": mode, "config": "a:A", "factory": "a:B"}
    return AlpacaVenueConfig.model_validate({**named, **rest})


def dotenv(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / ".env"
    path.write_text(text)
    path.chmod(mode)
    return path


def refusal(config: AlpacaVenueConfig, environment: dict[str, str], file: Path = NONE) -> str:
    with pytest.raises(AdapterError) as refused:
        read_keys(config, environment, file)
    told = "".join(traceback.format_exception(refused.value))
    assert not [each for each in environment.values() if each in told]
    assert SECRET not in told
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("ALPACA_API_KEY", "ALPACA_API_SECRET"),
        ("ALPACA_API_KEY", "ALPACA_SECRET_KEY"),
        ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY"),
    ],
)
def test_a_pair_is_found_under_every_name_that_alpaca_uses(key: str, secret: str, tmp_path: Path) -> None:
    pair = {key: PAPER, secret: SECRET}
    assert read_keys(venue(), pair, NONE) == Keys(PAPER, SECRET)
    lines = [f"# {key}=PKOLD", f'export {key}="{PAPER}"', f"{secret} = {SECRET}  # of the paper account"]
    assert read_keys(venue(), {}, dotenv(tmp_path, "\n".join(lines))) == Keys(PAPER, SECRET)


def test_names_of_ones_own_count_alone() -> None:
    own = venue(credentials={"key_variable": "SECOND_KEY", "secret_variable": "SECOND_SECRET"})
    second = {"SECOND_KEY": PAPER, "SECOND_SECRET": SECRET}
    assert read_keys(own, {**second, "ALPACA_API_KEY": LIVE, "ALPACA_API_SECRET": "x"}, NONE) == Keys(
        PAPER, SECRET
    )
    assert "SECOND_KEY" in refusal(own, {"ALPACA_API_KEY": PAPER, "ALPACA_API_SECRET": SECRET})


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    file = dotenv(tmp_path, "ALPACA_API_KEY=PKOTHER\nALPACA_API_SECRET=other\n")
    assert read_keys(venue(), {"ALPACA_API_KEY": PAPER, "ALPACA_API_SECRET": SECRET}, file) == Keys(
        PAPER, SECRET
    )


def test_half_a_pair_is_refused_and_never_completed_from_elsewhere(tmp_path: Path) -> None:
    file = dotenv(tmp_path, f"ALPACA_API_SECRET={SECRET}\n")
    told = refusal(venue(), {"ALPACA_API_KEY": PAPER}, file)
    assert (
        told == "the environment has ALPACA_API_KEY but not ALPACA_API_SECRET: set both, of the same account"
    )
    assert "has ALPACA_API_SECRET but not ALPACA_API_KEY" in refusal(venue(), {}, file)


def test_a_token_stands_alone() -> None:
    assert read_keys(venue("live"), {"ALPACA_OAUTH_TOKEN": SECRET}, NONE) == Keys(token=SECRET)
    both = {"ALPACA_OAUTH_TOKEN": "token", "ALPACA_API_KEY": PAPER, "ALPACA_API_SECRET": SECRET}
    assert "nobody knows which account" in refusal(venue(), both)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_may_read_is_refused(mode: int, tmp_path: Path) -> None:
    file = dotenv(tmp_path, f"ALPACA_API_KEY={PAPER}\nALPACA_API_SECRET={SECRET}\n", mode)
    assert refusal(venue(), {}, file) == f"{file} may be read by others of this machine: chmod 600 {file}"


@pytest.mark.parametrize(
    ("mode", "key", "told"),
    [
        (
            "paper",
            LIVE,
            "is paper and takes keys that begin with PK; ALPACA_API_KEY holds a live key (AK...)",
        ),
        (
            "live",
            PAPER,
            "is live and takes keys that begin with AK; ALPACA_API_KEY holds a paper key (PK...)",
        ),
        ("paper", "CKBROKERBROKER000001", "ALPACA_API_KEY holds a key of another kind"),
        ("sandbox", "CKBROKERBROKER000001", "takes keys that begin with PK or AK"),
    ],
)
def test_keys_of_the_other_environment_are_refused_before_anything_is_sent(
    mode: str, key: str, told: str
) -> None:
    assert told in refusal(venue(mode), {"ALPACA_API_KEY": key, "ALPACA_API_SECRET": SECRET})


@pytest.mark.parametrize("key", [PAPER, LIVE])
def test_the_sandbox_takes_either_for_its_data(key: str) -> None:
    pair = {"ALPACA_API_KEY": key, "ALPACA_API_SECRET": SECRET}
    assert read_keys(venue("sandbox"), pair, NONE).key == key


def test_without_any_it_says_where_they_belong_and_that_a_rehearsal_needs_none() -> None:
    told = refusal(venue(), {})
    assert "ALPACA_API_KEY and ALPACA_API_SECRET" in told
    assert "chmod 600 .env" in told
    assert "venue=alpaca_rehearsal" in told
    rehearsal = AlpacaRehearsalConfig(name="alpaca_rehearsal", config="a:A", factory="a:B")
    assert read_keys(rehearsal, {}, NONE) == REHEARSAL


def test_no_text_of_theirs_shows_them() -> None:
    keys = Keys(PAPER, SECRET, "token")
    assert (repr(keys), str(keys)) == ("Keys()", "Keys()")
    assert "PKTEST" not in f"{Keys(PAPER, SECRET).kind} {keys}"
