"""The credential for people and programs, its evidence and downloads, the registrar's pages."""

import json
import re
from datetime import timedelta
from io import BytesIO

import pytest
from joserfc.jwk import OKPKey
from sqlmodel import select
from werkzeug.test import TestResponse

from credentials.baking import unbake_png, unbake_svg
from credentials.documents import JsonObject
from credentials.keys import did_key
from credentials.openbadges import build_credential
from credentials.status_list import build_status_entry
from credentials.verify import Outcome, verify
from storage.ids import new_id
from storage.tables import EvidenceAccess, IssuerKey, StatusList
from storage.vocabulary import Role
from tests.fixtures.badges import CLAIMS, KEY
from tests.fixtures.bounded import bounded_work
from tests.fixtures.issued import Issued, nothing
from tests.fixtures.recall import Recall
from tests.fixtures.tokens import assertion, jws
from tests.fixtures.web import Browser
from tests.fixtures.world import SITE, World
from workflows.issuance.commands import choose_disclosure
from workflows.issuance.published import local_fetcher
from workflows.issuance.queries import CredentialView, public_credential

INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=")


@pytest.fixture
def web_env(web_env: dict[str, str]) -> dict[str, str]:
    """Keys to a store that is never asked: links to it are signed without it."""
    return {**web_env, "S3_ACCESS_KEY_ID": "key", "S3_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture
def issued(recall: Recall) -> Issued:
    return recall(Issued)


def view(issued: Issued) -> CredentialView:
    with issued.db.reading() as tx:
        return public_credential(tx, SITE, issued.credential_id)


def path(issued: Issued) -> str:
    return f"/credentials/{issued.credential_id}"


class TestForEveryone:
    def test_a_stranger_reads_who_what_and_how_it_was_assessed(
        self, issued: Issued, browser: Browser
    ) -> None:
        page = browser.get(path(issued))
        assert page.status_code == 200
        for words in ("Ana Souza", "Northbridge College", "This credential is valid", "Level 3 of"):
            assert words in page.text
        assert not INLINE.search(page.text)
        assert "Open its record" not in page.text
        assert "What others may have of this file" not in page.text

    def test_each_outcome_names_what_shows_it_and_each_item_what_it_shows(
        self, issued: Issued, browser: Browser
    ) -> None:
        page = browser.get(path(issued)).text
        item, codes = view(issued).items[0], [one.outcome.code for one in view(issued).outcomes]
        assert item.outcomes and set(item.outcomes) <= set(codes)
        outcome = page.split(f'id="outcome-{item.outcomes[0]}"')[1].split("</li>")[0]
        assert f'href="#{item.slug}"' in outcome
        assert item.sha256 in re.sub(r"<wbr>|</?span>", "", page)
        assert browser.get(f"{path(issued)}/face.png").data.startswith(b"\x89PNG")

    def test_one_whose_time_is_over_says_so_wherever_it_is_listed(
        self, issued: Issued, browser: Browser
    ) -> None:
        until = view(issued).valid_until
        assert until is not None and "Its time is over" not in browser.get(path(issued)).text
        issued.world.clock.set(until + timedelta(days=1))
        page = browser.get(path(issued)).text
        assert page.count("Its time is over") == 2
        assert "This credential is not valid" in page
        for person, address in (
            (issued.learner, "/my/credentials"),
            (issued.registrar, "/staff/credentials"),
        ):
            browser.sign_in(person)
            assert "Its time is over" in browser.get(address).text

    def test_programs_get_the_signed_bytes_by_accept_or_by_name(
        self, issued: Issued, browser: Browser
    ) -> None:
        signed = view(issued).document
        by_accept = browser.get(path(issued), headers={"Accept": "application/vc"})
        by_name = browser.get(f"{path(issued)}.json")
        for answer in (by_accept, by_name):
            assert answer.data == signed
            assert answer.mimetype == "application/vc"
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Accept" in by_accept.headers["Vary"]
        assert browser.get(path(issued), headers={"Accept": "*/*"}).mimetype == "text/html"

    def test_bytes_that_are_known_are_not_sent_again(
        self, issued: Issued, browser: Browser
    ) -> None:
        tag = browser.get(f"{path(issued)}.json").headers["ETag"]
        again = browser.get(f"{path(issued)}.json", headers={"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")

    def test_everything_a_verifier_needs_is_at_the_addresses_in_the_document(
        self, issued: Issued, browser: Browser
    ) -> None:
        def fetch(url: str, /) -> bytes:
            return browser.get(SITE.path_of(url) or "", headers={"Accept": "application/vc"}).data

        now = issued.world.clock.now()
        assert verify(view(issued).document, fetch=fetch, now=now).outcome is Outcome.VALID

    def test_there_is_no_page_for_what_is_not_there(self, browser: Browser, world: World) -> None:
        for address in (
            f"/credentials/{new_id()}",
            f"/credentials/{new_id()}.json",
            f"/credentials/{new_id()}/badge.png",
            f"/status/{new_id()}",
            f"/achievements/{new_id()}",
            f"/endorsements/{new_id()}",
            f"/organisations/{new_id()}/did.json",
            "/.well-known/did.json",
            "/credentials/not-an-id",
        ):
            assert browser.get(address).status_code == 404, address

    def test_the_definition_has_a_page_a_document_and_a_picture(
        self, issued: Issued, browser: Browser
    ) -> None:
        address = f"/achievements/{view(issued).definition_id}"
        assert "Outcomes and rubric" in browser.get(address).text
        achievement = json.loads(browser.get(f"{address}.json").data)
        assert achievement["id"] == SITE.achievement(view(issued).definition_id)
        assert browser.get(f"{address}/badge.png").data.startswith(b"\x89PNG")

    def test_keys_and_lists_are_published(self, issued: Issued, browser: Browser) -> None:
        with issued.db.reading() as tx:
            key = tx.session.exec(select(IssuerKey)).one()
            list_id = tx.session.exec(select(StatusList.id)).first()
        did = browser.get("/.well-known/did.json")
        assert key.public_multibase in did.text
        assert did.mimetype == "application/did+json"
        assert json.loads(browser.get(f"/status/{list_id}").data)["proof"]


class TestDownloads:
    @pytest.mark.parametrize(("kind", "unbake"), [("png", unbake_png), ("svg", unbake_svg)])
    def test_the_badge_holds_the_very_document(
        self, issued: Issued, browser: Browser, kind: str, unbake: object
    ) -> None:
        answer = browser.get(f"{path(issued)}/badge.{kind}")
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert json.loads(unbake(answer.data)) == json.loads(view(issued).document)  # type: ignore[operator]
        fetch = local_fetcher(issued.db, SITE, nothing)
        now = issued.world.clock.now()
        assert verify(answer.data, fetch=fetch, now=now).outcome is Outcome.VALID

    def test_the_certificate_is_a_pdf_with_the_same_bytes_each_time(
        self, issued: Issued, browser: Browser
    ) -> None:
        first = browser.get(f"{path(issued)}/certificate.pdf")
        assert first.data.startswith(b"%PDF")
        assert b"credential.json" in first.data
        assert browser.get(f"{path(issued)}/certificate.pdf").data == first.data


class TestEvidence:
    def test_an_address_of_evidence_grants_nothing_by_itself(
        self, issued: Issued, browser: Browser
    ) -> None:
        item = view(issued).items[0]
        address = SITE.path_of(item.url) or ""
        page = browser.get(address)
        assert page.status_code == 200
        assert item.name in page.text
        assert item.sha256 in page.text
        assert "Download the file" not in page.text
        assert browser.get(f"{address}/file").status_code == 404
        assert browser.get(f"{path(issued)}/evidence/unknown").status_code == 404

    def test_an_opened_item_is_handed_out_by_a_link_of_the_store_and_noted(
        self, issued: Issued, browser: Browser
    ) -> None:
        item = view(issued).items[0]
        choose_disclosure(
            issued.db,
            issued.learner,
            issued.credential_id,
            slug=item.slug,
            disclosure="open_link",
        )
        address = SITE.path_of(item.url) or ""
        assert "Download the file" in browser.get(address).text
        answer = browser.get(f"{address}/file")
        assert answer.status_code == 303
        assert f"sealed/{item.sha256[:2]}" in answer.location or item.sha256 in answer.location
        with issued.db.reading() as tx:
            noted = tx.session.exec(select(EvidenceAccess)).one()
        assert (noted.purpose, noted.credential_id) == ("open_link", issued.credential_id)

    def test_the_holder_chooses_on_the_page_and_others_cannot(
        self, issued: Issued, browser: Browser
    ) -> None:
        slug = view(issued).items[0].slug
        address = f"{path(issued)}/evidence/{slug}/disclosure"
        assert browser.post(address, {"disclosure": "open_link"}).status_code in (303, 401)
        browser.sign_in(issued.world.person(Role.LEARNER))
        assert browser.post(address, {"disclosure": "open_link"}).status_code == 404
        assert not view(issued).items[0].openable
        browser.sign_in(issued.learner)
        assert "What others may have of this file" in browser.get(path(issued)).text
        assert browser.post(address, {"disclosure": "open_link"}).status_code == 303
        assert view(issued).items[0].openable
        headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
        kept = browser.post(address, {"disclosure": "digest_only"}, headers=headers)
        assert ("Kept" in kept.text, "<html" in kept.text) == (True, False)
        assert browser.post(address, {"disclosure": "all of it"}).status_code == 422

    def test_markup_in_what_a_learner_wrote_is_shown_as_text(
        self, world: World, browser: Browser
    ) -> None:
        world_item = world.item

        def odd_item(*args: object, **more: object) -> object:
            return world_item(*args, **{**more, "title": "<img src=x onerror=alert(1)>"})  # type: ignore[arg-type]

        world.item = odd_item  # type: ignore[method-assign,assignment]
        issued = Issued(world)
        page = browser.get(path(issued)).text
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


class TestLearner:
    def test_their_own_credentials_are_listed_and_nobody_elses(
        self, issued: Issued, browser: Browser
    ) -> None:
        browser.sign_in(issued.learner)
        assert path(issued) in browser.get("/my/credentials").text
        browser.sign_in(issued.world.person(Role.LEARNER))
        page = browser.get("/my/credentials").text
        assert path(issued) not in page
        assert "No credential yet" in page


class TestVerifyPage:
    def test_the_page_asks_for_a_badge_and_has_nothing_inline(self, browser: Browser) -> None:
        page = browser.get("/verify")
        assert page.status_code == 200
        assert not INLINE.search(page.text)

    def test_an_address_of_ours_is_verified_at_once(self, issued: Issued, browser: Browser) -> None:
        page = browser.get(f"/verify?credential={SITE.credential(issued.credential_id)}").text
        assert "This credential is valid" in page
        assert view(issued).items[0].sha256 in page
        assert path(issued) in page

    def test_an_address_elsewhere_is_not_fetched_before_it_is_asked_for(
        self, browser: Browser
    ) -> None:
        page = browser.get("/verify?credential=https://elsewhere.example/x").text
        assert "https://elsewhere.example/x" in page
        assert "data-compare" not in page

    @pytest.mark.parametrize("kind", ["png", "svg", "json", "pdf"])
    def test_a_dropped_badge_is_read_check_by_check(
        self, issued: Issued, browser: Browser, kind: str
    ) -> None:
        names = {"json": ".json", "pdf": "/certificate.pdf"}
        address = path(issued) + names.get(kind, f"/badge.{kind}")
        data = browser.get(address).data
        page = _sent(browser, f"badge.{kind}", data)
        assert (page.status_code, "This credential is valid" in page.text) == (200, True)

    def test_text_and_evidence_addresses_are_taken_as_well(
        self, issued: Issued, browser: Browser
    ) -> None:
        for source in (view(issued).document.decode(), view(issued).items[0].url):
            page = browser.post("/verify", {"source": source})
            assert "This credential is valid" in page.text

    def test_a_token_of_a_stranger_is_judged_by_what_it_brings(self, browser: Browser) -> None:
        key = OKPKey.import_key(KEY)
        issuer = {"id": did_key(KEY), "type": ["Profile"], "name": "Riverside Polytechnic"}
        badge: JsonObject = {**build_credential(CLAIMS), "issuer": issuer}
        del badge["credentialStatus"]
        page = browser.post("/verify", {"source": jws({"alg": "EdDSA"}, badge, key).decode()})
        assert (page.status_code, "This credential is valid" in page.text) == (200, True)
        assert "nothing here shows who holds it" in page.text
        assert "a key that calls itself “Riverside Polytechnic”" in page.text
        entry = build_status_entry("https://127.0.0.1:9/list", 1, "revocation")
        revocable = {**badge, "credentialStatus": entry}
        source = jws({"alg": "EdDSA"}, revocable, key).decode()
        page = browser.post("/verify", {"source": source})
        assert "We cannot tell" in page.text
        assert "Status: https://127.0.0.1:9/list is not at a public address." in page.text

    def test_one_changed_letter_is_found(self, issued: Issued, browser: Browser) -> None:
        changed = view(issued).document.decode().replace("Video of the job", "Video of a job")
        page = browser.post("/verify", {"source": changed})
        assert (page.status_code, "This credential is not valid" in page.text) == (200, True)

    def test_what_is_no_credential_is_refused_in_words(self, browser: Browser) -> None:
        for form, words in (
            ({"source": ""}, "Choose a badge file"),
            ({"source": "https://127.0.0.1:9/x"}, "public address"),
        ):
            answer = browser.post("/verify", form)
            assert (answer.status_code, words in answer.text) == (422, True)
        assert _sent(browser, "x.png", b"\x89PNG\r\n\x1a\nbroken").status_code == 422
        assert _sent(browser, "x.json", b"\xff\xfe\xfd").status_code == 422

    @pytest.mark.parametrize("junk", ["hello", "example.org/credentials/1", "<html></html>", "a b"])
    def test_junk_is_neither_an_address_nor_a_credential_and_is_no_verdict(
        self, browser: Browser, junk: str
    ) -> None:
        answer = browser.post("/verify", {"source": junk})
        assert answer.status_code == 422
        assert "is not valid" not in answer.text and "(optional)" not in answer.text
        assert "neither an address" in answer.text or junk.startswith("<")

    @pytest.mark.parametrize("source", ['{"name": "\\ud800"}', '{"\\ud800": "x"}'])
    def test_half_of_a_character_is_told_in_words(self, browser: Browser, source: str) -> None:
        answer = browser.post("/verify", {"source": source})
        assert (answer.status_code, "half of a character" in answer.text) == (200, True)

    def test_a_pasted_digest_is_compared_without_javascript(
        self, issued: Issued, browser: Browser
    ) -> None:
        item = view(issued).items[0]
        source = SITE.credential(issued.credential_id)
        digests = f"{item.sha256}  report.mp4\n{'0' * 64}\nnot a digest\n\n"
        page = browser.post("/verify", {"source": source, "digests": digests}).text
        assert "is the file that was assessed as" in page
        assert "report.mp4" in page
        assert "No evidence in this credential has the digest of “not a digest”" in page
        assert "This credential is valid" in page

    def test_a_line_of_nothing_but_blanks_is_compared_as_quickly_as_any(
        self, browser: Browser
    ) -> None:
        digests = f"{'0' * 64} x{' ' * 200_000}y"
        with bounded_work():
            assert browser.post("/verify", {"source": "{}", "digests": digests}).status_code == 200

    def test_a_credential_that_ran_out_is_told_by_its_date(
        self, issued: Issued, browser: Browser
    ) -> None:
        issued.world.clock.advance(timedelta(days=365 * 20))
        page = browser.post("/verify", {"source": view(issued).document.decode()}).text
        assert "This credential is not valid" in page

    def test_another_houses_credential_with_our_address_is_not_taken_for_ours(
        self, issued: Issued, browser: Browser
    ) -> None:
        document = json.loads(view(issued).document)
        document["issuer"]["id"] = "did:web:elsewhere.example"
        page = browser.post("/verify", {"source": json.dumps(document)}).text
        assert "This credential is valid" not in page

    def test_a_strangers_valid_token_does_not_borrow_the_page_of_ours(
        self, issued: Issued, browser: Browser
    ) -> None:
        badge: JsonObject = {
            **build_credential(CLAIMS),
            "id": SITE.credential(issued.credential_id),
            "issuer": {"id": did_key(KEY), "type": ["Profile"], "name": "Northbridge College"},
        }
        del badge["credentialStatus"]
        source = jws({"alg": "EdDSA"}, badge, OKPKey.import_key(KEY)).decode()
        page = browser.post("/verify", {"source": source}).text
        assert "This credential is valid" in page
        assert path(issued) not in page

    def test_a_badge_of_version_2_is_never_taken_for_ours(
        self, issued: Issued, browser: Browser
    ) -> None:
        badge = assertion(id=SITE.credential(issued.credential_id), issuer=SITE.did())
        page = browser.post("/verify", {"source": json.dumps(badge)}).text
        assert f'href="{path(issued)}' not in page
        assert f'href="{SITE.credential(issued.credential_id)}' not in page


def _sent(browser: Browser, name: str, data: bytes) -> TestResponse:
    return browser.post("/verify", {"badge": (BytesIO(data), name)})
