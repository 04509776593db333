"""Setting frameworks up and running them on pages: every form, each refusal at its field, and who may do what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import pytest
from builders import NOW, OFFICER, TODAY, authority, framework, framework_with_lot, look_again, member, person
from fixture_types import AT_MOST
from flask import Flask
from sqlalchemy import func, select
from strict_client import Page, StrictClient

from portal.accounts.models import Person
from portal.accounts.policy import Role
from portal.framework.member_models import Member, RankEdition
from portal.framework.members.ranks import ranks_on
from portal.framework.members.services import apply_for_lot, set_member_status
from portal.framework.models import Framework, Lot, Review
from portal.framework.queries import lot_by_id
from portal.framework.states import FrameworkKind, MemberStatus, Regime, ReviewStatus
from portal.framework.terms.queries import cap_decisions_of, extensions_of, framework_in_full
from portal.framework.terms.services import FrameworkTerms, add_participation, create_framework
from portal.kernel.db import db, transaction

START, END = date(2025, 4, 1), date(2029, 4, 1)
NEW: Mapping[str, str | bool] = {
    "Code": "ADAPT-2027",
    "Name": "County framework",
    "Framework agreement": True,
}


@pytest.fixture
def manager(app: Flask, sign_in: Callable[[Person], StrictClient]) -> StrictClient:
    """A framework manager, signed in."""
    return sign_in(person(Role.FRAMEWORK_MANAGER))


@pytest.fixture
def home(app: Flask) -> Framework:
    """An open framework of one authority, with a cap and yearly reviews."""
    where = authority()
    with transaction():
        made = create_framework(
            "COUNTY",
            FrameworkTerms("County framework", START, END, value_cap_pence=1_000_000, review_months=12),
            by=OFFICER,
            now=NOW,
        )
        add_participation(made, where, by=OFFICER, now=NOW)
        return made


def day(legend: str, on: date) -> dict[str, str]:
    """The three boxes of a date."""
    return {
        f"{legend}: Day": str(on.day),
        f"{legend}: Month": str(on.month),
        f"{legend}: Year": str(on.year),
    }


def errors(page: Page) -> dict[str, str]:
    """The page's error summary: each sentence by the field that it leads to; every field must be there."""
    found = {}
    for link in page.soup.select(".govuk-error-summary__list a"):
        field = str(link["href"]).removeprefix("#")
        assert page.soup.find(id=field), f"the error leads to {field}, which is not there"
        found[field] = link.get_text(strip=True)
    assert page.title.startswith("Error: ") is bool(found)
    return found


def fresh() -> None:
    """Forget everything that this test's session knows, also what it made itself."""
    look_again()
    db.session.expire_all()


def how_many(model: type) -> int:
    look_again()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


# Frameworks -----------------------------------------------------------------------------------------------------------


def test_a_manager_sets_a_framework_up(manager: StrictClient) -> None:
    where = authority()
    form = manager.get("/framework").click("Add a framework")

    one = form.client.follow(
        form.submit(
            "Save the terms",
            {
                **NEW,
                "Open": True,
                **day("Starts on", date(2026, 6, 1)),
                **day("Ends on", date(2034, 6, 1)),
                "Value cap in pounds (optional)": "£5,000,000.50",
                "Months between reviews (optional)": "12",
                "Where a contractor counts as local (optional)": "al sg5",
            },
        )
    )

    assert one.h1 == "ADAPT-2027 County framework"
    assert "£5,000,000.50" in one.text
    assert "1 June 2026 until 1 June 2034" in one.text
    assert "To come" in one.text
    assert "No authority takes part" in one.text
    added = one.click("Add an authority").submit("Add the authority", {"Authority": where.name})
    two = manager.follow(added)
    assert "No authority leads this framework yet" in two.text
    three = manager.follow(two.submit(f"Let it lead : {where.name}"))
    assert "Leads the framework" in three.text


