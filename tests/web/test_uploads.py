"""The upload's endpoints and the pages of evidence: what they answer, refuse and show."""

import io
import json
from collections.abc import Mapping
from uuid import uuid4

import pytest
import requests
from werkzeug.test import TestResponse

from storage.ids import ItemId, sha256_of
from storage.tables import EvidenceItem
from storage.vault import StoreAddress, Vault, sealed_key
from storage.vocabulary import EvidenceKind, EvidenceState, Role, ScanVerdict
from tests.fixtures.intake import Intake, Says, fingerprint, noise
from tests.fixtures.web import Browser
from tests.fixtures.world import SIGNED
from workflows.cases.commands import submit_case
from workflows.evidence.sealing import NOT_CHECKED

JSON = {"Accept": "application/json"}


@pytest.fixture
def web_env(web_env: dict[str, str], store_address: StoreAddress) -> dict[str, str]:
    """The application over the test's own bucket in the real store."""
    return web_env | {
        "S3_ENDPOINT_URL": store_address.endpoint_url,
        "S3_BUCKET": store_address.bucket,
        "S3_ACCESS_KEY_ID": store_address.access_key_id,
        "S3_SECRET_ACCESS_KEY": store_address.secret_access_key,
    }


@pytest.fixture
def ana(browser: Browser, intake: Intake) -> Browser:
    """The learner's browser."""
    browser.sign_in(intake.learner)
    return browser


def call(browser: Browser, path: str, body: object) -> TestResponse:
    """What the upload's script does: JSON, with the token of the page."""
    headers = {**JSON, "X-CSRF-Token": browser.token(), "Content-Type": "application/json"}
    return browser.client.post(path, data=json.dumps(body), headers=headers)


def announce(browser: Browser, intake: Intake, body: bytes, name: str = "a.pdf") -> TestResponse:
    return call(
        browser,
        f"/cases/{intake.case_id}/evidence/announce",
        {"file_name": name, "size": len(body), "fingerprint": fingerprint(body)},
    )


def problems(answer: TestResponse) -> Mapping[str, str]:
    assert answer.json is not None
    found: Mapping[str, str] = answer.json["problems"]
    return found


