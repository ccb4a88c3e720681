"""What a learner does with a case until it is submitted, and what screening does with it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import col, delete, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, Problem
from storage.events import Who, record
from storage.ids import (
    AccountId,
    CaseId,
    DefinitionId,
    ItemId,
    OutcomeCode,
    Sha256,
    new_id,
)
from storage.tables import (
    CASE_NUMBERS,
    Account,
    Case,
    DefinitionVersion,
    EvidenceItem,
    Manifest,
    PolicyVersion,
    ScoreSheet,
    SelfRating,
)
from storage.vocabulary import (
    AiUse,
    CaseState,
    CoverageBasis,
    EvidenceKind,
    EvidenceState,
    PeopleShown,
    SheetState,
)
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.assessment.evidence import submitted
from workflows.attestations.retracting import retract_withdrawn
from workflows.canonical import content_hash
from workflows.cases.calendar import after_working_days
from workflows.cases.load import lock_case, may_move, move, still_editable, unchanged_since
from workflows.cases.mails import tell_returned, tell_submitted
from workflows.cases.manifest import ManifestItem, Submission, manifest_body
from workflows.cases.queries import (
    CaseView,
    case_coverage,
    live_case_for,
    mapped_outcomes,
    self_ratings,
    view_of,
)
from workflows.cases.rules import Declaration, ItemFacts, rating_problems, ready_to_submit
from workflows.evidence.coverage_kept import keep_coverage
from workflows.evidence.time_line import with_time_line
from workflows.issuance.addresses import Site


@command
def open_case(db: Database, actor: Actor, definition_id: DefinitionId) -> CaseId:
    """Open a case for a published credential definition, under the policy of today.

    Raises Forbidden, and Conflict when the definition is not offered any more or the learner has
    a case for it that is not finished.
    """
    with db.transaction() as tx:
        who = acting(actor, Permission.OPEN_CASE)
        version = tx.session.get(DefinitionVersion, definition_id, with_for_update=True)
        if version is None or version.published_at is None or version.retired_at is not None:
            raise Conflict("This credential is not offered any more.")
        learner_id = _learner(tx, who)
        if live_case_for(tx, learner_id, version.code) is not None:
            raise Conflict("You have an open case for this credential already.")
        case = new_case(tx, version, learner_id)
        tx.session.add(case)
        record(tx, who, "open_case", ("case", case.id), case_id=CaseId(case.id))
        return CaseId(case.id)


@command
def rate_self(db: Database, actor: Actor, case_id: CaseId, ratings: Mapping[str, int]) -> None:
    """Keep how the learner rates themselves, per outcome; outcomes left out lose their rating.

    Raises NotFound, Conflict (submitted), InvalidInput (an unknown outcome or level).
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.EDIT_CASE, case_resource(tx, case))
        still_editable(case)
        definition = view_of(tx, case).definition
        levels = {
            str(outcome.code): frozenset(
                level.value for row in outcome.criteria for level in row.levels
            )
            for outcome in definition.outcomes
        }
        problems = rating_problems(ratings, levels)
        if problems:
            raise InvalidInput("The self-assessment was not kept.", problems=problems)
        tx.session.exec(delete(SelfRating).where(col(SelfRating.case_id) == case_id))
        tx.session.add_all(
            SelfRating(case_id=case_id, outcome_code=code, level=level, rated_at=tx.now)
            for code, level in ratings.items()
        )
        record(tx, who, "rate_self", ("case", case.id), case_id=case_id)


