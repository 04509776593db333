"""Price lists from the upload to the edition: read in the background, looked at, published whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from builders import ITEMS, NOW, OFFICER, TODAY, edition, look_again, scene, schedule_file, unique
from files_made import pdf_bytes, price_list, priced
from fixture_types import AT_MOST
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import func, select

from portal.config import Settings
from portal.framework.faults import TakenTerm, WrongTerm
from portal.kernel import clock
from portal.kernel.audit import AuditEvent
from portal.kernel.db import db, transaction
from portal.kernel.errors import Clash, InputRefused, NotFound, RuleBroken, WrongState
from portal.kernel.look import look_now
from portal.rates.models import Edition, Item, MemberRate, Schedule
from portal.rates.price_lists import kept as kept_lists
from portal.rates.price_lists import services
from portal.rates.price_lists.diff import Kind
from portal.rates.price_lists.kept import kept_list, kept_path
from portal.rates.price_lists.models import PriceList
from portal.rates.price_lists.preview import Preview, preview
from portal.rates.price_lists.queries import items_of
from portal.rates.price_lists.reading import READER, read_price_lists
from portal.rates.schedule_file import ScheduleFile, item_rows
from portal.rates.services import import_edition, withdraw_item
from portal.rates.states import PriceListStatus
from portal.tick import tick
from portal.worker import make_worker

Result = list[object]


def read(settings: Settings, wanted: PriceList) -> PriceList:
    """The list after a reader has passed."""
    read_price_lists(settings.uploads, now=NOW)
    look_again()
    return db.session.get_one(PriceList, wanted.id)


def content_of(settings: Settings, found: PriceList) -> ScheduleFile:
    """What was read of a list."""
    return kept_list(settings.uploads, found)


def seen(settings: Settings, found: PriceList) -> Preview:
    """What publishing a list would change."""
    return preview(item_rows(content_of(settings, found).records), found.schedule_code, found.starts_on)


def publish(settings: Settings, found: PriceList, against: Edition | None = None, by: str = OFFICER) -> Edition:
    """Publish a list whose changes were shown against an edition."""
    file = content_of(settings, found)
    with transaction():
        return services.publish(found.id, file, against=against.id if against else None, by=by, now=NOW)


def actions(code: str) -> list[str]:
    """What the audit says was done to a schedule, in order."""
    look_again()
    return list(
        db.session.scalars(
            select(AuditEvent.action).where(AuditEvent.subject == f"schedule:{code}").order_by(AuditEvent.id)
        )
    )


def workbook(*rows: tuple[object, ...], sheet: str = "Prices") -> bytes:
    """A list as a spreadsheet saves it."""
    book, written = Workbook(), BytesIO()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(row)
    book.save(written)
    return written.getvalue()


def at_once(app: Flask, *works: Callable[[], object]) -> Result:
    """Run every work in a thread of its own, all let go together; results or refusals, in order."""
    gate = threading.Barrier(len(works))
    results: Result = [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        with app.app_context():
            try:
                gate.wait(timeout=20)
                results[place] = work()
            except Exception as refused:  # noqa: BLE001 - looked at by the test
                results[place] = refused

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    look_again()
    return results


# Handed in ------------------------------------------------------------------------------------------------------------


def test_a_list_is_read_looked_at_and_published(app: Flask, settings: Settings) -> None:
    before = edition()
    code = before.schedule.code
    handed = price_list(
        settings.uploads,
        priced("LIFT01,Item LIFT01,,Lifts,nr,2200.00,,20", "NEW01,A new one,,Lifts,m,12.50,,0"),
        schedule=code,
    )

    ready = read(settings, handed)
    assert (ready.status, ready.item_count, ready.columns["rate"]) == (PriceListStatus.READY, 2, "rate")
    found = seen(settings, ready)
    made = publish(settings, ready, before)

    assert {kind: count for kind, count in found.differences.counts.items() if count} == {
        Kind.UP: 1,
        Kind.NEW: 1,
        Kind.GONE: 2,
    }
    assert [(each.code, each.rate_pence, each.vat_bp) for each in items_of(made.id)] == [
        ("LIFT01", 220_000, 2_000),
        ("NEW01", 1_250, 0),
    ]
    look_again()
    published = db.session.get_one(PriceList, handed.id)
    assert (published.status, published.edition_id) == (PriceListStatus.PUBLISHED, made.id)
    assert actions(code) == [
        "edition imported",
        "price list handed in",
        "price list read",
        "edition imported",
        "price list published",
    ]


def test_a_list_can_bring_a_schedule_of_its_own(app: Flask, settings: Settings) -> None:
    code = unique("NEW")
    ready = read(settings, price_list(settings.uploads, priced("A,Item,,,nr,1.00,,"), schedule=code))

    made = publish(settings, ready)

    assert (made.schedule.code, made.schedule.currency, made.item_count) == (code, "GBP", 1)


@pytest.mark.parametrize(
    ("wanted", "term"),
    [
        ({"schedule_code": "reviews"}, "schedule_code"),
        ({"schedule_code": "Lists"}, "schedule_code"),
        ({"schedule_code": " "}, "schedule_code"),
        ({"schedule_code": "A/B"}, "schedule_code"),
        ({"schedule_code": "x" * 65}, "schedule_code"),
        ({"edition_name": " "}, "edition_name"),
        ({"edition_name": "x" * 201}, "edition_name"),
        ({"currency": "pounds"}, "currency"),
        ({"schedule_name": "x" * 201}, "schedule_name"),
    ],
)
def test_what_no_edition_can_be_called_is_refused_at_once(
    app: Flask, settings: Settings, wanted: dict[str, str], term: str
) -> None:
    asked = services.Wanted(**{"schedule_code": "S", "edition_name": "E", "starts_on": TODAY, **wanted})  # type: ignore[arg-type]
    file = kept_lists  # any: nothing is read of it before

    with pytest.raises(WrongTerm) as refused, transaction():
        services.hand_in(asked, file, "stored", by=OFFICER, now=NOW)  # type: ignore[arg-type]

    assert refused.value.term == term
    assert db.session.scalar(select(func.count()).select_from(PriceList)) == 0


def test_a_name_or_day_that_an_edition_has_is_refused_at_once(app: Flask, settings: Settings) -> None:
    there = edition(name="2026")
    code = there.schedule.code

    with pytest.raises(TakenTerm, match="is called 2026 already") as by_name:
        price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=code, edition="2026")
    with pytest.raises(TakenTerm, match="starts on") as by_day:
        price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=code, starts_on=there.starts_on)

    assert (by_name.value.term, by_day.value.term) == ("edition_name", "starts_on")
    assert not any(settings.uploads.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("prices.csv", b"", "empty"),
        ("photo.csv", b"\x89PNG\r\n\x1a\n" + b"x" * 50, "picture"),
        ("prices.docx", b"PK\x03\x04 not a zip", "damaged"),
        ("prices.xlsx", b"code,rate\n", "not of that kind"),
    ],
)
def test_what_is_no_list_by_its_content_is_refused_at_once(
    app: Flask, settings: Settings, name: str, content: bytes, said: str
) -> None:
    with pytest.raises(WrongTerm, match=said):
        price_list(settings.uploads, content, schedule="S", name=name)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/prices.csv", "prices.csv"),
        ("C:\\prices\\2027.csv", "2027.csv"),
        ("", "document"),
        ("ü" * 300 + ".csv", "ü" * 89 + ".csv"),
    ],
)
def test_a_file_is_known_by_its_own_name_and_read_under_it(
    app: Flask, settings: Settings, name: str, kept: str
) -> None:
    handed = price_list(settings.uploads, priced("A,Item,,,nr,oops,,"), schedule=unique("S"), name=name)

    refused = read(settings, handed)

    assert refused.file_name == kept
    assert refused.problems[0]["file"] == kept


def test_a_second_list_for_a_schedule_is_told_which_one_is_under_way(app: Flask, settings: Settings) -> None:
    first = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule="SOR", name="first.csv")

    with pytest.raises(Clash, match=r"The list first\.csv for the edition 2027 of SOR waits to be read.*list \d+"):
        price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule="SOR", edition="2028")
    with transaction():
        services.drop(first.id, by=OFFICER, now=NOW)

    assert price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule="SOR").id != first.id


def test_of_two_lists_at_once_one_is_taken_and_the_other_told_kindly(app: Flask, settings: Settings) -> None:
    def hand_in(number: int) -> Callable[[], object]:
        return lambda: price_list(
            settings.uploads, priced("A,Item,,,nr,1,,"), schedule="SOR", edition=f"E{number}", name=f"{number}.csv"
        )

    results = at_once(app, *(hand_in(number) for number in range(4)))

    refusals = [each for each in results if isinstance(each, Exception)]
    assert len(refusals) == 3
    assert all(isinstance(each, Clash) and "for the edition E" in str(each) for each in refusals)
    assert len(list(settings.uploads.iterdir())) == 1


# Read -----------------------------------------------------------------------------------------------------------------


def test_a_list_with_other_headers_is_read_as_the_person_said(app: Flask, settings: Settings) -> None:
    rows = (("Ref. no", "What it is", "Per", "Gross"), ("A", "A lift", "nr", 12.5))
    columns = {"code": "Ref. no", "description": "What it is", "unit": "Per", "rate": "Gross", "sheet": "Prices"}
    handed = price_list(settings.uploads, workbook(*rows), schedule=unique("S"), name="p.xlsx", columns=columns)

    ready = read(settings, handed)

    assert ready.status is PriceListStatus.READY, ready.problems
    assert ready.columns == {"code": "Ref. no", "description": "What it is", "unit": "Per", "rate": "Gross"}


def test_a_refused_list_says_where_what_is_wrong_and_what_a_page_can_do_about_it(
    app: Flask, settings: Settings
) -> None:
    rows = (("Code", "Description", "Unit", "Gross price today"), ("A", "A lift", "nr", 12.5))
    unknown = price_list(settings.uploads, workbook(*rows), schedule=unique("S"), name="p.xlsx")
    wrong = price_list(
        settings.uploads, priced("A,Item,,,nr,TBC,,", "B,Item,,,nr,1,,", "A,Item,,,nr,2,,"), schedule=unique("S")
    )

    first, second = read(settings, unknown), read(settings, wrong)

    assert (first.status, second.status) == (PriceListStatus.REFUSED, PriceListStatus.REFUSED)
    assert "“The columns have other names”" in first.problems[0]["message"]
    assert "--map" not in first.problems[0]["message"]
    assert [(each["row"], each["column"]) for each in second.problems] == [(2, "rate")]
    assert second.problem_count == 1
    assert not kept_path(settings.uploads, wrong.stored_name).exists()


def test_a_list_with_thousands_of_problems_keeps_the_first_thousand_and_counts_them_all(
    app: Flask, settings: Settings
) -> None:
    lines = [f"A{number},Item,,,nr,TBC,," for number in range(1_500)]

    refused = read(settings, price_list(settings.uploads, priced(*lines), schedule=unique("S")))

    assert (len(refused.problems), refused.problem_count) == (1_000, 1_500)


def test_a_pdf_without_a_table_is_refused_with_the_remedy(app: Flask, settings: Settings) -> None:
    handed = price_list(settings.uploads, pdf_bytes("No table"), schedule=unique("S"), name="prices.pdf")

    refused = read(settings, handed)

    assert refused.status is PriceListStatus.REFUSED
    assert refused.problems


def test_a_file_that_is_gone_is_refused_rather_than_waited_for(app: Flask, settings: Settings) -> None:
    handed = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))
    (settings.uploads / handed.stored_name).unlink()

    refused = read(settings, handed)

    assert "hand it in again" in refused.problems[0]["message"]


def test_texts_come_through_as_they_were_read_whatever_stands_in_them(app: Flask, settings: Settings) -> None:
    handed = price_list(
        settings.uploads,
        "code,description,long_description,trade,unit,rate,smv,composite,components,vat,withdrawn,withdrawn_reason\n"
        '\'=1+1,"-5 °C, “quoted” ""twice""",\'@long,+Trade,m²,0.01,1.125,yes,B*0.125;C*2,5,2027-05-01,"No, gone"\n'
        "B,Total heating,,,nr,1234.50,,,,0,,\n"
        "C,1e3,,,nr,0,1000,no,,,,\n",
        schedule=unique("S"),
    )

    ready = read(settings, handed)

    assert ready.status is PriceListStatus.READY, ready.problems
    first, second, third = item_rows(content_of(settings, ready).records)
    assert first.code == "=1+1"
    assert first.description == '-5 °C, “quoted” "twice"'
    assert (first.smv, first.vat_bp, first.withdrawn_on) == (Decimal("1.125"), 500, date(2027, 5, 1))
    assert first.parts == (("B", Decimal("0.125")), ("C", Decimal(2)))
    assert (second.rate_pence, second.vat_bp, third.description, third.smv) == (123_450, 0, "1e3", Decimal(1_000))


