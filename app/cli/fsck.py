"""`assay fsck`: compare what is written with what is stored, and whether all of it still holds.

Rows against each other (histories, digests, receipts) and against objects both ways, a sample of
sealed bytes against their digests, published credentials against their own proofs and the sealed
evidence they name. What is wrong is told as it is found. `--repair` removes left-over uploads and
pictures, and nothing else, ever. Exit 0: all agrees; 1: something is wrong; 2: could not look.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Protocol
from uuid import UUID

from sqlmodel import col, select

from app.cli.progress import Progress
from app.cli.surroundings import say, settings_at_hand
from app.container import build
from credentials.digests import multibase_sha256
from credentials.errors import CannotFetch
from credentials.verdict import Check
from credentials.verdict import Finding as CheckFinding
from storage import reconcile
from storage.database import Database, Transaction
from storage.errors import AssayError
from storage.ids import CredentialId
from storage.outbox_reports import dead_rows
from storage.tables import Credential, EvidenceItem, SealedObject
from storage.vault import Vault
from storage.vocabulary import CredentialState, EvidenceState
from workflows.evidence.sweeping import clear_incoming
from workflows.invariants import broken
from workflows.issuance.addresses import Site
from workflows.issuance.published import verify_own
from workflows.issuance.queries import CredentialView, public_credential

SAMPLE = 100
BATCH = 200
MOST_LISTED = 10_000
EVERYTHING = 2**62
PUBLISHED = tuple(
    state.value
    for state in (CredentialState.PUBLISHED, CredentialState.SUSPENDED, CredentialState.REVOKED)
)


class House(Protocol):
    """The parts that are looked at."""

    @property
    def db(self) -> Database:
        """The database."""

    @property
    def vault(self) -> Vault:
        """The vault."""

    @property
    def site(self) -> Site:
        """Where our own addresses begin."""


@dataclass(frozen=True)
class Found:
    """Something that does not agree. `harmless`: nobody has lost anything by it."""

    what: str
    where: str
    detail: str = ""
    harmless: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how much is read, what is mended, and the form of the answer."""
    parser.add_argument(
        "--rehash",
        choices=("sample", "all", "none"),
        default="sample",
        help="which kept files are read again and hashed",
    )
    parser.add_argument(
        "--sample", type=int, default=SAMPLE, metavar="N", help=f"how many a sample is ({SAMPLE})"
    )
    parser.add_argument("--all", action="store_true", help="the same as --rehash all")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="remove left-over uploads and pictures that are older than a day",
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Name everything that is wrong; 0 when nothing is, else 1."""
    quiet = bool(args.json)
    sample = {"all": EVERYTHING, "none": 0}.get("all" if args.all else args.rehash, args.sample)
    progress = Progress(sys.stderr, shown=not quiet and sys.stderr.isatty())
    found: list[Found] = []
    wrong = told = 0
    with settings_at_hand(tell=lambda line: None if quiet else say(line)) as settings:
        container = build(settings)
        try:
            for one in examine(container, int(sample), progress.step):
                told, wrong = told + 1, wrong + (not one.harmless)
                if quiet:
                    found += [one] if told <= MOST_LISTED else []
                else:
                    progress.clear()
                    _tell(one)
            removed = list(_repair(container)) if args.repair else []
        finally:
            progress.clear()
            container.close()
    if quiet:
        answer = {"ok": not wrong, "wrong": wrong, "removed": len(removed)}
        listed = {"found": [asdict(one) for one in found], "more": max(0, told - MOST_LISTED)}
        say(json.dumps(answer | listed, indent=2))
    else:
        for key in removed:
            say(f"removed {key}")
        say("All of it agrees." if not wrong else f"What does not agree: {wrong}.")
    return 1 if wrong else 0


def _repair(house: House) -> Iterator[str]:
    """Remove what nothing needs: uploads by the sweeper's own rule, and pictures without a row."""
    uploads = clear_incoming(house.db, house.vault)
    yield from (f"{number} of the uploads that nothing needs" for number in [uploads] if number)
    yield from reconcile.remove_orphans(house.db, house.vault)


