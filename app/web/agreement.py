"""How well assessors agree, for staff: figures of many cases, and nobody's name."""

from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from app.web.access import actor, needs, parts
from storage.errors import NotFound
from workflows.access.permissions import Permission
from workflows.access.rules import NOT_YOURS
from workflows.assessment.figures import agreement_of
from workflows.assessment.statistics import ENOUGH, FEWEST
from workflows.words import marked

blueprint = Blueprint("agreement", __name__)

PERIODS: Mapping[str, str] = {
    "": marked("All time"),
    "365": marked("The last 12 months"),
    "90": marked("The last 3 months"),
}


@blueprint.get("/staff/agreement")
@needs(Permission.VIEW_AGREEMENT_FIGURES)
def home() -> str:
    """The figures per credential and criterion, of a period."""
    asked = request.args.get("period", "")
    period = asked if asked in PERIODS else ""
    institution_id = actor().institution_id
    if institution_id is None:
        raise NotFound(NOT_YOURS)
    with parts().db.reading() as tx:
        since = tx.now - timedelta(days=int(period)) if period else None
        found = agreement_of(tx, institution_id, since)
    return render_template(
        "staff/agreement.html",
        definitions=found,
        period=period,
        periods=[(value, _(label)) for value, label in PERIODS.items()],
        enough=ENOUGH,
        fewest=FEWEST,
    )
