"""A slice of a batch of releases: from decided cases to published credentials, in bulk.

What the cases say is read, places in the status lists are taken, documents are signed, and then one
transaction turns the second key, writes the credentials and closes the cases, all or none. A crash
before it leaves places that the next run takes up; after it there is nothing left to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select

from storage.bulk import JsonText, among, kept_to_the_end, write_rows
from storage.crashpoints import crash_point
from storage.database import Database, Transaction, command
from storage.errors import AssayError, Unavailable
from storage.events import SYSTEM, Act, Fact, Who, record_acts
from storage.ids import CaseId, CredentialId, InstitutionId, OutboxId, sha256_of
from storage.outbox import receive
from storage.tables import (
    Account,
    Batch,
    BatchMember,
    BatchSlice,
    Case,
    Credential,
    Decision,
    DefinitionVersion,
    RoleGrant,
    StatusList,
)
from storage.vocabulary import CaseState, CredentialState, OutcomeResult, Role
from workflows.access.permissions import Permission
from workflows.access.resources import case_resources
from workflows.access.rules import VISITOR, Actor, may
from workflows.cases.load import MOVED_ON, Step, move_many, state_of
from workflows.decisions.appeal_rules import UNDER_APPEAL
from workflows.decisions.appealed import decided_anew
from workflows.decisions.commands import release_case
from workflows.decisions.rules import earns_credential
from workflows.frameworks.definition import read_definition
from workflows.issuance import mails
from workflows.issuance.addresses import Site
from workflows.issuance.batches import end_slice, hold_slice, open_slice
from workflows.issuance.claims import Facts, claims_of, freeze_bare, frozen_text
from workflows.issuance.facts import Source, credential_row, facts_of, recognised_in
from workflows.issuance.keys import Issuer, live_key_id, signing_key
from workflows.issuance.renewed import NOT_IN_FORCE, taken_back
from workflows.issuance.signing import Told, sign_many
from workflows.issuance.status import Place, allocate_many, places_of, sign_status_list
from workflows.people.mail import Letter, queue_mails
from workflows.people.sessions import actor_of, held_at
from workflows.webhooks.announcing import Published, announce_issued

Problems = dict[UUID, str]


@dataclass(frozen=True)
class Member:
    """A case of the slice, its decision, and the id of its credential."""

    case: Case
    decision: Decision
    credential_id: CredentialId


@dataclass(frozen=True)
class Turn:
    """Whose second key it is, what earns a credential, what is released one by one (it earns none,
    or was decided anew), and what is passed over."""

    actor: Actor
    institution_id: InstitutionId
    earned: Sequence[Member]
    unearned: Sequence[Member]
    problems: Problems


@dataclass(frozen=True)
class Made:
    """A signed credential that is not in the database yet: its row, and the news of it."""

    member: Member
    row: dict[str, object]
    letter: Letter


@kept_to_the_end()
def release_slice(db: Database, issuer: Issuer, slice_id: UUID, outbox_id: OutboxId) -> None:
    """The job: release the cases of a slice and issue what they earned.

    Raises AlreadyDone, NotFound, Unavailable, and BadProof when a signed document does not verify.
    """
    with db.reading() as tx:
        found = open_slice(tx, slice_id)
        turn = _turn(tx, found[0], found[1]) if found else None
    if turn is None:
        _nothing_to_do(db, outbox_id)
        return
    places = _take_places(db, turn)
    crash_point("batch.placed")
    _sign_new_lists(db, issuer, places)
    made = _make(db, issuer, turn, places)
    crash_point("batch.signed")
    problems = {**turn.problems, **_release_unearned(db, issuer.site, turn)}
    crash_point("batch.released")
    _record(db, turn, made, problems=problems, slice_id=slice_id, outbox_id=outbox_id)


def _turn(tx: Transaction, batch: Batch, part: BatchSlice) -> Turn:
    """What is to be done with each case of the slice, as things stand now."""
    actor = _starter(tx, batch)
    rows = tx.session.exec(
        select(Case, Decision, BatchMember.credential_id)
        .join(BatchMember, col(BatchMember.case_id) == col(Case.id))
        .join(Decision, col(Decision.id) == col(Case.decision_id))
        .where(BatchMember.slice_id == part.id)
        .order_by(col(Case.id))
    ).all()
    members = [Member(case, decision, CredentialId(one)) for case, decision, one in rows]
    resources = case_resources(tx, [member.case for member in members])
    problems: Problems = {}
    free = []
    done = _released_before(tx, batch, members)
    for member in members:
        if member.case.id in done:
            continue
        answer = may(actor, Permission.RELEASE_CASE, resources[member.case.id])
        if state_of(member.case) is CaseState.APPEAL:
            problems[member.case.id] = UNDER_APPEAL
        elif state_of(member.case) is not CaseState.DECIDED:
            problems[member.case.id] = MOVED_ON
        elif not answer:
            problems[member.case.id] = answer.reason
        else:
            free.append(member)
    earned = _earning(tx, free)
    over = {one.case.id for one in free if one.case.id in earned and taken_back(tx, one.case)}
    problems |= dict.fromkeys(over, NOT_IN_FORCE)
    # after an appeal something may have been issued before, and is corrected: each on its own
    anew = decided_anew(tx, [one.case.id for one in free]) - over
    return Turn(
        actor=actor,
        institution_id=InstitutionId(batch.institution_id),
        earned=[one for one in free if one.case.id in earned - over - anew],
        unearned=[one for one in free if one.case.id in anew or one.case.id not in earned],
        problems=problems,
    )


def _released_before(tx: Transaction, batch: Batch, members: Sequence[Member]) -> frozenset[UUID]:
    """The cases that this batch has released one by one in a run that did not end."""
    released = [
        one
        for one in members
        if state_of(one.case) is not CaseState.DECIDED
        and one.decision.released_by == batch.started_by
        and one.decision.released_at is not None
        and one.decision.released_at >= batch.started_at
    ]
    ids = frozenset(one.case.id for one in released)
    return ids - (_earning(tx, released) - decided_anew(tx, ids))


def _starter(tx: Transaction, batch: Batch) -> Actor:
    """Who began the batch, with the roles that they hold now; nobody when they are gone."""
    institution_id = InstitutionId(batch.institution_id)
    rows = tx.session.exec(
        select(Account, RoleGrant.role)
        .join(RoleGrant, held_at(institution_id), isouter=True)
        .where(Account.id == batch.started_by, col(Account.disabled_at).is_(None))
    ).all()
    if not rows:
        return VISITOR
    return actor_of(rows[0][0], institution_id, [role for _, role in rows])


def _earning(tx: Transaction, members: Sequence[Member]) -> frozenset[UUID]:
    """The cases whose decision earns a credential."""
    recognised = recognised_in(tx, [member.decision.id for member in members])
    ids = {member.case.definition_id for member in members}
    bodies = tx.session.exec(
        select(DefinitionVersion.id, DefinitionVersion.body).where(
            col(DefinitionVersion.id).in_(ids)
        )
    ).all()
    definitions = {one: read_definition(body) for one, body in bodies}
    return frozenset(
        member.case.id
        for member in members
        if earns_credential(
            definitions[member.case.definition_id],
            dict.fromkeys(recognised[member.decision.id], OutcomeResult.RECOGNISED),
        )
    )


@command
def _take_places(db: Database, turn: Turn) -> Mapping[UUID, Place]:
    """A place in the status lists for each credential, the one it has where it has one."""
    wanted = [member.credential_id for member in turn.earned]
    with db.transaction() as tx:
        known = places_of(tx, wanted)
        missing = [one for one in wanted if one not in known]
        return {**known, **allocate_many(tx, turn.institution_id, missing)}


def _sign_new_lists(db: Database, issuer: Issuer, places: Mapping[UUID, Place]) -> None:
    """Publish the lists that nobody has published yet, before a document names them."""
    ids = {list_id for place in places.values() for _, list_id in place.lists}
    with db.reading() as tx:
        unsigned = tx.session.exec(
            select(StatusList.id).where(
                col(StatusList.id).in_(ids), col(StatusList.document).is_(None)
            )
        ).all()
    for list_id in unsigned:
        sign_status_list(db, issuer, list_id)


def _make(db: Database, issuer: Issuer, turn: Turn, places: Mapping[UUID, Place]) -> list[Made]:
    """The signed credentials, in the order of those who earned them."""
    with db.reading() as tx:
        key = signing_key(tx, issuer, live_key_id(tx, turn.institution_id))
        sources = [
            Source(one.decision, one.case, one.credential_id, places[one.credential_id])
            for one in turn.earned
        ]
        facts = facts_of(tx, issuer.site, turn.institution_id, sources)
        now = tx.now
    rows, told = [], []
    for source, one in zip(sources, facts, strict=True):
        claims = claims_of(one)
        bare = freeze_bare(one, key.id)
        row = credential_row(source, bare, claims.valid_until, now)
        rows.append({**row, "claims": JsonText(frozen_text(bare, claims))})
        told.append(Told(claims, bare.created, one.definition_id))
    documents = sign_many(told, key)
    return [
        Made(member, _signed(row, document, key.id), _letter(one))
        for member, row, document, one in zip(turn.earned, rows, documents, facts, strict=True)
    ]


def _signed(row: dict[str, object], document: str, key_id: UUID) -> dict[str, object]:
    return {
        **row,
        "document": document,
        "document_sha256": sha256_of(document.encode()),
        "key_id": key_id,
        "state": CredentialState.PUBLISHED.value,
    }


def _letter(facts: Facts) -> Letter:
    learner, address = facts.learner, facts.site.credential(facts.credential_id)
    return mails.published_letter(
        mails.Addressee(learner.name, learner.email, learner.language),
        facts.definition.title,
        address,
    )


def _release_unearned(db: Database, site: Site, turn: Turn) -> Problems:
    """Release what is not made in bulk, one by one; returns what could not be.

    Raises Unavailable: another run goes on with the rest.
    """
    problems: Problems = {}
    for member in turn.unearned:
        try:
            release_case(
                db,
                site,
                turn.actor,
                CaseId(member.case.id),
                expected_version=member.case.version,
            )
        except Unavailable:
            raise
        except AssayError as error:
            problems[member.case.id] = str(error)
    return problems


@command
def _record(
    db: Database,
    turn: Turn,
    made: Sequence[Made],
    *,
    problems: Problems,
    slice_id: UUID,
    outbox_id: OutboxId,
) -> None:
    """Everything that the slice changes, in one transaction."""
    with db.transaction() as tx:
        receive(tx, outbox_id)
        part = hold_slice(tx, slice_id)
        held = _hold_unchanged(tx, [one.member.case for one in made])
        kept = [one for one in made if one.member.case.id in held]
        problems = {
            **problems,
            **{one.member.case.id: MOVED_ON for one in made if one.member.case.id not in held},
        }
        _turn_second_key(tx, turn.actor, [one.member.decision.id for one in kept])
        _write(tx, turn.actor, kept)
        announced = [one.member for one in kept]
        news = [Published(one.credential_id, one.case.definition_id) for one in announced]
        announce_issued(tx, turn.institution_id, news)
        queue_mails(tx, [one.letter for one in kept])
        _keep_problems(tx, part, problems)
        end_slice(tx, part, passed_over=len(problems))


def _hold_unchanged(tx: Transaction, seen: Sequence[Case]) -> frozenset[UUID]:
    """Those of the cases that are as they were seen, held against all others."""
    versions = {case.id: case.version for case in seen}
    rows = tx.session.exec(
        select(Case.id, Case.version)
        .where(among(col(Case.id), list(versions)), Case.state == CaseState.DECIDED.value)
        .order_by(col(Case.id))
        .with_for_update()
    ).all()
    return frozenset(one for one, version in rows if version == versions[one])


def _turn_second_key(tx: Transaction, actor: Actor, decision_ids: Sequence[UUID]) -> None:
    tx.session.execute(
        update(Decision)
        .where(among(col(Decision.id), decision_ids))
        .values(released_by=actor.account_id, released_at=tx.now)
        .execution_options(synchronize_session=False)
    )


def _write(tx: Transaction, actor: Actor, made: Sequence[Made]) -> None:
    """The published credentials, and their cases released and closed; with the events of it all."""
    at = {"signed_at": tx.now, "published_at": tx.now}
    write_rows(tx, Credential, [{**one.row, **at} for one in made])
    published = [
        Fact(
            ("credential", one.member.credential_id),
            CaseId(one.member.case.id),
            {"sha256": one.row["document_sha256"]},
        )
        for one in made
    ]
    who = Who(Role.REGISTRAR, actor.account_id, actor.name)
    steps = [Step("release_case", who, {"credential": True}), Step("close_case", SYSTEM)]
    moved = move_many(tx, [one.member.case for one in made], steps)
    publishing = Act(SYSTEM, "publish_credential", published)
    record_acts(tx, [*moved[:1], publishing, *moved[1:]])


def _keep_problems(tx: Transaction, part: BatchSlice, problems: Problems) -> None:
    for case_id, why in problems.items():
        tx.session.execute(
            update(BatchMember)
            .where(col(BatchMember.batch_id) == part.batch_id, col(BatchMember.case_id) == case_id)
            .values(problem=why)
        )


@command
def _nothing_to_do(db: Database, outbox_id: OutboxId) -> None:
    """It is done, or the batch was stopped: going on with it promises the slice anew."""
    with db.transaction() as tx:
        receive(tx, outbox_id)
