"""A learner's credentials in force as one signed transcript (CLR 2.0), made when it is asked for.

It names the learner as the credentials do: in clear only where each of them does.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from credentials.claims import IdentityClaim, LearnerClaim, hashed_identity
from credentials.clr import Association, TranscriptClaims, build_transcript, how_many_fit
from credentials.documents import JsonObject, dump_json, id_of, load_json
from credentials.proofs import add_proof
from storage.database import Database, Transaction, command
from storage.errors import NotFound
from storage.events import record
from storage.ids import InstitutionId, new_id
from storage.tables import Account, Credential, DefinitionVersion, Institution
from storage.vocabulary import CredentialState
from workflows.access.permissions import Permission
from workflows.access.rules import Actor, acting
from workflows.frameworks.definition import read_definition
from workflows.issuance.claims import issuer_profile, printable, read_frozen, to_the_second
from workflows.issuance.keys import Issuer, ensure_issuer_key, live_key_id, signing_key
from workflows.words import words


@dataclass(frozen=True)
class _Held:
    code: str
    parts: frozenset[str]
    document: JsonObject
    named: bool


def make_transcript(db: Database, issuer: Issuer, actor: Actor) -> bytes:
    """The signed transcript of one's own credentials in force, the oldest first.

    What does not fit is left out, the oldest first, and the document says that it is partial.
    Raises Forbidden, NotFound (there is none), Unavailable (the key is out of reach).
    """
    with db.reading() as tx:
        acting(actor, Permission.VIEW_OWN_CREDENTIALS)
        rows = _in_force(tx, actor)
    if not rows:
        raise NotFound("You have no credential in force yet.")
    institution_id = InstitutionId(rows[0][0].institution_id)
    ensure_issuer_key(db, issuer, institution_id)
    with db.reading() as tx:
        key = signing_key(tx, issuer, live_key_id(tx, institution_id))
        claims = _claims(tx, issuer, institution_id, _held(rows), actor)
    signed = add_proof(
        build_transcript(claims), key.private, key.verification_method, claims.valid_from
    )
    _record(db, actor, len(claims.credentials))
    return dump_json(signed)


@command
def _record(db: Database, actor: Actor, count: int) -> None:
    with db.transaction() as tx:
        who = acting(actor, Permission.VIEW_OWN_CREDENTIALS)
        assert who.account_id is not None
        data = {"credentials": count}
        record(tx, who, "make_transcript", ("account", who.account_id), data=data)


def _in_force(tx: Transaction, actor: Actor) -> Sequence[tuple[Credential, DefinitionVersion]]:
    return tx.session.exec(
        select(Credential, DefinitionVersion)
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Credential.definition_id))
        .where(
            Credential.learner_id == actor.account_id,
            Credential.state == CredentialState.PUBLISHED.value,
        )
        .order_by(col(Credential.published_at), col(Credential.id))
    ).all()


def _held(rows: Sequence[tuple[Credential, DefinitionVersion]]) -> list[_Held]:
    return [
        _Held(
            code=version.code,
            parts=frozenset(part.code for part in read_definition(version.body).parts),
            document=load_json((credential.document or "{}").encode()),
            named=read_frozen(credential.claims).named,
        )
        for credential, version in rows
    ]


def _claims(
    tx: Transaction,
    issuer: Issuer,
    institution_id: InstitutionId,
    held: Sequence[_Held],
    actor: Actor,
) -> TranscriptClaims:
    institution = tx.session.get_one(Institution, institution_id)
    account = tx.session.get_one(Account, actor.account_id)
    say = words(account.locale)
    fitting = _fitting(held)
    return TranscriptClaims(
        id=f"urn:uuid:{new_id()}",
        name=say("Transcript of recognised learning"),
        description=say("Credentials in force, each with its own proof."),
        issuer=issuer_profile(institution, issuer.site),
        valid_from=to_the_second(tx.now),
        learner=_learner(account, named=all(one.named for one in held)),
        credentials=tuple(one.document for one in fitting),
        associations=_associations(fitting),
        partial=len(fitting) < len(held),
    )


def _fitting(held: Sequence[_Held]) -> list[_Held]:
    """As many as a document may hold, of the newest."""
    newest = [*reversed(held)]
    room = how_many_fit([one.document for one in newest])
    return [*reversed(newest[:room])]


def _learner(account: Account, *, named: bool) -> LearnerClaim:
    salt = secrets.token_hex(8)
    name = printable(account.name)
    return LearnerClaim(
        identities=(
            IdentityClaim("name", name) if named else hashed_identity("name", name, salt),
            hashed_identity("emailAddress", account.email, salt),
        )
    )


def _associations(held: Sequence[_Held]) -> tuple[Association, ...]:
    """Which of them are parts of which."""
    found: Mapping[str, str] = {one.code: _achievement(one.document) for one in held}
    return tuple(
        Association("isPartOf", found[code], found[whole.code])
        for whole in held
        for code in sorted(whole.parts & found.keys())
    )


def _achievement(document: JsonObject) -> str:
    subject = document.get("credentialSubject")
    return (id_of(subject.get("achievement")) if isinstance(subject, dict) else None) or ""
