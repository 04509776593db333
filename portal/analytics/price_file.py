"""Prices out of files, as one tidy frame to benchmark: ``reference, authority, work_type, contractor, date, quantity,
amount``, and whatever a file calls its own columns.

What is compared is the price of one: the rate where the file has one, else amount ÷ quantity (a blank quantity is
one), else the amount. Money is read exactly; it becomes a float (of pence) in the frame's ``price``, where statistics
begin, and never goes back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from portal.analytics.arithmetic import per_unit, placeholder, product_differs, repeats
from portal.kernel.errors import InputRefused, Problem
from portal.kernel.money import pounds
from portal.tables import Field, Mapping, Reading, read_records, words
from portal.tables.fields import fold

TENDER_WORDS = (
    "project", "project id", "projectid", "project no", "contract", "contract id", "contract no", "tender no",
    "tender number", "tender reference", "solicitation", "solicitation no",
)  # fmt: skip
REGION_WORDS = ("area", "región", "région")
FIELDS = (
    Field("reference", "text", required=False, words=words.REFERENCE),
    Field("authority", "text", required=False, words=words.AUTHORITY),
    Field("work_type", "text", required=False, words=words.WORK_TYPE),
    Field("contractor", "text", required=False, words=words.CONTRACTOR),
    Field("date", "text", required=False, words=words.DATE),
    Field("quantity", "decimal", required=False, words=words.QUANTITY),
    Field("amount", "money", required=False, words=words.AMOUNT),
    Field("rate", "decimal", required=False, words=words.RATE),
    Field("unit", "text", required=False, words=words.UNIT),
    Field("region", "text", required=False, words=REGION_WORDS),
    Field("tender", "text", required=False, words=TENDER_WORDS),
    Field("code", "text", required=False, words=words.CODE),
)
STANDARD = {wanted.name: wanted for wanted in FIELDS}
DATE = list(STANDARD).index("date")
#: Made from the date where a file has no such column.
PERIODS = ("year", "quarter", "month")
#: Columns that say who, where or when. Every other ``by`` column says what was bought: the kind.
PEERS = frozenset({"authority", "region", "contractor", "tender", "date", *PERIODS})
MOST_GROUPING_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class Grouping:
    """One ``by`` column: ``label`` as asked for, ``field`` what it is, or what its header usually stands for."""

    label: str
    field: str

    @property
    def says_what(self) -> bool:
        """Whether it tells what was bought, not by whom, where or when."""
        return self.field not in PEERS


@dataclass(slots=True)
class Prices:
    """Prices ready to compare.

    ``frame``: a row per price, with ``file``, ``row``, ``reference``, ``contractor``, ``unit``, ``tender``, ``code``,
    ``amount`` (pounds as text), ``stated`` and ``price`` (float pence for one unit; ``price`` is NaN when set aside),
    ``by_0`` … for the grouping columns, and ``reason`` (why it is set aside; empty otherwise). ``read`` counts all rows
    below the headers, also those with problems; ``left_out`` those that are no records, such as totals. ``bases`` says
    what is compared, by file.
    """

    frame: pd.DataFrame
    by: tuple[Grouping, ...]
    problems: list[Problem] = field(default_factory=list)
    read: int = 0
    left_out: int = 0
    bases: dict[str, str] = field(default_factory=dict)

    @property
    def by_columns(self) -> tuple[str, ...]:
        """The grouping columns of the frame."""
        return tuple(f"by_{at}" for at in range(len(self.by)))

    @property
    def kind_columns(self) -> tuple[str, ...]:
        """Those of them that say what was bought."""
        return tuple(name for name, grouping in zip(self.by_columns, self.by, strict=True) if grouping.says_what)


def parse_by(by: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """``"work_type, authority"`` → ``("work_type", "authority")``. ``None`` leaves the choice to the file.

    Raises ``InputRefused`` when it names nothing, a column twice, or more than eight.
    """
    if by is None:
        return None
    labels = [" ".join(label.split()) for label in (by.split(",") if isinstance(by, str) else by)]
    if not labels or not all(labels) or len({fold(label) for label in labels}) < len(labels):
        raise InputRefused([Problem("--by", "Name one or more different columns, such as --by work_type,authority.")])
    if len(labels) > MOST_GROUPING_COLUMNS:
        raise InputRefused([Problem("--by", f"Name at most {MOST_GROUPING_COLUMNS} columns.")])
    return tuple(labels)


def read_prices(
    paths: Sequence[str | Path], by: str | Sequence[str] | None = None, mapping: Mapping | None = None
) -> Prices:
    """Read price files into one frame.

    ``by``: the columns that make a group, by field name or by any header of the file; default ``work_type`` and,
    where it is there, ``authority``; without a work type, the item code. Row-level doubts are in ``problems``. Raises
    ``InputRefused`` when a file cannot be used at all, or has no price or no such column.
    """
    if not paths:
        raise InputRefused([Problem("benchmark", "No file was given; name one or more price files.")])
    labels = parse_by(by)
    readings = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for path in map(Path, paths):
        reading = read_records(path, _fields(labels), mapping or Mapping.none())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest in seen:
            problems.append(Problem(path.name, f"This is the same file as {seen[digest]}; its prices count once."))
            continue
        seen[digest] = path.name
        readings.append(reading)
    if labels is None:
        labels = _usual_grouping(readings)
    groupings = tuple(_grouping(label) for label in labels)
    for reading in readings:
        _require_columns(reading, groupings)
    result = Prices(pd.DataFrame(), groupings, problems)
    frames = [_frame(reading, groupings, result) for reading in readings]
    result.frame = pd.concat(frames, ignore_index=True)
    for name in result.by_columns:
        result.frame[name] = _one_spelling(result.frame[name])
    return result


def _fields(labels: tuple[str, ...] | None) -> tuple[Field, ...]:
    """The columns to read: the usual ones, and one for each grouping column that is none of them."""
    wanted = list(FIELDS)
    for label in labels or ():
        name = fold(label)
        if name in {fold(standard) for standard in STANDARD}:
            continue
        if name in PERIODS:
            # A period comes from the date, which must then be a real one.
            wanted[DATE] = replace(wanted[DATE], kind="date")
            wanted.append(Field(label, "text", required=False))
        else:
            wanted.append(Field(label, "text", required=False))
    return tuple(wanted)


def _grouping(label: str) -> Grouping:
    name = fold(label)
    for standard in FIELDS:
        if name in standard.answers_to():
            return Grouping(label, standard.name)
    return Grouping(label, name)


def _usual_grouping(readings: Sequence[Reading]) -> tuple[str, ...]:
    def everywhere(name: str) -> bool:
        return all(name in reading.columns for reading in readings)

    if everywhere("work_type"):
        return ("work_type", "authority") if everywhere("authority") else ("work_type",)
    if everywhere("code"):
        return ("code",)
    raise InputRefused([
        reading.problem(
            reading.header_row, "There is no column that says what was bought; name one with --by, such as --by "
            f'"{next(iter(reading.unused), "work_type")}", or say which it is in a map file given with --map.',
            "work_type",
        )
        for reading in readings if "work_type" not in reading.columns
    ])  # fmt: skip


def _require_columns(reading: Reading, groupings: Sequence[Grouping]) -> None:
    problems = []
    listed = ", ".join([*reading.columns.values(), *reading.unused])
    if not {"amount", "rate"} & set(reading.columns):
        problems.append(reading.problem(
            reading.header_row, f"There is no price: neither an amount nor a rate. The headers found are {listed}. "
            'Name one of them amount, or say which it is in a map file given with --map, such as amount = "Header".',
            "amount",
        ))  # fmt: skip
    for grouping in groupings:
        known = _column_of(grouping, reading) is not None
        if not known and not (grouping.field in PERIODS and "date" in reading.columns):
            problems.append(reading.problem(
                reading.header_row, f"There is no column {grouping.label} to group by. The headers found are {listed}. "
                "Name one of them with --by.", grouping.label,
            ))  # fmt: skip
    if problems:
        raise InputRefused(problems)


def _column_of(grouping: Grouping, reading: Reading) -> str | None:
    """The field under which the reading has the grouping column."""
    for name in (grouping.label, grouping.field):
        if name in reading.columns:
            return name
    return None


def _frame(reading: Reading, groupings: Sequence[Grouping], into: Prices) -> pd.DataFrame:
    names = ["row", *_field_names(groupings)]
    columns: dict[str, Sequence[Any]] = dict(zip(names, zip(*reading.records, strict=True), strict=False))
    count = len(reading.records)
    nothing: tuple[None, ...] = (None,) * count
    into.problems += reading.problems
    into.left_out += len(reading.set_aside)
    into.read += count + reading.bad_rows
    into.bases[reading.file] = _basis(reading)
    rows = columns.get("row", ())
    values = {name: columns.get(name, nothing) for name in STANDARD}
    for grouping in groupings:
        # A header named with --by is read under that name; it is still the contractor, or the item.
        if grouping.field in STANDARD and grouping.field not in reading.columns and grouping.label in columns:
            values[grouping.field] = columns[grouping.label]
    reasons = [""] * count
    problems: list[Problem] = []
    pence = np.full(count, np.nan)
    for at in range(count):
        price, reasons[at], doubt = _price(values, at)
        if doubt:
            problems.append(reading.problem(rows[at], doubt, "amount" if "amount" in reading.columns else "rate"))
        if price is not None:
            pence[at] = float(price * 100)
    data: dict[str, Any] = {"file": reading.file, "row": list(rows)}
    data |= {name: list(values[name]) for name in ("reference", "contractor", "unit", "tender", "code")}
    data["amount"] = [None if amount is None else pounds(amount) for amount in values["amount"]]
    for at, grouping in enumerate(groupings):
        column = _column_of(grouping, reading)
        if column is None:
            found: list[str | None] = [_period(grouping.field, day) for day in values["date"]]
        else:
            found = [None if cell in {None, ""} else str(cell) for cell in columns.get(column, nothing)]
        data[f"by_{at}"] = found
        for position in (position for position, text in enumerate(found) if text is None and not reasons[position]):
            reasons[position] = f"The row names no {grouping.label}, so there is nothing to compare it with."
            problems.append(reading.problem(rows[position], f"{reasons[position]} Fill the cell.", column or "date"))
    problems += _repeated(reading, values, [data[name] for name in into.by_columns], rows, reasons)
    data["stated"] = pence.copy()
    pence[[at for at, reason in enumerate(reasons) if reason]] = np.nan
    data["price"] = pence
    data["reason"] = reasons
    into.problems += sorted(problems, key=lambda problem: (problem.page or 0, problem.row or 0))
    return pd.DataFrame(data, index=range(count))


def _field_names(groupings: Sequence[Grouping]) -> list[str]:
    """Names of the reading's fields, in order (``reading.records`` follow them)."""
    extra = [grouping.label for grouping in groupings if fold(grouping.label) not in {fold(name) for name in STANDARD}]
    return [*STANDARD, *extra]


