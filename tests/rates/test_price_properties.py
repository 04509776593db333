"""Prices of whole orders against a plain re-computation, for any works and terms; and what always holds of them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from portal.rates.explaining import Basis, explanation, vat_for_contractors, vat_of_part
from portal.rates.funding import funding_split
from portal.rates.pricing import (
    MINIMUM_CODE,
    PricedLine,
    Terms,
    Work,
    WorksPrices,
    band_adjustment,
    band_reached,
    price_line,
    price_order,
    quoted_lines,
    total,
)
from portal.rates.states import PriceRule
from portal.rates.vat import NEEDS, RATES, STANDARD, Declared, vat_rate, vat_reason

QUANTITIES = st.integers(1, 999_999_999).map(lambda thousandths: Decimal(thousandths) / 1000)
CODES = ("LAS010", "RAIL01", "LIFT01", "RAMP01", "DOOR01")
PENCE = st.integers(0, 10**8)
WORKS = st.lists(
    st.builds(Work, st.sampled_from(CODES), QUANTITIES, PENCE, st.booleans(), st.sampled_from(RATES)),
    min_size=1,
    max_size=6,
)
TERMS = st.builds(
    Terms,
    st.integers(-9_999, 20_000),
    st.dictionaries(st.sampled_from(CODES), PENCE, max_size=3),
    st.integers(0, 20_000),
    st.sampled_from([0, 0, 1, 25_000, 10**9]),
)
BANDS = st.lists(
    st.tuples(st.integers(1, 10**9), st.integers(-9_999, 20_000)), max_size=4, unique_by=lambda each: each[0]
)


def rounded(exact: Fraction) -> int:
    """Half up by whole numbers only: nothing of the code under test."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def plainly(work: Work, terms: Terms) -> tuple[PriceRule, int, int]:
    """The rule, the net price and the price with VAT of one line, worked out with fractions."""
    if work.code in terms.own_rates:
        rule, rate, adjustment = PriceRule.OWN_RATE, terms.own_rates[work.code], 0
    elif work.star:
        rule, rate, adjustment = PriceRule.STAR_RATE, work.rate_pence, 0
    else:
        rule, rate, adjustment = PriceRule.SCHEDULE_RATE, work.rate_pence, terms.adjustment_bp
    exact = Fraction(work.quantity) * rate * Fraction(10_000 + adjustment, 10_000)
    exact *= Fraction(10_000 + terms.uplift_bp, 10_000)
    return rule, rounded(exact), rounded(exact * Fraction(10_000 + work.vat_bp, 10_000))


@given(WORKS, TERMS)
def test_an_order_costs_what_fractions_say(works: list[Work], terms: Terms) -> None:
    lines = price_order(works, terms)

    expected = [plainly(work, terms) for work in works]
    found = [(line.rule, line.net_pence, line.total_pence) for line in lines if line.code != MINIMUM_CODE]
    assert found == expected
    assert total(lines).net_pence == max(sum(net for _, net, _ in expected), terms.minimum_pence)


@given(WORKS, TERMS)
def test_a_small_order_is_filled_up_to_the_minimum_and_no_further(works: list[Work], terms: Terms) -> None:
    lines = price_order(works, terms)

    filling = [line for line in lines if line.rule is PriceRule.MINIMUM_ORDER]
    if filling:
        (line,) = filling
        assert line is lines[-1]
        assert total(lines).net_pence == terms.minimum_pence
        assert line.vat_bp == max(each.vat_bp for each in lines[:-1])
        assert line.net_pence == line.rate_pence > 0
    else:
        assert total(lines).net_pence >= terms.minimum_pence


@given(WORKS, TERMS)
def test_a_frozen_line_comes_to_its_own_price_again(works: list[Work], terms: Terms) -> None:
    for line in price_order(works, terms):
        again = price_line(line.quantity, line.rate_pence, line.adjustment_bp, line.vat_bp, line.uplift_bp)
        assert (again.net_pence, again.vat_pence) == (line.net_pence, line.vat_pence)


@given(WORKS, st.integers(1, 10**10))
def test_the_lines_of_a_quote_come_to_the_quote(works: list[Work], amount: int) -> None:
    lines = list(quoted_lines(amount, works))

    assert total(lines).net_pence == amount
    assert [line.vat_bp for line in lines] == sorted({line.vat_bp for line in lines})
    assert {line.vat_bp for line in lines} <= {work.vat_bp for work in works}
    assert all(line.net_pence > 0 and line.rule is PriceRule.QUOTE for line in lines)


@given(WORKS, TERMS)
def test_the_price_that_members_are_compared_by_is_the_price_of_the_order(works: list[Work], terms: Terms) -> None:
    prices = WorksPrices(works, terms.uplift_bp, terms.minimum_pence)

    key = prices.key(terms.adjustment_bp, terms.own_rates)

    assert prices[key] == total(price_order(works, prices.terms(key))).net_pence
    assert prices[key] == total(price_order(works, terms)).net_pence


@given(st.integers(-9_999, 20_000), BANDS, st.integers(0, 10**9))
def test_the_highest_band_that_the_value_reaches_gives_the_adjustment(
    usual: int, bands: Sequence[tuple[int, int]], value: int
) -> None:
    reached = [each for each in sorted(bands) if each[0] <= value]

    assert band_adjustment(usual, bands, value) == (reached[-1][1] if reached else usual)
    assert band_reached(bands, value) == (reached[-1][0] if reached else 0)


