"""From a released decision to a published credential: once, whole, and verifiable by a stranger."""

import json
import multiprocessing
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import cast
from uuid import UUID

import pytest
from jsonschema import Draft201909Validator
from sqlmodel import col, select

from credentials.dates import write_instant
from credentials.digests import sha256_from_multibase
from credentials.documents import JsonObject, load_json
from credentials.errors import CannotFetch
from credentials.keys import open_private, public_multibase
from credentials.verify import Finding, Outcome, verify
from storage.database import Database
from storage.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from storage.events import SYSTEM
from storage.ids import CredentialId, DecisionId, OutboxId, OutcomeCode, new_id, sha256_of
from storage.outbox import AlreadyDone
from storage.tables import (
    Attestation,
    Credential,
    Decision,
    EvidenceItem,
    IssuerKey,
    Mail,
    OutboxRow,
    StatusEntry,
    StatusList,
)
from storage.vocabulary import CaseState, CredentialState, Disclosure, StatusPurpose, VoiceState
from tests.fixtures.issued import ISSUER, Issued, nothing, sign_lists
from tests.fixtures.panel import Panel
from tests.fixtures.recall import Recall
from tests.fixtures.shared import SHARED, needs_shared
from tests.fixtures.world import SITE, World
from workflows.access.rules import Actor
from workflows.attestations.document import (
    KeptIdentity,
    KeptRating,
    KeptStatement,
    statement_body,
)
from workflows.attestations.rules import Frequency, Relation
from workflows.issuance.commands import (
    change_credential,
    choose_disclosure,
    freeze_claims,
    issue_credential,
    sign_credential,
)
from workflows.issuance.keys import Issuer, ensure_issuer_key, rotate_key, signing_key
from workflows.issuance.published import (
    local_fetcher,
    own_documents,
    published_list,
    verify_own,
)
from workflows.issuance.queries import (
    CredentialView,
    credentials_of,
    my_credentials,
    public_credential,
    public_item,
)
from workflows.issuance.rules import REASONS, Reason
from workflows.issuance.status import (
    allocate,
    allocate_many,
    place_of,
    renew_lists,
    set_status,
    sign_status_list,
)
from workflows.work import Work

WHY = {
    "suspend_credential": Reason.REVIEW,
    "unsuspend_credential": "",
    "revoke_credential": Reason.NOT_SUPPORTED,
}


def view(issued: Issued) -> CredentialView:
    with issued.db.reading() as tx:
        return public_credential(tx, SITE, issued.credential_id)


def verdict(issued: Issued) -> Outcome:
    return verify_own(issued.db, SITE, view(issued), nothing).outcome


def promised(world: World, work: Work) -> OutboxRow:
    with world.db.reading() as tx:
        return tx.session.exec(select(OutboxRow).where(OutboxRow.kind == work.value)).one()


@pytest.fixture
def issued(recall: Recall) -> Issued:
    return recall(Issued)


