"""The institution's signing keys: which there are, a new one, everything signed anew under it."""

from flask import Blueprint, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.web import hx
from app.web.access import actor, needs, parts
from app.web.registrar import own_institution
from workflows.access.permissions import Permission
from workflows.access.rules import acting
from workflows.issuance.batches import begin_resigning, signed_with_others
from workflows.issuance.keys import keys_of, rotate_key
from workflows.issuance.progress import batches_of
from workflows.issuance.tokens import rotate_token_key
from workflows.wallets.keys import rotate_wallet_key

blueprint = Blueprint("signing_keys", __name__, url_prefix="/admin/keys")


@blueprint.get("")
@needs(Permission.MANAGE_KEYS)
def home() -> str:
    """The keys, and what is signed with an earlier one."""
    institution_id = own_institution()
    with parts().db.reading() as tx:
        keys = keys_of(tx, institution_id)
        return render_template(
            "admin/keys.html",
            keys=keys,
            elsewhere=signed_with_others(tx, institution_id) if keys else 0,
            batches=[one for one in batches_of(tx, institution_id) if one.kind == "resign"],
            in_service=parts().key_service is not None,
        )


@blueprint.post("/rotate")
@needs(Permission.MANAGE_KEYS)
def rotate() -> AnyResponse:
    """Retire the key that signs now and make a new one."""
    who = acting(actor(), Permission.MANAGE_KEYS)
    rotate_key(parts().db, parts().issuer, who, own_institution())
    rotate_token_key(parts().db, parts().issuer, who, own_institution())
    rotate_wallet_key(parts().db, parts().issuer, who, own_institution())
    notice = _("A new key signs from now on. The earlier ones stay published.")
    return hx.redirect("signing_keys.home", notice)


@blueprint.post("/sign-anew")
@needs(Permission.MANAGE_KEYS)
def sign_anew() -> AnyResponse:
    """Begin to sign everything that is in force under the present key."""
    who = acting(actor(), Permission.MANAGE_KEYS)
    batch_id = begin_resigning(parts().db, who, own_institution())
    return hx.redirect("batches.progress", batch_id=batch_id)
