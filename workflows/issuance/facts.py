"""What credentials are made of, read from the database: for one decision or for very many.

A constant number of statements, whatever the number of decisions.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from storage.bulk import among
from storage.database import Transaction
from storage.ids import (
    CaseId,
    CredentialId,
    CriterionCode,
    DefinitionId,
    InstitutionId,
    OutcomeCode,
    new_tokens,
)
from storage.tables import (
    Account,
    Agreement,
    Case,
    Credential,
    Decision,
    DefinitionVersion,
    Institution,
    OutcomeDecision,
)
from storage.vocabulary import CredentialState, OutcomeResult
from workflows.decisions.appeal_rules import STILL_THERE
from workflows.decisions.appealed import decided_anew, outcomes_of
from workflows.frameworks.definition import Definition, read_definition
from workflows.issuance.addresses import Site
from workflows.issuance.claims import (
    Facts,
    FrozenCredential,
    Learner,
    frozen_body,
    issuer_profile,
)
from workflows.issuance.items import Wanted, issued_items_of
from workflows.issuance.renewed import renewed_by, with_what_stays
from workflows.issuance.stacking import related_of
from workflows.issuance.status import Place

SALT = 16
"""Characters of the salt of a hashed identity: 96 bits."""


@dataclass(frozen=True)
class Source:
    """A decision on a case, and the id and the place in the status lists of its credential."""

    decision: Decision
    case: Case
    credential_id: CredentialId
    place: Place


@dataclass(frozen=True)
class _Version:
    """A version of a definition, read."""

    content_hash: str
    definition: Definition


def facts_of(
    tx: Transaction, site: Site, institution_id: InstitutionId, sources: Sequence[Source]
) -> list[Facts]:
    """The facts of each, in their order, as they stand now."""
    institution = tx.session.get_one(Institution, institution_id)
    versions = _versions(tx, {source.case.definition_id for source in sources})
    learners = _learners(tx, {source.case.learner_id for source in sources})
    decisions = [source.decision for source in sources]
    recognised = recognised_in(tx, [decision.id for decision in decisions])
    levels = _agreed(tx, decisions)
    items = issued_items_of(
        tx,
        [Wanted(CaseId(one.case_id), one.round, recognised[one.id]) for one in decisions],
    )
    issuer = issuer_profile(institution, site)
    definitions = {version_id: version.definition for version_id, version in versions.items()}
    related = related_of(tx, site, institution_id, definitions)
    salts = iter(new_tokens(len(sources)))
    made = [
        Facts(
            credential_id=source.credential_id,
            site=site,
            issuer=issuer,
            definition_id=DefinitionId(source.case.definition_id),
            definition_hash=versions[source.case.definition_id].content_hash,
            definition=versions[source.case.definition_id].definition,
            learner=_learner(learners[source.case.learner_id], source.case, next(salts)),
            recognised=recognised[source.decision.id],
            levels=levels[source.decision.id],
            items=items[CaseId(source.case.id)],
            status=source.place.claims(site),
            decided_at=source.decision.decided_at,
            at=tx.now,
            related=related[source.case.definition_id],
        )
        for source in sources
    ]
    renewals = renewed_by(tx, [source.case for source in sources])
    return [
        with_what_stays(facts, renewals[source.case.id]) if source.case.id in renewals else facts
        for facts, source in zip(made, sources, strict=True)
    ]


def pending_credential(source: Source, frozen: FrozenCredential, at: datetime) -> Credential:
    """The row of a credential whose claims are frozen and which is not signed yet."""
    valid_until = frozen.credential_claims().valid_until
    row = credential_row(source, frozen, valid_until, at)
    return Credential.model_validate({**row, "claims": frozen_body(frozen)})


def credential_row(
    source: Source, frozen: FrozenCredential, valid_until: datetime | None, at: datetime
) -> dict[str, object]:
    """The same as plain values and without its claims, for those who write very many."""
    return {
        "id": source.credential_id,
        "case_id": source.case.id,
        "decision_id": source.decision.id,
        "institution_id": source.case.institution_id,
        "learner_id": source.case.learner_id,
        "definition_id": frozen.definition_id or source.case.definition_id,
        "state": CredentialState.PENDING.value,
        "version": 1,
        "created_at": at,
        "public_reason": "",
        "whole": frozen.whole,
        "valid_until": valid_until,
    }


def recognised_in(
    tx: Transaction, decision_ids: Sequence[UUID]
) -> Mapping[UUID, frozenset[OutcomeCode]]:
    """What each decision recognised. One statement."""
    rows = tx.session.exec(
        select(OutcomeDecision.decision_id, OutcomeDecision.outcome_code).where(
            among(col(OutcomeDecision.decision_id), decision_ids),
            OutcomeDecision.result == OutcomeResult.RECOGNISED.value,
        )
    ).all()
    found: defaultdict[UUID, set[OutcomeCode]] = defaultdict(set)
    for decision_id, code in rows:
        found[decision_id].add(OutcomeCode(code))
    return {one: frozenset(found[one]) for one in decision_ids}


def _learner(account: Account, case: Case, salt: str) -> Learner:
    return Learner(
        account.name,
        account.email,
        salt=salt[:SALT],
        named=case.name_in_clear,
        language=account.locale,
    )


def _learners(tx: Transaction, ids: set[UUID]) -> Mapping[UUID, Account]:
    rows = tx.session.exec(select(Account).where(among(col(Account.id), ids))).all()
    return {row.id: row for row in rows}


def _versions(tx: Transaction, ids: set[UUID]) -> Mapping[UUID, _Version]:
    rows = tx.session.exec(
        select(DefinitionVersion).where(col(DefinitionVersion.id).in_(ids))
    ).all()
    return {row.id: _Version(row.content_hash, read_definition(row.body)) for row in rows}


def _agreed(
    tx: Transaction, decisions: Sequence[Decision]
) -> Mapping[UUID, Mapping[CriterionCode, int]]:
    """By decision: the agreed level of each criterion, of the latest round in which it was settled.

    Where an appeal would have lowered what was recognised, of the round that counted before.
    """
    rows = tx.session.exec(
        select(Agreement.case_id, Agreement.round, Agreement.criterion_code, Agreement.level)
        .where(
            among(col(Agreement.case_id), [decision.case_id for decision in decisions]),
            col(Agreement.settled).is_(True),
        )
        .order_by(col(Agreement.round))
    ).all()
    of_case: defaultdict[UUID, list[tuple[int, str, int]]] = defaultdict(list)
    for case_id, round_number, code, level in rows:
        if level is not None:
            of_case[case_id].append((round_number, code, level))
    found = {
        decision.id: {
            CriterionCode(code): level
            for round_number, code, level in of_case[decision.case_id]
            if round_number <= decision.round
        }
        for decision in decisions
    }
    anew = decided_anew(tx, [one.case_id for one in decisions if one.round > 1])
    for decision in decisions:
        if decision.case_id in anew:
            found[decision.id] |= _kept(tx, decision, of_case[decision.case_id])
    return found


def _kept(
    tx: Transaction, decision: Decision, agreed: Sequence[tuple[int, str, int]]
) -> Mapping[CriterionCode, int]:
    """The levels of those outcomes that a decision after an appeal took over from the first one."""
    case = tx.session.get_one(Case, decision.case_id)
    version = tx.session.get_one(DefinitionVersion, case.definition_id)
    definition = read_definition(version.body)
    found: dict[CriterionCode, int] = {}
    for row in outcomes_of(tx, decision.id):
        if row.reason == STILL_THERE:
            codes = {one.code for one in definition.outcome(OutcomeCode(row.outcome_code)).criteria}
            found |= _of_level(codes, row.level, agreed)
    return found


def _of_level(
    codes: Collection[CriterionCode], level: int | None, agreed: Sequence[tuple[int, str, int]]
) -> Mapping[CriterionCode, int]:
    """The levels of an outcome's criteria in the latest round that came to its level."""
    rounds: defaultdict[int, dict[CriterionCode, int]] = defaultdict(dict)
    for round_number, code, reached in agreed:
        if code in codes:
            rounds[round_number][CriterionCode(code)] = reached
    fit = [one for one, found in rounds.items() if min(found.values()) == level]
    return rounds[max(fit)] if fit else {}
