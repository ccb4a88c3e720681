"""Signing many credentials of a definition gives the documents that signing one by one gives."""

from dataclasses import replace
from datetime import timedelta

import pytest

from credentials.errors import Malformed
from credentials.issuing import sign_credential
from credentials.openbadges import (
    CredentialClaims,
    EvidenceClaim,
    ResultClaim,
    build_credential,
    claims_from_json,
    claims_to_json,
)
from credentials.proofs import add_proof
from tests.fixtures.badges import CLAIMS, CREDENTIAL_ID, CRITERIA, HOUSE, ISSUED, KEY, METHOD


def another(number: int) -> CredentialClaims:
    """One of many: its own id, dates, name, and number of results and items."""
    item = EvidenceClaim(f"{HOUSE}/evidence/{number}", 'A "name"\n', f"{number:064x}", "text/plain")
    return replace(
        CLAIMS,
        id=f"{CREDENTIAL_ID}-{number}",
        valid_from=ISSUED + timedelta(days=number),
        narrative=f"Number {number}" if number % 2 else None,
        evidence=tuple(
            replace(item, id=f"{item.id}-{n}", narrative="é" * n) for n in range(number)
        ),
        results=CLAIMS.results[: 1 + number % 2],
        endorsements=(),
    )


def test_a_batch_is_signed_as_each_one_alone() -> None:
    for number in range(8):
        claims = another(number)
        alone = add_proof(build_credential(claims), KEY, METHOD, ISSUED)
        assert sign_credential(claims, KEY, METHOD, ISSUED) == alone


def test_claims_from_the_database_share_what_is_the_same() -> None:
    first, second = (
        claims_from_json(claims_to_json(another(number)), CredentialClaims) for number in (1, 2)
    )
    assert first == another(1)
    assert first.achievement is second.achievement
    assert first.issuer is second.issuer


def test_what_could_not_be_signed_safely_is_refused() -> None:
    for name in ("a\x00b", "a\ufffe"):
        with pytest.raises(Malformed):
            sign_credential(replace(another(1), name=name), KEY, METHOD, ISSUED)


def test_a_result_needs_a_level_of_its_criterion() -> None:
    wrong = ResultClaim(f"{CREDENTIAL_ID}#r1", CRITERIA[0].id, CRITERIA[1].levels[0].id)
    with pytest.raises(Malformed):
        sign_credential(replace(another(1), results=(wrong,)), KEY, METHOD, ISSUED)
    with pytest.raises(Malformed):
        criterion = replace(CRITERIA[0], required_level="https://riverside.example/another")
        achievement = replace(CLAIMS.achievement, criteria=(criterion,))
        sign_credential(
            replace(another(1), achievement=achievement, results=()), KEY, METHOD, ISSUED
        )
