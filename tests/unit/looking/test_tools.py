"""The tools on real files of every sort: what they find and what they draw."""

from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from PIL import Image

from app.looking import looker
from storage.vocabulary import PreviewKind
from tests.fixtures import looked
from tests.fixtures.looking import CONFINED, HERE, codes, drawn, kinds, look, source_of
from workflows.confining import MIB
from workflows.looking.seeing import DAMAGED, TOO_MUCH


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


class TestPdf:
    def test_each_page_is_drawn_and_the_first_is_the_thumbnail(self) -> None:
        with look(looked.pdf(3), "report.pdf") as seen:
            pages = [one.number for one in seen.drawn if one.kind is PreviewKind.PAGE]
            page = opened(drawn(seen, PreviewKind.PAGE, 1))
            assert sorted(pages) == [1, 2, 3]
            assert seen.facts.pages == 3
            assert (page.format, page.width) == ("WEBP", 1400)
            assert page.convert("RGB").getpixel((250, 1600)) == pytest.approx((255, 0, 0), abs=9)
            assert opened(drawn(seen, PreviewKind.THUMBNAIL)).width <= 320

    def test_the_first_fifty_pages_are_drawn_and_the_others_when_they_are_wanted(self) -> None:
        body = looked.pdf(53, size=(60, 40))
        with look(body, "report.pdf") as seen:
            pages = [one for one in seen.drawn if one.kind is PreviewKind.PAGE]
            assert len(pages) == 50
        with HERE.draw_pages(source_of(body), "application/pdf", 51, 50) as more:
            assert sorted(one.number for one in more.drawn) == [51, 52, 53]

    def test_what_the_document_says_of_itself_is_a_fact_and_an_editor_a_signal(self) -> None:
        body = looked.pdf(producer="iLovePDF", created="D:20260110093000Z")
        with look(body, "report.pdf") as seen:
            assert seen.facts.producer == "iLovePDF"
            assert seen.facts.created_on == date(2026, 1, 10)
            assert codes(seen) == {"pdf_editor"}

    def test_a_program_that_only_makes_pdfs_is_no_signal(self) -> None:
        with look(looked.pdf(producer="Typst 0.15"), "report.pdf") as seen:
            assert seen.facts.producer == "Typst 0.15"
            assert not codes(seen)

    def test_versions_that_were_saved_over_are_counted(self) -> None:
        with look(looked.saved_again(looked.pdf(), 2), "report.pdf") as seen:
            assert ("incremental_updates", {"count": 2}) in seen.signals
            assert seen.facts.revisions == 2

    def test_versions_that_are_signatures_say_so(self) -> None:
        body = looked.saved_again(looked.pdf()) + b"% /ByteRange [0 1 2 3]\n"
        with look(body, "report.pdf") as seen:
            assert codes(seen) == {"signed_updates"}

    def test_scripts_and_files_inside_are_named_and_not_run(self) -> None:
        with look(looked.pdf(javascript=True, attached=True), "form.pdf") as seen:
            assert codes(seen) == {"active_javascript", "embedded_files"}

    def test_one_that_needs_a_password_is_encrypted_and_has_no_picture(self) -> None:
        with look(looked.pdf(password="x"), "locked.pdf") as seen:
            assert seen.facts.encrypted
            assert codes(seen) == {"encrypted"}
            assert not seen.drawn
            assert not seen.trouble


