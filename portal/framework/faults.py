"""Refusals that name the term they are about, so that a form can show them at the right field."""

from __future__ import annotations

from portal.kernel.errors import Clash, RuleBroken


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
