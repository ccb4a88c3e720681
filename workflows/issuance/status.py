"""Status lists: places given out at random, bits that turn, and the signed lists that tell it.

Open Badges 3.0 lets a credential name one status entry, and its JSON Schema refuses two. So the
document names its place in the revocation list, and a credential that is suspended has that bit
set for as long as it is: no verifier takes it for good. The suspension list, at the same place,
says that it may come back; the entry refers to it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, func, select

from credentials.claims import StatusClaim
from credentials.documents import dump_json
from credentials.proofs import add_proof
from credentials.status_list import (
    LENGTH,
    build_status_list_credential,
    new_bits,
    set_bit,
)
from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.errors import NotFound
from storage.ids import InstitutionId, OrganisationId, OutboxId, new_id
from storage.outbox import receive
from storage.tables import Institution, StatusEntry, StatusList
from storage.vocabulary import StatusPurpose
from workflows.issuance.addresses import Site
from workflows.issuance.keys import Issuer, live_key_id, signing_key
from workflows.work import Work, promise_work

BOTH = (StatusPurpose.REVOCATION, StatusPurpose.SUSPENSION)
REVOCATION_ONLY = (StatusPurpose.REVOCATION,)
FULL = LENGTH // 2
"""A list with half of its places taken is left for a fresh one, so that a free place is found at
the first or second try and how many credentials there are cannot be read off it."""


@dataclass(frozen=True)
class Place:
    """A subject's place: the same index in a list for each purpose."""

    lists: tuple[tuple[StatusPurpose, UUID], ...]
    index: int

    def claims(self, site: Site) -> tuple[StatusClaim, ...]:
        """What the document says of it: the one entry that Open Badges 3.0 allows."""
        addresses = {purpose: site.status_list(list_id) for purpose, list_id in self.lists}
        return (
            StatusClaim(
                addresses[StatusPurpose.REVOCATION],
                self.index,
                reference=addresses.get(StatusPurpose.SUSPENSION),
            ),
        )


def allocate(
    tx: Transaction,
    institution_id: InstitutionId,
    subject_id: UUID,
    *,
    organisation_id: OrganisationId | None = None,
    purposes: Sequence[StatusPurpose] = BOTH,
) -> Place:
    """Give a subject a random place that is free in the lists of all these purposes."""
    lists = _open_lists(tx, institution_id, organisation_id, purposes)
    while True:
        index = secrets.randbelow(LENGTH)
        taken = tx.session.execute(
            insert(StatusEntry)
            .values(
                [{"list_id": one.id, "position": index, "subject_id": subject_id} for one in lists]
            )
            .on_conflict_do_nothing(index_elements=["list_id", "position"])
            .returning(col(StatusEntry.list_id))
        ).all()
        if len(taken) == len(lists):
            return Place(tuple((StatusPurpose(one.purpose), one.id) for one in lists), index)
        _give_back(tx, [row[0] for row in taken], index)


def place_of(tx: Transaction, subject_id: UUID) -> Place | None:
    """The place a subject was given; None when it has none."""
    rows = tx.session.exec(
        select(StatusList.purpose, StatusList.id, StatusEntry.position)
        .join(StatusEntry, col(StatusEntry.list_id) == col(StatusList.id))
        .where(StatusEntry.subject_id == subject_id)
        .order_by(StatusList.purpose)
    ).all()
    if not rows:
        return None
    return Place(tuple((StatusPurpose(purpose), one) for purpose, one, _ in rows), rows[0][2])


def set_status(tx: Transaction, subject_id: UUID, purpose: StatusPurpose, value: bool) -> None:
    """Turn a subject's bit and promise to publish it; nothing happens when it stands so already.

    Raises NotFound when the subject has no place in a list of this purpose.
    """
    row = tx.session.exec(
        select(StatusList, StatusEntry.position)
        .join(StatusEntry, col(StatusEntry.list_id) == col(StatusList.id))
        .where(StatusEntry.subject_id == subject_id, StatusList.purpose == purpose.value)
        .with_for_update(of=StatusList)
    ).one_or_none()
    if row is None:
        raise NotFound("This has no place in a status list.")
    status_list, position = row
    bits = set_bit(status_list.bits, position, value)
    if bits == status_list.bits:
        return
    status_list.bits = bits
    status_list.version += 1
    tx.session.flush()
    promise_signing(tx, status_list)


