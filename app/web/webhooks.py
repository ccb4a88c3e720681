"""Endpoints of other software, for administrators: which there are, how they do, what they got."""

from datetime import date, datetime, time
from uuid import UUID

from flask import Blueprint, make_response, render_template
from flask_babel import get_timezone
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts, public, without_cookies
from app.web.documents import LONG, machine_answer
from app.web.forms import Form, Line, again, parse
from app.web.limits import limited, person
from app.web.registrar import own_institution
from storage.errors import InvalidInput
from workflows.access.permissions import Permission
from workflows.webhooks import commands, queries
from workflows.webhooks.commands import Made, Wanted
from workflows.webhooks.payload import schema
from workflows.webhooks.rules import CHOICES, KINDS, MOST_ENDPOINTS

blueprint = Blueprint("webhooks", __name__)


class EndpointForm(Form):
    """An endpoint as it is to be."""

    url: Line = ""
    kinds: list[Line]
    note: Line = ""


class SinceForm(Form):
    """From which day on everything is to be sent again."""

    since: date


@blueprint.get("/admin/webhooks")
@needs(Permission.MANAGE_WEBHOOKS)
def home() -> str:
    """Every endpoint, and how it is doing."""
    with parts().db.reading() as tx:
        endpoints = queries.endpoints_of(tx, own_institution())
    room = len(endpoints) < MOST_ENDPOINTS
    return render_template("admin/webhooks.html", endpoints=endpoints, room=room)


@blueprint.get("/admin/webhooks/new")
@needs(Permission.MANAGE_WEBHOOKS)
def new() -> str:
    """The form for another endpoint."""
    values = {"kinds": [kind.value for kind in CHOICES]}
    return render_template("admin/webhook_new.html", **_choices(), values=values, errors={})


@blueprint.post("/admin/webhooks/new")
@needs(Permission.MANAGE_WEBHOOKS)
def add() -> AnyResponse:
    """Add it; this answer is the only place where its secret is shown."""
    try:
        made = commands.add_endpoint(parts().db, parts().issuer, actor(), _wanted())
    except InvalidInput as error:
        return again("admin/webhook_new.html", error, **_choices())
    return _secret(made, anew=False)


@blueprint.get("/admin/webhooks/<uuid:endpoint_id>")
@needs(Permission.MANAGE_WEBHOOKS)
def endpoint(endpoint_id: UUID) -> AnyResponse:
    """One endpoint with its latest deliveries; what is under way is asked for again."""
    return hx.page_or_block("admin/webhook.html", "deliveries", **_page(endpoint_id), errors={})  # type: ignore[arg-type]


@blueprint.get("/admin/webhooks/<uuid:endpoint_id>/change")
@needs(Permission.MANAGE_WEBHOOKS)
def change_form(endpoint_id: UUID) -> str:
    """The form that changes it."""
    with parts().db.reading() as tx:
        shown = queries.endpoint_of(tx, own_institution(), endpoint_id)
    values = {"url": shown.url, "kinds": [kind.value for kind in shown.kinds], "note": shown.note}
    page = {"endpoint": shown, **_choices()}
    return render_template("admin/webhook_change.html", **page, values=values, errors={})


@blueprint.post("/admin/webhooks/<uuid:endpoint_id>/change")
@needs(Permission.MANAGE_WEBHOOKS)
def change(endpoint_id: UUID) -> AnyResponse:
    """Change its address, what it is told, the note."""
    try:
        commands.change_endpoint(parts().db, actor(), endpoint_id, _wanted())
    except InvalidInput as error:
        with parts().db.reading() as tx:
            shown = queries.endpoint_of(tx, own_institution(), endpoint_id)
        return again("admin/webhook_change.html", error, endpoint=shown, **_choices())
    return _back_to(endpoint_id, _("Saved."))


@blueprint.get("/admin/webhooks/<uuid:endpoint_id>/secret")
@needs(Permission.MANAGE_WEBHOOKS)
def ask_rotation(endpoint_id: UUID) -> str:
    """Ask once more before there is a new secret."""
    return _asked("admin/webhook_rotate.html", endpoint_id)


@blueprint.post("/admin/webhooks/<uuid:endpoint_id>/secret")
@needs(Permission.MANAGE_WEBHOOKS)
def rotate(endpoint_id: UUID) -> AnyResponse:
    """Make a new secret, which is shown here and nowhere else."""
    made = commands.rotate_secret(parts().db, parts().issuer, actor(), endpoint_id)
    return _secret(made, anew=True)


