"""What is a verifiable credential, a presentation, a status entry, a related resource; and not."""

import gzip
import hashlib

import pytest

from credentials.contexts import CREDENTIALS_V1, CREDENTIALS_V2
from credentials.data_model import check_credential, check_presentation
from credentials.digests import multibase_sha256
from credentials.documents import JsonObject, JsonValue
from credentials.envelopes import check_envelope
from credentials.errors import BadStatus, CannotFetch, CredentialError, Malformed
from credentials.multibase import to_base64url
from credentials.related import check_related
from credentials.status_entry import check_list, read_entry

LIST_URL = "https://issuer.example/status/1"
GOOD: JsonObject = {
    "@context": [CREDENTIALS_V2],
    "type": ["VerifiableCredential"],
    "issuer": "did:example:issuer",
    "credentialSubject": {"id": "did:example:subject"},
}
VERSION_1: JsonObject = {
    **GOOD,
    "@context": [CREDENTIALS_V1],
    "issuanceDate": "2023-01-01T00:00:00Z",
}
ENTRY: JsonObject = {
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "9",
    "statusListCredential": LIST_URL,
}
MESSAGES: list[JsonValue] = [
    {"status": "0x0", "message": "open"},
    {"status": "0x1", "message": "pending"},
    {"status": "0x2", "message": "accepted"},
    {"status": "0x3", "message": "refused"},
]
PRESENTATION: JsonObject = {"@context": [CREDENTIALS_V2], "type": "VerifiablePresentation"}


@pytest.mark.parametrize(
    "more",
    [
        {"id": "urn:uuid:1", "type": ["https://a.example/T", "VerifiableCredential"]},
        {"issuer": {"id": "https://a.example", "name": {"@value": "A", "@language": "en-GB"}}},
        {"name": [{"@value": "Hund", "@language": "de"}, {"@value": "כלב", "@direction": "rtl"}]},
        {"validFrom": "2023-02-25T19:10:39.5-06:00", "validUntil": "2023-02-26T01:10:39.5Z"},
        {"credentialSubject": [{"id": "did:example:a"}, {"name": "B"}]},
        {"credentialSchema": {"id": "did:example:s", "type": "JsonSchema"}},
        {"credentialStatus": [ENTRY, {"type": "OtherStatus"}]},
        {"evidence": [{"type": "A"}, {"type": ["B"], "id": "urn:x"}], "termsOfUse": {"type": "T"}},
        {"refreshService": {"type": "https://a.example/R"}},
    ],
)
def test_takes_what_the_data_model_allows(more: JsonObject) -> None:
    check_credential({**GOOD, **more})
    check_credential({**VERSION_1, **more})


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"@context": []}, "@context"),
        ({"@context": ["https://www.w3.org/ns/credentials/examples/v2", CREDENTIALS_V2]}, "begin"),
        ({"@context": [CREDENTIALS_V2, CREDENTIALS_V1]}, "two versions"),
        ({"id": None}, "id that is not"),
        ({"id": ["urn:a", "urn:b"]}, "id that is not"),
        ({"id": "https ://a.example/1"}, "id that is not"),
        ({"id": "relative"}, "id that is not"),
        ({"type": []}, "no type"),
        ({"type": ["VerifiableCredential", 7]}, "no type"),
        ({"type": "RelationshipCredential"}, "does not have the type"),
        ({"issuer": None}, "issuer"),
        ({"issuer": "somebody"}, "issuer"),
        ({"issuer": ["did:example:a"]}, "issuer"),
        ({"issuer": {"id": None}}, "issuer"),
        ({"issuer": {"name": "A"}}, "issuer"),
        ({"credentialSubject": None}, "not an object"),
        ({"credentialSubject": []}, "not an object"),
        ({"credentialSubject": "did:example:a"}, "not an object"),
        ({"credentialSubject": {}}, "says nothing"),
        ({"credentialSubject": [{"id": "did:example:a"}, {}]}, "says nothing"),
        ({"credentialSubject": {"id": ["did:example:a"]}}, "id that is not"),
        ({"validFrom": "Sat 25 Feb 2023"}, "date and time"),
        ({"validFrom": "2023-02-25T00:00:00"}, "date and time"),
        ({"validUntil": 7}, "not a text"),
        (
            {"validFrom": "2024-01-01T00:00:00Z", "validUntil": "2023-01-01T00:00:00Z"},
            "ends before",
        ),
        ({"credentialStatus": {"id": "did:example:s"}}, "no type"),
        ({"credentialStatus": {"type": 2}}, "no type"),
        ({"credentialStatus": {"type": "X", "id": ["urn:a", "urn:b"]}}, "id that is not"),
        ({"credentialStatus": {**ENTRY, "statusListIndex": True}}, "not a number"),
        ({"termsOfUse": {}}, "no type"),
        ({"evidence": "https://a.example"}, "not an object"),
        ({"refreshService": {"id": "urn:a"}}, "no type"),
        ({"credentialSchema": {"type": "JsonSchema"}}, "no id"),
        ({"credentialSchema": {"id": "https ://x", "type": "JsonSchema"}}, "id that is not"),
        ({"proof": {"created": "2023-01-01T00:00:00Z"}}, "no type"),
        ({"proof": None}, "not an object"),
        ({"name": 7}, "name"),
        ({"description": {"text": "A"}}, "description"),
        ({"description": {"@value": "A", "@language": "en", "url": "x"}}, "other parts"),
        ({"issuer": {"id": "urn:a", "name": {"@value": "A", "@language": "e n"}}}, "other parts"),
        ({"credentialSubject": {"a": {"@value": "A", "@direction": "up"}}}, "other parts"),
    ],
)
def test_refuses_what_the_data_model_does_not_allow(more: JsonObject, reason: str) -> None:
    with pytest.raises(CredentialError, match=reason):
        check_credential({**GOOD, **more})


