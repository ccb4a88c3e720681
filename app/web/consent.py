"""Consent of the people in an item, after it was described: given, withdrawn, or a copy instead."""

from datetime import date
from uuid import UUID

from flask import Blueprint
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import evidence, hx
from app.web.access import actor, needs, parts
from app.web.forms import Form, Text, parse
from storage.errors import InvalidInput
from storage.ids import ItemId
from workflows.access.permissions import Permission
from workflows.evidence.consent import give_consent, withdraw_consent
from workflows.evidence.replacing import replace_with_copy

blueprint = Blueprint("consent", __name__)


class ConsentForm(Form):
    """Who agreed, for whom, how, and when."""

    consent_note: Text = ""
    consented_on: date | None = None


class WithdrawForm(Form):
    """Why consent was withdrawn, if one says."""

    why: Text = ""


class CopyForm(Form):
    """Which item stands for this one."""

    copy_id: UUID
    keep_first: bool = False


@blueprint.post("/evidence/<uuid:item_id>/consent")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def give(item_id: UUID) -> AnyResponse:
    """Write down that the people in it agreed."""
    try:
        form = parse(ConsentForm)
        give_consent(parts().db, actor(), ItemId(item_id), form.consent_note, form.consented_on)
    except InvalidInput as error:
        return evidence.page_again(ItemId(item_id), error)
    notice = _("The consent is kept. The item is not held back any more.")
    return hx.redirect("evidence.page", notice, item_id=item_id)


@blueprint.post("/evidence/<uuid:item_id>/consent/withdraw")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def withdraw(item_id: UUID) -> AnyResponse:
    """Write down that people in it do not agree any more."""
    withdraw_consent(parts().db, actor(), ItemId(item_id), parse(WithdrawForm).why)
    notice = _("The item is held back from now on: nobody but you can open it.")
    return hx.redirect("evidence.page", notice, item_id=item_id)


@blueprint.post("/evidence/<uuid:item_id>/replace")
@needs(Permission.ADD_EVIDENCE, of="item_id")
def replace(item_id: UUID) -> AnyResponse:
    """Let a copy stand for it."""
    try:
        form = parse(CopyForm)
        replace_with_copy(
            parts().db, actor(), ItemId(item_id), ItemId(form.copy_id), keep_first=form.keep_first
        )
    except InvalidInput as error:
        return evidence.page_again(ItemId(item_id), error)
    notice = _("The copy stands for it now, with all that you had said. Its digest counts.")
    return hx.redirect("evidence.page", notice, item_id=form.copy_id)