def test_a_tick_reads_what_no_queue_has_asked_for(app: Flask, settings: Settings) -> None:
    for _ in range(3):
        price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))

    first, second = tick(settings, now=NOW), tick(settings, now=NOW)

    assert (first["price_lists_read"], second["price_lists_read"]) == (3, 0)


def test_the_worker_reads_a_list_when_the_web_asks_it_to_look(app: Flask, settings: Settings) -> None:
    handed = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))
    look_now()
    queue = make_worker(app).huey

    task = queue.dequeue()
    assert task is not None
    queue.execute(task)

    assert status_of(handed.id) is PriceListStatus.READY


def test_a_queue_that_does_not_answer_breaks_no_page_and_loses_no_list(app: Flask, settings: Settings) -> None:
    handed = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))
    app.config["PORTAL"] = replace(settings, redis_url="redis://127.0.0.1:1")

    look_now()

    assert tick(settings, now=NOW)["price_lists_read"] == 1
    assert status_of(handed.id) is PriceListStatus.READY


def test_a_list_dropped_while_it_waits_is_not_read(app: Flask, settings: Settings) -> None:
    handed = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))
    with transaction():
        services.drop(handed.id, by=OFFICER, now=NOW)

    assert read(settings, handed).status is PriceListStatus.DROPPED