@pytest.mark.parametrize(
    ("entered", "field", "words"),
    [
        ({"Code": "new"}, "code", "belongs to a page"),
        ({"Code": "a/b"}, "code", "A code has 1 to 64"),
        ({"Code": "county"}, "code", "already"),
        ({"Code": ""}, "code", "Enter a code"),
        ({"Name": ""}, "name", "Enter the name"),
        ({"Framework agreement": False}, "kind", "Choose how work is bought"),
        (
            {**day("Starts on", START), **day("Ends on", START)},
            "ends_on",
            "must come after the start 1 April 2025",
        ),
        ({**day("Starts on", START), **day("Ends on", date(2033, 4, 2))}, "ends_on", "at most 8 years"),
        (
            {"Closed": True, **day("Starts on", START), **day("Ends on", date(2029, 4, 2))},
            "ends_on",
            "at most 4 years",
        ),
        ({"Starts on: Day": "31", "Starts on: Month": "2", "Starts on: Year": "2026"}, "starts_on", "as numbers"),
        ({"Starts on: Day": "1"}, "starts_on", "as numbers"),
        ({"Value cap in pounds (optional)": "five"}, "value_cap_pence", "amount in pounds"),
        ({"Value cap in pounds (optional)": "0"}, "value_cap_pence", "above £0"),
        ({"Value cap in pounds (optional)": "-5"}, "value_cap_pence", "below £0"),
        ({"Value cap in pounds (optional)": "1" * 14}, "value_cap_pence", "at most"),
        ({"Months between reviews (optional)": "0"}, "review_months", "from 1 to 120"),
        ({"Months between reviews (optional)": "1.5"}, "review_months", "whole number"),
        ({"Direct contract": True}, "guaranteed_jobs", "state one"),
        ({"Where a contractor counts as local (optional)": "A" * 401}, "local_areas", "at most 400"),
    ],
)
def test_wrong_terms_are_said_at_their_field_and_nothing_is_written(
    manager: StrictClient, home: Framework, entered: dict[str, str | bool], field: str, words: str
) -> None:
    page = manager.get("/framework/new").submit("Save the terms", {**NEW, **entered}, status=422)

    assert words in errors(page)[field]
    assert list(errors(page)) == [field]
    assert how_many(Framework) == 1


def test_terms_are_changed_and_what_was_there_stands_in_the_form(manager: StrictClient, home: Framework) -> None:
    form = manager.get("/framework/COUNTY").click("Change the terms")
    assert "This framework has started." in form.text
    emptied = form.submit("Save the terms", {"Value cap in pounds (optional)": ""}, status=422)
    assert "Record the decision" in errors(emptied)["value_cap_pence"]
    changes: dict[str, str | bool] = {"Value cap in pounds (optional)": "900", "The applicant orders the works": True}

    changed = manager.follow(form.submit("Save the terms", changes))

    assert "The applicant" in changed.text
    fresh()
    found = framework_in_full("COUNTY")
    assert (found.value_cap_pence, found.starts_on, found.ends_on, found.review_months) == (90_000, START, END, 12)


def test_emptied_dates_are_taken_away(manager: StrictClient) -> None:
    with transaction():
        create_framework("LATER", FrameworkTerms("Later", date(2027, 4, 1), date(2030, 4, 1)), by=OFFICER, now=NOW)
    empty = {f"Ends on: {part}": "" for part in ("Day", "Month", "Year")}

    manager.get("/framework/LATER/edit").submit("Save the terms", empty)

    look_again()
    assert framework_in_full("LATER").ends_on is None


def test_a_running_framework_is_not_changed_to_end_later(manager: StrictClient, home: Framework) -> None:
    form = manager.get("/framework/COUNTY/edit")

    page = form.submit("Save the terms", day("Ends on", date(2030, 4, 1)), status=422)

    assert "extend it, with a reason" in errors(page)["ends_on"]


