"""What we build has the form that 1EdTech's own JSON Schemas ask for, where those are at hand."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft201909Validator

from credentials.documents import JsonObject
from credentials.openbadges import StatusClaim, build_credential
from credentials.verify import Finding, verify
from tests.conformance.mutations import good
from tests.fixtures.badges import (
    CLAIMS,
    INDEX,
    LISTS,
    NOW,
    signed,
    signed_credential,
    signed_endorsement,
)

SCHEMAS = Path(__file__).parents[3] / "shared/data/schemas"

pytestmark = pytest.mark.skipif(
    not SCHEMAS.is_dir(), reason="../shared/data/schemas is not there: the schemas are not ours"
)


def errors(document: JsonObject, name: str) -> list[str]:
    """Where and why a document does not match a schema."""
    schema = json.loads((SCHEMAS / f"ob_v3p0_{name}_schema.json").read_bytes())
    found = Draft201909Validator(schema).iter_errors(document)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:150]}" for error in found]


def test_a_signed_credential_matches_the_schema_it_names() -> None:
    assert errors(signed_credential(), "achievementcredential") == []


def test_a_signed_endorsement_matches_the_schema_it_names() -> None:
    assert errors(signed_endorsement(), "endorsementcredential") == []


def test_two_status_entries_are_all_that_the_schema_does_not_know() -> None:
    entries = tuple(StatusClaim(url, INDEX, purpose) for purpose, url in LISTS.items())
    document = signed(build_credential(replace(CLAIMS, status=entries)))
    found = errors(document, "achievementcredential")
    assert len(found) == 1
    assert found[0].startswith("credentialStatus: ")


def test_the_verdict_uses_the_schemas_when_it_is_given_them() -> None:
    case = good()
    verdict = verify(case.credential, fetch=case.web, now=NOW, schemas=SCHEMAS)
    assert [check.outcome for check in verdict.of("schema")] == [Finding.PASSED]


def test_two_status_entries_are_no_fault_in_the_verdict() -> None:
    entries = tuple(StatusClaim(url, INDEX, purpose) for purpose, url in LISTS.items())
    document = signed(build_credential(replace(CLAIMS, status=entries)))
    verdict = verify(json.dumps(document).encode(), fetch=good().web, now=NOW, schemas=SCHEMAS)
    assert [check.outcome for check in verdict.of("schema")] == [Finding.PASSED]


def test_what_only_the_schema_forbids_is_found_with_it() -> None:
    unsigned = build_credential(CLAIMS)
    unsigned["evidence"] = [{"id": "urn:x:1", "type": ["Evidence"], "genre": True}]
    data = json.dumps(signed(unsigned)).encode()
    plain = verify(data, fetch=good().web, now=NOW)
    strict = verify(data, fetch=good().web, now=NOW, schemas=SCHEMAS)
    assert [check.outcome for check in plain.of("schema")] == [Finding.PASSED]
    assert [check.outcome for check in strict.of("schema")] == [Finding.FAILED]
    assert "evidence" in strict.of("schema")[0].text