def test_a_reader_that_was_seen_is_left_alone_and_one_that_was_not_is_followed(app: Flask, settings: Settings) -> None:
    handed = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))
    with transaction():
        taken = services.take_up(now=NOW)
        assert taken is not None
    with transaction():
        assert services.note_progress(handed.id, 7, 10, now=NOW + timedelta(minutes=1))

    early = read_price_lists(settings.uploads, now=NOW + timedelta(minutes=2, seconds=30))
    late = read_price_lists(settings.uploads, now=NOW + timedelta(minutes=3, seconds=1))

    assert (early, late) == (0, 1)


def test_a_list_of_which_every_reader_dies_is_given_up_with_the_remedy(app: Flask, settings: Settings) -> None:
    handed = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))
    healthy = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))
    taken = []
    for minute in (0, 3, 6):
        with transaction():
            found = services.take_up(now=NOW + timedelta(minutes=minute))
            taken.append(found and found.id)

    read_price_lists(settings.uploads, now=NOW + timedelta(minutes=9))

    look_again()
    refused = db.session.get_one(PriceList, handed.id)
    assert taken == [handed.id] * 3
    assert (refused.status, refused.attempts, refused.problem_count) == (PriceListStatus.REFUSED, 3, 1)
    assert "Save the list as CSV UTF-8, or split it into several files" in refused.problems[0]["message"]
    assert db.session.get_one(PriceList, healthy.id).status is PriceListStatus.READY
    assert actions(handed.schedule_code) == ["price list handed in", "price list refused"]


