"""The forms in which a credential leaves the house: tokens, baked badges, cards, what is shared."""

import base64
import json
import re
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import RSAKey
from openbadgeslib.baking import extract_png, extract_svg
from openbadgeslib.ob3 import OB3Verifier
from PIL import Image
from sqlmodel import select

from app.web.access import parts
from credentials.verify import Outcome, verify
from storage.errors import Unavailable
from storage.events import SYSTEM
from storage.tables import TokenKey
from tests.fixtures.badges import Web
from tests.fixtures.issued import ISSUER, Issued, nothing
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from tests.fixtures.world import SITE
from workflows.issuance.bundle import gather
from workflows.issuance.commands import change_credential
from workflows.issuance.keys import Issuer, open_token_key, reseal_keys
from workflows.issuance.published import local_fetcher
from workflows.issuance.queries import CredentialView, public_credential
from workflows.issuance.rules import Reason
from workflows.issuance.tokens import ensure_token_key, rotate_token_key


@pytest.fixture
def issued(recall: Recall) -> Issued:
    return recall(Issued)


def view(issued: Issued) -> CredentialView:
    with issued.db.reading() as tx:
        return public_credential(tx, SITE, issued.credential_id)


def path(issued: Issued) -> str:
    return f"/credentials/{issued.credential_id}"


def token_of(issued: Issued, browser: Browser) -> str:
    answer = browser.get(f"{path(issued)}.jwt")
    assert (answer.status_code, answer.mimetype) == (200, "application/vc+jwt")
    return answer.text


def the_issuer(browser: Browser) -> Issuer:
    """What the site under test signs with."""
    with browser.app.app_context():
        return parts().issuer


def outcome(issued: Issued, data: bytes) -> Outcome:
    fetch = local_fetcher(issued.db, SITE, nothing)
    return verify(data, fetch=fetch, now=issued.db.clock.now()).outcome


def test_the_token_is_accepted_by_us_and_by_openbadgeslib(issued: Issued, browser: Browser) -> None:
    token = token_of(issued, browser)
    assert token == token_of(issued, browser)
    assert outcome(issued, token.encode()) is Outcome.VALID
    header = json.loads(extract_json(token, 0))
    jwk = browser.get(urlsplit(header["kid"]).path)
    assert (jwk.mimetype, jwk.headers["Access-Control-Allow-Origin"]) == (
        "application/jwk+json",
        "*",
    )
    assert jwk.json is not None and not {"d", "p", "q"} & set(jwk.json)
    public = RSAKey.import_key(jwk.json).public_key
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert OB3Verifier(pem).verify(token).id == view(issued).url


def test_the_token_is_checked_offline_with_what_is_exported(
    issued: Issued, browser: Browser
) -> None:
    token = token_of(issued, browser)
    bundle = gather(issued.db, SITE, issued.credential_id, token)
    assert bundle.files["credential.jwt"].decode() == token
    web = Web({url: bundle.files[name] for url, name in bundle.map.items()})
    assert verify(token.encode(), fetch=web, now=issued.db.clock.now()).outcome is Outcome.VALID
    assert any(name.startswith("key-") for name in bundle.map.values())


def extract_json(token: str, part: int) -> bytes:
    """A part of a token as JSON."""
    text = token.split(".")[part]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_new_token_key_leaves_the_old_tokens_valid(issued: Issued, browser: Browser) -> None:
    issuer, institution_id = the_issuer(browser), issued.world.institution_id
    assert rotate_token_key(issued.db, issuer, SYSTEM, institution_id) is None
    old = token_of(issued, browser)
    assert rotate_token_key(issued.db, issuer, SYSTEM, institution_id, why="a drill")
    new = token_of(issued, browser)
    assert new != old
    assert [outcome(issued, one.encode()) for one in (old, new)] == [Outcome.VALID] * 2


def test_token_keys_are_sealed_and_sealed_anew_under_another_secret(issued: Issued) -> None:
    old = ISSUER
    ensure_token_key(issued.db, old, issued.world.institution_id)
    new = Issuer(SITE, "another secret, long enough", earlier_secret=old.key_secret)
    with issued.db.reading() as tx:
        kept = tx.session.exec(select(TokenKey)).one()
        opened = open_token_key(kept, old)
        assert opened not in kept.sealed_key
        assert open_token_key(kept, new) == opened
    assert reseal_keys(issued.db, new, SYSTEM) >= 1
    with issued.db.reading() as tx:
        kept = tx.session.exec(select(TokenKey)).one()
        assert open_token_key(kept, Issuer(SITE, new.key_secret)) == opened
        with pytest.raises(Unavailable, match="cannot be opened"):
            open_token_key(kept, old)


