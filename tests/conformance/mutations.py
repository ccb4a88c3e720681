"""Every way of being wrong that a verifier must notice, each made from one good credential.

`code` is the check of ours that must fail, or, for what says nothing about today, be unknown
(`finding`). `theirs` and `node` say whether openbadgeslib and
Digital Bazaar's library look at this at all: where they do, they must refuse as well.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast

from credentials.did import did_web_url
from credentials.documents import JsonObject, dump_json
from credentials.keys import did_key
from credentials.openbadges import StatusClaim, build_credential
from credentials.proofs import add_proof
from credentials.status_list import build_status_list_credential, new_bits
from credentials.verdict import Finding
from tests.fixtures.badges import (
    CLAIMS,
    CREDENTIAL_ID,
    DID,
    ENDORSEMENT,
    INDEX,
    ISSUED,
    LISTS,
    METHOD,
    NOW,
    OTHER_KEY,
    Web,
    did_document,
    signed,
    signed_credential,
    signed_endorsement,
    status_list,
    web,
)


@dataclass
class Case:
    """A credential as somebody hands it over, and the web as it is at that moment."""

    credential: bytes
    web: Web


@dataclass(frozen=True)
class Mutation:
    """A way of being wrong."""

    name: str
    make: Callable[[], Case]
    code: str
    theirs: bool = True
    node: bool = True
    finding: Finding = Finding.FAILED


MUTATIONS: list[Mutation] = []


def mutation(
    code: str, *, theirs: bool = True, node: bool = True, finding: Finding = Finding.FAILED
) -> Callable[..., object]:
    """Put a function into the table under its own name."""

    def keep(make: Callable[[], Case]) -> Callable[[], Case]:
        MUTATIONS.append(Mutation(make.__name__, make, code, theirs, node, finding))
        return make

    return keep


def edited(change: Callable[[JsonObject], object], document: JsonObject | None = None) -> Case:
    """The credential with a change made after it was signed."""
    credential = copy.deepcopy(document or signed_credential())
    change(credential)
    return Case(dump_json(credential), web())


def at(document: JsonObject, *path: str | int) -> JsonObject:
    """The object at a place in a document."""
    node: object = document
    for step in path:
        node = cast(dict[str | int, object], node)[step]
    return cast(JsonObject, node)


@mutation("signature")
def changed_name() -> Case:
    return edited(lambda c: c.update(name="Welding"))


@mutation("signature")
def changed_evidence_link() -> Case:
    return edited(lambda c: at(c, "evidence", 0).update(id="https://elsewhere.example/e/1"))


@mutation("signature")
def changed_evidence_digest() -> Case:
    other = "uEiDVFi1q1YbPVJWU7Ha4wUTCkuGB-ySTYhzZkgzbkK0KpQ"
    return edited(lambda c: at(c, "evidence", 0).update(digestMultibase=other))


@mutation("signature")
def removed_evidence() -> Case:
    return edited(lambda c: c.pop("evidence"))


@mutation("signature")
def raised_level() -> Case:
    level = CLAIMS.achievement.criteria[1].levels[3].id
    return edited(lambda c: at(c, "credentialSubject", "result", 1).update(achievedLevel=level))


@mutation("endorsement.signature")
def changed_nested_endorsement() -> Case:
    def change(c: JsonObject) -> None:
        at(c, "endorsement", 0, "credentialSubject").update(endorsementComment="The very best.")

    return edited(change)


@mutation("signature")
def changed_status_index() -> Case:
    return edited(lambda c: at(c, "credentialStatus").update(statusListIndex="4712"))


@mutation("signature")
def removed_status() -> Case:
    return edited(lambda c: c.pop("credentialStatus"))


@mutation("signature")
def removed_proof() -> Case:
    return edited(lambda c: c.pop("proof"))


@mutation("signature")
def another_created() -> Case:
    return edited(lambda c: at(c, "proof", 0).update(created="2024-05-04T09:30:01Z"))


@mutation("signature")
def another_purpose() -> Case:
    return edited(lambda c: at(c, "proof", 0).update(proofPurpose="authentication"))


@mutation("signature")
def proof_of_another_credential() -> Case:
    other = signed(build_credential(replace(CLAIMS, id=f"{CREDENTIAL_ID}-2")))
    return edited(lambda c: c.update(proof=other["proof"]))


@mutation("signature")
def another_key_in_the_did_document() -> Case:
    case = Case(dump_json(signed_credential()), web())
    case.web.put(did_web_url(DID), did_document(OTHER_KEY))
    return case


@mutation("issuer")
def key_missing_from_the_did_document() -> Case:
    case = Case(dump_json(signed_credential()), web())
    document = did_document()
    document.update(verificationMethod=[], assertionMethod=[])
    case.web.put(did_web_url(DID), document)
    return case


@mutation("issuer", theirs=False)
def key_outside_assertion_method() -> Case:
    case = Case(dump_json(signed_credential()), web())
    document = did_document()
    document.update(assertionMethod=[], authentication=[METHOD])
    case.web.put(did_web_url(DID), document)
    return case


@mutation("issuer", theirs=False)
def key_controlled_by_another() -> Case:
    case = Case(dump_json(signed_credential()), web())
    document = did_document()
    at(document, "verificationMethod", 0).update(controller="did:web:elsewhere.example")
    case.web.put(did_web_url(DID), document)
    return case


@mutation("issuer")
def signed_by_a_stranger_in_the_issuers_name() -> Case:
    name = did_key(OTHER_KEY)
    unsigned = build_credential(CLAIMS)
    forged = add_proof(unsigned, OTHER_KEY, f"{name}#{name.split(':')[2]}", ISSUED)
    return Case(dump_json(forged), web())


@mutation("well_formed")
def undefined_term() -> Case:
    return edited(lambda c: c.update(honours="summa cum laude"))


@mutation("well_formed")
def undefined_type() -> Case:
    return edited(lambda c: c.update(type=[*cast(list[str], c["type"]), "GoldCredential"]))


@mutation("well_formed")
def relative_address() -> Case:
    return edited(lambda c: at(c, "evidence", 0).update(id="evidence/1"))


@mutation("well_formed", node=False)
def context_of_its_own() -> Case:
    context = {"honours": "https://elsewhere.example/honours"}
    return edited(lambda c: c.update({"@context": [*cast(list[str], c["@context"]), context]}))


@mutation("well_formed", node=False)
def status_hidden_under_its_address() -> Case:
    def change(c: JsonObject) -> None:
        c["https://www.w3.org/2018/credentials#credentialStatus"] = c.pop("credentialStatus")

    return edited(change)


@mutation("well_formed", node=False)
def status_moved_to_another_mention() -> Case:
    endorsed = replace(CLAIMS, endorsements=(signed_endorsement(),))

    def change(c: JsonObject) -> None:
        mention = at(c, "endorsement", 0, "credentialSubject")
        mention.update(type=["EndorsementSubject", "VerifiableCredential"])
        mention["credentialStatus"] = c.pop("credentialStatus")

    return edited(change, signed(build_credential(endorsed)))


@mutation("well_formed", theirs=False, node=False)
def evidence_split_over_two_places() -> Case:
    def change(c: JsonObject) -> None:
        item = at(c, "evidence", 0)
        moved = {"id": item["id"], "digestMultibase": item.pop("digestMultibase")}
        cast(list[JsonObject], c["evidence"]).append(moved)

    return edited(change)


@mutation("well_formed", theirs=False, node=False)
def key_that_stands_twice() -> Case:
    text = dump_json(signed_credential())
    return Case(text.replace(b'"name":', b'"name": "Welding", "name":', 1), web())


@mutation("dates")
def past_valid_until() -> Case:
    ended = replace(CLAIMS, valid_until=ISSUED + timedelta(days=1))
    return Case(dump_json(signed(build_credential(ended))), web())


@mutation("dates")
def future_valid_from() -> Case:
    early = replace(CLAIMS, valid_from=ISSUED + timedelta(days=5000))
    return Case(dump_json(signed(build_credential(early))), web())


@mutation("status.revocation")
def revoked() -> Case:
    case = Case(dump_json(signed_credential()), web())
    case.web.put(LISTS["revocation"], status_list("revocation", INDEX))
    return case


@mutation("status.suspension")
def suspended() -> Case:
    entries = (
        StatusClaim(LISTS["revocation"], INDEX),
        StatusClaim(LISTS["suspension"], INDEX, "suspension"),
    )
    unsigned = build_credential(replace(CLAIMS, status=entries))
    case = Case(dump_json(signed(unsigned)), web())
    case.web.put(LISTS["suspension"], status_list("suspension", INDEX))
    return case


@mutation("status.revocation", theirs=False)
def list_with_the_old_proof() -> Case:
    case = Case(dump_json(signed_credential()), web())
    taken, clean = status_list("revocation", INDEX), status_list("revocation")
    case.web.put(LISTS["revocation"], {**clean, "proof": taken["proof"]})
    return case


@mutation("status.revocation", theirs=False)
def list_signed_by_another() -> Case:
    case = Case(dump_json(signed_credential()), web())
    name = did_key(OTHER_KEY)
    other = build_status_list_credential(
        LISTS["revocation"], name, "revocation", new_bits(), valid_from=ISSUED
    )
    method = f"{name}#{name.split(':')[2]}"
    case.web.put(LISTS["revocation"], signed(other, OTHER_KEY, method))
    return case


@mutation("status.revocation")
def list_for_another_purpose() -> Case:
    case = Case(dump_json(signed_credential()), web())
    other = build_status_list_credential(
        LISTS["revocation"], DID, "suspension", new_bits(), valid_from=ISSUED
    )
    case.web.put(LISTS["revocation"], signed(other))
    return case


@mutation("status.revocation", node=False, finding=Finding.UNKNOWN)
def list_that_ended() -> Case:
    case = Case(dump_json(signed_credential()), web())
    old = build_status_list_credential(
        LISTS["revocation"],
        DID,
        "revocation",
        new_bits(),
        valid_from=ISSUED,
        valid_until=NOW - timedelta(days=1),
    )
    case.web.put(LISTS["revocation"], signed(old))
    return case


@mutation("endorsement.subject", theirs=False, node=False)
def endorsement_of_something_else() -> Case:
    other = replace(ENDORSEMENT, subject_id="https://elsewhere.example/credentials/1")
    claims = replace(CLAIMS, endorsements=(signed_endorsement(other),))
    return Case(dump_json(signed(build_credential(claims))), web())


@mutation("endorsement.signature", theirs=False, node=False)
def endorsement_forged_before_embedding() -> Case:
    forged: JsonObject = {**signed_endorsement(), "name": "Endorsement by everybody"}
    claims = replace(CLAIMS, endorsements=(forged,))
    return Case(dump_json(signed(build_credential(claims))), web())


def good() -> Case:
    """The credential and the web in good order."""
    return Case(dump_json(signed_credential()), web())


def parsed(case: Case) -> JsonObject:
    """The credential as a lenient reader sees it: of a key that stands twice, the last counts."""
    return cast(JsonObject, json.loads(case.credential))


__all__ = ["MUTATIONS", "Case", "Mutation", "good", "parsed"]