def test_a_list_with_more_problems_than_are_kept_says_how_many_there_are(app: Flask, settings: Settings) -> None:
    lines = [f"A{number},Item,,,nr,TBC,," for number in range(12_345)]

    refused = read(settings, price_list(settings.uploads, priced(*lines), schedule=unique("S")))

    assert (len(refused.problems), refused.problem_count) == (1_000, 12_345)


def test_what_killed_readers_and_crashes_leave_beside_uploads_is_swept(app: Flask, settings: Settings) -> None:
    def handed_in() -> PriceList:
        return price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))

    def left(found: PriceList, ending: str) -> None:
        (settings.uploads / f"{found.stored_name}.{ending}").write_text("left behind")

    ready, dropped, published, read_now = (handed_in() for _ in range(4))
    read_price_lists(settings.uploads, now=NOW)
    look_again()
    publish(settings, published)
    with transaction():
        services.drop(dropped.id, by=OFFICER, now=NOW)
    again = handed_in()
    with transaction():
        services.take_up(now=NOW)
    for each, ending in ((ready, "0a"), (dropped, "0b"), (published, "0c"), (again, "0d"), (read_now, "0e")):
        left(each, ending)

    tick(settings, now=NOW + timedelta(minutes=1))

    beside = {path.name.partition(".")[::2] for path in settings.uploads.iterdir() if "." in path.name}
    assert beside == {(ready.stored_name, "csv"), (read_now.stored_name, "csv"), (again.stored_name, "0d")}
    assert read_price_lists(settings.uploads, now=NOW + timedelta(minutes=3)) == 1
    assert not (settings.uploads / f"{again.stored_name}.0d").exists()


