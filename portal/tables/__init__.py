"""Rows out of files (CSV, XLSX, XLS, PDF) with positions and problems, and back.

Everything that comes in from a file comes through here: say which ``Field``s are wanted, and ``read_records`` gives
typed records, each with its row, and every doubt as a ``Problem`` with place and remedy. ``write_csv`` and
``write_xlsx`` are the way out.
"""

from portal.tables.fields import Field
from portal.tables.mapping import Mapping
from portal.tables.reading import Reading, read_records
from portal.tables.writing import write_csv, write_xlsx

__all__ = ["Field", "Mapping", "Reading", "read_records", "write_csv", "write_xlsx"]
