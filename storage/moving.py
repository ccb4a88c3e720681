"""Moving the vault to another store: every object read, hashed, written and read back there.

A copy can be interrupted at any point and goes on: what was verified there is a `VaultCopy` row.
Sealed objects have to have the digest that they were sealed with; of others the digest is taken
on the way. Uploads that are under way are named and left: their browsers send to this store.
A second pass tells what changed meanwhile: what came is copied, what was erased is named.
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from storage.database import Database
from storage.tables import EvidenceItem, SealedObject, Upload, VaultCopy
from storage.vault import INCOMING, PREVIEWS, SEALED, ObjectFacts, ObjectMissing, Vault
from storage.vault.keys import digest_of_key
from storage.vocabulary import EvidenceState

BATCH = 64
WAITING = (EvidenceState.STORED.value, EvidenceState.QUARANTINED.value)


class Outcome(StrEnum):
    """What became of one object."""

    COPIED = "copied"
    THERE = "there"
    """it was there already, and was read there"""
    KNOWN = "known"
    """an earlier run copied and verified it"""
    DIFFERS = "differs"
    MISSING = "missing"
    IN_FLIGHT = "in_flight"
    GONE = "gone"
    REMOVED = "removed"
    """it was copied by us, erased here since, and removed there now"""
    SURPLUS = "surplus"
    """it is there and not here, and was not brought by us"""


@dataclass(frozen=True)
class Moved:
    """An object, and what became of it."""

    key: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True)
class _Wanted:
    facts: ObjectFacts
    verified_at: datetime | None

    @property
    def known(self) -> bool:
        """Whether it was copied before and was not written anew since."""
        return self.verified_at is not None and self.facts.modified_at <= self.verified_at


class _Move:
    """One run: from here to there, in threads that share nothing but clients."""

    def __init__(self, db: Database, here: Vault, there: Vault, *, verify_only: bool) -> None:
        self.db = db
        self.here = here
        self.there = there
        self.verify_only = verify_only
        self.destination = f"{there.address.endpoint_url}/{there.address.bucket}"

    def one(self, wanted: _Wanted) -> Moved:
        """Bring one object over, or look at it there."""
        key = wanted.facts.key
        try:
            if self.verify_only:
                return self._verify(key)
            if wanted.known and self._same_size(wanted.facts):
                return Moved(key, Outcome.KNOWN)
            return self._bring(wanted.facts)
        except ObjectMissing:
            gone = self.here.find(key) is None
            return Moved(key, Outcome.GONE if gone else Outcome.MISSING)

    def _bring(self, facts: ObjectFacts) -> Moved:
        key, sealed = facts.key, digest_of_key(facts.key)
        present = self.there.find(key)
        if present is not None and present.size == facts.size:
            digest = hash_of(self.here, facts)
            if sealed not in {None, digest}:
                return Moved(key, Outcome.DIFFERS, f"here it hashes to {digest}")
            if hash_of(self.there, present) == digest:
                self._note(key, digest)
                return Moved(key, Outcome.THERE)
            if sealed is not None:
                return Moved(key, Outcome.DIFFERS, "other bytes stand under its key there")
        digest = self.there.receive(
            key, self.here.open_stream(key, facts.etag, size=facts.size), facts.size
        )
        if sealed not in {None, digest}:
            self.there.delete(key)
            return Moved(key, Outcome.DIFFERS, f"here it hashes to {digest}")
        again = hash_of(self.there, self.there.facts(key))
        if again != digest:
            self.there.delete(key)
            return Moved(key, Outcome.DIFFERS, f"read back there it hashes to {again}")
        self._note(key, digest)
        return Moved(key, Outcome.COPIED)

    def _verify(self, key: str) -> Moved:
        expected = digest_of_key(key) or hash_of(self.here, self.here.facts(key))
        found = self.there.find(key)
        if found is None:
            return Moved(key, Outcome.MISSING)
        digest = hash_of(self.there, found)
        if digest != expected:
            return Moved(key, Outcome.DIFFERS, f"there it hashes to {digest}")
        return Moved(key, Outcome.THERE)

    def _same_size(self, facts: ObjectFacts) -> bool:
        found = self.there.find(facts.key)
        return found is not None and found.size == facts.size

    def _note(self, key: str, digest: str) -> None:
        with self.db.transaction() as tx:
            row = {"destination": self.destination, "key": key}
            values = {"sha256": digest, "verified_at": tx.now}
            tx.session.execute(
                insert(VaultCopy)
                .values(**row, **values)
                .on_conflict_do_update(index_elements=["destination", "key"], set_=values)
            )


def copy_vault(
    db: Database,
    here: Vault,
    there: Vault,
    *,
    verify_only: bool = False,
    side_by_side: int = 4,
) -> Iterator[Moved]:
    """Bring everything that is kept to another store, or with `verify_only` look whether it is.

    Never more than a batch of objects is in hand at once. Raises StoreAway; run again, it goes on.
    """
    move = _Move(db, here, there, verify_only=verify_only)
    with ThreadPoolExecutor(side_by_side) as pool:
        for prefix in (SEALED, INCOMING, PREVIEWS):
            listed = here.list_keys(prefix)
            while batch := list(islice(listed, BATCH)):
                wanted, left = _sorted_out(move, batch)
                yield from left
                yield from pool.map(move.one, wanted)
    for open_upload in here.open_uploads():
        yield Moved(open_upload.key, Outcome.IN_FLIGHT, "an upload that is under way")
    yield from _what_changed(move)


def hash_of(vault: Vault, facts: ObjectFacts) -> str:
    """The SHA-256 of exactly this version's bytes, in flat memory."""
    digest = hashlib.sha256()
    for chunk in vault.open_stream(facts.key, facts.etag, size=facts.size):
        digest.update(chunk)
    return digest.hexdigest()


