"""How the prices of a kind lie: every price, the middle half, the median with its interval, and what is flagged.

The pictures are SVG files of their own (served as images, not pasted into pages: they carry style attributes), with
text as text, a title and a description for whoever does not see them. The same data always give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, StringIO
from threading import Lock
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from portal.analytics.groups import Floats
from portal.analytics.outliers import Status

#: Groups in one picture, and unflagged prices drawn of one group; the description says when there are more.
MOST_GROUPS = 40
MOST_MARKS = 1_000
#: Beyond this ratio of the largest to the smallest price, equal distances stand for equal ratios.
LOGARITHMIC_FROM = 12
#: A flag differs by shape and size, not by colour alone. (shape, colour, size, words)
MARKS = {
    Status.USUAL: ("o", "#505a5f", 12, "usual"),
    Status.TOO_FEW: ("x", "#505a5f", 18, "too few to compare"),
    Status.REVIEW: ("D", "#1d70b8", 40, "for review"),
    Status.OUTSIDE: ("^", "#942514", 64, "outside the usual range, for review"),
}
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "distribution",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11,
    # A dollar sign in a name is a dollar sign, not the beginning of a formula.
    "text.parse_math": False,
}
# matplotlib's settings belong to the whole process; two threads must not change them at once.
_SETTINGS_LOCK = Lock()


@contextmanager
def drawing() -> Iterator[None]:
    """Draw inside this: with our settings, and one picture at a time."""
    with _SETTINGS_LOCK, mpl.rc_context(SETTINGS):
        yield


def svg_of(figure: Figure, title: str, description: str) -> str:
    """``figure`` as an SVG document with its title and description; the same figure gives the same bytes."""
    target = StringIO()
    figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    return _described(target.getvalue(), title, description)


@dataclass(frozen=True, slots=True)
class ChartGroup:
    """One row of a picture. ``prices`` in pence with a ``Status`` each; ``interval`` is ``None`` below six prices."""

    name: str
    prices: Floats
    statuses: Sequence[str]
    median: float
    quartiles: tuple[float, float]
    interval: tuple[float, float] | None
    apart: bool


def distribution_svg(kind: str, groups: Sequence[ChartGroup]) -> str:
    """The prices of one ``kind``, one row per group, as an SVG document."""
    shown_groups = groups[:MOST_GROUPS]
    with drawing():
        return svg_of(_figure(kind, shown_groups), f"Prices: {kind}", describe(kind, groups))


def distribution_png(kind: str, groups: Sequence[ChartGroup], dpi: int = 110) -> bytes:
    """The same picture for a PDF."""
    with drawing():
        target = BytesIO()
        _figure(kind, groups[:MOST_GROUPS]).savefig(target, format="png", dpi=dpi, metadata={"Software": None})
    return target.getvalue()


def describe(kind: str, groups: Sequence[ChartGroup]) -> str:
    """What the picture shows, in words."""
    sentences = [f"Distribution of prices of {kind} in {_count(len(groups), 'group')}."]
    if len(groups) > MOST_GROUPS:
        sentences.append(f"The first {MOST_GROUPS} groups are drawn.")
    for group in groups[:MOST_GROUPS]:
        flagged = sum(status in {Status.REVIEW, Status.OUTSIDE} for status in group.statuses)
        between = ""
        if group.interval:
            between = f" (95 % interval {_pounds(group.interval[0])} to {_pounds(group.interval[1])})"
        apart = ", stands apart from the other groups" if group.apart else ""
        sentences.append(
            f"{group.name}: {_count(len(group.prices), 'price')}, median {_pounds(group.median)}{between}, "
            f"{flagged or 'none'} for review{apart}."
        )
    if any(len(group.prices) > MOST_MARKS for group in groups):
        sentences.append(f"Of a group with more than {MOST_MARKS:,} prices an even selection is drawn, and every flag.")
    return " ".join(sentences)


def _figure(kind: str, groups: Sequence[ChartGroup]) -> Figure:
    figure = Figure(figsize=(8, 1.7 + 0.55 * len(groups)), layout="constrained")
    axes = figure.add_subplot()
    _scale(axes, groups)
    drawn: dict[Status, None] = {}
    for row, group in enumerate(groups):
        _draw_spread(axes, row, group)
        for status in MARKS:
            if _draw_marks(axes, row, group, status):
                drawn[status] = None
    axes.set_yticks(range(len(groups)), [f"{group.name} (n = {len(group.prices)})" for group in groups])
    axes.set_ylim(len(groups) - 0.4, -0.6)
    axes.set_xlabel("price of one")
    axes.grid(visible=True, axis="x", color="#dcdfe0", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.suptitle(kind, fontsize=13, fontweight="bold")
    handles: list[Any] = [
        axes.scatter([], [], marker=MARKS[status][0], c=MARKS[status][1], s=MARKS[status][2], label=MARKS[status][3])
        for status in MARKS
        if status in drawn
    ]
    handles += axes.plot([], [], color="#0b0c0c", linewidth=3, label="median")
    handles += axes.plot([], [], color="#0b0c0c", linewidth=1, marker="|", label="95 % interval of the median")
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def _scale(axes: Axes, groups: Sequence[ChartGroup]) -> None:
    lowest = min((float(group.prices.min()) for group in groups if len(group.prices)), default=1.0)
    highest = max((float(group.prices.max()) for group in groups if len(group.prices)), default=1.0)
    if highest > lowest * LOGARITHMIC_FROM:
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda pence, _: _pounds(pence)))


def _draw_spread(axes: Axes, row: int, group: ChartGroup) -> None:
    """The box of the middle half, the median, and its interval below the box."""
    low, high = group.quartiles
    axes.fill_betweenx([row - 0.3, row + 0.3], low, high, color="#b1b4b6", alpha=0.45, linewidth=0)
    axes.plot([group.median, group.median], [row - 0.34, row + 0.34], color="#0b0c0c", linewidth=3)
    if group.interval:
        axes.plot(list(group.interval), [row + 0.4, row + 0.4], color="#0b0c0c", linewidth=1, marker="|")


def _draw_marks(axes: Axes, row: int, group: ChartGroup, status: Status) -> bool:
    prices = np.sort(group.prices[[word == status for word in group.statuses]])
    if not len(prices):
        return False
    if status in {Status.USUAL, Status.TOO_FEW} and len(prices) > MOST_MARKS:
        prices = prices[np.linspace(0, len(prices) - 1, MOST_MARKS).astype(np.int64)]
    # Steps of the golden section spread neighbours out without chance, so that the picture can be made again.
    offset = (np.arange(len(prices)) * 0.618034) % 1 - 0.5
    shape, colour, size, _ = MARKS[status]
    axes.scatter(prices, row + 0.5 * offset, marker=shape, c=colour, s=size, linewidths=0.8, zorder=3)
    return True


def _pounds(pence: float) -> str:
    return f"£{pence / 100:,.0f}" if abs(pence) >= 10_000 else f"£{pence / 100:,.2f}"


def _count(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _described(svg: str, title: str, description: str) -> str:
    """Put title and description where assistive technology looks for them: first inside the ``svg`` element."""
    start = svg.index("<svg ")
    end = svg.index(">", start)
    return (
        f'{svg[:end]} role="img" aria-labelledby="chart-title chart-desc">'
        f'\n <title id="chart-title">{escape(title)}</title>\n <desc id="chart-desc">{escape(description)}</desc>'
        f"{svg[end + 1 :]}"
    )
