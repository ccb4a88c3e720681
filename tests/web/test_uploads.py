"""The plain form for files and the pages of evidence: what they take, refuse and show."""

import io
import json
import re
from uuid import uuid4

import pytest
import requests
from sqlmodel import select
from werkzeug.test import TestResponse

from storage.ids import ItemId, sha256_of
from storage.tables import EvidenceItem, OutboxRow
from storage.vault import StoreAddress, sealed_key
from storage.vocabulary import EvidenceKind, EvidenceState, ScanVerdict
from tests.fixtures.intake import Intake, Says, noise
from tests.fixtures.web import Browser
from tests.fixtures.world import SIGNED
from workflows.cases.commands import submit_case
from workflows.evidence.sealing import NOT_CHECKED

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


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
        waits = intake.store(noise(1000, "w"), "waits.pdf")
        body = noise(17 * 1024**2)
        plan = intake.announce(body, "film.mp4")
        intake.send(plan, body, [2])
        intake.scanner = Says(ScanVerdict.INFECTED, "Eicar")
        intake.sealed(noise(1000, "bad"), "bad.pdf")
        page = ana.get(f"/cases/{intake.case_id}").text
        assert f"1 of {plan.plan.part_count} parts are here" in page
        assert "Being checked" in page
        assert "Eicar" in page and "Quarantined" in page
        assert sealed.sha256 is not None and sealed.sha256[:8] in page
        assert f'hx-get="/evidence/{waits}/row" hx-trigger="every 2s"' in page
        assert f'data-announce="/api/v1/cases/{intake.case_id}/evidence"' in page

    def test_a_byte_is_one_and_days_are_written_so_that_nobody_mistakes_them(
        self, ana: Browser, intake: Intake
    ) -> None:
        item = intake.sealed(b"%PDF-1.7", "short.pdf")
        with ana.app.test_request_context():
            values = ana.app.jinja_env.get_template("macros/values.html").module
            sizes = [str(values.file_size(count)).strip() for count in (0, 1, 2)]  # type: ignore[attr-defined]
        assert sizes == ["0 bytes", "1 byte", "2 bytes"]
        for page in (f"/evidence/{item.id}", f"/evidence/{item.id}/view"):
            # the month of a day such as 3/4/26 depends on the reader's country
            assert not re.search(r">\d+/\d+/\d\d,", ana.get(page).text)

    def test_an_item_shows_its_receipt(self, ana: Browser, intake: Intake) -> None:
        item = intake.sealed(noise(123_456), "Prüfbericht.pdf")
        page = ana.get(f"/evidence/{item.id}").text
        assert item.sha256 is not None
        groups = [item.sha256[at : at + 4] for at in range(0, 64, 4)]
        assert "".join(f"<span>{group}</span><wbr>" for group in groups) in page
        assert "Prüfbericht.pdf" in page and "123,456 bytes" in page

    def test_a_line_asks_for_itself_until_the_seal_and_the_look_are_done(
        self, ana: Browser, intake: Intake
    ) -> None:
        item_id = intake.store(noise(1000))
        row = f"/evidence/{item_id}/row"
        assert f'hx-get="{row}"' in ana.get(row).text
        intake.seal(item_id)
        with intake.db.transaction() as tx:
            for promise in tx.session.exec(select(OutboxRow)):
                promise.done_at = tx.now
        assert "hx-get" not in ana.get(row).text

    def test_the_rest_of_the_page_hears_of_the_seal_once_and_the_picture_is_asked_for_some_times(
        self, ana: Browser, intake: Intake
    ) -> None:
        item_id = intake.store(noise(1000))
        row = f"/evidence/{item_id}/row"
        assert "HX-Trigger" not in ana.get(row, headers=PARTIAL).headers
        intake.seal(item_id)
        told = ana.get(row, headers=PARTIAL)
        assert json.loads(told.headers["HX-Trigger"]) == {"evidence:changed": {"target": "body"}}
        assert f'hx-get="{row}?asked=1" hx-trigger="load delay:3s"' in told.text
        again = ana.get(f"{row}?asked=1", headers=PARTIAL)
        assert "HX-Trigger" not in again.headers and f"{row}?asked=2" in again.text
        assert "hx-get" not in ana.get(f"{row}?asked=60", headers=PARTIAL).text
        page = ana.get(f"/evidence/{item_id}").text
        assert f'hx-get="/evidence/{item_id}" hx-trigger="every 3s" hx-select="#standing"' in page

    def test_an_items_page_shows_how_much_of_it_is_here(self, ana: Browser, intake: Intake) -> None:
        body = noise(17 * 1024**2)
        plan = intake.announce(body, "film.mp4")
        intake.send(plan, body, [1, 2])
        page = ana.get(f"/evidence/{plan.item_id}").text
        assert f"2 of {plan.plan.part_count} parts" in page and 'value="2"' in page

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
        assert ana.get(f"/evidence/{item.id}").status_code == 410

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
        assert send_form(ana, intake, b"x").status_code == 409

    def test_what_does_not_exist_is_not_there(self, ana: Browser) -> None:
        assert ana.get(f"/evidence/{uuid4()}").status_code == 404
        assert ana.get(f"/evidence/{uuid4()}/file").status_code == 404