def _basis(reading: Reading) -> str:
    if "rate" in reading.columns:
        return "rate"
    return "amount per unit of quantity" if "quantity" in reading.columns else "amount"


def _price(values: dict[str, Sequence[Any]], at: int) -> tuple[Decimal | None, str, str]:
    """The price of one in pounds (``None`` if there is none), why the line is set aside, and a doubt about it."""
    rate: Decimal | None = values["rate"][at]
    amount: int | None = values["amount"][at]
    quantity: Decimal | None = values["quantity"][at]
    doubt = ""
    if rate is not None and amount is not None and quantity is not None:
        doubt = product_differs(quantity, rate, amount) or ""
    if rate is None and amount is None:
        return None, "The row has no price.", "The row has no price; fill the cell, or leave the row out."
    if rate is None and amount is not None:
        if quantity == 0:
            return None, "The quantity is 0, so that one has no price; the line is set aside.", ""
        rate = per_unit(amount, quantity) if quantity is not None else Decimal(pounds(amount))
    assert rate is not None  # noqa: S101 - the three cases above leave no other
    return rate, placeholder(rate, values["unit"][at]) or "", doubt


def _period(name: str, day: date | None) -> str | None:
    if day is None:
        return None
    if name == "year":
        return f"{day:%Y}"
    return f"{day:%Y-%m}" if name == "month" else f"{day:%Y} Q{(day.month + 2) // 3}"


