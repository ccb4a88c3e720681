"""One's own door: signing in and out, making an account, passwords, language, one's own data."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request, session
from flask import redirect as plain_redirect
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import (
    SESSION_COOKIE,
    actor,
    forget_frame,
    frame,
    needs,
    parts,
    public,
    session_token,
)
from app.web.forms import Form, Line, Secret, again, parse
from app.web.i18n import LOCALE_COOKIE, YEAR_SECONDS, native_name
from app.web.limits import account_named, account_named_from_here, limited, person
from app.web.nav import ROLE_NAMES, ROLE_NOTES, start_page
from app.web.security import VISITOR_COOKIE, absolute_url, drop_cookie, local_path, set_cookie
from storage.errors import InvalidInput, NotFound, Problem
from storage.ids import AccountId
from storage.vocabulary import Role
from workflows.access.permissions import Permission
from workflows.people import own_account, queries, sessions
from workflows.people.links import LinkEnded
from workflows.people.queries import Person
from workflows.people.rules import SHORTEST_PASSWORD
from workflows.people.sessions import SignedIn
from workflows.words import known_locales

blueprint = Blueprint("account", __name__)


class SignInForm(Form):
    """Who, and the proof."""

    email: Line
    password: Secret


class DemoForm(Form):
    """Which of the demo's people."""

    account_id: UUID


class AddressForm(Form):
    """Where a link is mailed to."""

    email: Line


class NewPasswordForm(Form):
    """A password, seen while it is typed, so not asked for twice."""

    password: Secret


class RegisterForm(Form):
    """A new learner."""

    name: Line
    password: Secret


class OwnAccountForm(Form):
    """What one says of oneself."""

    name: Line
    employer: Line = ""
    locale: Line = "en"


class ChangePasswordForm(Form):
    """The present password, and the next."""

    old: Secret
    password: Secret


@blueprint.get("/sign-in")
@needs(Permission.SIGN_IN)
def sign_in() -> AnyResponse:
    """The sign-in page; in the demo also its people, by role."""
    if actor().account_id is not None:
        return hx.redirect("account.start")
    return make_response(render_template("account/sign_in.html", **_sign_in_page()))


@blueprint.post("/sign-in")
@needs(Permission.SIGN_IN)
@limited("10 per 15 minutes", by=account_named_from_here)
@limited("50 per 15 minutes", by=account_named)
@limited("300 per 15 minutes")
def enter() -> AnyResponse:
    """Sign in with address and password."""
    try:
        form = parse(SignInForm)
        signed = sessions.sign_in(parts().db, form.email, form.password, _lifetime())
    except InvalidInput as error:
        return again("account/sign_in.html", error, **_sign_in_page())
    return _entered(signed)


@blueprint.post("/sign-in/demo")
@needs(Permission.SIGN_IN)
@limited("600 per 15 minutes")
def enter_demo() -> AnyResponse:
    """Sign in as one of the demo's people; anywhere but in the demo there is no such page."""
    if not parts().settings.demo:
        raise NotFound("There is nothing here, or it is not yours to see.")
    form = parse(DemoForm)
    person_id = AccountId(form.account_id)
    return _entered(sessions.sign_in_as_demo_person(parts().db, person_id, _lifetime()))


@blueprint.post("/sign-out")
@needs(Permission.SIGN_IN)
def sign_out() -> AnyResponse:
    """End this browser's session."""
    sessions.sign_out(parts().db, session_token())
    forget_frame()
    session.clear()
    response = hx.redirect("account.sign_in", _("You are signed out."))
    drop_cookie(response, SESSION_COOKIE)
    return response


@blueprint.get("/start")
@needs(Permission.MANAGE_OWN_ACCOUNT)
def start() -> AnyResponse:
    """Where one's role begins."""
    return hx.redirect_to(start_page(actor().roles))


@blueprint.get("/password")
@needs(Permission.SIGN_IN)
def password() -> str:
    """Ask for a link to set one's password."""
    return render_template("account/ask_link.html", values={}, errors={}, register=False)


