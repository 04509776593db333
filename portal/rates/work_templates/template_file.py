"""Templates as a file: ``template, work_type, code, quantity``, one row for each item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from portal.kernel.errors import Problem
from portal.tables import Field, Mapping, Reading, read_records, words
from portal.tables.problems import first_problems

FIELDS = (
    Field("template", "text", longest=200, words=("name", "template name")),
    Field("work_type", "text", longest=120, words=("work type", "lot")),
    Field("code", "text", longest=64, words=words.CODE),
    Field("quantity", "decimal", words=words.QUANTITY, minimum=0, maximum=999_999, places=3),
)


@dataclass(frozen=True, slots=True)
class TemplateLine:
    """So many of one code; ``row`` is its place in the file."""

    row: int
    code: str
    quantity: Decimal


@dataclass(slots=True)
class FileTemplate:
    """One template of a file."""

    name: str
    work_type: str
    lines: list[TemplateLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """What a list of templates holds, and what is wrong with it: the first problems, and how many there are besides."""

    name: str
    templates: list[FileTemplate]
    problems: list[Problem]
    more_problems: int = 0


def read_templates(path: Path, mapping: Mapping | None = None) -> TemplateFile:
    """Read a list of templates (CSV, XLSX…); problems of single rows are collected, not raised."""
    reading = read_records(path, FIELDS, mapping or Mapping.none())
    found: dict[str, FileTemplate] = {}
    problems, more = first_problems(reading.problems, _templates(reading, found))
    return TemplateFile(reading.file, list(found.values()), problems, reading.more_problems + more)


def _templates(reading: Reading, found: dict[str, FileTemplate]) -> Iterator[Problem]:
    """Put the templates of a file into ``found``; what is wrong with their rows."""
    rows: dict[tuple[str, str], int] = {}
    for row, name, work_type, code, quantity in reading.records:
        template = found.setdefault(name, FileTemplate(name, work_type))
        if template.work_type != work_type:
            message = f"{name} is for {template.work_type} in another row; give it one work type."
            yield reading.problem(row, message, "work_type")
        if quantity <= 0:
            yield reading.problem(row, f"The quantity {quantity} must be above 0.", "quantity")
        earlier = rows.setdefault((name, code), row)
        if earlier != row:
            yield reading.problem(row, f"{code} stands in row {earlier} already; add the quantities up.", "code")
        template.lines.append(TemplateLine(row, code, quantity))
