"""The files of documents: what may come in, checked by content, and where they lie.

A file lies in the uploads folder under a random name, readable by the portal only; nothing serves that folder. It is
written and synced before the transaction that names it commits, and taken away again when that one fails.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import sys
import threading
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath

from portal.framework.documents import file_process
from portal.kernel.errors import RuleBroken

MEGABYTE = 1024 * 1024
LARGEST = 10 * MEGABYTE
#: No photograph of a certificate, nor its scan on A4 at 600 dots per inch, has more dots than this. A PNG is unpacked
#: whole (four bytes a dot); of a JPEG only a small version is made.
MOST_PIXELS = {"JPEG": 60_000_000, "PNG": 40_000_000}
LONGEST_NAME = 200
#: How much of a name stands in a message.
NAMED = 50
#: A PDF reader takes a file for a PDF whose mark stands anywhere among its first bytes.
PDF_MARK, PDF_MARK_WITHIN = b"%PDF-", 1024
#: By what a file begins with: its type, what people call it, and the endings of its name.
KINDS: dict[bytes, tuple[str, str, tuple[str, ...]]] = {
    b"%PDF-": ("application/pdf", "PDF", (".pdf",)),
    b"\xff\xd8\xff": ("image/jpeg", "JPEG", (".jpg", ".jpeg")),
    b"\x89PNG\r\n\x1a\n": ("image/png", "PNG", (".png",)),
}

#: How long one file may take to open, and how long another waits for its turn, in seconds.
OPENING_SECONDS, PATIENCE_SECONDS = 15, 10
REMEDIES = {
    "PDF": "print it to a new PDF and hand that in",
    "JPEG": "take a new picture, or save it as a plain JPEG",
    "PNG": "take a new picture, or save it as a plain PNG",
}

# Few files at a time, so that opening them never takes all of the machine's processors and memory.
_turns = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that is what its name says: its own name without a path, its type by content, and its bytes."""

    name: str
    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def check_file(name: str, content: bytes, largest: int = LARGEST) -> CheckedFile:
    """The file as it may be kept: a PDF, JPEG or PNG of at most ``largest`` bytes that opens and is what it says.

    Raises ``RuleBroken`` with what is wrong and what to do.
    """
    name = clean_name(name)
    called = name if len(name) <= NAMED else f"{name[: NAMED - 8]}…{name[-7:]}"
    if not content:
        raise RuleBroken(f"{called} is empty; choose the file again.")
    if len(content) > largest:
        raise RuleBroken(
            f"{called} is too large; a document may have {largest / MEGABYTE:g} MB at most. "
            "Scan it again with fewer dots per inch."
        )
    found = next((kind for start, kind in KINDS.items() if content.startswith(start)), None)
    if found is None:
        raise RuleBroken(f"{called} is not a PDF, JPEG or PNG file, whatever its name says; save it as one of these.")
    media_type, what, endings = found
    if not name.lower().endswith(endings):
        raise RuleBroken(f"{called} is a {what} file by its content; give it its right name, ending in {endings[0]}.")
    if zipfile.is_zipfile(BytesIO(content)) or (what != "PDF" and PDF_MARK in content[:PDF_MARK_WITHIN]):
        raise RuleBroken(f"{called} holds a second file behind the {what}; save it again, or take a new picture of it.")
    _refuse_what_does_not_open(called, what, content)
    return CheckedFile(name, media_type, content)


def clean_name(name: str) -> str:
    """The last part of a file's name, without control characters, at most 200 characters with its ending kept."""
    last = PureWindowsPath(PurePosixPath(name.replace("\0", "")).name).name
    shown = "".join(each for each in unicodedata.normalize("NFC", last) if each.isprintable())
    text = shown.strip(" .")
    if not text:
        return "document"
    stem, dot, ending = text.rpartition(".")
    if not dot:
        # Only an ending, such as ".pdf", makes a file that file managers hide; it gets a stem below.
        stem, dot, ending = ("", ".", text) if shown.startswith(".") else (text, "", "")
    ending = ending[:20]
    return f"{(stem or 'document')[: LONGEST_NAME - len(dot + ending)]}{dot}{ending}"


def _refuse_what_does_not_open(called: str, what: str, content: bytes) -> None:
    """Refuse a file that does not open whole, holds what it should not, or takes more work than a certificate can."""
    if not _turns.acquire(timeout=PATIENCE_SECONDS):
        raise RuleBroken("The portal is busy with other documents; try again in a minute.")
    try:
        word, *more = _word_of_process(what, content)
    finally:
        _turns.release()
    match word:
        case file_process.FINE:
            return
        case file_process.MANY_DOTS if more:
            wide, high = more
            raise RuleBroken(f"{called} has {int(wide):,} × {int(high):,} dots; send a smaller picture.")
        case file_process.MANY_DOTS:
            raise RuleBroken(f"{called} has far too many dots; send a smaller picture.")
        case file_process.NO_PAGES:
            raise RuleBroken(f"{called} is a PDF without pages; save it again.")
        case file_process.BRINGS_MORE:
            raise RuleBroken(f"{called} holds a program or other files; print it to a new PDF and hand that in.")
        case file_process.MANY_SCANS | file_process.TOO_MUCH:
            raise RuleBroken(f"{called} takes far too long to open; {REMEDIES[what]}.")
    if what == "PDF":
        raise RuleBroken(
            f"{called} does not open as a PDF: it is damaged or needs a password. Save it again without one."
        )
    raise RuleBroken(f"{called} does not open as a {what} picture: it is damaged. Take or save it again.")


def _word_of_process(what: str, content: bytes) -> list[str]:
    """What the process that opens documents says: a word of ``file_process``, and its numbers."""
    try:
        done = subprocess.run(  # noqa: S603 - our own script; its arguments are our own words
            [sys.executable, "-I", file_process.__file__, what, str(MOST_PIXELS.get(what, 0))],
            input=content,
            capture_output=True,
            timeout=OPENING_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [file_process.TOO_MUCH]
    words = done.stdout.decode(errors="replace").split()
    # Ended without a word: it met a limit on time or memory, or the decoder broke.
    return words if words and not done.returncode else [file_process.TOO_MUCH]


@contextmanager
def kept(folder: Path, file: CheckedFile) -> Iterator[str]:
    """Keep ``file`` in ``folder`` under a random name, which is given; when the block fails it is taken away again.

    The block commits the transaction that names the file.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stored = secrets.token_hex(32)
    path = folder / stored
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            target.write(file.content)
            target.flush()
            os.fsync(target.fileno())
        _sync_folder(folder)
        yield stored
    except BaseException:
        with suppress(FileNotFoundError):
            path.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Let the folder's new entry reach the disk; not every system can open a folder for that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def kept_content(folder: Path, stored: str, sha256: str) -> bytes | None:
    """The kept file as it was handed in; ``None`` when it is not there or is not the same any more."""
    try:
        content = (folder / stored).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def is_whole(folder: Path, stored: str, sha256: str) -> bool:
    """Whether the kept file is there and is what was handed in."""
    return kept_content(folder, stored, sha256) is not None