def test_version_1_says_when_it_was_issued() -> None:
    with pytest.raises(Malformed, match="issuanceDate"):
        check_credential({**GOOD, "@context": [CREDENTIALS_V1]})


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"type": None}, "no type"),
        ({"type": ["VerifiableCredential"]}, "does not have the type"),
        ({"@context": [{"A": "urn:a"}, CREDENTIALS_V2]}, "begin"),
        ({"holder": "z6Mk"}, "holder"),
        ({"holder": {"name": "Acme"}}, "holder"),
        ({"verifiableCredential": ["eyJ"]}, "not an object"),
        ({"verifiableCredential": [GOOD] * 21}, "more credentials"),
    ],
)
def test_refuses_what_is_no_presentation(more: JsonObject, reason: str) -> None:
    check_presentation({**PRESENTATION, "holder": {"id": "did:example:h"}})
    with pytest.raises(Malformed, match=reason):
        check_presentation({**PRESENTATION, **more})


@pytest.mark.parametrize(
    "more",
    [
        {"@context": []},
        {"type": "EnvelopedVerifiablePresentation"},
        {"type": ["EnvelopedVerifiableCredential", "VerifiableCredential"]},
        {"id": "eyJhbGciOiJFUzI1NiJ9.e30.c2ln"},
        {"id": 7},
    ],
)
def test_refuses_what_is_no_envelope(more: JsonObject) -> None:
    envelope: JsonObject = {
        "@context": CREDENTIALS_V2,
        "type": "EnvelopedVerifiableCredential",
        "id": "data:application/vc+jwt,eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
    }
    check_envelope(envelope, "EnvelopedVerifiableCredential")
    with pytest.raises(Malformed):
        check_envelope({**envelope, **more}, "EnvelopedVerifiableCredential")


def a_list(bits: bytes, **more: JsonValue) -> JsonObject:
    subject: JsonObject = {
        "type": "BitstringStatusList",
        "statusPurpose": "revocation",
        "encodedList": to_base64url(gzip.compress(bits)),
        **more,
    }
    types: list[JsonValue] = ["VerifiableCredential", "BitstringStatusListCredential"]
    return {"id": LIST_URL, "type": types, "credentialSubject": subject}