def _sorted_out(move: _Move, batch: Iterable[ObjectFacts]) -> tuple[list[_Wanted], list[Moved]]:
    """What of a batch is to be brought, and what is left and why."""
    objects = list(batch)
    keys = [one.key for one in objects]
    with move.db.reading() as tx:
        known = dict(
            tx.session.exec(
                select(VaultCopy.key, VaultCopy.verified_at).where(
                    VaultCopy.destination == move.destination, col(VaultCopy.key).in_(keys)
                )
            ).all()
        )
        uploads: dict[str, str] = dict(
            tx.session.exec(
                select(Upload.key, EvidenceItem.state)
                .join(EvidenceItem, col(EvidenceItem.id) == col(Upload.item_id))
                .where(col(Upload.key).in_(keys))
            ).all()
        )
        kept = set(
            tx.session.exec(
                select(SealedObject.key).where(col(SealedObject.key).in_(list(uploads)))
            )
        )
    wanted, left = [], []
    for one in objects:
        passing = one.key.startswith(INCOMING) or one.key in uploads
        if passing and one.key not in kept and uploads.get(one.key) not in WAITING:
            left.append(Moved(one.key, Outcome.IN_FLIGHT, "not kept, or not whole yet"))
        else:
            wanted.append(_Wanted(one, known.get(one.key)))
    return wanted, left


def _what_changed(move: _Move) -> Iterator[Moved]:
    """Objects that are there and not here any more. What is erased here does not live on there."""
    for prefix in (SEALED, INCOMING, PREVIEWS):
        for found in move.there.list_keys(prefix):
            if move.here.find(found.key) is not None:
                continue
            if not move.verify_only and _forget(move, found.key):
                move.there.delete(found.key)
                yield Moved(found.key, Outcome.REMOVED)
            else:
                yield Moved(found.key, Outcome.SURPLUS)


def _forget(move: _Move, key: str) -> bool:
    """Strike out that an object was copied; whether it was."""
    with move.db.transaction() as tx:
        struck = tx.session.scalar(
            delete(VaultCopy)
            .where(col(VaultCopy.destination) == move.destination, col(VaultCopy.key) == key)
            .returning(col(VaultCopy.key))
        )
        return struck is not None
