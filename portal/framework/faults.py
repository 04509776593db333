"""Refusals that several rooms make, and those that name the term they are about, for a form to show at its field."""

from __future__ import annotations

from collections.abc import Collection

from portal.framework.rules import Period, overlapping
from portal.kernel.clock import date_text
from portal.kernel.errors import Clash, RuleBroken

#: Longest reason for a step or a decision, in characters.
LONGEST_REASON = 500


class WrongTerm(RuleBroken):
    """A term that cannot be; ``term`` is its name as the service's arguments and dataclasses call it."""

    def __init__(self, message: str, term: str) -> None:
        self.term = term
        super().__init__(message)


class TakenTerm(Clash):
    """A term that something else holds already; ``term`` as in ``WrongTerm``."""

    def __init__(self, message: str, term: str) -> None:
        self.term = term
        super().__init__(message)


def checked_reason(reason: str, *, needed: bool) -> str:
    """The reason without idle space; ``RuleBroken`` when it is missing or too long."""
    reason = " ".join(reason.split())
    if needed and not reason:
        raise RuleBroken("Give the reason; it is kept with the membership and shown to the contractor.")
    if len(reason) > LONGEST_REASON:
        raise RuleBroken(f"The reason has {len(reason)} characters; at most {LONGEST_REASON} fit.")
    return reason


def refuse_overlap(period: Period, others: Collection[Period], what: str) -> None:
    """``Clash`` when ``period`` shares a day with one of ``others``; ``RuleBroken`` when it ends before it starts."""
    first, end = period
    if first is not None and end is not None and end <= first:
        raise RuleBroken(f"The end {date_text(end)} must come after the start {date_text(first)}.")
    if (other := overlapping(period, others)) is not None:
        begins = date_text(other[0]) if other[0] else "the beginning"
        ends = date_text(other[1]) if other[1] else "further notice"
        raise Clash(f"{what} has a period from {begins} until {ends} already; the new one overlaps it.")
