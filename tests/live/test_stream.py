"""`live stream`: orders, fills and account events of an account, whoever caused them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import MarketOrderRequest

from tests.live.alpaca_here import SECRET, keys, local_alpaca
from tests.live.nodes import ROOT


def test_it_tells_fills_and_dividends_as_they_come_and_sends_nothing(tmp_path: Path) -> None:
    with local_alpaca(tmp_path) as broker:
        command = [sys.executable, "-m", "live", "stream", "venue=alpaca_paper", "run.max_minutes=3"]
        process = subprocess.Popen(
            [*command, f"venue.trading_url={broker.url}", "output=json"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **keys(), "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "updates come" in first, process.communicate(timeout=240)[1]
        client = TradingClient(keys()["ALPACA_API_KEY"], SECRET, url_override=broker.url)
        client.submit_order(
            MarketOrderRequest(symbol="AAPL", qty=3, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
        )
        told: list[dict[str, Any]] = []
        while not told or told[-1]["event"] != "fill":
            told.append(json.loads(process.stdout.readline()))
        assert told[-1]["symbol"] == "AAPL"
        assert told[-1]["event_qty"] == "3"
        broker.control().ask("activity", type="DIV", net_amount="1.23", symbol="AAPL")
        dividend = json.loads(process.stdout.readline())
        assert (dividend["kind"], dividend["event"], dividend["amount"]) == ("account", "dividend", "1.23")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=240)
        assert process.returncode == 130
        assert "Traceback" not in err
        assert [each["symbol"] for each in broker.control().audit()["orders"]] == ["AAPL"]