class TestTheScriptsCalls:
    def test_a_file_goes_its_whole_way(self, ana: Browser, intake: Intake, vault: Vault) -> None:
        body = noise(9 * 1024**2)
        answer = announce(ana, intake, body)
        assert answer.status_code == 201 and answer.json is not None
        plan, addresses = answer.json, answer.json["addresses"]
        assert (plan["part_count"], plan["there"], plan["state"]) == (2, [], "announced")
        taken = []
        for number in (1, 2):
            start = (number - 1) * plan["part_size"]
            piece = body[start : start + plan["part_size"]]
            part = {"number": number, "sha256": sha256_of(piece)}
            signed = call(ana, addresses["sign"], {"parts": [part]})
            assert signed.json is not None
            (link,) = signed.json["parts"]
            put = requests.put(link["url"], data=piece, headers=link["headers"], timeout=30)
            taken.append({**part, "etag": put.headers["ETag"]})
            assert call(ana, addresses["record"], {"parts": taken[-1:]}).status_code == 204
        resumed = ana.get(addresses["plan"], headers=JSON)
        assert resumed.json is not None
        assert [part["number"] for part in resumed.json["there"]] == [1, 2]
        done = call(ana, addresses["complete"], {"parts": [1, 2]})
        assert (done.status_code, done.json) == (200, {"state": "stored"})
        item = intake.seal(ItemId(plan["item_id"]))
        assert item.sha256 == sha256_of(body)
        assert vault.find(sealed_key(sha256_of(body))) is not None

    def test_a_part_left_out_is_a_conflict_that_names_it(
        self, ana: Browser, intake: Intake
    ) -> None:
        body = noise(17 * 1024**2)
        plan = intake.announce(body)
        intake.send(plan, body, [1, 3])
        answer = call(ana, f"/evidence/{plan.item_id}/complete", {"parts": [1, 3]})
        assert answer.status_code == 409
        assert problems(answer) == {
            "left_out": "Parts left out: 2.",
            "missing": "Parts missing: 2.",
        }

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"{",
            b'{"parts": "all"}',
            b'{"parts": [{"number": "1", "sha256": "x"}]}',
            b'{"parts": []}',
        ],
    )
    def test_nonsense_is_refused_by_its_fields(
        self, ana: Browser, intake: Intake, body: bytes
    ) -> None:
        plan = intake.announce(noise(1000))
        headers = {**JSON, "X-CSRF-Token": ana.token(), "Content-Type": "application/json"}
        answer = ana.client.post(f"/evidence/{plan.item_id}/parts/sign", data=body, headers=headers)
        assert answer.status_code == 422
        assert answer.is_json

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"size": 0}, 422),
            ({"size": -5}, 422),
            ({"size": 10**15}, 422),
            ({"file_name": "../x"}, 422),
            ({"file_name": ""}, 422),
            ({"fingerprint": "x"}, 422),
            ({"size": "10"}, 422),
        ],
    )
    def test_a_file_that_cannot_come_is_refused_in_words(
        self, ana: Browser, intake: Intake, change: dict[str, object], status: int
    ) -> None:
        body = {"file_name": "a.pdf", "size": 10, "fingerprint": fingerprint(b"x" * 10)}
        answer = call(ana, f"/cases/{intake.case_id}/evidence/announce", body | change)
        assert answer.status_code == status
        assert all(problems(answer).values())

    def test_nothing_is_done_without_the_pages_token(self, ana: Browser, intake: Intake) -> None:
        answer = ana.client.post(
            f"/cases/{intake.case_id}/evidence/announce", data=b"{}", headers=JSON
        )
        assert answer.status_code == 403

    def test_another_learner_gets_nothing_signed(self, browser: Browser, intake: Intake) -> None:
        plan = intake.announce(noise(1000))
        browser.sign_in(intake.world.person(Role.LEARNER))
        part = {"number": 1, "sha256": "a" * 64}
        for path, body in (
            ("parts/sign", {"parts": [part]}),
            ("parts", {"parts": [{**part, "etag": "e"}]}),
            ("complete", {}),
        ):
            assert call(browser, f"/evidence/{plan.item_id}/{path}", body).status_code == 404
        assert browser.get(f"/evidence/{plan.item_id}/upload", headers=JSON).status_code == 404
        assert browser.get(f"/evidence/{plan.item_id}").status_code == 404
        assert announce(browser, intake, b"x").status_code == 404

    def test_a_visitor_is_asked_to_sign_in(self, browser: Browser, intake: Intake) -> None:
        plan = intake.announce(noise(1000))
        assert browser.get(f"/evidence/{plan.item_id}/upload", headers=JSON).status_code == 401


def send_form(browser: Browser, intake: Intake, body: bytes, name: str = "a.pdf") -> TestResponse:
    return browser.post(
        f"/cases/{intake.case_id}/evidence",
        {"file": (io.BytesIO(body), name)},
        content_type="multipart/form-data",
    )


