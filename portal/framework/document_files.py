"""The files of documents: what may come in, checked by content, and where they lie.

A file lies in the uploads folder under a random name, readable by the portal only; nothing serves that folder. It is
written and synced before the transaction that names it commits, and taken away again when that one fails.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath

import pypdfium2
from PIL import Image

from portal.kernel.errors import RuleBroken

MEGABYTE = 1024 * 1024
LARGEST = 10 * MEGABYTE
#: No photograph of a certificate has more dots than this.
MOST_PIXELS = 60_000_000
#: By what a file begins with: its type, what people call it, and the endings of its name.
KINDS: dict[bytes, tuple[str, str, tuple[str, ...]]] = {
    b"%PDF-": ("application/pdf", "PDF", (".pdf",)),
    b"\xff\xd8\xff": ("image/jpeg", "JPEG", (".jpg", ".jpeg")),
    b"\x89PNG\r\n\x1a\n": ("image/png", "PNG", (".png",)),
}


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
    if not content:
        raise RuleBroken(f"{name} is empty; choose the file again.")
    if len(content) > largest:
        raise RuleBroken(
            f"{name} has {len(content) / MEGABYTE:.1f} MB; a document may have {largest // MEGABYTE} MB at most. "
            "Scan it again with fewer dots per inch."
        )
    found = next((kind for start, kind in KINDS.items() if content.startswith(start)), None)
    if found is None:
        raise RuleBroken(f"{name} is not a PDF, JPEG or PNG file, whatever its name says; save it as one of these.")
    media_type, what, endings = found
    if not name.lower().endswith(endings):
        raise RuleBroken(f"{name} is a {what} file by its content; give it its right name, ending in {endings[0]}.")
    if media_type == "application/pdf":
        _open_pdf(name, content)
    else:
        _open_picture(name, what, content)
    return CheckedFile(name, media_type, content)


def clean_name(name: str) -> str:
    """The last part of a file's name, without control characters, at most 200 characters with its ending kept."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    text = "".join(each for each in last if each.isprintable()).strip() or "document"
    stem, dot, ending = text.rpartition(".")
    return text if len(text) <= 200 else f"{stem[: 199 - len(ending)]}{dot}{ending}"[:200]


def _open_pdf(name: str, content: bytes) -> None:
    try:
        document = pypdfium2.PdfDocument(content)
        try:
            pages = len(document)
        finally:
            document.close()
    except pypdfium2.PdfiumError as fault:
        raise RuleBroken(
            f"{name} does not open as a PDF: it is damaged or needs a password. Save it again without one."
        ) from fault
    if not pages:
        raise RuleBroken(f"{name} is a PDF without pages; save it again.")


def _open_picture(name: str, what: str, content: bytes) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=[what]) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise RuleBroken(f"{name} has {picture.width} × {picture.height} dots; send a smaller picture.")
                picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise RuleBroken(f"{name} does not open as a {what} picture: it is damaged. Take or save it again.") from fault


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
        yield stored
    except BaseException:
        with suppress(FileNotFoundError):
            path.unlink()
        raise


def is_whole(folder: Path, stored: str, sha256: str) -> bool:
    """Whether the kept file is there and is what was handed in."""
    path = folder / stored
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