@blueprint.post("/password")
@needs(Permission.SIGN_IN)
@limited("5 per hour", by=account_named, scope="mailed-link")
@limited("60 per hour", scope="mailed-link-address")
def mail_password_link() -> AnyResponse:
    """Mail the link, if there is such an account; the page says the same either way."""
    try:
        email = parse(AddressForm).email
    except InvalidInput as error:
        return again("account/ask_link.html", error, register=False)
    own_account.ask_password_link(parts().db, email, address_of("account.set_password"))
    return make_response(render_template("account/link_sent.html", email=email))


@blueprint.get("/set-password/<token>")
@needs(Permission.USE_LINK)
def set_password(token: str) -> AnyResponse:
    """Choose a password, behind a mailed link."""
    try:
        holder = own_account.holder_of_link(parts().db, token)
    except LinkEnded as ended:
        return _link_ended(ended)
    return make_response(_set_password_page(holder.email, values={}, errors={}))


@blueprint.post("/set-password/<token>")
@needs(Permission.USE_LINK)
@limited("60 per hour")
def keep_password(token: str) -> AnyResponse:
    """Keep the chosen password; the link has done its work."""
    try:
        form = parse(NewPasswordForm)
        own_account.set_password(parts().db, token, form.password)
    except LinkEnded as ended:
        return _link_ended(ended)
    except InvalidInput as error:
        email = own_account.holder_of_link(parts().db, token).email
        return again("account/set_password.html", error, email=email, shortest=SHORTEST_PASSWORD)
    return hx.redirect("account.sign_in", _("Your password is set. Sign in with it now."))


@blueprint.get("/register")
@needs(Permission.SIGN_IN)
def register() -> str:
    """Ask for an account as a learner."""
    return render_template("account/ask_link.html", values={}, errors={}, register=True)


@blueprint.post("/register")
@needs(Permission.SIGN_IN)
@limited("5 per hour", by=account_named, scope="mailed-link")
@limited("60 per hour", scope="mailed-link-address")
def mail_registration_link() -> AnyResponse:
    """Mail a link that makes the account; the page says the same where there is one already."""
    try:
        email = parse(AddressForm).email
        own_account.ask_to_register(
            parts().db,
            email,
            str(get_locale()),
            address_of("account.make_account"),
            address_of("account.set_password"),
        )
    except InvalidInput as error:
        return again("account/ask_link.html", error, register=True)
    return make_response(render_template("account/link_sent.html", email=email))


@blueprint.get("/register/<token>")
@needs(Permission.USE_LINK)
def make_account(token: str) -> AnyResponse:
    """Give a name and a password, behind a mailed link."""
    try:
        email = own_account.registering_address(parts().db, token)
    except LinkEnded as ended:
        return _link_ended(ended)
    return make_response(
        render_template(
            "account/register.html", email=email, shortest=SHORTEST_PASSWORD, values={}, errors={}
        )
    )


@blueprint.post("/register/<token>")
@needs(Permission.USE_LINK)
@limited("60 per hour")
def keep_account(token: str) -> AnyResponse:
    """Make the account."""
    locale = str(get_locale())
    try:
        form = parse(RegisterForm)
        own_account.register_learner(parts().db, token, form.name, form.password, locale)
    except LinkEnded as ended:
        return _link_ended(ended)
    except InvalidInput as error:
        email = own_account.registering_address(parts().db, token)
        return again("account/register.html", error, email=email, shortest=SHORTEST_PASSWORD)
    return hx.redirect("account.sign_in", _("Your account is ready. Sign in with it now."))


@blueprint.get("/account")
@needs(Permission.MANAGE_OWN_ACCOUNT)
def own() -> str:
    """One's own data."""
    return render_template("account/own.html", **_own_page(), errors={})