@command
def submit_case(
    db: Database,
    site: Site,
    actor: Actor,
    case_id: CaseId,
    declaration: Declaration,
    *,
    expected_version: int | None = None,
) -> Sha256:
    """Freeze the case's evidence as a manifest and hand it to screening.

    Returns the manifest's digest. Raises NotFound, Conflict (the case moved on), InvalidInput
    (what is missing, in words).
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.SUBMIT_CASE, case_resource(tx, case))
        unchanged_since(case, expected_version)
        may_move(case, "submit_case")
        view = view_of(tx, case)
        digest = _freeze(tx, case, view, declaration)
        case.submitted_at = tx.now
        case.note_to_learner = ""
        case.due_at = after_working_days(tx.now, view.policy.screening_days)
        move(tx, case, "submit_case", who, data={"manifest": digest})
        tell_submitted(tx, site, view, digest)
        return digest


@command
def begin_screening(
    db: Database, actor: Actor, case_id: CaseId, *, expected_version: int | None = None
) -> None:
    """Take a submitted case in hand. Raises NotFound, Forbidden, Conflict."""
    with db.transaction() as tx:
        case, who = _screened(tx, actor, case_id, expected_version)
        move(tx, case, "begin_screening", who)


@command
def return_case(
    db: Database,
    site: Site,
    actor: Actor,
    case_id: CaseId,
    note: str,
    *,
    expected_version: int | None = None,
) -> None:
    """Give a case back to the learner with a note that says what is asked for.

    Raises NotFound, Forbidden, Conflict, InvalidInput (no note).
    """
    with db.transaction() as tx:
        case, who = _screened(tx, actor, case_id, expected_version)
        if len(note.strip()) < 10:
            raise InvalidInput(
                "The case was not returned.",
                problems=[Problem("note", "Say what the learner should add or change.")],
            )
        case.note_to_learner = note.strip()
        case.due_at = evidence_due(tx, case)
        move(tx, case, "return_case", who, why=note.strip())
        case.round += 1
        retract_withdrawn(tx, case.id)
        tell_returned(tx, site, view_of(tx, case))


def evidence_due(tx: Transaction, case: Case) -> datetime | None:
    """Until when a returned case waits for its learner: for ever, but not under appeal."""
    if case.decision_id is None:
        return None
    return tx.now + timedelta(days=view_of(tx, case).policy.appeal_days)


@command
def accept_for_assessment(
    db: Database, actor: Actor, case_id: CaseId, *, expected_version: int | None = None
) -> None:
    """Let a screened case go to assessment.

    The ages of its evidence are reckoned as of today from here on. Raises NotFound, Forbidden,
    Conflict.
    """
    with db.transaction() as tx:
        case, who = _screened(tx, actor, case_id, expected_version)
        view = view_of(tx, case)
        case.due_at = after_working_days(tx.now, view.policy.assessment_days)
        today = tx.now.date()
        covered = submitted(tx, case, view.definition, as_of=today).coverage
        keep_coverage(
            tx, case.id, case.round, CoverageBasis.ASSESSMENT, as_of=today, outcomes=covered
        )
        move(tx, case, "accept_for_assessment", who)


@command
def withdraw_case(
    db: Database,
    actor: Actor,
    case_id: CaseId,
    why: str = "",
    *,
    expected_version: int | None = None,
) -> None:
    """End a case at the learner's wish. Open score sheets end with it.

    Raises NotFound, Conflict (it is decided, or finished already).
    """
    with db.transaction() as tx:
        case = lock_case(tx, case_id)
        who = acting(actor, Permission.WITHDRAW_CASE, case_resource(tx, case))
        unchanged_since(case, expected_version)
        if case.decision_id is not None:
            raise Conflict("This case was decided before: what was recognised stays yours.")
        case.closed_at = tx.now
        case.due_at = None
        move(tx, case, "withdraw_case", who, why=why.strip())
        tx.session.execute(
            update(ScoreSheet)
            .where(col(ScoreSheet.case_id) == case_id, col(ScoreSheet.state) == SheetState.OPEN)
            .values(state=SheetState.SUPERSEDED.value, finalised_at=tx.now)
        )


def _learner(tx: Transaction, who: Who) -> AccountId:
    if who.account_id is None:
        raise InvalidInput("Please sign in first.")
    # one at a time per learner, so that two clicks open one case
    tx.session.exec(select(Account.id).where(Account.id == who.account_id).with_for_update()).one()
    return who.account_id


def new_case(tx: Transaction, version: DefinitionVersion, learner_id: AccountId) -> Case:
    """A draft for a version of a definition, under the policy of today. Raises Conflict."""
    policy = tx.session.exec(
        select(PolicyVersion)
        .where(PolicyVersion.institution_id == version.institution_id)
        .order_by(col(PolicyVersion.created_at).desc(), col(PolicyVersion.id).desc())
    ).first()
    if policy is None:
        raise Conflict("The institution has not set its rules yet.")
    return Case(
        id=new_id(),
        number=tx.session.execute(CASE_NUMBERS.next_value()).scalar_one(),
        institution_id=version.institution_id,
        learner_id=learner_id,
        definition_id=version.id,
        policy_id=policy.id,
        state=CaseState.DRAFT.value,
        opened_at=tx.now,
    )


def _screened(
    tx: Transaction, actor: Actor, case_id: CaseId, expected_version: int | None
) -> tuple[Case, Who]:
    case = lock_case(tx, case_id)
    who = acting(actor, Permission.SCREEN_CASE, case_resource(tx, case))
    unchanged_since(case, expected_version)
    return case, who


def _freeze(tx: Transaction, case: Case, view: CaseView, declaration: Declaration) -> Sha256:
    items = _own_items(tx, case)
    mapped = mapped_outcomes(tx, view.id)
    covered = case_coverage(tx, view.id, view.definition, tx.now.date())
    facts = [_facts(item, mapped.get(item.id, ())) for item in items]
    ready_to_submit(facts, covered, view.policy, declaration)
    today = tx.now.date()
    keep_coverage(tx, case.id, case.round, CoverageBasis.SUBMISSION, as_of=today, outcomes=covered)
    sealed = [item for item in items if item.state == EvidenceState.SEALED]
    body = manifest_body(
        Submission(
            case_id=view.id,
            number=view.number,
            round=view.round,
            definition_hash=view.definition_hash,
            policy_hash=view.policy_hash,
            declaration_version=view.policy.declaration_version,
            declaration=view.policy.declaration,
            signed_name=declaration.signed_name.strip(),
            signed_at=tx.now,
            self_ratings=self_ratings(tx, view.id),
            items=with_time_line(
                tx, [_manifest_item(item, mapped.get(item.id, ())) for item in sealed]
            ),
            coverage=covered,
            with_gaps=declaration.with_gaps,
        )
    )
    return _keep(tx, case, body, declaration.signed_name.strip(), tx.now)


def _own_items(tx: Transaction, case: Case) -> list[EvidenceItem]:
    """The case's items, held against all others, without those for which a copy stands."""
    items = tx.session.exec(
        select(EvidenceItem)
        .where(EvidenceItem.case_id == case.id, EvidenceItem.state != EvidenceState.ERASED.value)
        .order_by(col(EvidenceItem.created_at), col(EvidenceItem.id))
        .with_for_update()
    ).all()
    standing_in = {item.replaces_id for item in items}
    return [item for item in items if item.id not in standing_in]


