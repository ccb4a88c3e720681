"""The credential attached to a PDF: found, or refused with the reason, within bounds."""

from io import BytesIO

import pikepdf
import pytest

from credentials import pdf
from credentials.badge import BadgeFace, draw_badge
from credentials.certificate import make_certificate
from credentials.documents import dump_json
from credentials.errors import Malformed, NotYetReadable
from credentials.pdf import attached_credential
from credentials.pdf_child import found
from credentials.verify import Outcome, verify
from tests.fixtures.badges import NOW, signed_credential, web

TEXT = dump_json(signed_credential())


def made(*attached: tuple[str, str, bytes], password: str = "") -> bytes:
    """A PDF with these files attached, each a name, a media type and its bytes."""
    out = BytesIO()
    with pikepdf.new() as made_pdf:
        made_pdf.add_blank_page()
        for number, (name, kind, data) in enumerate(attached):
            spec = pikepdf.AttachedFileSpec(made_pdf, data, filename=name, mime_type=kind)
            made_pdf.attachments[f"{number}"] = spec
        lock = pikepdf.Encryption(owner=password, user=password) if password else None
        made_pdf.save(out, encryption=lock or False)
    return out.getvalue()


def json_file(name: str, data: bytes = TEXT) -> tuple[str, str, bytes]:
    return name, "application/json", data


def test_our_certificate_is_judged_like_the_credential_in_it() -> None:
    paper = make_certificate(signed_credential(), draw_badge(BadgeFace("CNC", "Riverside")))
    assert attached_credential(paper) == TEXT
    verdict = verify(paper, fetch=web(), now=NOW)
    assert verdict == verify(TEXT, fetch=web(), now=NOW)
    assert verdict.outcome is Outcome.VALID


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (made(json_file("credential.json")), "found"),
        (made(("badge", "application/vc+jwt", TEXT)), "found"),
        (made(("Credential.JSON", "", TEXT), ("notes.txt", "text/plain", b"x")), "found"),
        (made(json_file("credential.json"), json_file("other.json", b"{}")), "found"),
        (made(), "none"),
        (made(("notes.txt", "text/plain", b"x")), "none"),
        (made(json_file("a.json"), json_file("b.json")), "many"),
        (made(json_file("credential.json"), json_file("credential.json", b"{}")), "many"),
        (made(json_file("a.json", b" " * 3_000_000)), "large"),
        (made(json_file("a.json"), password="secret"), "locked"),
        (b"%PDF-1.7\nnothing more", "damaged"),
    ],
)
def test_one_credential_is_found_or_the_reason_told(data: bytes, word: str) -> None:
    assert found(data) == (word, TEXT if word == "found" else b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (made(), "no credential attached"),
        (made(json_file("a.json"), json_file("b.json")), "more than one"),
    ],
)
def test_the_reason_comes_in_words(data: bytes, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        attached_credential(data)


def test_a_file_that_unpacks_without_end_is_stopped() -> None:
    bomb = made(json_file("a.json", bytes(60_000_000)))
    assert len(bomb) < 1_000_000
    with pytest.raises((Malformed, NotYetReadable), match=r"too large|damaged|more time"):
        attached_credential(bomb)


def test_a_reader_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_SECONDS", 0.001)
    with pytest.raises(NotYetReadable, match="more time or memory"):
        attached_credential(made(json_file("a.json")))
