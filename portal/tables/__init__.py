"""Rows out of files (CSV, XLSX, XLS, PDF) with positions and problems, and back.

Everything that comes in from a file comes through here: say which ``Field``s are wanted, and ``read_records`` gives
typed records, each with its row, and every doubt as a ``Problem`` with place and remedy. ``write_csv``,
``write_xlsx``, ``write_xls`` and ``pdf_writing.write_pdf`` are the way out.
"""

from portal.tables.fields import Field
from portal.tables.files import Kind
from portal.tables.mapping import Mapping
from portal.tables.pdf_pages import Progress
from portal.tables.reading import Reading, read_records
from portal.tables.writing import write_csv, write_xls, write_xlsx

__all__ = ["Field", "Kind", "Mapping", "Progress", "Reading", "read_records", "write_csv", "write_xls", "write_xlsx"]