def test_a_framework_is_extended_with_a_reason(manager: StrictClient, home: Framework) -> None:
    form = manager.get("/framework/COUNTY").click("Extend the framework")
    for entered, field, words in (
        ({"Reason": "No successor"}, "until", "Enter the new end"),
        ({**day("The new end", date(2030, 4, 1))}, "reason", "Give the reason"),
        ({**day("The new end", END), "Reason": "No successor"}, "until", "must come after 1 April 2029"),
        ({**day("The new end", date(2034, 4, 1)), "Reason": "No successor"}, "until", "at most 8 years"),
    ):
        assert words in errors(form.submit("Extend the framework", entered, status=422))[field]
    assert not extensions_of(home.id)

    done = manager.follow(
        form.submit("Extend the framework", {**day("The new end", date(2031, 4, 1)), "Reason": "No successor"})
    )

    assert "1 April 2025 until 1 April 2031" in done.text
    assert "No successor" in done.text


def test_a_decision_beyond_the_cap_is_recorded(manager: StrictClient, home: Framework) -> None:
    form = manager.get("/framework/COUNTY").click("Decide to go beyond the value cap")
    button, label = "Record the decision", "Call-offs may go up to, in pounds"
    for entered, field, words in (
        ({"Reason": "Winter"}, "allowed_pence", "Enter the amount"),
        ({label: "10,000", "Reason": "Winter"}, "allowed_pence", "up to £10,000.00 already"),
        ({label: "12,000"}, "reason", "Give the reason"),
    ):
        assert words in errors(form.submit(button, entered, status=422))[field]
    assert not cap_decisions_of(home.id)

    done = manager.follow(form.submit(button, {label: "12,000", "Reason": "Winter"}))

    assert "£12,000.00" in done.text


def test_a_framework_without_a_cap_has_nothing_to_decide(manager: StrictClient) -> None:
    code = framework(authority()).code
    form = manager.get(f"/framework/{code}/cap-decision")

    page = form.submit(
        "Record the decision", {"Call-offs may go up to, in pounds": "1", "Reason": "Winter"}, status=422
    )

    assert "no value cap" in errors(page)["allowed_pence"]


# Who takes part -------------------------------------------------------------------------------------------------------


def test_overlapping_access_is_refused_at_the_dates(manager: StrictClient, home: Framework) -> None:
    name = home.participations[0].authority.name
    form = manager.get("/framework/COUNTY/authorities/new")

    overlap = form.submit("Add the authority", {"Authority": name}, status=422)
    backwards = form.submit(
        "Add the authority",
        {"Authority": name, **day("From (optional)", END), **day("Until (optional)", START)},
        status=422,
    )

    assert "overlaps" in errors(overlap)["from_on"]
    assert "must come after the start" in errors(backwards)["to_on"]
    assert "Choose the authority" in errors(form.submit("Add the authority", status=422))["authority"]
    look_again()
    assert len(framework_in_full("COUNTY").participations) == 1


def test_access_ends_on_a_day(manager: StrictClient, home: Framework) -> None:
    name = home.participations[0].authority.name
    form = manager.get("/framework/COUNTY").click(f"End access of {name}")
    past = form.submit("Let the access end", day("First day without access", date(2026, 5, 4)), status=422)
    assert "in the past" in errors(past)["to_on"]

    done = manager.follow(form.submit("Let the access end", day("First day without access", TODAY)))

    assert "Left" in done.text
    assert "No authority takes part" in done.text


def test_a_participation_is_reached_through_its_own_framework_only(manager: StrictClient, home: Framework) -> None:
    other = framework(authority())
    number = home.participations[0].id

    manager.get(f"/framework/{other.code}/authorities/{number}/end", status=404)


# Lots -----------------------------------------------------------------------------------------------------------------