def bits_with(position: int, length: int = 16_384) -> bytes:
    bits = bytearray(length)
    bits[position // 8] |= 0x80 >> position % 8
    return bytes(bits)


def test_a_status_of_one_bit_is_the_bit_at_its_place() -> None:
    assert read_entry(a_list(bits_with(9)), ENTRY).value == 1
    assert read_entry(a_list(bits_with(8)), ENTRY).value == 0


@pytest.mark.parametrize(("bit", "value"), [(18, 2), (19, 1), (20, 0), (17, 0)])
def test_a_status_of_two_bits_has_a_message_for_each_value(bit: int, value: int) -> None:
    entry: JsonObject = {
        **ENTRY,
        "statusPurpose": "message",
        "statusSize": 2,
        "statusMessage": MESSAGES,
    }
    status = read_entry(a_list(bits_with(bit, 32_768), statusPurpose=["x", "message"]), entry)
    assert (status.purpose, status.value) == ("message", value)
    assert {"status": f"0x{value}", "message": status.message} in MESSAGES


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"statusPurpose": None}, "what it is for"),
        ({"statusPurpose": "suspension"}, "another purpose"),
        ({"statusListIndex": 9}, "not a number"),
        ({"statusListIndex": "-1"}, "not a number"),
        ({"statusListIndex": "09"}, "not a number"),
        ({"statusListIndex": "131072"}, "no place"),
        ({"statusListCredential": "list"}, "no list"),
        ({"statusListCredential": "https://issuer.example/other"}, "another one"),
        ({"id": LIST_URL}, "address of the list"),
        ({"statusSize": 0}, "from 1 to 8"),
        ({"statusSize": True}, "from 1 to 8"),
        ({"statusSize": 2}, "one message for each"),
        ({"statusSize": 2, "statusMessage": MESSAGES[:3]}, "one message for each"),
        ({"statusSize": 2, "statusMessage": MESSAGES}, "shorter"),
        ({"statusMessage": [{"status": "0", "message": "x"}]}, "no value or no words"),
        ({"statusMessage": ["x", "y"]}, "no value or no words"),
        ({"statusReference": ["https://a.example", "b"]}, "refers to"),
    ],
)
def test_refuses_an_entry_that_is_malformed(more: JsonObject, reason: str) -> None:
    with pytest.raises(BadStatus, match=reason):
        read_entry(a_list(bits_with(9)), {**ENTRY, **more})


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (a_list(bits_with(1, 16_383)), "shorter"),
        (a_list(bits_with(1), type="RevocationList2020"), "not a status list"),
        (a_list(bits_with(1), statusPurpose=[]), "what it is for"),
        (a_list(bits_with(1), statusPurpose=[7]), "what it is for"),
        (a_list(bits_with(1), ttl=-1), "how long|How long"),
        (a_list(bits_with(1), ttl="5"), "How long"),
        (a_list(bits_with(1), encodedList="H4sIA"), "base64url"),
        (a_list(bits_with(1), encodedList="uAAAA"), "damaged"),
        ({**a_list(bits_with(1)), "type": "VerifiableCredential"}, "not a status list"),
        ({**a_list(bits_with(1)), "credentialSubject": []}, "not a status list"),
    ],
)
def test_refuses_a_list_that_is_malformed(document: JsonObject, reason: str) -> None:
    with pytest.raises(BadStatus, match=reason):
        check_list(document)


PICTURE = b"a picture"
PICTURE_URL = "https://issuer.example/logo.png"
SHA256 = hashlib.sha256(PICTURE).digest()
V2_SRI = "sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg"


def bytes_at(url: str) -> bytes:
    if url != PICTURE_URL:
        raise CannotFetch("%(url)s is not there.", url=url)
    return PICTURE


@pytest.mark.parametrize(
    "resource",
    [
        {"id": PICTURE_URL, "digestMultibase": to_base64url(b"\x12\x20" + SHA256)},
        {"id": PICTURE_URL, "digestMultibase": to_base64url(SHA256), "mediaType": "image/png"},
        {"id": CREDENTIALS_V2, "digestSRI": V2_SRI},
        {
            "id": CREDENTIALS_V2,
            "digestMultibase": multibase_sha256(
                "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"
            ),
        },
    ],
)
def test_related_resources_have_the_bytes_that_are_said(resource: JsonObject) -> None:
    check_related({"relatedResource": resource}, bytes_at)


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ([CREDENTIALS_V2], "not an object"),
        ([{"digestSRI": V2_SRI}], "no address"),
        ([{"id": CREDENTIALS_V2, "digestSRI": V2_SRI}] * 2, "no address of its own"),
        ([{"id": CREDENTIALS_V2}], "no digest"),
        ([{"id": CREDENTIALS_V2, "digestSRI": "sha384-AAAA"}], "not a digest"),
        ([{"id": CREDENTIALS_V2, "digestSRI": "md5-AAAA"}], "not a digest"),
        ([{"id": CREDENTIALS_V2, "digestMultibase": "uAAAA"}], "not a digest"),
        ([{"id": CREDENTIALS_V2, "digestMultibase": 7}], "not a text"),
        ([{"id": PICTURE_URL, "digestSRI": V2_SRI}], "other bytes"),
        ([{"id": CREDENTIALS_V2, "digestMultibase": to_base64url(SHA256)}], "other bytes"),
        ([{"id": "https://a.example/x", "digestSRI": V2_SRI}], "not there"),
        ([{"id": f"urn:{n}"} for n in range(11)], "more related"),
    ],
)
def test_refuses_related_resources_with_other_bytes(resources: JsonValue, reason: str) -> None:
    with pytest.raises(CredentialError, match=reason):
        check_related({"relatedResource": resources}, bytes_at)
