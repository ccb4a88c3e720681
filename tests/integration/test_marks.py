"""Marks, notes, captions and readers over a case's life: who writes, who sees, what is frozen."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from storage.clock import SetClock
from storage.errors import Conflict, Forbidden, InvalidInput, NotFound
from storage.events import Who
from storage.ids import ItemId
from storage.tables import Caption, Case, Event, EvidenceAccess, EvidenceItem, Manifest, TimeSpan
from storage.vocabulary import CaptionKind, EvidenceKind, PeopleShown, Role
from tests.fixtures.panel import Panel
from tests.fixtures.recall import Recall
from tests.fixtures.world import SIGNED, World
from workflows.access.rules import Actor
from workflows.assessment.scoring import finalise_sheet
from workflows.canonical import content_hash
from workflows.cases.commands import submit_case, withdraw_case
from workflows.cases.queries import history_for_learner
from workflows.evidence.captions import attach_words, detach_words, words_of
from workflows.evidence.describing import remove_evidence
from workflows.evidence.disclosure import note_access, openings, readable_item
from workflows.evidence.marks import (
    MOST_MARKS,
    Mark,
    mark_evidence,
    marks_of,
    note_evidence,
    read_mark,
    remove_note,
    unmark_evidence,
)

VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\nYes, chef\n"
SPAN = read_mark("2:13", "3:40", "Sets the tool offset", "CNC1")


def begun(world: World) -> Panel:
    """Two assessors are asked, and the first has declared."""
    made = Panel(world)
    made.allocate()
    made.declare(made.first)
    return made


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(begun)


def film(panel: Panel) -> ItemId:
    """The video of the case."""
    with panel.db.reading() as tx:
        found = tx.session.exec(
            select(EvidenceItem.id).where(
                EvidenceItem.case_id == panel.case_id,
                EvidenceItem.kind == EvidenceKind.VIDEO.value,
            )
        ).one()
    return ItemId(found)


def seen(panel: Panel, who: Actor, role: Role) -> tuple[Mark, ...]:
    """What this reader sees on the video's time line."""
    with panel.db.reading() as tx:
        case = tx.session.get_one(Case, panel.case_id)
        found = marks_of(tx, case, Who(role, who.account_id), [film(panel)])
    return found.get(film(panel), ())


def note(panel: Panel, who: Actor, words: str) -> None:
    note_evidence(panel.db, who, film(panel), read_mark("0:30", "", words, ""))


class TestTheLearnersMarks:
    def test_marks_are_kept_until_submission_and_stand_in_the_manifest(self, world: World) -> None:
        learner = world.person(Role.LEARNER)
        case_id = world.case(learner)
        first, second, _third = world.full_evidence(case_id)
        mark_evidence(world.db, learner, first, SPAN)
        gone = mark_evidence(world.db, learner, first, read_mark("9", "", "Not this", ""))
        unmark_evidence(world.db, learner, first, gone)
        digest = attach_words(
            world.db,
            learner,
            first,
            kind=CaptionKind.CAPTIONS,
            language="en",
            label="English",
            text=VTT,
        )
        submit_case(world.db, world.site, learner, case_id, SIGNED)
        with world.db.reading() as tx:
            manifest = tx.session.exec(select(Manifest)).one()
        items = {item["id"]: item for item in manifest.body["items"]}  # type: ignore[attr-defined]
        assert items[str(first)]["marks"] == [
            {
                "start_ms": 133_000,
                "end_ms": 220_000,
                "outcome": "CNC1",
                "note": "Sets the tool offset",
            }
        ]
        assert items[str(first)]["words"] == [
            {"kind": "captions", "language": "en", "sha256": digest}
        ]
        assert "marks" not in items[str(second)] and "words" not in items[str(second)]
        assert content_hash(manifest.body) == manifest.digest

    def test_after_submission_nothing_on_the_time_line_changes(self, world: World) -> None:
        learner = world.person(Role.LEARNER)
        case_id = world.case(learner)
        first = world.full_evidence(case_id)[0]
        mark = mark_evidence(world.db, learner, first, SPAN)
        words = caption(world, learner, first)
        submit_case(world.db, world.site, learner, case_id, SIGNED)
        with pytest.raises(Conflict):
            mark_evidence(world.db, learner, first, SPAN)
        with pytest.raises(Conflict):
            unmark_evidence(world.db, learner, first, mark)
        with pytest.raises(Conflict):
            caption(world, learner, first)
        with pytest.raises(Conflict):
            detach_words(world.db, learner, first, words.id)

    def test_another_learner_neither_marks_nor_takes_away(self, world: World) -> None:
        learner, other = world.person(Role.LEARNER), world.person(Role.LEARNER)
        item = world.item(world.case(learner))
        mark = mark_evidence(world.db, learner, item, SPAN)
        for act in (
            lambda: mark_evidence(world.db, other, item, SPAN),
            lambda: unmark_evidence(world.db, other, item, mark),
            lambda: caption(world, other, item),
        ):
            with pytest.raises(NotFound):
                act()

    def test_a_mark_of_one_item_is_not_taken_away_through_another(self, world: World) -> None:
        learner = world.person(Role.LEARNER)
        case_id = world.case(learner)
        one, two = world.item(case_id), world.item(case_id)
        mark = mark_evidence(world.db, learner, one, SPAN)
        with pytest.raises(NotFound):
            unmark_evidence(world.db, learner, two, mark)

    def test_what_has_no_time_line_or_no_such_outcome_is_refused(self, world: World) -> None:
        learner = world.person(Role.LEARNER)
        item = world.item(world.case(learner))
        with pytest.raises(InvalidInput, match="outcomes"):
            mark_evidence(world.db, learner, item, read_mark("1", "", "", "XX9"))
        with world.db.transaction() as tx:
            tx.session.get_one(EvidenceItem, item).media_type = "application/pdf"
        with pytest.raises(InvalidInput, match="places in time"):
            mark_evidence(world.db, learner, item, SPAN)
        with pytest.raises(InvalidInput, match="video or a sound"):
            caption(world, learner, item)

    def test_marks_come_to_an_end(self, world: World) -> None:
        learner = world.person(Role.LEARNER)
        item = world.item(world.case(learner))
        mark = mark_evidence(world.db, learner, item, SPAN)
        with world.db.transaction() as tx:
            row = tx.session.get_one(TimeSpan, mark)
            told = row.model_dump(exclude={"id"})
            ids = [ItemId(type(mark)(int=number)) for number in range(1, MOST_MARKS)]
            tx.session.add_all(TimeSpan(id=one, **told) for one in ids)
        with pytest.raises(Conflict, match=str(MOST_MARKS)):
            mark_evidence(world.db, learner, item, SPAN)


