"""Every message reaches the translators, wherever it stands, and a catalogue keeps what it has."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tools.messages import collect, update


@pytest.fixture(scope="module")
def collected() -> Catalog:
    return collect()


@pytest.mark.parametrize(
    "message",
    [
        "Sign in",  # a template
        "Your password is set. Sign in with it now.",  # a view
        "Please answer this.",  # marked
        "Registrar",  # marked, as a label
        "Your password was changed",  # a mail
        "This is the last administrator. Make someone else one first.",  # an error
        "This link is too old. Ask for a new one; the old one stays closed.",  # a sentence in data
        "The database is busy. Nothing was changed; please try again.",  # storage
    ],
)
def test_a_message_is_collected_wherever_it_stands(collected: Catalog, message: str) -> None:
    assert message in collected


def test_docstrings_are_nobodys_messages(collected: Catalog) -> None:
    assert "Every act that the house knows, and to whom it is granted." not in collected


def test_a_catalogue_keeps_its_translations_and_gets_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "fr" / "LC_MESSAGES" / "messages.po"
    template = collect()
    messages, put = update(template, path, "fr")
    assert (messages, put) == (len(template), 0)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('msgid "Sign in"\nmsgstr ""', 'msgid "Sign in"\nmsgstr "Entrer"'))
    assert update(template, path, "fr") == (len(template), 1)
    with path.open("rb") as file:
        assert read_po(file, locale="fr")["Sign in"].string == "Entrer"
