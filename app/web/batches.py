"""Releasing many decided cases as one act, and how far such an act is."""

from uuid import UUID

from flask import Blueprint, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, again, parse
from app.web.registrar import own_institution
from storage.errors import InvalidInput
from storage.ids import CaseId, DefinitionId
from workflows.access.permissions import Permission
from workflows.issuance.batches import begin_releases, go_on_with_batch, stop_batch
from workflows.issuance.progress import Progress, batches_of, progress_of
from workflows.issuance.waiting import SHOWN, waiting_cases, waiting_for, waiting_groups

blueprint = Blueprint("batches", __name__, url_prefix="/staff/batches")


class ReleaseForm(Form):
    """The cases that were ticked, or the credential of which all are meant."""

    cases: list[UUID]
    definition: UUID | None = None


@blueprint.get("")
@needs(Permission.RELEASE_MANY)
def home() -> str:
    """What waits for the second key, and the batches there were."""
    return render_template("registrar/batches.html", **_home(), values={}, errors={})


@blueprint.post("")
@needs(Permission.RELEASE_MANY)
def release() -> AnyResponse:
    """Begin to release them."""
    try:
        form = parse(ReleaseForm)
        chosen = [CaseId(one) for one in form.cases]
        if form.definition is not None:
            with parts().db.reading() as tx:
                wanted = DefinitionId(form.definition)
                chosen = list(waiting_for(tx, own_institution(), wanted))
        batch_id = begin_releases(parts().db, parts().issuer, actor(), chosen)
    except InvalidInput as error:
        return again("registrar/batches.html", error, **_home())
    return hx.redirect("batches.progress", batch_id=batch_id)


@blueprint.get("/<uuid:batch_id>")
@needs(Permission.RUN_BATCHES)
def progress(batch_id: UUID) -> AnyResponse:
    """How far it is; the page asks again while it is under way."""
    return hx.page_or_block("registrar/batch.html", "progress", batch=_progress(batch_id))


@blueprint.post("/<uuid:batch_id>/stop")
@needs(Permission.RUN_BATCHES)
def stop(batch_id: UUID) -> AnyResponse:
    """Do no more of it for now."""
    stop_batch(parts().db, actor(), batch_id)
    notice = _("Stopped. What is under way at this moment is still finished.")
    return hx.redirect("batches.progress", notice, batch_id=batch_id)


@blueprint.post("/<uuid:batch_id>/go-on")
@needs(Permission.RUN_BATCHES)
def go_on(batch_id: UUID) -> AnyResponse:
    """Go on where it stopped."""
    go_on_with_batch(parts().db, actor(), batch_id)
    return hx.redirect("batches.progress", _("It goes on."), batch_id=batch_id)


def _progress(batch_id: UUID) -> Progress:
    with parts().db.reading() as tx:
        return progress_of(tx, actor(), batch_id)


def _home() -> dict[str, object]:
    institution_id = own_institution()
    with parts().db.reading() as tx:
        return {
            "groups": waiting_groups(tx, institution_id),
            "cases": waiting_cases(tx, institution_id),
            "most": SHOWN,
            "batches": batches_of(tx, institution_id),
        }
