"""The viewer: what it shows of each sort of file and to whom, where links lead, its forms."""

import io
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlmodel import select

from storage.database import Database
from storage.ids import ItemId
from storage.tables import (
    Caption,
    EvidenceAccess,
    EvidenceItem,
    OutboxRow,
    RoleGrant,
    SealedObject,
    TimeSpan,
)
from storage.vocabulary import EvidenceKind, EvidenceState, PreviewKind, Role
from tests.fixtures.looks import looked_at
from tests.fixtures.panel import Panel
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workflows.access.rules import Actor
from workflows.cases.commands import withdraw_case
from workflows.evidence.marks import mark_evidence, note_evidence, read_mark

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
EVIL = "<script>alert(1)</script>"
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\nYes, chef\n"
THUMB = (PreviewKind.THUMBNAIL, 0, "image/webp")


def begun(world: World) -> Panel:
    """Two assessors are asked, and the first has declared; the video was looked into."""
    made = Panel(world)
    made.allocate()
    made.declare(made.first)
    looked_at(world.db, item_of(made, EvidenceKind.VIDEO), previews=[THUMB])
    return made


@pytest.fixture
def panel(recall: Recall) -> Panel:
    return recall(begun)


def item_of(panel: Panel, kind: EvidenceKind) -> ItemId:
    with panel.db.reading() as tx:
        found = tx.session.exec(
            select(EvidenceItem.id).where(
                EvidenceItem.case_id == panel.case_id, EvidenceItem.kind == kind.value
            )
        ).one()
    return ItemId(found)


def film(panel: Panel) -> str:
    return f"/evidence/{item_of(panel, EvidenceKind.VIDEO)}"


def paper(panel: Panel) -> str:
    return f"/evidence/{item_of(panel, EvidenceKind.DOCUMENT)}"


def at_browser(app: Flask, db: Database, who: Actor) -> Browser:
    browser = Browser(app, db)
    browser.sign_in(who)
    return browser


@pytest.fixture
def ines(app: Flask, db: Database, panel: Panel) -> Browser:
    """The first assessor."""
    return at_browser(app, db, panel.first)


@pytest.fixture
def ana(app: Flask, db: Database, panel: Panel) -> Browser:
    """The learner."""
    return at_browser(app, db, panel.learner)


@pytest.fixture
def draft(world: World) -> tuple[Actor, ItemId]:
    """A learner with a video in a case that is not submitted yet."""
    learner = world.person(Role.LEARNER, name="Bo Lind")
    item_id = world.item(world.case(learner), "CNC1")
    looked_at(world.db, item_id)
    return learner, item_id


