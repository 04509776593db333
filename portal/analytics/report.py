"""A benchmark written into a folder: CSV for a machine, XLSX for an analyst, pictures, and a PDF for a committee."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
import numpy as np
from openpyxl import Workbook
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Image, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from portal.analytics.charts import ChartGroup, describe, distribution_png, distribution_svg
from portal.analytics.document import MONEY_COLUMNS, BenchmarkResult, Group, Line
from portal.analytics.outliers import WORDS, Status
from portal.kernel.errors import InputRefused, Problem
from portal.kernel.money import pounds, shown
from portal.tables import write_csv
from portal.tables.writing import harmless

#: Pictures of the kinds with most prices; the rest is in the tables.
MOST_CHARTS = 30
#: What a committee can read; the tables have all of it.
MOST_GROUPS_IN_PDF, MOST_LINES_IN_PDF, MOST_CHARTS_IN_PDF = 400, 400, 12
#: Rows that a sheet of a workbook holds, header included.
MOST_SHEET_ROWS = 1_048_576
FLAGGED = (Status.OUTSIDE, Status.REVIEW)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Report:
    """What was written: ``files`` in order, and ``notes`` on what did not fit, as whole sentences."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def write_report(result: BenchmarkResult, out_dir: str | Path) -> Report:
    """Write ``groups.csv``, ``lines.csv``, ``benchmark.xlsx``, one SVG per kind and ``report.pdf`` into ``out_dir``.

    The folder is made when missing; files of these names are replaced. Raises ``InputRefused`` if that fails.
    """
    folder = Path(out_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        message = f"The folder cannot be made ({fault.strerror}); name another with --out."
        raise InputRefused([Problem(str(out_dir), message)]) from None
    notes: list[str] = []
    charts = list(kind_charts(result))
    if len(charts) > MOST_CHARTS:
        notes.append(f"Of {len(charts):,} kinds, the {MOST_CHARTS} with most prices have a picture.")
        charts = sorted(charts, key=lambda chart: -sum(len(group.prices) for group in chart[1]))[:MOST_CHARTS]
    try:
        files = [folder / "groups.csv", folder / "lines.csv", folder / "benchmark.xlsx"]
        write_csv(files[0], group_header(result), map(_group_cells, result.groups()))
        write_csv(files[1], line_header(result), map(_line_cells, result.lines()))
        notes += _write_workbook(files[2], result)
        for at, (kind, groups) in enumerate(charts, 1):
            files.append(folder / f"chart-{at:02d}-{_slug(kind)}.svg")
            files[-1].write_text(distribution_svg(kind, groups), encoding="utf-8")
        files.append(folder / "report.pdf")
        files[-1].write_bytes(pdf_report(result, charts, notes))
    except OSError as fault:
        message = f"The report cannot be written ({fault.strerror}); check the folder, or name another with --out."
        raise InputRefused([Problem(str(fault.filename or out_dir), message)]) from None
    return Report(tuple(files), tuple(notes))


def kind_charts(result: BenchmarkResult) -> Iterator[tuple[str, list[ChartGroup]]]:
    """The groups of each kind, ready to be drawn, in the order of the kinds' names."""
    frame = result.benchmark.groups_
    groups = list(result.groups())
    codes = result.assessed["group"].to_numpy()
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(groups) + 1))
    prices = result.prices.frame["price"].to_numpy()
    statuses = result.assessed["status"].to_numpy()
    what = [grouping.label for grouping in result.prices.by if grouping.says_what]
    kinds: dict[str, list[ChartGroup]] = {}
    for at, group in enumerate(groups):
        inside = order[ends[at] : ends[at + 1]]
        row = frame.iloc[at]
        low, high = float(row["median_low"]), float(row["median_high"])
        kind = ", ".join(group.by[label] for label in what) or "All prices"
        kinds.setdefault(kind, []).append(ChartGroup(
            name=", ".join(text for label, text in group.by.items() if label not in what) or group.name,
            prices=prices[inside], statuses=list(statuses[inside]), median=float(row["median"]),
            quartiles=(float(row["lower_quartile"]), float(row["upper_quartile"])),
            interval=None if np.isnan(low) else (low, high), apart=group.status in FLAGGED,
        ))  # fmt: skip
    yield from kinds.items()


def group_header(result: BenchmarkResult) -> list[str]:
    """The columns of ``groups.csv``: money in pounds."""
    return [*result.labels, "n", *MONEY_COLUMNS, "index", "score", "groups_compared", "status", "reason"]


def line_header(result: BenchmarkResult) -> list[str]:
    """The columns of ``lines.csv``: money in pounds."""
    return [
        "file", "row", "reference", "contractor", *result.labels, "price", "n", "median", "ratio", "score", "status",
        "reason",
    ]  # fmt: skip


