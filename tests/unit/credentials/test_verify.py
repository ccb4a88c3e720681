"""The verdict: each check on its own, and never “valid” for what could not be looked up.

The mutations that every verifier must refuse are in tests/conformance; here is how our verdict
tells one thing from another.
"""

import copy
import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import compiled
from credentials.badge import BadgeFace, badge_png, draw_badge
from credentials.baking import bake_png, bake_svg
from credentials.did import did_web_url
from credentials.documents import JsonObject, as_list, dump_json
from credentials.errors import CannotFetch, CredentialError
from credentials.keys import PrivateKey, did_key
from credentials.openbadges import StatusClaim, build_credential, build_endorsement
from credentials.proof_sets import append_proof
from credentials.proofs import add_proof, proof_options
from credentials.status_list import build_status_entry, build_status_list_credential, new_bits
from credentials.verify import Check, Finding, Outcome, Verdict, evidence_of, verify
from tests.fixtures.badges import (
    CLAIMS,
    CREDENTIAL_ID,
    DID,
    DRAWING,
    EMPLOYER,
    EMPLOYER_KEY,
    ENDORSEMENT,
    ENDORSEMENT_ID,
    INDEX,
    ISSUED,
    KEY,
    LISTS,
    METHOD,
    NOW,
    VIDEO,
    Web,
    did_document,
    signed,
    signed_credential,
    signed_endorsement,
    status_list,
    web,
)

GOOD = signed_credential()
BOTH = (
    StatusClaim(LISTS["revocation"], INDEX),
    StatusClaim(LISTS["suspension"], INDEX, "suspension"),
)


def judge(document: JsonObject | bytes, house: Web | None = None, **more: object) -> Verdict:
    """Our verdict at NOW."""
    data = document if isinstance(document, bytes) else dump_json(document)
    return verify(data, fetch=house or web(), now=NOW, **more)  # type: ignore[arg-type]


def only(verdict: Verdict, code: str) -> Check:
    """The one check with this code."""
    [check] = verdict.of(code)
    return check


def outcomes(verdict: Verdict) -> dict[str, Finding]:
    """What each check came to, by code."""
    return {check.code: check.outcome for check in verdict.checks}


def test_a_good_credential_is_valid_and_every_check_says_so() -> None:
    verdict = judge(GOOD)
    assert verdict.outcome is Outcome.VALID
    assert verdict.document == GOOD
    assert outcomes(verdict) == {
        "well_formed": "passed",
        "signature": "passed",
        "issuer": "passed",
        "dates": "passed",
        "schema": "passed",
        "status.revocation": "passed",
        "endorsement.well_formed": "passed",
        "endorsement.signature": "passed",
        "endorsement.issuer": "passed",
        "endorsement.dates": "passed",
        "endorsement.schema": "passed",
        "endorsement.status": "noted",
        "endorsement.subject": "passed",
        "evidence": "noted",
    }
    assert all(check.text for check in verdict.checks)


def test_a_baked_badge_is_judged_like_its_credential() -> None:
    svg = draw_badge(BadgeFace("CNC", "Riverside"))
    data = dump_json(GOOD)
    assert judge(bake_svg(svg, data)) == judge(bake_png(badge_png(svg, 64), data)) == judge(GOOD)


def test_the_signature_stays_good_when_the_credential_is_revoked() -> None:
    house = web()
    house.put(LISTS["revocation"], status_list("revocation", INDEX))
    verdict = judge(GOOD, house)
    assert verdict.outcome is Outcome.NOT_VALID
    assert outcomes(verdict)["signature"] is Finding.PASSED
    assert only(verdict, "status.revocation").text == "It was revoked by its issuer."


def test_revoked_and_suspended_are_told_apart() -> None:
    house = web()
    house.put(LISTS["suspension"], status_list("suspension", INDEX))
    verdict = judge(signed(build_credential(replace(CLAIMS, status=BOTH))), house)
    assert only(verdict, "status.revocation").outcome is Finding.PASSED
    assert only(verdict, "status.suspension").text == "It is suspended by its issuer."


