"""`assay keys`: the institution's signing keys, from the command line."""

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sqlmodel import col, select

from app.cli.surroundings import say, settings_at_hand
from storage.errors import NotFound
from storage.events import Who
from storage.ids import InstitutionId
from storage.vocabulary import Role
from workflows.issuance.batches import begin_resigning
from workflows.issuance.keys import keys_of, reseal_keys, rotate_key
from workflows.issuance.tokens import rotate_token_key
from workflows.wallets.keys import rotate_wallet_key
from workflows.webhooks.secrets import reseal_secrets

if TYPE_CHECKING:
    from app.container import Container

ACTS = {
    "list": "the keys, the newest first",
    "rotate": "retire the key that signs now and make a new one; the old one stays published",
    "reseal": "seal the database's keys and the secrets of webhooks under the present "
    "KEY_ENCRYPTION_SECRET",
    "sign-anew": "have everything that is in force signed under the present key, by the workers",
}
OPERATOR = Who(Role.ADMINISTRATOR, label="assay keys")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is to be done."""
    told = "; ".join(f"{act}: {meaning}" for act, meaning in ACTS.items())
    parser.add_argument("act", choices=[*ACTS], metavar="ACT", help=told)
    parser.add_argument("--why", default="", help="stands in the history")


def run(args: argparse.Namespace) -> int:
    """Do it. Raises BadKey when a key opens with neither secret."""
    with settings_at_hand(tell=say) as settings:
        from app.container import build

        parts = build(settings)
        try:
            DO[args.act](parts, _institution(parts), args.why)
        finally:
            parts.close()
    return 0


def _list(parts: "Container", institution_id: InstitutionId, why: str) -> None:
    del why
    with parts.db.reading() as tx:
        keys = keys_of(tx, institution_id)
    for key in keys:
        state = f"retired {key.retired_at:%Y-%m-%d}" if key.retired_at else "signs now"
        place = "key service" if key.in_service else "database"
        say(f"{key.fragment:10} {state:20} {place:12} {key.public_multibase}")
    if not keys:
        say("No key yet: the first is made when the first credential is issued.")


def _rotate(parts: "Container", institution_id: InstitutionId, why: str) -> None:
    rotate_key(parts.db, parts.issuer, OPERATOR, institution_id, why=why)
    rotate_token_key(parts.db, parts.issuer, OPERATOR, institution_id, why=why)
    rotate_wallet_key(parts.db, parts.issuer, OPERATOR, institution_id, why=why)
    say("A new key signs from now on. The earlier ones stay published.")


def _reseal(parts: "Container", institution_id: InstitutionId, why: str) -> None:
    del institution_id, why
    moved = reseal_keys(parts.db, parts.issuer, OPERATOR)
    moved += reseal_secrets(parts.db, parts.issuer, OPERATOR)
    say(f"{moved} keys were sealed anew. KEY_ENCRYPTION_SECRET_EARLIER is not needed any more.")


def _sign_anew(parts: "Container", institution_id: InstitutionId, why: str) -> None:
    del why
    batch_id = begin_resigning(parts.db, OPERATOR, institution_id)
    say(f"It is under way: {parts.site.url}/staff/batches/{batch_id}")


DO: Mapping[str, Callable[["Container", InstitutionId, str], None]] = {
    "list": _list,
    "rotate": _rotate,
    "reseal": _reseal,
    "sign-anew": _sign_anew,
}


def _institution(parts: "Container") -> InstitutionId:
    from storage.tables import Institution

    with parts.db.reading() as tx:
        found = tx.session.exec(
            select(Institution.id).order_by(col(Institution.created_at))
        ).first()
    if found is None:
        raise NotFound("No institution is set up here yet.")
    return InstitutionId(found)
