"""The Token Status List of what wallets take: our own status lists in the form that they read.

It is made of the bits as they stand when it is asked for, so it is never behind.
"""

from uuid import UUID

from sqlmodel import col, select

from credentials.token_status_list import pack_statuses, write_status_token
from storage.database import Database, Transaction
from storage.errors import NotFound
from storage.ids import CredentialId, InstitutionId
from storage.tables import StatusList
from storage.vocabulary import StatusPurpose
from workflows.issuance.addresses import Site
from workflows.issuance.keys import Issuer
from workflows.issuance.status import READERS_KEEP, VALID_FOR, place_of
from workflows.wallets.addresses import issuer_name, status_token
from workflows.wallets.claims import StatusPlace
from workflows.wallets.keys import ensure_wallet_key, wallet_key


def status_place(tx: Transaction, site: Site, credential_id: CredentialId) -> StatusPlace | None:
    """Where the status of a credential is looked up; None where it has no place in a list."""
    place = place_of(tx, credential_id)
    if place is None:
        return None
    lists = dict(place.lists)
    return StatusPlace(status_token(site, lists[StatusPurpose.REVOCATION]), place.index)


def status_list_token(db: Database, issuer: Issuer, list_id: UUID) -> str:
    """The signed token of a revocation list and the suspension list beside it. Raises NotFound."""
    with db.reading() as tx:
        found = tx.session.get(StatusList, list_id)
        if found is None or found.purpose != StatusPurpose.REVOCATION.value:
            raise NotFound("There is no such status list.")
        institution_id = InstitutionId(found.institution_id)
    key_id = ensure_wallet_key(db, issuer, institution_id)
    with db.reading() as tx:
        statuses = _statuses(tx, tx.session.get_one(StatusList, list_id))
        key, now = wallet_key(tx, issuer, key_id), tx.now
    return write_status_token(
        status_token(issuer.site, list_id),
        issuer_name(issuer.site),
        key,
        statuses,
        now=now,
        until=now + VALID_FOR,
        ttl_seconds=int(READERS_KEEP.total_seconds()),
    )


def _statuses(tx: Transaction, revocation: StatusList) -> bytes:
    resting = tx.session.exec(
        select(StatusList.bits).where(
            StatusList.institution_id == revocation.institution_id,
            col(StatusList.organisation_id).is_not_distinct_from(revocation.organisation_id),
            StatusList.number == revocation.number,
            StatusList.purpose == StatusPurpose.SUSPENSION.value,
        )
    ).one_or_none()
    return pack_statuses(revocation.bits, resting or bytes(len(revocation.bits)))