@pytest.mark.parametrize("missing", [did_web_url(DID), LISTS["revocation"]])
def test_what_cannot_be_fetched_makes_the_verdict_cannot_tell(missing: str) -> None:
    house = web()
    del house.documents[missing]
    verdict = judge(GOOD, house)
    assert verdict.outcome is Outcome.CANNOT_TELL
    assert Finding.FAILED not in outcomes(verdict).values()


def test_a_list_whose_signer_cannot_be_looked_up_is_unknown() -> None:
    house = web()
    first = house.documents.pop(did_web_url(DID))
    assert first
    check = only(judge(GOOD, house), "status.revocation")
    assert check.outcome is Finding.UNKNOWN
    assert "status list cannot be checked" in check.text


def test_every_address_is_fetched_once() -> None:
    asked: list[str] = []
    house = web()

    def fetch(url: str, /) -> bytes:
        asked.append(url)
        return house(url)

    verify(dump_json(GOOD), fetch=fetch, now=NOW)
    assert sorted(asked) == sorted({did_web_url(DID), LISTS["revocation"]})


def test_a_document_cannot_make_us_fetch_without_end() -> None:
    asked: list[str] = []

    def fetch(url: str, /) -> bytes:
        asked.append(url)
        raise CannotFetch("%(url)s is slow.", url=url)

    many = tuple(
        signed_endorsement(
            replace(
                ENDORSEMENT,
                id=f"{ENDORSEMENT_ID}-{number}",
                status=(StatusClaim(f"https://slow.example/{number}", 1),),
            )
        )
        for number in range(25)
    )
    verdict = verify(
        dump_json(signed(build_credential(replace(CLAIMS, endorsements=many)))),
        fetch=fetch,
        now=NOW,
    )
    assert verdict.outcome is Outcome.CANNOT_TELL
    assert len(asked) == 16
    assert only(verdict, "endorsement").outcome is Finding.UNKNOWN


def test_files_at_hand_are_compared_one_by_one() -> None:
    files = {"a.mp4": sha256(VIDEO).hexdigest(), "b.pdf": sha256(b"altered").hexdigest()}
    verdict = judge(GOOD, evidence=files)
    assert verdict.outcome is Outcome.NOT_VALID
    found = {check.subject: (check.outcome, check.text) for check in verdict.of("evidence")}
    assert found == {
        "a.mp4": (
            Finding.PASSED,
            "“a.mp4” is the file that was assessed as “Set-up of the Haas VF-2, 52 minutes”.",
        ),
        "b.pdf": (
            Finding.FAILED,
            "No evidence in this credential has the digest of “b.pdf”.",
        ),
        "https://riverside.example/evidence/9kd1": (
            Finding.NOTED,
            "“Marked drawing” was not checked: no file was given for it.",
        ),
    }


def test_all_evidence_at_hand_leaves_the_verdict_valid() -> None:
    files = {"a": sha256(VIDEO).hexdigest(), "b": sha256(DRAWING).hexdigest()}
    verdict = judge(GOOD, evidence=files)
    assert verdict.outcome is Outcome.VALID
    assert [check.outcome for check in verdict.of("evidence")] == [Finding.PASSED] * 2


def test_evidence_without_a_digest_is_said_to_have_none() -> None:
    unsigned = build_credential(CLAIMS)
    unsigned["evidence"] = [
        {"id": "urn:e:1", "type": ["Evidence"], "name": "Letter"},
        {"id": "urn:e:2", "type": ["Evidence"], "name": "Tape", "digestMultibase": "uAAAA"},
    ]
    verdict = judge(signed(unsigned))
    assert verdict.outcome is Outcome.VALID
    assert ["carries no digest" in check.text for check in verdict.of("evidence")] == [True, True]
    assert [item.sha256 for item in verdict.evidence] == [None, None]