def test_what_was_read_cannot_be_altered_before_it_is_published(app: Flask, settings: Settings) -> None:
    ready = read(settings, price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S")))
    path = kept_path(settings.uploads, ready.stored_name)
    path.write_text(path.read_text().replace("1.00", "9.00"))

    with pytest.raises(InputRefused) as refused:
        publish(settings, ready)

    assert "or was altered" in refused.value.problems[0].message


def test_a_reader_that_comes_back_late_changes_nothing(app: Flask, settings: Settings) -> None:
    handed = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))
    ready = read(settings, handed)
    file = content_of(settings, ready)

    with transaction():
        again = services.note_ready(handed.id, file, "", by=READER, now=NOW)
        refused = services.note_refused(handed.id, [], by=READER, now=NOW)
        beaten = services.note_progress(handed.id, 1, 2, now=NOW)

    assert (again, refused, beaten) == (False, False, False)
    assert actions(handed.schedule_code) == ["price list handed in", "price list read"]


def test_readers_at_once_read_each_list_once(app: Flask, settings: Settings) -> None:
    lists = [price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S")) for _ in range(6)]

    def take() -> list[int]:
        taken = []
        while True:
            with transaction():
                found = services.take_up(now=NOW)
                if found is None:
                    return taken
                taken.append(found.id)

    results = at_once(app, take, take, take)

    assert sorted(each for result in results for each in result) == [each.id for each in lists]  # type: ignore[attr-defined]


def long_list(items: int, **columns: str) -> str:
    """The text of a list of so many items."""
    return priced(*(f"C{number:06},Item number {number},Long text {number},Lifts,nr,{number % 900 + 1}.50,,20"
                    for number in range(items)))  # fmt: skip


def test_a_reader_killed_in_the_middle_is_followed_by_one_that_finishes(app: Flask, settings: Settings) -> None:
    handed = price_list(settings.uploads, long_list(30_000), schedule=unique("S"))
    number, code, stored = handed.id, handed.schedule_code, handed.stored_name
    look_now()
    environment = {
        **os.environ,
        "PORTAL_INSTANCE": str(settings.instance),
        "PORTAL_DATABASE_URL": settings.database_url,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    worker = subprocess.Popen([sys.executable, "-m", "portal", "worker"], env=environment, stderr=subprocess.DEVNULL)
    deadline = clock.now() + timedelta(seconds=60)
    while status_of(number) is PriceListStatus.WAITING and clock.now() < deadline:
        assert worker.poll() is None
    worker.send_signal(signal.SIGKILL)
    worker.wait(timeout=20)

    assert status_of(number) is PriceListStatus.READING
    assert not kept_path(settings.uploads, stored).exists()
    assert read_price_lists(settings.uploads, now=clock.now()) == 0
    assert tick(settings, now=clock.now() + timedelta(minutes=3))["price_lists_read"] == 1

    look_again()
    ready = db.session.get_one(PriceList, number)
    assert (ready.status, ready.item_count) == (PriceListStatus.READY, 30_000)
    assert {path.name for path in settings.uploads.iterdir()} == {stored, f"{stored}.csv"}
    assert actions(code) == ["price list handed in", "price list read"]
    assert publish(settings, ready).item_count == 30_000


def status_of(number: int) -> PriceListStatus:
    """How a list stands now."""
    look_again()
    status = db.session.scalar(select(PriceList.status).where(PriceList.id == number))
    assert status is not None
    return status


# Looked at ------------------------------------------------------------------------------------------------------------


def test_the_changes_are_those_against_the_edition_in_force_on_the_day(app: Flask, settings: Settings) -> None:
    first = edition({"A": 100}, name="first", starts_on=date(2026, 4, 1))
    code = first.schedule.code
    second = edition({"A": 200}, schedule=code, name="second", starts_on=date(2026, 10, 1))
    edition({"A": 900}, schedule=code, name="later", starts_on=date(2028, 4, 1))
    between = price_list(
        settings.uploads, priced("A,Item A,,Lifts,nr,3.00,,"), schedule=code, starts_on=date(2026, 7, 1)
    )

    against_first = seen(settings, read(settings, between))
    with transaction():
        services.drop(between.id, by=OFFICER, now=NOW)
    after = price_list(settings.uploads, priced("A,Item A,,Lifts,nr,3.00,,"), schedule=code)
    against_second = seen(settings, read(settings, after))

    assert against_first.against is not None
    assert against_first.against.id == first.id
    assert against_first.differences.changed[0].pence == 200
    assert against_second.against is not None
    assert against_second.against.id == second.id
    assert against_second.differences.changed[0].pence == 100


def test_own_rates_whose_code_goes_or_has_another_unit_are_named(app: Flask, settings: Settings) -> None:
    there = scene(members=1)
    member = there.members[0].id
    with transaction():
        for code, starts_on, rate in (
            ("LIFT01", TODAY, 1),
            ("RAIL01", date(2027, 6, 1), 2),
            ("SHOWER01", TODAY, 3),
            ("SHOWER01", date(2027, 1, 1), None),
        ):
            db.session.add(
                MemberRate(
                    member_id=member,
                    schedule_id=there.edition.schedule_id,
                    code=code,
                    starts_on=starts_on,
                    rate_pence=rate,
                    agreed_by=OFFICER,
                    agreed_at=NOW,
                )
            )
    handed = price_list(
        settings.uploads, priced("RAIL01,Item RAIL01,,Lifts,m,42.50,,"), schedule=there.edition.schedule.code
    )

    found = seen(settings, read(settings, handed))

    # The own rate of SHOWER01 ends before; RAIL01's begins later.
    assert [(each.rate.code, each.unit_before, each.unit_after) for each in found.own_rates] == [
        ("LIFT01", "nr", None),
        ("RAIL01", "nr", "m"),
    ]


def test_composites_that_differ_from_their_parts_are_named(app: Flask, settings: Settings) -> None:
    handed = price_list(
        settings.uploads,
        priced("A,Part,,,nr,10.00,,", "EVEN,Whole,,,nr,20.00,A*2,", "DEAR,Whole,,,nr,50.00,A*2,"),
        schedule=unique("S"),
    )

    found = seen(settings, read(settings, handed))

    assert [(each.code, each.difference_pence, each.look) for each in found.composites] == [("DEAR", 3_000, True)]


def test_a_list_of_a_hundred_thousand_lines_is_looked_at_in_few_statements_and_little_memory(
    app: Flask, settings: Settings, query_counter: AT_MOST
) -> None:
    before = edition({f"C{number:06}": 5_000 for number in range(100_000)})
    ready = read(settings, price_list(settings.uploads, long_list(100_000), schedule=before.schedule.code))
    assert ready.item_count == 100_000
    items = item_rows(content_of(settings, ready).records)

    tracemalloc.start()
    with query_counter(5):
        found = preview(items, ready.schedule_code, ready.starts_on)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(found.differences.counts[kind] for kind in (Kind.UP, Kind.DOWN)) == 100_000
    # Every item has changed: the worst there is.
    assert peak < 200 * 1024 * 1024


# Published or dropped -------------------------------------------------------------------------------------------------


def test_a_list_is_not_published_when_another_edition_would_be_replaced_by_now(app: Flask, settings: Settings) -> None:
    before = edition()
    code = before.schedule.code
    ready = read(settings, price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=code))
    later = edition({"B": 1}, schedule=code, name="meanwhile", starts_on=date(2026, 12, 1))

    with pytest.raises(Clash, match=r"it is meanwhile, in force from 1 December 2026 now\. Nothing was published"):
        publish(settings, ready, before)
    look_again()

    assert status_of(ready.id) is PriceListStatus.READY
    assert publish(settings, db.session.get_one(PriceList, ready.id), later).item_count == 1


def test_a_list_whose_name_was_taken_meanwhile_is_refused_whole(app: Flask, settings: Settings) -> None:
    before = edition()
    code = before.schedule.code
    ready = read(settings, price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=code))
    edition({"B": 1}, schedule=code, name="2027", starts_on=date(2028, 12, 1))
    rows = db.session.scalar(select(func.count()).select_from(Item))

    with pytest.raises(InputRefused) as refused:
        publish(settings, ready, before)
    look_again()

    assert "is called 2027 already" in refused.value.problems[0].message
    assert db.session.scalar(select(func.count()).select_from(Item)) == rows
    assert status_of(ready.id) is PriceListStatus.READY