class TestWhatIsShown:
    def test_a_recording_is_played_through_our_own_address(
        self, panel: Panel, ines: Browser
    ) -> None:
        page = ines.get(film(panel) + "/view").text
        player = 'class="player-media" controls playsinline preload="metadata"'
        assert f'<video {player} src="{film(panel)}/stream"' in page
        assert "5:00" in page and "S3" not in page

    def test_it_can_begin_at_a_place_without_any_script(self, panel: Panel, ines: Browser) -> None:
        page = ines.get(film(panel) + "/view?t=133,220").text
        assert f'src="{film(panel)}/stream#t=133,220"' in page
        page = ines.get(film(panel) + '/view?t="><script>').text
        assert (
            f'src="{film(panel)}/stream"' in page
            and "<script>" not in page.split("<main")[1].split("</main>")[0]
        )

    def test_a_document_is_pictures_of_its_pages(self, panel: Panel, ines: Browser) -> None:
        pages = [(PreviewKind.PAGE, number, "image/webp") for number in (1, 2)]
        item_id = item_of(panel, EvidenceKind.DOCUMENT)
        looked_at(panel.db, item_id, {"pages": 60}, previews=pages, media_type="application/pdf")
        page = ines.get(paper(panel) + "/view").text
        assert 'alt="Page 1 of 60"' in page and 'alt="Page 2 of 60"' in page
        assert "58 more pages are not drawn yet" in page
        assert "PDF document" in page and "application/pdf" not in page
        assert ines.post(paper(panel) + "/pages").status_code == 303
        with panel.db.reading() as tx:
            kinds = tx.session.exec(
                select(OutboxRow.kind).where(OutboxRow.subject_id == item_id)
            ).all()
        assert "draw_pages" in kinds

    def test_a_photo_is_the_picture_that_was_drawn_of_it(self, panel: Panel, ines: Browser) -> None:
        drawn = [(PreviewKind.IMAGE, 0, "image/webp")]
        looked_at(panel.db, item_of(panel, EvidenceKind.DOCUMENT), {"width": 9}, previews=drawn)
        page = ines.get(paper(panel) + "/view").text
        assert f'src="{paper(panel)}/preview/image/0" alt="Marked drawing"' in page

    def test_an_archive_is_its_listing_with_names_as_text(
        self, panel: Panel, ines: Browser
    ) -> None:
        listing = [{"name": EVIL, "size": 10, "packed": 5, "encrypted": True}]
        looked_at(panel.db, item_of(panel, EvidenceKind.DOCUMENT), {"members": 3}, listing=listing)
        page = ines.get(paper(panel) + "/view").text
        assert EVIL not in page and "&lt;script&gt;" in page
        assert "2 more are not listed" in page and "Encrypted" in page

    def test_what_waits_asks_again_and_what_cannot_be_shown_says_so(
        self, panel: Panel, ines: Browser
    ) -> None:
        assert "It cannot be shown here" in ines.get(paper(panel) + "/view").text
        looked_at(
            panel.db,
            item_of(panel, EvidenceKind.DOCUMENT),
            {"rendition": "waiting"},
            trouble="",
        )
        page = ines.get(paper(panel) + "/view").text
        assert "Pictures of it are being made" in page
        assert ines.get(paper(panel) + "/ready").status_code == 204
        assert ines.get(film(panel) + "/ready").headers["HX-Refresh"] == "true"

    def test_signals_are_for_those_who_judge_and_not_for_the_learner(
        self, panel: Panel, ines: Browser, ana: Browser
    ) -> None:
        looked_at(
            panel.db,
            item_of(panel, EvidenceKind.DOCUMENT),
            {},
            signals=[{"code": "pdf_editor", "params": {"producer": "Joiner 2"}}],
        )
        told = "What the file says about itself"
        shown = ines.get(paper(panel) + "/view").text
        assert told in shown and "Joiner 2" in shown and "never decides" in shown
        own = ana.get(paper(panel) + "/view").text
        assert told not in own and "Joiner 2" not in own

    def test_what_is_not_sealed_is_not_shown(self, world: World, app: Flask) -> None:
        learner = world.person(Role.LEARNER)
        item_id = world.item(world.case(learner), state=EvidenceState.QUARANTINED)
        browser = at_browser(app, world.db, learner)
        assert browser.get(f"/evidence/{item_id}/view").status_code == 409


class TestWhereLinksLead:
    def test_a_picture_is_shown_in_place_and_an_original_only_as_what_it_plays(
        self, panel: Panel, ines: Browser
    ) -> None:
        picture = ines.get(film(panel) + "/preview/thumbnail/0")
        asked = parse_qs(urlsplit(picture.headers["Location"]).query)
        assert picture.status_code == 302
        assert asked["response-content-type"] == ["image/webp"]
        assert int(asked["X-Amz-Expires"][0]) <= 60
        stream = ines.get(film(panel) + "/stream")
        asked = parse_qs(urlsplit(stream.headers["Location"]).query)
        assert asked["response-content-type"] == ["video/mp4"]
        assert int(asked["X-Amz-Expires"][0]) <= 60

    def test_what_is_no_recording_is_never_streamed(self, panel: Panel, ines: Browser) -> None:
        looked_at(
            panel.db,
            item_of(panel, EvidenceKind.DOCUMENT),
            {"plays": True},
            media_type="text/html",
        )
        assert ines.get(paper(panel) + "/stream").status_code == 404

    def test_there_is_no_address_for_a_text_or_a_made_up_picture(
        self, panel: Panel, ines: Browser
    ) -> None:
        assert ines.get(film(panel) + "/preview/text/0").status_code == 404
        assert ines.get(film(panel) + "/preview/page/9").status_code == 404

    def test_each_address_is_asked_for_anew(
        self, panel: Panel, ines: Browser, app: Flask, db: Database
    ) -> None:
        """A link used by someone else, after a role is removed, after a withdrawal."""
        paths = [film(panel) + way for way in ("/view", "/stream", "/preview/thumbnail/0", "/file")]
        stranger = at_browser(app, db, panel.world.person(Role.LEARNER))
        second = at_browser(app, db, panel.second)
        auditor = at_browser(app, db, panel.world.person(Role.AUDITOR))
        for path in paths[:3]:
            assert ines.get(path).status_code in {200, 302}
            assert stranger.get(path).status_code == 404
            assert second.get(path).status_code == 403
        with db.transaction() as tx:
            grant = tx.session.exec(
                select(RoleGrant).where(RoleGrant.account_id == panel.first.account_id)
            ).one()
            grant.revoked_at = tx.now
        assert {ines.get(path).status_code for path in paths} <= {403, 404}
        coordinator = at_browser(app, db, panel.coordinator)
        assert coordinator.get(paths[0]).status_code == 200
        withdraw_case(db, panel.learner, panel.case_id)
        assert {coordinator.get(path).status_code for path in paths} == {403}
        assert "has left this case" in coordinator.get(paths[0]).text
        assert auditor.get(paths[0]).status_code == 200

    def test_looking_is_written_down_once_and_the_learner_reads_who_did(
        self, panel: Panel, ines: Browser, ana: Browser
    ) -> None:
        for _time in range(3):
            ines.get(film(panel) + "/view")
            ines.get(film(panel) + "/preview/thumbnail/0")
        with panel.db.reading() as tx:
            found = sorted(tx.session.exec(select(EvidenceAccess.purpose)).all())
        assert found == ["thumbnail", "view"]
        page = ana.get(film(panel) + "/view").text
        opened = page[page.index('id="openings"') :]
        assert "An assessor" in opened and panel.first.name not in page
        assert "An assessor" in ana.get(film(panel)).text


