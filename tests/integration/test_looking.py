"""Looks after the seal: what is kept and shown, to whom, and what goes with the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
import requests
from sqlalchemy import delete, event
from sqlmodel import col, select

from app.looking.looker import ConfinedLooker
from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.ids import ItemId
from storage.outbox import AlreadyDone, find
from storage.tables import EvidenceItem, Inspection, Mail, Preview
from storage.vault import PREVIEWS
from storage.vocabulary import EvidenceState, PreviewKind, Role
from tests.fixtures import looked
from tests.fixtures.intake import Intake
from tests.fixtures.looking import HERE
from workflows.cases.commands import withdraw_case
from workflows.evidence.describing import remove_evidence
from workflows.looking.commands import (
    draw_pages,
    inspect_evidence,
    link_to_preview,
    link_to_stream,
    look_at_the_unseen,
    look_failed,
    preview_text,
    want_pages,
)
from workflows.looking.looks import Look
from workflows.looking.queries import known_forms, looks_of, same_bytes_in_case
from workflows.looking.renditions import make_rendition, rendition_failed
from workflows.looking.same_bytes import add_known_form, remove_known_form, state_part
from workflows.looking.seeing import GAVE_UP, Seen
from workflows.work import Work, begin_work, promise_work


class Blind:
    """A looker that must not be asked."""

    @contextmanager
    def look(self, *args: object) -> Iterator[Seen]:
        raise AssertionError("looked into")
        yield Seen()

    draw_pages = render = look


def look_at(intake: Intake, item_id: ItemId, looker: ConfinedLooker = HERE) -> Look:
    """Run the look's job; what is known then."""
    outbox_id = intake.promised(Work.INSPECT_EVIDENCE, item_id)
    inspect_evidence(intake.db, intake.vault, looker, item_id, outbox_id)
    return known(intake, item_id)


def known(intake: Intake, item_id: ItemId) -> Look:
    with intake.db.reading() as tx:
        return looks_of(tx, [item_id])[item_id]


def looked_at(intake: Intake, body: bytes, name: str) -> tuple[ItemId, Look]:
    item_id = ItemId(intake.sealed(body, name).id)
    return item_id, look_at(intake, item_id)


def another(intake: Intake, name: str = "Ben Okoro") -> Intake:
    """Another learner with a case of their own."""
    learner = intake.world.person(Role.LEARNER, name=name)
    return Intake(intake.world, intake.vault, learner, intake.world.case(learner))


def codes(look: Look) -> set[str]:
    return {one.code for one in look.signals}


def previews(intake: Intake) -> list[str]:
    return [one.key for one in intake.vault.list_keys(PREVIEWS)]


