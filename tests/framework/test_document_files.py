"""What may come in as a document: a PDF, JPEG or PNG that is what its name says, and nothing that only looks so."""

from __future__ import annotations

import os
import random
import stat
import struct
import threading
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from files_made import pdf_bytes, picture_bytes
from PIL import Image

from portal.config import MEGABYTE, MOST_DOCUMENT_MB, read_settings
from portal.framework.documents import file_process, files
from portal.framework.documents.files import (
    LARGEST,
    LONGEST_NAME,
    CheckedFile,
    check_file,
    clean_name,
    is_whole,
    kept,
    kept_content,
)
from portal.kernel.errors import RuleBroken

GOOD = [
    ("certificate.pdf", "application/pdf", pdf_bytes),
    ("CERTIFICATE.PDF", "application/pdf", pdf_bytes),
    ("photo.jpg", "image/jpeg", lambda: picture_bytes("JPEG")),
    ("photo.jpeg", "image/jpeg", lambda: picture_bytes("JPEG", mode="L")),
    ("scan.png", "image/png", lambda: picture_bytes("PNG")),
    ("scan.PNG", "image/png", lambda: picture_bytes("PNG", mode="RGBA")),
]


def refusal(name: str, content: bytes, largest: int = LARGEST) -> str:
    """What is said to somebody who hands this in."""
    with pytest.raises(RuleBroken) as refused:
        check_file(name, content, largest)
    return str(refused.value)


@pytest.mark.parametrize(("name", "media_type", "make"), GOOD, ids=[each[0] for each in GOOD])
def test_a_real_file_is_taken_as_it_is(name: str, media_type: str, make: object) -> None:
    content = make()  # type: ignore[operator]

    file = check_file(name, content)

    assert (file.name, file.media_type, file.content) == (name, media_type, content)


def test_a_photograph_of_two_pictures_in_one_file_is_taken() -> None:
    written = BytesIO()
    first, second = (Image.effect_noise((80, 60), 40).convert("RGB") for _ in range(2))
    first.save(written, "MPO", save_all=True, append_images=[second])

    assert check_file("phone.jpg", written.getvalue()).media_type == "image/jpeg"


# What is not what its name says ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.pdf", b"<!doctype html><title>A certificate</title>" + b" " * 500),
        ("letter.pdf", b"PK\x03\x04" + b"\0" * 400),
        ("program.pdf", b"MZ" + b"\0" * 400),
        ("drawing.png", b"GIF89a" + b"\0" * 400),
        ("drawing.png", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("late.pdf", b"\n" * 40 + pdf_bytes()),
        ("photo.jpg", b"RIFF\x24\0\0\0WEBPVP8 "),
        ("photo.heic", b"\0\0\0\x18ftypheic" + b"\0" * 100),
    ],
)
def test_other_kinds_of_file_are_refused_whatever_their_names_say(name: str, content: bytes) -> None:
    assert "is not a PDF, JPEG or PNG file" in refusal(name, content)


def test_a_gif_renamed_to_png_is_refused() -> None:
    assert "is not a PDF, JPEG or PNG" in refusal("drawing.png", picture_bytes("GIF", mode="P"))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("photo.png", lambda: picture_bytes("JPEG")),
        ("photo.jpg", lambda: picture_bytes("PNG")),
        ("photo.jpg", pdf_bytes),
        ("certificate.pdf.exe", pdf_bytes),
        ("certificate", pdf_bytes),
        ("", pdf_bytes),
        ("certificate.pdf/", lambda: picture_bytes("PNG")),
    ],
)
def test_a_file_with_another_kinds_name_is_refused_with_its_right_ending(name: str, make: object) -> None:
    said = refusal(name, make())  # type: ignore[operator]

    assert "by its content; give it its right name, ending in ." in said


def test_an_empty_file_is_refused() -> None:
    assert "is empty" in refusal("certificate.pdf", b"")


def test_a_file_that_is_too_large_is_refused_at_the_limit() -> None:
    content = pdf_bytes()

    assert check_file("certificate.pdf", content, len(content))
    assert "is too large" in refusal("certificate.pdf", content, len(content) - 1)


