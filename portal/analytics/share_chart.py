"""How a framework's work fell to its contractors: a bar for each one's share of the value, a mark for what was agreed.

An SVG file of its own, like the pictures of prices, with text as text, a title and a description.
"""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from portal.analytics.charts import drawing, svg_of
from portal.analytics.fair_share import FairShare, Share
from portal.analytics.share_report import in_words

#: Contractors in one picture; the table has them all.
MOST_BARS = 60
#: Longest name drawn, in characters; the rest would leave no room for the bars.
LONGEST_NAME = 34


def share_svg(title: str, seen: FairShare) -> str:
    """The shares of ``seen`` as an SVG document; without orders a picture that says so."""
    shares = seen.shares[:MOST_BARS] if seen.value_pence else ()
    with drawing():
        return svg_of(_figure(title, shares, seen.measure.lower()), title, in_words(seen))


def _figure(title: str, shares: tuple[Share, ...], measure: str) -> Figure:
    figure = Figure(figsize=(8, 1.6 + 0.36 * max(len(shares), 1)), layout="constrained")
    axes = figure.add_subplot()
    rows = range(len(shares))
    axes.barh(
        rows, [float(each.share or 0) for each in shares], height=0.6, color="#1d70b8", label="share of the value"
    )
    marked = [(row, float(each.agreed)) for row, each in enumerate(shares) if each.agreed is not None]
    axes.scatter(
        [share for _, share in marked],
        [row for row, _ in marked],
        marker="D",
        s=42,
        facecolors="#ffffff",
        edgecolors="#0b0c0c",
        linewidths=1.4,
        zorder=3,
        label=measure,
    )
    axes.set_yticks(rows, [_short(f"{each.firm.code} {each.firm.name}") for each in shares])
    axes.set_ylim(len(shares) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:g} %"))
    axes.grid(visible=True, axis="x", color="#dcdfe0", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if not shares:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "No orders in this period", ha="center", va="center", transform=axes.transAxes)
    figure.suptitle(title, fontsize=13, fontweight="bold")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