class TestLooks:
    def test_a_sealed_file_waits_for_its_look_and_then_shows_what_was_found(
        self, intake: Intake
    ) -> None:
        item_id = ItemId(intake.sealed(looked.pdf(2, producer="iLovePDF")).id)
        assert known(intake, item_id).state == "waiting"
        look = look_at(intake, item_id)
        assert (look.state, look.facts.pages, look.facts.producer) == ("done", 2, "iLovePDF")
        assert codes(look) == {"pdf_editor"}
        assert [row.number for row in look.of_kind(PreviewKind.PAGE)] == [1, 2]
        assert look.thumbnail is not None
        assert look.pages_to_come == 0

    def test_what_is_not_sealed_has_no_look(self, intake: Intake) -> None:
        item_id = intake.store(looked.pdf())
        assert known(intake, item_id).state == "none"

    def test_days_are_compared_with_what_is_said_now_and_not_at_the_time_of_the_look(
        self, intake: Intake
    ) -> None:
        item_id, look = looked_at(intake, looked.pdf(created="D:20260301"), "report.pdf")
        assert not codes(look)
        with intake.db.transaction() as tx:
            item = tx.session.get_one(EvidenceItem, item_id)
            item.work_from = item.work_to = date(2026, 1, 10)
        assert codes(known(intake, item_id)) == {"created_after_work"}

    def test_a_file_that_no_tool_opens_says_so_and_stays_sealed(self, intake: Intake) -> None:
        item_id, look = looked_at(intake, b"%PDF-1.7\nbroken", "report.pdf")
        assert (look.state, bool(look.trouble)) == ("trouble", True)
        assert intake.item(item_id).state == EvidenceState.SEALED.value

    def test_a_look_that_was_given_up_leaves_the_item_sealed_and_says_so(
        self, intake: Intake
    ) -> None:
        item_id = ItemId(intake.sealed(looked.pdf()).id)
        outbox_id = intake.promised(Work.INSPECT_EVIDENCE, item_id)
        with intake.db.transaction() as tx:
            promised = find(tx, outbox_id)
            assert promised is not None
            look_failed(tx, promised)
        assert known(intake, item_id).trouble == GAVE_UP

    def test_a_second_run_of_the_same_look_changes_nothing(self, intake: Intake) -> None:
        item_id, look = looked_at(intake, looked.image(), "photo.png")
        with pytest.raises(AlreadyDone):
            look_at(intake, item_id)
        assert known(intake, item_id) == look

    def test_looking_again_draws_over_the_same_previews(self, intake: Intake) -> None:
        item_id, look = looked_at(intake, looked.image(), "photo.png")
        kept = previews(intake)
        with intake.db.transaction() as tx:
            again = promise_work(tx, Work.INSPECT_EVIDENCE, item_id)
        inspect_evidence(intake.db, intake.vault, HERE, item_id, again)
        assert previews(intake) == kept
        assert known(intake, item_id) == look

    def test_the_same_bytes_are_not_looked_into_twice(self, intake: Intake) -> None:
        _, first = looked_at(intake, looked.word(), "sheet.docx")
        other = ItemId(intake.sealed(looked.word(), "copy.docx").id)
        outbox_id = intake.promised(Work.INSPECT_EVIDENCE, other)
        inspect_evidence(intake.db, intake.vault, Blind(), other, outbox_id)
        assert known(intake, other) == first

    def test_what_was_sealed_before_there_were_looks_is_promised_one_once(
        self, intake: Intake
    ) -> None:
        item_id, _ = looked_at(intake, looked.image(), "photo.png")
        assert look_at_the_unseen(intake.db) == 0
        with intake.db.transaction() as tx:
            tx.session.get_one(Inspection, item_id).tool_version = 0
        assert look_at_the_unseen(intake.db) == 1
        assert look_at_the_unseen(intake.db) == 0

    def test_many_items_take_no_more_statements_than_one(self, intake: Intake) -> None:
        statements: list[object] = []
        event.listen(
            intake.db.engine, "before_cursor_execute", lambda *told: statements.append(told)
        )
        ids = [looked_at(intake, looked.image(size=(40, each)), "a.png")[0] for each in (30, 31)]
        counts = []
        for some in (ids[:1], ids):
            statements.clear()
            with intake.db.reading() as tx:
                assert len(looks_of(tx, some)) == len(some)
            counts.append(len(statements))
        assert counts[0] == counts[1]


