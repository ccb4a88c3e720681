"""`assay fsck`: compare what is written with what is stored, and whether all of it still holds.

Rows against each other (histories, digests, receipts) and against objects both ways, a sample of
sealed bytes against their digests, published credentials against their own proofs. Mends nothing.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Protocol

from sqlmodel import col, select

from app.cli.surroundings import say, settings_at_hand
from app.container import build
from credentials.errors import CannotFetch
from credentials.verdict import Check
from credentials.verdict import Finding as CheckFinding
from storage import reconcile
from storage.database import Database
from storage.errors import AssayError
from storage.ids import CredentialId
from storage.outbox_reports import dead_rows
from storage.tables import Credential
from storage.vault import Vault
from storage.vocabulary import CredentialState
from workflows.invariants import broken
from workflows.issuance.addresses import Site
from workflows.issuance.published import verify_own
from workflows.issuance.queries import public_credential

SAMPLE = 100
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
    """Declare how much is read, and the form of the answer."""
    parser.add_argument(
        "--sample", type=int, default=SAMPLE, metavar="N", help=f"re-hash N files ({SAMPLE})"
    )
    parser.add_argument("--all", action="store_true", help="re-hash every file")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Name everything that is wrong; 0 when nothing is, else 1."""
    quiet = bool(args.json)
    with settings_at_hand(tell=lambda line: None if quiet else say(line)) as settings:
        container = build(settings)
        try:
            found = list(examine(container, EVERYTHING if args.all else int(args.sample)))
        finally:
            container.close()
    wrong = [one for one in found if not one.harmless]
    if quiet:
        say(json.dumps({"ok": not wrong, "found": [asdict(one) for one in found]}, indent=2))
    else:
        _tell(found, wrong)
    return 1 if wrong else 0


def examine(house: House, sample: int = SAMPLE) -> Iterator[Found]:
    """Everything that does not agree, as it is found. Raises Unavailable, StoreAway."""
    yield from _storage(reconcile.compare(house.db, house.vault))
    yield from _storage(reconcile.rehash(house.db, house.vault, sample))
    yield from _rows(house)
    yield from _credentials(house)


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


def _credentials(house: House) -> Iterator[Found]:
    with house.db.reading() as tx:
        ids = tx.session.exec(
            select(Credential.id).where(col(Credential.state).in_(PUBLISHED))
        ).all()
    for credential_id in ids:
        yield from _credential(house, CredentialId(credential_id))


def _credential(house: House, credential_id: CredentialId) -> Iterator[Found]:
    try:
        with house.db.reading() as tx:
            view = public_credential(tx, house.site, credential_id)
        checks = verify_own(house.db, house.site, view, _nothing_else).checks
    except (AssayError, ValueError, KeyError) as error:
        yield Found("credential", str(credential_id), f"cannot be read: {error}")
        return
    for check in checks:
        if _contradicts(check, view.state):
            yield Found("credential", str(credential_id), f"{check.code}: {check.text}")


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


def _tell(found: list[Found], wrong: list[Found]) -> None:
    for one in found:
        mark = "note " if one.harmless else "WRONG"
        say(f"{mark} {one.what}: {one.where}" + (f" ({one.detail})" if one.detail else ""))
    say("All of it agrees." if not wrong else f"What does not agree: {len(wrong)}.")