def test_a_manager_sets_a_lot_up(manager: StrictClient, home: Framework) -> None:
    where = home.participations[0].authority
    form = manager.get("/framework/COUNTY").click("Add a lot")

    page = manager.follow(
        form.submit(
            "Save the lot",
            {
                "Name of the lot": "Lifts",
                "Work types, one a line": "Stair lift\r\nThrough-floor lift\r\n",
                where.name: True,
                "Postcode districts (optional)": "rg1, rg2",
                "Jobs from, in pounds": "500",
                "Jobs below, in pounds": "10,000",
                "Answer: priority": "6",
                "Public liability insurance: Required": True,
                "Public liability insurance: least cover in pounds (optional)": "5,000,000",
                "DBS statement: Asked for": True,
                "Other required documents, one a line (optional)": "Enhanced DBS check",
            },
        )
    )

    assert page.h1 == "County framework Lifts"
    assert "No active member: a job would find nobody" in page.text
    assert "Public liability insurance, covering £5,000,000.00 at least" in page.text
    assert "£500.00 to below £10,000.00" in page.text
    look_again()
    (lot,) = framework_in_full("COUNTY").lots
    full = lot_by_id(lot.id)
    assert full is not None
    assert {each.authority.code if each.authority else each.district for each in full.areas} == {
        where.code,
        "RG1",
        "RG2",
    }
    assert {each.kind: each.required for each in full.requirements} == {
        "public-liability": True,
        "dbs": False,
        "enhanced-dbs-check": True,
    }
    assert (full.answer_hours_priority, full.start_days_routine) == (6, 30)


def test_a_lot_that_is_saved_as_it_stands_stays_as_it_is(manager: StrictClient, home: Framework) -> None:
    where = home.participations[0].authority
    manager.get("/framework/COUNTY/lots/new").submit(
        "Save the lot",
        {
            "Name of the lot": "Lifts",
            "Work types, one a line": "Stair lift",
            where.name: True,
            "Postcode districts (optional)": "RG1",
            "Employers’ liability insurance: Required": True,
            "Employers’ liability insurance: least cover in pounds (optional)": "1,000.50",
            "Other documents asked for, one a line (optional)": "Dementia training",
        },
    )
    look_again()
    number = framework_in_full("COUNTY").lots[0].id
    before = described(number)

    manager.get(f"/framework/lots/{number}/edit").submit("Save the lot")

    assert described(number) == before


def described(lot_id: int) -> dict[str, object]:
    """Everything that a lot is, as plain values."""
    look_again()
    lot = lot_by_id(lot_id)
    assert lot is not None
    columns = {column.key: getattr(lot, column.key) for column in Lot.__table__.columns}
    return columns | {
        "areas": [each.authority.code if each.authority else each.district for each in lot.areas],
        "work_types": [each.work_type for each in lot.work_types],
        "requirements": [(each.kind, each.required, each.minimum_pence) for each in lot.requirements],
    }


@pytest.mark.parametrize(
    ("entered", "field", "words"),
    [
        ({"Name of the lot": ""}, "name", "Enter the name"),
        ({"Name of the lot": "Taken"}, "name", "a lot called Taken"),
        ({"Work types, one a line": " \r\n "}, "work_types", "at least one work type"),
        ({"Work types, one a line": "x" * 121}, "work_types", "at most 120"),
        ({"Postcode districts (optional)": "Reading"}, "districts", "neither an authority nor"),
        ({"Postcode districts (optional)": "RG1 2AB"}, "districts", "2AB is neither"),
        ({"Jobs from, in pounds": "10", "Jobs below, in pounds": "5"}, "value_to_pence", "above its beginning"),
        ({"Jobs from, in pounds": "ten"}, "value_from_pence", "amount in pounds"),
        ({"Answer: routine": ""}, "answer_hours_routine", "Enter the working hours"),
        ({"Answer: routine": "0"}, "answer_hours_routine", "from 1 to 400"),
        ({"Start: hospital discharge": "1.5"}, "start_days_hospital_discharge", "whole number"),
        ({"Days that the works take at the most": "500"}, "works_days", "from 1 to 400"),
        ({"Other required documents, one a line (optional)": "???"}, "own_required", "letters and digits"),
    ],
)
def test_wrong_lot_terms_are_said_at_their_field_and_nothing_is_written(
    manager: StrictClient, home: Framework, entered: dict[str, str], field: str, words: str
) -> None:
    framework_with_lot(within=home, name="Taken")
    good = {"Name of the lot": "Lifts", "Work types, one a line": "Stair lift"}

    page = manager.get("/framework/COUNTY/lots/new").submit("Save the lot", good | entered, status=422)

    assert list(errors(page)) == [field]
    assert words in errors(page)[field]
    assert how_many(Lot) == 1


