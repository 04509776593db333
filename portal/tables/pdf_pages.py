"""The pages of a PDF, read by as many processes as there are cores (see ``pdf_process``), and never without end."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal.tables.files import AS_SPREADSHEET, Source, refusal

#: Called as pages are read, with how many are done and how many there are.
Progress = Callable[[int, int], object]

MOST_PAGES = 2_000
MOST_READERS = 4
#: A smaller file has too few pages to share out.
WORTH_SHARING = 16 * 1024
#: A page that takes longer than this, on however busy a machine, will not end.
SILENT_SECONDS = 60.0
#: No list has more text in it than this; one reader could otherwise fill the memory of whoever asked.
MOST_BYTES = 128 * 1024 * 1024
_SCRIPT = Path(__file__).with_name("pdf_process.py")
_LOWER = AS_SPREADSHEET[0].lower() + AS_SPREADSHEET[1:]


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of all ruled tables of a page, and whether there is any text on it."""

    rows: list[list[str]]
    has_text: bool


@dataclass(slots=True)
class _Reader:
    """A process that reads its share, and what it has said so far."""

    started: subprocess.Popen[bytes]
    heard_at: float
    unfinished: bytes = b""
    waiting: list[int] = field(default_factory=list)
    opened: bool = False
    done: bool = False


def cores() -> int:
    """How many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_pages(source: Source, progress: Progress | None = None) -> list[Page]:
    """Every page of the PDF, in order. Raises ``InputRefused`` for what is damaged, locked, too long or without end."""
    return _Reading(source, progress).read()


class _Reading:
    """One PDF being read: its readers, and the pages that they have delivered."""

    def __init__(self, source: Source, progress: Progress | None) -> None:
        self.source, self.progress = source, progress
        self.pages: dict[int, Page] = {}
        self.of: int | None = None
        self.faults: list[tuple[int, str]] = []
        self.size = 0

    def read(self) -> list[Page]:
        count = 1 if len(self.source.data) < WORTH_SHARING else min(cores(), MOST_READERS)
        readers: list[_Reader] = []
        with tempfile.TemporaryFile(prefix="portal-pdf-") as file, selectors.DefaultSelector() as selector:
            file.write(self.source.data)
            file.flush()
            try:
                for number in range(count):
                    reader = _Reader(_start(number, count, file.fileno()), time.monotonic())
                    readers.append(reader)
                    selector.register(_output(reader), selectors.EVENT_READ, reader)
                while not all(each.done for each in readers):
                    self._listen(selector, readers)
            finally:
                for each in readers:
                    _end(each)
        if self.faults:
            page, reason = min(self.faults)
            raise self._damaged(page or None, reason)
        return [self.pages[number] for number in sorted(self.pages)]

    def _listen(self, selector: selectors.BaseSelector, readers: list[_Reader]) -> None:
        """Take in what any reader says next; give up on one that has been silent for too long."""
        silent_since = min(each.heard_at for each in readers if not each.done)
        heard = selector.select(max(0.0, silent_since + SILENT_SECONDS - time.monotonic()))
        for key, _ in heard:
            reader: _Reader = key.data
            said = os.read(key.fd, 256 * 1024)
            if not said:
                selector.unregister(key.fileobj)
                reader.done = True
                self._check_end(reader)
                continue
            reader.heard_at = time.monotonic()
            self.size += len(said)
            if self.size > MOST_BYTES:
                raise refusal(self.source.name, f"The PDF holds far more text than a list does; {_LOWER}")
            for line in _lines(reader, said):
                self._take(reader, json.loads(line))
        if not heard:
            raise self._endless(min((each for each in readers if not each.done), key=lambda each: each.heard_at))

    def _take(self, reader: _Reader, said: dict[str, Any]) -> None:
        """One line of a reader: how many pages there are, a page, or why it cannot go on."""
        if "fault" in said:
            self.faults.append((said["page"] or 0, said["fault"]))
            reader.waiting.clear()
        elif "pages" in said:
            pages = int(said["pages"])
            if pages > MOST_PAGES:
                raise refusal(
                    self.source.name,
                    f"The PDF has {pages:,} pages, but at most {MOST_PAGES:,} are read; split it.",
                )
            self.of, reader.opened = pages, True
            reader.waiting = list(reversed(range(said["first"], pages + 1, said["step"])))
        else:
            reader.waiting.remove(said["page"])
            self.pages[said["page"]] = Page(said["rows"], said["text"])
            if self.progress is not None and self.of is not None:
                self.progress(len(self.pages), self.of)

    def _check_end(self, reader: _Reader) -> None:
        """Refuse when a reader ended before its share was done and did not say why."""
        reader.started.wait()
        spoke = reader.opened or self.faults
        if reader.waiting or not spoke:
            raise self._endless(reader)

    def _endless(self, reader: _Reader) -> Exception:
        page = reader.waiting[-1] if reader.waiting else None
        return self._damaged(page, "reading it takes more time or memory than any list needs")

    def _damaged(self, page: int | None, reason: str) -> Exception:
        return refusal(
            self.source.name,
            f"The PDF is damaged or locked ({reason}). Print it to a new PDF, or {_LOWER}",
            page=page,
        )


def _start(number: int, readers: int, file: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own script, with two numbers
        [sys.executable, "-I", str(_SCRIPT), str(number), str(readers)],
        stdin=file,
        stdout=subprocess.PIPE,
        # Its remarks on odd fonts are for nobody who imports a list.
        stderr=subprocess.DEVNULL,
    )


def _output(reader: _Reader) -> Any:
    output = reader.started.stdout
    assert output is not None  # noqa: S101 - it was asked for
    return output


def _lines(reader: _Reader, said: bytes) -> Iterator[bytes]:
    """The lines that are complete now; the rest waits."""
    *complete, reader.unfinished = (reader.unfinished + said).split(b"\n")
    yield from complete


def _end(reader: _Reader) -> None:
    """Leave nothing of a reader behind, whether it is done or not."""
    if reader.started.poll() is None:
        reader.started.kill()
    reader.started.wait()
    _output(reader).close()
