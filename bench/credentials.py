"""Signing and checking credentials by the general route, beside bare Ed25519 and openbadgeslib."""

from collections.abc import Iterator
from dataclasses import replace

from openbadgeslib.ob3.ldp import OB3LdpVerifier

from bench.measure import Result, compared, rate
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
    signing = rate(lambda: add_proof(build_credential(claims), KEY, METHOD, ISSUED))
    yield compared("sign, general route", "credentials/s", signing, "bare Ed25519 sign", bare)
    signed = add_proof(build_credential(claims), KEY, METHOD, ISSUED)
    ours = rate(lambda: _verified(signed))
    data = dump_json(signed)
    theirs = rate(lambda: _judged(data))
    yield compared("verify, general route", "credentials/s", ours, "openbadgeslib verify", theirs)


def _verified(signed: JsonObject) -> None:
    verdict = verify(dump_json(signed), fetch=web(), now=NOW)
    if verdict.outcome is not Outcome.VALID:
        raise AssertionError(verdict)


def _judged(signed: bytes) -> None:
    OB3LdpVerifier().verify(signed, check_status=True, download=web(), verify_status_list=False)
