"""Of every column with words: whether an erasure clears it, or why it stays. Nothing undecided.

A new column of text or JSON fails here until it is decided; what is said to go is filled and looked
for after an erasure was carried out.
"""

from collections.abc import Mapping

import pytest
from sqlalchemy import String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.sql.sqltypes import AutoString

from storage.ids import new_id
from storage.tables import (
    METADATA,
    Appeal,
    Attestation,
    Caption,
    CaseHold,
    CredentialNote,
    EarlierDocument,
    Endorsement,
    Inspection,
    MailLink,
    Organisation,
    SameBytes,
    SelfRating,
    Table,
    TimeSpan,
    Upload,
)
from storage.vault import Vault
from storage.vocabulary import (
    CaptionKind,
    HoldKind,
    LinkPurpose,
    Role,
    VoiceState,
)
from tests.fixtures.issued import Issued
from tests.fixtures.keeping import erase, items_of, with_bytes
from tests.fixtures.recall import Recall

WORD = "erase-me"
CODES = frozenset({"role", "kind", "outcome_code"})
"""Columns of rows that go, in which the database takes known words only."""

NOBODYS = frozenset(
    {
        *("api_credential", "api_status_list", "batch", "batch_member", "competence"),
        *("definition_version", "erased_bytes", "institution", "issuer_key", "known_form", "logo"),
        *("oauth_client", "organisation", "outbox", "policy_version", "role_grant", "status_list"),
        *("token_key", "vault_copy", "wallet_key", "wallet_nonce", "webhook_delivery"),
        "webhook_endpoint",
    }
)
"""The institution's own, programs' own, and our own words for work: nobody's case is told there.
What is told to webhooks is ids and kinds."""

ACCOUNTS: Mapping[str, str] = {
    "access_token": "a person's own, gone when they revoke it; told on the page of their account",
    "account": "the account stays until it is closed; the plan says so",
    "brought_credential": "from elsewhere, its holder removes it with a press",
    "oauth_grant": "a person's own, ended by them",
    "oauth_token": "hashes",
    "web_session": "hashes",
}
"""Tables that hang on an account and on no case."""

GOES: Mapping[str, str] = {
    "appeal": "reason answer",
    "attestation": "supervisor_name supervisor_email message draft identity decline_note",
    "caption": "kind language label text sha256",
    "case_hold": "why",
    "credential_note": "act note",
    "earlier_document": "sha256 document",
    "endorsement": "endorser_name endorser_email endorser_title message relation period comment",
    "evidence_item": "title own_part ai_use ai_tool consent_note recorded_with file_name"
    " declared_type scan_detail reason reason_params flags",
    "evidence_mapping": "outcome_code note",
    "inspection": "sha256 signals facts listing trouble",
    "mail_link": "email",
    "manifest": "signed_name",
    "plar_case": "note_to_learner",
    "same_bytes": "sha256 statement",
    "self_rating": "outcome_code note",
    "time_span": "role outcome_code criterion_code note",
    "upload": "fingerprint",
}
"""Columns that hold nothing of it any more. Of endorsements: those that were never given."""

