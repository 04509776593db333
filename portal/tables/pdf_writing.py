"""Rows into a PDF that people can print and that reads back as it was: a ruled table, its header on every page.

A cell breaks its lines only between words, and no row is divided between two pages, so that whoever reads the table
(``pdf_process`` does) gets whole words and whole rows. A word that is too wide for its column is set smaller.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from portal.kernel.errors import RuleBroken
from portal.tables.writing import as_text

MOST_PAGES = 2_000
FONT = "DejaVu"
SIZES = (7.0, 6.0, 5.0, 4.2, 3.4)
#: Below this no printer shows a letter, and lines that lie closer are read as one.
SMALLEST, LEAST_LEADING = 0.15, 4.2
PAGE_WIDTH, PAGE_HEIGHT = landscape(A4)
MARGIN, PADDING = 28.0, 2.0
TOP, BOTTOM = PAGE_HEIGHT - 42.0, 36.0
#: More rows than this stand on no page, as low as they may be, the header being one of them.
MOST_ON_PAGE = int((TOP - BOTTOM) / (max(LEAST_LEADING, SIZES[0] * 1.2) + 2 * PADDING)) - 1
#: More rows than this are on too many pages, whatever stands in them.
MOST_PDF_ROWS = MOST_PAGES * MOST_ON_PAGE
#: The most that one word may ask of a column's width.
WIDEST_WORD = 160.0

Line = str


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell as it is set: the size of its letters, and its lines."""

    size: float
    lines: tuple[Line, ...]

    @property
    def height(self) -> float:
        return len(self.lines) * leading(self.size)


@dataclass(frozen=True, slots=True)
class _Row:
    cells: tuple[_Cell, ...]
    height: float


def leading(size: float) -> float:
    """The distance between lines of letters of this size."""
    return max(LEAST_LEADING, size * 1.2)


def write_pdf(
    target: str | Path | IO[bytes], header: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = ""
) -> None:
    """Write ``header`` and ``rows`` as a ruled table on landscape A4; ``title`` and page numbers stand outside it.

    Cells become texts as in CSV. Runs of spaces and line breaks inside a cell become one space: a PDF has no others.
    Raises ``RuleBroken`` with the remedy for more than 2,000 pages, a row that is higher than a page, and a character
    that the font cannot show; nothing is written then.
    """
    texts = [[" ".join(as_text(cell).split()) for cell in row] for row in (header, *rows)]
    table = _Table(texts)
    pages = table.pages()
    canvas = Canvas(str(target) if isinstance(target, Path) else target, pagesize=(PAGE_WIDTH, PAGE_HEIGHT))
    canvas.setTitle(title or "List")
    for number, page in enumerate(pages, 1):
        table.draw(canvas, page)
        canvas.setFont(FONT, 8)
        canvas.drawString(MARGIN, PAGE_HEIGHT - 30, title)
        canvas.drawRightString(PAGE_WIDTH - MARGIN, 20, f"Page {number} of {len(pages)}")
        canvas.showPage()
    canvas.save()


def too_many_pages() -> RuleBroken:
    """The refusal of a list that is longer than a PDF may be."""
    return RuleBroken(
        f"The list is longer than {MOST_PAGES:,} pages, and a longer PDF is not read; write it as XLSX or CSV."
    )


