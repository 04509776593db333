"""Problems in bounds: a hostile file has millions of bad cells, and an object for each would fill the memory.

The first some thousands are kept, as many as anybody works through; of the others their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice

from portal.kernel.errors import Problem

#: How many problems of one file are kept.
MOST_PROBLEMS = 5_000


def first_problems(*problems: Iterable[Problem]) -> tuple[list[Problem], int]:
    """The first ``MOST_PROBLEMS`` of some that are made one by one, and how many more there are."""
    following = chain(*problems)
    kept = list(islice(following, MOST_PROBLEMS))
    return kept, sum(1 for _ in following)


class Faults:
    """The bad places of a column (or of all rows), each with its sentence; the sentences of the first thousands alone.

    A place beyond those costs one byte.
    """

    __slots__ = ("_beyond", "_sentences", "more")

    def __init__(self) -> None:
        self._sentences: dict[int, str] = {}
        self._beyond = bytearray()
        #: How many places are known without a sentence.
        self.more = 0

    def __len__(self) -> int:
        return len(self._sentences) + self.more

    def __contains__(self, at: int) -> bool:
        return at in self._sentences or (at < len(self._beyond) and bool(self._beyond[at]))

    def __setitem__(self, at: int, sentence: str) -> None:
        """The place ``at`` is bad, and why; a later sentence takes the place of an earlier one."""
        if at in self._sentences or (len(self._sentences) < MOST_PROBLEMS and at not in self):
            self._sentences[at] = sentence
        elif at not in self:
            if at >= len(self._beyond):
                self._beyond.extend(bytes(max(at + 1, 2 * len(self._beyond)) - len(self._beyond)))
            self._beyond[at] = 1
            self.more += 1

    def add(self, at: int, sentence: str) -> None:
        """The place ``at`` is bad, unless that is known already."""
        if at not in self:
            self[at] = sentence

    def named(self) -> Iterable[tuple[int, str]]:
        """The places that have a sentence."""
        return self._sentences.items()

    def places(self) -> Iterator[int]:
        """Every bad place."""
        yield from self._sentences
        if self.more:
            yield from (at for at, bad in enumerate(self._beyond) if bad)

    def moved(self, places: Mapping[int, int]) -> Faults:
        """The faults of the places that are kept, each at its new place."""
        found = Faults()
        for at, sentence in self._sentences.items():
            if at in places:
                found[places[at]] = sentence
        if self.more:
            for at, bad in enumerate(self._beyond):
                if bad and at in places:
                    found[places[at]] = "The cell cannot be read."
        return found
