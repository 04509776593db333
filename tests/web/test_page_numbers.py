"""Which pages of a long list get a link."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portal.web.pages import page_numbers


def test_a_long_list_links_its_ends_and_the_neighbours() -> None:
    assert page_numbers(5, 20) == [1, None, 4, 5, 6, None, 20]


def test_a_gap_of_one_page_is_shown_instead_of_dots() -> None:
    assert page_numbers(4, 7) == [1, 2, 3, 4, 5, 6, 7]


@given(st.data(), st.integers(min_value=1, max_value=400))
def test_numbers_rise_and_dots_stand_only_for_two_pages_or_more(data: st.DataObject, pages: int) -> None:
    current = data.draw(st.integers(min_value=1, max_value=pages))

    shown = page_numbers(current, pages)

    numbers = [number for number in shown if number is not None]
    assert numbers == sorted(set(numbers))
    assert {1, current, pages} <= set(numbers)
    assert len(shown) <= 9
    for place, number in enumerate(shown):
        before, after = shown[place - 1 : place], shown[place + 1 : place + 2]
        if number is None:
            assert before[0] is not None
            assert after[0] is not None
            assert after[0] - before[0] > 2
        elif before and before[0] is not None:
            assert number == before[0] + 1