class TestMarks:
    def test_the_learner_marks_and_takes_back_without_leaving_the_page(
        self, draft: tuple[Actor, ItemId], app: Flask, db: Database
    ) -> None:
        learner, item_id = draft
        browser, path = at_browser(app, db, learner), f"/evidence/{item_id}"
        kept = browser.post(
            path + "/marks",
            {"start": "2:13", "end": "3:40", "outcome": "CNC1", "note": EVIL},
            PARTIAL,
        )
        assert kept.status_code == 200 and kept.text.lstrip().startswith("<div")
        assert "2:13–3:40" in kept.text and 'data-seek="133,220"' in kept.text
        assert EVIL not in kept.text and "&lt;script&gt;" in kept.text
        assert 'x="443"' in kept.text and 'width="290"' in kept.text
        address = re.search(r'action="([^"]+/remove[^"]*)"', kept.text)
        assert address
        gone = browser.post(address[1].replace("&amp;", "&"), {}, PARTIAL)
        assert gone.status_code == 200 and "2:13" not in gone.text.split("<details")[0]

    def test_without_script_it_goes_back_to_the_viewer(
        self, draft: tuple[Actor, ItemId], app: Flask, db: Database
    ) -> None:
        learner, item_id = draft
        browser, path = at_browser(app, db, learner), f"/evidence/{item_id}"
        kept = browser.post(path + "/marks", {"start": "0:05", "note": "Safe start"})
        assert kept.status_code == 303
        assert kept.headers["Location"].startswith(f"{path}/view#marks-")
        assert "Safe start" in browser.get(path + "/view").text

    @pytest.mark.parametrize("headers", [PARTIAL, {}])
    def test_what_was_typed_wrong_stays_to_be_mended(
        self,
        headers: dict[str, str],
        draft: tuple[Actor, ItemId],
        app: Flask,
        db: Database,
    ) -> None:
        learner, item_id = draft
        browser = at_browser(app, db, learner)
        refused = browser.post(
            f"/evidence/{item_id}/marks",
            {"start": "9:99", "end": "1", "note": "Measures the bore"},
            headers,
        )
        assert refused.status_code == 422
        assert "Write a time such as 2:13" in refused.text
        assert 'value="9:99"' in refused.text and "Measures the bore" in refused.text
        beyond = browser.post(
            f"/evidence/{item_id}/marks", {"start": "5:30", "note": "After the end"}, headers
        )
        assert beyond.status_code == 422 and "ends at 5:00" in beyond.text

    def test_an_assessor_notes_from_the_sheet_and_gets_its_region_back(
        self, panel: Panel, ines: Browser
    ) -> None:
        mark_before(panel)
        kept = ines.post(
            film(panel) + "/notes?where=sheet&outcome=CNC2",
            {"start": "0:30", "note": "Dry run first", "outcome": "CNC2"},
            PARTIAL,
        )
        assert kept.status_code == 200
        assert "Dry run first" in kept.text and "where=sheet" in kept.text
        sheet = ines.get(f"/assessor/sheets/{panel.sheet(panel.first)}?outcome=CNC2").text
        assert "Moments that speak to" in sheet and "Dry run first" in sheet
        other = ines.get(f"/assessor/sheets/{panel.sheet(panel.first)}?outcome=CNC1").text
        assert "Dry run first" not in other

    def test_no_page_of_another_assessor_tells_of_a_note(
        self, panel: Panel, ines: Browser, app: Flask, db: Database
    ) -> None:
        panel.declare(panel.second)
        noah = at_browser(app, db, panel.second)
        sheet = f"/assessor/sheets/{panel.sheet(panel.second)}?outcome=CNC1"
        before = [plain(noah.get(path).text) for path in (film(panel) + "/view", sheet)]
        note_evidence(
            panel.db,
            panel.first,
            item_of(panel, EvidenceKind.VIDEO),
            read_mark("0:30", "", "Dry run first", "CNC1"),
        )
        after = [plain(noah.get(path).text) for path in (film(panel) + "/view", sheet)]
        assert before == after

    def test_an_assessor_cannot_mark_as_the_learner_nor_the_learner_note(
        self, panel: Panel, ines: Browser, ana: Browser
    ) -> None:
        form = {"start": "0:30", "note": "x"}
        assert ines.post(film(panel) + "/marks", form).status_code == 403
        assert ana.post(film(panel) + "/notes", form).status_code == 403
        assert ana.post(film(panel) + "/marks", form).status_code == 409
        with panel.db.reading() as tx:
            assert tx.session.exec(select(TimeSpan)).all() == []


