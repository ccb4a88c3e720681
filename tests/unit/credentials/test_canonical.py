"""Canonical bytes: the same meaning gives the same bytes, and what could mislead is refused."""

import hashlib
import importlib.resources
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyld import jsonld

from credentials.canonical import canonicalize, screen_text
from credentials.contexts import CREDENTIALS_V2, OPEN_BADGES, pinned_contexts, read_pinned
from credentials.documents import JsonObject, JsonValue
from credentials.errors import Malformed
from credentials.jsonld import expand

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
    | st.sampled_from('\t\n\r"\\\u2028\u00e9\U0001f600')
)


def badge(**more: JsonValue) -> JsonObject:
    """A small badge with something more in it."""
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": "urn:x:1",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": "did:web:a.example", "type": ["Profile"], "name": "A"},
        "credentialSubject": {"type": ["AchievementSubject"]},
        **more,
    }


def by_pyld_alone(document: JsonObject) -> bytes:
    """PyLD's own canonical form, as a second opinion."""

    def load(url: str, options: object = None) -> dict[str, object]:
        return {"contextUrl": None, "documentUrl": url, "document": pinned_contexts()[url]}

    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load}
    return str(jsonld.normalize(document, options)).encode()


@settings(deadline=None, max_examples=60)
@given(
    name=TEXT,
    narrative=TEXT,
    number=st.none() | st.integers(0, 10**9) | st.floats(0.001, 1e6).filter(lambda f: f % 1 != 0),
    tags=st.lists(TEXT, max_size=3),
    language=st.sampled_from(["en", "en-CA", "fr"]),
)
def test_two_implementations_agree_on_the_bytes(
    name: str, narrative: str, number: float | None, tags: list[str], language: str
) -> None:
    achievement: JsonObject = {
        "type": ["Achievement"],
        "id": "urn:a:1",
        "name": {"@value": name, "@language": language},
        "criteria": {"id": "urn:c:1", "narrative": narrative},
        "tag": [*tags],
    }
    if number is not None:
        achievement["creditsAvailable"] = number
    document = badge(
        name=name,
        credentialSubject={"type": ["AchievementSubject"], "achievement": achievement},
    )
    assert canonicalize(document) == by_pyld_alone(document)


