"""The direct route gives PyLD's bytes or leaves a document to PyLD, whatever the document holds."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import canonical, scopes
from credentials.contexts import CREDENTIALS_V1, CREDENTIALS_V2, OPEN_BADGES, pinned_contexts
from credentials.direct import statements_of
from credentials.documents import JsonObject, JsonValue
from credentials.errors import Malformed
from credentials.openbadges import build_credential, build_endorsement
from credentials.proofs import CRYPTOSUITE, proof_options
from tests.fixtures.badges import CLAIMS, ENDORSEMENT, ISSUED, METHOD, status_list
from tests.fixtures.jsonld_documents import (
    ADDRESSES,
    NUMBERS,
    ODD_ADDRESSES,
    STACKS,
    TEXTS,
    document,
)

READ = STACKS[:11]
ODD: tuple[JsonValue, ...] = (
    *(*TEXTS, *ADDRESSES, *ODD_ADDRESSES, *NUMBERS, [], {}, ["a", ["b"]], {"en": "a"}),
    *({"@value": "a"}, {"@value": "a", "@language": "EN-ca"}, {"@value": 1}, {"id": ADDRESSES[0]}),
    *({"type": ["Achievement"], "name": "a"}, {"type": "Profile"}, [{"id": "urn:x:1"}, {"a": 1}]),
)


def credential() -> JsonObject:
    """A credential of ours with an endorsement, and the endorsement's proof, in it."""
    return build_credential(CLAIMS)


def options() -> JsonObject:
    """What a proof says of itself."""
    return {"@context": [CREDENTIALS_V2], **proof_options(CRYPTOSUITE, METHOD, ISSUED)}


def whole_list() -> JsonObject:
    """A status list with its proof."""
    return status_list("revocation", 7)


OURS = (credential, lambda: build_endorsement(ENDORSEMENT), options, whole_list)


def by_pyld(given: JsonObject) -> bytes | str:
    return answer(lambda: canonical.canonicalize(given, pinned_contexts()))


def either_way(given: JsonObject) -> bytes | str:
    return answer(lambda: canonical.canonicalize(given))


def answer(work: Callable[[], bytes]) -> bytes | str:
    """The bytes, or the words of the refusal."""
    try:
        return work()
    except Malformed as error:
        return str(error)


def nodes(value: JsonValue) -> Iterator[JsonObject]:
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from nodes(one)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32))
def test_documents_made_of_all_that_is_defined_come_to_the_same(seed: int) -> None:
    made = document(Random(seed))
    assert either_way(made) == by_pyld(made)


def test_most_of_those_that_can_be_signed_are_read_directly() -> None:
    """Else the comparison above would compare PyLD with PyLD."""
    made = [document(Random(seed)) for seed in range(150)]
    signable = [one for one in made if isinstance(by_pyld(one), bytes)]
    direct = [one for one in signable if statements_of(one) is not None]
    assert len(signable) > 40
    assert len(direct) > len(signable) * 0.6


@pytest.mark.parametrize("build", OURS)
def test_what_the_house_writes_is_read_directly(build: Callable[[], JsonObject]) -> None:
    ours = build()
    assert statements_of(ours) is not None
    assert either_way(ours) == by_pyld(ours)


@pytest.mark.parametrize("stack", READ, ids=lambda stack: stack[-1])
def test_every_stack_of_contexts_is_read_directly(stack: tuple[str, ...]) -> None:
    made: JsonObject = {"@context": [*stack], "id": "urn:x:1", "type": ["VerifiableCredential"]}
    assert statements_of(made) is not None
    assert either_way(made) == by_pyld(made)


@pytest.mark.parametrize("build", OURS)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_document_of_ours_with_something_odd_in_it_comes_to_the_same(
    build: Callable[[], JsonObject], data: st.DataObject
) -> None:
    made = deepcopy(build())
    for _ in range(data.draw(st.integers(1, 2))):
        node = data.draw(st.sampled_from(list(nodes(made))))
        key = data.draw(st.sampled_from([*node, "name", "image", "proof", "evidence", "@value"]))
        if data.draw(st.booleans()):
            node[key] = deepcopy(data.draw(st.sampled_from(ODD)))
        elif key in node:
            other = data.draw(st.sampled_from(list(nodes(made))))
            other[data.draw(st.sampled_from([key, "id", "type"]))] = node.pop(key)
    assert either_way(made) == by_pyld(made)


@pytest.mark.parametrize(
    "more",
    [
        {"undefinedTerm": "x"},
        {"type": ["VerifiableCredential", "NoSuchType"]},
        {"id": "credentials/1"},
        {"issuer": "_:b0"},
        {"issuer": "name:x"},
        {"proof": ["a text", {"id": "urn:x:2"}]},
        {"credentialSubject": {"id": "urn:x:1", "type": ["AchievementSubject"]}},
        {"name": {"@value": "x", "@language": "not a language"}},
        {"evidence": [[{"id": "urn:x:2"}]]},
        {"type": []},
    ],
    ids=str,
)
def test_what_is_not_plainly_so_is_left_to_pyld(more: JsonObject) -> None:
    made: JsonObject = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": "urn:x:1",
        "type": ["VerifiableCredential"],
        "issuer": {"id": "did:web:a.example", "type": ["Profile"]},
        **more,
    }
    assert statements_of(made) is None
    assert either_way(made) == by_pyld(made)


def test_a_prefix_of_the_contexts_is_no_scheme() -> None:
    """In version 1 of the data model, `cred:` and `sec:` stand for addresses."""
    for reference in ("cred:x", "sec:x", "cred://x"):
        made: JsonObject = {
            "@context": [CREDENTIALS_V1],
            "id": "urn:x:1",
            "type": ["VerifiableCredential"],
            "evidence": reference,
        }
        assert statements_of(made) is None
        assert either_way(made) == by_pyld(made)


def test_scopes_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes documents decides which scopes there are, but not how many are kept."""
    monkeypatch.setattr(scopes, "MOST_SCOPES", 6)
    for types in (["Profile"], ["Achievement"], ["Profile", "Image"], ["Related"], ["Alignment"]):
        made = {**credential(), "issuer": {"id": "did:web:a.example", "type": types}}
        for _ in range(2):
            assert either_way(made) == by_pyld(made)
    monkeypatch.undo()
    assert statements_of(credential()) is not None
