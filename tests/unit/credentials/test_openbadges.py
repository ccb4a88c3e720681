"""Plain values become Open Badges 3.0 documents, whole, in one form, and frozen before signing."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.canonical import canonicalize
from credentials.claims import PRIOR_LEARNING
from credentials.documents import JsonObject, children, dump_json, load_json
from credentials.errors import Malformed
from credentials.openbadges import (
    AlignmentClaim,
    CredentialClaims,
    EndorsementClaims,
    EvidenceClaim,
    ResultClaim,
    StatusClaim,
    build_credential,
    build_endorsement,
    claims_from_json,
    claims_to_json,
    hashed_identity,
)
from tests.fixtures.badges import (
    ACHIEVEMENT,
    CLAIMS,
    CRITERIA,
    DRAWING,
    ENDORSEMENT,
    EVIDENCE,
    LISTS,
    VIDEO,
    signed_endorsement,
)

DOCUMENT = build_credential(CLAIMS)
LIST_KEYS = {
    "@context", "evidence", "credentialSchema", "result", "resultDescription", "alignment", "tag",
    "rubricCriterionLevel", "identifier", "endorsement",
}  # fmt: skip


def test_claims_survive_the_database() -> None:
    claims = replace(CLAIMS, endorsements=(signed_endorsement(),))
    stored = json.loads(json.dumps(claims_to_json(claims)))
    assert claims_from_json(stored, CredentialClaims) == claims
    again = json.loads(json.dumps(claims_to_json(ENDORSEMENT)))
    assert claims_from_json(again, EndorsementClaims) == ENDORSEMENT


def test_damaged_claims_say_where() -> None:
    stored = claims_to_json(CLAIMS)
    stored["evidence"] = [{"id": "urn:x:1"}]
    with pytest.raises(Malformed, match=r"evidence\.0"):
        claims_from_json(stored, CredentialClaims)


def test_the_rubric_maps_one_to_one() -> None:
    subject = DOCUMENT["credentialSubject"]
    assert isinstance(subject, dict)
    achievement = subject["achievement"]
    assert isinstance(achievement, dict)
    assert achievement["resultDescription"] == [
        {
            "id": criterion.id,
            "type": ["ResultDescription"],
            "name": criterion.name,
            "resultType": "RubricCriterionLevel",
            "requiredLevel": criterion.levels[1].id,
            "rubricCriterionLevel": [
                {
                    "id": level.id,
                    "type": ["RubricCriterionLevel"],
                    "name": level.name,
                    "level": level.level,
                    "description": level.description,
                }
                for level in criterion.levels
            ],
        }
        for criterion in CRITERIA
    ]
    assert subject["result"] == [
        {
            "id": result.id,
            "type": ["Result"],
            "resultDescription": result.criterion_id,
            "achievedLevel": result.level_id,
            "status": "Completed",
        }
        for result in CLAIMS.results
    ]


def in_multibase(file: bytes) -> str:
    """`digestMultibase` of a file, spelled out."""
    multihash = b"\x12\x20" + hashlib.sha256(file).digest()
    return "u" + base64.urlsafe_b64encode(multihash).decode().rstrip("=")


def test_evidence_carries_the_digest_of_the_file() -> None:
    assert DOCUMENT["evidence"] == [
        {
            "id": "https://riverside.example/evidence/7hq2",
            "type": ["Evidence"],
            "name": "Set-up of the Haas VF-2, 52 minutes",
            "genre": "video",
            "narrative": "I did the whole set-up alone; see #t=120,900.",
            "mediaType": "video/mp4",
            "digestMultibase": in_multibase(VIDEO),
        },
        {
            "id": "https://riverside.example/evidence/9kd1",
            "type": ["Evidence"],
            "name": "Marked drawing",
            "genre": "work product",
            "mediaType": "application/pdf",
            "digestMultibase": in_multibase(DRAWING),
        },
    ]


def test_the_eleven_european_elements_have_their_places() -> None:
    subject = DOCUMENT["credentialSubject"]
    issuer = DOCUMENT["issuer"]
    assert isinstance(subject, dict) and isinstance(issuer, dict)
    achievement = subject["achievement"]
    assert isinstance(achievement, dict)
    assert subject["identifier"]
    assert achievement["name"] == ACHIEVEMENT.name
    assert issuer["address"] == {
        "type": ["Address"],
        "addressCountryCode": "CA",
        "addressRegion": "Ontario",
    }
    assert achievement["creator"] == issuer
    assert DOCUMENT["awardedDate"] == "2024-05-04T09:30:00Z"
    assert achievement["alignment"] and achievement["criteria"]
    assert achievement["creditsAvailable"] == 6
    assert achievement["achievementType"] == PRIOR_LEARNING


def test_what_may_be_a_list_always_is_one() -> None:
    waiting: list[object] = [build_credential(replace(CLAIMS, endorsements=(DOCUMENT,)))]
    seen: set[str] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            # a Result names its description by id
            names_it = {"resultDescription"} if node.get("type") == ["Result"] else set()
            for key in LIST_KEYS & set(node) - names_it:
                assert isinstance(node[key], list), key
                seen.add(key)
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    assert seen == LIST_KEYS


def test_nothing_empty_is_signed() -> None:
    waiting: list[object] = [DOCUMENT, build_endorsement(ENDORSEMENT)]
    while waiting:
        node = waiting.pop()
        assert node is not None and node != []
        if isinstance(node, dict | list):
            waiting.extend(children(node))


def test_one_status_entry_stands_bare_and_two_in_a_list() -> None:
    entry = DOCUMENT["credentialStatus"]
    assert entry == {
        "id": f"{LISTS['revocation']}#4711",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "4711",
        "statusListCredential": LISTS["revocation"],
    }
    both = (CLAIMS.status[0], StatusClaim(LISTS["suspension"], 8, "suspension"))
    entries = build_credential(replace(CLAIMS, status=both))["credentialStatus"]
    assert isinstance(entries, list) and len(entries) == 2


def test_times_are_written_in_utc_to_the_second() -> None:
    east = timezone(timedelta(hours=2))
    claims = replace(CLAIMS, awarded_date=datetime(2024, 1, 1, 1, 30, 15, 999, tzinfo=east))
    assert build_credential(claims)["awardedDate"] == "2023-12-31T23:30:15Z"
    with pytest.raises(Malformed, match="zone"):
        build_credential(replace(CLAIMS, awarded_date=datetime(2024, 1, 1)))  # noqa: DTZ001


@pytest.mark.parametrize(
    "claims",
    [
        replace(CLAIMS, results=(ResultClaim("urn:r:1", "urn:unknown", CRITERIA[0].levels[0].id),)),
        replace(
            CLAIMS, results=(ResultClaim("urn:r:1", CRITERIA[0].id, CRITERIA[1].levels[0].id),)
        ),
        replace(
            CLAIMS,
            achievement=replace(
                ACHIEVEMENT, criteria=(replace(CRITERIA[0], required_level="urn:unknown"),)
            ),
            results=(),
        ),
        replace(CLAIMS, evidence=(replace(EVIDENCE[0], sha256="AB" * 32),)),
        replace(CLAIMS, name="bell\x07"),
    ],
    ids=["unknown criterion", "another's level", "unknown threshold", "no digest", "control"],
)
def test_claims_that_contradict_themselves_build_nothing(claims: CredentialClaims) -> None:
    with pytest.raises(Malformed):
        build_credential(claims)


def test_a_hashed_identity_is_as_open_badges_computes_it() -> None:
    identity = hashed_identity("emailAddress", "a@example.org", "deadsea")
    digest = hashlib.sha256(b"a@example.orgdeadsea").hexdigest()
    assert identity.value == f"sha256${digest}"
    assert identity.hashed
    assert identity.salt == "deadsea"


TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
)


@settings(deadline=None, max_examples=25)
@given(
    name=TEXT,
    narrative=st.none() | TEXT,
    tags=st.lists(TEXT, max_size=3),
    credits=st.none() | st.integers(1, 300) | st.sampled_from([0.5, 2.5, 7.25]),
    evidence=st.lists(st.tuples(TEXT, st.binary(min_size=32, max_size=32)), max_size=3),
    targets=st.lists(TEXT, max_size=2),
)
def test_whatever_the_values_the_document_can_be_signed_and_read_again(
    *,
    name: str,
    narrative: str | None,
    tags: list[str],
    credits: float | None,
    evidence: list[tuple[str, bytes]],
    targets: list[str],
) -> None:
    alignments = tuple(AlignmentClaim(target, "https://a.example/t") for target in targets)
    claims = replace(
        CLAIMS,
        name=name,
        narrative=narrative,
        achievement=replace(
            ACHIEVEMENT, tags=tuple(tags), credits_available=credits, alignments=alignments
        ),
        evidence=tuple(
            EvidenceClaim(f"urn:e:{place}", title, digest.hex(), "image/png")
            for place, (title, digest) in enumerate(evidence)
        ),
    )
    document: JsonObject = build_credential(claims)
    assert canonicalize(load_json(dump_json(document))) == canonicalize(document)


def test_an_endorsement_may_end_and_have_a_description() -> None:
    claims = replace(
        ENDORSEMENT,
        description="What we saw.",
        valid_until=datetime(2030, 1, 1, tzinfo=UTC),
        awarded_date=datetime(2024, 1, 1, tzinfo=UTC),
        status=(StatusClaim(LISTS["revocation"], 3),),
    )
    document = build_endorsement(claims)
    assert document["validUntil"] == "2030-01-01T00:00:00Z"
    assert document["description"] == "What we saw."
    assert isinstance(document["credentialStatus"], dict)
