"""What documents say of themselves, in the languages that somebody has put it in."""

import re
from io import BytesIO

import pikepdf
import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from credentials.badge import BadgeFace, draw_badge
from credentials.certificate import make_certificate
from credentials.paper import LABELS
from tests.fixtures.badges import signed_credential
from tools.messages import collect
from workflows.issuance.artefacts import printed_words
from workflows.words import CATALOGUES

LANGUAGES = sorted(path.parents[1].name for path in CATALOGUES.glob("*/LC_MESSAGES/documents.po"))
PLACES = re.compile(r"%\(\w+\)s")


def papers(language: str) -> Catalog:
    with (CATALOGUES / language / "LC_MESSAGES" / "documents.po").open("rb") as file:
        return read_po(file, locale=language)


def test_there_are_languages_to_speak() -> None:
    assert {"ar", "de", "es", "fr", "zh"} <= set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_the_same_things_with_the_same_places(language: str) -> None:
    told, first = papers(language), papers(LANGUAGES[0])
    assert {message.id for message in told} == {message.id for message in first}
    for message in told:
        assert message.string, message.id
        assert set(PLACES.findall(str(message.string))) == set(PLACES.findall(str(message.id)))
    # short words may be the same in two languages; sentences are not
    said = printed_words(language)
    assert not [text for key, text in LABELS.items() if said[key] == text and " " in text]


def test_what_is_put_into_languages_is_still_said() -> None:
    known = collect()
    assert not [message.id for message in papers("fr") if message.id and message.id not in known]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_certificate_is_set_in_its_language_and_keeps_both_standards(language: str) -> None:
    document = signed_credential()
    document["credentialSubject"]["achievement"]["inLanguage"] = language  # type: ignore[index, call-overload]
    badge = draw_badge(BadgeFace("CNC", "Riverside"))
    pdf = make_certificate(document, badge, labels=printed_words(language))
    assert pdf != make_certificate(document, badge)
    with pikepdf.open(BytesIO(pdf)) as opened, opened.open_metadata() as told:
        assert str(opened.Root.Lang) == language
        assert (told.get("pdfaid:conformance"), told.get("pdfuaid:part")) == ("A", "1")
