"""Status lists: places given out at random, bits that turn, and the signed lists that tell it.

Open Badges 3.0 lets a credential name one status entry, and its JSON Schema refuses two. So the
document names its place in the revocation list, and a credential that is suspended has that bit
set for as long as it is: no verifier takes it for good. The suspension list, at the same place,
says that it may come back; the entry refers to it.
"""

import secrets
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Integer, Uuid, and_, delete, literal, or_, true, tuple_, update
from sqlalchemy import select as columns
from sqlalchemy.dialects.postgresql import ARRAY, insert
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
from storage.bulk import among
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
CROWDED = LENGTH * 3 // 4
"""Up to so many taken places a free one is found by trying at random; then the free ones are read
and one of those is chosen."""
VALID_FOR = timedelta(days=7)
SIGNED_AGAIN = timedelta(days=1)
"""A list is signed anew every day, so six days may pass without us before readers doubt it."""
READERS_KEEP = timedelta(minutes=1)
"""For how long a reader may go on with a list it has (`ttl`); caches are told the same."""


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
    given = allocate_many(
        tx, institution_id, [subject_id], organisation_id=organisation_id, purposes=purposes
    )
    return given[subject_id]


def allocate_many(
    tx: Transaction,
    institution_id: InstitutionId,
    subject_ids: Sequence[UUID],
    *,
    organisation_id: OrganisationId | None = None,
    purposes: Sequence[StatusPurpose] = BOTH,
) -> Mapping[UUID, Place]:
    """Give each subject a random free place; a list that is full is followed by a new one."""
    given: dict[UUID, Place] = {}
    waiting = list(subject_ids)
    while waiting:
        lists, taken = _open_lists(tx, institution_id, organisation_id, purposes)
        free = LENGTH - taken
        indexes = _free_places(tx, lists[0].id, taken, min(len(waiting), free))
        tried = dict(zip(indexes, waiting, strict=False))
        kept = _take(tx, [one.id for one in lists], tried)
        for index in kept:
            lists_of = tuple((StatusPurpose(one.purpose), one.id) for one in lists)
            given[tried[index]] = Place(lists_of, index)
        waiting = [one for one in waiting if one not in given]
    return given


def place_of(tx: Transaction, subject_id: UUID) -> Place | None:
    """The place a subject was given; None when it has none."""
    return places_of(tx, [subject_id]).get(subject_id)


def places_of(tx: Transaction, subject_ids: Sequence[UUID]) -> Mapping[UUID, Place]:
    """The places of those subjects that have one. One statement."""
    rows = tx.session.exec(
        select(StatusEntry.subject_id, StatusList.purpose, StatusList.id, StatusEntry.position)
        .join(StatusList, col(StatusList.id) == col(StatusEntry.list_id))
        .where(among(col(StatusEntry.subject_id), subject_ids))
        .order_by(StatusList.purpose)
    ).all()
    found: dict[UUID, Place] = {}
    for subject_id, purpose, list_id, index in rows:
        before = found[subject_id].lists if subject_id in found else ()
        found[subject_id] = Place((*before, (StatusPurpose(purpose), list_id)), index)
    return found


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

    Raises NotFound, AlreadyDone, Unavailable.
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
    until = tx.now + VALID_FOR
    document = build_status_list_credential(
        issuer.site.status_list(list_id),
        key.did,
        status_list.purpose,
        status_list.bits,
        valid_from=tx.now,
        valid_until=until,
        ttl_ms=int(READERS_KEEP.total_seconds() * 1000),
    )
    signed = add_proof(document, key.private, key.verification_method, tx.now)
    crash_point("status.signed")
    text = dump_json(signed).decode()
    _publish(db, list_id, SignedList(status_list.version, text, tx.now, until), outbox_id)


@command
def renew_lists(db: Database, limit: int = 100) -> int:
    """Promise to sign anew the lists that were signed more than a day ago; returns how many."""
    with db.transaction() as tx:
        old = tx.session.exec(
            select(StatusList)
            .where(
                # those never signed are promised already; a promise that was given up is made anew
                col(StatusList.signed_at) < tx.now - SIGNED_AGAIN
            )
            .order_by(col(StatusList.signed_at))
            .limit(limit)
        ).all()
        for one in old:
            key = f"sign_status_list:{one.id}:{one.version}:{tx.now.date()}"
            promise_work(tx, Work.SIGN_STATUS_LIST, one.id, dedupe_key=key)
        return len(old)


