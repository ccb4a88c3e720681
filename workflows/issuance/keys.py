"""The keys that documents are signed with: made, kept, rotated, published for ever.

An institution has one live key; it also keeps one for each organisation that endorses. A retired
key signs nothing more and stays in the DID document, or the badges it signed would die. A key is
sealed in the database under a secret of the environment, or lies in a key service.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from credentials.did import PublishedKey, build_did_document
from credentials.documents import JsonObject
from credentials.errors import BadKey
from credentials.keys import (
    PrivateKey,
    PublicKey,
    Signer,
    generate_ed25519,
    open_bytes,
    open_private,
    public_from_multibase,
    public_multibase,
    seal_bytes,
    seal_private,
    seed_of,
)
from storage.database import Database, Transaction, command
from storage.errors import NotFound, Unavailable
from storage.events import SYSTEM, Who, record
from storage.ids import InstitutionId, OrganisationId, new_id
from storage.tables import Institution, IssuerKey, TokenKey, WalletKey
from workflows.issuance.addresses import Site
from workflows.ports import KeyService

CLOSED = (
    "The key that signs cannot be opened here at present, so nothing can be signed. Nothing was "
    "lost; whoever runs this installation has to look at it."
)


@dataclass(frozen=True)
class Issuer:
    """What signing needs from outside the database: where we are, and what opens the keys.

    `earlier_secret` is the secret before the present one, '' when there was none. New keys are made
    in `service` where there is one.
    """

    site: Site
    key_secret: str = field(repr=False)
    earlier_secret: str = field(default="", repr=False)
    service: KeyService | None = None


@dataclass(frozen=True)
class SigningKey:
    """A key in hand, with the name under which its public half is published."""

    id: UUID
    did: str
    verification_method: str
    private: Signer = field(repr=False)
    public: PublicKey


@dataclass(frozen=True)
class KeyView:
    """A key as those who look after it see it. `in_service`: it lies in a key service."""

    id: UUID
    fragment: str
    public_multibase: str
    created_at: datetime
    retired_at: datetime | None
    in_service: bool


@dataclass(frozen=True)
class _Made:
    """A key that is not in the database yet."""

    id: UUID
    public_multibase: str
    sealed: bytes = field(repr=False)
    kept_as: str = ""


def ensure_issuer_key(
    db: Database,
    issuer: Issuer,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None = None,
) -> UUID:
    """The id of the live key of the institution or organisation, which is made if there is none.

    Raises NotFound (no such institution), Unavailable (the key service is away).
    """
    with db.reading() as tx:
        live = _live(tx, institution_id, organisation_id)
    if live is not None:
        return live.id
    return _keep_new(db, issuer, SYSTEM, institution_id, organisation_id, rotate=False, why="")


def rotate_key(
    db: Database,
    issuer: Issuer,
    who: Who,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None = None,
    *,
    why: str = "",
) -> UUID:
    """Retire the live key and make a new one; what the old one signed stays valid.

    Raises NotFound (no such institution), Unavailable (the key service is away).
    """
    return _keep_new(db, issuer, who, institution_id, organisation_id, rotate=True, why=why)


def live_key_id(
    tx: Transaction,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None = None,
) -> UUID:
    """The id of the key that signs now. Raises NotFound when none was made yet."""
    live = _live(tx, institution_id, organisation_id)
    if live is None:
        raise NotFound("No signing key has been made yet.")
    return live.id


def signing_key(tx: Transaction, issuer: Issuer, key_id: UUID) -> SigningKey:
    """The key in hand.

    Raises NotFound; Unavailable when no secret of ours sealed it, or when it lies in a key service
    and we were given none.
    """
    kept = tx.session.get(IssuerKey, key_id)
    if kept is None:
        raise NotFound("There is no such signing key.")
    organisation = OrganisationId(kept.organisation_id) if kept.organisation_id else None
    did = issuer.site.did(organisation)
    public = public_from_multibase(kept.public_multibase)
    return SigningKey(kept.id, did, f"{did}#{kept.fragment}", _signer(issuer, kept), public)


@command
def reseal_keys(db: Database, issuer: Issuer, who: Who) -> int:
    """Seal every key of the database under the present secret; returns how many were not.

    Raises BadKey, with nothing changed, when one opens with neither secret.
    """
    with db.transaction() as tx:
        kept = tx.session.exec(
            select(IssuerKey).where(IssuerKey.kept_as == "").with_for_update()
        ).all()
        moved = [key for key in kept if not _opens(key, issuer.key_secret)]
        for key in moved:
            private = _open_with_either(key, issuer)
            key.sealed_seed = _sealed(private, issuer, key.id)
            record(tx, who, "reseal_key", ("issuer_key", key.id))
        return len(moved) + _reseal_token_keys(tx, issuer, who)


def keys_of(tx: Transaction, institution_id: InstitutionId) -> Sequence[KeyView]:
    """The institution's own keys, the newest first."""
    return [
        KeyView(
            id=key.id,
            fragment=key.fragment,
            public_multibase=key.public_multibase,
            created_at=key.created_at,
            retired_at=key.retired_at,
            in_service=bool(key.kept_as),
        )
        for key in reversed(_all(tx, institution_id, None))
    ]


