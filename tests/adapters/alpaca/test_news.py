"""News as custom data: on the stream, over REST, once each, and without markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nautilus_trader.model import ClientId, DataType

from adapters.alpaca.news import AlpacaNews, news_of, plain, wanted_symbols
from tests.adapters.alpaca.data_driving import AAPL, Broker, Hearer, Node, drive

NEWS = DataType("AlpacaNews")
ALPACA = ClientId("ALPACA")
ROW: dict[str, Any] = {
    "id": 7, "headline": "Apple &amp; pears", "summary": "<p>Short.</p>", "content": "<p>Long<br>er</p>",
    "author": "A", "source": "benzinga", "url": None, "symbols": ["AAPL", "MSFT"],
    "created_at": "2013-02-01T14:00:00Z", "updated_at": "2013-02-01T14:00:01Z", "images": [],
}  # fmt: skip


def headlines(found: list[Any]) -> list[str]:
    return [_article(each).headline for each in found]


def _article(data: Any) -> AlpacaNews:
    article: AlpacaNews = getattr(data, "data", data)
    return article


def test_an_article_loses_its_markup_and_keeps_its_facts() -> None:
    article = _article(news_of(ROW, NEWS, 5))
    assert (article.headline, article.summary, article.content) == ("Apple & pears", "Short.", "Long er")
    assert (article.symbol_list, article.url, article.id) == (["AAPL", "MSFT"], "", 7)
    assert plain(None) == ""


def test_a_subscription_names_its_symbols_or_takes_those_of_the_run() -> None:
    assert wanted_symbols(NEWS, ["AAPL"]) == ["AAPL"]
    assert wanted_symbols(DataType("AlpacaNews", {"symbols": "MSFT, IBM"}), ["AAPL"]) == ["MSFT", "IBM"]


def test_articles_on_the_runs_symbols_arrive_once_and_others_do_not(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.subscribe_data(NEWS, client_id=ALPACA)

    async def work(one: Broker, node: Node) -> None:
        await node.until(lambda: one.ask("audit")["subscribed"]["news"] == 1)
        one.ask("news", headline="pears", symbols=["MSFT"])
        one.ask("fault", duplicate_data=True)
        one.ask("news", headline="apples", symbols=["AAPL", "MSFT"])
        await node.until(lambda: bool(node.hearer.data))
        one.ask("news", headline="more apples", symbols=["AAPL"])
        await node.until(lambda: len(node.hearer.data) > 1)
        assert headlines(node.hearer.data) == ["apples", "more apples"]

    drive(tmp_path, begin, work, "instruments=AAPL,MSFT")


def test_what_the_news_stream_missed_is_asked_for(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.subscribe_data(NEWS, client_id=ALPACA)

    async def work(one: Broker, node: Node) -> None:
        await node.until(lambda: one.ask("audit")["subscribed"]["news"] == 1)
        one.ask("clock", secs=5)
        one.ask("fault", drop_data=True)
        one.ask("news", headline="missed", symbols=["AAPL"])
        one.ask("fault", kind="clear")
        one.ask("price", symbol="AAPL", price="455")  # what tells the time here
        one.ask("drop_streams", which="data")
        await node.until(lambda: headlines(node.hearer.data) == ["missed"])

    drive(tmp_path, begin, work, "instruments=AAPL,MSFT")


def test_past_articles_are_answered_oldest_first_and_another_type_is_refused(tmp_path: Path) -> None:
    def begin(hearer: Hearer) -> None:
        hearer.subscribe_data(DataType("Weather"), client_id=ALPACA)

    async def work(one: Broker, node: Node) -> None:
        for number in range(3):
            one.ask("clock", secs=60)
            one.ask("news", headline=f"apples {number}", symbols=["AAPL"])
        one.ask("price", symbol="AAPL", price="455")
        node.hearer.subscribe_quotes(AAPL)
        await node.subscribed("quotes")
        one.ask("price", symbol="AAPL", price="456")
        await node.until(lambda: bool(node.hearer.quotes))
        node.hearer.request_data(NEWS, ALPACA, limit=2)
        await node.until(lambda: bool(node.hearer.past))
        found = node.hearer.past[0] if isinstance(node.hearer.past[0], list) else node.hearer.past
        assert headlines(found)[-2:] == ["apples 1", "apples 2"]
        assert node.has_said("Weather: Alpaca has no such data, only AlpacaNews")

    drive(tmp_path, begin, work, "instruments=AAPL,MSFT")