class TestIssuing:
    def test_a_released_decision_becomes_a_published_credential_and_closes_its_case(
        self, issued: Issued
    ) -> None:
        row = issued.row()
        assert row.state == CredentialState.PUBLISHED
        assert row.document_sha256 == sha256_of(cast(str, row.document).encode())
        assert issued.panel.state() is CaseState.CLOSED

    def test_a_stranger_finds_it_valid(self, issued: Issued) -> None:
        assert verdict(issued) is Outcome.VALID

    def test_it_names_every_recognised_item_with_the_digest_of_its_file(
        self, issued: Issued
    ) -> None:
        with issued.db.reading() as tx:
            digests = set(tx.session.exec(select(EvidenceItem.sha256)).all())
        evidence = cast(list[JsonObject], issued.document()["evidence"])
        told = {sha256_from_multibase(cast(str, item["digestMultibase"])) for item in evidence}
        assert told == digests
        assert all(item["narrative"] == "I did all of it." for item in evidence)

    def test_evidence_addresses_are_random_and_say_nothing_of_the_item(
        self, issued: Issued
    ) -> None:
        items = view(issued).items
        slugs = {item.slug for item in items}
        assert len(slugs) == len(items)
        assert all(len(slug) == 22 for slug in slugs)
        assert not any(str(item.item_id) in item.url for item in items)

    def test_agreed_levels_become_results_on_the_rubric(self, world: World) -> None:
        code = world.definition.criteria()[0].code
        issued = Issued(world, {code: 4})
        rows = {
            reached.criterion.code: reached.level
            for outcome in view(issued).outcomes
            for reached in outcome.rows
        }
        assert rows[code] == 4
        assert set(rows.values()) == {3, 4}

    def test_the_learner_is_told_once(self, issued: Issued) -> None:
        with issued.db.reading() as tx:
            told = tx.session.exec(
                select(Mail).where(col(Mail.subject).startswith("Your credential is here"))
            ).all()
        assert [mail.recipient for mail in told] == [issued.learner.email]
        assert SITE.credential(issued.credential_id) in told[0].body

    def test_the_learners_address_is_told_only_as_a_salted_hash(self, issued: Issued) -> None:
        assert issued.learner.email not in cast(str, issued.row().document)
        subject = cast(JsonObject, issued.document()["credentialSubject"])
        kinds = [one["identityType"] for one in cast(list[JsonObject], subject["identifier"])]
        assert kinds == ["name", "emailAddress"]

    def test_running_the_job_again_changes_nothing(self, issued: Issued) -> None:
        before = issued.row()
        outbox_id = OutboxId(promised(issued.world, Work.ISSUE_CREDENTIAL).id)
        with pytest.raises(AlreadyDone):
            issue_credential(issued.db, ISSUER, issued.decision_id, outbox_id)
        assert issued.row() == before

    def test_what_was_frozen_signs_to_the_same_bytes_at_any_later_time(
        self, issued: Issued
    ) -> None:
        first = issued.row().document
        issued.world.clock.advance(timedelta(days=40))
        rotate_key(issued.db, ISSUER, SYSTEM, issued.world.institution_id)
        with issued.db.transaction() as tx:
            row = tx.session.get_one(Credential, issued.credential_id)
            tx.session.delete(row)
            tx.session.flush()
            again = Credential(
                **{
                    **row.model_dump(),
                    "state": CredentialState.PENDING.value,
                    "document": None,
                    "document_sha256": None,
                }
            )
            tx.session.expunge_all()
            tx.session.add(again)
        sign_credential(issued.db, ISSUER, issued.credential_id)
        assert issued.row().document == first

    def test_two_workers_at_once_make_one_credential(self, world: World) -> None:
        panel = Panel(world)
        panel.scored()
        decision_id = panel.decide()
        panel.release()
        outbox_id = OutboxId(promised(world, Work.ISSUE_CREDENTIAL).id)

        def work(_: int) -> str:
            try:
                issue_credential(world.db, ISSUER, decision_id, outbox_id)
            except AlreadyDone:
                return "found it done"
            return "did it"

        with ThreadPoolExecutor(3) as pool:
            assert sorted(pool.map(work, range(3))) == ["did it", "found it done", "found it done"]
        with world.db.reading() as tx:
            assert len(tx.session.exec(select(Credential)).all()) == 1
            told = tx.session.exec(
                select(Mail).where(col(Mail.subject).startswith("Your credential is here"))
            ).all()
        assert len(told) == 1

    def test_nothing_is_issued_from_a_decision_that_is_not_in_force(self, world: World) -> None:
        panel = Panel(world)
        panel.scored()
        decision_id = panel.decide()
        ensure_issuer_key(world.db, ISSUER, world.institution_id)
        with pytest.raises(Conflict):
            freeze_claims(world.db, SITE, decision_id)
        panel.release()
        with world.db.transaction() as tx:
            tx.session.get_one(Decision, decision_id).replaced_at = tx.now
        with pytest.raises(Conflict):
            freeze_claims(world.db, SITE, decision_id)

    def test_there_is_nothing_to_issue_for_a_decision_that_is_not_there(self, world: World) -> None:
        with pytest.raises(NotFound):
            issue_credential(world.db, ISSUER, DecisionId(new_id()), OutboxId(new_id()))
        with pytest.raises(NotFound):
            freeze_claims(world.db, SITE, DecisionId(new_id()))

    def test_before_it_is_published_it_has_no_page(self, world: World) -> None:
        panel = Panel(world)
        panel.scored()
        decision_id = panel.decide()
        panel.release()
        ensure_issuer_key(world.db, ISSUER, world.institution_id)
        credential_id = freeze_claims(world.db, SITE, decision_id)
        sign_credential(world.db, ISSUER, credential_id)
        with world.db.reading() as tx, pytest.raises(NotFound):
            public_credential(tx, SITE, credential_id)
        with world.db.reading() as tx, pytest.raises(NotFound):
            public_credential(tx, SITE, CredentialId(new_id()))

    @needs_shared
    def test_it_has_the_form_that_its_own_json_schema_asks_for(self, issued: Issued) -> None:
        name = "ob_v3p0_achievementcredential_schema.json"
        schema = json.loads((SHARED / "data/schemas" / name).read_bytes())
        found = list(Draft201909Validator(schema).iter_errors(issued.document()))
        assert [error.message for error in found] == []