def examine(
    house: House, sample: int = SAMPLE, heard: Callable[[str], object] = lambda _: None
) -> Iterator[Found]:
    """Everything that does not agree, as it is found. Raises Unavailable, StoreAway."""
    yield from _storage(reconcile.compare(house.db, house.vault, heard))
    yield from _storage(reconcile.rehash(house.db, house.vault, sample, heard))
    yield from _known(house)
    yield from _rows(house)
    yield from _credentials(house, heard)


def _known(house: House) -> Iterator[Found]:
    """What an earlier look found changed in the store, and no later one found whole."""
    with house.db.reading() as tx:
        rows = tx.session.exec(
            select(SealedObject.key).where(col(SealedObject.wrong_at).is_not(None))
        ).all()
    for key in rows:
        yield Found("known_wrong", key, "its bytes were found to be others")


def _storage(discrepancies: Iterable[reconcile.Discrepancy]) -> Iterator[Found]:
    for one in discrepancies:
        harmless = one.fault in reconcile.HARMLESS
        yield Found(one.fault.value, one.key, one.detail, harmless)


def _rows(house: House) -> Iterator[Found]:
    with house.db.reading() as tx:
        for row in dead_rows(tx):
            detail = f"{row.kind} for {row.subject_id}: {row.last_error}"
            yield Found("given_up", str(row.id), detail, harmless=True)
        for one in broken(tx):
            yield Found(one.what, str(one.where), one.detail)


def _credentials(house: House, heard: Callable[[str], object]) -> Iterator[Found]:
    after = UUID(int=0)
    while True:
        with house.db.reading() as tx:
            ids = tx.session.exec(
                select(Credential.id)
                .where(col(Credential.state).in_(PUBLISHED), col(Credential.id) > after)
                .order_by(col(Credential.id))
                .limit(BATCH)
            ).all()
        for credential_id in ids:
            heard(str(credential_id))
            yield from _credential(house, CredentialId(credential_id))
        if len(ids) < BATCH:
            return
        after = ids[-1]


def _credential(house: House, credential_id: CredentialId) -> Iterator[Found]:
    where = str(credential_id)
    try:
        with house.db.reading() as tx:
            view = public_credential(tx, house.site, credential_id)
            sealed = _sealed_digests(tx, view)
        checks = verify_own(house.db, house.site, view, _nothing_else).checks
    except (AssayError, ValueError, KeyError) as error:
        yield Found("credential", where, f"cannot be read: {error}")
        return
    for check in checks:
        if _contradicts(check, view.state):
            yield Found("credential", where, f"{check.code}: {check.text}")
    for item in view.items:
        kept = sealed.get(item.item_id)
        if kept not in {None, item.sha256}:
            detail = f"names {item.sha256} for item {item.item_id}, which is sealed as {kept}"
            yield Found("credential_evidence", where, detail)
        if multibase_sha256(item.sha256).encode() not in view.document:
            yield Found("credential_evidence", where, f"does not name {item.sha256} as its claims")


def _sealed_digests(tx: Transaction, view: CredentialView) -> dict[UUID, str | None]:
    """What the evidence that a credential names is sealed as; erased items gave up their digest."""
    rows = tx.session.exec(
        select(EvidenceItem).where(
            col(EvidenceItem.id).in_([item.item_id for item in view.items]),
            EvidenceItem.state != EvidenceState.ERASED.value,
        )
    ).all()
    return {row.id: row.sha256 for row in rows}


def _contradicts(check: Check, state: CredentialState) -> bool:
    """Whether a check fails that should hold: time passes, and status is what the row says."""
    if check.outcome in {CheckFinding.PASSED, CheckFinding.NOTED}:
        return False
    if check.code == "dates" or check.code.startswith("endorsement."):
        return False
    withdrawn = state is not CredentialState.PUBLISHED
    return not (withdrawn and check.code.startswith("status."))


def _nothing_else(url: str, /) -> bytes:
    """What is not ours is not looked at."""
    raise CannotFetch("%(url)s is not one of our own documents.", url=url)


def _tell(one: Found) -> None:
    mark = "note " if one.harmless else "WRONG"
    say(f"{mark} {one.what}: {one.where}" + (f" ({one.detail})" if one.detail else ""))
