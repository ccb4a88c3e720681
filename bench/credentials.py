"""Signing and checking credentials, one core: by both routes, beside others on the same documents.

Rates are per second of processor time, so that they hold on a machine that does other things too.
The limit is bare Ed25519. Beside it stand Digital Bazaar's libraries for Node and openbadgeslib,
measured in the same run. What is signed or checked changes every time: another id, name, number of
items of evidence; the achievement and the issuer are shared, as in a batch.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle
from typing import TypeVar

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from openbadgeslib.ob3.ldp import (
    OB3LdpVerifier,
    add_data_integrity_proof,
    verify_data_integrity_proof,
)

from bench.measure import Result, compared
from bench.measure import processor_rate as rate
from bench.node import NodeRates, node_rates
from credentials import compiled
from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject, dump_json, load_json
from credentials.issuing import sign_credential
from credentials.openbadges import CredentialClaims, EvidenceClaim, build_credential
from credentials.proofs import add_proof, check_proof
from credentials.verdict import Outcome
from credentials.verify import verify
from tests.fixtures.badges import (
    CLAIMS,
    CREDENTIAL_ID,
    HOUSE,
    ISSUED,
    KEY,
    METHOD,
    NOW,
    did_document,
    web,
)

UNIT = "credentials/s"
PUBLIC = KEY.public_key()
SIGNED_A_SECOND = 5000.0
VERIFIED_A_SECOND = 2000.0
T = TypeVar("T")
NODE = "Digital Bazaar, Node"


def results() -> Iterator[Result]:
    """Rates per second and core."""
    claims = [_claims(number) for number in range(64)]
    unsigned = [build_credential(one) for one in claims]
    signed = [dump_json(sign_credential(one, KEY, METHOD, ISSUED)) for one in claims]
    sample = load_json(signed[0])
    node = node_rates(unsigned[0], sample, did_document(), KEY, METHOD)
    yield from _signing(claims, unsigned, node)
    yield from _checking(signed, node)


def _signing(
    claims: list[CredentialClaims], unsigned: list[JsonObject], node: NodeRates | None
) -> Iterator[Result]:
    bare = rate(lambda: KEY.sign(b"x" * 64))
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    theirs = rate(
        _each(unsigned, lambda one: add_data_integrity_proof(copy.deepcopy(one), pem, METHOD))
    )
    general = rate(_each(unsigned, _new_shape(lambda one: add_proof(one, KEY, METHOD, ISSUED))))
    fast = rate(_each(claims, lambda one: sign_credential(one, KEY, METHOD, ISSUED)))
    yield compared("sign, general route", UNIT, general, "openbadgeslib", theirs)
    if node:
        yield compared("sign, general route", UNIT, general, NODE, node.sign, goal=1.5)
        yield compared("sign, compiled route", UNIT, fast, NODE, node.sign, goal=90)
    yield compared("sign, compiled route", UNIT, fast, "openbadgeslib", theirs)
    yield compared("sign, compiled route", UNIT, fast, "the goal", SIGNED_A_SECOND, goal=1)
    yield compared("sign, compiled route", UNIT, fast, "bare Ed25519 (the limit)", bare)


def _checking(signed: list[bytes], node: NodeRates | None) -> Iterator[Result]:
    signature = KEY.sign(b"x" * 64)
    bare = rate(lambda: PUBLIC.verify(signature, b"x" * 64))
    theirs = rate(_each(signed, lambda one: verify_data_integrity_proof(load_json(one), PUBLIC)))
    general = rate(_each(signed, _new_shape(_checked)))
    by_pyld = rate(_each(signed, _checked_by_pyld))
    own = rate(_each(signed, _checked))
    yield compared("check a proof, foreign shape", UNIT, general, "openbadgeslib", theirs)
    yield compared("check a proof, foreign shape", UNIT, general, "by PyLD, as read back", by_pyld)
    if node:
        yield compared("check a proof, foreign shape", UNIT, general, NODE, node.verify, goal=1.5)
        yield compared("check a proof, own shape", UNIT, own, NODE, node.verify, goal=25)
    yield compared("check a proof, own shape", UNIT, own, "openbadgeslib", theirs)
    yield compared("check a proof, own shape", UNIT, own, "the goal", VERIFIED_A_SECOND, goal=1)
    yield compared("check a proof, own shape", UNIT, own, "bare Ed25519 (the limit)", bare)
    judged = rate(_each(signed, _judged))
    whole = rate(_each(signed, _whole_verdict))
    yield compared("whole verdict, own shape", UNIT, whole, "openbadgeslib", judged)


def _each(given: list[T], work: Callable[[T], object]) -> Callable[[], object]:
    """The work on the next of what is given, and then from the first again."""
    turn = cycle(given)
    return lambda: work(next(turn))


def _new_shape(work: Callable[[T], object]) -> Callable[[T], object]:
    """The work on something of a shape that was never met before, each time."""

    def first(given: T) -> None:
        compiled.forget()
        work(given)

    return first


def _claims(number: int) -> CredentialClaims:
    """One of a batch."""
    address = f"{CREDENTIAL_ID}-{number}"
    evidence = tuple(
        EvidenceClaim(
            id=f"{HOUSE}/evidence/{number}-{item}",
            name=f"Part {item} of the work of learner {number}",
            sha256=f"{number * 100 + item:064x}",
            media_type="application/pdf",
            genre="work product",
            narrative='I did "all" of it.' if item % 2 else None,
        )
        for item in range(1 + number % 4)
    )
    results = tuple(replace(one, id=f"{address}#{one.id[-2:]}") for one in CLAIMS.results)
    return replace(
        CLAIMS,
        id=address,
        evidence=evidence,
        results=results,
        narrative=f"Recognised from {number} years of work.",
        endorsements=(),
    )


def _checked(data: bytes) -> None:
    check_proof(load_json(data), lambda _: PUBLIC)


def _checked_by_pyld(data: bytes) -> None:
    check_proof(load_json(data), lambda _: PUBLIC, pinned_contexts())


def _whole_verdict(data: bytes) -> None:
    verdict = verify(data, fetch=WEB, now=NOW)
    if verdict.outcome is not Outcome.VALID:
        raise AssertionError(verdict)


def _judged(data: bytes) -> None:
    OB3LdpVerifier().verify(data, check_status=True, download=WEB, verify_status_list=False)


WEB = web()