@pytest.mark.parametrize("inside", ["json", "jwt"])
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_baked_badges_are_unbaked_by_openbadgeslib(
    issued: Issued, browser: Browser, kind: str, inside: str
) -> None:
    answer = browser.get(f"{path(issued)}/badge.{kind}?inside={inside}")
    if kind == "png":
        found = extract_png(answer.data, keyword=b"openbadgecredential")
    else:
        found = extract_svg(answer.data, element="openbadges:credential", text_fallback=True)
    as_token = token_of(issued, browser)
    assert found is not None
    assert found.strip() == (
        as_token if inside == "jwt" else view(issued).document.decode().strip()
    )
    assert outcome(issued, answer.data) is Outcome.VALID
    assert ("-jwt." in answer.headers["Content-Disposition"]) is (inside == "jwt")


def test_the_page_tells_other_sites_what_it_is(issued: Issued, browser: Browser) -> None:
    page = browser.get(path(issued)).text
    found = re.findall(r'<meta (?:property|name)="((?:og|twitter):[^"]+)" content="([^"]*)"', page)
    told = dict(found)
    assert told["og:title"] == f"{view(issued).title} · Ana Souza"
    assert told["og:url"] == view(issued).url
    assert told["og:image"] == f"{view(issued).url}/card.png"
    assert told["twitter:card"] == "summary_large_image"
    card = browser.get(f"{path(issued)}/card.png")
    assert Image.open(BytesIO(card.data)).size == (1200, 630)
    assert card.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in card.headers


def test_the_snippet_for_other_pages_has_a_picture_and_no_script(
    issued: Issued, browser: Browser
) -> None:
    page = browser.get(path(issued)).text
    snippet = re.search(r'<code id="snippet">(.*?)</code>', page, re.DOTALL)
    assert snippet and "&lt;a href=" in snippet[1]
    assert not re.search("script|iframe|style", snippet[1])
    assert f"{view(issued).url}/embed.png" in snippet[1]
    strip = browser.get(f"{path(issued)}/embed.png")
    assert Image.open(BytesIO(strip.data)).size == (1280, 400)
    assert browser.get(f"{path(issued)}/embed.png").data == strip.data


def test_a_credential_out_of_force_says_so_wherever_it_is_shown(
    issued: Issued, browser: Browser
) -> None:
    pictures = [f"{path(issued)}/{name}.png" for name in ("card", "embed")]
    seen = [[browser.get(one).data for one in pictures]]
    for act, reason, words in (
        ("suspend_credential", Reason.REVIEW, "Suspended: not in force now"),
        ("revoke_credential", Reason.HOLDER_ASKED, "Revoked: no longer in force"),
    ):
        change_credential(
            issued.db, SITE, issued.registrar, issued.credential_id, act=act, reason=reason
        )
        seen.append([browser.get(one).data for one in pictures])
        assert f'property="og:description" content="{words}' in browser.get(path(issued)).text
    assert len({data for pair in seen for data in pair}) == 6


def test_only_its_holder_is_offered_linkedin(issued: Issued, browser: Browser) -> None:
    assert "linkedin" not in browser.get(path(issued)).text
    browser.sign_in(issued.learner)
    link = re.search(r'href="(https://www\.linkedin\.com/[^"]+)"', browser.get(path(issued)).text)
    assert link
    asked = parse_qs(urlsplit(link[1].replace("&amp;", "&")).query)
    assert asked["certUrl"] == [view(issued).url]
    assert asked["organizationName"] == ["Northbridge College"]
    assert asked["issueYear"] == [str(view(issued).awarded_at.year)]


def test_forms_of_credentials_that_are_not_there_are_not_there(browser: Browser) -> None:
    for name in (".jwt", "/card.png", "/embed.png", "/badge.png?inside=jwt"):
        address = f"/credentials/01890000-0000-7000-8000-000000000000{name}"
        assert browser.get(address).status_code == 404
    assert browser.get("/keys/01890000-0000-7000-8000-000000000000").status_code == 404