def caption(world: World, learner: Actor, item: ItemId, language: str = "en") -> Caption:
    """Attach captions; the row that is kept of them."""
    digest = attach_words(
        world.db,
        learner,
        item,
        kind=CaptionKind.CAPTIONS,
        language=language,
        label=language,
        text=VTT,
    )
    with world.db.reading() as tx:
        return tx.session.exec(
            select(Caption).where(
                Caption.item_id == item, Caption.sha256 == digest, Caption.language == language
            )
        ).all()[-1]


def test_with_an_item_goes_what_was_marked_and_said_in_it(world: World) -> None:
    learner = world.person(Role.LEARNER)
    item = world.item(world.case(learner))
    mark_evidence(world.db, learner, item, SPAN)
    caption(world, learner, item)
    remove_evidence(world.db, learner, item)
    with world.db.reading() as tx:
        assert tx.session.exec(select(TimeSpan)).all() == []
        assert tx.session.exec(select(Caption)).all() == []
    with pytest.raises(NotFound):
        mark_evidence(world.db, learner, item, SPAN)
    with pytest.raises(NotFound):
        caption(world, learner, item)


class TestCaptions:
    def test_newer_captions_of_a_language_take_the_place_of_older_ones(self, world: World) -> None:
        learner = world.person(Role.LEARNER)
        item = world.item(world.case(learner))
        caption(world, learner, item)
        caption(world, learner, item)
        caption(world, learner, item, "fr")
        attach_words(
            world.db,
            learner,
            item,
            kind=CaptionKind.TRANSCRIPT,
            language="en",
            label="",
            text="Said <b>aloud</b>\r\n",
        )
        with world.db.reading() as tx:
            kept = words_of(tx, [item])[item]
        assert [(one.kind.value, one.language, one.label) for one in kept] == [
            ("captions", "en", "en"),
            ("captions", "fr", "fr"),
            ("transcript", "en", "en"),
        ]
        assert kept[-1].text == "Said <b>aloud</b>\n" and kept[-1].cues == ()
        assert kept[0].cues[0].text == "Yes, chef"

    def test_their_digest_is_in_the_history_and_what_goes_is_named(self, world: World) -> None:
        learner = world.person(Role.LEARNER)
        item = world.item(world.case(learner))
        row = caption(world, learner, item)
        detach_words(world.db, learner, item, row.id)
        detach_words(world.db, learner, item, row.id)
        with world.db.reading() as tx:
            events = tx.session.exec(
                select(Event).where(col(Event.kind).in_(["caption_evidence", "uncaption_evidence"]))
            ).all()
            assert words_of(tx, [item]) == {}
        assert [event.data["sha256"] for event in events] == [row.sha256, row.sha256]

    @pytest.mark.parametrize(
        ("language", "text", "field"),
        [("", VTT, "language"), ("x<y", VTT, "language"), ("en", " ", "text")],
    )
    def test_what_cannot_be_used_is_refused(
        self, world: World, language: str, text: str, field: str
    ) -> None:
        learner = world.person(Role.LEARNER)
        item = world.item(world.case(learner))
        for kind in CaptionKind:
            with pytest.raises(InvalidInput) as refused:
                attach_words(
                    world.db, learner, item, kind=kind, language=language, label="", text=text
                )
            assert refused.value.problems[0].field == field

    def test_a_transcript_has_an_end(self, world: World) -> None:
        learner = world.person(Role.LEARNER)
        item = world.item(world.case(learner))
        with pytest.raises(InvalidInput, match="1 MB"):
            attach_words(
                world.db,
                learner,
                item,
                kind=CaptionKind.TRANSCRIPT,
                language="en",
                label="",
                text="x" * 1_000_001,
            )

    def test_captions_of_another_item_are_not_taken_away(self, world: World) -> None:
        learner = world.person(Role.LEARNER)
        case_id = world.case(learner)
        row = caption(world, learner, world.item(case_id))
        with pytest.raises(NotFound):
            detach_words(world.db, learner, world.item(case_id), row.id)