STAYS: Mapping[str, Mapping[str, str]] = {
    "agreement": {"criterion_code rule rule_version levels why": "the record of a decided case"},
    "appeal": {"result": "a code"},
    "appeal_point": {"outcome_code ground": "codes"},
    "assignment": {
        "state conflict criteria": "codes",
        "conflict_detail settled_why decline_reason": "who was free to judge a decided case; of"
        " one that was not decided it goes",
    },
    "attestation": {
        "state outcome_codes decline_reason": "codes",
        "statement": "without its words and names, as `_witness` leaves it",
    },
    "case_hold": {"kind": "a code"},
    "conflict_override": {
        "answer": "a code",
        "about why answered_why": "the institution's account of why it made an exception",
    },
    "coverage_record": {
        "basis": "a code",
        "outcomes": "how the outcomes stood, without what files were called",
    },
    "credential": {
        "state public_reason": "codes",
        "claims document document_sha256": "the holder's own; their copy is checked against it",
    },
    "decision": {"summary gap_plan": "the institution must be able to say how it decided"},
    "endorsement": {
        "state outcome_codes visibility answer decline_reason": "codes",
        "identity": "how strongly the endorser was known: facts without names",
        "document document_sha256": "given: the holder's copy is checked against it",
    },
    "erasure_plan": {"reason": "a code", "plan receipt": "without names, as they are written"},
    "event": {
        "actor_role kind subject_type request_id": "codes",
        "actor_label why data": "words of the learner's side go, and those of staff about files",
    },
    "evidence_access": {"purpose details": "codes"},
    "evidence_item": {
        "state kind ai disclosure people media_type scan": "codes",
        "sha256": "a digest, which goes with the bytes",
    },
    "mail": {
        "message_id": "an id",
        "recipient subject body": "letters about the case are emptied, as `_mails` finds them",
    },
    "mail_link": {"purpose token_hash code_hash": "a code and hashes"},
    "manifest": {"digest": "a digest", "body": "ids and digests, as `manifest_without_words` says"},
    "outcome_decision": {"outcome_code result reason": "the record of a decided case"},
    "plar_case": {"state": "a code"},
    "preview": {"sha256 kind key media_type": "they go with the bytes, by the files' own job"},
    "score": {
        "criterion_code": "a code",
        "reason": "the record of a decided case; of one that was not decided it goes",
    },
    "score_sheet": {"definition_hash state": "codes"},
    "sealed_object": {"sha256 key": "they go with the bytes, by the files' own job"},
    "upload": {"key store_upload_id sha256 etag": "ids and digests"},
    "upload_part": {"sha256 etag": "digests"},
    "wallet_offer": {"form reference_hash code_hash access_hash": "a code and hashes"},
    "wallet_taking": {"form notification_hash news": "codes and a hash"},
}


def words_of(table: str) -> set[str]:
    """The columns of a table that can hold words."""
    columns = METADATA.tables[table].columns
    return {one.name for one in columns if isinstance(one.type, String | AutoString | JSONB)}


def decided_of(table: str) -> list[str]:
    """The columns that are decided above, each as often as it is."""
    listed = [GOES.get(table, ""), *STAYS.get(table, {})]
    return [name for names in listed for name in names.split()]


def test_of_every_column_with_words_it_is_decided_whether_it_goes() -> None:
    with_words = {name for name in METADATA.tables if words_of(name)}
    decided = {*GOES, *STAYS}
    assert not (decided & (NOBODYS | ACCOUNTS.keys()))
    assert with_words == decided | NOBODYS | ACCOUNTS.keys()
    for table in sorted(decided):
        assert sorted(decided_of(table)) == sorted(words_of(table)), table


@pytest.fixture
def issued(recall: Recall) -> Issued:
    return recall(Issued)


def test_what_is_said_to_go_is_gone(issued: Issued, vault: Vault) -> None:
    with_bytes(issued.panel, vault)
    write_everywhere(issued)
    for table in GOES:
        assert left_in(issued, table), f"nothing was written into {table}"
    erase(issued.panel, vault)
    assert [table for table in GOES if left_in(issued, table)] == []
    with issued.db.reading() as tx:
        given = tx.session.execute(
            text("SELECT endorser_name, comment, message FROM endorsement WHERE state = 'given'")
        ).one()
    assert tuple(given) == ("Given by", "Stays.", "")


def left_in(issued: Issued, table: str) -> bool:
    """Whether a column that is to go holds the word still."""
    holds = " OR ".join(f"{name}::text LIKE '%{WORD}%'" for name in GOES[table].split())
    with issued.db.reading() as tx:
        found = tx.session.execute(text(f"SELECT count(*) FROM {table} WHERE {holds}"))
        return bool(found.scalar_one())