def test_one_kind_is_not_both_required_and_asked_for(manager: StrictClient, home: Framework) -> None:
    page = manager.get("/framework/COUNTY/lots/new").submit(
        "Save the lot",
        {
            "Name of the lot": "Lifts",
            "Work types, one a line": "Stair lift",
            "Other required documents, one a line (optional)": "First aid",
            "Other documents asked for, one a line (optional)": "first-aid",
        },
        status=422,
    )

    assert "required already" in errors(page)["own_asked"]


def test_an_authority_that_left_is_offered_only_where_it_still_stands_and_is_refused(
    manager: StrictClient, home: Framework
) -> None:
    participation = home.participations[0]
    name, number = participation.authority.name, participation.id
    manager.get("/framework/COUNTY/lots/new").submit(
        "Save the lot", {"Name of the lot": "Lifts", "Work types, one a line": "Stair lift", name: True}
    )
    manager.get(f"/framework/COUNTY/authorities/{number}/end").submit(
        "Let the access end", day("First day without access", TODAY)
    )
    look_again()
    lot = framework_in_full("COUNTY").lots[0].id

    assert not manager.get("/framework/COUNTY/lots/new").soup.select(".govuk-checkboxes__label")
    form = manager.get(f"/framework/lots/{lot}/edit")
    page = form.submit("Save the lot", status=422)

    assert "has left this framework" in errors(page)["authorities"]
    form.submit("Save the lot", {f"{name} (left on 5 May 2026)": False})


def test_the_lot_page_says_why_each_member_gets_no_offers(manager: StrictClient, home: Framework) -> None:
    where = home.participations[0].authority
    lot = framework_with_lot(within=home, requirements=["ssip"])
    good = member(lot, areas=[where], rank=1, documents={"ssip": date(2027, 1, 1)})
    member(lot, areas=[where], rank=2, documents={"ssip": date(2026, 5, 3)})
    held = member(lot, areas=[where], rank=3)
    away = member(lot, areas=[where], rank=4, accepts_from=date(2026, 7, 1))
    with transaction():
        set_member_status(
            held, MemberStatus.SUSPENDED, reason="a claim is open", until_on=date(2026, 8, 1), by=OFFICER, now=NOW
        )
    with transaction():
        set_member_status(away, MemberStatus.RELEASED, reason="", by=OFFICER, now=NOW)

    page = manager.get(f"/framework/lots/{lot.id}")

    assert "SSIP health and safety assessment expired on 3 May 2026" in page.text
    assert "SSIP health and safety assessment is missing" in page.text
    assert "A claim is open" in page.text
    assert "Former members: 1" in page.text
    assert page.rows()[0][0].startswith(f"1. {good.contractor.organisation.name}")
    assert len(page.rows()) == 3


# Ranks ----------------------------------------------------------------------------------------------------------------


def ranked(home: Framework, count: int) -> tuple[Lot, list[Member]]:
    lot = framework_with_lot(within=home)
    where = [home.participations[0].authority]
    return lot, [member(lot, areas=where, rank=rank) for rank in range(1, count + 1)]


def rank_of(each: Member) -> str:
    return f"Rank of {each.contractor.organisation.name}"