def unsigned_lists(tx: Transaction, subject_id: UUID) -> Sequence[UUID]:
    """The lists a subject is on that have never been published."""
    return tx.session.exec(
        select(StatusList.id)
        .join(StatusEntry, col(StatusEntry.list_id) == col(StatusList.id))
        .where(StatusEntry.subject_id == subject_id, col(StatusList.document).is_(None))
    ).all()


def changed_lists(tx: Transaction, subject_id: UUID) -> Sequence[UUID]:
    """The lists a subject is on whose bits have turned since they were signed."""
    return tx.session.exec(
        select(StatusList.id)
        .join(StatusEntry, col(StatusEntry.list_id) == col(StatusList.id))
        .where(
            StatusEntry.subject_id == subject_id,
            col(StatusList.signed_version) < col(StatusList.version),
        )
        .order_by(col(StatusList.purpose))
    ).all()


@dataclass(frozen=True)
class SignedList:
    """A signed list: of which version of its bits, from when, and until when it holds."""

    version: int
    document: str
    signed_at: datetime
    valid_until: datetime


@command
def _publish(db: Database, list_id: UUID, signed: SignedList, outbox_id: OutboxId | None) -> None:
    """A list signed earlier, or of earlier bits, never replaces a later one."""
    with db.transaction() as tx:
        if outbox_id is not None:
            receive(tx, outbox_id)
        tx.session.execute(
            update(StatusList)
            .where(
                col(StatusList.id) == list_id,
                or_(
                    col(StatusList.signed_version) < signed.version,
                    and_(
                        col(StatusList.signed_version) == signed.version,
                        col(StatusList.signed_at) <= signed.signed_at,
                    ),
                ),
            )
            .values(
                document=signed.document,
                signed_version=signed.version,
                signed_at=signed.signed_at,
                valid_until=signed.valid_until,
            )
        )


def _open_lists(
    tx: Transaction,
    institution_id: InstitutionId,
    organisation_id: OrganisationId | None,
    purposes: Sequence[StatusPurpose],
) -> tuple[list[StatusList], int]:
    """The newest lists and how many places of theirs are taken; new ones when there are none left.

    Holds the institution: places are given out by one at a time.
    """
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
    if len(lists) == len(purposes):
        taken = _taken(tx, lists[0].id)
        if taken < LENGTH:
            return lists, taken
    return _new_lists(tx, institution_id, organisation_id, purposes), 0


def _free_places(tx: Transaction, list_id: UUID, taken: int, count: int) -> list[int]:
    """So many different places at random, of which most are free, or all in a crowded list."""
    if taken < CROWDED:
        found: set[int] = set()
        while len(found) < count:
            found.update(_drawn(count - len(found)))
        return list(found)
    used = set(
        tx.session.exec(select(StatusEntry.position).where(StatusEntry.list_id == list_id)).all()
    )
    free = [index for index in range(LENGTH) if index not in used]
    return secrets.SystemRandom().sample(free, min(count, len(free)))


def _drawn(count: int) -> Iterable[int]:
    """So many places at random, of one draw; the number of places divides that of four bytes."""
    return (one % LENGTH for one in array("I", secrets.token_bytes(4 * count)))


def _take(tx: Transaction, list_ids: Sequence[UUID], wanted: Mapping[int, UUID]) -> set[int]:
    """Take these places in all of the lists; returns those that were free in each."""
    places, subjects = zip(*wanted.items(), strict=True) if wanted else ((), ())
    given = (
        func.unnest(literal(list(places), ARRAY(Integer())), literal(list(subjects), ARRAY(Uuid())))
        .table_valued("position", "subject_id")
        .render_derived()
    )
    lists = (
        func.unnest(literal(list(list_ids), ARRAY(Uuid()))).table_valued("list_id").render_derived()
    )
    taken = tx.session.execute(
        insert(StatusEntry)
        .from_select(
            ["list_id", "position", "subject_id"],
            columns(lists.c.list_id, given.c.position, given.c.subject_id).select_from(
                lists.join(given, true())
            ),
        )
        .on_conflict_do_nothing(index_elements=["list_id", "position"])
        .returning(col(StatusEntry.list_id), col(StatusEntry.position))
    ).all()
    times = Counter(index for _, index in taken)
    whole = {index for index, count in times.items() if count == len(list_ids)}
    _give_back(tx, [(one, index) for one, index in taken if index not in whole])
    return whole


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


def _give_back(tx: Transaction, places: Iterable[tuple[UUID, int]]) -> None:
    """Free places that were taken in one list and not in the other."""
    half = list(places)
    if half:
        key = tuple_(col(StatusEntry.list_id), col(StatusEntry.position))
        tx.session.execute(delete(StatusEntry).where(key.in_(half)))