def _group_cells(group: Group) -> list[object]:
    money = [_pounds(group.money[name]) for name in MONEY_COLUMNS]
    return [*group.by.values(), group.n, *money, group.index, group.z, group.peers, group.status.value, group.reason]


def _line_cells(line: Line) -> list[object]:
    return [
        line.file, line.row, line.reference, line.contractor, *line.by.values(), _pounds(line.price), line.n,
        _pounds(line.median), line.ratio, line.z, line.status.value, line.reason,
    ]  # fmt: skip


def _pounds(pence: int | None) -> Decimal | None:
    return None if pence is None else Decimal(pounds(pence))


def _slug(kind: str) -> str:
    """``Level-access shower`` → ``level-access-shower``, for a file name."""
    return re.sub(r"[^a-z0-9]+", "-", kind.casefold()).strip("-")[:60] or "prices"


def _write_workbook(path: Path, result: BenchmarkResult) -> list[str]:
    """Groups, lines, problems and method, a sheet each. Returns a note if the lines were too many for a sheet."""
    workbook = Workbook(write_only=True)
    notes: list[str] = []

    def add(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        sheet = workbook.create_sheet(name)
        sheet.freeze_panes = "A2"
        sheet.append([_cell(title) for title in header])
        for number, row in enumerate(rows, 2):
            if number > MOST_SHEET_ROWS:
                notes.append(f"The sheet {name} holds the first {MOST_SHEET_ROWS - 1:,} rows; the CSV has them all.")
                break
            sheet.append([_cell(value) for value in row])

    add("Groups", group_header(result), map(_group_cells, result.groups()))
    add("Lines", line_header(result), map(_line_cells, result.lines()))
    problems = result.prices.problems
    add("Problems", ["file", "sheet", "page", "row", "column", "message"],
        ([each.file, each.sheet, each.page, each.row, each.column, each.message] for each in problems))  # fmt: skip
    add("Method", ["setting", "value"], ([name, str(value)] for name, value in result.method().items()))
    workbook.save(path)
    return notes


def _cell(value: object) -> object:
    safe = harmless(value)
    return _NOT_IN_XML.sub("", safe) if isinstance(safe, str) else safe


def pdf_report(
    result: BenchmarkResult, charts: Sequence[tuple[str, Sequence[ChartGroup]]], notes: Sequence[str] = ()
) -> bytes:
    """The report for a committee: what was compared and how, the groups, every flagged price with its sentence."""
    styles = _styles()
    groups = list(result.groups())
    flagged = sorted(result.lines(*FLAGGED), key=lambda line: -abs(line.z or 0))
    story: list[Flowable] = [Paragraph("Prices compared with others like them", styles["title"])]
    story += [Paragraph(_plain(text), styles["body"]) for text in summary(result, groups, len(flagged))]
    story.append(Paragraph("Groups", styles["heading"]))
    story += _group_table(result, groups, styles)
    story.append(Paragraph("Prices for review", styles["heading"]))
    if not flagged:
        story.append(Paragraph("No price lies outside the usual range of its group.", styles["body"]))
    for line in flagged[:MOST_LINES_IN_PDF]:
        place = f"{line.file}, row {line.row}{f', {line.reference}' if line.reference else ''}"
        who = f", {line.contractor}" if line.contractor else ""
        story.append(Paragraph(f"<b>{_plain(place + who)}</b>: {_plain(line.reason)}", styles["item"]))
    if len(flagged) > MOST_LINES_IN_PDF:
        rest = f"{len(flagged) - MOST_LINES_IN_PDF:,} more, nearer to usual, are in lines.csv."
        story.append(Paragraph(rest, styles["body"]))
    story.append(Paragraph("Method", styles["heading"]))
    story += [Paragraph(_plain(text), styles["body"]) for text in [*method_sentences(result), *notes]]
    for kind, chart in charts[:MOST_CHARTS_IN_PDF]:
        story += [PageBreak(), _picture(kind, chart), Spacer(1, 3 * mm)]
        story.append(Paragraph(_plain(describe(kind, chart)), styles["small"]))
    target = BytesIO()
    # invariant: no date and no random identifier, so that the same prices give the same file.
    document = SimpleDocTemplate(
        target, pagesize=landscape(A4), leftMargin=15 * mm, rightMargin=15 * mm, topMargin=15 * mm,
        bottomMargin=15 * mm, title="Prices compared with others like them", lang="en-GB", invariant=1,
    )  # fmt: skip
    document.build(story, onFirstPage=_footer, onLaterPages=_footer)
    return target.getvalue()


def summary(result: BenchmarkResult, groups: Sequence[Group], flagged: int) -> list[str]:
    """What was found, in a few sentences."""
    counts = result.counts()
    apart = [group for group in groups if group.status in FLAGGED]
    files = ", ".join(sorted(result.prices.bases))
    sentences = [
        f"{counts['used']:,} prices from {files} were compared in {len(groups):,} groups by "
        f"{', '.join(result.labels)}. {flagged:,} prices are for review, of which {counts['outside']:,} lie outside "
        f"the usual range. {counts['too-few']:,} prices stand in groups too small to compare. "
        f"{counts['set_aside']:,} lines were set aside, and {counts['problems']:,} doubts about lines are listed in "
        "benchmark.xlsx.",
        "A flag says that a price lies far from others like it. It does not say why, and nothing of anyone's intent.",
    ]
    sentences += [f"{group.name}: {group.reason}" for group in apart[:MOST_LINES_IN_PDF]]
    return sentences


def method_sentences(result: BenchmarkResult) -> list[str]:
    """The method with every threshold, for readers."""
    used = result.method()
    return [
        used["description"],
        f"Fewer than {used['minimum_n']} prices in a group: too few to compare. A score beyond {used['outside_z']}: "
        f"outside the usual range. A score beyond {used['review_z']} and a price of at least {used['review_ratio']} "
        f"times the median, or at most the median divided by {used['review_ratio']}: for review. A group is flagged by "
        f"the same scores if its median is as far from the others' middle, among at least {used['minimum_groups']} "
        "groups.",
        f"A group's own spread is weighed against its kind's as {used['prior_df']:.0f} prices would be; a score beyond "
        f"{used['reweight_at']} has no say in centre and spread; the least spread is {used['minimum_scale']:.0%}. "
        f"Intervals of medians are at {used['interval_level']:.0%}; below six prices there is none.",
    ]


def _styles() -> dict[str, ParagraphStyle]:
    """Text styles in a font that has every letter a name may need."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for name, file in (("DejaVu", "DejaVuSans.ttf"), ("DejaVu-Bold", "DejaVuSans-Bold.ttf")):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, folder / file))
    pdfmetrics.registerFontFamily(
        "DejaVu", normal="DejaVu", bold="DejaVu-Bold", italic="DejaVu", boldItalic="DejaVu-Bold"
    )

    def style(name: str, size: float, font: str = "DejaVu", **more: Any) -> ParagraphStyle:
        return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.35, **more)

    return {
        "title": style("title", 18, "DejaVu-Bold", spaceAfter=8),
        "heading": style("heading", 13, "DejaVu-Bold", spaceBefore=10, spaceAfter=4),
        "body": style("body", 10, spaceAfter=5),
        "item": style("item", 9, spaceAfter=4, leftIndent=10),
        "small": style("small", 8),
        "cell": style("cell", 7.5),
        "head": style("head", 7.5, "DejaVu-Bold"),
    }


def _group_table(result: BenchmarkResult, groups: Sequence[Group], styles: dict[str, ParagraphStyle]) -> list[Flowable]:
    """The groups as a table whose header repeats on each page; those that stand apart first, then by name."""
    if not groups:
        return [Paragraph("There was no price to compare.", styles["body"])]
    header = [
        *result.labels, "Prices", "Median", "95 % interval", "Mean", "Range", "Middle half", "Index", "Status",
    ]  # fmt: skip
    rows = [[Paragraph(_plain(text), styles["head"]) for text in header]]
    chosen = sorted(groups, key=lambda group: group.status not in FLAGGED)[:MOST_GROUPS_IN_PDF]
    for group in chosen:
        money = {name: shown(pence) if pence is not None else "" for name, pence in group.money.items()}
        interval = f"{money['median_low']} – {money['median_high']}" if money["median_low"] else "none below 6"
        texts = [
            *group.by.values(), f"{group.n:,}", money["median"], interval, money["mean"],
            f"{money['minimum']} – {money['maximum']}", f"{money['lower_quartile']} – {money['upper_quartile']}",
            f"{group.index:.2f}", WORDS[group.status],
        ]  # fmt: skip
        rows.append([Paragraph(_plain(text), styles["cell"]) for text in texts])
    table = Table(rows, repeatRows=1)
    table.setStyle(TableStyle([
        ("LINEBELOW", (0, 0), (-1, 0), 1, colors.black), ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.grey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ]))  # fmt: skip
    story: list[Flowable] = [table]
    if len(groups) > len(chosen):
        rest = f"{len(groups) - len(chosen):,} more groups are in groups.csv."
        story.append(Paragraph(rest, styles["body"]))
    return story


def _picture(kind: str, groups: Sequence[ChartGroup]) -> Image:
    picture = Image(BytesIO(distribution_png(kind, groups)))
    picture._restrictSize(260 * mm, 150 * mm)
    return picture


def _footer(canvas: Any, document: Any) -> None:
    canvas.setFont("DejaVu", 8)
    canvas.drawRightString(document.pagesize[0] - 15 * mm, 8 * mm, f"Page {document.page}")


def _plain(text: str) -> str:
    """``text`` for a paragraph: nothing in a file's names is markup."""
    return escape(_NOT_IN_XML.sub("", text))
