"""What must never be, written by raw SQL: the database itself refuses, each by its own guard.

Every CHECK, unique rule and trigger of the tables is tried here; one that is added without a line
in these lists fails the last tests of the module.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import CheckConstraint, Table, UniqueConstraint, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from storage.clock import SetClock
from storage.database import Database
from storage.errors import Conflict
from storage.ids import new_id
from storage.tables import (
    METADATA,
    AccessToken,
    Account,
    ApiStatusList,
    Appeal,
    AppealPoint,
    Batch,
    BatchMember,
    BatchSlice,
    BroughtCredential,
    Caption,
    Case,
    CaseHold,
    ConflictOverride,
    Decision,
    ErasurePlan,
    EvidenceItem,
    IssuerKey,
    MailLink,
    OAuthClient,
    OAuthGrant,
    OAuthToken,
    Preview,
    TimeSpan,
    TokenKey,
    WalletKey,
    WalletNonce,
    WalletOffer,
    WalletTaking,
    WebhookDelivery,
    WebhookEndpoint,
    WebSession,
)
from storage.tables.guards import APPEALED, GUARDS
from storage.vocabulary import (
    AppealGround,
    AppealResult,
    BatchKind,
    CaptionKind,
    EvidenceState,
    LinkPurpose,
    NewsKind,
    OverrideAnswer,
    PreviewKind,
    Role,
    StatusPurpose,
    WalletForm,
    WalletNews,
)
from tests.fixtures.issued import Issued
from tests.fixtures.panel import Panel
from tests.fixtures.story import everything
from tests.fixtures.world import World

Values = Mapping[str, str]

FRESH = "gen_random_uuid()"

# rows that have come so far that one more step would be wrong, and the column that says so
CHECKS: list[tuple[str, str]] = [
    (
        "ck_api_status_list_signed_what_there_is",
        "UPDATE api_status_list SET signed_version = version + 1",
    ),
    ("ck_account_email_lower", "UPDATE account SET email = 'A@B.example' WHERE id = :learner"),
    ("ck_outbox_done_or_dead", "UPDATE outbox SET done_at = now(), dead_at = now()"),
    ("ck_sealed_object_sha256_hex", "UPDATE sealed_object SET sha256 = upper(sha256)"),
    (
        "ck_logo_of_these_bytes",
        "INSERT INTO logo SELECT repeat('0', 64), id, 'png'::bytea, 1, 1, now() FROM institution",
    ),
    (
        "ck_logo_small",
        "INSERT INTO logo SELECT encode(sha256(bytes), 'hex'), id, bytes, 1, 1, now() "
        "FROM institution, (SELECT decode(repeat('00', 204801), 'hex') AS bytes) AS large",
    ),
    ("ck_erased_bytes_sha256_hex", "INSERT INTO erased_bytes VALUES ('ABC', 1, now())"),
    ("ck_organisation_domain_lower", "UPDATE organisation SET domain = 'Works.example'"),
    (
        "ck_plar_case_decided_has_decision",
        "UPDATE plar_case SET state = 'decided', submitted_at = now() WHERE id = :draft",
    ),
    ("ck_plar_case_round_positive", "UPDATE plar_case SET round = 0"),
    (
        "ck_plar_case_submitted_has_time",
        "UPDATE plar_case SET state = 'submitted' WHERE id = :draft",
    ),
    ("ck_agreement_moderated_is_signed", "UPDATE agreement SET rule = 'moderated', why = 'so'"),
    ("ck_agreement_open_has_no_level", "UPDATE agreement SET settled = false"),
    (
        "ck_assignment_cleared_has_declared",
        "UPDATE assignment SET conflict = 'yes' WHERE state = 'cleared'",
    ),
    ("ck_assignment_seat_known", "UPDATE assignment SET seat = 4"),
    (
        "ck_conflict_override_two_keys",
        "UPDATE conflict_override SET answer = 'confirmed', answered_by = proposed_by,"
        " answered_why = 'so', answered_at = now() WHERE answer IS NULL",
    ),
    (
        "ck_conflict_override_has_reason",
        "INSERT INTO conflict_override SELECT gen_random_uuid(), case_id, round, assessor_id,"
        " about, '', proposed_by, proposed_at, answer, answered_by, answered_why, answered_at"
        " FROM conflict_override",
    ),
    (
        "ck_conflict_override_answered_whole",
        "UPDATE conflict_override SET answered_at = now() WHERE answer IS NULL",
    ),
    ("ck_attestation_given_has_statement", "UPDATE attestation SET state = 'given'"),
    (
        "ck_decision_released_by_another",
        "UPDATE decision SET released_by = decider_id WHERE released_by IS NOT NULL",
    ),
    ("ck_decision_released_has_time", "UPDATE decision SET released_at = NULL"),
    ("ck_evidence_item_size_not_negative", "UPDATE evidence_item SET declared_size = -1"),
    ("ck_evidence_item_does_not_replace_itself", "UPDATE evidence_item SET replaces_id = id"),
    ("ck_time_span_start_not_negative", "UPDATE time_span SET start_ms = -1"),
    ("ck_time_span_ends_after_start", "UPDATE time_span SET end_ms = start_ms"),
    ("ck_appeal_answered_has_time", "UPDATE appeal SET answered_at = NULL"),
    ("ck_appeal_received_has_time", "UPDATE appeal SET received_at = now()"),
    (
        "ck_appeal_ended_is_answered",
        "UPDATE appeal SET result = NULL, answered_at = NULL, ended_at = now()",
    ),
    ("ck_credential_signed_has_document", "UPDATE credential SET state = 'signed' WHERE id = :raw"),
    ("ck_credential_does_not_replace_itself", "UPDATE credential SET replaces_id = id"),
    (
        "ck_outcome_decision_recognised_has_level",
        "UPDATE outcome_decision SET level = NULL WHERE result = 'recognised'",
    ),
    ("ck_outcome_decision_unmet_has_no_level", "UPDATE outcome_decision SET result = 'not_yet'"),
    (
        "ck_score_sheet_final_has_time",
        "UPDATE score_sheet SET state = 'final' WHERE id = :open_sheet",
    ),
    ("ck_endorsement_given_has_time", "UPDATE endorsement SET state = 'given'"),
    (
        "ck_score_level_is_decided",
        "INSERT INTO score VALUES (:open_sheet, 'x', false, 3, '', now())",
    ),
    ("ck_webhook_endpoint_off_has_reason", "UPDATE webhook_endpoint SET off_at = now()"),
    ("ck_webhook_endpoint_failing_has_start", "UPDATE webhook_endpoint SET failures = 1"),
    ("ck_webhook_delivery_waits_or_ended", "UPDATE webhook_delivery SET delivered_at = now()"),
    ("ck_wallet_offer_attempts_not_negative", "UPDATE wallet_offer SET attempts = -1"),
    ("ck_wallet_offer_redeemed_has_access", "UPDATE wallet_offer SET redeemed_at = NULL"),
    ("ck_wallet_taking_copies_positive", "UPDATE wallet_taking SET copies = 0"),
]

# what else a second row needs, so that nothing but a wrong word speaks against it
ANSWERED: Values = {"result": "'confirmed'", "answered_at": "now()"}
BESIDE: Mapping[str, Values] = {
    "appeal": ANSWERED,
    "credential": {"document": "'{}'"},
    "webhook_endpoint": {"off_at": "now()"},
}

# a second row like one that is there, but for its own key and the values given here
TWICE: list[tuple[str, str, Values]] = [
    ("uq_account_email", "account", {}),
    ("uq_institution_slug", "institution", {}),
    ("uq_mail_message_id", "mail", {}),
    ("uq_mail_link_token_hash", "mail_link", {}),
    ("uq_outbox_dedupe_key", "outbox", {}),
    ("uq_sealed_object_key", "sealed_object", {"sha256": "repeat('a', 64)"}),
    ("uq_definition_version_institution_id_code_content_hash", "definition_version", {}),
    ("uq_policy_version_institution_id_content_hash", "policy_version", {}),
    ("ix_role_grant_live", "role_grant", {}),
    ("uq_web_session_token_hash", "web_session", {}),
    ("uq_issuer_key_public_multibase", "issuer_key", {}),
    ("ix_token_key_live", "token_key", {}),
    ("uq_plar_case_number", "plar_case", {"state": "'draft'"}),
    ("uq_status_list_institution_id_purpose_number", "status_list", {}),
    ("uq_agreement_case_id_round_criterion_code", "agreement", {}),
    ("ix_assignment_person", "assignment", {"seat": "3"}),
    ("ix_assignment_seat", "assignment", {"assessor_id": ":decider"}),
    (
        "ix_conflict_override_waiting",
        "conflict_override",
        {"answer": "NULL", "answered_by": "NULL", "answered_why": "''", "answered_at": "NULL"},
    ),
    (
        "ix_decision_live",
        "decision",
        {"decider_id": ":registrar", "released_by": "NULL", "released_at": "NULL"},
    ),
    ("ix_appeal_once", "appeal", {**ANSWERED, "ended_at": "now()"}),
    ("ix_appeal_running", "appeal", {**ANSWERED, "result": "'taken_back'"}),
    ("uq_manifest_case_id_round", "manifest", {}),
    ("uq_status_entry_list_id_subject_id", "status_entry", {"position": "position + 1"}),
    ("ix_credential_first", "credential", {"replaces_id": "NULL"}),
    ("uq_credential_replaces_id", "credential", {"replaces_id": ":issued"}),
    ("uq_endorsement_replaces_id", "endorsement", {"replaces_id": ":endorsed"}),
    ("uq_batch_slice_batch_id_number", "batch_slice", {}),
    ("uq_batch_member_credential_id", "batch_member", {"case_id": ":draft"}),
    ("uq_score_sheet_assignment_id", "score_sheet", {"state": "'superseded'"}),
    ("uq_upload_key", "upload", {"completed_at": "now()"}),
    ("ix_upload_live", "upload", {"key": "'another'"}),
    ("uq_access_token_token_hash", "access_token", {}),
    ("uq_oauth_grant_code_hash", "oauth_grant", {}),
    ("uq_oauth_token_token_hash", "oauth_token", {}),
    ("uq_brought_credential_account_id_same_as", "brought_credential", {}),
    ("uq_preview_key", "preview", {"number": "number + 1"}),
    ("uq_preview_sha256_kind_number", "preview", {"key": "'another'"}),
    ("ix_erasure_plan_live", "erasure_plan", {}),
    ("ix_case_hold_live", "case_hold", {}),
    ("uq_webhook_delivery_endpoint_id_news_id", "webhook_delivery", {}),
    ("ix_wallet_key_live", "wallet_key", {}),
    (
        "uq_wallet_offer_reference_hash",
        "wallet_offer",
        {"code_hash": "'other'", "access_hash": "'other'"},
    ),
    (
        "uq_wallet_offer_code_hash",
        "wallet_offer",
        {"reference_hash": "'other'", "access_hash": "'other'"},
    ),
    (
        "uq_wallet_offer_access_hash",
        "wallet_offer",
        {"code_hash": "'other'", "reference_hash": "'other'"},
    ),
    ("uq_wallet_taking_notification_hash", "wallet_taking", {}),
]
# two sheets of one assessor cannot be copied into being: the second needs a place of its own
OPEN_SHEETS = "ix_score_sheet_open"
# what is sealed is frozen, so an item without a digest is tried as a second row
SEALED = "ck_evidence_item_sealed_has_digest"

TRIGGERS: list[tuple[str, str, str]] = [
    ("event_append_only", "append-only", "UPDATE event SET why = 'another'"),
    ("event_append_only", "append-only", "DELETE FROM event"),
    ("event_never_emptied", "append-only", "TRUNCATE event"),
    ("manifest_frozen", "does not change", "UPDATE manifest SET signed_name = 'Another'"),
    ("definition_frozen", "does not change", "UPDATE definition_version SET body = '{}'"),
    ("definition_frozen", "does not change", "UPDATE definition_version SET code = 'X'"),
    ("policy_frozen", "does not change", "UPDATE policy_version SET content_hash = ''"),
    ("seal_frozen", "does not change", "UPDATE evidence_item SET size = size + 1"),
    ("decision_by_another", "does not decide", "UPDATE decision SET decider_id = :assessor"),
    ("decision_by_another", "does not decide", "UPDATE decision SET decider_id = :learner"),
    ("sheet_by_another", "does not score", "UPDATE score_sheet SET assessor_id = :learner"),
    ("sheet_by_another", "does not score", "UPDATE score_sheet SET assessor_id = :decider"),
    (
        "sheet_after_clearance",
        "declared and was cleared",
        "INSERT INTO score_sheet SELECT gen_random_uuid(), case_id, assignment_id, assessor_id,"
        " round + 1, seat, definition_hash, state, version, opened_at, finalised_at"
        " FROM score_sheet",
    ),
    (
        "clearance_with_two_keys",
        "by two people",
        "UPDATE assignment SET override_id ="
        " (SELECT id FROM conflict_override WHERE answer IS NULL)",
    ),
    (
        "override_answered_once",
        "answered once",
        "UPDATE conflict_override SET answered_why = 'another' WHERE answer IS NOT NULL",
    ),
    ("sheet_stays_final", "not opened again", "UPDATE score_sheet SET state = 'open'"),
    ("sheet_stays_final", "keeps its rubric", "UPDATE score_sheet SET definition_hash = 'x'"),
    ("score_while_open", "while their sheet is open", "UPDATE score SET level = 4"),
    ("score_while_open", "while their sheet is open", "DELETE FROM score"),
    (
        "score_while_open",
        "while their sheet is open",
        "INSERT INTO score SELECT sheet_id, 'x', decided, level, reason, scored_at FROM score",
    ),
    ("moderation_by_another", "does not moderate", "UPDATE agreement SET moderator_id = :assessor"),
    ("moderation_by_another", "does not moderate", "UPDATE agreement SET moderator_id = :learner"),
    (
        "case_with_second_key",
        "second key",
        "UPDATE plar_case SET state = 'released', decision_id = :unreleased WHERE id = :draft",
    ),
    ("appeal_by_another", "does not answer", "UPDATE appeal SET answered_by = :assessor"),
    (
        "appeal_by_another",
        "does not answer",
        "UPDATE appeal SET reviewer_id = :decider, received_at = now()",
    ),
    ("appeal_by_another", "does not answer", "UPDATE appeal SET answered_by = :learner"),
    (
        "decision_by_new_people",
        "decide it again",
        "INSERT INTO decision SELECT gen_random_uuid(), case_id, round + 1, decider_id, decided_at,"
        " summary, gap_plan FROM decision",
    ),
    (
        "sheet_by_new_people",
        "score it again",
        "UPDATE score_sheet SET assessor_id = :assessor, round = round + 1"
        " WHERE assessor_id <> :assessor AND state = 'final'",
    ),
    (
        "case_with_answer",
        "waits for its answer",
        "DO $$ BEGIN UPDATE appeal SET result = NULL, answered_at = NULL;"
        " UPDATE plar_case SET state = 'decision'; END $$",
    ),
    (
        "case_with_answer",
        "has an appeal",
        "UPDATE plar_case SET state = 'appeal'",
    ),
    ("credential_written_once", "written once", "UPDATE credential SET document = '{}'"),
    ("credential_written_once", "written once", "UPDATE credential SET document = NULL"),
    ("endorsement_written_once", "written once", "UPDATE endorsement SET document = '{}'"),
    (
        "credential_stays_revoked",
        "stays revoked",
        "UPDATE credential SET state = 'published' WHERE state = 'revoked'",
    ),
]


class Full:
    """A database in which something stands in every table, and the ids that the lists speak of."""

    def __init__(self, db: Database) -> None:
        self.db = db
        world = World(db, SetClock(datetime(2026, 3, 2, 9, tzinfo=UTC)))
        issued = Issued(world)
        draft = everything(
            world,
            world.person(Role.LEARNER),
            world.person(Role.ASSESSOR),
            world.person(Role.DECIDER),
        )
        self.ids: dict[str, UUID | None] = {
            "learner": issued.learner.account_id,
            "assessor": issued.panel.first.account_id,
            "decider": issued.panel.decider.account_id,
            "registrar": issued.registrar.account_id,
            "draft": draft["case_id"],
            "raw": draft["credential_id"],
            "open_sheet": draft["sheet_id"],
            "unreleased": self._decision_of(draft["case_id"]),
            "issued": issued.credential_id,
            "endorsed": draft["endorsement_id"],
        }
        self._replace_and_batch(issued, draft["endorsement_id"])
        self._sign_in_and_write_to(issued.learner.account_id)
        self._look_and_plan(issued.learner.account_id)
        self._connect_a_program(issued.learner.account_id)
        self._make_final(issued.credential_id, draft["endorsement_id"])
        self._sign_for_programs()
        self._tell_other_software(issued.world.institution_id)
        self._take_into_wallet(issued.world.institution_id, issued.credential_id)
        self._override(issued.panel)

    def _override(self, panel: Panel) -> None:
        """A conflict that two people overrode once, and that is to be overridden again."""
        with self.db.transaction() as tx:
            case = tx.session.get_one(Case, panel.case_id)
            proposed = {
                "case_id": case.id,
                "round": case.round,
                "assessor_id": panel.first.account_id,
                "about": ["They know each other."],
                "why": "Nobody else knows the machine.",
                "proposed_by": panel.coordinator.account_id,
                "proposed_at": tx.now,
            }
            answered = {
                "answer": OverrideAnswer.CONFIRMED.value,
                "answered_by": panel.registrar.account_id,
                "answered_why": "So it is.",
                "answered_at": tx.now,
            }
            tx.session.add(ConflictOverride(id=new_id(), **proposed))
            tx.session.add(ConflictOverride(id=new_id(), **proposed, **answered))

    def refused(self, statement: str) -> psycopg.errors.Diagnostic:
        """Try a statement; what the database said of it. Everything is as before afterwards."""
        used = {name: value for name, value in self.ids.items() if f":{name}" in statement}
        with pytest.raises(Conflict) as caught, self.db.transaction() as tx:
            tx.session.execute(text(statement), used)
        cause = caught.value.__cause__
        assert isinstance(cause, IntegrityError) and isinstance(cause.orig, psycopg.Error)
        return cause.orig.diag

    def _decision_of(self, case_id: UUID) -> UUID:
        with self.db.reading() as tx:
            found = text("SELECT id FROM decision WHERE case_id = :case")
            return UUID(str(tx.session.execute(found, {"case": case_id}).scalar_one()))

    def _sign_for_programs(self) -> None:
        """A list of what programs had signed, and a decision that is appealed."""
        with self.db.transaction() as tx:
            released = col(Decision.released_at).is_not(None)
            decision = tx.session.exec(select(Decision).where(released)).one()
            appeal = Appeal(
                id=new_id(),
                case_id=decision.case_id,
                decision_id=decision.id,
                reason="They know each other.",
                asked_at=tx.now,
                result=AppealResult.REASSESSED.value,
                answered_at=tx.now,
            )
            tx.session.add(appeal)
            tx.session.flush()
            bias = AppealGround.BIAS.value
            tx.session.add(AppealPoint(appeal_id=appeal.id, outcome_code="x", ground=bias))
            key = tx.session.exec(select(IssuerKey)).first()
            assert key is not None
            tx.session.add(
                TokenKey(
                    id=new_id(),
                    institution_id=key.institution_id,
                    public_jwk={},
                    sealed_key=b"",
                    created_at=tx.now,
                )
            )
            tx.session.add(
                ApiStatusList(
                    id=new_id(),
                    institution_id=key.institution_id,
                    key_id=key.id,
                    issuer="did:key:z6Mk",
                    purpose=StatusPurpose.REVOCATION.value,
                    bits=b"\0",
                    created_at=tx.now,
                )
            )

    def _take_into_wallet(self, institution_id: UUID, credential_id: UUID) -> None:
        offer_id = new_id()
        with self.db.transaction() as tx:
            tx.session.add(
                WalletKey(
                    id=new_id(),
                    institution_id=institution_id,
                    public_jwk={},
                    sealed_key=b"",
                    created_at=tx.now,
                )
            )
            tx.session.add(
                WalletOffer(
                    id=offer_id,
                    credential_id=credential_id,
                    form=WalletForm.SD_JWT.value,
                    asks_code=False,
                    reference_hash="r",
                    code_hash="c",
                    created_at=tx.now,
                    expires_at=tx.now,
                    redeemed_at=tx.now,
                    access_hash="a",
                )
            )
            tx.session.flush()
            tx.session.add(
                WalletTaking(
                    id=new_id(),
                    offer_id=offer_id,
                    credential_id=credential_id,
                    form=WalletForm.SD_JWT.value,
                    copies=1,
                    taken_at=tx.now,
                    notification_hash="n",
                    news=WalletNews.ACCEPTED.value,
                )
            )
            tx.session.add(WalletNonce(nonce_hash="n", spent_at=tx.now))

    def _tell_other_software(self, institution_id: UUID) -> None:
        with self.db.transaction() as tx:
            endpoint = WebhookEndpoint(
                id=new_id(),
                institution_id=institution_id,
                url="https://works.example/news",
                kinds=[],
                sealed_secret=b"",
                created_at=tx.now,
            )
            tx.session.add(endpoint)
            tx.session.flush()
            tx.session.add(
                WebhookDelivery(
                    id=new_id(),
                    endpoint_id=endpoint.id,
                    news_id=new_id(),
                    kind=NewsKind.TEST.value,
                    happened_at=tx.now,
                    facts={},
                    next_at=tx.now,
                )
            )

    def _sign_in_and_write_to(self, account_id: UUID | None) -> None:
        with self.db.transaction() as tx:
            account = tx.session.get_one(Account, account_id)
            later = tx.now + timedelta(days=1)
            tx.session.add(
                WebSession(
                    id=new_id(),
                    token_hash="s",
                    account_id=account.id,
                    created_at=tx.now,
                    seen_at=tx.now,
                    expires_at=later,
                )
            )
            tx.session.add(
                MailLink(
                    id=new_id(),
                    purpose=LinkPurpose.SET_PASSWORD.value,
                    subject_id=account.id,
                    token_hash="m",
                    email=account.email,
                    created_at=tx.now,
                    expires_at=later,
                )
            )

    def _connect_a_program(self, account_id: UUID | None) -> None:
        """A program of somebody else's, what it was allowed, and a credential that it brought."""
        client_id, grant_id = new_id(), new_id()
        with self.db.transaction() as tx:
            account = tx.session.get_one(Account, account_id)
            tx.session.add(
                OAuthClient(
                    id=client_id,
                    name="Wallet",
                    redirect_uris=[],
                    scopes=[],
                    grant_types=[],
                    metadata_said={},
                    created_at=tx.now,
                )
            )
            tx.session.flush()
            tx.session.add(
                OAuthGrant(
                    id=grant_id,
                    client_id=client_id,
                    account_id=account.id,
                    scopes=[],
                    redirect_uri="https://wallet.example",
                    code_hash="c",
                    code_challenge="c",
                    code_expires_at=tx.now,
                    created_at=tx.now,
                )
            )
            tx.session.flush()
            tx.session.add_all(
                [
                    OAuthToken(
                        id=new_id(),
                        grant_id=grant_id,
                        refreshes=False,
                        token_hash="o",
                        scopes=[],
                        created_at=tx.now,
                        expires_at=tx.now,
                    ),
                    BroughtCredential(
                        id=new_id(),
                        account_id=account.id,
                        same_as="s",
                        body="{}",
                        is_token=False,
                        sha256="s",
                        size=2,
                        title="A badge",
                        issuer_name="",
                        issuer_place="",
                        outcome="valid",
                        verdict={},
                        brought_by="Wallet",
                        brought_at=tx.now,
                        checked_at=tx.now,
                    ),
                ]
            )

    def _look_and_plan(self, account_id: UUID | None) -> None:
        """A picture, a mark, captions, a plan to erase, and a program that acts for someone."""
        with self.db.transaction() as tx:
            account = tx.session.get_one(Account, account_id)
            sealed = col(EvidenceItem.state) == EvidenceState.SEALED.value
            item = tx.session.exec(select(EvidenceItem).where(sealed)).first()
            assert item is not None and item.sha256 is not None
            tx.session.add_all(
                [
                    Preview(
                        id=new_id(),
                        sha256=item.sha256,
                        kind=PreviewKind.THUMBNAIL.value,
                        key="previews/one",
                        media_type="image/webp",
                        size=1,
                        made_at=tx.now,
                    ),
                    TimeSpan(
                        id=new_id(),
                        item_id=item.id,
                        account_id=account.id,
                        role=Role.LEARNER.value,
                        start_ms=0,
                        created_at=tx.now,
                    ),
                    Caption(
                        id=new_id(),
                        item_id=item.id,
                        kind=CaptionKind.TRANSCRIPT.value,
                        language="en",
                        label="English",
                        text="Hello.",
                        sha256=item.sha256,
                        created_at=tx.now,
                    ),
                    CaseHold(
                        id=new_id(),
                        case_id=item.case_id,
                        kind="legal",
                        why="A court asked for it.",
                        placed_by=account.id,
                        placed_at=tx.now,
                    ),
                    ErasurePlan(
                        id=new_id(),
                        case_id=item.case_id,
                        reason="asked",
                        asked_at=tx.now,
                        due_at=tx.now,
                        plan={},
                    ),
                    AccessToken(
                        id=new_id(),
                        account_id=account.id,
                        name="My program",
                        token_hash="t",
                        beginning="as",
                        scopes=[],
                        created_at=tx.now,
                        expires_at=tx.now,
                    ),
                ]
            )

    def _replace_and_batch(self, issued: Issued, endorsement_id: UUID) -> None:
        """A credential and an endorsement that replace others, and a batch of one case."""
        slice_id, batch_id = new_id(), new_id()
        with self.db.transaction() as tx:
            for table, replaced in (
                ("credential", issued.credential_id),
                ("endorsement", endorsement_id),
            ):
                again = copied(METADATA.tables[table], {"replaces_id": ":replaced"})
                where = again.replace(" LIMIT 1", " WHERE id = :replaced")
                tx.session.execute(text(where), {"replaced": replaced})
            kind, size = BatchKind.ISSUE.value, 1
            tx.session.add(
                Batch(
                    id=batch_id,
                    institution_id=issued.world.institution_id,
                    kind=kind,
                    started_at=tx.now,
                    total=size,
                )
            )
            tx.session.flush()
            tx.session.add(BatchSlice(id=slice_id, batch_id=batch_id, number=1, size=size))
            tx.session.flush()
            tx.session.add(
                BatchMember(
                    batch_id=batch_id,
                    case_id=issued.panel.case_id,
                    slice_id=slice_id,
                    credential_id=new_id(),
                )
            )

    def _make_final(self, credential_id: UUID, endorsement_id: UUID) -> None:
        """What is revoked stays so, what is signed stays as it is."""
        with self.db.transaction() as tx:
            revoke = text("UPDATE credential SET state = 'revoked' WHERE id = :id")
            tx.session.execute(revoke, {"id": credential_id})
            sign = text("UPDATE endorsement SET document = '{\"a\": 1}' WHERE id = :id")
            tx.session.execute(sign, {"id": endorsement_id})


