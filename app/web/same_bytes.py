"""The same bytes in two cases: what a learner says to it, and the forms that the institution hands
out itself, which many cases may hold."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import evidence, hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Line, Text, again, parse
from storage.errors import InvalidInput
from storage.ids import ItemId
from workflows.access.permissions import Permission
from workflows.looking.queries import known_forms
from workflows.looking.same_bytes import add_known_form, remove_known_form, state_part

blueprint = Blueprint("same_bytes", __name__)


class PartForm(Form):
    """What one's own part was."""

    statement: Text = ""


class KnownFormForm(Form):
    """A form of the institution: the digest of the file, and what it is called."""

    sha256: Line = ""
    name: Line = ""


@blueprint.post("/evidence/<uuid:item_id>/part")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def state(item_id: UUID) -> AnyResponse:
    """Keep what the learner says of bytes that are in another case too."""
    try:
        state_part(parts().db, actor(), ItemId(item_id), parse(PartForm).statement)
    except InvalidInput as error:
        return evidence.page_again(ItemId(item_id), error)
    notice = _("Thank you. Those who assess your case read it beside the item.")
    return hx.redirect("evidence.page", notice, item_id=item_id)


@blueprint.get("/admin/forms")
@needs(Permission.MANAGE_FORMS)
def forms() -> str:
    """The institution's own forms."""
    return render_template("admin/forms.html", **_page(), values={}, errors={})


@blueprint.post("/admin/forms")
@needs(Permission.MANAGE_FORMS)
def add() -> AnyResponse:
    """Add a form, or give one another name."""
    try:
        form = parse(KnownFormForm)
        add_known_form(parts().db, actor(), form.sha256, form.name)
    except InvalidInput as error:
        return again("admin/forms.html", error, **_page())
    return hx.redirect("same_bytes.forms", _("“%(name)s” was added.", name=form.name))


@blueprint.post("/admin/forms/<sha256>/remove")
@needs(Permission.MANAGE_FORMS)
def remove(sha256: str) -> AnyResponse:
    """The institution does not hand this file out any more."""
    remove_known_form(parts().db, actor(), sha256)
    return hx.redirect("same_bytes.forms", _("The form was removed."))


def _page() -> Mapping[str, object]:
    institution_id = actor().institution_id
    with parts().db.reading() as tx:
        return {"forms": known_forms(tx, institution_id) if institution_id else []}
