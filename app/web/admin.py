"""People and roles, for administrators. Nothing here opens a case or its evidence."""

from uuid import UUID

from flask import Blueprint, make_response, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.account import address_of
from app.web.forms import Form, Line, again, parse
from app.web.i18n import native_name
from app.web.nav import ROLE_NAMES, ROLE_NOTES
from storage.errors import Forbidden, InvalidInput
from storage.ids import AccountId, InstitutionId
from storage.vocabulary import Role
from workflows.access.permissions import Permission
from workflows.frameworks.queries import catalogue
from workflows.people import commands, queries
from workflows.people.commands import Invitation
from workflows.people.rules import ROLES_OF_ACCOUNTS
from workflows.words import known_locales

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


class InviteForm(Form):
    """Who is to have an account, and as what."""

    name: Line
    email: Line
    roles: list[Role]
    employer: Line = ""
    locale: Line = "en"


class RoleForm(Form):
    """A role to give."""

    role: Role


class ReasonForm(Form):
    """Why, if the administrator says."""

    why: Line = ""


class CompetencesForm(Form):
    """What an assessor is an expert for, by the codes of credential definitions."""

    codes: list[Line]


@blueprint.get("/people")
@needs(Permission.MANAGE_PEOPLE)
def people() -> str:
    """Everyone with an account at the institution."""
    with parts().db.reading() as tx:
        everyone = queries.people_of(tx, _institution())
    return render_template("admin/people.html", people=everyone, role_names=_role_names())


@blueprint.get("/people/invite")
@needs(Permission.MANAGE_PEOPLE)
def invitation() -> str:
    """The form for a new account."""
    return render_template("admin/invite.html", **_invite_page(), values={}, errors={})


@blueprint.post("/people/invite")
@needs(Permission.MANAGE_PEOPLE)
def invite() -> AnyResponse:
    """Make the account and mail its holder a link."""
    try:
        form = parse(InviteForm)
        wanted = Invitation(form.name, form.email, form.roles, _known(form.locale), form.employer)
        account_id = commands.invite_person(
            parts().db, actor(), wanted, address_of("account.set_password")
        )
    except InvalidInput as error:
        return again("admin/invite.html", error, **_invite_page())
    notice = _("%(name)s was invited by mail.", name=form.name)
    return hx.redirect("admin.person", notice, account_id=account_id)


@blueprint.get("/people/<uuid:account_id>")
@needs(Permission.MANAGE_PEOPLE)
def person(account_id: UUID) -> AnyResponse:
    """One person: roles, competence, access."""
    return make_response(
        render_template("admin/person.html", **_person_page(account_id), errors={})
    )


@blueprint.post("/people/<uuid:account_id>/roles")
@needs(Permission.MANAGE_PEOPLE)
def grant_role(account_id: UUID) -> AnyResponse:
    """Give a role; it counts from the person's next click."""
    try:
        form = parse(RoleForm)
        commands.grant_role(parts().db, actor(), AccountId(account_id), form.role)
    except InvalidInput as error:
        return again("admin/person.html", error, **_person_page(account_id))
    return _back_to(account_id, _("The role was given."))


@blueprint.post("/people/<uuid:account_id>/roles/<role>/revoke")
@needs(Permission.MANAGE_PEOPLE)
def revoke_role(account_id: UUID, role: str) -> AnyResponse:
    """Take a role back; the person's next click is without it."""
    if role not in list(Role):
        raise InvalidInput("There is no such role.")
    why = parse(ReasonForm).why
    commands.revoke_role(parts().db, actor(), AccountId(account_id), Role(role), why)
    return _back_to(account_id, _("The role was taken back."))


@blueprint.post("/people/<uuid:account_id>/competences")
@needs(Permission.MANAGE_PEOPLE)
def set_competences(account_id: UUID) -> AnyResponse:
    """Say what a person is an expert for."""
    commands.set_competences(
        parts().db, actor(), AccountId(account_id), parse(CompetencesForm).codes
    )
    return _back_to(account_id, _("Saved."))


@blueprint.post("/people/<uuid:account_id>/link")
@needs(Permission.MANAGE_PEOPLE)
def send_link(account_id: UUID) -> AnyResponse:
    """Mail a new link to set the password; older ones end."""
    commands.send_password_link(
        parts().db, actor(), AccountId(account_id), address_of("account.set_password")
    )
    return _back_to(account_id, _("A new link was mailed; older ones do not open any more."))


@blueprint.post("/people/<uuid:account_id>/disable")
@needs(Permission.MANAGE_PEOPLE)
def disable(account_id: UUID) -> AnyResponse:
    """Close an account; the person is signed out everywhere at once."""
    why = parse(ReasonForm).why
    commands.disable_person(parts().db, actor(), AccountId(account_id), why)
    return _back_to(account_id, _("The account is disabled and signed out everywhere."))


@blueprint.post("/people/<uuid:account_id>/enable")
@needs(Permission.MANAGE_PEOPLE)
def enable(account_id: UUID) -> AnyResponse:
    """Open an account again."""
    commands.enable_person(parts().db, actor(), AccountId(account_id))
    return _back_to(account_id, _("The account can be used again."))


def _institution() -> InstitutionId:
    institution_id = actor().institution_id
    if institution_id is None:
        raise Forbidden("Your role does not include this.")
    return institution_id


def _known(locale: str) -> str:
    return locale if locale in known_locales() else "en"


def _role_names() -> dict[Role, str]:
    return {role: _(name) for role, name in ROLE_NAMES.items()}


def _role_options(without: tuple[Role, ...] = ()) -> list[tuple[str, str, str]]:
    return [
        (role.value, _(ROLE_NAMES[role]), _(ROLE_NOTES[role]))
        for role in ROLES_OF_ACCOUNTS
        if role not in without
    ]


def _invite_page() -> dict[str, object]:
    languages = [(code, native_name(code)) for code in known_locales()]
    return {"role_options": _role_options(), "languages": languages}


def _person_page(account_id: UUID) -> dict[str, object]:
    with parts().db.reading() as tx:
        person = queries.person(tx, _institution(), AccountId(account_id))
        offered = catalogue(tx)
    return {
        "person": person,
        "is_self": person.id == actor().account_id,
        "role_names": _role_names(),
        "role_choices": [option[:2] for option in _role_options(without=person.roles)],
        "definitions": [(str(one.definition.code), one.definition.title) for one in offered],
    }


def _back_to(account_id: UUID, notice: str) -> AnyResponse:
    return hx.redirect("admin.person", notice, account_id=account_id)
