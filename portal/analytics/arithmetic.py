"""Rules before statistics: what plain arithmetic sees in a price, however few prices there are to compare it with.

Each rule takes plain values and answers with a sentence, or ``None`` when there is nothing to say. Money is integer
pence; quantities and rates (in pounds, to any number of decimals) are exact decimals.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from decimal import Decimal

from portal.kernel.money import half_up, pounds, shown

#: Quantity × rate may miss the amount by a penny, for whoever rounds otherwise than half up.
TOLERANCE_PENCE = 1
#: How near a ratio must come to 10 or 1.2 to be called that: half a per cent, which covers rounding to whole pounds.
NEARNESS = Decimal("0.005")
SLIPS = {
    Decimal(10): "10 times", Decimal(100): "100 times", Decimal("0.1"): "a tenth of", Decimal("0.01"): "a hundredth of",
}  # fmt: skip
VAT = {Decimal("1.2"): "20 %", Decimal("1.05"): "5 %"}
#: Units that say the quantity is itself money; a rate of 1 then only holds the place of a sum.
CURRENCY_UNITS = frozenset({"$", "£", "€", "usd", "gbp", "eur", "dollar", "dollars", "pound", "pounds", "euro"})
#: Ways of writing the same unit. Left: the folded spelling; right: the one that stands for all.
SAME_UNITS = {
    "each": "no", "ea": "no", "nr": "no", "number": "no", "item": "no", "u": "no", "ud": "no",
    "lm": "m", "lin m": "m", "metre": "m", "metres": "m", "linear metre": "m", "ml": "m",
    "sqm": "m2", "sq m": "m2", "m²": "m2", "square metre": "m2", "square metres": "m2",
    "cum": "m3", "cu m": "m3", "m³": "m3", "cubic metre": "m3", "cubic metres": "m3",
    "hour": "h", "hours": "h", "hr": "h", "hrs": "h", "days": "day", "wk": "week", "weeks": "week",
}  # fmt: skip


def product_differs(quantity: Decimal, rate: Decimal, amount: int) -> str | None:
    """Whether quantity × rate (half up to the penny) is not the amount, and what it looks like."""
    exact = quantity * rate * 100
    if abs(half_up(exact) - amount) <= TOLERANCE_PENCE:
        return None
    sentence = f"{quantity:f} × {rate:f} is {shown(half_up(exact))}, but the amount says {shown(amount)}"
    guess = _likeness(Decimal(amount), exact)
    return f"{sentence}{f', {guess}' if guess else ''}; correct the one that is wrong."


def total_differs(amounts: Iterable[int], stated: int) -> str | None:
    """Whether the lines' ``amounts`` do not add up to the ``stated`` total. All in pence; no tolerance."""
    lines = list(amounts)
    computed = sum(lines)
    if computed == stated:
        return None
    guess = _likeness(Decimal(stated), Decimal(computed))
    remark = guess or f"a difference of {shown(stated - computed)}"
    return (
        f"The {len(lines)} lines add up to {shown(computed)}, but the total says {shown(stated)}, {remark}; "
        "check for a line that is left out, or there twice."
    )


def looks_like_known(price: int, known: int) -> str | None:
    """Whether ``price`` is a decimal slip of a ``known`` price (10 or 100 times, or a part), or holds VAT as well."""
    guess = _likeness(Decimal(price), Decimal(known))
    return f"The price of {shown(price)} stands beside a known {shown(known)}, {guess}." if guess else None


def _likeness(figure: Decimal, known: Decimal) -> str:
    """What ``figure`` may be, seen from ``known``: a phrase, or nothing."""
    if figure <= 0 or known <= 0:
        return ""
    ratio = figure / known
    for factor, words in SLIPS.items():
        if abs(ratio / factor - 1) <= NEARNESS:
            return f"as if a decimal point had slipped: {words} it"
    for factor, percent in VAT.items():
        # Nearer than for slips: 1.2 and 1.05 are ordinary ratios, ten is not.
        if abs(ratio / factor - 1) <= NEARNESS / 10:
            return f"as if VAT of {percent} were included in it"
    return ""


def unit_differs(unit: str, known: str) -> str | None:
    """Whether ``unit`` is not the ``known`` one of the schedule, spelling apart (``m²`` and ``sqm`` are one)."""
    if _unit(unit) == _unit(known):
        return None
    return f"The unit is {unit or 'missing'}, but the schedule prices it per {known}; their prices cannot be compared."


def _unit(unit: str) -> str:
    folded = " ".join(unit.casefold().replace(".", " ").split())
    return SAME_UNITS.get(folded, folded)


def placeholder(price: Decimal, unit: str | None) -> str | None:
    """Whether a price (in pounds) only holds a place: 0, or exactly 1 in a currency unit."""
    if price == 0:
        return "The price is 0, which is no price; the line is set aside."
    if price == 1 and unit is not None and unit.strip().casefold() in CURRENCY_UNITS:
        return f"The price is 1 in the unit {unit.strip()}, which only holds the place of a sum; the line is set aside."
    return None


def repeats(lines: Sequence[Hashable]) -> dict[int, int]:
    """Which lines stand there twice: position → position of the first line that is the same."""
    first: dict[Hashable, int] = {}
    return {at: earlier for at, line in enumerate(lines) if (earlier := first.setdefault(line, at)) != at}


def per_unit(amount: int, quantity: Decimal) -> Decimal:
    """The price of one, in pounds, exact as far as decimals go. ``quantity`` must not be 0."""
    return Decimal(pounds(amount)) / quantity
