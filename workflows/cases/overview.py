"""What a learner sees first: their cases, each with what is next, in few statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import AccountId, CaseId, OutcomeCode
from storage.tables import (
    Case,
    Credential,
    DefinitionVersion,
    EvidenceItem,
    EvidenceMapping,
    SelfRating,
)
from storage.vocabulary import (
    AiUse,
    CredentialState,
    EvidenceKind,
    EvidenceState,
    PeopleShown,
)
from workflows.cases.next_step import CaseFacts, LearnerStep, learner_step
from workflows.cases.queries import CaseLine, line_of, outcome_rules
from workflows.cases.rules import ItemFacts
from workflows.evidence.counting import counted_item
from workflows.evidence.coverage import coverage
from workflows.evidence.queries import spoilt_among
from workflows.frameworks.definition import read_definition

Mapped = Mapping[UUID, frozenset[OutcomeCode]]


@dataclass(frozen=True)
class CaseCard:
    """A case in the learner's list, with what is next."""

    line: CaseLine
    step: LearnerStep


def learner_overview(tx: Transaction, learner_id: AccountId, today: date) -> Sequence[CaseCard]:
    """A learner's cases, the newest first, each with what is next for them."""
    cases = tx.session.exec(
        select(Case, DefinitionVersion)
        .join(DefinitionVersion, col(Case.definition_id) == col(DefinitionVersion.id))
        .where(Case.learner_id == learner_id)
        .order_by(col(Case.opened_at).desc())
    ).all()
    return _cards(tx, cases, today)


def step_of_case(tx: Transaction, case_id: CaseId, today: date) -> LearnerStep | None:
    """What is next for the learner on one case; None when there is no such case."""
    cases = tx.session.exec(
        select(Case, DefinitionVersion)
        .join(DefinitionVersion, col(Case.definition_id) == col(DefinitionVersion.id))
        .where(Case.id == case_id)
    ).all()
    return next((card.step for card in _cards(tx, cases, today)), None)


def _cards(
    tx: Transaction, cases: Sequence[tuple[Case, DefinitionVersion]], today: date
) -> Sequence[CaseCard]:
    ids = [case.id for case, _ in cases]
    items = _items(tx, ids)
    mapped = _mapped(tx, ids)
    rated = set(
        tx.session.exec(
            select(SelfRating.case_id).where(col(SelfRating.case_id).in_(ids)).distinct()
        ).all()
    )
    published = _published(tx, ids)
    digests = [item.sha256 for several in items.values() for item in several if item.sha256]
    spoilt = spoilt_among(tx, digests)
    return [
        CaseCard(
            line_of(case, version),
            learner_step(
                CaseFacts(
                    state=line_of(case, version).state,
                    rated=case.id in rated,
                    items=[_facts(item, mapped) for item in items[case.id]],
                    coverage=coverage(
                        outcome_rules(read_definition(version.body)),
                        [
                            counted_item(item, mapped.get(item.id, ()), spoilt)
                            for item in items[case.id]
                            if _is_sealed(item)
                        ],
                        today,
                    ),
                    credential=published.get(case.id),
                )
            ),
        )
        for case, version in cases
    ]


def _items(tx: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, list[EvidenceItem]]:
    """Per case what is not erased; what a copy stands for is left out."""
    items: defaultdict[UUID, list[EvidenceItem]] = defaultdict(list)
    rows = tx.session.exec(
        select(EvidenceItem).where(
            col(EvidenceItem.case_id).in_(ids),
            EvidenceItem.state != EvidenceState.ERASED.value,
        )
    ).all()
    standing_in = {row.replaces_id for row in rows}
    for row in rows:
        if row.id not in standing_in:
            items[row.case_id].append(row)
    return items


def _mapped(tx: Transaction, ids: Sequence[UUID]) -> Mapped:
    mapped: defaultdict[UUID, set[OutcomeCode]] = defaultdict(set)
    rows = tx.session.exec(
        select(EvidenceMapping)
        .join(EvidenceItem, col(EvidenceItem.id) == col(EvidenceMapping.item_id))
        .where(col(EvidenceItem.case_id).in_(ids))
    ).all()
    for row in rows:
        mapped[row.item_id].add(OutcomeCode(row.outcome_code))
    return {item_id: frozenset(codes) for item_id, codes in mapped.items()}


def _published(tx: Transaction, ids: Sequence[UUID]) -> Mapping[UUID, bool]:
    waiting = {CredentialState.PENDING.value, CredentialState.SIGNED.value}
    rows = tx.session.exec(
        select(Credential.case_id, Credential.state).where(
            col(Credential.case_id).in_(ids), col(Credential.whole).is_(True)
        )
    ).all()
    there = {case_id for case_id, state in rows if state not in waiting}
    return {case_id: case_id in there for case_id, _ in rows}


def _is_sealed(item: EvidenceItem) -> bool:
    return item.state == EvidenceState.SEALED.value


def _facts(item: EvidenceItem, mapped: Mapped) -> ItemFacts:
    return ItemFacts(
        title=item.title or item.file_name,
        kind=EvidenceKind(item.kind),
        state=EvidenceState(item.state),
        own_part=item.own_part,
        mapped=bool(mapped.get(item.id)),
        people=PeopleShown(item.people),
        ai=AiUse(item.ai),
    )