def test_lists_of_one_hide_no_digest() -> None:
    document = copy.deepcopy(GOOD)
    item = as_list(document["evidence"])[1]
    assert isinstance(item, dict)
    item.update(name=["Marked drawing", []], digestMultibase=[item["digestMultibase"]])
    assert judge(document).outcome is Outcome.VALID
    assert evidence_of(document) == evidence_of(GOOD)


def test_evidence_is_listed_for_the_reader() -> None:
    first, second = evidence_of(GOOD)
    assert (first.name, first.genre, first.media_type) == (
        "Set-up of the Haas VF-2, 52 minutes",
        "video",
        "video/mp4",
    )
    assert second.sha256 == sha256(DRAWING).hexdigest()


def test_an_endorsement_beside_the_credential_is_checked_too() -> None:
    verdict = judge(GOOD, endorsements=[dump_json(signed_endorsement())])
    assert verdict.outcome is Outcome.VALID
    assert {check.subject for check in verdict.of("endorsement.signature")} == {
        ENDORSEMENT_ID,
        f"{ENDORSEMENT_ID[:-1]}8",
    }


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", "endorsement.well_formed"),
        (b"[]", "endorsement.well_formed"),
        (b'{"id": 1}', "endorsement.well_formed"),
        (
            dump_json(signed_endorsement(replace(ENDORSEMENT, subject_id="urn:x:1"))),
            "endorsement.subject",
        ),
        (dump_json(build_endorsement(ENDORSEMENT)), "endorsement.signature"),
    ],
)
def test_a_bad_endorsement_beside_the_credential_is_found(data: bytes, code: str) -> None:
    verdict = judge(GOOD, endorsements=[data])
    assert Finding.FAILED in {check.outcome for check in verdict.of(code)}


def test_an_endorsement_that_is_no_object_is_found() -> None:
    unsigned = build_credential(CLAIMS)
    unsigned["endorsement"] = ["urn:x:1"]
    verdict = judge(signed(unsigned))
    assert only(verdict, "endorsement.well_formed").outcome is Finding.FAILED


def test_a_withdrawn_endorsement_says_nothing_against_the_credential() -> None:
    name = did_key(EMPLOYER_KEY)
    withdrawn = replace(ENDORSEMENT, status=(StatusClaim(f"{ENDORSEMENT_ID}/list", 0),))
    house = web()
    taken = build_status_list_credential(
        f"{ENDORSEMENT_ID}/list", name, "revocation", b"\x80" + new_bits()[1:], valid_from=ISSUED
    )
    house.put(f"{ENDORSEMENT_ID}/list", signed(taken, EMPLOYER_KEY, f"{name}#{name.split(':')[2]}"))
    verdict = judge(GOOD, house, endorsements=[dump_json(signed_endorsement(withdrawn))])
    check = only(verdict, "endorsement.status.revocation")
    assert check.outcome is Finding.NOTED
    assert check.text == "It was revoked by its issuer."
    assert verdict.outcome is Outcome.VALID


def test_an_endorsement_that_ended_says_nothing_against_the_credential() -> None:
    ended = replace(ENDORSEMENT, valid_until=NOW - timedelta(days=1))
    verdict = judge(GOOD, endorsements=[dump_json(signed_endorsement(ended))])
    assert Finding.NOTED in {check.outcome for check in verdict.of("endorsement.dates")}
    assert verdict.outcome is Outcome.VALID


def test_endorsements_of_the_achievement_and_the_issuer_must_speak_of_them() -> None:
    unsigned = build_credential(CLAIMS)
    subject = unsigned["credentialSubject"]
    assert isinstance(subject, dict)
    about_issuer = replace(ENDORSEMENT, subject_id=DID)
    subject["achievement"]["endorsement"] = [signed_endorsement(about_issuer)]  # type: ignore[index, call-overload]
    unsigned["issuer"]["endorsement"] = [signed_endorsement(about_issuer)]  # type: ignore[index, call-overload]
    verdict = judge(signed(unsigned))
    assert [check.outcome for check in verdict.of("endorsement.subject")] == ["failed", "passed"]


