"""What can be recognised here: the list of credential definitions, and each one's page."""

from flask import Blueprint, render_template

from app.web.access import actor, parts, public
from storage.vocabulary import Role
from workflows.access.permissions import Permission
from workflows.access.rules import may
from workflows.cases.queries import live_case_for, my_cases
from workflows.cases.states import FINISHED
from workflows.frameworks.queries import catalogue, offered

blueprint = Blueprint("catalogue", __name__)


@blueprint.get("/")
@public
def home() -> str:
    """Everything that is offered; for a learner with an open case, the way back to it."""
    who = actor()
    with parts().db.reading() as tx:
        entries = catalogue(tx)
        mine = my_cases(tx, who.account_id) if who.account_id else []
    open_case = next((line for line in mine if line.state not in FINISHED), None)
    return render_template("catalogue/index.html", offered=entries, next_case=open_case)


@blueprint.get("/catalogue/<code>")
@public
def definition(code: str) -> str:
    """One credential definition: outcomes, rubric, what counts as evidence, fee, usual time."""
    who = actor()
    with parts().db.reading() as tx:
        entry = offered(tx, code)
        case_id = live_case_for(tx, who.account_id, code) if who.account_id else None
    return render_template(
        "catalogue/definition.html",
        definition=entry.definition,
        version_id=entry.id,
        case_id=case_id,
        may_open=bool(may(who, Permission.OPEN_CASE)) and Role.LEARNER in who.roles,
    )
