"""What speaks against presentations and credentials that others signed, asked by programs."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from credentials.canonical import canonicalize
from credentials.contexts import CREDENTIALS_V2
from credentials.did import PublishedKey, build_did_document
from credentials.documents import JsonObject, JsonValue, as_list, dump_json
from credentials.errors import CannotFetch
from credentials.keys import did_key, private_from_seed, public_multibase
from credentials.parts import Setting
from credentials.proof_sets import append_proof
from credentials.proofs import ASSERTION, AUTHENTICATION, CRYPTOSUITE, proof_options
from credentials.status_list import (
    build_status_entry,
    build_status_list_credential,
    new_bits,
    set_bit,
)
from credentials.verifier import Question, against_credential, against_presentation

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)
KEY, OTHER = private_from_seed(b"\x01" * 32), private_from_seed(b"\x02" * 32)
HOLDER = did_key(KEY)
METHOD = f"{HOLDER}#{public_multibase(KEY)}"
HOUSE = "did:web:house.example"
LIST = "https://house.example/status/1"
CREDENTIAL: JsonObject = {
    "@context": [CREDENTIALS_V2],
    "type": ["VerifiableCredential"],
    "issuer": HOUSE,
    "credentialSubject": {"id": HOLDER, "name": "Ana"},
}
PRESENTATION: JsonObject = {
    "@context": [CREDENTIALS_V2],
    "type": ["VerifiablePresentation"],
    "holder": HOLDER,
}


class World:
    """What can be fetched; the house's DID document is there."""

    def __init__(self) -> None:
        self.documents: dict[str, JsonObject] = {
            "https://house.example/.well-known/did.json": build_did_document(
                HOUSE, [PublishedKey("key-1", public_multibase(KEY))]
            )
        }

    def __call__(self, url: str, /) -> bytes:
        if url not in self.documents:
            raise CannotFetch("%(url)s is not there.", url=url)
        return dump_json(self.documents[url])


def question(
    world: World | None = None, domain: str | None = None, challenge: str | None = None
) -> Question:
    setting = Setting(world or World(), NOW, None)
    return Question(setting, canonicalize, domain=domain, challenge=challenge)


def signed(
    document: JsonObject,
    method: str = f"{HOUSE}#key-1",
    purpose: str = ASSERTION,
    **says: JsonValue,
) -> JsonObject:
    options = {**proof_options(CRYPTOSUITE, method, NOW, purpose), **says}
    return append_proof(document, options, KEY, canonicalize)


def presented(document: JsonObject = PRESENTATION, **says: JsonValue) -> JsonObject:
    return signed(document, METHOD, AUTHENTICATION, **says)


def credential(document: JsonObject, world: World | None = None) -> list[str]:
    return [error.reason for error in against_credential(document, question(world))]


def presentation(
    document: JsonObject, domain: str | None = None, challenge: str | None = None
) -> list[str]:
    asked = question(domain=domain, challenge=challenge)
    return [error.reason for error in against_presentation(document, asked)]


def test_nothing_speaks_against_what_is_good() -> None:
    good: JsonObject = {**PRESENTATION, "verifiableCredential": [signed(CREDENTIAL)]}
    made = presented(good, domain=["a.example", "b.example"], challenge="1")
    assert presentation(made, "b.example", "1") == []


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (presented(domain="a.example"), "does not answer the challenge"),
        (presented(challenge="1"), "not made for a.example"),
        (presented(domain=[7], challenge="1"), "not a text"),
        (signed(PRESENTATION, METHOD), "not made for authentication"),
        (presented({**PRESENTATION, "holder": HOUSE}, domain="a.example", challenge="1"), "key of"),
        (
            signed(
                PRESENTATION, f"{HOUSE}#key-1", AUTHENTICATION, domain="a.example", challenge="1"
            ),
            "may not be used for authentication",
        ),
        ({**presented(), "type": "VerifiablePresentation", "id": "urn:x"}, "does not match"),
    ],
)
def test_a_presentation_for_somebody_else_or_by_somebody_else_is_none(
    document: JsonObject, reason: str
) -> None:
    assert any(reason in one for one in presentation(document, "a.example", "1"))


def test_a_proof_ends_when_it_says_and_a_key_when_it_was_revoked() -> None:
    assert credential(signed(CREDENTIAL, expires="2026-05-04T09:59:59Z")) == [
        "Its signature was valid until 2026-05-04T09:59:59Z."
    ]
    world = World()
    (document,) = world.documents.values()
    method = as_list(document["verificationMethod"])[0]
    assert isinstance(method, dict)
    method["revoked"] = "2026-05-04T09:00:00Z"
    assert "no longer in use" in credential(signed(CREDENTIAL), world)[0]
    method |= {"revoked": "2026-05-05T09:00:00Z", "controller": "did:web:elsewhere.example"}
    assert "may not be used" in credential(signed(CREDENTIAL), world)[0]


