"""A supervisor's way through their pages, with a link and without an account or JavaScript."""

import re

import pytest
from sqlmodel import col, select

from storage.tables import Attestation, Mail
from storage.vocabulary import Role, VoiceState
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workflows.access.rules import Actor

JO = "jo.berg@northern.example"


@pytest.fixture
def learner(world: World) -> Actor:
    return world.person(Role.LEARNER, name="Ana Souza")


class Asking:
    """A case whose learner asked through the page."""

    def __init__(self, world: World, learner: Actor, browser: Browser) -> None:
        self.world = world
        self.learner = learner
        self.codes = [str(outcome.code) for outcome in world.definition.outcomes]
        self.case_id = world.case(learner)
        browser.sign_in(learner)
        self.path = f"/cases/{self.case_id}/attestations"
        self.answer = browser.post(self.path, self.asked())
        self.visitor = Browser(browser.app, browser.db)

    def asked(self, **changed: object) -> dict[str, object]:
        """What the learner's form sends."""
        form = {
            "name": "Jo Berg",
            "email": JO,
            "outcomes": self.codes[:2],
            "message": "You saw the flange job.",
        }
        return {**form, **changed}

    def mail(self, recipient: str = JO) -> str:
        """The newest mail to somebody."""
        with self.world.db.reading() as tx:
            query = select(Mail).where(Mail.recipient == recipient).order_by(col(Mail.id).desc())
            found = tx.session.exec(query).first()
        assert found is not None
        return found.body

    def link(self) -> str:
        """The path of the link in the mail."""
        found = re.search(r"(/attest/\S+)", self.mail())
        assert found is not None
        return found[1]

    def filled(self, **changed: str) -> dict[str, object]:
        """A whole form."""
        whole = {
            "relation": "supervisor",
            "role": "Shift lead",
            "organisation": "Northern Machining",
            "since": "2021-04",
            "frequency": "daily",
            f"rating-{self.codes[0]}": "4",
            f"rating-{self.codes[1]}": "not_observed",
            "example_high": "She planned the flange job & saved a whole operation.",
            "then": "preview",
        }
        return {**whole, **changed}

    def state(self) -> VoiceState:
        """Where the attestation stands."""
        with self.world.db.reading() as tx:
            return VoiceState(tx.session.exec(select(Attestation.state)).one())


@pytest.fixture
def asking(world: World, learner: Actor, browser: Browser) -> Asking:
    return Asking(world, learner, browser)


def test_asking_writes_the_mail_and_leads_back_to_the_case(asking: Asking) -> None:
    assert asking.answer.status_code == 303
    assert asking.answer.location.endswith(f"/cases/{asking.case_id}")
    assert asking.link()


def test_a_form_that_cannot_be_used_comes_back_with_what_was_typed(
    asking: Asking, browser: Browser
) -> None:
    answer = browser.post(asking.path, asking.asked(email="not an address", name="Kim Aas"))
    assert answer.status_code == 422
    assert "Write a whole e-mail address" in answer.text
    assert 'value="Kim Aas"' in answer.text
    assert browser.get(asking.path).status_code == 200


def test_the_first_page_says_who_what_how_long_and_what_becomes_public(asking: Asking) -> None:
    page = asking.visitor.get(asking.link()).text
    for words in ("Ana Souza", "You saw the flange job.", "8 minutes", "Nothing without your yes"):
        assert words in page


def test_the_whole_way_from_yes_to_receipt(asking: Asking) -> None:
    visitor, link = asking.visitor, asking.link()
    visitor.get(link)
    assert visitor.post(f"{link}/accept").location.endswith("/form")
    assert visitor.get(link).location.endswith("/form")
    assert visitor.get(f"{link}/form").status_code == 200
    assert visitor.post(f"{link}/form", asking.filled()).location.endswith("/preview")
    preview = visitor.get(f"{link}/preview").text
    assert "She planned the flange job &amp; saved a whole operation." in preview
    assert "Statement by a supervisor" in preview
    assert "Not observed" in preview
    assert "sent=yes" in visitor.post(f"{link}/code").location
    assert "The code from the mail" in visitor.get(f"{link}/preview?sent=yes").text
    code = re.search(r"^\d{6}$", asking.mail(), re.MULTILINE)
    assert code is not None
    wrong = visitor.post(f"{link}/sign", {"typed_name": "Jo Berg", "code": "abc"})
    assert (wrong.status_code, "not the code" in wrong.text) == (422, True)
    signed = visitor.post(f"{link}/sign", {"typed_name": "Jo Berg", "code": code[0]})
    assert signed.status_code == 303
    receipt = visitor.get(link)
    assert (receipt.status_code, "Your statement is given" in receipt.text) == (200, True)
    copy = visitor.get(f"{link}/copy")
    assert copy.headers["Content-Disposition"].startswith("attachment")
    assert copy.mimetype == "application/octet-stream"
    assert visitor.post(f"{link}/withdraw").status_code == 303
    assert "You have withdrawn your statement" in visitor.get(link).text
    assert asking.state() is VoiceState.WITHDRAWN


