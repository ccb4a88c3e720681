"""Looking at one piece of evidence: the viewer, the pictures and streams in it, marks, captions."""

import re
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Line, Text, form_values, messages, parse
from app.web.i18n import native_name
from app.web.viewer_rows import (
    Recording,
    is_prose,
    mode_of,
    pages_of,
    poster_address,
    recording,
    shown_as,
)
from storage.errors import InvalidInput, Problem
from storage.ids import ItemId
from storage.vocabulary import CaptionKind, PreviewKind
from workflows.access.permissions import Permission
from workflows.evidence.captions import attach_words, detach_words, words_with
from workflows.evidence.disclosure import readable_item
from workflows.evidence.marks import (
    mark_evidence,
    note_evidence,
    read_mark,
    remove_note,
    unmark_evidence,
)
from workflows.evidence.viewing import Viewed, looked_at, text_shown, view_item
from workflows.evidence.webvtt import LARGEST, decoded
from workflows.looking.commands import link_to_play, link_to_preview, want_pages

blueprint = Blueprint("viewer", __name__)

PLACE = re.compile(r"\d{1,6}(\.\d{1,3})?(,\d{1,6}(\.\d{1,3})?)?")
LANGUAGES = ("en", "fr", "es", "pt", "de", "it", "nl", "pl", "uk", "ar", "hi", "pa", "tl", "vi")
PICTURES = "any(thumbnail,image,page,poster)"


class MarkForm(Form):
    """A stretch of a recording, and what is said of it."""

    start: Line = ""
    end: Line = ""
    note: Text = ""
    outcome: Line = ""


class WordsForm(Form):
    """Captions or a transcript, pasted."""

    kind: CaptionKind = CaptionKind.CAPTIONS
    language: Line = ""
    text: str = ""


@blueprint.get("/evidence/<uuid:item_id>/view")
@needs(Permission.READ_EVIDENCE, of="item_id")
def view(item_id: UUID) -> str:
    """The item, so that it can be looked at without anything of it being run."""
    return _page(view_item(parts().db, actor(), ItemId(item_id)), {}, {})


@blueprint.get("/evidence/<uuid:item_id>/ready")
@needs(Permission.READ_EVIDENCE, of="item_id")
def ready(item_id: UUID) -> AnyResponse:
    """Asked by a page that waits for pictures: it is loaded anew when they are there."""
    with parts().db.reading() as tx:
        item, _who = readable_item(tx, actor(), ItemId(item_id))
        look = looked_at(tx, actor(), ItemId(item_id))
        waiting = mode_of(item.media_type, look) == "waiting"
    return Response(status=204) if waiting else hx.reload_page()


@blueprint.get(f"/evidence/<uuid:item_id>/preview/<{PICTURES}:kind>/<int:number>")
@needs(Permission.READ_EVIDENCE, of="item_id")
def preview(item_id: UUID, kind: str, number: int) -> AnyResponse:
    """Go to a picture that we made of the file, by a link of a minute."""
    link = link_to_preview(
        parts().db, parts().vault, actor(), ItemId(item_id), PreviewKind(kind), number
    )
    return redirect(link, 302)


@blueprint.get("/evidence/<uuid:item_id>/stream")
@needs(Permission.READ_EVIDENCE, of="item_id")
def stream(item_id: UUID) -> AnyResponse:
    """Go to the recording, by a link of a minute; to its rendition where browsers need one."""
    return redirect(link_to_play(parts().db, parts().vault, actor(), ItemId(item_id)), 302)


@blueprint.post("/evidence/<uuid:item_id>/pages")
@needs(Permission.READ_EVIDENCE, of="item_id")
def more_pages(item_id: UUID) -> AnyResponse:
    """Have the next pages of a document drawn."""
    want_pages(parts().db, actor(), ItemId(item_id))
    notice = _("More pages are being drawn. Load this page again in a moment.")
    return hx.redirect("viewer.view", notice, item_id=item_id, _anchor="more-pages")


@blueprint.get("/evidence/<uuid:item_id>/captions/<uuid:caption_id>.vtt")
@needs(Permission.READ_EVIDENCE, of="item_id")
def captions(item_id: UUID, caption_id: UUID) -> Response:
    """Captions for the player, as we wrote them ourselves."""
    with parts().db.reading() as tx:
        readable_item(tx, actor(), ItemId(item_id))
        words = words_with(tx, ItemId(item_id), caption_id)
    return Response(words.text, content_type="text/vtt; charset=utf-8")


@blueprint.post("/evidence/<uuid:item_id>/marks")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def mark(item_id: UUID) -> AnyResponse:
    """Keep a mark of the learner."""
    return _mark(ItemId(item_id), by_assessor=False)


@blueprint.post("/evidence/<uuid:item_id>/marks/<uuid:mark_id>/remove")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def unmark(item_id: UUID, mark_id: UUID) -> AnyResponse:
    """Take a mark back."""
    unmark_evidence(parts().db, actor(), ItemId(item_id), mark_id)
    return _after(ItemId(item_id), _("The mark is taken away."))