def write_everywhere(issued: Issued) -> None:
    """Rows that the story has none of, and the word in every column of text that is to go."""
    with issued.db.transaction() as tx:
        tx.session.execute(text("SET LOCAL session_replication_role = replica"))
        for row in rows(issued):
            tx.session.add(row)
            tx.session.flush()
        for table, names in GOES.items():
            columns = METADATA.tables[table].columns
            told = ", ".join(
                f"{name} = '{WORD}'"
                for name in names.split()
                if not isinstance(columns[name].type, JSONB) and name not in CODES
            )
            only = " WHERE state <> 'given'" if table == "endorsement" else ""
            if told:
                tx.session.execute(text(f"UPDATE {table} SET {told}{only}"))


def rows(issued: Issued) -> list[Table]:
    """One row of each kind that hangs on the case, its evidence or its credential."""
    now, case_id, learner = issued.world.clock.now(), issued.panel.case_id, issued.learner
    item_id, credential_id = items_of(issued.panel)[0].id, issued.credential_id
    assert learner.account_id is not None
    asked, organisation_id = new_id(), new_id()
    organisation = Organisation(
        id=organisation_id,
        institution_id=issued.world.institution_id,
        name="Halden Works",
        domain="halden.example",
        created_at=now,
    )
    endorsements = [
        Endorsement(
            id=endorsement_id,
            credential_id=credential_id,
            organisation_id=organisation_id,
            state=state.value,
            endorser_name="Given by",
            endorser_email="given@halden.example",
            message=WORD,
            comment="Stays.",
            outcome_codes=[],
            asked_at=now,
            given_at=now if state is VoiceState.GIVEN else None,
        )
        for endorsement_id, state in ((asked, VoiceState.DECLINED), (new_id(), VoiceState.GIVEN))
    ]
    return [
        organisation,
        *endorsements,
        Appeal(
            id=new_id(),
            case_id=case_id,
            decision_id=issued.decision_id,
            reason=WORD,
            asked_at=now,
            result="taken_back",
            answered_at=now,
            ended_at=now,
        ),
        Attestation(
            id=new_id(),
            case_id=case_id,
            state=VoiceState.DECLINED.value,
            supervisor_name=WORD,
            supervisor_email=WORD,
            outcome_codes=[],
            asked_at=now,
            draft={"role": WORD},
            identity={"domain": WORD},
        ),
        CredentialNote(id=new_id(), credential_id=credential_id, act="", note=WORD, at=now),
        EarlierDocument(subject_id=credential_id, sha256="", document=WORD, kept_at=now),
        SelfRating(case_id=case_id, outcome_code="", level=1, note=WORD, rated_at=now),
        CaseHold(
            id=new_id(),
            case_id=case_id,
            kind=HoldKind.LEGAL.value,
            why=WORD,
            placed_by=learner.account_id,
            placed_at=now,
            lifted_at=now,
        ),
        MailLink(
            id=new_id(),
            purpose=LinkPurpose.ENDORSE.value,
            subject_id=asked,
            token_hash="",
            email=WORD,
            created_at=now,
            expires_at=now,
        ),
        Caption(
            id=new_id(),
            item_id=item_id,
            kind=CaptionKind.TRANSCRIPT.value,
            language="en",
            label="",
            text=WORD,
            sha256="",
            created_at=now,
        ),
        TimeSpan(
            id=new_id(),
            item_id=item_id,
            account_id=learner.account_id,
            role=Role.LEARNER.value,
            start_ms=0,
            note=WORD,
            created_at=now,
        ),
        SameBytes(item_id=item_id, sha256="", statement=WORD, noted_at=now),
        Inspection(
            item_id=item_id, sha256="", inspected_at=now, tool_version=1, facts={"by": WORD}
        ),
        Upload(
            id=new_id(),
            item_id=item_id,
            key=f"incoming/{item_id}",
            part_size=1,
            part_count=1,
            fingerprint=WORD,
            created_at=now,
            active_at=now,
            completed_at=now,
        ),
    ]