def test_what_is_typed_is_kept_by_htmx_and_by_a_plain_button(asking: Asking) -> None:
    visitor, link = asking.visitor, asking.link()
    visitor.get(link)
    visitor.post(f"{link}/accept")
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    saved = visitor.post(f"{link}/form", {"role": "Shift lead"}, headers=headers)
    assert (saved.status_code, "Saved" in saved.text, "<html" in saved.text) == (200, True, False)
    assert 'value="Shift lead"' in visitor.get(f"{link}/form").text
    later = visitor.post(f"{link}/form", {"role": "Foreman", "then": "later"})
    assert later.location.endswith("/form")
    assert 'value="Foreman"' in visitor.get(f"{link}/form").text


def test_a_form_that_is_not_whole_names_each_gap_and_has_no_preview(asking: Asking) -> None:
    visitor, link = asking.visitor, asking.link()
    visitor.get(link)
    assert visitor.get(f"{link}/form").location.endswith(link)
    visitor.post(f"{link}/accept")
    answer = visitor.post(f"{link}/form", asking.filled(role="", frequency=""))
    assert answer.status_code == 422
    assert "Say what your own work was" in answer.text
    assert visitor.get(f"{link}/preview").location.endswith("/form")
    assert visitor.post(f"{link}/code").location.endswith("/form")


def test_declining_needs_a_reason_and_ends_the_link(asking: Asking) -> None:
    visitor, link = asking.visitor, asking.link()
    visitor.get(link)
    assert visitor.get(f"{link}/decline").status_code == 200
    assert visitor.post(f"{link}/decline", {"reason": ""}).status_code == 422
    colleague = {"colleague_name": "Kim Aas", "colleague_email": "nonsense"}
    refused = visitor.post(f"{link}/decline", {"reason": "left", **colleague})
    assert (refused.status_code, "f-colleague_email-error" in refused.text) == (422, True)
    done = visitor.post(f"{link}/decline", {"reason": "not_observed"})
    assert "Thank you for answering" in done.text
    closed = visitor.get(link)
    assert (closed.status_code, "This link is closed" in closed.text) == (404, True)
    assert visitor.get(f"{link}/copy").status_code in (303, 404)


def test_an_unknown_link_opens_nothing_and_says_so(asking: Asking) -> None:
    for path in ("", "/form", "/decline", "/preview"):
        answer = asking.visitor.get(f"/attest/{'x' * 43}{path}")
        assert (answer.status_code, "This link is closed" in answer.text) == (404, True)


def test_a_page_whose_link_ended_meanwhile_is_loaded_anew(asking: Asking) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}
    answer = asking.visitor.post(f"/attest/{'x' * 43}/form", {"role": "x"}, headers=headers)
    assert answer.headers["HX-Refresh"] == "true"


def test_the_learner_writes_again_and_takes_back(asking: Asking, browser: Browser) -> None:
    old = asking.link()
    with asking.world.db.reading() as tx:
        attestation_id = tx.session.exec(select(Attestation.id)).one()
    assert browser.post(f"/attestations/{attestation_id}/resend").status_code == 303
    assert asking.link() != old
    assert browser.post(f"/attestations/{attestation_id}/take-back").status_code == 303
    assert asking.state() is VoiceState.EXPIRED


def test_others_neither_see_nor_move_a_learners_question(asking: Asking) -> None:
    with asking.world.db.reading() as tx:
        attestation_id = tx.session.exec(select(Attestation.id)).one()
    other = asking.visitor
    other.sign_in(asking.world.person(Role.LEARNER))
    assert other.get(asking.path).status_code == 404
    assert other.post(asking.path, asking.asked()).status_code == 404
    for act in ("resend", "take-back"):
        assert other.post(f"/attestations/{attestation_id}/{act}").status_code == 404
    assert asking.state() is VoiceState.ASKED


def test_without_the_forms_token_nothing_is_given_or_declined(asking: Asking) -> None:
    link = asking.link()
    asking.visitor.get(link)
    for act in ("accept", "decline", "form", "code", "sign", "withdraw"):
        assert asking.visitor.client.post(f"{link}/{act}").status_code == 403
    assert asking.state() is VoiceState.OPENED


def test_no_page_has_inline_script_style_or_handler(asking: Asking) -> None:
    visitor, link = asking.visitor, asking.link()
    visitor.get(link)
    visitor.post(f"{link}/accept")
    for path in (f"{link}/form", f"{link}/decline"):
        page = visitor.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)