@blueprint.post("/evidence/<uuid:item_id>/notes")
@needs(Permission.SCORE_CASE, of="item_id")
def note(item_id: UUID) -> AnyResponse:
    """Keep a note of an assessor."""
    return _mark(ItemId(item_id), by_assessor=True)


@blueprint.post("/evidence/<uuid:item_id>/notes/<uuid:mark_id>/remove")
@needs(Permission.SCORE_CASE, of="item_id")
def unnote(item_id: UUID, mark_id: UUID) -> AnyResponse:
    """Take a note back."""
    remove_note(parts().db, actor(), ItemId(item_id), mark_id)
    return _after(ItemId(item_id), _("The note is taken away."))


@blueprint.post("/evidence/<uuid:item_id>/captions")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def attach(item_id: UUID) -> AnyResponse:
    """Let captions or a transcript stand with the recording."""
    try:
        form = parse(WordsForm)
        attach_words(
            parts().db,
            actor(),
            ItemId(item_id),
            kind=form.kind,
            language=form.language,
            label=native_name(form.language) if form.language in LANGUAGES else form.language,
            text=_sent_text(form.text),
        )
    except InvalidInput as error:
        shown = view_item(parts().db, actor(), ItemId(item_id))
        return make_response(_page(shown, form_values(), messages(error)), error.status)
    return hx.redirect("viewer.view", _("Kept."), item_id=item_id, _anchor="words")


@blueprint.post("/evidence/<uuid:item_id>/captions/<uuid:caption_id>/remove")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def detach(item_id: UUID, caption_id: UUID) -> AnyResponse:
    """Take captions or a transcript away."""
    detach_words(parts().db, actor(), ItemId(item_id), caption_id)
    return hx.redirect("viewer.view", _("Taken away."), item_id=item_id, _anchor="words")


def _mark(item_id: ItemId, *, by_assessor: bool) -> AnyResponse:
    keep = note_evidence if by_assessor else mark_evidence
    try:
        form = parse(MarkForm)
        wanted = read_mark(form.start, form.end, form.note, form.outcome)
        keep(parts().db, actor(), item_id, wanted)
    except InvalidInput as error:
        shown = view_item(parts().db, actor(), item_id)
        if hx.is_partial():
            return _marks(shown, form_values(), messages(error), error.status)
        return make_response(_page(shown, form_values(), messages(error)), error.status)
    return _after(item_id, _("The note is kept.") if by_assessor else _("The mark is kept."))


def _after(item_id: ItemId, notice: str) -> AnyResponse:
    """The marks anew where only they are shown, else the viewer."""
    if hx.is_partial():
        return _marks(view_item(parts().db, actor(), item_id), {}, {}, 200, said=notice)
    return hx.redirect("viewer.view", notice, item_id=item_id, _anchor=f"marks-{item_id}")


def _marks(
    shown: Viewed,
    values: dict[str, object],
    errors: dict[str, str],
    status: int,
    *,
    said: str = "",
) -> Response:
    in_sheet = request.args.get("where") == "sheet"
    film = _recording(shown, outcome=request.args.get("outcome", "") if in_sheet else "")
    context = {"film": film, "outcomes": shown.outcomes, "said": said}
    return make_response(
        render_template("viewer/marks.html", **context, values=values, errors=errors), status
    )


def _page(shown: Viewed, values: dict[str, object], errors: dict[str, str]) -> str:
    mode = shown_as(shown.item, shown.look)
    words = text_shown(parts().db, parts().vault, actor(), shown.item.id) if mode == "text" else ""
    return render_template(
        "viewer/view.html",
        shown=shown,
        item=shown.item,
        look=shown.look,
        mode=mode,
        still=poster_address(shown.item.id, shown.look),
        film=_recording(shown) if mode in {"video", "audio"} else None,
        outcomes=shown.outcomes,
        openings=shown.openings,
        pages=pages_of(shown.item.id, shown.look),
        picture=next(iter(shown.look.of_kind(PreviewKind.IMAGE)), None),
        text=words,
        prose=is_prose(shown.item.media_type),
        languages=[(code, native_name(code)) for code in LANGUAGES],
        values=values,
        errors=errors,
    )


def _recording(shown: Viewed, outcome: str = "") -> Recording:
    at = request.args.get("t", "")
    code = next((one.code for one in shown.outcomes if one.code == outcome), None)
    return recording(
        shown.item.id,
        shown.item.title,
        shown.look,
        marks=[one for one in shown.marks if code is None or one.outcome in {None, code}],
        words=shown.words,
        sound=mode_of(shown.item.media_type, shown.look) == "audio",
        acts="mark" if shown.may_mark else "note" if shown.may_note else "",
        where="sheet" if code else "view",
        outcome=code,
        at=at if PLACE.fullmatch(at) else "",
    )


def _sent_text(pasted: str) -> str:
    """The words of the file that was chosen, else what was pasted. Raises InvalidInput."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return pasted
    body = file.stream.read(LARGEST + 1)
    if not body:
        raise InvalidInput(
            "The captions were not kept.", problems=[Problem("file", "This file is empty.")]
        )
    return decoded(body)