def share_of(each: Member) -> str:
    return f"Share of {each.contractor.organisation.name} in per cent"


def test_ranks_are_set_anew_from_a_day_and_the_old_ones_stay_readable(manager: StrictClient, home: Framework) -> None:
    lot, (first, second) = ranked(home, 2)
    form = manager.get(f"/framework/lots/{lot.id}").click("Ranks")

    page = manager.follow(
        form.submit(
            "Publish the ranks",
            {
                **day("The ranks hold from", date(2026, 6, 1)),
                "Note (optional)": "Prices of the review",
                rank_of(first): "2",
                rank_of(second): "1",
                share_of(second): "62.5",
            },
        )
    )

    assert "Prices of the review" in page.text
    assert page.rows()[0][0].endswith("To come")
    new = page.click("1 June 2026")
    assert [row[0] for row in new.rows()] == ["1", "2"]
    assert "62.5 %" in new.text
    old = page.client.get(page.path).click("5 May 2026")
    assert "In force" in old.text
    assert old.rows()[0][1].startswith(first.contractor.organisation.name)
    fresh()
    assert ranks_on(lot.id, date(2026, 6, 1))[second.id].share_bp == 6250


def test_two_members_with_one_rank_are_told_at_both_fields(manager: StrictClient, home: Framework) -> None:
    lot, members = ranked(home, 3)
    before = how_many(RankEdition)

    page = manager.get(f"/framework/lots/{lot.id}/ranks").submit(
        "Publish the ranks", {**day("The ranks hold from", TODAY), rank_of(members[1]): "3"}, status=422
    )

    assert set(errors(page)) == {f"rank_{each.id}" for each in members[1:]}
    assert all("would share rank 3" in sentence for sentence in errors(page).values())
    assert how_many(RankEdition) == before


@pytest.mark.parametrize(
    ("entered", "field", "words"),
    [
        ({"rank": ""}, "rank", "Enter the rank of"),
        ({"rank": "0"}, "rank", "from 1"),
        ({"rank": "first"}, "rank", "whole number"),
        ({"share": "101"}, "share", "from 0 to 100 %"),
        ({"share": "12.345"}, "share", "such as 12.5"),
        ({"share": "60", "other share": "40.01"}, "share", "come to 100.01 %"),
        ({"on": date(2026, 5, 4)}, "starts_on", "in the past"),
        ({"on": date(2029, 4, 1)}, "starts_on", "The framework ends on"),
        ({"on": None}, "starts_on", "Enter the day"),
    ],
)
def test_wrong_ranks_are_said_at_their_field_and_nothing_is_written(
    manager: StrictClient, home: Framework, entered: dict[str, object], field: str, words: str
) -> None:
    lot, (first, second) = ranked(home, 2)
    before = how_many(RankEdition)
    on = entered.get("on", TODAY)
    sent: dict[str, str] = day("The ranks hold from", on) if isinstance(on, date) else {}
    if "rank" in entered:
        sent[rank_of(first)] = str(entered["rank"])
    if "share" in entered:
        sent[share_of(first)] = str(entered["share"])
    if "other share" in entered:
        sent[share_of(second)] = str(entered["other share"])

    page = manager.get(f"/framework/lots/{lot.id}/ranks").submit("Publish the ranks", sent, status=422)

    (where,) = errors(page)
    assert where == (field if field == "starts_on" else f"{field}_{first.id}")
    assert words in errors(page)[where]
    assert how_many(RankEdition) == before


def test_sixty_members_are_ranked_on_one_page(manager: StrictClient, home: Framework, query_counter: AT_MOST) -> None:
    lot, members = ranked(home, 60)
    path, names = f"/framework/lots/{lot.id}/ranks", [rank_of(each) for each in members]
    look_again()

    with query_counter(14):
        form = manager.get(path)
    form.submit(
        "Publish the ranks",
        {**day("The ranks hold from", TODAY), **{name: str(61 - rank) for rank, name in enumerate(names, start=1)}},
    )

    assert ranks_on(lot.id, TODAY)[members[0].id].rank == 60