def test_an_issuer_that_cannot_be_asked_is_not_believed() -> None:
    away: JsonObject = {**CREDENTIAL, "issuer": "did:web:away.example"}
    assert "is not there" in credential(signed(away, "did:web:away.example#1"))[0]
    strange: JsonObject = {**CREDENTIAL, "issuer": "did:ion:x"}
    assert "not read yet" in credential(signed(strange, "did:ion:x#1"))[0]


def with_list(
    purpose: str, *, place: int, until: datetime | None = None
) -> tuple[JsonObject, World]:
    """A credential at place 9 of a list in which one place is set, and where the list is."""
    world = World()
    bits = set_bit(new_bits(), place, True)
    listed = build_status_list_credential(
        LIST, HOUSE, purpose, bits, valid_from=NOW - timedelta(days=1), valid_until=until
    )
    world.documents[LIST] = signed(listed)
    return signed({**CREDENTIAL, "credentialStatus": build_status_entry(LIST, 9, purpose)}), world


@pytest.mark.parametrize(
    ("purpose", "place", "said"),
    [
        ("revocation", 8, []),
        ("revocation", 9, ["It was revoked by its issuer."]),
        ("suspension", 9, ["It is suspended by its issuer."]),
        ("refresh", 9, []),
    ],
)
def test_the_bit_speaks_for_what_it_is_for(purpose: str, place: int, said: list[str]) -> None:
    assert credential(*with_list(purpose, place=place)) == said


def test_a_list_that_is_away_changed_or_over_is_not_relied_on() -> None:
    document, world = with_list("revocation", place=8)
    world.documents[LIST] = {**world.documents[LIST], "name": "Changed"}
    assert "list is not good" in credential(document, world)[0]
    del world.documents[LIST]
    assert "is not there" in credential(document, world)[0]
    over, world = with_list("revocation", place=8, until=NOW - timedelta(hours=1))
    assert "list is not good: It was valid until" in credential(over, world)[0]
    other = signed({**CREDENTIAL, "credentialStatus": {"type": "https://a.example/Other"}})
    assert credential(other) == ["Its status is of a kind that Assay does not read."]


def in_envelope(payload: JsonObject, kid: str = METHOD) -> JsonObject:
    """A presentation as a token (EdDSA)."""
    header: JsonObject = {"alg": "EdDSA", "kid": kid, "typ": "vp+jwt"}
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()) for one in (header, payload)]
    body = b".".join(part.rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(KEY.sign(body)).rstrip(b"=")
    token = (body + b"." + signature).decode()
    return {
        "@context": CREDENTIALS_V2,
        "type": "EnvelopedVerifiablePresentation",
        "id": f"data:application/vp+jwt,{token}",
    }


CLAIMS: JsonObject = {"iss": HOLDER, "aud": "a.example", "nonce": "1", "vp": PRESENTATION}


def test_a_presentation_in_an_envelope_is_one() -> None:
    assert presentation(in_envelope(CLAIMS), "a.example", "1") == []
    nothing: JsonObject = {**CLAIMS, "vp": {**PRESENTATION, "verifiableCredential": [CREDENTIAL]}}
    assert presentation(in_envelope(nothing), "a.example", "1") == [
        "The document carries no proof."
    ]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (in_envelope({**CLAIMS, "nonce": "2"}), "challenge"),
        (in_envelope({**CLAIMS, "aud": "b.example"}), "not made for a.example"),
        (in_envelope({**CLAIMS, "exp": 1}), "over its time"),
        (in_envelope({**CLAIMS, "exp": "tomorrow"}), "over its time"),
        (in_envelope({**CLAIMS, "iss": HOUSE}), "key of"),
        (in_envelope({**CLAIMS, "vp": {**PRESENTATION, "holder": did_key(OTHER)}}), "key of"),
        (in_envelope({**CLAIMS, "vp": "x"}), "not an object"),
        (in_envelope({**CLAIMS, "iss": did_key(OTHER)}, did_key(OTHER)), "key of"),
        (
            in_envelope({"aud": "a.example", "nonce": "1", "vp": CREDENTIAL}),
            "does not have the type",
        ),
        (
            in_envelope({"aud": "a.example", "nonce": "1", "vp": {**PRESENTATION, "x": 1}}),
            "do not define the term",
        ),
        (
            in_envelope(
                {"nonce": "1", "aud": "a.example", "vp": {**PRESENTATION, "holder": HOUSE}},
                f"{HOUSE}#key-1",
            ),
            "may not be used for authentication",
        ),
        ({**in_envelope(CLAIMS), "id": "data:application/vp+cose,x"}, "not read yet"),
        ({**in_envelope(CLAIMS), "@context": []}, "@context"),
    ],
)
def test_refuses_a_presentation_in_an_envelope(document: JsonObject, reason: str) -> None:
    assert any(reason in one for one in presentation(document, "a.example", "1"))