class TestLinks:
    def test_a_preview_is_shown_in_place_as_the_type_that_we_made_it(self, intake: Intake) -> None:
        item_id, _ = looked_at(intake, looked.photo(), "photo.jpg")
        link = link_to_preview(
            intake.db, intake.vault, intake.learner, item_id, PreviewKind.IMAGE, 0
        )
        answer = requests.get(link, timeout=10)
        assert answer.headers["Content-Type"] == "image/webp"
        assert answer.headers["Content-Disposition"] == "inline"
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.content[8:12] == b"WEBP"
        assert "X-Amz-Expires=60" in link

    def test_markup_is_handed_out_as_plain_text(self, intake: Intake) -> None:
        body = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
        item_id, look = looked_at(intake, body, "drawing.svg")
        assert {"active_markup"} <= codes(look)
        link = link_to_preview(
            intake.db, intake.vault, intake.learner, item_id, PreviewKind.TEXT, 0
        )
        answer = requests.get(link, timeout=10)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert preview_text(intake.db, intake.vault, intake.learner, item_id) == body.decode()

    def test_strangers_get_no_preview_and_no_stream(self, intake: Intake) -> None:
        item_id, _ = looked_at(intake, looked.film(), "job.mp4")
        stranger = another(intake).learner
        with pytest.raises(NotFound):
            link_to_preview(intake.db, intake.vault, stranger, item_id, PreviewKind.POSTER, 0)
        with pytest.raises(NotFound):
            link_to_stream(intake.db, intake.vault, stranger, item_id)

    def test_staff_see_nothing_of_what_was_not_submitted(self, intake: Intake) -> None:
        item_id, _ = looked_at(intake, looked.image(), "photo.png")
        coordinator = intake.world.person(Role.COORDINATOR)
        with pytest.raises(NotFound):
            link_to_preview(intake.db, intake.vault, coordinator, item_id, PreviewKind.IMAGE, 0)

    def test_a_picture_that_was_not_drawn_is_not_found(self, intake: Intake) -> None:
        item_id, _ = looked_at(intake, looked.pdf(), "report.pdf")
        with pytest.raises(NotFound):
            link_to_preview(intake.db, intake.vault, intake.learner, item_id, PreviewKind.PAGE, 2)

    def test_a_film_that_browsers_play_is_streamed_by_ranges(self, intake: Intake) -> None:
        body = looked.film()
        item_id, _ = looked_at(intake, body, "job.mp4")
        link = link_to_stream(intake.db, intake.vault, intake.learner, item_id)
        answer = requests.get(link, headers={"Range": "bytes=10-19"}, timeout=10)
        assert (answer.status_code, answer.content) == (206, body[10:20])
        assert answer.headers["Content-Type"] == "video/mp4"

    def test_sound_in_a_container_for_film_is_streamed_as_sound(self, intake: Intake) -> None:
        item_id, _ = looked_at(intake, looked.film("", "aac"), "talk.m4a")
        link = link_to_stream(intake.db, intake.vault, intake.learner, item_id)
        assert requests.get(link, timeout=10).headers["Content-Type"] == "audio/mp4"

    @pytest.mark.parametrize(
        ("body", "name"), [(looked.pdf(), "report.pdf"), (looked.film("mpeg4"), "job.mp4")]
    )
    def test_nothing_else_is_streamed(self, intake: Intake, body: bytes, name: str) -> None:
        item_id, _ = looked_at(intake, body, name)
        with pytest.raises(Conflict):
            link_to_stream(intake.db, intake.vault, intake.learner, item_id)


