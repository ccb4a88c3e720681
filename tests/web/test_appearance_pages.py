"""Logo and colours: chosen on a page, worn by pages, badges, certificates and new credentials."""

import io
import json
import re

import pytest
from PIL import Image

from app.sandbox import ChildProcesses
from credentials.documents import load_json
from storage.database import Database
from storage.ids import sha256_of
from storage.tables import Institution
from tests.fixtures.issued import Issued
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser, People
from tests.fixtures.world import SITE, World
from workflows.appearance.commands import wear_logo
from workflows.issuance.artefacts import house_of
from workflows.issuance.claims import issuer_profile
from workflows.issuance.queries import public_credential

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 4"><path d="M0 0h9v4z"/></svg>'
ADDRESS = re.compile(r"/logos/([0-9a-f]{64})\.png")


@pytest.fixture
def ada(browser: Browser, people: People) -> Browser:
    """The administrator's browser."""
    browser.sign_in(people.administrator)
    return browser


def send(ada: Browser, given: bytes, text: str = "A bar") -> int:
    form = {"text": text, "logo": (io.BytesIO(given), "logo.svg")}
    return ada.post("/admin/appearance/logo", form).status_code


def profile(db: Database, world: World) -> dict[str, object]:
    with db.reading() as tx:
        return dict(tx.session.get_one(Institution, world.institution_id).profile)


def test_a_logo_is_drawn_anew_worn_by_every_page_and_served_for_ever(
    ada: Browser, db: Database, world: World
) -> None:
    assert send(ada, SVG) == 303
    found = ADDRESS.search(ada.get("/verify").text)
    assert found
    answer = ada.get(found[0])
    assert answer.mimetype == "image/png"
    assert sha256_of(answer.data) == found[1]
    assert Image.open(io.BytesIO(answer.data)).format == "PNG"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    with db.reading() as tx:
        institution = tx.session.get_one(Institution, world.institution_id)
        assert issuer_profile(institution, SITE).image == f"{SITE.url}{found[0]}"


def test_a_file_that_is_no_logo_is_refused_beside_its_field_and_nothing_changes(
    ada: Browser, db: Database, world: World
) -> None:
    answer = ada.post(
        "/admin/appearance/logo", {"text": "x", "logo": (io.BytesIO(b"<html>"), "logo.png")}
    )
    assert answer.status_code == 422
    assert "could not be read" in answer.text
    assert 'id="f-logo-error"' in answer.text
    assert send(ada, bytes(2 * 1024 * 1024 + 1)) == 422
    assert send(ada, SVG, text=" ") == 422
    assert profile(db, world) == {}


def test_the_words_can_be_changed_and_the_logo_taken_off_while_its_address_stays(
    ada: Browser, db: Database, world: World
) -> None:
    send(ada, SVG)
    address = ADDRESS.search(ada.get("/verify").text)
    assert address
    ada.post("/admin/appearance/logo", {"text": "Another bar"})
    assert json.dumps(profile(db, world)).count("Another bar") == 1
    ada.post("/admin/appearance/logo/off", {})
    assert not ADDRESS.search(ada.get("/verify").text)
    assert ada.get(address[0]).status_code == 200
    assert ada.get(f"/logos/{'0' * 64}.png").status_code == 404


def test_colours_are_seen_before_they_are_kept(ada: Browser, db: Database, world: World) -> None:
    page = ada.get("/admin/appearance?colour=%23ffee88&accent=%23b8893b").text
    assert "This is not kept yet" in page
    assert "Darker: #" in page
    assert "#ffee88" in ada.get("/admin/appearance/theme.css?colour=%23ffee88").text
    for what, size in (("badge", 320), ("card", 1200), ("certificate", 595)):
        seen = ada.get(f"/admin/appearance/{what}.png?colour=%23ffee88&accent=%23b8893b")
        assert Image.open(io.BytesIO(seen.data)).width == size, what
    assert profile(db, world) == {}
    assert ada.post("/admin/appearance/colours", {"colour": "red", "accent": ""}).status_code == 422
    ada.post("/admin/appearance/colours", {"colour": "#AA0000", "accent": "#b8893b"})
    assert profile(db, world) == {"colour": "#aa0000", "accent": "#b8893b"}
    assert "#aa0000" in ada.get("/theme.css").text


def test_what_was_issued_keeps_the_logo_that_it_names(
    recall: Recall, browser: Browser, people: People
) -> None:
    issued = recall(Issued)
    with issued.db.reading() as tx:
        before = public_credential(tx, SITE, issued.credential_id)
    assert before.logo == b""
    wear_logo(issued.db, ChildProcesses(), people.administrator, SVG, "A bar")
    with issued.db.reading() as tx:
        after = public_credential(tx, SITE, issued.credential_id)
    assert after.document == before.document
    assert "image" not in load_json(after.document)["issuer"]  # type: ignore[operator]
    assert after.logo.startswith(b"\x89PNG")
    assert house_of(after).logo == after.logo
    assert b"data:image" in browser.get(f"/credentials/{issued.credential_id}/badge.svg").data