def did_document(
    tx: Transaction,
    site: Site,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None = None,
) -> JsonObject:
    """The DID document with all keys there ever were. Raises NotFound when there is none."""
    keys = _all(tx, institution_id, organisation_id)
    if not keys:
        raise NotFound("No key is published here.")
    published = [PublishedKey(key.fragment, key.public_multibase) for key in keys]
    return build_did_document(site.did(organisation_id), published)


def _keep_new(
    db: Database,
    issuer: Issuer,
    who: Who,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None,
    *,
    rotate: bool,
    why: str,
) -> UUID:
    """Make a key, which may mean asking a service, and keep it, which must not."""
    made = _make(issuer, issuer.site.did(organisation_id))
    kept = _keep(db, who, institution_id, organisation_id, made, rotate=rotate, why=why)
    if kept != made.id and issuer.service is not None:
        issuer.service.discard(made.kept_as)
    return kept


@command
def _keep(
    db: Database,
    who: Who,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None,
    made: _Made,
    *,
    rotate: bool,
    why: str,
) -> UUID:
    """Make it the live key; where there is one already and none is to be retired, that one stays.

    Returns the id of the live key.
    """
    with db.transaction() as tx:
        _hold(tx, institution_id)
        live = _live(tx, institution_id, organisation_id)
        if live is not None and not rotate:
            return live.id
        if live is not None:
            live.retired_at = tx.now
            record(tx, who, "retire_key", ("issuer_key", live.id), why=why)
        number = len(_all(tx, institution_id, organisation_id)) + 1
        tx.session.add(
            IssuerKey(
                id=made.id,
                institution_id=institution_id,
                organisation_id=organisation_id,
                fragment=f"key-{number}",
                public_multibase=made.public_multibase,
                sealed_seed=made.sealed,
                kept_as=made.kept_as,
                created_at=tx.now,
            )
        )
        tx.session.flush()
        record(tx, who, "make_key", ("issuer_key", made.id), data={"public": made.public_multibase})
        return made.id


def _make(issuer: Issuer, purpose: str) -> _Made:
    key_id = new_id()
    if issuer.service is None:
        private = generate_ed25519()
        return _Made(key_id, public_multibase(private), _sealed(private, issuer, key_id))
    kept = issuer.service.make(purpose)
    public = PublicKey.from_public_bytes(kept.public)
    return _Made(key_id, public_multibase(public), b"", kept.name)


def _signer(issuer: Issuer, kept: IssuerKey) -> Signer:
    if not kept.kept_as:
        try:
            return _open_with_either(kept, issuer)
        except BadKey:
            raise Unavailable(CLOSED) from None
    if issuer.service is None:
        raise Unavailable("The signing key lies in a key service, and none is set up here.")
    return issuer.service.signer(kept.kept_as)


def _sealed(private: PrivateKey, issuer: Issuer, key_id: UUID) -> bytes:
    return seal_private(seed_of(private), issuer.key_secret, str(key_id)).encode()