def promise_signing(tx: Transaction, status_list: StatusList) -> None:
    """Promise the signed list of the present version, once."""
    key = f"sign_status_list:{status_list.id}:{status_list.version}"
    promise_work(tx, Work.SIGN_STATUS_LIST, status_list.id, dedupe_key=key, urgent=True)


def sign_status_list(
    db: Database, issuer: Issuer, list_id: UUID, outbox_id: OutboxId | None = None
) -> None:
    """Sign and publish the list as its bits stand; an older version never replaces a newer one.

    Raises NotFound, AlreadyDone, BadKey.
    """
    with db.reading() as tx:
        status_list = tx.session.get(StatusList, list_id)
        if status_list is None:
            raise NotFound("There is no such status list.")
        organisation = status_list.organisation_id
        key_id = live_key_id(
            tx,
            InstitutionId(status_list.institution_id),
            OrganisationId(organisation) if organisation else None,
        )
        key = signing_key(tx, issuer, key_id)
    document = build_status_list_credential(
        issuer.site.status_list(list_id),
        key.did,
        status_list.purpose,
        status_list.bits,
        valid_from=tx.now,
    )
    signed = add_proof(document, key.private, key.verification_method, tx.now)
    crash_point("status.signed")
    _publish(db, list_id, status_list.version, dump_json(signed).decode(), outbox_id)


def unsigned_lists(tx: Transaction, subject_id: UUID) -> Sequence[UUID]:
    """The lists a subject is on that have never been published."""
    return tx.session.exec(
        select(StatusList.id)
        .join(StatusEntry, col(StatusEntry.list_id) == col(StatusList.id))
        .where(StatusEntry.subject_id == subject_id, col(StatusList.document).is_(None))
    ).all()


@command
def _publish(
    db: Database, list_id: UUID, version: int, document: str, outbox_id: OutboxId | None
) -> None:
    with db.transaction() as tx:
        if outbox_id is not None:
            receive(tx, outbox_id)
        tx.session.execute(
            update(StatusList)
            .where(col(StatusList.id) == list_id, col(StatusList.signed_version) < version)
            .values(document=document, signed_version=version, signed_at=tx.now)
        )


def _open_lists(
    tx: Transaction,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None,
    purposes: Sequence[StatusPurpose],
) -> list[StatusList]:
    """The newest lists, made anew when there are none or they are half full."""
    tx.session.get_one(Institution, institution_id, with_for_update={"key_share": True})
    newest = tx.session.exec(
        select(func.max(StatusList.number)).where(
            StatusList.institution_id == institution_id,
            col(StatusList.organisation_id).is_not_distinct_from(organisation_id),
        )
    ).one()
    lists = list(
        tx.session.exec(
            select(StatusList)
            .where(
                StatusList.institution_id == institution_id,
                StatusList.number == newest,
                col(StatusList.purpose).in_([purpose.value for purpose in purposes]),
            )
            .order_by(StatusList.purpose)
        ).all()
    )
    if len(lists) == len(purposes) and _taken(tx, lists[0].id) < FULL:
        return lists
    return _new_lists(tx, institution_id, organisation_id, purposes)


def _new_lists(
    tx: Transaction,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None,
    purposes: Sequence[StatusPurpose],
) -> list[StatusList]:
    last = tx.session.exec(
        select(func.coalesce(func.max(StatusList.number), 0)).where(
            StatusList.institution_id == institution_id
        )
    ).one()
    made = [
        StatusList(
            id=new_id(),
            institution_id=institution_id,
            organisation_id=organisation_id,
            purpose=purpose.value,
            number=last + 1,
            size=LENGTH,
            bits=new_bits(),
        )
        for purpose in purposes
    ]
    tx.session.add_all(made)
    tx.session.flush()
    for status_list in made:
        promise_signing(tx, status_list)
    return made


def _taken(tx: Transaction, list_id: UUID) -> int:
    return tx.session.exec(
        select(func.count()).select_from(StatusEntry).where(StatusEntry.list_id == list_id)
    ).one()


def _give_back(tx: Transaction, list_ids: Sequence[UUID], index: int) -> None:
    for list_id in list_ids:
        entry = tx.session.get_one(StatusEntry, (list_id, index))
        tx.session.delete(entry)
    tx.session.flush()