class TestAssessorsNotes:
    def test_an_assessor_sees_their_own_notes_and_nobody_elses(self, panel: Panel) -> None:
        panel.declare(panel.second)
        note(panel, panel.first, "Skims, does not stir")
        note(panel, panel.second, "No gloves")
        assert [mark.note for mark in seen(panel, panel.first, Role.ASSESSOR)] == [
            "Skims, does not stir"
        ]
        assert [mark.note for mark in seen(panel, panel.second, Role.ASSESSOR)] == ["No gloves"]

    def test_until_the_rule_has_run_neither_staff_nor_learner_sees_any(self, panel: Panel) -> None:
        note(panel, panel.first, "Skims")
        panel.fill(panel.first)
        finalise_sheet(panel.db, panel.first, panel.sheet(panel.first))
        for who, role in (
            (panel.coordinator, Role.COORDINATOR),
            (panel.decider, Role.DECIDER),
            (panel.learner, Role.LEARNER),
        ):
            assert seen(panel, who, role) == ()

    def test_then_staff_see_them_with_names_and_after_the_release_the_learner_without(
        self, panel: Panel
    ) -> None:
        note(panel, panel.first, "Skims")
        panel.fill(panel.first)
        finalise_sheet(panel.db, panel.first, panel.sheet(panel.first))
        panel.score(panel.second)
        panel.settle()
        (shown,) = seen(panel, panel.decider, Role.DECIDER)
        assert (shown.note, shown.by, shown.from_assessor) == ("Skims", panel.first.name, True)
        assert seen(panel, panel.learner, Role.LEARNER) == ()
        panel.decide()
        assert seen(panel, panel.learner, Role.LEARNER) == ()
        panel.release()
        (told,) = seen(panel, panel.learner, Role.LEARNER)
        assert (told.note, told.by) == ("Skims", "")
        assert seen(panel, panel.second, Role.ASSESSOR) == ()

    def test_the_learners_history_tells_nothing_of_notes(self, panel: Panel) -> None:
        note(panel, panel.first, "Skims")
        with panel.db.reading() as tx:
            kinds = [line.kind for line in history_for_learner(tx, panel.case_id)]
        assert "note_evidence" not in kinds and "open_evidence" not in kinds

    def test_notes_are_written_from_an_open_sheet_only(self, panel: Panel) -> None:
        with pytest.raises(Forbidden):
            note(panel, panel.second, "Not declared yet")
        with pytest.raises(Forbidden):
            note(panel, panel.coordinator, "Not mine")
        note(panel, panel.first, "Skims")
        mark = seen(panel, panel.first, Role.ASSESSOR)[0]
        panel.fill(panel.first)
        finalise_sheet(panel.db, panel.first, panel.sheet(panel.first))
        with pytest.raises(Conflict):
            note(panel, panel.first, "Too late")
        with pytest.raises(Conflict):
            remove_note(panel.db, panel.first, film(panel), mark.id)

    def test_a_note_is_taken_back_by_who_wrote_it(self, panel: Panel) -> None:
        panel.declare(panel.second)
        note(panel, panel.first, "Skims")
        mark = seen(panel, panel.first, Role.ASSESSOR)[0]
        with pytest.raises(NotFound):
            remove_note(panel.db, panel.second, film(panel), mark.id)
        remove_note(panel.db, panel.first, film(panel), mark.id)
        remove_note(panel.db, panel.first, film(panel), mark.id)
        assert seen(panel, panel.first, Role.ASSESSOR) == ()

    def test_of_an_unknown_item_nothing_is_said(self, panel: Panel) -> None:
        with pytest.raises(NotFound):
            note_evidence(panel.db, panel.first, ItemId(panel.case_id), SPAN)


