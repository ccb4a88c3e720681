"""The demo's mailbox: what would have been mailed, to be read and clicked. Only in the demo."""

import re
from uuid import UUID

from flask import Blueprint, render_template, request

from app.web.access import needs, parts
from workflows.access.permissions import Permission
from workflows.people.queries import kept_mail, mailbox

blueprint = Blueprint("mailbox", __name__, url_prefix="/mailbox")

LINK = re.compile(r"(https?://[^\s<>\"]+)")


@blueprint.get("")
@needs(Permission.VIEW_MAILBOX)
def home() -> str:
    """The newest mails, to everyone or to one address."""
    recipient = request.args.get("to", "")
    with parts().db.reading() as tx:
        mails = mailbox(tx, recipient)
    return render_template("account/mailbox.html", mails=mails, recipient=recipient)


@blueprint.get("/<uuid:mail_id>")
@needs(Permission.VIEW_MAILBOX)
def mail(mail_id: UUID) -> str:
    """One mail, with its addresses as links."""
    with parts().db.reading() as tx:
        kept = kept_mail(tx, mail_id)
    return render_template("account/mail.html", mail=kept, pieces=pieces_of(kept.body))


def pieces_of(body: str) -> list[tuple[str, bool]]:
    """A body in pieces, each with whether it is an address that can be followed."""
    return [(piece, bool(LINK.fullmatch(piece))) for piece in LINK.split(body) if piece]