def _repeated(
    reading: Reading,
    values: dict[str, Sequence[Any]],
    grouped: Sequence[Sequence[Any]],
    rows: Sequence[int],
    reasons: list[str],
) -> list[Problem]:
    """Say which rows repeat an earlier one. With a reference it is the same line twice, and counts once; without, two
    jobs may honestly be alike at schedule prices, and both count."""
    lines: list[Hashable] = list(zip(*values.values(), *grouped, strict=True))
    problems = []
    for at, first in repeats(lines).items():
        if reasons[at]:
            continue
        if values["reference"][at]:
            reasons[at] = f"The same line stands in row {rows[first]} already; it counts once."
            sentence = f"{reasons[at]} Take out the row that is too many."
        else:
            sentence = (
                f"The row is the same as row {rows[first]} in every column that was read; both count, as there is no "
                "reference to tell whether it is one line twice. Take one out if it is."
            )
        problems.append(reading.problem(rows[at], sentence))
    return problems


def _one_spelling(column: pd.Series[Any]) -> pd.Series[Any]:
    """The same name spelled with other capitals or spaces is the same group, shown as it was first written."""
    first: dict[str, str] = {}
    spelled = {text: first.setdefault(" ".join(text.split()).casefold(), text) for text in column.dropna().unique()}
    return column.map(spelled).astype("category")