class TestPagesAndRenditions:
    def test_further_pages_are_drawn_when_somebody_wants_them(self, intake: Intake) -> None:
        item_id, _ = looked_at(intake, looked.pdf(3, size=(60, 40)), "report.pdf")
        with intake.db.transaction() as tx:
            tx.session.execute(delete(Preview).where(col(Preview.number) > 1))
        assert known(intake, item_id).pages_to_come == 2
        want_pages(intake.db, intake.learner, item_id)
        want_pages(intake.db, intake.learner, item_id)
        outbox_id = intake.promised(Work.DRAW_PAGES, item_id)
        draw_pages(intake.db, intake.vault, HERE, item_id, outbox_id)
        assert len(known(intake, item_id).of_kind(PreviewKind.PAGE)) == 3
        want_pages(intake.db, intake.learner, item_id)
        assert intake.promised(Work.DRAW_PAGES, item_id) == outbox_id

    def test_strangers_have_no_pages_drawn(self, intake: Intake) -> None:
        item_id, _ = looked_at(intake, looked.pdf(), "report.pdf")
        with pytest.raises(NotFound):
            want_pages(intake.db, another(intake).learner, item_id)

    def test_a_film_that_browsers_do_not_play_gets_a_rendition(self, intake: Intake) -> None:
        item_id, look = looked_at(intake, looked.film("mpeg4"), "job.mp4")
        assert look.facts.rendition == "waiting"
        render(intake, item_id)
        after = known(intake, item_id)
        assert after.facts.rendition == "done"
        (row,) = after.of_kind(PreviewKind.RENDITION)
        assert (row.media_type, row.width, row.height) == ("video/mp4", 160, 120)

    def test_a_second_item_with_the_same_bytes_shares_the_rendition(self, intake: Intake) -> None:
        body = looked.film("mpeg4")
        first, _ = looked_at(intake, body, "job.mp4")
        second, _ = looked_at(intake, body, "copy.mp4")
        render(intake, first)
        assert known(intake, second).facts.rendition == "done"
        outbox_id = intake.promised(Work.MAKE_RENDITION, second)
        make_rendition(intake.db, intake.vault, Blind(), second, outbox_id)

    def test_a_rendition_that_was_given_up_is_not_waited_for(self, intake: Intake) -> None:
        item_id, _ = looked_at(intake, looked.film("mpeg4"), "job.mp4")
        with intake.db.transaction() as tx:
            promised = find(tx, intake.promised(Work.MAKE_RENDITION, item_id))
            assert promised is not None
            rendition_failed(tx, promised)
        assert known(intake, item_id).facts.rendition == "skipped"


def render(intake: Intake, item_id: ItemId) -> None:
    outbox_id = intake.promised(Work.MAKE_RENDITION, item_id)
    make_rendition(intake.db, intake.vault, HERE, item_id, outbox_id)


class TestErasing:
    def test_all_that_was_found_and_drawn_goes_with_the_file(self, intake: Intake) -> None:
        item_id, _ = looked_at(intake, looked.word(), "sheet.docx")
        assert previews(intake)
        remove_evidence(intake.db, intake.learner, item_id)
        intake.erase(item_id)
        assert not previews(intake)
        with intake.db.reading() as tx:
            assert not tx.session.exec(select(Preview)).all()
            assert not tx.session.exec(select(Inspection)).all()

    def test_what_another_item_shares_stays(self, intake: Intake) -> None:
        first, _ = looked_at(intake, looked.image(), "photo.png")
        second, look = looked_at(intake, looked.image(), "copy.png")
        kept = previews(intake)
        remove_evidence(intake.db, intake.learner, first)
        intake.erase(first)
        assert previews(intake) == kept
        assert known(intake, second) == look
        assert known(intake, first).state == "none"

    def test_a_look_at_an_erased_item_does_nothing(self, intake: Intake) -> None:
        item_id = ItemId(intake.sealed(looked.pdf()).id)
        remove_evidence(intake.db, intake.learner, item_id)
        intake.erase(item_id)
        look_at(intake, item_id, Blind())
        assert not previews(intake)

    def test_an_erasure_waits_for_a_look_that_runs(self, intake: Intake) -> None:
        from storage.errors import Unavailable

        item_id = ItemId(intake.sealed(looked.pdf()).id)
        assert begin_work(intake.db, intake.promised(Work.INSPECT_EVIDENCE, item_id))
        remove_evidence(intake.db, intake.learner, item_id)
        with pytest.raises(Unavailable):
            intake.erase(item_id)
        intake.world.clock.advance(timedelta(hours=1))
        intake.erase(item_id)