@pytest.mark.parametrize(("name", "make"), [(each[0], each[2]) for each in GOOD if each[0].islower()])
def test_a_file_with_an_archive_behind_it_is_refused(name: str, make: object) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("macro.js", "alert(1)")

    assert "second file behind" in refusal(name, make() + packed.getvalue())  # type: ignore[operator]


def test_a_picture_that_a_pdf_reader_would_open_is_refused() -> None:
    picture = picture_bytes("JPEG")
    comment = b"%PDF-1.7\n1 0 obj\n"
    mixed = picture[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + picture[2:]

    assert "second file behind the JPEG" in refusal("photo.jpg", mixed)


# PDF ------------------------------------------------------------------------------------------------------------------


def test_a_pdf_with_a_password_is_refused() -> None:
    assert "needs a password" in refusal("certificate.pdf", pdf_bytes(password="open sesame"))


@pytest.mark.parametrize("content", [b"%PDF-", b"%PDF-1.7\n", b"%PDF-1.7\n" + b"\0" * 1_000, b"%PDF-1.4\n%%EOF\n"])
def test_what_only_begins_like_a_pdf_is_refused(content: bytes) -> None:
    assert "does not open as a PDF" in refusal("certificate.pdf", content)


def written_pdf(*objects: bytes) -> bytes:
    """A PDF of these numbered objects; the first is the catalogue."""
    text, offsets = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, start=1):
        offsets.append(len(text))
        text += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return text + end % (len(objects) + 1, table, len(objects) + 1, len(text))


def test_a_pdf_without_pages_is_refused() -> None:
    content = written_pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>")

    assert "PDF" in refusal("certificate.pdf", content)


def test_a_pdf_that_promises_pages_that_are_not_there_is_refused() -> None:
    content = written_pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [9 0 R] /Count 1 >>")

    assert "does not open as a PDF" in refusal("certificate.pdf", content)


def test_a_pdf_with_a_program_in_it_is_refused() -> None:
    content = written_pdf(
        b"<< /Type /Catalog /Pages 2 0 R /Names << /JavaScript << /Names [(x) 4 0 R] >> >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        b"<< /S /JavaScript /JS (app.alert\\(1\\);) >>",
    )

    assert "holds a program or other files" in refusal("certificate.pdf", content)


def test_a_pdf_with_a_file_in_it_is_refused() -> None:
    document = pypdfium2.PdfDocument(pdf_bytes())
    document.new_attachment("invoice.exe").set_data(b"MZ")
    written = BytesIO()
    document.save(written)
    document.close()

    assert "holds a program or other files" in refusal("certificate.pdf", written.getvalue())


# Pictures -------------------------------------------------------------------------------------------------------------


