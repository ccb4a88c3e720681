"""Signing and checking credentials by both routes, beside bare Ed25519 and openbadgeslib."""

from collections.abc import Iterator
from dataclasses import replace

from openbadgeslib.ob3.ldp import OB3LdpVerifier

from bench.measure import Result, compared, rate
from credentials import compiled
from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject, dump_json
from credentials.openbadges import build_credential
from credentials.proofs import add_proof
from credentials.verdict import Outcome
from credentials.verify import verify
from tests.fixtures.badges import CLAIMS, ISSUED, KEY, METHOD, NOW, web


def results() -> Iterator[Result]:
    """Rates per second and core."""
    bare = rate(lambda: KEY.sign(b"x" * 64))
    claims = replace(CLAIMS, endorsements=())
    known = pinned_contexts()
    general = rate(lambda: add_proof(build_credential(claims), KEY, METHOD, ISSUED, known))
    yield compared("sign, general route", "credentials/s", general, "bare Ed25519 sign", bare)
    fast = rate(lambda: add_proof(build_credential(claims), KEY, METHOD, ISSUED))
    yield compared("sign, compiled route", "credentials/s", fast, "sign, general route", general)
    signed = add_proof(build_credential(claims), KEY, METHOD, ISSUED)
    data = dump_json(signed)
    theirs = rate(lambda: _judged(data))
    foreign = rate(lambda: _verified_as_new(signed))
    yield compared("verify, new shape", "credentials/s", foreign, "openbadgeslib verify", theirs)
    own = rate(lambda: _verified(signed))
    yield compared("verify, known shape", "credentials/s", own, "openbadgeslib verify", theirs)


def _verified_as_new(signed: JsonObject) -> None:
    compiled.forget()
    _verified(signed)


def _verified(signed: JsonObject) -> None:
    verdict = verify(dump_json(signed), fetch=web(), now=NOW)
    if verdict.outcome is not Outcome.VALID:
        raise AssertionError(verdict)


def _judged(signed: bytes) -> None:
    OB3LdpVerifier().verify(signed, check_status=True, download=web(), verify_status_list=False)