def test_an_auditor_reads_the_ranks_and_changes_nothing(
    home: Framework, sign_in: Callable[[Person], StrictClient]
) -> None:
    lot, _ = ranked(home, 2)
    auditor = sign_in(person(Role.AUDITOR))

    page = auditor.get(f"/framework/lots/{lot.id}/ranks")

    assert "Publish the ranks" not in page.text
    for path in ("/framework", "/framework/COUNTY", "/framework/COUNTY/reviews", f"/framework/lots/{lot.id}"):
        shown = auditor.get(path)
        assert not shown.soup.find("main").find_all("form"), path  # type: ignore[union-attr]
        assert "Add" not in [link.get_text(strip=True).split(" ")[0] for link in shown.soup.select("main a")], path


# Reviews --------------------------------------------------------------------------------------------------------------


def newcomer(lot: Lot, home: Framework) -> Member:
    where = home.participations[0].authority
    firm = member(framework_with_lot(where), areas=[where])
    with transaction():
        made = apply_for_lot(firm.contractor_id, lot.id, areas=[where.code], adjustment_bp=-250, by=OFFICER, now=NOW)
        set_member_status(made, MemberStatus.CHECKING, reason="", by=OFFICER, now=NOW)
        return made


def test_a_review_from_its_plan_to_its_end(manager: StrictClient, home: Framework) -> None:
    lot, (stays, leaves) = ranked(home, 2)
    with transaction():
        set_member_status(leaves, MemberStatus.RELEASED, reason="", by=OFFICER, now=NOW)
    applies = newcomer(lot, home)
    listed = manager.get("/framework/COUNTY").click("Plan and hold reviews")
    assert "The review interval suggests 1 April 2027" in listed.text

    planned = manager.follow(listed.submit("Plan the review", day("Day of the review", TODAY)))
    review = planned.click("5 May 2026")
    assert "Applicants can be admitted once it is open" in review.text
    moved = manager.follow(review.submit("Move the review", day("Day of the review", date(2026, 5, 6))))
    running = manager.follow(moved.submit("Open the review"))
    assert applies.contractor.organisation.name in running.text
    assert f"{leaves.contractor.organisation.name} , released on 5 May 2026" in running.text

    ranks = running.click(f"Set new ranks for {lot.name}")
    assert "from the review of 6 May 2026" in ranks.text
    back = manager.follow(
        ranks.submit(
            "Publish the ranks",
            {**day("The ranks hold from", date(2026, 6, 1)), rank_of(stays): "1", rank_of(applies): "2"},
        )
    )
    assert "New ranks from 1 June 2026" in back.text
    empty = back.submit("Close the review", status=422)
    assert "what the review came to" in errors(empty)["note"]
    closed = manager.follow(back.submit("Close the review", {"What the review came to": "One new member."}))

    assert "One new member." in closed.text
    assert not closed.soup.find("main").find_all("form")  # type: ignore[union-attr]
    look_again()
    edition = db.session.scalars(select(RankEdition).where(RankEdition.review_id.is_not(None))).one()
    assert (edition.lot_id, edition.starts_on) == (lot.id, date(2026, 6, 1))


@pytest.mark.parametrize(
    ("on", "words"),
    [
        (None, "Enter the day of the review"),
        (date(2026, 5, 4), "in the past"),
        (END, "within the framework’s term"),
        (date(2026, 6, 1), "a review on 1 June 2026 already"),
    ],
)
def test_a_review_that_cannot_be_is_said_at_the_day(
    manager: StrictClient, home: Framework, on: date | None, words: str
) -> None:
    with transaction():
        db.session.add(Review(framework_id=home.id, due_on=date(2026, 6, 1), status=ReviewStatus.PLANNED))
    empty = {f"Day of the review: {part}": "" for part in ("Day", "Month", "Year")}

    page = manager.get("/framework/COUNTY/reviews").submit(
        "Plan the review", day("Day of the review", on) if on else empty, status=422
    )

    assert words in errors(page)["due_on"]
    assert how_many(Review) == 1