def test_an_endorsement_alone_is_judged_like_any_credential() -> None:
    verdict = judge(signed_endorsement())
    assert verdict.outcome is Outcome.VALID
    assert outcomes(verdict)["schema"] is Finding.PASSED


def test_another_kind_of_credential_is_judged_without_its_form() -> None:
    verdict = judge(status_list("revocation"))
    assert verdict.outcome is Outcome.VALID
    assert outcomes(verdict)["schema"] is Finding.NOTED


def test_a_clock_that_is_a_little_behind_does_not_refuse() -> None:
    verdict = verify(dump_json(GOOD), fetch=web(), now=ISSUED - timedelta(minutes=4))
    assert outcomes(verdict)["dates"] is Finding.PASSED
    verdict = verify(dump_json(GOOD), fetch=web(), now=ISSUED - timedelta(minutes=6))
    assert only(verdict, "dates").text == "It is not valid before 2024-05-04T09:30:00Z."


def with_key_dates(**dates: str) -> Web:
    """The web with dates on the institution's key."""
    house = web()
    document = did_document()
    document["verificationMethod"][0].update(dates)  # type: ignore[index, call-overload, union-attr]
    house.put(did_web_url(DID), document)
    return house


@pytest.mark.parametrize("name", ["revoked", "expires"])
def test_a_key_counts_for_what_it_signed_before_it_ended(name: str) -> None:
    later = judge(GOOD, with_key_dates(**{name: "2024-05-04T09:30:01Z"}))
    assert later.outcome is Outcome.VALID
    earlier = judge(GOOD, with_key_dates(**{name: "2024-05-04T09:30:00Z"}))
    assert only(earlier, "issuer").outcome is Finding.FAILED
    assert only(earlier, "signature").outcome is Finding.PASSED


def test_a_credential_without_an_issuer_is_refused() -> None:
    unsigned = build_credential(CLAIMS)
    unsigned["issuer"] = [unsigned["issuer"]]
    verdict = judge(signed(unsigned))
    assert only(verdict, "issuer").text == "The document names no issuer."
    assert only(verdict, "signature").outcome is Finding.UNKNOWN


def test_an_issuer_whose_kind_of_name_is_not_read_is_unknown() -> None:
    claims = replace(CLAIMS, issuer=replace(CLAIMS.issuer, id="https://riverside.example/profile"))
    document = add_proof(
        build_credential(claims), KEY, "https://riverside.example/profile#key", ISSUED
    )
    verdict = judge(document)
    assert only(verdict, "issuer").outcome is Finding.UNKNOWN


def signed_with(**changes: object) -> JsonObject:
    """A credential whose own values were changed before it was signed."""
    unsigned = build_credential(CLAIMS)
    unsigned.update(changes)  # type: ignore[arg-type]
    return signed({key: value for key, value in unsigned.items() if value != ""})


ENTRY = build_status_entry(LISTS["revocation"], INDEX, "revocation")


@pytest.mark.parametrize(
    ("entry", "code", "outcome"),
    [
        ("urn:x:1", "status", Finding.FAILED),
        ({**ENTRY, "type": "BitstringStatusListEntry"}, "status.revocation", Finding.PASSED),
        ({**ENTRY, "type": ["BitstringStatusListEntry"]}, "status", Finding.FAILED),
        ({"id": "urn:x:1", "type": "1EdTechRevocationList"}, "status.revocation", Finding.UNKNOWN),
        ({"id": "urn:x:1", "type": "JsonSchema"}, "status", Finding.UNKNOWN),
        ({**ENTRY, "statusPurpose": "message"}, "status", Finding.NOTED),
        ({**ENTRY, "statusListIndex": 5}, "status.revocation", Finding.FAILED),
        (
            {key: value for key, value in ENTRY.items() if key != "statusListCredential"},
            "status.revocation",
            Finding.FAILED,
        ),
        ("", "status", Finding.NOTED),
    ],
)
def test_each_kind_of_status_entry_is_told_apart(
    entry: object, code: str, outcome: Finding
) -> None:
    assert only(judge(signed_with(credentialStatus=entry)), code).outcome is outcome