def _keep(tx: Transaction, case: Case, body: dict[str, object], name: str, at: datetime) -> Sha256:
    digest = content_hash(body)
    tx.session.add(
        Manifest(
            id=new_id(),
            case_id=case.id,
            round=case.round,
            body=body,
            digest=digest,
            signed_name=name,
            signed_at=at,
        )
    )
    return digest


def _facts(item: EvidenceItem, outcomes: tuple[OutcomeCode, ...]) -> ItemFacts:
    return ItemFacts(
        title=item.title or item.file_name,
        kind=EvidenceKind(item.kind),
        state=EvidenceState(item.state),
        own_part=item.own_part,
        mapped=bool(outcomes),
        people=PeopleShown(item.people),
        ai=AiUse(item.ai),
    )


def _manifest_item(item: EvidenceItem, outcomes: tuple[OutcomeCode, ...]) -> ManifestItem:
    return ManifestItem(
        id=ItemId(item.id),
        kind=item.kind,
        title=item.title or item.file_name,
        file_name=item.file_name,
        media_type=item.media_type,
        size=item.size or 0,
        sha256=Sha256(item.sha256 or ""),
        own_part=item.own_part,
        ai_use=item.ai_use,
        work_from=item.work_from.isoformat() if item.work_from else None,
        work_to=item.work_to.isoformat() if item.work_to else None,
        expires_on=item.expires_on.isoformat() if item.expires_on else None,
        outcomes=outcomes,
        disclosure=item.disclosure,
        ai=item.ai,
        ai_tool=item.ai_tool,
        issued_on=item.issued_on.isoformat() if item.issued_on else None,
        people=item.people,
        replaces=str(item.replaces_id) if item.replaces_id else None,
    )