@pytest.fixture(scope="module")
def full(module_db: Database) -> Full:
    return Full(module_db)


def copied(table: Table, values: Values) -> str:
    """A statement that makes a second row of one that is there, with some values of its own."""
    own = {"id": FRESH, **values} if "id" in table.columns else values
    columns = [column.name for column in table.columns]
    chosen = ", ".join(own.get(name, f'"{name}"') for name in columns)
    named = ", ".join(f'"{name}"' for name in columns)
    return f'INSERT INTO "{table.name}" ({named}) SELECT {chosen} FROM "{table.name}" LIMIT 1'


def words_of() -> Iterator[tuple[str, str, str]]:
    """Every column that holds one of a few words: its rule, its table, its name."""
    for table in METADATA.sorted_tables:
        for rule in table.constraints:
            found = re.fullmatch(rf"ck_{table.name}_(\w+)_known", str(rule.name))
            if found and found[1] in table.columns and found[1] != "seat":
                yield str(rule.name), table.name, found[1]


@pytest.mark.parametrize(("rule", "statement"), CHECKS, ids=[rule for rule, _ in CHECKS])
def test_a_row_that_contradicts_itself_is_refused(full: Full, rule: str, statement: str) -> None:
    assert full.refused(statement).constraint_name == rule


@pytest.mark.parametrize(("rule", "table", "column"), sorted(words_of()))
def test_a_word_that_is_not_in_the_list_is_refused(
    full: Full, rule: str, table: str, column: str
) -> None:
    values = {**BESIDE.get(table, {}), column: "'by_dice'"}
    statement = copied(METADATA.tables[table], values)
    assert full.refused(statement).constraint_name == rule


