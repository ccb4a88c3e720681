"""Tokens and pictures that others made wrong are refused, each with its own reason.

openbadgeslib's verifier of tokens judges the same cases, with the same web to ask.
"""

import pytest
from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3 import OB3Verifier

from credentials.verify import Finding, Outcome, verify
from tests.conformance.mutations import MUTATIONS
from tests.conformance.mutations_of_files import PICTURES, TOKENS, FileMutation, good_token
from tests.fixtures.badges import DID, NOW, Web


def each(mutations: list[FileMutation]) -> pytest.MarkDecorator:
    """One test for each of these mutations, under its name."""
    return pytest.mark.parametrize("mutation", mutations, ids=[m.name for m in mutations])


def their_verdict(token: bytes, web: Web) -> None:
    """openbadgeslib's verdict, by the issuer's DID document."""
    OB3Verifier.for_issuer_did(DID, download=web).verify(token.decode())


def test_our_token_is_valid_for_both() -> None:
    case = good_token()
    verdict = verify(case.credential, fetch=case.web, now=NOW)
    assert verdict.outcome is Outcome.VALID, verdict.checks
    their_verdict(case.credential, case.web)


@each([*TOKENS, *PICTURES])
def test_we_refuse_it_for_the_right_reason(mutation: FileMutation) -> None:
    case = mutation.make()
    verdict = verify(case.credential, fetch=case.web, now=NOW)
    unknown = mutation.finding is Finding.UNKNOWN
    assert verdict.outcome is (Outcome.CANNOT_TELL if unknown else Outcome.NOT_VALID)
    [check] = verdict.of(mutation.code)
    assert (check.outcome, mutation.words in check.text) == (mutation.finding, True), check.text


@each([mutation for mutation in TOKENS if mutation.theirs])
def test_openbadgeslib_refuses_it_too(mutation: FileMutation) -> None:
    case = mutation.make()
    with pytest.raises(LibOpenBadgesException):
        their_verdict(case.credential, case.web)


def test_there_are_far_more_than_thirty_ways_of_being_wrong() -> None:
    assert len(MUTATIONS) + len(TOKENS) + len(PICTURES) >= 60
