"""What a new list changes against an edition: new, gone, dearer, cheaper, another unit or text. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from portal.rates.schedule_file import ItemRow


class Kind(StrEnum):
    """What can have happened to an item; a changed one can be of several kinds."""

    NEW = "new"
    GONE = "gone"
    UP = "up"
    DOWN = "down"
    UNIT = "unit"
    DESCRIPTION = "description"
    VAT = "vat"
    PARTS = "parts"
    #: Trade, standard minutes, withdrawal.
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Change:
    """An item as it was and as it would be, with the kinds of change between them."""

    before: ItemRow
    after: ItemRow
    kinds: frozenset[Kind]

    @property
    def code(self) -> str:
        """The item's code, the same on both sides."""
        return self.after.code

    @property
    def pence(self) -> int:
        """By how much the rate rises, in pence; below zero when it falls."""
        return self.after.rate_pence - self.before.rate_pence

    @property
    def share_bp(self) -> int | None:
        """The same as a share of the old rate in basis points, half up; ``None`` when the old rate was nothing."""
        return share(self.pence, self.before.rate_pence)


def share(part: int, whole: int) -> int | None:
    """``part`` of ``whole`` in basis points, half away from zero; ``None`` of nothing."""
    if not whole:
        return None
    # In whole numbers: a list has a hundred thousand rates to sort by.
    size = (abs(part) * 20_000 + whole) // (2 * whole)
    return size if part >= 0 else -size


@dataclass(slots=True)
class Differences:
    """Every difference. ``new``, ``gone`` and ``changed`` stand in the order of their lists; ``same`` counts others."""

    new: list[ItemRow] = field(default_factory=list)
    gone: list[ItemRow] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    same: int = 0

    @property
    def counts(self) -> dict[Kind, int]:
        """How many items each kind has, zeros included."""
        counts = dict.fromkeys(Kind, 0)
        counts[Kind.NEW], counts[Kind.GONE] = len(self.new), len(self.gone)
        for change in self.changed:
            for kind in change.kinds:
                counts[kind] += 1
        return counts

    @property
    def nothing(self) -> bool:
        """Whether both lists say the same."""
        return not (self.new or self.gone or self.changed)

    def changes(self, kind: Kind) -> list[Change]:
        """The changed items of one kind: rates by how much they move, the largest first; others by code."""
        found = [change for change in self.changed if kind in change.kinds]
        if kind in (Kind.UP, Kind.DOWN):
            return sorted(found, key=_by_size)
        return sorted(found, key=lambda change: change.code)

    @property
    def largest(self) -> list[Change]:
        """Every item whose rate moves, the largest share first."""
        return sorted((each for each in self.changed if each.pence), key=_by_size)


def _by_size(change: Change) -> tuple[bool, int, int, str]:
    """Out of nothing first: no share can be given for it; then by share, by pence, by code."""
    by = change.share_bp
    return by is not None, -abs(by or 0), -abs(change.pence), change.code


def differences(before: Iterable[ItemRow], after: Iterable[ItemRow]) -> Differences:
    """What ``after`` changes against ``before``; a code stands for the same item on both sides.

    Holds ``before`` in memory, lets go of what is the same while ``after`` passes by.
    """
    known = {item.code: item for item in before}
    found = Differences()
    for item in after:
        old = known.pop(item.code, None)
        if old is None:
            found.new.append(item)
        elif old != item and (kinds := kinds_of(old, item)):
            found.changed.append(Change(old, item, kinds))
        else:
            found.same += 1
    found.gone.extend(known.values())
    return found


def kinds_of(old: ItemRow, new: ItemRow) -> frozenset[Kind]:
    """Everything in which two items of one code differ; the order of a composite's parts does not count."""
    return frozenset(
        kind
        for kind, differs in (
            (Kind.UP, new.rate_pence > old.rate_pence),
            (Kind.DOWN, new.rate_pence < old.rate_pence),
            (Kind.UNIT, new.unit != old.unit),
            (
                Kind.DESCRIPTION,
                (new.description, new.long_description) != (old.description, old.long_description),
            ),
            (Kind.VAT, new.vat_bp != old.vat_bp),
            (Kind.PARTS, new.composite != old.composite or dict(new.parts) != dict(old.parts)),
            (
                Kind.OTHER,
                (new.trade, new.smv, new.withdrawn_on, new.withdrawn_reason)
                != (old.trade, old.smv, old.withdrawn_on, old.withdrawn_reason),
            ),
        )
        if differs
    )
