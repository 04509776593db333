"""The only door from the database to pandas, and the only place where exact money turns into floats.

Nothing computed behind it is ever written back as a price.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.accounts.models import Organisation
from portal.analytics.models import Quote
from portal.analytics.price_file import Grouping, Prices
from portal.framework.member_models import Contractor
from portal.kernel.db import db
from portal.kernel.money import pounds

#: What stands as the file of a price that came from the database.
SOURCE = "quotes"
BY = (Grouping("work_type", "work_type"), Grouping("authority", "authority"))


def quoted_prices(work_type: str, since: date | None = None) -> Prices:
    """The quotes for one work type, by authority, ready to benchmark; from ``since`` on where given.

    The frame's ``row`` is the quote's id, so that every mark leads back to its quote.
    """
    contractor, authority = aliased(Organisation), aliased(Organisation)
    query = (
        select(Quote.id, Quote.reference, authority.name, contractor.name, Quote.quantity, Quote.amount_pence)
        .join(authority, authority.id == Quote.authority_id)
        .join(Contractor, Contractor.id == Quote.contractor_id)
        .join(contractor, contractor.id == Contractor.organisation_id)
        .where(Quote.work_type == work_type)
        .order_by(Quote.id)
    )
    rows = db.session.execute(query if since is None else query.where(Quote.quoted_on >= since)).all()
    price = np.array([float(amount / quantity) for *_, quantity, amount in rows], dtype=np.float64)
    frame = pd.DataFrame(
        {
            "file": SOURCE,
            "row": [row[0] for row in rows],
            "reference": [row[1] for row in rows],
            "contractor": [row[3] for row in rows],
            "unit": None,
            "tender": None,
            "code": None,
            "amount": [pounds(row[5]) for row in rows],
            "stated": price,
            "price": np.where(price > 0, price, np.nan),
            "by_0": work_type,
            "by_1": [row[2] for row in rows],
            "reason": ["" if amount else "A price of nothing is set aside." for *_, amount in rows],
        }
    )
    return Prices(frame, BY, read=len(rows), bases={SOURCE: "amount per unit of quantity"})