def test_a_closed_framework_says_that_it_has_no_reviews(manager: StrictClient) -> None:
    with transaction():
        create_framework(
            "SHUT",
            FrameworkTerms("Shut", START, END, regime=Regime.CLOSED),
            by=OFFICER,
            now=NOW,
        )
        create_framework(
            "QUOTES",
            FrameworkTerms("Quotes", START, END, kind=FrameworkKind.QUOTATIONS, quotes_needed=3),
            by=OFFICER,
            now=NOW,
        )

    assert "A closed framework takes no new members" in manager.get("/framework/SHUT/reviews").text
    assert "Only a framework agreement has re-openings" in manager.get("/framework/QUOTES/reviews").text


def test_a_review_that_moved_on_answers_so(manager: StrictClient, home: Framework) -> None:
    with transaction():
        review = Review(
            framework_id=home.id, due_on=TODAY, status=ReviewStatus.CLOSED, opened_on=TODAY, closed_on=TODAY
        )
        db.session.add(review)
    token = manager.get("/framework/COUNTY/reviews").soup.find("input", attrs={"name": "csrf_token"})

    for step in ("open", "move", "close"):
        sent = {"csrf_token": token["value"], "note": "x"}  # type: ignore[index]
        manager.post(f"/framework/reviews/{review.id}/{step}", sent, status=409)


# The overview ---------------------------------------------------------------------------------------------------------


def test_the_overview_shows_all_kinds_and_what_they_lack(manager: StrictClient, home: Framework) -> None:
    where = home.participations[0].authority
    second = authority()
    with transaction():
        add_participation(home, second, by=OFFICER, now=NOW)
        create_framework(
            "DIRECT",
            FrameworkTerms("Direct", date(2027, 1, 1), END, kind=FrameworkKind.DIRECT_CONTRACT, guaranteed_jobs=2),
            by=OFFICER,
            now=NOW,
        )
        create_framework(
            "OLD",
            FrameworkTerms("Old", date(2022, 1, 1), TODAY, kind=FrameworkKind.QUOTATIONS, quotes_needed=2),
            by=OFFICER,
            now=NOW,
        )
    bare = framework_with_lot(within=home, name="Bare lot")
    half = framework_with_lot(within=home, name="Half lot")
    member(half, areas=[where], rank=1)

    page = manager.get("/framework")

    states = {row[0].split(" ")[-1]: row[1:3] for row in page.rows()[:3]}
    assert states == {
        "COUNTY": ["Framework agreement, open", "In force"],
        "DIRECT": ["Direct contract", "To come"],
        "OLD": ["Quotations", "Ended"],
    }
    assert "A job would find nobody in 2 lots, or in part of them." in page.text
    assert f"{bare.name} : No active member: a job would find nobody." in page.text
    assert f"{half.name} : Nobody serves {second.name}." in page.text


def test_pages_of_a_large_framework_take_few_statements(
    manager: StrictClient, home: Framework, query_counter: AT_MOST
) -> None:
    where = [home.participations[0].authority]
    for _ in range(6):
        lot = framework_with_lot(within=home, requirements=["ssip"])
        for rank in range(1, 5):
            member(lot, areas=where, rank=rank)
    with transaction():
        review = Review(framework_id=home.id, due_on=TODAY, status=ReviewStatus.PLANNED)
        db.session.add(review)
    number = review.id
    look_again()

    for path in ("/framework", "/framework/COUNTY", f"/framework/lots/{lot.id}", f"/framework/reviews/{number}"):
        with query_counter(14):
            manager.get(path)