class TestThePlainForm:
    def test_a_small_file_is_sent_without_javascript(self, ana: Browser, intake: Intake) -> None:
        body = noise(3_000_000)
        answer = send_form(ana, intake, body)
        assert answer.status_code == 303
        item_id = ItemId(answer.location.rpartition("/")[2])
        assert "has arrived" in ana.get(f"/evidence/{item_id}").text
        assert intake.seal(item_id).sha256 == sha256_of(body)

    def test_no_file_and_an_empty_file_are_refused_in_words(
        self, ana: Browser, intake: Intake
    ) -> None:
        none = ana.post(f"/cases/{intake.case_id}/evidence", {})
        assert none.status_code == 422 and "Choose a file first" in none.text
        empty = send_form(ana, intake, b"")
        assert empty.status_code == 422 and "is empty" in empty.text

    def test_a_file_too_large_for_the_form_is_refused(self, ana: Browser, intake: Intake) -> None:
        assert send_form(ana, intake, bytes(25_050_000)).status_code == 422
        assert send_form(ana, intake, bytes(26_000_000)).status_code == 413

    def test_several_files_are_refused_rather_than_dropped(
        self, ana: Browser, intake: Intake
    ) -> None:
        files = [(io.BytesIO(b"one"), "one.txt"), (io.BytesIO(b"two"), "two.txt")]
        answer = ana.post(f"/cases/{intake.case_id}/evidence", {"file": files})
        assert answer.status_code == 422 and "one file at a time" in answer.text