@pytest.mark.parametrize("status", [PriceListStatus.WAITING, PriceListStatus.REFUSED, PriceListStatus.DROPPED])
def test_only_a_list_that_is_ready_is_published(app: Flask, settings: Settings, status: PriceListStatus) -> None:
    handed = price_list(
        settings.uploads,
        priced("A,Item,,,nr,TBC,," if status is PriceListStatus.REFUSED else "A,Item,,,nr,1,,"),
        schedule=unique("S"),
    )
    if status is not PriceListStatus.WAITING:
        read(settings, handed)
    if status is PriceListStatus.DROPPED:
        with transaction():
            services.drop(handed.id, by=OFFICER, now=NOW)

    with pytest.raises(WrongState, match="cannot be published"), transaction():
        services.publish(handed.id, schedule_file({"A": 1}), against=None, by=OFFICER, now=NOW)


def test_a_published_list_is_not_dropped_and_no_list_twice(app: Flask, settings: Settings) -> None:
    handed = price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S"))
    publish(settings, read(settings, handed))

    with pytest.raises(WrongState, match="is published, so it cannot be dropped"), transaction():
        services.drop(handed.id, by=OFFICER, now=NOW)
    with pytest.raises(NotFound), transaction():
        services.drop(handed.id + 1, by=OFFICER, now=NOW)