class TestImages:
    def test_a_photo_is_drawn_upright_and_without_its_place(self) -> None:
        with look(looked.photo(orientation=6), "photo.jpg") as seen:
            shown = opened(drawn(seen, PreviewKind.IMAGE))
            assert shown.size == (120, 160)
            assert not shown.getexif()
            assert "exif" not in shown.info
            assert b"Fairphone" not in drawn(seen, PreviewKind.IMAGE)
            assert seen.facts.has_position
            assert codes(seen) == {"has_position"}

    def test_camera_and_day_of_a_photo_are_facts(self) -> None:
        with look(looked.photo(place=False), "photo.jpg") as seen:
            assert seen.facts.camera == "Fairphone FP5"
            assert seen.facts.created_on == date(2026, 1, 10)
            assert not codes(seen)

    @pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP", "BMP", "AVIF", "TIFF"])
    def test_every_usual_format_is_drawn_anew(self, form: str) -> None:
        with look(looked.image(form), f"image.{form.lower()}") as seen:
            assert not seen.trouble
            shown = opened(drawn(seen, PreviewKind.IMAGE)).convert("RGB")
            assert shown.size == (64, 48)
            assert shown.getpixel((10, 5)) == pytest.approx((200, 30, 30), abs=25)

    def test_what_can_be_seen_through_is_drawn_on_paper(self) -> None:
        out = BytesIO()
        Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
        with look(out.getvalue(), "logo.png") as seen:
            shown = opened(drawn(seen, PreviewKind.IMAGE)).convert("RGB")
            assert shown.getpixel((5, 5)) == (255, 255, 255)

    def test_a_tiff_of_several_scans_is_drawn_page_by_page(self) -> None:
        body = looked.scans(3)
        with look(body, "scan.tiff") as seen:
            assert kinds(seen) == {"page", "thumbnail"}
            assert seen.facts.pages == 3
        with HERE.draw_pages(source_of(body), "image/tiff", 2, 50) as more:
            assert sorted(one.number for one in more.drawn) == [2, 3]

    def test_a_photo_of_a_phone_made_of_tiles_is_drawn_whole_and_upright(self) -> None:
        with look(looked.phone_photo(), "IMG_0042.HEIC") as seen:
            shown = opened(drawn(seen, PreviewKind.IMAGE))
            assert shown.size == (200, 300) == (seen.facts.width, seen.facts.height)
            assert shown.convert("RGB").getpixel((150, 290)) == pytest.approx((200, 30, 30), abs=25)
            assert shown.convert("RGB").getpixel((50, 290)) == pytest.approx((30, 30, 200), abs=25)
            assert seen.facts.camera == "Fairphone FP5" and seen.facts.has_position
            assert PreviewKind.THUMBNAIL in {one.kind for one in seen.drawn} and not seen.trouble

    def test_a_broken_photo_of_a_phone_costs_its_look_alone(self) -> None:
        body = looked.phone_photo()
        with look(body[: len(body) // 2], "IMG_0042.HEIC") as seen:
            assert seen.trouble == DAMAGED and not seen.drawn

    def test_an_image_of_a_format_that_we_do_not_open_is_offered_as_it_is(self) -> None:
        with HERE.look(source_of(b"x" * 99), "image/x-xcf", "drawing.xcf") as seen:
            assert not seen.drawn
            assert not seen.trouble


class TestRecordings:
    def test_a_film_that_browsers_play_has_its_facts_a_poster_and_no_rendition(self) -> None:
        body = looked.film(tags={"creation_time": "2026-01-10T09:00:00Z"})
        with look(body, "job.mp4") as seen:
            facts = seen.facts
            assert (facts.width, facts.height, facts.duration_ms) == (160, 120, 2000)
            assert (facts.video_codec, facts.audio_codec) == ("h264", "aac")
            assert facts.created_on == date(2026, 1, 10)
            assert facts.plays
            assert not seen.renders
            assert kinds(seen) == {"poster", "thumbnail"}
            shown = opened(drawn(seen, PreviewKind.POSTER)).convert("RGB")
            assert shown.getpixel((150, 110)) == pytest.approx((20, 90, 20), abs=25)

    @pytest.mark.parametrize(
        ("codec", "sound", "form", "plays"),
        [
            ("libvpx-vp9", "libopus", "webm", True),
            ("libx264", "aac", "mov", True),
            ("libx264", "aac", "matroska", False),
            ("mpeg4", "aac", "mp4", False),
            ("mpeg4", "mp3", "avi", False),
        ],
    )
    def test_what_browsers_play_is_known_by_its_codecs(
        self, codec: str, sound: str, form: str, plays: bool
    ) -> None:
        with look(looked.film(codec, sound, form), f"job.{form[:3]}") as seen:
            assert seen.facts.plays is plays
            assert seen.renders is not plays
            assert seen.facts.rendition == ("" if plays else "waiting")

    def test_film_with_more_than_eight_bits_is_not_taken_for_playable(self) -> None:
        with look(looked.film(dots="yuv422p"), "job.mp4") as seen:
            assert not seen.facts.plays

    def test_a_recording_from_a_browser_without_a_length_in_its_head_has_one(self) -> None:
        with look(looked.film("libvpx", "libopus", "webm", seekable=False), "live.webm") as seen:
            assert seen.facts.duration_ms == pytest.approx(2000, abs=30)

    @pytest.mark.parametrize(
        ("sound", "form"),
        [
            ("mp3", "mp3"),
            ("pcm_s16le", "wav"),
            ("flac", "flac"),
            ("libopus", "ogg"),
            ("aac", "mp4"),
        ],
    )
    def test_sound_has_its_length_and_its_waves(self, sound: str, form: str) -> None:
        with look(looked.film("", sound, form), f"talk.{form}") as seen:
            assert seen.facts.plays
            assert seen.facts.duration_ms == pytest.approx(2000, abs=60)
            assert kinds(seen) == {"poster", "thumbnail"}

    def test_the_camera_and_that_it_holds_a_place_are_told_and_not_the_place(self) -> None:
        tags = {"com.apple.quicktime.model": "iPhone", "location": "+45.5-073.6/"}
        with look(looked.film(form="mov", tags=tags), "job.mov") as seen:
            assert seen.facts.camera == "iPhone"
            assert seen.facts.has_position
            assert "45.5" not in seen.facts.model_dump_json()

    def test_a_rendition_is_h264_and_aac_that_begins_at_once_and_no_taller_than_720(self) -> None:
        body = looked.film("mpeg4", "mp3", "avi", seconds=1, size=(1920, 1080))
        told: list[int] = []
        with HERE.render(source_of(body), told.append) as seen:
            (made,) = seen.drawn
            data = made.path.read_bytes()
            assert (made.kind, made.width, made.height) == (PreviewKind.RENDITION, 1280, 720)
            assert made.media_type == "video/mp4"
            assert data.index(b"moov") < data.index(b"mdat")
        with look(data, "rendition.mp4") as shown:
            assert shown.facts.plays
            assert (shown.facts.video_codec, shown.facts.audio_codec) == ("h264", "aac")
            assert shown.facts.duration_ms == pytest.approx(1000, abs=150)
        assert told

    def test_a_film_from_a_phone_held_upright_is_shown_upright(
        self,
    ) -> None:
        body = looked.turned(looked.film("mpeg4"))
        with look(body, "job.mp4") as seen:
            assert (seen.facts.width, seen.facts.height) == (120, 160)
            assert seen.facts.rotation in {90, 270}
            shown = opened(drawn(seen, PreviewKind.POSTER)).convert("L")
        with HERE.render(source_of(body), lambda _: None) as seen:
            (made,) = seen.drawn
            assert (made.width, made.height) == (120, 160)
            data = made.path.read_bytes()
        with look(data, "rendition.mp4") as seen:
            again = opened(drawn(seen, PreviewKind.POSTER)).convert("L")
        # the white square began at the upper left, which a quarter turn brings to the upper right
        for picture in (shown, again):
            assert picture.getpixel((84, 15)) > 200
            assert picture.getpixel((35, 145)) < 120

    def test_a_rendition_of_sound_alone_is_sound(self) -> None:
        body = looked.film("", "pcm_s16le", "matroska")
        with HERE.render(source_of(body), lambda _: None) as seen:
            (made,) = seen.drawn
            assert made.media_type == "audio/mp4"

    def test_a_rendition_that_wants_more_memory_than_it_has_is_let_go(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scarce = replace(looker.RENDER, memory_bytes=192 * MIB)
        monkeypatch.setattr(looker, "RENDER", scarce)
        body = looked.film("mpeg4", "mp3", "avi", seconds=1, size=(3840, 2160))
        with CONFINED.render(source_of(body), lambda _: None) as seen:
            assert seen.drawn == ()
            assert seen.trouble in {TOO_MUCH, DAMAGED}


class TestOfficeAndText:
    def test_a_document_says_who_when_and_with_what(self) -> None:
        with look(looked.word(), "sheet.docx") as seen:
            facts = seen.facts
            assert (facts.author, facts.last_editor, facts.revision) == ("Kim Bell", "Ana Souza", 7)
            assert (facts.created_on, facts.modified_on) == (date(2025, 11, 3), date(2026, 1, 5))
            assert (facts.made_with, facts.pages) == ("Microsoft Office Word", 3)
            people = {"author": "Kim Bell", "editor": "Ana Souza"}
            assert ("office_people", people) in seen.signals
            text = drawn(seen, PreviewKind.TEXT).decode()
            assert text.split("\n")[:2] == ["Set-up sheet for the vice", "Check the offset <twice>"]

    def test_macros_and_what_is_fetched_from_outside_are_signals_and_links_are_not(self) -> None:
        with look(looked.word(macros=True, links=True), "sheet.docm") as seen:
            assert codes(seen) == {"office_people", "active_macros", "external_links"}
            assert seen.facts.external_links == 1

    def test_an_open_document_says_the_same(self) -> None:
        with look(looked.open_document(), "tools.odt") as seen:
            assert (seen.facts.author, seen.facts.revision) == ("Kim Bell", 4)
            assert drawn(seen, PreviewKind.TEXT).decode() == "Tool list\nFace mill 50 mm\n"

    def test_slides_come_in_their_order(self) -> None:
        with look(looked.slides(11), "talk.pptx") as seen:
            text = drawn(seen, PreviewKind.TEXT).decode()
            assert text.index("Slide 2") < text.index("Slide 10")

    def test_a_sheet_is_shown_row_by_row(self) -> None:
        from openpyxl import Workbook

        book, out = Workbook(), BytesIO()
        assert book.active is not None
        book.active.append(["Bore", 40.011])
        book.save(out)
        with look(out.getvalue(), "sheet.xlsx") as seen:
            assert "Bore | 40.011" in drawn(seen, PreviewKind.TEXT).decode()

    @pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_text_is_read_in_the_charset_it_is_in(self, charset: str) -> None:
        with HERE.look(source_of("Größe\r\nx".encode(charset)), "text/plain", "n.txt") as seen:
            assert drawn(seen, PreviewKind.TEXT).decode() == "Größe\nx"
            assert seen.facts.charset == charset.removesuffix("-sig")

    def test_text_is_plain_whatever_it_was_and_holds_nothing_that_turns_it(self) -> None:
        body = "<script>alert(1)</script>\x00\u202edoc.exe".encode()
        with HERE.look(source_of(body), "text/html", "page.html") as seen:
            made = next(one for one in seen.drawn if one.kind is PreviewKind.TEXT)
            assert made.media_type == "text/plain; charset=utf-8"
            assert made.path.read_text() == "<script>alert(1)</script>  doc.exe"
            assert codes(seen) == {"active_markup"}

    def test_long_text_is_cut_and_says_so(self) -> None:
        with HERE.look(source_of(b"a line\n" * 100_000), "text/plain", "log.txt") as seen:
            assert seen.facts.cut_short
            assert len(drawn(seen, PreviewKind.TEXT)) <= 400_000


class TestArchives:
    def test_a_zip_lists_what_is_inside(self) -> None:
        with look(looked.zipped({"a/b.txt": "hi", "c.txt": "x" * 1000}), "parts.zip") as seen:
            assert [one.name for one in seen.listing] == ["a/b.txt", "c.txt"]
            assert (seen.facts.members, seen.facts.unpacked) == (2, 1002)
            assert not seen.drawn

    def test_a_packed_tar_lists_what_is_inside(self) -> None:
        with look(looked.tarred(["one", "two"]), "parts.tar.gz") as seen:
            assert [one.name for one in seen.listing] == ["one", "two"]

    def test_names_of_members_cannot_move_or_hide_anything(self) -> None:
        with look(looked.zipped({"a\u202etxt.exe\n": "x"}), "parts.zip") as seen:
            assert seen.listing[0].name == "a txt.exe"

    def test_a_thousand_members_are_counted_and_not_all_listed(self) -> None:
        members = {f"file {number}": "" for number in range(1000)}
        with look(looked.zipped(members), "parts.zip") as seen:
            assert (seen.facts.members, len(seen.listing)) == (1000, 500)

    def test_a_packed_file_that_is_no_archive_is_no_trouble(self) -> None:
        import gzip

        with look(gzip.compress(b"hello"), "log.gz") as seen:
            assert not seen.trouble


class TestTwoThingsAtOnce:
    @pytest.mark.parametrize(
        ("body", "name", "kinds_named"),
        [
            (looked.pdf() + looked.zipped({"a": "b"}), "a.pdf", "PDF, ZIP"),
            (looked.image("GIF") + b"<script>alert(1)</script>", "a.gif", "GIF, HTML"),
            (looked.image("JPEG") + b"<html >", "a.jpg", "JPEG, HTML"),
            (looked.image() + looked.zipped({"a": "b"}), "a.png", "PNG, ZIP"),
            (b"GIF89a/*" + looked.image("GIF")[8:], "a.gif", "GIF, JavaScript"),
        ],
    )
    def test_a_file_of_two_kinds_is_ambiguous(
        self, body: bytes, name: str, kinds_named: str
    ) -> None:
        with look(body, name) as seen:
            assert ("ambiguous", {"kinds": kinds_named}) in seen.signals

    def test_bytes_behind_a_picture_are_told(self) -> None:
        with look(looked.image() + bytes(range(200)), "a.png") as seen:
            assert ("bytes_behind", {"size": 200}) in seen.signals

    @pytest.mark.parametrize(
        ("body", "name"),
        [
            (looked.word(), "a.docx"),
            (looked.photo(place=False), "a.jpg"),
            (looked.image(), "a.png"),
            (looked.film(), "a.mp4"),
            (looked.zipped({"page.html": "<html>"}), "a.zip"),
        ],
    )
    def test_usual_files_are_not_ambiguous(self, body: bytes, name: str) -> None:
        with look(body, name) as seen:
            assert not codes(seen) & {"ambiguous", "bytes_behind"}


def test_what_nobody_knows_has_no_picture_and_no_trouble() -> None:
    with HERE.look(source_of(bytes(range(256))), "application/octet-stream", "x.bin") as seen:
        assert seen.facts == type(seen.facts)()
        assert not (seen.drawn or seen.signals or seen.trouble)