class TestCrashes:
    """The process ends in the middle, as in a power cut, and the job is run again."""

    @pytest.mark.parametrize(
        "point",
        [
            "issue.frozen",
            "issue.before_store",
            "issue.signed",
            "status.signed",
            "issue.listed",
            "job.before_commit",
            "job.after_commit",
        ],
    )
    def test_a_crash_anywhere_leaves_one_credential_with_the_same_bytes(
        self, world: World, point: str
    ) -> None:
        panel = Panel(world)
        panel.scored()
        decision_id = panel.decide()
        panel.release()
        outbox_id = OutboxId(promised(world, Work.ISSUE_CREDENTIAL).id)
        assert issue_elsewhere(world.db, decision_id, outbox_id, point) == 137
        before = documents(world.db)
        with suppress(AlreadyDone):
            issue_credential(world.db, ISSUER, decision_id, outbox_id)
        after = documents(world.db)
        assert len(after) == 1
        assert before in ([], [None], after)
        with world.db.reading() as tx:
            row = tx.session.exec(select(Credential)).one()
            places = tx.session.exec(select(StatusEntry)).all()
            found = public_credential(tx, SITE, CredentialId(row.id))
        assert row.state == CredentialState.PUBLISHED
        assert len(places) == 2
        assert verify_own(world.db, SITE, found, nothing).outcome is Outcome.VALID


def documents(db: Database) -> list[str | None]:
    with db.reading() as tx:
        return list(tx.session.exec(select(Credential.document)).all())


def issue_elsewhere(db: Database, decision_id: DecisionId, outbox_id: OutboxId, at: str) -> int:
    """Issue in a process of its own that ends at a point; returns what it ended with."""

    def run() -> None:
        os.environ.update(ASSAY_ENV="test", ASSAY_CRASH_AT=at)
        db.forget_connections()
        issue_credential(db, ISSUER, decision_id, outbox_id)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(60)
    return process.exitcode or 0