def plain(page: str) -> str:
    """A page without what differs each time it is made."""
    return re.sub(r"[0-9a-f]{64}", "", page)


def mark_before(panel: Panel) -> None:
    """A mark the learner of another case made does not come up."""
    learner = panel.world.person(Role.LEARNER)
    item_id = panel.world.item(panel.world.case(learner), "CNC2")
    mark_evidence(panel.db, learner, item_id, read_mark("0:01", "", "Someone else's", "CNC2"))


class TestCaptions:
    def test_captions_come_from_our_origin_as_we_wrote_them(
        self, draft: tuple[Actor, ItemId], app: Flask, db: Database
    ) -> None:
        learner, item_id = draft
        browser, path = at_browser(app, db, learner), f"/evidence/{item_id}"
        file = (io.BytesIO(VTT.replace("Yes", EVIL + "Yes").encode()), "talk.vtt")
        kept = browser.post(
            path + "/captions", {"kind": "captions", "language": "en", "file": file}
        )
        assert kept.status_code == 303
        with db.reading() as tx:
            caption = tx.session.exec(select(Caption)).one()
        answer = browser.get(f"{path}/captions/{caption.id}.vtt")
        assert answer.headers["Content-Type"] == "text/vtt; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "<" not in answer.text and "Yes, chef" in answer.text
        page = browser.get(path + "/view").text
        assert f'<track kind="captions" src="{path}/captions/{caption.id}.vtt"' in page
        assert browser.post(f"{path}/captions/{caption.id}/remove").status_code == 303
        assert browser.get(f"{path}/captions/{caption.id}.vtt").status_code == 404

    def test_a_sound_has_its_captions_under_it_and_open_beside_it(
        self, world: World, app: Flask
    ) -> None:
        learner = world.person(Role.LEARNER, name="Cy Roth")
        item_id = world.item(world.case(learner), "CNC1")
        facts = {"duration_ms": 60_000, "audio_codec": "opus", "plays": True}
        poster = [(PreviewKind.POSTER, 0, "image/webp")]
        looked_at(world.db, item_id, facts, previews=poster, media_type="audio/ogg")
        browser, path = at_browser(app, world.db, learner), f"/evidence/{item_id}"
        form = {"kind": "captions", "language": "en", "text": VTT}
        assert browser.post(path + "/captions", form).status_code == 303
        page = browser.get(path + "/view").text
        sound = page.split("<audio")[1].split("</audio>")[0]
        assert '<track kind="captions"' in sound and "data-caption" in page
        assert f'<img class="player-wave" src="{path}/preview/poster/0" alt=""' in page
        assert '<details class="disclosure" open>' in page and "Yes, chef" in page

    def test_a_transcript_is_shown_as_text(
        self, draft: tuple[Actor, ItemId], app: Flask, db: Database
    ) -> None:
        learner, item_id = draft
        browser, path = at_browser(app, db, learner), f"/evidence/{item_id}"
        form = {"kind": "transcript", "language": "fr", "text": EVIL}
        assert browser.post(path + "/captions", form).status_code == 303
        page = browser.get(path + "/view").text
        assert EVIL not in page and "&lt;script&gt;alert(1)" in page and "Français" in page

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"kind": "captions", "language": "en", "text": "no times"}, "neither a caption"),
            ({"kind": "captions", "language": "", "text": VTT}, "Choose the language"),
            ({"kind": "captions", "language": "en"}, "Choose a file, or paste"),
        ],
    )
    def test_what_cannot_be_used_comes_back_with_what_was_typed(
        self,
        form: dict[str, object],
        words: str,
        draft: tuple[Actor, ItemId],
        app: Flask,
        db: Database,
    ) -> None:
        learner, item_id = draft
        browser = at_browser(app, db, learner)
        refused = browser.post(f"/evidence/{item_id}/captions", form)
        assert refused.status_code == 422 and words in refused.text

    def test_an_empty_file_is_refused(
        self, draft: tuple[Actor, ItemId], app: Flask, db: Database
    ) -> None:
        learner, item_id = draft
        form = {"kind": "captions", "language": "en", "file": (io.BytesIO(b""), "x.vtt")}
        refused = at_browser(app, db, learner).post(f"/evidence/{item_id}/captions", form)
        assert refused.status_code == 422 and "This file is empty" in refused.text


