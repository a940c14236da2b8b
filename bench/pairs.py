"""How fast is Keel beside the bare engine? Ratios of runs made in turn, because machines are noisy."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from rich.box import SIMPLE
from rich.table import Table

from bench.process import Measured, Run
from bench.sizes import DENSITIES, TARGET_RATIO, Density, Sizes

WORKLOAD = "bench.workload"
COUNTED = 100  # fewer orders than this tell nothing about the cost of one


@dataclass(frozen=True)
class Pairs:
    """Runs of one density, bare and Keel in turn."""

    count: int
    bare: list[Measured]
    keel: list[Measured]

    @property
    def ratios(self) -> list[float]:
        """Keel's updates a second divided by the bare engine's, lowest first."""
        return sorted(fast / slow for fast, slow in zip(self.secs("bare"), self.secs("keel"), strict=True))

    @property
    def orders(self) -> int:
        """Orders of one run."""
        return int(self.bare[0]["orders"])

    @property
    def added_secs(self) -> float:
        """What Keel adds to a run."""
        return median(slow - fast for fast, slow in zip(self.secs("bare"), self.secs("keel"), strict=True))

    @property
    def same_work(self) -> bool:
        """Whether every run sent the same orders and nothing was refused, tripped or raised."""
        runs = [*self.bare, *self.keel]
        return all(run["orders"] == self.orders and not run["spoilt"] for run in runs)

    def rate(self, side: str) -> float:
        """Updates a second."""
        return self.count / median(self.secs(side))

    def secs(self, side: str) -> list[float]:
        """Processor seconds of each run."""
        return [run["secs"] for run in (self.bare if side == "bare" else self.keel)]

    def us_an_order(self) -> str:
        """What Keel adds, in microseconds an order sent; a dash where there were too few."""
        return f"{self.added_secs / self.orders * 1e6:,.0f}" if self.orders >= COUNTED else "-"


class Pairing:
    """Measures pairs, each density once however many parts ask for it."""

    def __init__(self, run: Run, sizes: Sizes) -> None:
        """`run` makes one measurement."""
        self.run = run
        self.sizes = sizes
        self._measured: dict[tuple[str, Density], Pairs] = {}

    def of(self, kind: str, density: Density) -> Pairs:
        """The pairs of a density; which side goes first changes from pair to pair."""
        known = self._measured.get((kind, density))
        if known is not None:
            return known
        pairs = Pairs(self.sizes.count(kind), [], [])
        for number in range(self.sizes.pairs(kind)):
            for side in ("bare", "keel")[:: 1 if number % 2 == 0 else -1]:
                (pairs.bare if side == "bare" else pairs.keel).append(self.one(side, kind, density))
        self._measured[kind, density] = pairs
        return pairs

    def one(self, side: str, kind: str, density: Density) -> Measured:
        """One run."""
        periods = (density.fast, density.slow, density.drift)
        return self.run(WORKLOAD, side, kind, self.sizes.count(kind), *periods)


def speed_table(kind: str, measured: dict[Density, Pairs]) -> Table:
    """A row a density."""
    pairs = next(iter(measured.values()))
    table = Table(
        box=SIMPLE,
        title=f"{pairs.count:,} {kind}, every limit on: Keel beside the bare engine",
        caption=(
            f"medians of {len(pairs.bare)} pairs (lowest-highest), in processor seconds; target {TARGET_RATIO}\n"
            f"ns, µs: what Keel adds to each of the {kind}, and to a run divided by its orders\n"
            f"peak MiB: {_peak(measured, 'bare'):,.0f} bare, {_peak(measured, 'keel'):,.0f} Keel"
        ),
    )
    for column in ("orders", "bare/s", "Keel/s", "Keel / bare", "ns", "µs", "target"):
        table.add_column(column, justify="left" if column == "orders" else "right", no_wrap=True)
    for density, row in measured.items():
        table.add_row(f"{density.words}: {row.orders:,}", *_figures(row))
    return table


def _figures(row: Pairs) -> tuple[str, ...]:
    ratios, ratio = row.ratios, median(row.ratios)
    return (
        f"{row.rate('bare') / 1000:,.0f}k",
        f"{row.rate('keel') / 1000:,.0f}k",
        f"{ratio:.3f} ({ratios[0]:.2f}-{ratios[-1]:.2f})",
        f"{row.added_secs / row.count * 1e9:,.0f}",
        row.us_an_order(),
        kept(met=ratio >= TARGET_RATIO) if row.same_work else "[red]not the same work",
    )


def kept(*, met: bool) -> str:
    """A target's cell."""
    return "kept" if met else "[red]missed"


def measured_speeds(pairing: Pairing, kind: str) -> dict[Density, Pairs]:
    """Every density of a kind."""
    return {density: pairing.of(kind, density) for density in DENSITIES[kind]}


def _peak(measured: dict[Density, Pairs], side: str) -> float:
    peaks: list[float] = [run["peak_mib"] for row in measured.values() for run in getattr(row, side)]
    return max(peaks)