def test_a_list_signed_in_another_name_does_not_count() -> None:
    house = web()
    name = EMPLOYER.id
    other = build_status_list_credential(
        LISTS["revocation"], name, "revocation", new_bits(), valid_from=ISSUED
    )
    method = f"{name}#{name.split(':')[2]}"
    house.put(LISTS["revocation"], signed(other, EMPLOYER_KEY, method))
    assert "issued by somebody else" in only(judge(GOOD, house), "status.revocation").text


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": ""}, "name is missing"),
        ({"validFrom": ""}, "validFrom is missing"),
        ({"credentialSubject": "urn:x:1"}, "credentialSubject is not an object"),
        (
            {"credentialSubject": {"type": ["Profile"], "id": "urn:x:2"}},
            "credentialSubject.achievement is missing",
        ),
        (
            {"credentialSubject": {"type": ["Profile"], "id": "urn:x:2"}},
            "credentialSubject.achievement is not an object",
        ),
        ({"evidence": ["urn:x:3"]}, "evidence has an item that is not Evidence"),
        ({"credentialStatus": {"id": "urn:x:4"}}, "credentialStatus has no type"),
    ],
)
def test_a_badge_without_the_form_of_one_is_refused(
    changes: dict[str, object], problem: str
) -> None:
    check = only(judge(signed_with(**changes)), "schema")
    assert check.outcome is Finding.FAILED
    assert problem in check.text


@pytest.mark.parametrize("text", [None, "{", '{"type": 5}'])
def test_schemas_that_are_not_there_or_are_none_do_not_count(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "ob_v3p0_achievementcredential_schema.json").write_text(text)
    assert only(judge(GOOD, schemas=tmp_path), "schema").outcome is Finding.PASSED


def test_a_schema_that_is_there_decides_as_well(tmp_path: Path) -> None:
    schema = '{"properties": {"name": {"const": "Welding"}}}'
    (tmp_path / "ob_v3p0_achievementcredential_schema.json").write_text(schema)
    check = only(judge(GOOD, schemas=tmp_path), "schema")
    assert check.outcome is Finding.FAILED
    assert "name: 'Welding' was expected" in check.text


def test_types_beside_the_expected_one_do_no_harm() -> None:
    unsigned = build_credential(CLAIMS)
    unsigned["credentialSubject"]["type"] = ["Profile", "AchievementSubject"]  # type: ignore[index, call-overload]
    assert only(judge(signed(unsigned)), "schema").outcome is Finding.PASSED
    unsigned["credentialSubject"]["achievement"]["type"] = ["Achievement", "Profile"]  # type: ignore[index, call-overload]
    assert only(judge(signed(unsigned)), "schema").outcome is Finding.PASSED


def test_contexts_in_another_order_are_not_open_badges() -> None:
    unsigned = build_credential(CLAIMS)
    unsigned["@context"] = [*unsigned["@context"]][::-1]  # type: ignore[misc]
    assert judge(signed(unsigned)).outcome is Outcome.NOT_VALID


def test_a_proof_that_ended_is_refused() -> None:
    document = build_credential(CLAIMS)
    proof = add_proof(document, KEY, METHOD, ISSUED)["proof"][0]  # type: ignore[index, call-overload]
    expired = {**document, "proof": [{**proof, "expires": "2024-05-05T00:00:00Z"}]}  # type: ignore[dict-item]
    check = only(judge(expired), "dates")
    assert check.text == "Its signature was valid until 2024-05-05T00:00:00Z."