def png_that_claims(width: int, height: int, unpacked: int) -> bytes:
    """A PNG whose header claims so many dots and whose data unpack to ``unpacked`` zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(MEGABYTE)) for _ in range(unpacked // MEGABYTE)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(6_400, 6_400), (100_000, 1_000), (30_000, 30_000), (2**31 - 1, 1)])
def test_a_picture_with_too_many_dots_is_refused_unopened(width: int, height: int) -> None:
    began = time.process_time()

    assert "dots; send a smaller picture" in refusal("scan.png", png_that_claims(width, height, MEGABYTE))
    assert time.process_time() - began < 2


def test_a_picture_that_unpacks_to_more_than_it_claims_is_read_no_further() -> None:
    began = time.process_time()

    # 300 MB of zeros in 300 kB; the header says ten dots by ten.
    try:
        check_file("scan.png", png_that_claims(10, 10, 300 * MEGABYTE))
    except RuleBroken as refused:
        assert "damaged" in str(refused)  # noqa: PT017 - both answers are right
    assert time.process_time() - began < 4


def test_a_picture_whose_text_unpacks_without_end_is_refused() -> None:
    good = picture_bytes("PNG")
    data = b"Comment\0\0" + zlib.compress(bytes(100 * MEGABYTE), 9)
    bomb = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))

    assert "damaged" in refusal("scan.png", good[:33] + bomb + good[33:])


@pytest.mark.parametrize(("name", "kind"), [("photo.jpg", "JPEG"), ("scan.png", "PNG")])
def test_a_picture_that_ends_early_is_refused(name: str, kind: str) -> None:
    content = picture_bytes(kind, (400, 300))

    for kept_share in (0.2, 0.5, 0.9):
        assert "damaged" in refusal(name, content[: int(len(content) * kept_share)])


def progressive_with_scans(scans: int) -> bytes:
    """A progressive JPEG of 59 million dots in 240 kB whose last scan is there over and over: 112 bytes each."""
    written = BytesIO()
    Image.new("L", (7_700, 7_700), 128).save(written, "JPEG", progressive=True, quality=50)
    picture = written.getvalue()
    last = picture.rindex(b"\xff\xda")
    table = picture.rindex(b"\xff\xc4", 0, last)
    return picture[:-2] + picture[table:-2] * scans + picture[-2:]


def test_a_picture_of_many_scans_is_refused_before_it_is_unpacked() -> None:
    content = progressive_with_scans(700)
    began = time.monotonic()

    assert "takes far too long to open; take a new picture" in refusal("photo.jpg", content)
    assert time.monotonic() - began < 3
    assert check_file("photo.jpg", progressive_with_scans(3))


def test_what_a_phone_puts_behind_its_picture_is_not_taken_for_scans() -> None:
    film = random.Random(1).randbytes(4_000) + b"\xff\xda" * 200

    assert check_file("motion.jpg", picture_bytes("JPEG") + film)


def test_a_picture_with_thousands_of_packed_profiles_is_refused() -> None:
    good = picture_bytes("PNG")
    data = b"Profile\0\0" + zlib.compress(bytes(900_000), 9)
    profile = struct.pack(">I", len(data)) + b"iCCP" + data + struct.pack(">I", zlib.crc32(b"iCCP" + data))

    assert check_file("scan.png", good[:33] + profile + good[33:])
    assert "takes far too long to open" in refusal("scan.png", good[:33] + profile * 1_000 + good[33:])


def test_no_file_keeps_the_portal_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "OPENING_SECONDS", 0.001)

    assert "takes far too long to open; print it to a new PDF" in refusal("certificate.pdf", pdf_bytes())


@pytest.mark.parametrize("way", ["time", "memory"])
def test_a_process_that_meets_its_limits_says_no_word_and_the_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    works = {"time": "while True: pass", "memory": "bytes(2 * file_process.MEMORY)"}
    script = tmp_path / "busy.py"
    folder = str(Path(file_process.__file__).parent)
    script.write_text(
        f"import sys; sys.path.insert(0, {folder!r}); import file_process\n"
        f"file_process.CPU_SECONDS = 1; file_process.limit()\n{works[way]}\n"
    )
    monkeypatch.setattr(files.file_process, "__file__", str(script))

    assert "takes far too long to open" in refusal("photo.jpg", picture_bytes("JPEG"))


def test_somebody_who_waits_too_long_for_a_turn_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(files, "_turns", threading.BoundedSemaphore(1))

    with files._turns:
        assert "busy with other documents; try again in a minute" in refusal("certificate.pdf", pdf_bytes())
    assert check_file("certificate.pdf", pdf_bytes())


def pdf_of_deep_pages(depth: int) -> bytes:
    """A PDF whose one page lies under so many levels of pages."""
    levels = [b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % number for number in range(3, depth + 3)]
    return written_pdf(b"<< /Type /Catalog /Pages 2 0 R >>", *levels, b"<< /Type /Page /MediaBox [0 0 9 9] >>")


def pdf_of_many_names(width: int) -> bytes:
    """A PDF whose tree of programs has every leaf a thousandfold at every level."""
    levels = [b"<< /Kids [" + b"%d 0 R " % (number + 6) * width + b"] >>" for number in range(20)]
    return written_pdf(
        b"<< /Type /Catalog /Pages 2 0 R /Names << /JavaScript 4 0 R /EmbeddedFiles 4 0 R >> >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        b"<< /Kids [5 0 R] >>",
        *levels,
        b"<< /Names [] >>",
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: pdf_of_deep_pages(20_000),
        lambda: pdf_of_many_names(1_000),
        lambda: b"%PDF-1.7\n" + b"1 0 obj<<>>endobj\n" * 200_000,
        lambda: written_pdf(b"<< /Type /Catalog /Pages 2 0 R /X " + b"[" * 400_000 + b"]" * 400_000 + b">>"),
    ],
    ids=["deep pages", "names", "no table", "nested lists"],
)
def test_a_pdf_made_to_keep_its_reader_busy_is_answered_soon(make: Callable[[], bytes]) -> None:
    began = time.monotonic()

    with suppress(RuleBroken):
        check_file("certificate.pdf", make())
    assert time.monotonic() - began < files.OPENING_SECONDS


def test_a_large_photograph_is_opened_small() -> None:
    written = BytesIO()
    Image.new("RGB", (8_000, 6_000), "white").save(written, "JPEG")

    assert check_file("photo.jpg", written.getvalue()).media_type == "image/jpeg"


# Names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("certificate.pdf", "certificate.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\office\\certificate.pdf", "certificate.pdf"),
        ("/home/kim/..\\certificate.pdf", "certificate.pdf"),
        ("certi\r\nSet-Cookie: x.pdf", "certiSet-Cookie: x.pdf"),
        ("certificate\0.pdf", "certificate.pdf"),
        ("certificate\u202efdp.pdf", "certificatefdp.pdf"),
        ("\ufeffcertificate\u200b.pdf", "certificate.pdf"),
        ("Versicherungsbesta\u0308tigung.pdf", "Versicherungsbestätigung.pdf"),
        ("保険証券.pdf", "保険証券.pdf"),
        ("\ud800.pdf", "document.pdf"),
        (".pdf", "document.pdf"),
        ("..pdf", "document.pdf"),
        ("certificate.pdf. . ", "certificate.pdf"),
        ("", "document"),
        ("..", "document"),
        ("/", "document"),
        ("...", "document"),
    ],
)
def test_a_name_keeps_its_last_part_and_nothing_that_is_not_shown(given: str, name: str) -> None:
    assert clean_name(given) == name


@pytest.mark.parametrize(
    "given", ["x" * 5_000, "x" * 5_000 + ".pdf", "x." + "p" * 5_000, "." * 5_000, "é" * 400 + ".jpeg"]
)
def test_a_long_name_is_cut_and_keeps_its_ending(given: str) -> None:
    name = clean_name(given)

    assert 0 < len(name) <= LONGEST_NAME
    if given.endswith((".pdf", ".jpeg")):
        assert name.endswith(given[-4:])


def test_a_message_never_repeats_a_long_name_whole() -> None:
    assert len(refusal("x" * 5_000 + ".pdf", b"nothing")) < 200


# Many damaged files ---------------------------------------------------------------------------------------------------

VARIANTS, HANDED_IN = 600, 40


def damaged(content: bytes, dice: random.Random) -> bytes:
    """``content`` cut short, with bytes changed, bits turned, or parts taken out, doubled or put in."""
    data, way = bytearray(content), dice.randrange(6)
    place = dice.randrange(len(data))
    if way == 0:
        return bytes(data[:place])
    if way == 1:
        for _ in range(dice.randrange(1, 20)):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    elif way == 2:
        for _ in range(dice.randrange(1, 40)):
            data[dice.randrange(8, len(data))] = dice.randrange(256)
    elif way == 3:
        del data[place : place + dice.randrange(1, 200)]
    elif way == 4:
        data[place:place] = data[: dice.randrange(1, len(data))]
    else:
        data[place:place] = dice.randbytes(dice.randrange(1, 200))
    return bytes(data)


KINDS_MADE = pytest.mark.parametrize(
    ("name", "make"),
    [
        ("certificate.pdf", pdf_bytes),
        ("photo.jpg", lambda: picture_bytes("JPEG")),
        ("scan.png", lambda: picture_bytes("PNG")),
    ],
)


@KINDS_MADE
def test_a_damaged_file_always_gets_its_word(name: str, make: Callable[[], bytes]) -> None:
    dice, what = random.Random(name), {"pdf": "PDF", "jpg": "JPEG", "png": "PNG"}[name[-3:]]

    words = Counter(file_process.fault_of(what, damaged(make(), dice), 40_000_000).split()[0] for _ in range(VARIANTS))

    known = {file_process.FINE, file_process.DAMAGED, file_process.MANY_DOTS, file_process.NO_PAGES}
    assert set(words) <= known
    assert words[file_process.DAMAGED] > VARIANTS / 20


@KINDS_MADE
def test_no_damaged_file_breaks_the_check_or_is_left_behind(name: str, make: object, tmp_path: Path) -> None:
    dice, counts = random.Random(name), Counter[str]()
    endings = [".pdf", ".jpg", ".png", ".PDF", ".exe", ""]

    for _ in range(HANDED_IN):
        content = damaged(make(), dice)  # type: ignore[operator]
        called = name if dice.random() < 0.8 else name.rpartition(".")[0] + dice.choice(endings)
        try:
            file = check_file(called, content)
            with kept(tmp_path, file) as stored:
                assert is_whole(tmp_path, stored, file.sha256)
                raise RuleBroken("The transaction fails.")
        except RuleBroken as refused:
            counts["taken" if str(refused) == "The transaction fails." else "refused"] += 1

    assert counts.total() == HANDED_IN
    assert counts["refused"] > HANDED_IN / 10
    assert list(tmp_path.iterdir()) == []


def test_several_files_can_be_checked_at_once() -> None:
    files = [(name, make()) for name, _, make in GOOD] * 6
    results: list[object] = []

    def check(name: str, content: bytes) -> None:
        try:
            results.append(check_file(name, content))
        except Exception as fault:  # noqa: BLE001 - looked at below
            results.append(fault)

    threads = [threading.Thread(target=check, args=each) for each in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len(results) == len(files)
    assert all(isinstance(each, CheckedFile) for each in results)


# Keeping --------------------------------------------------------------------------------------------------------------


def test_a_kept_file_has_a_random_name_and_is_for_the_portal_only(tmp_path: Path) -> None:
    file = check_file("certificate.pdf", pdf_bytes())
    folder = tmp_path / "deep" / "uploads"

    with kept(folder, file) as first, kept(folder, file) as second:
        pass

    assert first != second
    assert "certificate" not in first
    assert len(first) == 64
    assert kept_content(folder, first, file.sha256) == file.content
    if os.name == "posix":
        assert stat.S_IMODE((folder / first).stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("broken", [RuleBroken("no"), ValueError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_a_file_goes_again_whatever_ends_its_transaction(tmp_path: Path, broken: BaseException) -> None:
    file = check_file("certificate.pdf", pdf_bytes())

    with pytest.raises(type(broken)), kept(tmp_path, file):
        raise broken

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_changed_or_is_gone_is_not_given(tmp_path: Path) -> None:
    file = check_file("certificate.pdf", pdf_bytes())
    with kept(tmp_path, file) as stored:
        pass

    (tmp_path / stored).write_bytes(file.content + b" ")
    assert kept_content(tmp_path, stored, file.sha256) is None
    (tmp_path / stored).unlink()
    assert kept_content(tmp_path, stored, file.sha256) is None
    assert not is_whole(tmp_path, stored, file.sha256)


# The setting ----------------------------------------------------------------------------------------------------------


def test_the_largest_document_is_a_setting(tmp_path: Path) -> None:
    def largest(text: str | None) -> int:
        environment = {"PORTAL_INSTANCE": str(tmp_path)} | ({} if text is None else {"PORTAL_DOCUMENT_MB": text})
        return read_settings(environment).largest_document

    assert largest(None) == LARGEST
    assert largest("") == LARGEST
    assert largest("3") == 3 * MEGABYTE
    for wrong in ("0", "-1", "2.5", "ten", str(MOST_DOCUMENT_MB + 1), "9" * 5_000, "²"):
        with pytest.raises(RuleBroken, match="PORTAL_DOCUMENT_MB"):
            largest(wrong)