@blueprint.post("/account")
@needs(Permission.MANAGE_OWN_ACCOUNT)
def keep_own() -> AnyResponse:
    """Keep one's own data."""
    try:
        form = parse(OwnAccountForm)
        if form.locale not in known_locales():
            wrong = Problem("locale", "Choose one of the answers.")
            raise InvalidInput("Some answers need another look.", problems=[wrong])
        own_account.change_own_account(parts().db, actor(), form.name, form.employer, form.locale)
    except InvalidInput as error:
        return again("account/own.html", error, **_own_page())
    response = hx.redirect("account.own", _("Saved."))
    set_cookie(response, LOCALE_COOKIE, form.locale, YEAR_SECONDS)
    return response


@blueprint.post("/account/password")
@needs(Permission.MANAGE_OWN_ACCOUNT)
@limited("10 per 15 minutes", by=person)
def change_password() -> AnyResponse:
    """Change one's password; every other browser is signed out."""
    try:
        form = parse(ChangePasswordForm)
        signed = own_account.change_password(
            parts().db, actor(), form.old, form.password, _lifetime()
        )
    except InvalidInput as error:
        return again("account/own.html", error, **_own_page())
    forget_frame()
    response = hx.redirect(
        "account.own", _("Your password is changed. Every other browser is signed out.")
    )
    return _with_session(response, signed)


@blueprint.get("/language/<locale>")
@public
def language(locale: str) -> AnyResponse:
    """Show the pages in another language from now on, and go back."""
    if locale not in known_locales():
        raise NotFound("There is no such language here.")
    response = plain_redirect(local_path(request.args.get("next")) or "/", 303)
    set_cookie(response, LOCALE_COOKIE, locale, YEAR_SECONDS)
    return response


def _entered(signed: SignedIn) -> AnyResponse:
    """A new session, and the end of what this browser had before."""
    before = session_token()
    if before:
        sessions.sign_out(parts().db, before)
    session.clear()
    there = local_path(request.form.get("next"))
    response = hx.redirect_to(there) if there else hx.redirect("account.start")
    drop_cookie(response, VISITOR_COOKIE)
    return _with_session(response, signed)


def _with_session(response: AnyResponse, signed: SignedIn) -> AnyResponse:
    set_cookie(response, SESSION_COOKIE, signed.token, int(_lifetime().total_seconds()))
    return response


def _lifetime() -> timedelta:
    return parts().session_lifetime


def address_of(endpoint: str) -> Callable[[str], str]:
    """Makes the full address that a mailed token opens."""
    return lambda token: absolute_url(endpoint, token=token)


def _sign_in_page() -> dict[str, object]:
    there = local_path(request.values.get("next")) or ""
    return {"next": there, "people": _demo_people(), "values": {}, "errors": {}}


def _demo_people() -> list[tuple[str, str, list[Person]]]:
    """The demo's people by role: the role's name, what it does, and who has it."""
    house = frame().house
    if not parts().settings.demo or house is None:
        return []
    with parts().db.reading() as tx:
        people = queries.demo_people(tx, house.id)
    held = [(role, [one for one in people if role in one.roles]) for role in Role]
    return [
        (_(ROLE_NAMES[role]), _(ROLE_NOTES.get(role, "")), holders)
        for role, holders in held
        if holders
    ]


def _set_password_page(email: str, **context: Mapping[str, str]) -> str:
    return render_template(
        "account/set_password.html", email=email, shortest=SHORTEST_PASSWORD, **context
    )


def _own_page() -> dict[str, object]:
    who = actor()
    assert who.account_id is not None
    with parts().db.reading() as tx:
        account = queries.own_account(tx, who.account_id)
    languages = [(code, native_name(code)) for code in known_locales()]
    values = {"name": account.name, "employer": account.employer, "locale": account.locale}
    return {
        "account": account,
        "languages": languages,
        "values": values,
        "shortest": SHORTEST_PASSWORD,
    }


def _link_ended(ended: LinkEnded) -> Response:
    page = render_template("account/link_ended.html", words=_(ended.message))
    return make_response(page, ended.status)
