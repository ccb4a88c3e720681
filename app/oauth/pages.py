"""The programs that one has connected: what each may do, and how it ends."""

from uuid import UUID

from flask import Blueprint, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.oauth.words import scope_words
from app.web import hx
from app.web.access import actor, needs, parts
from storage.ids import AccountId
from workflows.access.permissions import Permission
from workflows.programs.commands import withdraw_program
from workflows.programs.queries import Connection, connection, connections_of

blueprint = Blueprint("programs", __name__)


@blueprint.get("/account/programs")
@needs(Permission.MANAGE_OWN_ACCOUNT)
def page() -> str:
    """The programs that act for one."""
    with parts().db.reading() as tx:
        found = connections_of(tx, _own_id())
    shown = [(one, ", ".join(_words(one))) for one in found]
    return render_template("account/programs.html", programs=shown)


@blueprint.get("/account/programs/<uuid:client_id>/end")
@needs(Permission.MANAGE_OWN_ACCOUNT)
def ask_end(client_id: UUID) -> str:
    """Ask once more before a program is shut out."""
    with parts().db.reading() as tx:
        found = connection(tx, _own_id(), client_id)
    return render_template("account/program_end.html", program=found)


@blueprint.post("/account/programs/<uuid:client_id>/end")
@needs(Permission.MANAGE_OWN_ACCOUNT)
def end(client_id: UUID) -> AnyResponse:
    """Shut a program out."""
    withdraw_program(parts().db, actor(), client_id)
    return hx.redirect("programs.page", _("The program is disconnected. It is shut out now."))


def _words(one: Connection) -> list[str]:
    return [words[0] for words in map(scope_words, one.scopes) if words]


def _own_id() -> AccountId:
    account_id = actor().account_id
    assert account_id is not None
    return account_id
