"""What a credential from elsewhere says of itself, and whether it can be kept."""

from datetime import timedelta
from typing import Any

import pytest

from credentials.claims import hashed_identity
from credentials.documents import JsonObject, dump_json
from credentials.verify import verify
from storage.errors import InvalidInput, TooMany
from tests.fixtures.badges import (
    EMPLOYER,
    ISSUED,
    NOW,
    Web,
    signed,
    signed_credential,
    web,
)
from tests.fixtures.tokens import token
from workflows.brought.rules import (
    MOST_BYTES,
    MOST_KEPT,
    fit_to_keep,
    fit_to_replace,
    is_newer,
    kept_verdict,
    names_holder,
    read_brought,
    read_verdict,
    room_for,
)

BADGE = signed_credential()


def read(**changes: Any) -> Any:
    return read_brought(dump_json({**BADGE, **changes}), as_token=False)


def lost() -> Web:
    """What is fetched when nobody can be reached."""
    house = web()
    house.documents.clear()
    return house


def test_it_is_read_letter_for_letter_from_a_document_and_from_a_token() -> None:
    data = b"\xef\xbb\xbf\n" + dump_json(BADGE)
    found = read_brought(data, as_token=False)
    assert found.body.encode() == data and found.document == BADGE
    assert found.title.startswith("CNC set-up") and found.issuer_name == "Riverside Polytechnic"
    assert found.issuer_place == "riverside.example" and found.valid_from == ISSUED
    again = read_brought(token(), as_token=True)
    assert again.body.encode() == token() and again.same_as == found.same_as


def test_the_same_issuer_and_id_are_the_same_credential_however_they_are_written() -> None:
    own = str(BADGE["id"])
    assert read(id=own.replace("riverside", "%72iverside")).same_as == read().same_as
    assert read(id=f" {own} ").same_as == read().same_as
    assert read(id=f"{own}x").same_as != read().same_as
    assert read(issuer="did:web:other.example").same_as != read().same_as


@pytest.mark.parametrize(
    "changes",
    [
        {"type": ["VerifiableCredential"]},
        {"id": None},
        {"issuer": {}},
        {"issuer": 1},
        {"validFrom": "yesterday"},
        {"type": "EnvelopedVerifiableCredential", "id": f"data:application/vc+jwt,{token()!r}"},
    ],
)
def test_what_is_no_badge_with_a_name_is_refused(changes: JsonObject) -> None:
    with pytest.raises(InvalidInput):
        read(**changes)


def test_what_it_calls_itself_is_one_line_that_misleads_nobody() -> None:
    found = read(name="A\u202e badge\nof\x00 mine", issuer="did:key:z6Mk")
    assert found.title == "A badge of mine" and found.issuer_place == ""
    assert read(name={"de": "Ein Abzeichen"}).title == "Ein Abzeichen"
    assert read(name="x" * 1000).title == "x" * 200


def test_what_somebody_signed_is_kept_whatever_else_is_found() -> None:
    house = web()
    good = verify(dump_json(BADGE), fetch=house, now=NOW)
    fit_to_keep(good)
    late = verify(dump_json(BADGE), fetch=house, now=NOW + timedelta(days=40 * 365))
    assert late.outcome == "not_valid"
    fit_to_keep(late)
    house.documents.clear()
    fit_to_keep(verify(dump_json(BADGE), fetch=house, now=NOW))
    forged = verify(dump_json({**BADGE, "name": "Forged"}), fetch=web(), now=NOW)
    with pytest.raises(InvalidInput, match="ignature"):
        fit_to_keep(forged)


def test_what_another_than_its_issuer_signed_is_not_kept() -> None:
    bare = {key: value for key, value in BADGE.items() if key != "proof"}
    under_anothers_name = dump_json(signed({**bare, "issuer": EMPLOYER.id}))
    with pytest.raises(InvalidInput, match="not a key of the issuer"):
        fit_to_keep(verify(under_anothers_name, fetch=web(), now=NOW))


def test_what_cannot_be_told_replaces_nothing_that_was_surely_signed() -> None:
    good, open_ = (verify(dump_json(BADGE), fetch=one, now=NOW) for one in (web(), lost()))
    for before, after in ((good, good), (open_, good), (open_, open_)):
        fit_to_replace(after, before)
    with pytest.raises(InvalidInput, match="does not replace"):
        fit_to_replace(open_, good)


def test_a_verdict_is_read_as_it_was_kept() -> None:
    verdict = verify(dump_json(BADGE), fetch=web(), now=NOW)
    again = read_verdict(kept_verdict(verdict))
    assert again.checks == verdict.checks and again.outcome is verdict.outcome


def test_an_older_one_does_not_replace_a_newer_one() -> None:
    later = ISSUED + timedelta(seconds=1)
    assert is_newer(later, ISSUED) and is_newer(ISSUED, ISSUED) and not is_newer(ISSUED, later)
    assert is_newer(None, ISSUED) and is_newer(ISSUED, None)


def subject(*identities: JsonObject) -> JsonObject:
    return {"credentialSubject": {"identifier": [*identities]}}


def test_it_is_told_whether_it_names_the_holders_address() -> None:
    ana = "ana@people.example"
    hashed = hashed_identity("emailAddress", ana, "salt").value
    mail: JsonObject = {"type": "IdentityObject", "identityType": "emailAddress"}
    open_one: JsonObject = {**mail, "hashed": False, "identityHash": " Ana@People.example "}
    closed: JsonObject = {**mail, "hashed": True, "identityHash": hashed, "salt": "salt"}
    name: JsonObject = {"identityType": "name", "hashed": False, "identityHash": ana}
    for identities, told in (
        ((open_one,), True),
        ((closed,), True),
        (({**closed, "salt": "other"},), False),
        (({**open_one, "identityHash": "eva@people.example"},), False),
        (({**open_one, "identityHash": "eva@people.example"}, closed), True),
        ((name,), None),
        ((), None),
    ):
        assert names_holder(subject(*identities), ana) is told


def test_there_is_room_for_so_many_and_so_much() -> None:
    room_for(MOST_KEPT - 1, MOST_BYTES)
    with pytest.raises(TooMany):
        room_for(MOST_KEPT, 1)
    with pytest.raises(TooMany):
        room_for(0, MOST_BYTES + 1)