class TestWhatTheStoreDoesNotHoldAsSealed:
    def test_other_bytes_are_said_to_be_others_and_are_neither_played_nor_offered(
        self, panel: Panel, ines: Browser, ana: Browser
    ) -> None:
        spoil(panel, EvidenceKind.VIDEO, "wrong_at")
        sheet = f"/assessor/sheets/{panel.sheet(panel.first)}?outcome=CNC1"
        for browser in (ines, ana):
            page = browser.get(film(panel) + "/view").text
            assert "does not hold this file as it was sealed" in page
            assert "Download the file" not in page and "<video" not in page
        assert "not what was sealed" in ines.get(sheet).text
        assert film(panel) + "/file" not in ines.get(sheet).text
        assert film(panel) + "/file" not in ana.get(film(panel)).text
        case = ana.get(f"/cases/{panel.case_id}").text
        assert "does not hold this file" in case and "keep your own copy" in case
        assert "Not as sealed" in case and "upload the file again" not in case
        assert ines.get(film(panel) + "/stream").status_code == 404

    def test_its_rendition_was_made_before_and_still_plays(
        self, panel: Panel, ines: Browser
    ) -> None:
        drawn = [(PreviewKind.RENDITION, 0, "video/mp4")]
        item_id = item_of(panel, EvidenceKind.DOCUMENT)
        looked_at(panel.db, item_id, previews=drawn, media_type="video/quicktime")
        spoil(panel, EvidenceKind.DOCUMENT, "wrong_at")
        assert "<video" in ines.get(paper(panel) + "/view").text
        assert "rendition-0" in ines.get(paper(panel) + "/stream").headers["Location"]

    def test_a_lost_file_is_said_to_be_lost(self, panel: Panel, ines: Browser) -> None:
        spoil(panel, EvidenceKind.DOCUMENT, "missing_at")
        page = ines.get(paper(panel) + "/view").text
        assert "The store has lost this file" in page and "Download the file" not in page


def spoil(panel: Panel, kind: EvidenceKind, what: str) -> None:
    """Write down what a check of the store has found."""
    with panel.db.transaction() as tx:
        digest = tx.session.get_one(EvidenceItem, item_of(panel, kind)).sha256
        setattr(tx.session.get_one(SealedObject, digest), what, tx.now)


class TestSmallPictures:
    def test_lists_show_them_lazily_and_an_icon_where_there_is_none(
        self, panel: Panel, ines: Browser, ana: Browser, app: Flask, db: Database
    ) -> None:
        source = f'src="{film(panel)}/preview/thumbnail/0"'
        for page in (
            ana.get(f"/cases/{panel.case_id}").text,
            at_browser(app, db, panel.coordinator)
            .get(f"/staff/cases/{panel.case_id}/evidence")
            .text,
        ):
            assert source in page and page.count("thumb-mark") == 2
            assert re.search(rf'{re.escape(source)} alt="" loading="lazy"', page)
        sheet = ines.get(f"/assessor/sheets/{panel.sheet(panel.first)}?outcome=CNC1").text
        assert f'src="{film(panel)}/stream"' in sheet and 'preload="none"' in sheet


def test_pages_may_take_pictures_and_film_from_the_store_and_nothing_else(
    panel: Panel, ines: Browser
) -> None:
    policy = ines.get(film(panel) + "/view").headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and rules["script-src"] == "'self'"
    assert rules["img-src"] == rules["media-src"] == "'self' http://127.0.0.1:9"
    assert "frame-src" not in rules and "object-src" not in rules