def test_published_twice_at_once_it_becomes_one_edition(app: Flask, settings: Settings) -> None:
    before = edition()
    ready = read(settings, price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=before.schedule.code))
    file, number, against = content_of(settings, ready), ready.id, before.id

    def go() -> None:
        with transaction():
            services.publish(number, file, against=against, by=OFFICER, now=NOW)

    results = at_once(app, go, go, go)

    assert [isinstance(each, WrongState) for each in results].count(True) == 2
    assert db.session.scalar(select(func.count()).select_from(Edition)) == 2


def test_what_was_read_and_is_gone_is_said_instead_of_published(app: Flask, settings: Settings) -> None:
    ready = read(settings, price_list(settings.uploads, priced("A,Item,,,nr,1,,"), schedule=unique("S")))
    path = kept_path(settings.uploads, ready.stored_name)
    path.write_text(priced("A,Item,,,nr,1,,", "B,Slipped in,,,nr,1,,"))

    with pytest.raises(InputRefused) as changed:
        content_of(settings, ready)
    path.unlink()
    with pytest.raises(InputRefused) as gone:
        content_of(settings, ready)

    for refused in (changed, gone):
        assert "hand its file in again" in refused.value.problems[0].message
        assert refused.value.problems[0].file == "prices.csv"


# Imports at once ------------------------------------------------------------------------------------------------------


