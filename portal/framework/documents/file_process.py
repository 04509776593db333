"""Opens one document from standard input and says in a word what is wrong with it; run as a process of its own.

A file that was made for it can keep a decoder busy for hours or make it ask for gigabytes. So that this is never the
web server, ``files`` starts this file with limits on memory and time. It imports nothing of the portal, to start fast.
Arguments: ``PDF``, ``JPEG`` or ``PNG``, and the most dots that a picture may have. Prints one of the words below.
"""

from __future__ import annotations

import re
import sys
import warnings
from io import BytesIO

MEMORY = 1024 * 1024 * 1024
#: Ten times what the largest picture that is allowed takes on a slow machine.
CPU_SECONDS = 8
#: A progressive JPEG has about ten scans. Each further one is unpacked over the whole picture, however short it is.
MOST_SCANS = 50
#: The next marker of a JPEG: not a packed FF, not a fill byte, not a restart within a scan.
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
START_OF_SCAN, END_OF_PICTURE = 0xDA, 0xD9
FINE, DAMAGED, MANY_DOTS, MANY_SCANS = "fine", "damaged", "many-dots", "many-scans"
#: Said by nobody: what ``files`` makes of a process that ended without a word.
TOO_MUCH = "too-much"
NO_PAGES, BRINGS_MORE = "no-pages", "brings-more"


def limit() -> None:
    """Bound memory and processor time, where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def pdf_fault(content: bytes) -> str:
    """What is wrong with a PDF: it does not open, has no page, or brings a program or another file along."""
    import pypdfium2  # noqa: PLC0415 - only one of the two readers is needed
    from pypdfium2 import raw  # noqa: PLC0415

    try:
        document = pypdfium2.PdfDocument(content)
        try:
            pages = len(document)
            if pages:
                document.get_page_size(0)
            active = raw.FPDFDoc_GetAttachmentCount(document) or raw.FPDFDoc_GetJavaScriptActionCount(document)
        finally:
            document.close()
    except pypdfium2.PdfiumError:
        return DAMAGED
    if not pages:
        return NO_PAGES
    return BRINGS_MORE if active > 0 else FINE


def scans_of(content: bytes) -> int:
    """How many scans a JPEG has before it ends, counted to just above ``MOST_SCANS``.

    Reads markers as a decoder does, so that what a camera puts behind the picture (a film, a second picture) and
    inside its segments is not counted. ITU-T T.81, B.1.1.
    """
    scans, place = 0, 2
    while scans <= MOST_SCANS and (found := MARKER.search(content, place)) is not None:
        marker, place = content[found.end() - 1], found.end()
        if marker == END_OF_PICTURE:
            break
        scans += marker == START_OF_SCAN
        place += max(int.from_bytes(content[place : place + 2], "big"), 2)
    return scans


def packed_remarks_of(content: bytes) -> int:
    """How many packed texts and colour profiles a PNG brings, each of which a decoder unpacks; real ones have few."""
    return sum(content.count(each) for each in (b"iCCP", b"zTXt", b"iTXt"))


def picture_fault(what: str, content: bytes, most_dots: int) -> str:
    """What is wrong with a picture: it does not open whole, or unpacks to more than a certificate can need."""
    from PIL import Image  # noqa: PLC0415 - only one of the two readers is needed

    if (scans_of(content) if what == "JPEG" else packed_remarks_of(content)) > MOST_SCANS:
        return MANY_SCANS
    try:
        # Remarks on odd metadata are for nobody.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(content), formats=[what]) as picture:
                wide, high = picture.size
                if wide * high > most_dots:
                    return f"{MANY_DOTS} {wide} {high}"
                if what == "JPEG":
                    picture.draft(None, (wide // 8, high // 8))
                picture.load()
    except Image.DecompressionBombError:
        return MANY_DOTS
    except Exception:  # noqa: BLE001 - a decoder documents no exceptions for files that were made to break it
        return DAMAGED
    return FINE


def fault_of(what: str, content: bytes, most_dots: int) -> str:
    """The word for what is wrong with a file of the kind ``what``."""
    return pdf_fault(content) if what == "PDF" else picture_fault(what, content, most_dots)


if __name__ == "__main__":
    limit()
    sys.stdout.write(fault_of(sys.argv[1], sys.stdin.buffer.read(), int(sys.argv[2])))