@settings(deadline=None, max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(random: Random) -> None:
    document = badge(name="N", description="D")
    keys = sorted(document, key=lambda _: random.random())
    assert canonicalize({key: document[key] for key in keys}) == canonicalize(document)


def test_every_pinned_context_has_the_bytes_that_were_pinned() -> None:
    folder = importlib.resources.files("openbadgeslib.ob3.contexts")
    digest = hashlib.sha256(folder.joinpath("credentials-v2.json").read_bytes()).hexdigest()
    assert digest == "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"
    assert len(pinned_contexts()) == 9


def test_a_context_with_other_bytes_is_not_used() -> None:
    with pytest.raises(Malformed, match="not the one that was pinned"):
        read_pinned("credentials-v2.json", "00" * 32)


def test_a_context_that_was_not_given_is_not_looked_for_elsewhere() -> None:
    with pytest.raises(Malformed, match="not valid JSON-LD"):
        expand({"@context": "https://a.example/context"}, {})


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"bogus": 1}, "do not define the term “bogus”"),
        ({"type": ["VerifiableCredential", "Bogus"]}, "do not define the term “Bogus”"),
        ({"name": {"@value": "x", "@type": "y"}}, "keyword “@type”"),
        ({"@graph": []}, "keyword “@graph”"),
        ({"@id": "urn:x:2"}, "keyword “@id”"),
        ({"https://schema.org/name": "x"}, "is an address, not a term"),
        ({"ext:name": "x"}, "is an address, not a term"),
        ({"id": "credentials/1"}, "“credentials/1” is not a whole address"),
        ({"id": "//elsewhere.example/1"}, "is not a whole address"),
        ({"id": ""}, "is not a whole address"),
        ({"id": "https://a.example/a b"}, "is not a whole address"),
        ({"id": "https://[::1/x"}, "not valid JSON-LD"),
        ({"id": {"a": "b"}}, "not valid JSON-LD"),
        ({"id": "_:b0"}, "names a blank node"),
        ({"image": "_:b0"}, "names a blank node"),
        ({"name": None}, "is empty"),
        ({"evidence": [None]}, "empty"),
        ({"name": "a\x00b"}, r"U\+0000"),
        ({"name": "a\x85b"}, r"U\+0085"),
        ({"name": "a\uffffb"}, r"U\+FFFF"),
        ({"name": "\ud800"}, r"U\+D800"),
        ({"na\x07me": "x"}, r"U\+0007"),
        ({"creditsAvailable": 3.0}, "3.0"),
        ({"@context": [{"@vocab": "https://a.example/"}]}, "a JSON-LD context of its own"),
        ({"@context": None}, "a JSON-LD context of its own"),
        ({"@context": "https://a.example/context"}, "not one that Assay knows"),
        ({"issuer": {"@context": {}, "id": "urn:x:2"}}, "a JSON-LD context of its own"),
        ({"_sd": ["x"]}, "holds raw JSON"),
        ({"credentialSubject": {"id": "urn:x:1", "type": ["Profile"]}}, "in a second place"),
        ({"name": [[["x"] * 30_000]]}, "more parts than"),
        ({"type": ["VerifiableCredential"] * 5_000}, "more parts than"),
        ({"issuer": {"@context": [CREDENTIALS_V2] * 300, "id": "urn:x:2"}}, "more parts than"),
    ],
)
def test_refuses_what_could_be_read_two_ways(more: JsonObject, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        canonicalize(badge(**more))


def test_refuses_a_document_without_context() -> None:
    with pytest.raises(Malformed, match="names no JSON-LD context"):
        canonicalize({"id": "urn:x:1"})


def test_refuses_a_list_at_the_top() -> None:
    with pytest.raises(Malformed, match="not one JSON-LD node"):
        canonicalize({"@context": [CREDENTIALS_V2]})


def test_an_endorsement_may_speak_of_the_document_it_stands_in() -> None:
    endorsement: JsonObject = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": "urn:e:1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "credentialSubject": {
            "id": "urn:x:1",
            "type": ["EndorsementSubject"],
            "endorsementComment": "Good.",
        },
    }
    assert b"endorsementComment" in canonicalize(badge(endorsement=[endorsement]))


def test_lines_end_only_where_the_standard_ends_them() -> None:
    lines = canonicalize(badge(name="a\u2028b\u2029c"))
    assert b"a\xe2\x80\xa8b\xe2\x80\xa9c" in lines
    assert all(line.endswith(b" .") for line in lines.split(b"\n")[:-1])


def alike(count: int) -> JsonObject:
    """Two nodes without ids, each with so many children that look alike until one looks deeper."""
    children: list[JsonValue] = [
        {
            "type": ["Profile"],
            "address": {
                "type": ["Address"],
                "geo": {"type": ["GeoCoordinates"], "latitude": 0.5 + place, "longitude": 0.5},
            },
        }
        for place in range(count)
    ]
    parent: JsonObject = {"type": ["Achievement"], "related": children}
    subject: JsonObject = {"type": ["AchievementSubject"], "achievement": [parent, {**parent}]}
    return badge(credentialSubject=subject)


def test_refuses_alike_nodes_that_would_take_hours() -> None:
    with pytest.raises(Malformed, match="look alike"):
        canonicalize(alike(9))


def test_refuses_too_many_nodes_without_an_id() -> None:
    many: list[JsonValue] = [
        {"type": ["Alignment"], "targetName": str(place)} for place in range(500)
    ]
    subject: JsonObject = {
        "type": ["AchievementSubject"],
        "achievement": {"type": ["Achievement"], "id": "urn:a:1", "alignment": many},
    }
    with pytest.raises(Malformed, match="without an id"):
        canonicalize(badge(credentialSubject=subject))


def test_an_issuer_may_say_the_same_address_twice() -> None:
    profile: JsonObject = {
        "id": "did:web:a.example",
        "type": ["Profile"],
        "address": {"type": ["Address"], "addressCountryCode": "CA"},
    }
    achievement: JsonObject = {"id": "urn:a:1", "type": ["Achievement"], "creator": {**profile}}
    subject: JsonObject = {"type": ["AchievementSubject"], "achievement": achievement}
    assert canonicalize(badge(issuer=profile, credentialSubject=subject))


@given(TEXT)
def test_ordinary_text_can_be_signed(text: str) -> None:
    screen_text(text)
