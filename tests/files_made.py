"""Files as contractors hand them in: made here, real, and each different from the last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from io import BytesIO
from itertools import count
from pathlib import Path

from builders import NOW, OFFICER
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from portal.framework.documents.files import check_file, kept
from portal.framework.documents.services import reject_document, verify_document
from portal.framework.firms import services as firms
from portal.framework.member_models import Contractor, ContractorDocument
from portal.framework.states import DocumentStatus
from portal.kernel.db import transaction
from portal.rates.price_lists.handed_in import checked_list
from portal.rates.price_lists.models import PriceList
from portal.rates.price_lists.services import Wanted, hand_in

_numbers = count(1)


def pdf_bytes(text: str = "", *, password: str | None = None) -> bytes:
    """A certificate of one page."""
    written = BytesIO()
    page = Canvas(written, encrypt=password)
    page.drawString(72, 700, text or f"Certificate {next(_numbers)}")
    page.showPage()
    page.save()
    return written.getvalue()


def picture_bytes(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB") -> bytes:
    """A photograph of a certificate, ``kind`` as Pillow calls it."""
    written = BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(written, kind)
    return written.getvalue()


def document(
    firm: Contractor,
    uploads: Path,
    *,
    kind: str = "public-liability",
    expires_on: date = date(2027, 5, 1),
    status: DocumentStatus = DocumentStatus.VERIFIED,
    name: str = "certificate.pdf",
    cover_pence: int | None = 500_000_000,
    reason: str = "The name of the company cannot be read.",
) -> ContractorDocument:
    """A document of ``firm`` with its file, as a person decided on it."""
    file = check_file(name, pdf_bytes())
    with kept(uploads, file) as stored_name, transaction():
        made = firms.hand_in_document(
            firm.id,
            kind,
            expires_on,
            file=file,
            stored_name=stored_name,
            by=firm.email,
            now=NOW,
            cover_pence=cover_pence,
        )
    if status is DocumentStatus.VERIFIED:
        with transaction():
            verify_document(made.id, by=OFFICER, now=NOW)
    elif status is DocumentStatus.REJECTED:
        with transaction():
            reject_document(made.id, reason=reason, by=OFFICER, now=NOW)
    elif status is DocumentStatus.WITHDRAWN:
        with transaction():
            firms.withdraw_waiting_document(firm.id, made.id, by=firm.email, now=NOW)
    return made


LIST_HEADER = "code,description,long_description,trade,unit,rate,components,vat\n"


def price_list(
    uploads: Path,
    content: str | bytes,
    *,
    schedule: str,
    edition: str = "2027",
    starts_on: date = date(2027, 4, 1),
    name: str = "prices.csv",
    columns: Mapping[str, str] | None = None,
    by: str = OFFICER,
) -> PriceList:
    """A price list that somebody handed in; it waits to be read."""
    file = checked_list(name, content.encode() if isinstance(content, str) else content)
    wanted = Wanted(schedule, edition, starts_on, columns=columns or {})
    with kept(uploads, file) as stored_name, transaction():
        return hand_in(wanted, file, stored_name, by=by, now=NOW)


def priced(*lines: str) -> str:
    """The text of a price list in the portal's own columns."""
    return LIST_HEADER + "".join(f"{line}\n" for line in lines)