def reads(panel: Panel, who: Actor) -> bool:
    """Whether this person may open the video now."""
    with panel.db.reading() as tx:
        try:
            readable_item(tx, who, film(panel))
        except (Forbidden, NotFound):
            return False
    return True


class TestUntilWhenItIsRead:
    def test_after_a_withdrawal_nobody_but_the_learner_and_an_auditor(self, panel: Panel) -> None:
        auditor = panel.world.person(Role.AUDITOR)
        both = panel.world.person(Role.COORDINATOR, Role.AUDITOR)
        everyone = (panel.learner, panel.first, panel.coordinator, panel.decider, auditor, both)
        assert all(reads(panel, who) for who in everyone)
        withdraw_case(panel.db, panel.learner, panel.case_id)
        assert [who for who in everyone if reads(panel, who)] == [panel.learner, auditor, both]

    def test_an_assessor_reads_on_for_the_time_of_an_appeal(
        self, panel: Panel, clock: SetClock
    ) -> None:
        panel.fill(panel.first)
        finalise_sheet(panel.db, panel.first, panel.sheet(panel.first))
        panel.score(panel.second)
        panel.settle()
        assert reads(panel, panel.first)
        panel.decide()
        panel.release()
        clock.advance(timedelta(days=89))
        assert reads(panel, panel.first)
        clock.advance(timedelta(days=2))
        assert not reads(panel, panel.first)
        assert reads(panel, panel.coordinator) and reads(panel, panel.learner)

    def test_what_people_have_not_agreed_to_is_held_back(self, panel: Panel) -> None:
        with panel.db.transaction() as tx:
            item = tx.session.get_one(EvidenceItem, film(panel))
            item.people = PeopleShown.WAITING.value
        assert reads(panel, panel.learner)
        assert not reads(panel, panel.first) and not reads(panel, panel.coordinator)


class TestWhoOpenedIt:
    def test_looking_is_written_down_once_an_hour_and_a_download_each_time(
        self, panel: Panel, clock: SetClock
    ) -> None:
        for purpose in ("view", "view", "download", "download", "thumbnail"):
            look(panel, panel.first, Role.ASSESSOR, purpose)
        clock.advance(timedelta(minutes=61))
        look(panel, panel.first, Role.ASSESSOR, "view")
        with panel.db.reading() as tx:
            rows = tx.session.exec(select(EvidenceAccess.purpose)).all()
            events = tx.session.exec(select(Event).where(Event.kind == "open_evidence")).all()
        assert sorted(rows) == ["download", "download", "thumbnail", "view", "view"]
        assert len(events) == len(rows)

    def test_the_learner_is_told_of_each_person_once_and_of_assessors_names_after_release(
        self, panel: Panel, clock: SetClock
    ) -> None:
        look(panel, panel.learner, Role.LEARNER, "view")
        look(panel, panel.first, Role.ASSESSOR, "view")
        clock.advance(timedelta(minutes=1))
        look(panel, panel.first, Role.ASSESSOR, "download")
        clock.advance(timedelta(minutes=1))
        look(panel, panel.coordinator, Role.COORDINATOR, "view")
        look(panel, panel.second, Role.ASSESSOR, "thumbnail")
        assert told(panel) == [
            (Role.COORDINATOR, panel.coordinator.name, "view"),
            (Role.ASSESSOR, "", "download"),
        ]
        panel.fill(panel.first)
        finalise_sheet(panel.db, panel.first, panel.sheet(panel.first))
        panel.score(panel.second)
        panel.settle()
        panel.decide()
        panel.release()
        assert told(panel)[1] == (Role.ASSESSOR, panel.first.name, "download")


def told(panel: Panel) -> list[tuple[Role, str, str]]:
    with panel.db.reading() as tx:
        case = tx.session.get_one(Case, panel.case_id)
        return [(one.role, one.name, one.purpose) for one in openings(tx, case, film(panel))]


def look(panel: Panel, who: Actor, role: Role, purpose: str) -> None:
    """Have somebody open the video."""
    with panel.db.transaction() as tx:
        item = tx.session.get_one(EvidenceItem, film(panel))
        note_access(tx, Who(role, who.account_id, who.name), item, purpose)