@blueprint.get("/admin/webhooks/<uuid:endpoint_id>/remove")
@needs(Permission.MANAGE_WEBHOOKS)
def ask_removal(endpoint_id: UUID) -> str:
    """Ask once more before it is removed."""
    return _asked("admin/webhook_remove.html", endpoint_id)


@blueprint.post("/admin/webhooks/<uuid:endpoint_id>/remove")
@needs(Permission.MANAGE_WEBHOOKS)
def remove(endpoint_id: UUID) -> AnyResponse:
    """Tell it nothing any more."""
    commands.remove_endpoint(parts().db, actor(), endpoint_id)
    return hx.redirect("webhooks.home", _("The endpoint is removed; it is told nothing more."))


@blueprint.post("/admin/webhooks/<uuid:endpoint_id>/pause")
@needs(Permission.MANAGE_WEBHOOKS)
def pause(endpoint_id: UUID) -> AnyResponse:
    """Send nothing for now."""
    commands.pause_endpoint(parts().db, actor(), endpoint_id)
    return _back_to(endpoint_id, _("Paused. What happens meanwhile waits."))


@blueprint.post("/admin/webhooks/<uuid:endpoint_id>/on")
@needs(Permission.MANAGE_WEBHOOKS)
def switch_on(endpoint_id: UUID) -> AnyResponse:
    """Send again."""
    commands.switch_on_endpoint(parts().db, actor(), endpoint_id)
    return _back_to(endpoint_id, _("It is on. What waited is sent now."))


@blueprint.post("/admin/webhooks/<uuid:endpoint_id>/test")
@needs(Permission.MANAGE_WEBHOOKS)
@limited("60 per hour", by=person)
def test(endpoint_id: UUID) -> AnyResponse:
    """Send news of nothing."""
    commands.send_test(parts().db, actor(), endpoint_id)
    return _back_to(endpoint_id, _("A test is on its way. What comes of it appears below."))


@blueprint.post("/admin/webhooks/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>/again")
@needs(Permission.MANAGE_WEBHOOKS)
def send_again(endpoint_id: UUID, delivery_id: UUID) -> AnyResponse:
    """Send one delivery once more."""
    commands.send_again(parts().db, actor(), endpoint_id, delivery_id)
    return _back_to(endpoint_id, _("It is sent once more, under the same id."))


@blueprint.post("/admin/webhooks/<uuid:endpoint_id>/again")
@needs(Permission.MANAGE_WEBHOOKS)
def send_again_since(endpoint_id: UUID) -> AnyResponse:
    """Send everything since a day once more."""
    try:
        day = parse(SinceForm).since
    except InvalidInput as error:
        return again("admin/webhook.html", error, **_page(endpoint_id))
    since = datetime.combine(day, time.min, tzinfo=get_timezone())
    count = commands.send_again_since(parts().db, actor(), endpoint_id, since)
    return _back_to(endpoint_id, _("%(count)s deliveries are sent once more.", count=count))


@blueprint.get("/webhooks/schema.json")
@public
@without_cookies
def description() -> AnyResponse:
    """The JSON Schema of what is sent, for everyone."""
    return machine_answer(schema(), "application/schema+json", LONG)


def _wanted() -> Wanted:
    form = parse(EndpointForm)
    here = not parts().settings.production
    return Wanted(form.url, tuple(form.kinds), form.note, loopback=here)


def _secret(made: Made, *, anew: bool) -> AnyResponse:
    """The page with a secret; no cache keeps it."""
    answer = make_response(render_template("admin/webhook_secret.html", made=made, anew=anew))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _asked(template: str, endpoint_id: UUID) -> str:
    with parts().db.reading() as tx:
        shown = queries.endpoint_of(tx, own_institution(), endpoint_id)
    return render_template(template, endpoint=shown)


def _page(endpoint_id: UUID) -> dict[str, object]:
    with parts().db.reading() as tx:
        shown = queries.endpoint_of(tx, own_institution(), endpoint_id)
        deliveries = queries.deliveries_of(tx, endpoint_id)
    under_way = shown.state in {"on", "trouble"} and any(
        one.state == "waiting" and one.attempts == 0 for one in deliveries
    )
    return {
        "endpoint": shown,
        "deliveries": deliveries,
        "most": queries.SHOWN,
        "under_way": under_way,
        "kind_names": {kind: _(name) for kind, (name, _note) in KINDS.items()},
    }


def _choices() -> dict[str, object]:
    choices = [(kind.value, _(KINDS[kind][0]), _(KINDS[kind][1])) for kind in CHOICES]
    return {"choices": choices}


def _back_to(endpoint_id: UUID, notice: str) -> AnyResponse:
    return hx.redirect("webhooks.endpoint", notice, endpoint_id=endpoint_id)
