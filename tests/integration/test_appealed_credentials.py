"""What becomes of what was issued when its decision is appealed: suspended, corrected, or kept."""

from uuid import UUID

import pytest
from sqlmodel import col, select

from credentials.documents import load_json
from storage.errors import Conflict
from storage.ids import CredentialId, DecisionId, OutboxId
from storage.tables import Account, BatchMember, Credential, Event
from storage.vocabulary import AppealResult, CaseState, CredentialState, Role
from tests.fixtures.appealed import Appealed
from tests.fixtures.issued import ISSUER, run_corrections, run_promised
from tests.fixtures.recall import Recall
from tests.fixtures.world import SITE, World
from workflows.decisions.results import result_for_learner
from workflows.invariants import broken
from workflows.issuance.batches import begin_releases
from workflows.issuance.claims import read_frozen
from workflows.issuance.commands import change_credential, issue_credential
from workflows.issuance.record import record_of
from workflows.issuance.releasing import release_slice
from workflows.issuance.rules import Reason
from workflows.work import Work


class Stated(Appealed):
    """The same with its statement of partial recognition issued."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.issue()

    def issue(self) -> int:
        """Run the promised issuing."""
        return run_promised(
            self.world,
            Work.ISSUE_CREDENTIAL,
            lambda subject, outbox_id: issue_credential(
                self.db, ISSUER, DecisionId(subject), outbox_id
            ),
        )

    def issued(self) -> list[Credential]:
        """What was issued for the case, the first first."""
        with self.db.reading() as tx:
            return list(
                tx.session.exec(
                    select(Credential)
                    .where(Credential.case_id == self.case_id)
                    .order_by(col(Credential.created_at), col(Credential.id))
                ).all()
            )

    def suspend(self, credential: Credential) -> None:
        """Suspend it because of the appeal."""
        change_credential(
            self.db,
            SITE,
            self.registrar,
            CredentialId(credential.id),
            act="suspend_credential",
            reason=Reason.APPEAL,
        )


@pytest.fixture
def panel(recall: Recall) -> Stated:
    return recall(Stated)


def whole(panel: Stated) -> None:
    with panel.db.reading() as tx:
        assert list(broken(tx)) == []


def release_by_batch(panel: Stated) -> list[str]:
    """Release the case as one of a batch; returns what stands as its problem."""
    batch_id = begin_releases(panel.db, ISSUER, panel.registrar, [panel.case_id])
    return run_batch(panel, batch_id)


def run_batch(panel: Stated, batch_id: UUID) -> list[str]:
    run_promised(
        panel.world,
        Work.RELEASE_SLICE,
        lambda subject, outbox_id: release_slice(panel.db, ISSUER, subject, OutboxId(outbox_id)),
    )
    with panel.db.reading() as tx:
        rows = tx.session.exec(
            select(BatchMember.problem).where(BatchMember.batch_id == batch_id)
        ).all()
    return list(rows)


def test_an_appeal_that_succeeds_corrects_the_statement_into_the_credential(
    panel: Stated,
) -> None:
    (statement,) = panel.issued()
    assert (statement.whole, statement.state) == (False, CredentialState.PUBLISHED)
    with panel.db.transaction() as tx:
        tx.session.get_one(Account, panel.learner.account_id).name = "Another Name"
    panel.reassess()
    panel.suspend(statement)
    panel.assessed_anew()
    panel.decide()
    assert release_by_batch(panel) == [""]
    assert panel.state() is CaseState.CLOSED
    assert panel.issue() == 0, "nothing is issued beside the correction"
    assert run_corrections(panel.world) == 1
    old, new = panel.issued()
    assert (old.state, new.state) == (CredentialState.REVOKED, CredentialState.PUBLISHED)
    assert (old.public_reason, new.replaces_id, new.whole) == (Reason.REPLACED, old.id, True)
    assert (new.decision_id, old.decision_id) == (panel.case().decision_id, panel.first_decision)
    assert [read_frozen(one.claims).learner for one in (old, new)] == [panel.learner.name] * 2
    with panel.db.reading() as tx:
        first, second = (record_of(tx, CredentialId(one.id)) for one in (old, new))
    assert (first.replacement, second.replaces) == (second.id, first.id)
    assert str(old.id) in (new.document or ""), "the new document names the earlier one"
    with panel.db.reading() as tx:
        result = result_for_learner(tx, panel.case_id)
    assert result is not None and (result.credential_id, result.statement_id) == (new.id, None)
    whole(panel)


def test_confirmed_the_suspension_ends_with_the_appeal(panel: Stated) -> None:
    (statement,) = panel.issued()
    with pytest.raises(Conflict, match="not under appeal"):
        panel.suspend(statement)
    panel.appeal()
    panel.receive()
    panel.suspend(statement)
    assert panel.issued()[0].state == CredentialState.SUSPENDED
    panel.answer(AppealResult.CONFIRMED)
    (statement,) = panel.issued()
    assert (statement.state, statement.public_reason) == (CredentialState.PUBLISHED, "")
    whole(panel)


def test_a_new_decision_that_says_the_same_issues_nothing(panel: Stated) -> None:
    panel.reassess()
    (statement,) = panel.issued()
    panel.suspend(statement)
    panel.allocate(panel.fourth, panel.fifth)
    low = {panel.codes[0]: 1}
    panel.score(panel.fourth, low)
    panel.score(panel.fifth, low)
    panel.settle()
    panel.decider = panel.reviewer
    panel.decide()
    panel.release()
    assert (panel.issue(), run_corrections(panel.world)) == (0, 0)
    (kept,) = panel.issued()
    assert (kept.id, kept.state) == (statement.id, CredentialState.PUBLISHED)
    assert panel.state() is CaseState.CLOSED
    whole(panel)


def test_levels_that_an_appeal_would_have_lowered_stand_as_they_were(panel: Stated) -> None:
    before = levels(panel.issued()[0])
    panel.reassess()
    panel.allocate(panel.fourth, panel.fifth)
    better = {panel.codes[0]: 3}
    panel.score(panel.fourth, better, default=1)
    panel.score(panel.fifth, better, default=1)
    panel.settle()
    panel.decider = panel.reviewer
    panel.decide()
    panel.release()
    assert run_corrections(panel.world) == 1
    after = levels(panel.issued()[-1])
    assert before and {code: after[code] for code in before} == before
    assert set(after) > set(before)


def test_a_case_that_is_appealed_meanwhile_is_passed_over_by_a_batch_and_named(
    panel: Stated,
) -> None:
    panel.reassess()
    panel.assessed_anew(default=1)
    panel.decide()
    batch_id = begin_releases(panel.db, ISSUER, panel.registrar, [panel.case_id])
    panel.registrar = panel.world.person(Role.REGISTRAR)
    panel.release()
    panel.appeal()
    (problem,) = run_batch(panel, batch_id)
    assert problem.startswith("The learner has appealed")
    assert panel.state() is CaseState.APPEAL
    with panel.db.reading() as tx:
        released = tx.session.exec(select(Event).where(Event.kind == "release_case")).all()
    assert len(released) == 2, "each decision was released once"


def levels(credential: Credential) -> dict[str, str]:
    """The level of each criterion that the document says was reached."""
    claims = load_json((credential.document or "").encode())
    subject = claims["credentialSubject"]
    assert isinstance(subject, dict)
    results = subject["result"]
    assert isinstance(results, list)
    return {
        str(one["resultDescription"]).rpartition("#")[2]: str(one["achievedLevel"]).rpartition("#")[
            2
        ]
        for one in results
        if isinstance(one, dict)
    }
