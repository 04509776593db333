"""The ways a service says no. One place in the web and one in the command line turn them into answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what came in: where it stands, and what to do about it.

    ``row`` counts from 1 as a person sees it in the file; ``None`` means the whole file or sheet.
    ``message`` is a whole sentence: what is wrong, and what would be right.
    """

    file: str
    message: str
    row: int | None = None
    column: str | None = None
    sheet: str | None = None
    page: int | None = None

    def __str__(self) -> str:
        place = [self.file]
        if self.sheet:
            place.append(f"sheet {self.sheet}")
        if self.page is not None:
            place.append(f"page {self.page}")
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: {self.message}"

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


class PortalError(Exception):
    """Any refusal the portal makes on purpose; ``str()`` is a sentence for the person who asked."""


class RuleBroken(PortalError):
    """What was asked is against a rule of the field (422)."""


class NotAllowed(PortalError):
    """The person may not do this (403)."""


class NotFound(PortalError):
    """There is no such record, or it is not the person's to see (404)."""


class WrongState(PortalError):
    """The record has moved on and the action no longer applies (409)."""


class Clash(PortalError):
    """Somebody else did it first, or such a record exists already (409)."""


class InputRefused(PortalError):
    """A file or a set of values was refused whole; nothing was written (422).

    ``more`` is how many problems there are besides those that are named.
    """

    def __init__(self, problems: Sequence[Problem], more: int = 0) -> None:
        self.problems = tuple(problems)
        self.more = more
        named = len(self.problems)
        super().__init__(
            f"{named} problem{'s' if named != 1 else ''} found{f' and {more:,} more' if more else ''}; "
            "nothing was changed."
        )