class TestSameBytes:
    def test_both_sides_are_asked_and_neither_is_told_of_the_other(self, intake: Intake) -> None:
        body = looked.pdf()
        mine, before = looked_at(intake, body, "report.pdf")
        assert "same_bytes" not in codes(before)
        other = another(intake)
        theirs, look = looked_at(other, body, "report.pdf")
        assert "same_bytes" in codes(look)
        assert "same_bytes" in codes(known(intake, mine))
        with intake.db.reading() as tx:
            assert list(same_bytes_in_case(tx, intake.case_id)) == [mine]
            assert list(same_bytes_in_case(tx, other.case_id)) == [theirs]
        words = " ".join(one.message % one.params for one in look.signals)
        assert "Ana" not in words
        with intake.db.reading() as tx:
            letters = {one.recipient: one.body for one in tx.session.exec(select(Mail))}
        assert set(letters) == {intake.learner.email, other.learner.email}
        assert "Ben" not in letters[intake.learner.email]
        assert "Ana" not in letters[other.learner.email]

    def test_the_same_file_twice_in_one_case_is_nothing_to_tell(self, intake: Intake) -> None:
        looked_at(intake, looked.pdf(), "report.pdf")
        _, look = looked_at(intake, looked.pdf(), "again.pdf")
        assert "same_bytes" not in codes(look)

    def test_the_same_work_shown_in_two_cases_of_ones_own_is_nothing_to_ask_about(
        self, intake: Intake
    ) -> None:
        mine, _ = looked_at(intake, looked.pdf(), "report.pdf")
        withdraw_case(intake.db, intake.learner, intake.case_id)
        again = replace(intake, case_id=intake.world.case(intake.learner))
        _, look = looked_at(again, looked.pdf(), "report.pdf")
        assert "same_bytes" not in codes(look) | codes(known(intake, mine))
        looked_at(another(intake), looked.pdf(), "report.pdf")
        assert "same_bytes" in codes(known(intake, mine))

    def test_a_learner_states_their_part_and_assessors_read_it(self, intake: Intake) -> None:
        mine, _ = looked_at(intake, looked.pdf(), "report.pdf")
        looked_at(another(intake), looked.pdf(), "report.pdf")
        state_part(intake.db, intake.learner, mine, " We wrote it together; the tables are mine. ")
        signals = known(intake, mine).signals
        (found,) = [one for one in signals if one.code == "same_bytes_answered"]
        assert found.params == {"statement": "We wrote it together; the tables are mine."}

    def test_only_the_learner_says_it_and_only_when_asked(self, intake: Intake) -> None:
        mine, _ = looked_at(intake, looked.pdf(), "report.pdf")
        with pytest.raises(Conflict):
            state_part(intake.db, intake.learner, mine, "Mine.")
        other = another(intake)
        looked_at(other, looked.pdf(), "report.pdf")
        with pytest.raises(NotFound):
            state_part(intake.db, other.learner, mine, "Mine.")
        for nothing in (" ", "x" * 3000):
            with pytest.raises(InvalidInput):
                state_part(intake.db, intake.learner, mine, nothing)

    def test_the_institutions_own_forms_may_be_in_many_cases(self, intake: Intake) -> None:
        mine, _ = looked_at(intake, looked.pdf(), "form.pdf")
        sha256 = str(intake.item(mine).sha256)
        coordinator = intake.world.person(Role.COORDINATOR)
        add_known_form(intake.db, coordinator, sha256.upper(), "Observation form")
        looked_at(another(intake), looked.pdf(), "form.pdf")
        with intake.db.reading() as tx:
            assert not tx.session.exec(select(Mail)).all()
        assert "same_bytes" not in codes(known(intake, mine))
        with intake.db.reading() as tx:
            (form,) = known_forms(tx, intake.world.institution_id)
            assert (form.name, form.sha256) == ("Observation form", sha256)
        remove_known_form(intake.db, coordinator, sha256)
        assert "same_bytes" in codes(known(intake, mine))
        with pytest.raises(NotFound):
            remove_known_form(intake.db, coordinator, sha256)

    def test_forms_are_added_by_staff_with_a_digest_and_a_name(self, intake: Intake) -> None:
        with pytest.raises(Forbidden):
            add_known_form(intake.db, intake.learner, "a" * 64, "Mine")
        administrator = intake.world.person(Role.ADMINISTRATOR)
        with pytest.raises(InvalidInput) as error:
            add_known_form(intake.db, administrator, "no digest", " ")
        assert {one.field for one in error.value.problems} == {"sha256", "name"}