def _open(kept: IssuerKey, secret: str) -> PrivateKey:
    return open_private(kept.sealed_seed.decode(), secret, str(kept.id))


def _open_with_either(kept: IssuerKey, issuer: Issuer) -> PrivateKey:
    try:
        return _open(kept, issuer.key_secret)
    except BadKey:
        if not issuer.earlier_secret:
            raise
        return _open(kept, issuer.earlier_secret)


def open_token_key(kept: TokenKey | WalletKey, issuer: Issuer) -> bytes:
    """The private half of a token's key. Raises Unavailable when no secret of ours sealed it."""
    try:
        return _open_token_key(kept, issuer)
    except BadKey:
        raise Unavailable(CLOSED) from None


def closed_keys(tx: Transaction, issuer: Issuer) -> Sequence[str]:
    """The keys that sign now and that we cannot open, each by the name it is published under."""
    closed = []
    for key in tx.session.exec(select(IssuerKey).where(col(IssuerKey.retired_at).is_(None))):
        try:
            signing_key(tx, issuer, key.id)
        except Unavailable:
            organisation = OrganisationId(key.organisation_id) if key.organisation_id else None
            closed.append(f"{issuer.site.did(organisation)}#{key.fragment}")
    for token_key in tx.session.exec(select(TokenKey).where(col(TokenKey.retired_at).is_(None))):
        try:
            open_token_key(token_key, issuer)
        except Unavailable:
            closed.append(issuer.site.token_key(token_key.id))
    for held in tx.session.exec(select(WalletKey).where(col(WalletKey.retired_at).is_(None))):
        try:
            open_token_key(held, issuer)
        except Unavailable:
            closed.append(f"{issuer.site.url}/openid4vci#{held.public_jwk['kid']}")
    return closed


def _open_token_key(kept: TokenKey | WalletKey, issuer: Issuer) -> bytes:
    sealed, name = kept.sealed_key.decode(), str(kept.id)
    try:
        return open_bytes(sealed, issuer.key_secret, name)
    except BadKey:
        if not issuer.earlier_secret:
            raise
        return open_bytes(sealed, issuer.earlier_secret, name)


def _reseal_token_keys(tx: Transaction, issuer: Issuer, who: Who) -> int:
    moved = 0
    held: list[TokenKey | WalletKey] = [
        *tx.session.exec(select(TokenKey).with_for_update()).all(),
        *tx.session.exec(select(WalletKey).with_for_update()).all(),
    ]
    for kept in held:
        try:
            open_bytes(kept.sealed_key.decode(), issuer.key_secret, str(kept.id))
        except BadKey:
            opened = _open_token_key(kept, issuer)
            kept.sealed_key = seal_bytes(opened, issuer.key_secret, str(kept.id)).encode()
            record(tx, who, "reseal_key", (kept.__tablename__, kept.id))
            moved += 1
    return moved


def _opens(kept: IssuerKey, secret: str) -> bool:
    try:
        _open(kept, secret)
    except BadKey:
        return False
    return True


def _hold(tx: Transaction, institution_id: InstitutionId) -> None:
    """One at a time, so that there is never a second live key."""
    held = tx.session.get(Institution, institution_id, with_for_update={"key_share": True})
    if held is None:
        raise NotFound("There is no such institution.")


def _live(
    tx: Transaction, institution_id: InstitutionId, organisation_id: OrganisationId | None
) -> IssuerKey | None:
    return next(
        (key for key in _all(tx, institution_id, organisation_id) if key.retired_at is None), None
    )


def _all(
    tx: Transaction, institution_id: InstitutionId, organisation_id: OrganisationId | None
) -> Sequence[IssuerKey]:
    return tx.session.exec(
        select(IssuerKey)
        .where(
            IssuerKey.institution_id == institution_id,
            col(IssuerKey.organisation_id).is_not_distinct_from(organisation_id),
        )
        .order_by(col(IssuerKey.created_at), col(IssuerKey.id))
    ).all()