def importing(code: str, name: str = "E") -> Callable[[], object]:
    """An import of one item into a schedule."""

    def go() -> int:
        with transaction():
            return import_edition(
                schedule_file(ITEMS),
                schedule_code=code,
                edition_name=name,
                starts_on=date(2027, 4, 1),
                by=OFFICER,
                now=NOW,
            ).id

    return go


def test_two_imports_into_a_schedule_at_once_give_one_edition_and_one_kind_refusal(app: Flask) -> None:
    code = edition().schedule.code

    results = at_once(app, *[importing(code)] * 3)

    refusals = [each for each in results if isinstance(each, Exception)]
    assert len(refusals) == 2
    for each in refusals:
        assert isinstance(each, InputRefused), repr(each)
        assert "is called E already" in each.problems[0].message
    assert db.session.scalar(select(func.count()).select_from(Edition)) == 2


def test_two_imports_that_make_a_schedule_at_once_give_one_edition(app: Flask) -> None:
    code = unique("NEW")

    results = at_once(app, *[importing(code)] * 3)

    refusals = [each for each in results if isinstance(each, Exception)]
    assert len(refusals) == 2
    assert all(isinstance(each, Clash | InputRefused) for each in refusals), refusals
    assert db.session.scalar(select(func.count()).select_from(Schedule)) == 1
    assert db.session.scalar(select(func.count()).select_from(Edition)) == 1


@pytest.mark.parametrize("code", ["lists", "REVIEWS", "indices", "requests", "stars", "templates", "items", "import"])
def test_no_schedule_is_called_like_a_page(app: Flask, code: str) -> None:
    with pytest.raises(InputRefused) as refused:
        importing(code)()

    assert "choose another code" in refused.value.problems[0].message


# Items taken out of use -----------------------------------------------------------------------------------------------


def withdraw(there: Edition, code: str = "LIFT01", from_on: date = TODAY, reason: str = "No longer made.") -> Item:
    """Withdraw an item."""
    with transaction():
        return withdraw_item(there.id, code, from_on, reason=reason, by=OFFICER, now=NOW)


def test_a_withdrawn_item_is_on_no_new_job_from_its_day_on_and_stays_readable(app: Flask) -> None:
    there = scene(members=1)
    before = there.job()

    withdraw(there.edition, from_on=TODAY + timedelta(days=1))
    on_the_day_before = there.job()
    with pytest.raises(InputRefused) as refused:
        there.job(now=NOW + timedelta(days=1))

    assert [each.lines[0].code for each in (before, on_the_day_before)] == ["LIFT01", "LIFT01"]
    assert "was withdrawn on 6 May 2026: No longer made." in refused.value.problems[0].message
    assert [each.withdrawn_on for each in items_of(there.edition.id) if each.code == "LIFT01"] == [date(2026, 5, 6)]
    (event,) = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "item withdrawn"))
    assert event.data["code"] == "LIFT01"
    assert "No longer made" not in str(event.data)


@pytest.mark.parametrize(
    ("wanted", "term"),
    [
        ({"from_on": TODAY - timedelta(days=1)}, "from_on"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_a_withdrawal_needs_a_day_to_come_and_a_reason(app: Flask, wanted: dict[str, object], term: str) -> None:
    there = edition()

    with pytest.raises(RuleBroken) as refused:
        withdraw(there, **wanted)  # type: ignore[arg-type]

    assert isinstance(refused.value, WrongTerm)
    assert refused.value.term == term


def test_an_item_is_withdrawn_once_and_only_where_it_is(app: Flask) -> None:
    there = edition()
    withdraw(there)

    with pytest.raises(WrongState, match="is withdrawn already, from 5 May 2026 on"):
        withdraw(there)
    with pytest.raises(NotFound):
        withdraw(there, "NONE")
