"""Signing many credentials of a definition gives the documents that signing one by one gives."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject, dump_json
from credentials.errors import Malformed
from credentials.issuing import sign_credential
from credentials.openbadges import (
    CredentialClaims,
    EvidenceClaim,
    IdentityClaim,
    LearnerClaim,
    ResultClaim,
    StatusClaim,
    achievement_of,
    assemble,
    build_credential,
    claims_from_json,
    claims_to_json,
    profile_of,
)
from credentials.plans import Plans
from credentials.proofs import add_proof
from credentials.shapes import take_apart
from tests.fixtures.badges import CLAIMS, CREDENTIAL_ID, CRITERIA, HOUSE, ISSUED, KEY, METHOD

ADDRESSES = (
    CREDENTIAL_ID,
    *(f"{HOUSE}/evidence/{name}" for name in ("1", "2", "%20")),
    *("urn:x:1", "http://a.example", f"{CREDENTIAL_ID}#r1", CLAIMS.achievement.id),
)
ODD = (*ADDRESSES, "", '"', "\\n", "a\nb", "\t%s", "é", "\u2028", "_:b0", "assay-hole-1", "did:x")


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


@settings(deadline=None, max_examples=12)
@given(data=st.data())
def test_a_batch_of_odd_learners_is_signed_as_each_one_alone(data: st.DataObject) -> None:
    """Plans and layouts are of earlier credentials: none of those may show in a later one."""
    for _ in range(3):
        claims = odd(data)
        alone = answer(
            lambda claims=claims: add_proof(  # type: ignore[misc]
                build_credential(claims), KEY, METHOD, ISSUED, pinned_contexts()
            )
        )
        for _ in range(3):
            batch = answer(lambda claims=claims: sign_credential(claims, KEY, METHOD, ISSUED))  # type: ignore[misc]
            assert batch == alone
            if isinstance(batch, dict) and isinstance(alone, dict):
                assert dump_json(batch) == dump_json(alone)


def odd(data: st.DataObject) -> CredentialClaims:
    """Claims whose texts begin and read in many ways, and of which much may be missing."""
    text = st.sampled_from(ODD) | st.text(max_size=6)
    learner = LearnerClaim(
        data.draw(st.none() | st.sampled_from(ADDRESSES)),
        tuple(
            IdentityClaim(
                kind, data.draw(text), data.draw(st.booleans()), data.draw(st.none() | text)
            )
            for kind in data.draw(st.sampled_from([("name",), ("name", "emailAddress"), ()]))
        ),
    )
    evidence = tuple(
        EvidenceClaim(address, data.draw(text), "ab" * 32, "text/plain", narrative=data.draw(text))
        for address in data.draw(st.lists(st.sampled_from(ADDRESSES), max_size=3))
    )
    return replace(
        CLAIMS,
        id=data.draw(st.sampled_from(ADDRESSES)),
        learner=learner,
        narrative=data.draw(st.none() | text),
        evidence=evidence,
        results=CLAIMS.results[: data.draw(st.integers(0, 2))],
        status=tuple(
            StatusClaim(f"{HOUSE}/status/1", data.draw(st.integers(0, 9)), purpose)
            for purpose in data.draw(
                st.sampled_from([("revocation",), ("revocation", "suspension")])
            )
        ),
        valid_until=data.draw(st.none() | st.just(ISSUED + timedelta(days=9))),
        valid_from=ISSUED + timedelta(days=data.draw(st.integers(0, 2))),
        endorsements=(),
    )


def answer(work: Callable[[], JsonObject]) -> JsonObject | str:
    """The document, or the words of the refusal."""
    try:
        return work()
    except Malformed as error:
        return str(error)


def test_a_batch_is_written_by_a_plan() -> None:
    """Else the comparison above would compare a credential with itself."""
    achievement, issuer = achievement_of(CLAIMS.achievement), profile_of(CLAIMS.issuer)
    plans = Plans(achievement, issuer, {})
    batch = [replace(another(number), narrative="é") for number in range(1, 6)]
    assert plans.write(batch[0]) is None
    for claims in batch:
        document = assemble(claims, achievement, issuer)
        assert plans.write(claims) == (document, take_apart(document, {}))
    assert plans.write(replace(batch[0], id=batch[0].evidence[0].id)) is None
    assert plans.write(replace(batch[0], endorsements=({"id": "urn:x:1"},))) is None
