"""Keep price indices: bring a table of months in, add months to it, correct values. Reviews keep what they used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.framework.faults import WrongTerm
from portal.kernel import audit
from portal.kernel.db import db
from portal.rates.reviews.index_file import IndexFile
from portal.rates.reviews.models import IndexMonth, PriceIndex

_CODE = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class IndexChange:
    """What a file did to an index: how many months are new, have another value now, and stood there already."""

    index: PriceIndex
    added: int
    corrected: int
    same: int


def import_index(file: IndexFile, *, code: str, name: str = "", by: str, now: datetime) -> IndexChange:
    """Bring the months of ``file`` into the index ``code``, which is made when it is new; months that the file does not
    name stay. An index that is there keeps its name when none is given.

    Raises ``WrongTerm`` for a code or a name that cannot be.
    """
    code, name = code.strip().upper(), " ".join(name.split())
    if not _CODE.fullmatch(code):
        raise WrongTerm("A code has letters, digits, points and hyphens, at most 64, such as CPI or BCIS-ALL.", "code")
    if len(name) > 200:
        raise WrongTerm("The name has at most 200 characters.", "name")
    index = db.session.scalar(select(PriceIndex).where(PriceIndex.code == code).with_for_update())
    if index is None:
        if not name:
            raise WrongTerm(f"{code} is new; give it a name, such as Consumer prices index.", "name")
        index = PriceIndex(code=code, months=[])
        db.session.add(index)
    index.name = name or index.name
    index.source = file.name[:255]
    index.updated_by, index.updated_at = by, now
    standing = {each.month: each for each in index.months}
    added = corrected = 0
    for month, value in sorted(file.months.items()):
        if month not in standing:
            index.months.append(IndexMonth(month=month, value=value))
            added += 1
        elif standing[month].value != value:
            standing[month].value = value
            corrected += 1
    db.session.flush()
    audit.record(
        "price index imported",
        f"price-index:{code}",
        at=now,
        actor=by,
        months=len(file.months),
        added=added,
        corrected=corrected,
    )
    return IndexChange(index, added, corrected, len(file.months) - added - corrected)