@pytest.mark.parametrize(("rule", "table", "values"), TWICE, ids=[rule for rule, _, _ in TWICE])
def test_what_is_there_once_is_not_there_twice(
    full: Full, rule: str, table: str, values: Values
) -> None:
    assert full.refused(copied(METADATA.tables[table], values)).constraint_name == rule


def test_a_sealed_item_has_a_digest_and_a_size(full: Full) -> None:
    for column in ("sha256", "size"):
        statement = copied(METADATA.tables["evidence_item"], {column: "NULL"})
        assert full.refused(statement).constraint_name == SEALED


def test_one_assessor_has_one_open_sheet_of_a_case(full: Full) -> None:
    place, sheet = METADATA.tables["assignment"], METADATA.tables["score_sheet"]
    mine = "(SELECT case_id FROM score_sheet WHERE id = :open_sheet)"
    next_round = copied(place, {"id": ":open_sheet", "round": "2"})
    next_sheet = copied(sheet, {"assignment_id": ":open_sheet", "round": "2"})
    with pytest.raises(Conflict) as caught, full.db.transaction() as tx:
        for statement in (next_round, next_sheet):
            chosen = statement.replace(" LIMIT", f" WHERE case_id = {mine} LIMIT")
            tx.session.execute(text(chosen), {"open_sheet": full.ids["open_sheet"]})
    cause = caught.value.__cause__
    assert isinstance(cause, IntegrityError) and isinstance(cause.orig, psycopg.Error)
    assert cause.orig.diag.constraint_name == OPEN_SHEETS


