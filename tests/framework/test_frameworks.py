"""Frameworks set up and changed: terms, extensions, decisions on the value cap, who takes part; what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from builders import NOW, OFFICER, TODAY, authority, framework, framework_with_lot, look_again, member, unique
from flask import Flask
from sqlalchemy import func, select

from portal.config import Settings, read_settings
from portal.framework.faults import TakenTerm, WrongTerm
from portal.framework.members.services import set_member_status
from portal.framework.models import Framework, Participation
from portal.framework.roster import Roster
from portal.framework.rules import Longest, months_after
from portal.framework.states import ContractingParty, FrameworkKind, MemberStatus, Regime
from portal.framework.terms.queries import (
    authority_names,
    extensions_of,
    framework_in_full,
    in_order,
    lot_states,
)
from portal.framework.terms.services import (
    FrameworkTerms,
    add_participation,
    change_framework,
    create_framework,
    decide_on_cap,
    end_participation,
    extend_framework,
    set_lead,
    terms_of,
)
from portal.kernel.audit import events_on
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, NotFound, RuleBroken

START = date(2026, 4, 1)
TERMS = FrameworkTerms("County framework", START, date(2030, 4, 1))


def made(terms: FrameworkTerms = TERMS, code: str | None = None, longest: Longest | None = None) -> Framework:
    """A framework of these terms."""
    with transaction():
        return create_framework(code or unique("FW"), terms, by=OFFICER, now=NOW, longest=longest)


def how_many(model: type[Framework] | type[Participation]) -> int:
    look_again()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def fault_of(terms: FrameworkTerms, code: str | None = None, longest: Longest | None = None) -> tuple[str, str]:
    """At which term a new framework is refused, and the sentence; nothing may have been written."""
    before = how_many(Framework)
    with pytest.raises((WrongTerm, TakenTerm)) as refused:
        made(terms, code, longest)
    assert how_many(Framework) == before
    return refused.value.term, str(refused.value)


# Terms ----------------------------------------------------------------------------------------------------------------


def test_a_framework_keeps_its_terms_and_says_so_in_the_audit(app: Flask) -> None:
    terms = replace(
        TERMS,
        contracting_party=ContractingParty.APPLICANT,
        value_cap_pence=500_000_000,
        review_months=12,
        local_areas="al, sg5;lu",
    )

    framework_made = made(terms, "ADAPT-1")

    look_again()
    found = framework_in_full("ADAPT-1")
    assert found.id == framework_made.id
    assert (found.starts_on, found.ends_on, found.local_areas) == (START, date(2030, 4, 1), "AL SG5 LU")
    assert found.contracting_party is ContractingParty.APPLICANT
    assert [event.action for event in events_on("framework:ADAPT-1")] == ["framework added"]


def test_each_kind_stands_beside_the_others_with_terms_of_its_own(app: Flask) -> None:
    contract = made(replace(TERMS, kind=FrameworkKind.DIRECT_CONTRACT, guaranteed_jobs=4, quotes_needed=3))
    quotes = made(replace(TERMS, kind=FrameworkKind.QUOTATIONS, guaranteed_jobs=4, quotes_needed=2))

    assert (contract.guaranteed_jobs, contract.quotes_needed) == (4, None)
    assert (quotes.guaranteed_jobs, quotes.quotes_needed) == (None, 2)


@pytest.mark.parametrize(
    ("change", "term", "words"),
    [
        ({"name": "  "}, "name", "Give the framework a name"),
        ({"ends_on": START}, "ends_on", "must come after the start 1 April 2026"),
        ({"ends_on": date(2026, 3, 1)}, "ends_on", "must come after the start"),
        ({"regime": Regime.CLOSED, "ends_on": date(2030, 4, 2)}, "ends_on", "at most 4 years"),
        ({"ends_on": date(2034, 4, 2)}, "ends_on", "at most 8 years"),
        ({"value_cap_pence": 0}, "value_cap_pence", "above £0"),
        ({"review_months": 0}, "review_months", "from 1 to 120"),
        ({"review_months": 121}, "review_months", "from 1 to 120"),
        ({"kind": FrameworkKind.QUOTATIONS}, "quotes_needed", "two or three"),
        ({"kind": FrameworkKind.QUOTATIONS, "quotes_needed": 4}, "quotes_needed", "two or three"),
        ({"kind": FrameworkKind.DIRECT_CONTRACT}, "guaranteed_jobs", "state one"),
        ({"kind": FrameworkKind.DIRECT_CONTRACT, "guaranteed_pence": -1}, "guaranteed_pence", "below 0"),
        ({"local_areas": "AL " * 200}, "local_areas", "at most 400"),
    ],
)
def test_terms_that_no_framework_can_have_are_refused_at_their_field(
    app: Flask, change: dict[str, object], term: str, words: str
) -> None:
    found, sentence = fault_of(replace(TERMS, **change))  # type: ignore[arg-type]

    assert found == term
    assert words in sentence


@pytest.mark.parametrize("years", [4, 8])
def test_the_longest_term_itself_is_possible(app: Flask, years: int) -> None:
    regime = Regime.CLOSED if years == 4 else Regime.OPEN

    assert made(replace(TERMS, regime=regime, ends_on=date(2026 + years, 4, 1))).id


def test_direct_contracts_and_quotations_know_no_longest_term(app: Flask) -> None:
    assert made(replace(TERMS, kind=FrameworkKind.QUOTATIONS, quotes_needed=3, ends_on=date(2046, 4, 1))).id


def test_the_longest_term_is_a_setting(app: Flask) -> None:
    assert fault_of(replace(TERMS, regime=Regime.CLOSED), longest=Longest(closed_years=3))[0] == "ends_on"
    assert made(replace(TERMS, ends_on=date(2036, 4, 1)), longest=Longest(open_years=10)).id


def test_the_environment_sets_the_longest_terms(settings: Settings, tmp_path: object) -> None:
    read = read_settings(
        {
            "PORTAL_INSTANCE": str(tmp_path),
            "PORTAL_CLOSED_FRAMEWORK_YEARS": "3",
            "PORTAL_OPEN_FRAMEWORK_YEARS": "",
        }
    )

    assert read.longest == Longest(3, 8)
    for text in ("0", "100", "-1", "four", "4.5", "٤"):
        with pytest.raises(RuleBroken, match="PORTAL_OPEN_FRAMEWORK_YEARS"):
            read_settings({"PORTAL_INSTANCE": str(tmp_path), "PORTAL_OPEN_FRAMEWORK_YEARS": text})


@pytest.mark.parametrize(
    "code",
    ["new", "Lots", "contractors", "contractors.csv", "documents", "members", "list", "reviews", "NEW.1"],
)
def test_a_code_that_would_shadow_a_page_is_refused(app: Flask, code: str) -> None:
    term, sentence = fault_of(TERMS, code)

    assert term == "code"
    assert "belongs to a page" in sentence


@pytest.mark.parametrize("code", ["", " ", "a/b", "a b", "-a", ".", "ü", "x" * 65, "a?b", "a%2Fb"])
def test_a_code_that_no_address_can_hold_is_refused(app: Flask, code: str) -> None:
    assert fault_of(TERMS, code or " ")[0] == "code"


@pytest.mark.parametrize("again", ["ADAPT-2027", "adapt-2027"])
def test_a_code_is_taken_once(app: Flask, again: str) -> None:
    made(code="ADAPT-2027")

    assert fault_of(TERMS, again) == ("code", f"There is a framework with the code {again} already.")


def test_changed_terms_are_recorded_with_what_changed_only(app: Flask) -> None:
    home = made(code="F-1")

    with transaction():
        change_framework(home.id, replace(TERMS, value_cap_pence=100_000), by=OFFICER, now=NOW)

    assert events_on("framework:F-1")[-1].data == {"value_cap_pence": 100_000}


@pytest.mark.parametrize("ends_on", [None, date(2031, 4, 1)])
def test_a_running_framework_is_extended_not_changed_to_end_later(app: Flask, ends_on: date | None) -> None:
    home = made()

    with pytest.raises(WrongTerm, match="extend it, with a reason"), transaction():
        change_framework(home.id, replace(TERMS, ends_on=ends_on), by=OFFICER, now=NOW)

    look_again()
    assert db.session.get_one(Framework, home.id).ends_on == date(2030, 4, 1)


CAPPED = replace(TERMS, value_cap_pence=100_000)


@pytest.mark.parametrize(
    ("change", "term", "words"),
    [
        ({"starts_on": date(2026, 5, 6)}, "starts_on", "its start can no longer be changed"),
        ({"starts_on": date(2026, 3, 1)}, "starts_on", "its start can no longer be changed"),
        ({"starts_on": None}, "starts_on", "its start can no longer be changed"),
        ({"kind": FrameworkKind.QUOTATIONS, "quotes_needed": 2}, "kind", "its kind can no longer be changed"),
        ({"regime": Regime.CLOSED}, "regime", "open or closed, can no longer be changed"),
        ({"ends_on": date(2026, 5, 4)}, "ends_on", "ends today or later"),
        ({"value_cap_pence": 100_001}, "value_cap_pence", "Record the decision"),
        ({"value_cap_pence": None}, "value_cap_pence", "Record the decision"),
    ],
)
def test_what_is_settled_once_a_framework_has_started_is_refused_at_its_field(
    app: Flask, change: dict[str, object], term: str, words: str
) -> None:
    home = made(CAPPED)

    with pytest.raises(WrongTerm, match=words) as refused, transaction():
        change_framework(home.id, replace(CAPPED, **change), by=OFFICER, now=NOW)  # type: ignore[arg-type]

    assert refused.value.term == term
    look_again()
    assert terms_of(db.session.get_one(Framework, home.id)) == CAPPED


@pytest.mark.parametrize(
    "change",
    [{"ends_on": TODAY}, {"ends_on": date(2028, 4, 1)}, {"value_cap_pence": 99_999}, {"review_months": 6}],
)
def test_a_framework_that_has_started_can_end_sooner_and_cost_less(app: Flask, change: dict[str, object]) -> None:
    home = made(CAPPED)
    wanted = replace(CAPPED, **change)  # type: ignore[arg-type]

    with transaction():
        change_framework(home.id, wanted, by=OFFICER, now=NOW)

    look_again()
    assert terms_of(db.session.get_one(Framework, home.id)) == wanted


def test_terms_that_nobody_stated_can_be_stated_later(app: Flask) -> None:
    home = made(FrameworkTerms("County framework"))

    for wanted in (
        FrameworkTerms("County framework", START),
        FrameworkTerms("County framework", START, date(2030, 4, 1)),
        CAPPED,
    ):
        with transaction():
            change_framework(home.id, wanted, by=OFFICER, now=NOW)

    look_again()
    assert terms_of(db.session.get_one(Framework, home.id)) == CAPPED


def test_before_it_starts_every_term_can_be_changed(app: Flask) -> None:
    home = made(replace(CAPPED, starts_on=date(2026, 6, 1)))
    wanted = FrameworkTerms(
        "County framework", date(2026, 7, 1), date(2030, 7, 1), regime=Regime.CLOSED, value_cap_pence=200_000
    )

    with transaction():
        change_framework(home.id, wanted, by=OFFICER, now=NOW)

    look_again()
    assert terms_of(db.session.get_one(Framework, home.id)) == wanted


# Extensions and decisions ---------------------------------------------------------------------------------------------


def test_an_extension_moves_the_end_and_stays_readable(app: Flask) -> None:
    home = made()

    with transaction():
        extend_framework(home.id, date(2032, 4, 1), reason="No successor yet", by=OFFICER, now=NOW)

    look_again()
    assert db.session.get_one(Framework, home.id).ends_on == date(2032, 4, 1)
    (kept,) = extensions_of(home.id)
    assert (kept.was, kept.becomes, kept.reason) == (date(2030, 4, 1), date(2032, 4, 1), "No successor yet")


@pytest.mark.parametrize(
    ("terms", "until", "reason", "term", "words"),
    [
        (TERMS, date(2030, 4, 1), "because", "until", "must come after 1 April 2030"),
        (TERMS, date(2029, 4, 1), "because", "until", "must come after"),
        (TERMS, date(2034, 4, 2), "because", "until", "at most 8 years"),
        (replace(TERMS, regime=Regime.CLOSED), date(2031, 4, 1), "because", "until", "at most 4 years"),
        (TERMS, date(2031, 4, 1), "  ", "reason", "Give the reason"),
        (TERMS, date(2031, 4, 1), "x" * 501, "reason", "at most 500"),
        (replace(TERMS, ends_on=None), date(2031, 4, 1), "because", "until", "no end yet"),
        (FrameworkTerms("Old", date(2022, 4, 1), TODAY), date(2027, 4, 1), "because", "until", "not extended"),
    ],
)
def test_an_extension_that_cannot_be_is_refused(
    app: Flask, *, terms: FrameworkTerms, until: date, reason: str, term: str, words: str
) -> None:
    home = made(terms)

    with pytest.raises(WrongTerm, match=words) as refused, transaction():
        extend_framework(home.id, until, reason=reason, by=OFFICER, now=NOW)

    assert refused.value.term == term
    look_again()
    assert not extensions_of(home.id)
    assert db.session.get_one(Framework, home.id).ends_on == terms.ends_on


def test_a_decision_on_the_cap_needs_a_cap_a_larger_sum_and_a_reason(app: Flask) -> None:
    bare, capped = made(), made(replace(TERMS, value_cap_pence=100_000))

    with pytest.raises(WrongTerm, match="no value cap"), transaction():
        decide_on_cap(bare.id, 200_000, reason="because", by=OFFICER, now=NOW)
    with pytest.raises(WrongTerm, match=r"up to £1,000\.00 already"), transaction():
        decide_on_cap(capped.id, 100_000, reason="because", by=OFFICER, now=NOW)
    with pytest.raises(WrongTerm, match="Give the reason") as refused, transaction():
        decide_on_cap(capped.id, 150_000, reason=" ", by=OFFICER, now=NOW)
    assert refused.value.term == "reason"
    with transaction():
        decide_on_cap(capped.id, 150_000, reason="because", by=OFFICER, now=NOW)
    with pytest.raises(WrongTerm, match=r"up to £1,500\.00 already"), transaction():
        decide_on_cap(capped.id, 150_000, reason="because", by=OFFICER, now=NOW)


# Who takes part -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("from_on", "to_on"),
    [
        (None, None),
        (date(2027, 1, 1), None),
        (None, date(2026, 6, 1)),
        (date(2026, 5, 31), date(2026, 6, 2)),
    ],
)
def test_overlapping_participations_are_refused(app: Flask, from_on: date | None, to_on: date | None) -> None:
    where, home = authority(), framework()
    with transaction():
        add_participation(home, where, from_on=START, to_on=date(2026, 6, 1), by=OFFICER, now=NOW)
        add_participation(home, where, from_on=date(2027, 1, 1), by=OFFICER, now=NOW)

    with pytest.raises(Clash, match="overlaps"), transaction():
        add_participation(home, where, from_on=from_on, to_on=to_on, by=OFFICER, now=NOW)

    assert how_many(Participation) == 2


def test_an_authority_comes_back_after_it_left(app: Flask) -> None:
    where, home = authority(), framework()
    with transaction():
        add_participation(home, where, to_on=date(2026, 6, 1), by=OFFICER, now=NOW)
        add_participation(home, where, from_on=date(2026, 6, 1), by=OFFICER, now=NOW)

    look_again()
    assert [each.from_on for each in in_order(framework_in_full(home.code))] == [None, date(2026, 6, 1)]


@pytest.mark.parametrize("to_on", [START, date(2026, 3, 1)])
def test_access_cannot_end_before_it_starts(app: Flask, to_on: date) -> None:
    where, home = authority(), framework()

    with pytest.raises(WrongTerm, match="must come after the start") as refused, transaction():
        add_participation(home, where, from_on=START, to_on=to_on, by=OFFICER, now=NOW)

    assert refused.value.term == "to_on"
    assert how_many(Participation) == 0


def test_a_contractor_does_not_take_part_as_an_authority(app: Flask) -> None:
    where = authority()
    lot = framework_with_lot(where)
    firm = member(lot, areas=[where]).contractor.organisation

    with pytest.raises(WrongTerm, match="only authorities") as refused, transaction():
        add_participation(lot.framework, firm, by=OFFICER, now=NOW)
    assert refused.value.term == "authority"


def test_access_ends_today_or_later_and_before_the_authority_comes_back(app: Flask) -> None:
    where, home = authority(), framework()
    with transaction():
        first = add_participation(home, where, to_on=date(2026, 6, 1), by=OFFICER, now=NOW)
        add_participation(home, where, from_on=date(2026, 7, 1), by=OFFICER, now=NOW)

    with pytest.raises(WrongTerm, match="in the past"), transaction():
        end_participation(first.id, date(2026, 5, 4), by=OFFICER, now=NOW)
    with pytest.raises(TakenTerm, match="comes back"), transaction():
        end_participation(first.id, date(2026, 7, 2), by=OFFICER, now=NOW)
    with transaction():
        end_participation(first.id, TODAY, by=OFFICER, now=NOW)
    with pytest.raises(NotFound), transaction():
        end_participation(999, TODAY, by=OFFICER, now=NOW)


def test_one_authority_leads_and_none_that_has_left(app: Flask) -> None:
    home = framework(authority(), authority())
    first, second = (each.id for each in home.participations)
    for number in (first, second):
        with transaction():
            set_lead(number, by=OFFICER, now=NOW)

    look_again()
    assert [each.id for each in framework_in_full(home.code).participations if each.lead] == [second]
    with transaction():
        end_participation(first, TODAY, by=OFFICER, now=NOW)
    with pytest.raises(RuleBroken, match="has left"), transaction():
        set_lead(first, by=OFFICER, now=NOW)


# What a lot lacks -----------------------------------------------------------------------------------------------------


def test_a_lot_says_at_once_what_it_lacks(app: Flask) -> None:
    first, second = authority(), authority()
    lot = framework_with_lot(first, second, requirements=["ssip"])
    only = member(lot, areas=[first], rank=1, documents={"ssip": date(2026, 5, 10)})

    def state(day: date = TODAY) -> tuple[int, int, bool, tuple[str, ...]]:
        look_again()
        found = lot_states(Roster([lot.id], day), authority_names())[lot.id]
        return found.active, found.lapsed, found.empty, found.bare

    assert state() == (1, 0, False, (second.name,))
    assert state(date(2026, 5, 11)) == (1, 1, True, ())
    with transaction():
        set_member_status(only, MemberStatus.RELEASED, reason="", by=OFFICER, now=NOW)
    assert state() == (0, 0, True, ())


def test_a_lot_of_a_framework_that_ended_lacks_nothing(app: Flask) -> None:
    lot = framework_with_lot(authority(), starts_on=date(2022, 4, 1), ends_on=TODAY)

    assert not lot_states(Roster([lot.id], TODAY), {})[lot.id].empty


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 5, 5), 24, date(2028, 5, 5)),
    ],
)
def test_months_end_where_the_month_does(day: date, months: int, expected: date) -> None:
    assert months_after(day, months) == expected