def test_dates_that_are_none_are_refused() -> None:
    assert only(judge(signed_with(validUntil="soon")), "dates").outcome is Finding.FAILED


def test_what_is_no_credential_is_not_valid_and_a_kind_not_read_cannot_be_told() -> None:
    for junk in (b"eyJhbGciOiJ9.eyJ9.c2ln", b"%PDF-1.7", b"nonsense"):
        assert judge(junk).outcome is Outcome.NOT_VALID
    proof = {"type": "DataIntegrityProof", "cryptosuite": "ecdsa-rdfc-2019"}
    verdict = judge({**build_credential(CLAIMS), "proof": [proof]})
    assert only(verdict, "signature").outcome is Finding.UNKNOWN
    assert verdict.outcome is Outcome.CANNOT_TELL


def test_a_document_that_is_not_sound_and_not_signed_is_not_well_formed() -> None:
    verdict = judge({**build_credential(CLAIMS), "bogus": 1})
    assert outcomes(verdict) == {"well_formed": Finding.FAILED}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.just(CREDENTIAL_ID),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*GOOD, "id", "type", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*GOOD, "bogus"]), JSON, min_size=1, max_size=3))
def test_no_document_makes_the_verdict_fail_in_another_way(changes: dict[str, object]) -> None:
    verdict = judge(json.dumps({**GOOD, **changes}).encode())
    assert verdict.outcome is not Outcome.VALID or {**GOOD, **changes} == GOOD
    resigned = {**build_credential(CLAIMS), **changes}
    resigned.pop("proof", None)
    try:
        data = dump_json(signed(resigned))  # type: ignore[arg-type]
    except CredentialError:
        return
    assert judge(data).checks


def also_signed(key: PrivateKey, *, over_the_first: bool = False, **changes: object) -> JsonObject:
    """The good credential with a second proof by a did:key, as a set or as a chain."""
    name = did_key(key)
    document = build_credential(CLAIMS)
    first = proof_options("eddsa-rdfc-2022", METHOD, ISSUED)
    second = proof_options("eddsa-jcs-2022", f"{name}#{name.split(':')[2]}", ISSUED)
    if over_the_first:
        first, second = {**first, "id": "urn:p:1"}, {**second, "previousProof": "urn:p:1"}
    once = append_proof(document, first, KEY, compiled.canonicalize)
    return {**append_proof(once, second, key, compiled.canonicalize), **changes}  # type: ignore[dict-item]


@pytest.mark.parametrize("chained", [False, True])
def test_a_second_signature_is_told_beside_the_issuers(chained: bool) -> None:
    verdict = judge(also_signed(EMPLOYER_KEY, over_the_first=chained))
    assert verdict.outcome is Outcome.VALID, verdict.checks
    first, second = verdict.of("signature")
    assert "nothing was changed" in first.text and "as well" in second.text
    changed = judge(also_signed(EMPLOYER_KEY, over_the_first=chained, name="Welding"))
    assert [check.outcome for check in changed.of("signature")] == [Finding.FAILED] * 2


def test_proofs_of_others_alone_are_not_the_issuers() -> None:
    document = also_signed(EMPLOYER_KEY)
    second = as_list(document["proof"])[1]
    verdict = judge({**document, "proof": [second, {**second, "id": "urn:p:2"}]})  # type: ignore[dict-item]
    assert only(verdict, "issuer").outcome is Finding.FAILED
    many = judge({**document, "proof": [second] * 5})
    assert "more proofs" in only(many, "signature").text


def test_a_signature_with_the_jcs_suite_is_good_too() -> None:
    options = proof_options("eddsa-jcs-2022", METHOD, ISSUED)
    document = append_proof(build_credential(CLAIMS), options, KEY, compiled.canonicalize)
    assert judge(document).outcome is Outcome.VALID
    assert only(judge({**document, "name": "Welding"}), "signature").outcome is Finding.FAILED