@given(st.sampled_from(RATES), st.sets(st.sampled_from(list(Declared))), st.booleans())
def test_a_lower_vat_rate_needs_its_declaration_and_the_zero_rate_a_client_who_commissions(
    lowest: int, declared: set[Declared], commissions: bool
) -> None:
    rate = vat_rate(lowest, declared, client_commissions=commissions)

    allowed = lowest != STANDARD and NEEDS[lowest] in declared and (lowest != 0 or commissions)
    assert rate == (lowest if allowed else STANDARD)
    said = vat_reason(lowest, declared, client_commissions=commissions)
    assert said.startswith({0: "the zero rate", 500: "the reduced rate", STANDARD: "the standard rate"}[rate])
    # Nobody is sent for a declaration that cannot help.
    assert ("would need the client" in said) == (
        rate == STANDARD
        and lowest != STANDARD
        and vat_rate(lowest, set(Declared), client_commissions=commissions) == lowest
    )


@given(st.sets(st.sampled_from(RATES), min_size=1), st.sets(st.sampled_from(list(Declared))), st.booleans())
def test_each_part_of_a_quote_says_why_its_works_have_their_rate(
    lowest: set[int], declared: set[Declared], commissions: bool
) -> None:
    rates = {each: vat_rate(each, declared, client_commissions=commissions) for each in lowest}
    for rate in set(rates.values()):
        said = vat_of_part(rate, lowest, declared, client_commissions=commissions)

        alike = [each for each in lowest if rates[each] == rate]
        reasons = [vat_reason(each, declared, client_commissions=commissions) for each in alike]
        # As long as the column that keeps it.
        assert len(said) <= 200
        for reason in reasons:
            if "relief" not in reason:
                assert reason.partition(": ")[2] in said
        assert ("would need" in said) == any("would need" in reason for reason in reasons)
        assert ("the authority commissions" in said) == any("the authority commissions" in each for each in reasons)


@given(WORKS, TERMS, st.sampled_from([0, 500_000]))
def test_every_line_is_explained_with_its_own_figures(works: list[Work], terms: Terms, band: int) -> None:
    for line in price_order(works, terms):
        said = explanation(line, "nr", Basis("SOR 2026", band, terms.minimum_pence, "a reason"))

        assert f"£{line.rate_pence // 100:,}.{line.rate_pence % 100:02}" in said
        assert f"£{line.net_pence // 100:,}.{line.net_pence % 100:02} before VAT" in said
        assert f"VAT {line.vat_bp // 100} %" in said
        assert ("SOR 2026" in said) == (line.rule is not PriceRule.MINIMUM_ORDER)
        assert ("the adjustment for jobs from £5,000" in said) == (
            line.rule is PriceRule.SCHEDULE_RATE and line.adjustment_bp != 0 and band > 0
        )
        assert said.endswith(".")
        assert "None" not in said


def test_an_explanation_worked_out_by_hand() -> None:
    line = price_line(Decimal("4.5"), 4_100, -250, 0, 2_000)
    why = vat_reason(0, {Declared.DISABLED_PERSON}, client_commissions=True)

    said = explanation(line, "m", Basis("SOR 2026", 500_000, vat_why=why))

    assert said == (
        "4.5 m at £41.00, the rate of SOR 2026; −2.5 %, the adjustment for jobs from £5,000; +20 % out of hours; "
        "£215.87 before VAT, rounded half up from £215.865; VAT 0 %, £0.00, the zero rate: works for a disabled person "
        "who commissions them, with a declaration."
    )


def test_the_other_rules_are_explained_by_name() -> None:
    basis = Basis("SOR 2026", minimum_pence=25_000, vat_why="the standard rate")
    filling = PricedLine(Decimal(1), 3_500, 0, 2_000, 3_500, 700, rule=PriceRule.MINIMUM_ORDER)
    own = PricedLine(Decimal(2), 1_200, 0, 2_000, 2_400, 480, rule=PriceRule.OWN_RATE)
    star = PricedLine(Decimal(2), 1_200, 0, 2_000, 2_400, 480, rule=PriceRule.STAR_RATE)
    (quote,) = quoted_lines(405_800, [Work("LIFT01", Decimal(1), 400_000)])

    assert "what the lines lack of the lot’s minimum order of £250.00" in explanation(filling, "order", basis)
    assert "the highest rate of the other lines" in explanation(filling, "order", basis)
    assert "2 nr at £12.00, the contractor’s own rate" in explanation(own, "nr", basis)
    assert "the star rate agreed" in explanation(star, "nr", basis)
    assert "£4,058.00 before VAT, from the contractor’s quote" in explanation(quote, "job", basis)


def test_a_contractor_is_told_the_vat_rate_and_nothing_of_the_client() -> None:
    for rate in RATES:
        said = vat_for_contractors(rate)
        assert not {"disabled", "60", "person"} & set(said.replace(",", " ").split())


@given(PENCE, PENCE, PENCE, PENCE)
def test_grant_contribution_and_top_up_always_come_to_the_total(
    whole: int, contribution: int, agreed: int, cap: int
) -> None:
    split = funding_split(whole, contribution_pence=contribution, agreed_pence=agreed, cap_pence=cap)

    parts = (split.grant_pence, split.contribution_pence, split.top_up_pence)
    assert sum(parts) == whole
    assert min(*parts, split.uncovered_pence) >= 0
    assert split.grant_pence <= cap
    assert split.contribution_pence <= contribution
    assert split.uncovered_pence <= split.top_up_pence
    # Nothing is left to top up as long as the grant could still pay it.
    assert split.top_up_pence == 0 or split.grant_pence == cap
