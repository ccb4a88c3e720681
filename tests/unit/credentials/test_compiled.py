"""The compiled route gives the general route's bytes, or its refusal, whatever is put where."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from credentials import canonical, compiled, layouts
from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject, JsonValue
from credentials.errors import Malformed
from credentials.openbadges import build_credential, build_endorsement
from credentials.shapes import SCHEMES, StandIns, constants_of
from tests.fixtures.badges import CLAIMS, ENDORSEMENT, INSTITUTION, status_list

ODD_TEXTS = (
    *('"', "\\", "\\n", "a\nb", "\t", "\r\n", "%", "%s %(x)s", "_:b0", "_:c14n0", "<x>", "@id"),
    *("", " ", "\u2028", "\u0085", "\x7f", "\x00", "\ufffe", "\ud800", "\U0001f600", "é\u0301"),
    *("ext:Another", "https:", "urn:", "did:web:other.example", "mailto:a@b.example", "Completed"),
    *("https://a.example/%zz", "https://a.example/../b", "https://[bad", "https://a.example/ü"),
    *("https://a.example/a b", "HTTPS://A.example", "https://a.example/#a#b", "http://a.example"),
    *("assay-place-0-3.example", "urn:assay-place-0-3.example", "assay-place-1-0.example"),
    *("2024-01-01T00:00:00.000Z", "3.0"),
)
TEXTS = st.sampled_from(ODD_TEXTS) | st.text(max_size=12)


def bare() -> JsonObject:
    return build_credential(replace(CLAIMS, endorsements=()))


def of_two_houses() -> JsonObject:
    """Issuer and creator have addresses that differ, so that their nodes look different."""
    creator = replace(INSTITUTION, id="did:web:other.example", region="Quebec")
    achievement = replace(CLAIMS.achievement, creator=creator)
    return build_credential(replace(CLAIMS, achievement=achievement, endorsements=()))


def endorsement() -> JsonObject:
    return build_endorsement(ENDORSEMENT)


def list_of_revocations() -> JsonObject:
    signed = status_list("revocation", 7)
    return {key: value for key, value in signed.items() if key != "proof"}


def by_pyld(document: JsonObject) -> bytes:
    """The general route as PyLD goes it: what the compiled route learned from, and is held to."""
    return canonical.canonicalize(document, pinned_contexts())


DOCUMENTS = (bare, of_two_houses, endorsement, list_of_revocations)


def answer(write: Callable[[JsonObject], bytes], document: JsonObject) -> bytes | str:
    """The bytes, or the words of the refusal."""
    try:
        return write(document)
    except Malformed as error:
        return str(error)


def places(value: JsonValue) -> Iterator[tuple[JsonObject | list[JsonValue], str | int]]:
    """Where texts stand in a document."""
    members = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
    for name, member in members:
        if isinstance(member, str):
            yield value, name  # type: ignore[misc]
        elif isinstance(member, dict | list):
            yield from places(member)


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    compiled.forget()
    yield
    compiled.forget()


@pytest.mark.parametrize("build", DOCUMENTS)
def test_each_document_of_ours_compiles(build: Callable[[], JsonObject]) -> None:
    document = build()
    for _ in range(3):
        assert compiled.canonicalize(document) == by_pyld(document)
    assert compiled.known_shapes() == 1


@pytest.mark.parametrize("build", DOCUMENTS)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_another_text_in_any_place_comes_to_the_same(
    build: Callable[[], JsonObject], data: st.DataObject
) -> None:
    known = build()
    compiled.canonicalize(known)
    compiled.canonicalize(known)
    other = deepcopy(known)
    for _ in range(data.draw(st.integers(1, 4))):
        holder, name = data.draw(st.sampled_from(list(places(other))))
        holder[name] = data.draw(TEXTS)  # type: ignore[index]
    for _ in range(3):
        assert answer(compiled.canonicalize, other) == answer(by_pyld, other)


@settings(deadline=None, max_examples=40)
@given(name=TEXTS, narrative=TEXTS, salt=TEXTS, same=st.booleans())
@example(name="k7Zp", narrative="", salt="k7Zp", same=True)
def test_learners_and_their_words_come_to_the_same(
    name: str, narrative: str, salt: str, same: bool
) -> None:
    shared = bare()
    for value in ("first", name):
        document = deepcopy(shared)
        subject = document["credentialSubject"]
        assert isinstance(subject, dict)
        identities = subject["identifier"]
        assert isinstance(identities, list)
        for identity in identities:
            assert isinstance(identity, dict)
            identity["identityHash"] = value if same else f"{value}{identity['identityHash']}"
            identity["salt"] = salt
        subject["narrative"] = narrative
        written = answer(compiled.canonicalize, document)
        assert written == answer(by_pyld, document)


def test_another_achievement_is_another_shape() -> None:
    first = bare()
    other = of_two_houses()
    for document in (first, other, first, other):
        assert compiled.canonicalize(document) == by_pyld(document)
    assert compiled.known_shapes() == 2


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_any_number_of_parts_makes_no_new_shape(data: st.DataObject) -> None:
    """Evidence and results are added line by line, whichever of their texts are there."""
    texts = {"name": TEXTS, "description": TEXTS, "narrative": TEXTS, "genre": TEXTS}
    ids = st.sampled_from(["https://a.example/1", "urn:x:2", "https://a.example/%C3%BC"])
    entries = st.lists(st.fixed_dictionaries({"id": ids}, optional=texts), max_size=4)
    for _ in range(3):
        document = bare()
        found = data.draw(entries)
        document["evidence"] = [{**entry, "type": ["Evidence"]} for entry in found]
        for _ in range(2):
            written = answer(compiled.canonicalize, document)
            assert written == answer(by_pyld, document)
    assert compiled.known_shapes() <= 2


def test_an_entry_that_stands_twice_counts_once() -> None:
    """A dataset is a set: what a node is told apart by is counted once as well."""
    for number in range(8):
        entry: JsonObject = {"id": f"urn:x:{number}", "type": ["Result"], "value": "3"}
        for times in (1, 1, 2):
            document = bare()
            subject = document["credentialSubject"]
            assert isinstance(subject, dict)
            del subject["id"]
            subject["result"] = [{**entry} for _ in range(times)]
            assert compiled.canonicalize(document) == by_pyld(document)
    assert compiled.known_shapes() == 1


@pytest.mark.parametrize("name", ["evidence", "result"])
def test_a_part_may_not_describe_the_whole(name: str) -> None:
    document = bare()
    holder = document if name == "evidence" else document["credentialSubject"]
    assert isinstance(holder, dict)
    for _ in range(2):
        compiled.canonicalize(bare())
    entry: JsonObject = {"id": document["id"], "type": ["Evidence"], "name": "Another name"}
    holder[name] = [entry]
    for _ in range(3):
        assert "second place" in str(answer(compiled.canonicalize, document))


def test_the_whole_may_not_take_the_id_of_what_it_shares() -> None:
    for _ in range(2):
        compiled.canonicalize(bare())
    assert isinstance(CLAIMS.achievement.id, str)
    document = {**bare(), "id": CLAIMS.achievement.id}
    for _ in range(3):
        assert "second place" in str(answer(compiled.canonicalize, document))


def test_true_is_not_one() -> None:
    """Python holds 1, 1.0 and true for equal; what is signed are three different things."""
    for credits in (1, True, 2, False, 0):
        document = bare()
        subject = document["credentialSubject"]
        assert isinstance(subject, dict)
        assert isinstance(subject["achievement"], dict)
        subject["achievement"]["creditsAvailable"] = credits
        for _ in range(2):
            assert compiled.canonicalize(document) == by_pyld(document)


@given(st.from_regex(layouts._PLAIN_ADDRESSES, fullmatch=True))
def test_addresses_that_look_plain_are_addresses(text: str) -> None:
    assert all(map(canonical.is_address, text.split("\n")[:-1]))


def test_a_shape_that_comes_once_is_not_compiled() -> None:
    compiled.canonicalize(bare())
    assert compiled.known_shapes() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"undefinedTerm": "x"},
        {"name": None},
        {"@context": ["https://unknown.example/context"]},
        {"@id": "https://riverside.example/another"},
        {"evidence": [{"id": "relative", "type": ["Evidence"]}]},
        {"evidence": [{"id": "_:b0", "type": ["Evidence"]}]},
        {"evidence": [{"id": "https://riverside.example/credentials/0192f0c1", "name": "x"}]},
        {"credits": 1e300},
    ],
    ids=str,
)
def test_what_the_general_route_refuses_is_refused(change: JsonObject) -> None:
    document = {**bare(), **change}
    for _ in range(3):
        with pytest.raises(Malformed) as refused:
            compiled.canonicalize(document)
        assert str(refused.value) == answer(by_pyld, document)


def test_a_text_made_to_look_like_structure_is_another_shape() -> None:
    """Tokens of structure are numbers: no text of a document can stand for one."""
    forged: JsonObject = {**bare(), "name": "0", "1": "2"}
    compiled.canonicalize(bare())
    compiled.canonicalize(bare())
    assert answer(compiled.canonicalize, forged) == answer(by_pyld, forged)


def test_a_document_with_a_sentinel_of_its_own_teaches_nothing() -> None:
    """Else what is constant in a forged one would be filled with what the real one says."""
    sentinel = StandIns(bare(), constants_of(bare())).document["name"]
    real, forged, lesson = (
        named_twice("Welding", "Welding"),
        named_twice("Welding", sentinel),
        named_twice(sentinel, sentinel),
    )
    for document in (lesson, lesson, lesson, forged, forged):
        assert compiled.canonicalize(document) == by_pyld(document)
    assert compiled.canonicalize(forged) != compiled.canonicalize(real)


def named_twice(name: JsonValue, achievement_name: JsonValue) -> JsonObject:
    document = {**bare(), "name": name}
    subject = document["credentialSubject"]
    assert isinstance(subject, dict)
    assert isinstance(subject["achievement"], dict)
    subject["achievement"]["name"] = achievement_name
    return document


def test_no_term_of_the_contexts_could_be_taken_for_the_beginning_of_an_address() -> None:
    """Expansion looks up what stands before a colon; ours must never be found."""

    def terms(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for name, member in value.items():
                yield name
                yield from terms(member)
        elif isinstance(value, list):
            for member in value:
                yield from terms(member)

    schemes = {scheme.rstrip(":/") for scheme in SCHEMES}
    assert not schemes & set(terms(dict(pinned_contexts())))


def test_texts_of_one_property_are_put_in_order() -> None:
    """Also where a node without an id is told apart by them."""
    for salts in (("a", "b"), ("b", "a"), ("c", "a"), ("a", "c")):
        document = bare()
        subject = document["credentialSubject"]
        assert isinstance(subject, dict)
        identities = subject["identifier"]
        assert isinstance(identities, list)
        assert isinstance(identities[0], dict)
        identities[0]["salt"] = [*salts]
        for _ in range(3):
            assert compiled.canonicalize(document) == by_pyld(document)