class TestPages:
    def test_the_case_shows_each_item_where_it_stands(self, ana: Browser, intake: Intake) -> None:
        sealed = intake.sealed(noise(1000), "sealed.pdf")
        intake.store(noise(1000, "w"), "waits.pdf")
        body = noise(17 * 1024**2)
        intake.send(intake.announce(body, "film.mp4"), body, [2])
        intake.scanner = Says(ScanVerdict.INFECTED, "Eicar")
        intake.sealed(noise(1000, "bad"), "bad.pdf")
        page = ana.get(f"/cases/{intake.case_id}").text
        assert "1 of 3 parts are here" in page
        assert "Being checked" in page
        assert "Eicar" in page and "Quarantined" in page
        assert sealed.sha256 is not None and sealed.sha256[:8] in page
        assert page.count('hx-trigger="every 2s"') == 1
        assert f'data-announce="/cases/{intake.case_id}/evidence/announce"' in page

    def test_an_item_shows_its_receipt(self, ana: Browser, intake: Intake) -> None:
        item = intake.sealed(noise(123_456), "Prüfbericht.pdf")
        page = ana.get(f"/evidence/{item.id}").text
        assert item.sha256 is not None
        groups = [item.sha256[at : at + 4] for at in range(0, 64, 4)]
        assert "".join(f"<span>{group}</span><wbr>" for group in groups) in page
        assert "Prüfbericht.pdf" in page and "123,456 bytes" in page

    def test_a_line_asks_for_itself_until_the_seal_is_done(
        self, ana: Browser, intake: Intake
    ) -> None:
        item_id = intake.store(noise(1000))
        row = f"/evidence/{item_id}/row"
        assert f'hx-get="{row}"' in ana.get(row).text
        intake.seal(item_id)
        assert "hx-get" not in ana.get(row).text

    def test_a_file_that_could_not_be_checked_says_so_and_stops_asking(
        self, ana: Browser, intake: Intake
    ) -> None:
        item_id = intake.store(noise(1000))
        with intake.db.transaction() as tx:
            tx.session.get_one(EvidenceItem, item_id).reason = NOT_CHECKED
        row = ana.get(f"/evidence/{item_id}/row").text
        assert "could not be checked" in row and "hx-get" not in row

    def test_a_description_is_kept_and_shown_again(self, ana: Browser, intake: Intake) -> None:
        item = intake.sealed(noise(1000))
        said = {
            "title": "Vice job",
            "kind": "work_product",
            "own_part": "All of <b>it</b>.",
            "work_from": "2026-01-05",
            "work_to": "2026-01-09",
            "outcomes": ["CNC1", "CNC2"],
            "disclosure": "open_link",
            "version": str(item.version),
        }
        answer = ana.post(f"/evidence/{item.id}/describe", said)
        assert answer.status_code == 303
        assert answer.location == f"/cases/{intake.case_id}#evidence"
        page = ana.get(f"/evidence/{item.id}").text
        assert "All of &lt;b&gt;it&lt;/b&gt;." in page
        assert 'value="2026-01-09"' in page
        stale = ana.post(f"/evidence/{item.id}/describe", said)
        assert stale.status_code == 409

    def test_a_wrong_description_comes_back_with_what_was_typed(
        self, ana: Browser, intake: Intake
    ) -> None:
        item = intake.sealed(noise(1000))
        said = {"title": "", "own_part": "typed words", "work_to": "2031-01-01"}
        answer = ana.post(f"/evidence/{item.id}/describe", said)
        assert answer.status_code == 422
        assert "Give it a title." in answer.text
        assert "typed words" in answer.text and "has not come yet" in answer.text
        nonsense = ana.post(f"/evidence/{item.id}/describe", {"kind": "magic"})
        assert nonsense.status_code == 422

    def test_of_an_attestation_only_the_disclosure_is_asked(
        self, ana: Browser, intake: Intake
    ) -> None:
        item_id = intake.world.item(intake.case_id, "CNC1", kind=EvidenceKind.ATTESTATION)
        page = ana.get(f"/evidence/{item_id}").text
        assert 'name="disclosure"' in page and 'name="own_part"' not in page
        answer = ana.post(f"/evidence/{item_id}/describe", {"disclosure": "open_link"})
        assert answer.status_code == 303
        assert intake.item(item_id).disclosure == "open_link"

    def test_removing_is_asked_twice_and_done_once(self, ana: Browser, intake: Intake) -> None:
        item = intake.sealed(noise(1000))
        assert "cannot be undone" in ana.get(f"/evidence/{item.id}/remove").text
        assert intake.item(item.id).state == EvidenceState.SEALED
        assert ana.post(f"/evidence/{item.id}/remove").status_code == 303
        assert intake.item(item.id).state == EvidenceState.ERASED
        assert ana.get(f"/evidence/{item.id}").status_code == 404

    def test_the_file_itself_comes_from_the_store_as_a_download(
        self, ana: Browser, intake: Intake
    ) -> None:
        body = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
        item = intake.sealed(body, "drawing.svg")
        answer = ana.get(f"/evidence/{item.id}/file")
        assert answer.status_code == 303
        assert answer.location.startswith(intake.vault.browser_origin)
        got = requests.get(answer.location, timeout=10)
        assert got.content == body
        assert got.headers["Content-Type"] == "application/octet-stream"
        assert got.headers["Content-Disposition"].startswith("attachment")
        assert "only handed out as a download" in ana.get(f"/evidence/{item.id}").text

    def test_a_file_that_the_store_lost_is_said_to_be_lost_everywhere(
        self, ana: Browser, intake: Intake
    ) -> None:
        item = intake.sealed(noise(1000))
        intake.vault.delete(sealed_key(sha256_of(noise(1000))))
        answer = ana.get(f"/evidence/{item.id}/file")
        assert answer.status_code == 404 and "not in the store any more" in answer.text
        assert "has lost this file" in ana.get(f"/evidence/{item.id}").text
        assert "has lost this file" in ana.get(f"/cases/{intake.case_id}").text

    def test_after_submission_the_page_shows_and_changes_nothing(
        self, ana: Browser, intake: Intake
    ) -> None:
        (item_id, *_) = intake.world.full_evidence(intake.case_id)
        submit_case(intake.db, intake.world.site, intake.learner, intake.case_id, SIGNED)
        page = ana.get(f"/evidence/{item_id}").text
        assert 'name="own_part"' not in page and "I did all of it." in page
        assert ana.post(f"/evidence/{item_id}/describe", {"title": "x"}).status_code == 409
        case = ana.get(f"/cases/{intake.case_id}").text
        assert "data-upload" not in case
        assert announce(ana, intake, b"x").status_code == 409

    def test_what_does_not_exist_is_not_there(self, ana: Browser) -> None:
        assert ana.get(f"/evidence/{uuid4()}").status_code == 404
        assert ana.get(f"/evidence/{uuid4()}/file").status_code == 404