@pytest.mark.parametrize(
    ("words", "statement"), [(words, statement) for _, words, statement in TRIGGERS]
)
def test_what_the_rows_around_it_forbid_is_refused(full: Full, words: str, statement: str) -> None:
    assert words in str(full.refused(statement).message_primary)


def test_an_erased_item_gives_up_its_digest(full: Full) -> None:
    with full.db.transaction() as tx:
        erase = "UPDATE evidence_item SET state = 'erased', sha256 = NULL, size = NULL"
        assert tx.session.execute(text(erase)).rowcount > 0
        tx.session.rollback()


def test_every_rule_of_the_tables_is_tried_here() -> None:
    tried = {rule for rule, _ in CHECKS} | {rule for rule, _, _ in TWICE} | {OPEN_SHEETS, SEALED}
    tried |= {rule for rule, _, _ in words_of()}
    rules = {
        str(rule.name)
        for table in METADATA.sorted_tables
        for rule in table.constraints
        if isinstance(rule, CheckConstraint | UniqueConstraint)
    }
    rules |= {
        str(index.name)
        for table in METADATA.sorted_tables
        for index in table.indexes
        if index.unique
    }
    assert tried == rules


def test_every_guard_is_tried_here() -> None:
    guards = {
        found[1]
        for guard in (*GUARDS, *APPEALED)
        if (found := re.search(r"CREATE TRIGGER (\w+)", guard))
    }
    assert {name for name, _, _ in TRIGGERS} == guards