def _font() -> Any:
    """DejaVu Sans out of matplotlib's own files, registered once; nearly every letter of Europe is in it."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        found = find_spec("matplotlib")
        if found is None or found.origin is None:
            raise RuntimeError("matplotlib brings the font of the PDF lists; it is not installed")
        folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
        pdfmetrics.registerFont(TTFont(FONT, str(folder / "DejaVuSans.ttf")))
    return pdfmetrics.getFont(FONT)


class _Table:
    """The whole table: how wide its columns are, and how its rows are set."""

    def __init__(self, texts: list[list[str]]) -> None:
        font = _font()
        self.glyphs: dict[int, int] = font.face.charToGlyph
        self.character: dict[str, float] = {}
        self.word: dict[str, float] = {}
        self.font = font
        self.texts = texts
        self.widths = self._column_widths()

    def _width(self, text: str) -> float:
        """The width of a word in letters of size 1."""
        known = self.word.get(text)
        if known is None:
            known = self.word[text] = sum(self._character_width(each) for each in text)
        return known

    def _character_width(self, character: str) -> float:
        known = self.character.get(character)
        if known is None:
            code = ord(character)
            # The table that tells a reader which letter a glyph stands for has room for four digits.
            if code > 0xFFFF or code not in self.glyphs:
                raise RuleBroken(
                    f"The character {character} (U+{code:04X}) cannot be shown in a PDF; write the list as XLSX or CSV."
                )
            known = self.character[character] = self.font.stringWidth(character, 1)
        return known

    def _column_widths(self) -> list[float]:
        """Every column as wide as its widest word, and the rest of the page shared out by how much text there is."""
        size = SIZES[0]
        count = len(self.texts[0])
        space = self._width(" ")
        least, text_width = [0.0] * count, [0.0] * count
        for row in self.texts:
            for at, text in enumerate(row):
                if text:
                    words = [self._width(word) for word in text.split(" ")]
                    least[at] = max(least[at], max(words) * size)
                    text_width[at] += (sum(words) + space * (len(words) - 1)) * size
        room = PAGE_WIDTH - 2 * MARGIN - count * 2 * PADDING
        widest = WIDEST_WORD
        while sum(min(each, widest) for each in least) > room:
            widest *= 0.9
        least = [min(each, widest) + 0.5 for each in least]
        spare = max(0.0, room - sum(least))
        wanting = [max(0.0, text / len(self.texts) - width) for text, width in zip(text_width, least, strict=True)]
        all_wanting = sum(wanting) or 1.0
        return [width + 2 * PADDING + spare * want / all_wanting for width, want in zip(least, wanting, strict=True)]

    def _set(self, text: str, width: float, size: float) -> _Cell:
        """``text`` in lines that fit into ``width``, in letters of ``size``, or smaller ones for a long word."""
        if not text:
            return _Cell(size, ())
        words = text.split(" ")
        longest = max(map(self._width, words))
        if longest * size > width:
            size = width / longest * 0.999
            if size < SMALLEST:
                raise RuleBroken(
                    f"A word of {max(map(len, words)):,} characters ({text[:20]}…) is too long for a PDF; write the "
                    "list as XLSX or CSV."
                )
        space = self._width(" ") * size
        lines: list[Line] = []
        line: list[str] = []
        used = 0.0
        for word in words:
            wide = self._width(word) * size
            if line and used + space + wide > width:
                lines.append(" ".join(line))
                line, used = [], 0.0
            used += wide + (space if line else 0.0)
            line.append(word)
        lines.append(" ".join(line))
        return _Cell(size, tuple(lines))

    def _row(self, texts: Sequence[str], room: float) -> _Row:
        """A row in the largest letters with which it is no higher than ``room``."""
        for size in SIZES:
            cells = tuple(
                self._set(text, width - 2 * PADDING, size) for text, width in zip(texts, self.widths, strict=True)
            )
            height = max((cell.height for cell in cells), default=0.0) + 2 * PADDING
            if height <= room:
                return _Row(cells, max(height, leading(size) + 2 * PADDING))
        raise RuleBroken(
            f"The row that begins with {texts[0][:40]} is higher than a page; write the list as XLSX or CSV."
        )

    def pages(self) -> list[list[_Row]]:
        """The rows of each page, the header first."""
        header = self._row(self.texts[0], (TOP - BOTTOM) / 2)
        room = TOP - BOTTOM - header.height
        pages: list[list[_Row]] = [[header]]
        used = 0.0
        for texts in self.texts[1:]:
            row = self._row(texts, room)
            if used + row.height > room:
                pages.append([header])
                used = 0.0
                if len(pages) > MOST_PAGES:
                    raise too_many_pages()
            pages[-1].append(row)
            used += row.height
        return pages

    def draw(self, canvas: Canvas, rows: Sequence[_Row]) -> None:
        """Draw one page of the table: its rules, and the text of every cell."""
        edges = [MARGIN]
        for width in self.widths:
            edges.append(edges[-1] + width)
        canvas.setLineWidth(0.4)
        text = canvas.beginText()
        top = TOP
        across = [(edges[0], top, edges[-1], top)]
        for row in rows:
            for cell, left in zip(row.cells, edges, strict=False):
                if cell.lines:
                    text.setFont(FONT, cell.size)
                    for at, line in enumerate(cell.lines):
                        baseline = top - PADDING - leading(cell.size) * at - min(cell.size, leading(cell.size)) * 0.9
                        text.setTextOrigin(left + PADDING, baseline)
                        text.textOut(line)
            top -= row.height
            across.append((edges[0], top, edges[-1], top))
        canvas.lines([*across, *((x, TOP, x, top) for x in edges)])
        canvas.drawText(text)