class TestStatus:
    def test_a_revoked_credential_says_so_to_strangers_after_its_list_is_signed(
        self, issued: Issued
    ) -> None:
        change(issued, "revoke_credential")
        assert sign_lists(issued.world) > 0
        assert verdict(issued) is Outcome.NOT_VALID
        shown = view(issued)
        assert (shown.state, shown.public_reason) == (
            CredentialState.REVOKED,
            REASONS[Reason.NOT_SUPPORTED],
        )

    def test_strangers_can_tell_a_suspension_from_a_revocation(self, issued: Issued) -> None:
        assert status_checks(issued) == {"status.revocation": Finding.PASSED}
        change(issued, "suspend_credential")
        sign_lists(issued.world)
        assert status_checks(issued) == {"status.suspension": Finding.FAILED}
        change(issued, "revoke_credential")
        sign_lists(issued.world)
        assert status_checks(issued) == {"status.revocation": Finding.FAILED}

    def test_a_suspension_list_that_cannot_be_had_leaves_it_revoked(self, issued: Issued) -> None:
        change(issued, "suspend_credential")
        sign_lists(issued.world)
        ours = local_fetcher(issued.db, SITE, nothing)
        entry = cast(JsonObject, issued.document()["credentialStatus"])

        def fetch(url: str, /) -> bytes:
            return nothing(url) if url == entry["statusReference"] else ours(url)

        now = issued.world.clock.now()
        found = verify(view(issued).document, fetch=fetch, now=now)
        assert [check.outcome for check in found.of("status.revocation")] == [Finding.FAILED]

    def test_a_suspended_credential_comes_back(self, issued: Issued) -> None:
        change(issued, "suspend_credential")
        sign_lists(issued.world)
        assert verdict(issued) is Outcome.NOT_VALID
        assert view(issued).status_at is not None
        change(issued, "unsuspend_credential")
        sign_lists(issued.world)
        assert verdict(issued) is Outcome.VALID
        assert view(issued).public_reason == ""

    def test_the_suspension_list_tells_a_suspension_from_a_revocation(self, issued: Issued) -> None:
        change(issued, "suspend_credential")
        assert bits(issued) == {"revocation": True, "suspension": True}
        change(issued, "revoke_credential")
        assert bits(issued) == {"revocation": True, "suspension": False}

    def test_a_revoked_credential_stays_revoked(self, issued: Issued) -> None:
        change(issued, "revoke_credential")
        for act in ("unsuspend_credential", "suspend_credential", "revoke_credential"):
            with pytest.raises(Conflict):
                change(issued, act)

    def test_only_the_registrar_changes_it_and_only_with_a_reason(self, issued: Issued) -> None:
        for actor, error in ((issued.learner, Forbidden), (issued.panel.decider, Forbidden)):
            with pytest.raises(error):
                change_credential(
                    issued.db,
                    SITE,
                    actor,
                    issued.credential_id,
                    act="revoke_credential",
                    reason=Reason.NOT_SUPPORTED,
                )
        for reason in ("", "no", Reason.REVIEW, Reason.REPLACED):
            with pytest.raises(InvalidInput):
                change_credential(
                    issued.db,
                    SITE,
                    issued.registrar,
                    issued.credential_id,
                    act="revoke_credential",
                    reason=reason,
                )
        with pytest.raises(NotFound):
            change_credential(
                issued.db,
                SITE,
                issued.registrar,
                CredentialId(new_id()),
                act="revoke_credential",
                reason=Reason.NOT_SUPPORTED,
            )

    def test_the_learner_is_told_of_every_change_with_the_reason(self, issued: Issued) -> None:
        change(issued, "suspend_credential")
        with issued.db.reading() as tx:
            mail = tx.session.exec(
                select(Mail).where(col(Mail.subject).contains("suspended"))
            ).one()
        assert REASONS[Reason.REVIEW] in " ".join(mail.body.split())

    def test_an_older_list_never_replaces_a_newer_one(self, issued: Issued) -> None:
        change(issued, "suspend_credential")
        with issued.db.reading() as tx:
            status_list = tx.session.exec(
                select(StatusList).where(StatusList.purpose == "revocation")
            ).one()
        sign_lists(issued.world)
        with issued.db.transaction() as tx:
            tx.session.get_one(StatusList, status_list.id).signed_version = 99
        newest = list_document(issued.db, status_list.id)
        sign_status_list(issued.db, ISSUER, status_list.id)
        assert list_document(issued.db, status_list.id) == newest

    def test_turning_a_bit_to_what_it_is_promises_nothing(self, issued: Issued) -> None:
        sign_lists(issued.world)
        with issued.db.transaction() as tx:
            set_status(tx, issued.credential_id, StatusPurpose.REVOCATION, False)
        assert sign_lists(issued.world) == 0

    def test_what_has_no_place_cannot_be_turned(self, issued: Issued) -> None:
        with issued.db.transaction() as tx, pytest.raises(NotFound):
            set_status(tx, new_id(), StatusPurpose.REVOCATION, True)
        with pytest.raises(NotFound):
            sign_status_list(issued.db, ISSUER, new_id())
        with issued.db.reading() as tx:
            assert place_of(tx, new_id()) is None
            with pytest.raises(NotFound):
                published_list(tx, new_id())

    def test_a_list_is_filled_to_its_last_place_and_followed_by_a_new_one(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("workflows.issuance.status.LENGTH", 4)
        monkeypatch.setattr("workflows.issuance.status.CROWDED", 2)
        subjects = [new_id() for _ in range(9)]
        with world.db.transaction() as tx:
            given = allocate_many(tx, world.institution_id, subjects)
        assert set(given) == set(subjects)
        assert sorted(Counter(place.lists for place in given.values()).values()) == [1, 4, 4]
        assert len({(place.lists, place.index) for place in given.values()}) == len(subjects)

    def test_a_list_holds_for_a_week_and_is_signed_anew_every_day(self, issued: Issued) -> None:
        sign_lists(issued.world)
        assert renew_lists(issued.db) == 0
        issued.world.clock.advance(timedelta(days=1, seconds=1))
        assert (renew_lists(issued.db), renew_lists(issued.db)) == (2, 2)
        assert sign_lists(issued.world) == 2
        with issued.db.reading() as tx:
            rows = tx.session.exec(select(StatusList)).all()
        now = issued.world.clock.now()
        for row in rows:
            document = load_json(cast(str, row.document).encode())
            assert (row.signed_at, row.valid_until) == (now, now + timedelta(days=7))
            assert document["validUntil"] == write_instant(now + timedelta(days=7))
            assert cast(JsonObject, document["credentialSubject"])["ttl"] == 60_000

    def test_a_list_whose_signing_was_given_up_is_signed_the_next_day(self, issued: Issued) -> None:
        sign_lists(issued.world)
        with issued.db.transaction() as tx:
            set_status(tx, issued.credential_id, StatusPurpose.REVOCATION, True)
        with issued.db.transaction() as tx:
            for row in tx.session.exec(
                select(OutboxRow).where(
                    OutboxRow.kind == Work.SIGN_STATUS_LIST.value, col(OutboxRow.done_at).is_(None)
                )
            ):
                row.dead_at = tx.now
        issued.world.clock.advance(timedelta(days=1, seconds=1))
        renew_lists(issued.db)
        with issued.db.reading() as tx:
            turned = tx.session.exec(
                select(StatusList.id).where(StatusList.signed_version < StatusList.version)
            ).one()
            alive = tx.session.exec(
                select(OutboxRow.subject_id).where(
                    OutboxRow.kind == Work.SIGN_STATUS_LIST.value,
                    col(OutboxRow.done_at).is_(None),
                    col(OutboxRow.dead_at).is_(None),
                )
            ).all()
        assert turned in alive

    def test_a_place_that_is_taken_is_not_given_twice(
        self, issued: Issued, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with issued.db.reading() as tx:
            taken = place_of(tx, issued.credential_id)
        assert taken is not None
        free = (taken.index + 1) % 131072
        draws = iter([taken.index, taken.index, free])
        monkeypatch.setattr("workflows.issuance.status._drawn", lambda _: [next(draws)])
        with issued.db.transaction() as tx:
            assert allocate(tx, issued.world.institution_id, new_id()).index == free

    def test_a_place_free_in_one_list_only_is_given_back(
        self, issued: Issued, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with issued.db.transaction() as tx:
            place = place_of(tx, issued.credential_id)
            assert place is not None
            half = tx.session.get_one(StatusEntry, (place.lists[0][1], place.index))
            tx.session.delete(half)
        draws = iter([place.index, (place.index + 1) % 131072])
        monkeypatch.setattr("workflows.issuance.status._drawn", lambda _: [next(draws)])
        with issued.db.transaction() as tx:
            assert allocate(tx, issued.world.institution_id, new_id()).index != place.index
            assert tx.session.get(StatusEntry, (place.lists[0][1], place.index)) is None


def change(issued: Issued, act: str, actor: Actor | None = None) -> None:
    registrar = actor or issued.registrar
    change_credential(issued.db, SITE, registrar, issued.credential_id, act=act, reason=WHY[act])


def status_checks(issued: Issued) -> dict[str, Finding]:
    found = verify_own(issued.db, SITE, view(issued), nothing)
    return {check.code: check.outcome for check in found.checks if check.code.startswith("status")}


def bits(issued: Issued) -> dict[str, bool]:
    with issued.db.reading() as tx:
        place = place_of(tx, issued.credential_id)
        assert place is not None
        lists = [tx.session.get_one(StatusList, list_id) for _, list_id in place.lists]
    return {
        one.purpose: bool(one.bits[place.index // 8] & (0x80 >> place.index % 8)) for one in lists
    }


def list_document(db: Database, list_id: UUID) -> bytes:
    with db.reading() as tx:
        return published_list(tx, list_id)


class TestKeys:
    def test_a_credential_signed_before_the_key_was_rotated_stays_valid(
        self, issued: Issued
    ) -> None:
        rotate_key(issued.db, ISSUER, SYSTEM, issued.world.institution_id, why="Yearly.")
        change(issued, "suspend_credential")
        change(issued, "unsuspend_credential")
        sign_lists(issued.world)
        assert verdict(issued) is Outcome.VALID
        with issued.db.reading() as tx:
            published = own_documents(tx, SITE, SITE.did_document())
            keys = tx.session.exec(select(IssuerKey)).all()
        assert published is not None
        document = json.loads(published)
        assert len(document["assertionMethod"]) == 2
        assert sorted(key.fragment for key in keys) == ["key-1", "key-2"]
        assert sum(key.retired_at is None for key in keys) == 1

    def test_keys_are_sealed_for_rest_and_open_only_with_the_secret(self, issued: Issued) -> None:
        with issued.db.reading() as tx:
            key = tx.session.exec(select(IssuerKey)).one()
            private = open_private(key.sealed_seed.decode(), ISSUER.key_secret, str(key.id))
            assert public_multibase(private) == key.public_multibase
            with pytest.raises(Unavailable, match="cannot be opened"):
                signing_key(tx, Issuer(SITE, "another secret altogether"), key.id)
            with pytest.raises(NotFound):
                signing_key(tx, ISSUER, new_id())

    def test_making_sure_of_a_key_makes_one_however_often(self, world: World) -> None:
        with ThreadPoolExecutor(4) as pool:
            made = list(
                pool.map(
                    lambda _: ensure_issuer_key(world.db, ISSUER, world.institution_id), range(4)
                )
            )
        assert len(set(made)) == 1

    def test_an_institution_without_a_key_publishes_none(self, world: World) -> None:
        fetch = local_fetcher(world.db, SITE, nothing)
        with pytest.raises(CannotFetch):
            fetch(SITE.did_document())


class TestReading:
    def test_our_own_addresses_are_answered_and_others_are_asked_elsewhere(
        self, issued: Issued
    ) -> None:
        fetch = local_fetcher(issued.db, SITE, lambda url: b"elsewhere")
        assert fetch("https://other.example/x") == b"elsewhere"
        assert fetch(SITE.credential(issued.credential_id)) == view(issued).document
        for ours in ("/", "/nothing", f"/credentials/{new_id()}", "/status/no-id"):
            with pytest.raises(CannotFetch):
                fetch(SITE.url + ours)

    def test_the_bytes_verify_from_nothing_but_what_the_site_publishes(
        self, issued: Issued
    ) -> None:
        fetch = local_fetcher(issued.db, SITE, nothing)
        now = issued.world.clock.now()
        document = view(issued).document
        assert verify(document, fetch=fetch, now=now).outcome is Outcome.VALID
        changed = document.replace(b"Video of the job", b"Video of a job")
        assert verify(changed, fetch=fetch, now=now).outcome is Outcome.NOT_VALID
        assert verify(document, fetch=nothing, now=now).outcome is Outcome.CANNOT_TELL

    def test_lists_tell_whose_credentials_there_are(self, issued: Issued) -> None:
        assert issued.learner.account_id is not None
        with issued.db.reading() as tx:
            mine = my_credentials(tx, issued.learner.account_id)
            all_of_them, more = credentials_of(tx, issued.world.institution_id)
        assert [line.id for line in mine] == [issued.credential_id]
        assert mine == all_of_them
        assert not more

    def test_the_learner_chooses_what_of_an_item_others_may_have(self, issued: Issued) -> None:
        slug = view(issued).items[0].slug
        assert not view(issued).items[0].openable
        disclose(issued, slug, "open_link")
        item = public_item(view(issued), slug)
        assert (item.disclosure, item.openable) == (Disclosure.OPEN_LINK, True)
        with pytest.raises(InvalidInput):
            disclose(issued, slug, "everything")
        with pytest.raises(NotFound):
            disclose(issued, "unknown", "open_link")
        with pytest.raises(NotFound):
            public_item(view(issued), "unknown")

    def test_a_statement_that_was_withdrawn_is_handed_to_nobody_any_more(
        self, issued: Issued
    ) -> None:
        item = view(issued).items[0]
        disclose(issued, item.slug, "open_link")
        kept = KeptStatement(
            id="1",
            case=1001,
            learner="Ana Souza",
            credential="CNC",
            institution="Northbridge College",
            name="Jo Berg",
            role="Foreman",
            organisation="Halden Works",
            relation=Relation.SUPERVISOR,
            frequency=Frequency.DAILY,
            since="2020-01",
            until=None,
            ratings=(KeptRating(outcome=OutcomeCode("A"), statement="", act="", level=3),),
            example_high="",
            example_low="",
            public=True,
            identity=KeptIdentity(mail_confirmed=True, domain="halden.example", free_mail=False),
            given_at=issued.db.clock.now(),
        )
        with issued.db.transaction() as tx:
            given = Attestation(
                id=new_id(),
                case_id=issued.row().case_id,
                state=VoiceState.GIVEN.value,
                supervisor_name="Jo Berg",
                supervisor_email="jo@halden.example",
                outcome_codes=["A"],
                asked_at=tx.now,
                statement=statement_body(kept),
                item_id=item.item_id,
            )
            tx.session.add(given)
        assert view(issued).items[0].openable
        with issued.db.transaction() as tx:
            tx.session.get_one(Attestation, given.id).state = VoiceState.WITHDRAWN.value
        assert not view(issued).items[0].openable

    def test_nobody_else_chooses_for_the_learner(self, issued: Issued) -> None:
        slug = view(issued).items[0].slug
        stranger = issued.world.person()
        for actor, error in ((stranger, NotFound), (issued.registrar, Forbidden)):
            with pytest.raises(error):
                choose_disclosure(
                    issued.db, actor, issued.credential_id, slug=slug, disclosure="open_link"
                )


def disclose(issued: Issued, slug: str, disclosure: str) -> None:
    choose_disclosure(
        issued.db, issued.learner, issued.credential_id, slug=slug, disclosure=disclosure
    )
