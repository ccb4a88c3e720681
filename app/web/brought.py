"""One's own credentials from elsewhere: what was found of each, to check again or to remove."""

from typing import cast
from uuid import UUID

from flask import Blueprint, Response, current_app, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.limits import limited, person
from app.web.verdict_rows import shown_verdict
from app.web.verify import FETCHER
from credentials.fetching import Fetcher
from workflows.access.permissions import Permission
from workflows.brought.commands import check_again, remove_brought
from workflows.brought.queries import BroughtView, brought_credential

blueprint = Blueprint("brought", __name__)


@blueprint.get("/my/credentials/elsewhere/<uuid:brought_id>")
@needs(Permission.VIEW_OWN_CREDENTIALS)
def page(brought_id: UUID) -> str:
    """What was found of one of them."""
    found = _own(brought_id)
    verdict = shown_verdict(found.verdict, None)
    return render_template("credentials/brought.html", brought=found, verdict=verdict)


@blueprint.get("/my/credentials/elsewhere/<uuid:brought_id>/document")
@needs(Permission.VIEW_OWN_CREDENTIALS)
def document(brought_id: UUID) -> Response:
    """The credential, letter for letter, as a file."""
    found = _own(brought_id)
    response = Response(found.body, mimetype="text/plain" if found.is_token else "application/json")
    name = f"credential-{str(found.line.id)[-6:]}.{'jwt' if found.is_token else 'json'}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@blueprint.post("/my/credentials/elsewhere/<uuid:brought_id>/check")
@needs(Permission.VIEW_OWN_CREDENTIALS)
@limited("60 per hour", by=person)
def check(brought_id: UUID) -> AnyResponse:
    """Check it again: keys, status and dates of today."""
    elsewhere = cast(Fetcher, current_app.extensions[FETCHER])
    check_again(parts().db, parts().site, elsewhere, actor(), brought_id)
    return hx.redirect("brought.page", _("It was checked just now."), brought_id=brought_id)


@blueprint.post("/my/credentials/elsewhere/<uuid:brought_id>/remove")
@needs(Permission.VIEW_OWN_CREDENTIALS)
def remove(brought_id: UUID) -> AnyResponse:
    """Remove it."""
    remove_brought(parts().db, actor(), brought_id)
    return hx.redirect("credentials.mine", _("The credential is removed from here."))


def _own(brought_id: UUID) -> BroughtView:
    with parts().db.reading() as tx:
        return brought_credential(tx, actor(), brought_id)
