"""The map file: which header stands for which field, what an empty cell means, and how the file is written.

rate = "Precio"

[defaults]
unit = "u"

[options]
sheet = "Prices"
header_row = 5
decimal = ","
encoding = "cp1252"
delimiter = ";"
date_order = "dmy"
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from portal.kernel.errors import InputRefused, Problem

MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is written, where that cannot be told from the file itself."""

    sheet: str | None = None
    header_row: int | None = None
    decimal: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    date_order: str | None = None


def _is_encoding(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        "".encode(value)
    except LookupError:
        return False
    return True


_ALLOWED: dict[str, tuple[Callable[[object], bool], str]] = {
    "sheet": (lambda value: isinstance(value, str) and value != "", 'the name of a sheet, such as "Prices"'),
    "header_row": (lambda value: type(value) is int and value >= 1, "the number of the header's row, such as 5"),
    "decimal": (lambda value: value in {",", "."}, '"," or "."'),
    "encoding": (_is_encoding, 'the name of a text encoding, such as "utf-8" or "cp1252"'),
    "delimiter": (lambda value: value in {",", ";", "\t", "|"}, r'one of ",", ";", "\t" and "|"'),
    "date_order": (lambda value: value in {"dmy", "mdy"}, '"dmy" (31/05/2026) or "mdy" (05/31/2026)'),
}


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a map file says. ``file`` is its base name, for messages; empty when there is none."""

    file: str = ""
    columns: Table[str, str] = field(default_factory=dict)
    defaults: Table[str, str] = field(default_factory=dict)
    options: Options = Options()

    @classmethod
    def none(cls) -> Mapping:
        """No map: headers are recognised by their words."""
        return cls()

    @classmethod
    def read(cls, path: str | Path) -> Mapping:
        """The map in the TOML file at ``path``. Raises ``InputRefused`` naming every key that is wrong."""
        path = Path(path)
        table = _toml(path)
        problems: list[Problem] = []

        def refuse(key: str, message: str) -> None:
            problems.append(Problem(path.name, message, column=key))

        columns: dict[str, str] = {}
        for key, value in table.items():
            if key in {"defaults", "options"}:
                if not isinstance(value, dict):
                    refuse(key, f"[{key}] must be a table with one setting to a line, not a single value.")
            elif isinstance(value, str) and value.strip():
                columns[key] = value
            else:
                refuse(key, f'The value of {key} must be a header of the file in quotes, such as {key} = "Header".')
        defaults: dict[str, str] = {}
        for key, value in _table(table, "defaults").items():
            if isinstance(value, dict | list):
                refuse(key, f"The default of {key} must be a single value, such as a text in quotes.")
            else:
                defaults[key] = str(value).lower() if isinstance(value, bool) else str(value)
        options = _table(table, "options")
        for key, value in options.items():
            if key not in _ALLOWED:
                refuse(key, f"There is no option {key}; the options are {', '.join(_ALLOWED)}.")
            elif not _ALLOWED[key][0](value):
                refuse(key, f"The option {key} must be {_ALLOWED[key][1]}.")
        if problems:
            raise InputRefused(problems)
        return cls(path.name, columns, defaults, replace(Options(), **dict[str, Any](options)))


def _table(table: dict[str, object], key: str) -> dict[str, object]:
    inner = table.get(key)
    return inner if isinstance(inner, dict) else {}


def _toml(path: Path) -> dict[str, object]:
    """The TOML of the file; its numbers with decimals stay text, so that no default passes through a float."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise InputRefused(
            [Problem(path.name, f"The map file cannot be read ({fault.strerror}); check its name and folder.")]
        ) from None
    if len(data) > MOST_BYTES:
        raise InputRefused([Problem(path.name, "The map file is far too large; it holds a few lines of TOML text.")])
    try:
        return tomllib.loads(data.decode("utf-8-sig"), parse_float=str)
    except UnicodeDecodeError:
        raise InputRefused([Problem(path.name, "The map file is not UTF-8 text; save it as UTF-8.")]) from None
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        raise InputRefused(
            [
                Problem(
                    path.name,
                    f'The map file is not TOML: {fault}. Write one setting to a line, such as rate = "Precio".',
                )
            ]
        ) from None


NO_MAPPING = Mapping.none()
