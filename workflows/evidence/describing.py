"""What a learner says of an item, and taking one away again."""

from sqlalchemy import delete
from sqlmodel import col

from storage.database import Database, Transaction, command
from storage.errors import Conflict
from storage.events import record
from storage.ids import CaseId, ItemId
from storage.tables import Caption, EvidenceItem, EvidenceMapping, TimeSpan
from storage.vocabulary import AiUse, EvidenceKind, EvidenceState, PeopleShown
from workflows.access.rules import Actor
from workflows.cases.queries import view_of
from workflows.evidence.load import HeldItem, hold_item, stands_in_a_manifest
from workflows.evidence.rules import Description, fit_to_describe
from workflows.work import Work, promise_work

CHANGED = "This item was changed meanwhile. Reload the page to see how it stands now."


@command
def describe_evidence(
    db: Database,
    actor: Actor,
    item_id: ItemId,
    said: Description,
    *,
    expected_version: int | None = None,
) -> None:
    """Keep what the learner says of an item: title, kind, own part, dates, people, AI, outcomes.

    Of an attestation only the disclosure is the learner's. Raises NotFound, Conflict (the case was
    submitted, or the item changed), InvalidInput (per field).
    """
    with db.transaction() as tx:
        held = hold_item(tx, actor, item_id)
        _still_there(held)
        if expected_version is not None and held.item.version != expected_version:
            raise Conflict(CHANGED)
        if held.item.kind != EvidenceKind.ATTESTATION:
            known = [outcome.code for outcome in view_of(tx, held.case).definition.outcomes]
            fit_to_describe(said, known, tx.now.date())
            _describe(tx, held.item, said)
        held.item.disclosure = said.disclosure.value
        held.item.version += 1
        record(
            tx,
            held.who,
            "describe_evidence",
            ("evidence_item", held.item.id),
            case_id=CaseId(held.case.id),
            data={"kind": held.item.kind, "outcomes": sorted(said.outcomes)},
        )


@command
def remove_evidence(db: Database, actor: Actor, item_id: ItemId) -> CaseId:
    """Take an item out of the case before it is submitted; its bytes are erased by a job.

    Bytes that another item shares stay. Returns the case. Raises NotFound, Conflict (it was
    submitted in an earlier round, and stands in that manifest).
    """
    with db.transaction() as tx:
        held = hold_item(tx, actor, item_id)
        case_id = CaseId(held.case.id)
        if held.state is EvidenceState.ERASED:
            return case_id
        if stands_in_a_manifest(held.item, held.case):
            raise Conflict(
                "This item was submitted in an earlier round and stays with it. You can change "
                "which outcomes it counts for."
            )
        forget_words(tx, held.item)
        held.item.state = EvidenceState.ERASED.value
        held.item.version += 1
        record(tx, held.who, "remove_evidence", ("evidence_item", held.item.id), case_id=case_id)
        promise_erasure(tx, ItemId(held.item.id))
        return case_id


def promise_erasure(tx: Transaction, item_id: ItemId) -> None:
    """Promise that an erased item's bytes will go, as far as no other item needs them."""
    promise_work(tx, Work.ERASE_EVIDENCE, item_id)


def _still_there(held: HeldItem) -> None:
    if held.state is EvidenceState.ERASED:
        raise Conflict("This item was removed.")


def _describe(tx: Transaction, item: EvidenceItem, said: Description) -> None:
    item.title = said.title.strip()
    item.kind = said.kind.value
    item.own_part = said.own_part.strip()
    no_tools = said.ai is AiUse.NONE
    item.ai = said.ai.value
    item.ai_use = "" if no_tools else said.ai_use.strip()
    item.ai_tool = "" if no_tools else said.ai_tool.strip()
    item.work_from, item.work_to = said.work_from, said.work_to
    certificate = said.kind is EvidenceKind.CERTIFICATE
    item.issued_on = said.issued_on if certificate else None
    item.expires_on = said.expires_on if certificate else None
    _say_of_people(item, said)
    _unmap(tx, item)
    tx.session.add_all(
        EvidenceMapping(item_id=item.id, outcome_code=code) for code in sorted(said.outcomes)
    )


def _say_of_people(item: EvidenceItem, said: Description) -> None:
    agreed = said.people is PeopleShown.AGREED
    item.people = said.people.value
    item.consent_note = said.consent_note.strip() if agreed else ""
    item.consented_on = said.consented_on if agreed else None


def forget_words(tx: Transaction, item: EvidenceItem) -> None:
    """What was written about an item, on its time line and beside it, and its names go at once."""
    blank(item)
    _unmap(tx, item)
    for table in (TimeSpan, Caption):
        tx.session.execute(delete(table).where(col(table.item_id) == item.id))


def blank(item: EvidenceItem) -> None:
    """An item without its names, words and dates: what is left are its id, digest, size, times."""
    item.title = item.own_part = item.ai_use = item.ai_tool = item.file_name = ""
    item.declared_type = item.recorded_with = item.consent_note = ""
    item.reason, item.reason_params, item.scan_detail, item.flags = "", {}, "", []
    item.work_from = item.work_to = item.issued_on = item.expires_on = item.consented_on = None
    item.people, item.ai = PeopleShown.NOT_SAID.value, AiUse.NOT_SAID.value


def _unmap(tx: Transaction, item: EvidenceItem) -> None:
    tx.session.execute(delete(EvidenceMapping).where(col(EvidenceMapping.item_id) == item.id))
