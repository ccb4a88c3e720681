"""An employer's way through their pages, the learner's answer, and the checked organisations."""

import json
import re

import pytest
from sqlmodel import col, select

from storage.tables import Mail
from storage.vocabulary import Role
from tests.fixtures.issued import Issued, sign_endorsements, sign_lists
from tests.fixtures.web import Browser
from tests.fixtures.world import World

EVA = "eva.lund@northern.example"
NORTHERN = {
    "name": "Northern Machining",
    "domain": "northern.example",
    "registry_number": "NO 914 782 007",
}


class Endorsing:
    """A published credential whose learner asked an employer through the page."""

    def __init__(self, world: World, browser: Browser) -> None:
        self.world = world
        self.issued = Issued(world)
        self.codes = [str(outcome.code) for outcome in world.definition.outcomes]
        self.credential = f"/credentials/{self.issued.credential_id}"
        browser.sign_in(self.issued.registrar)
        browser.post("/organisations", NORTHERN)
        browser.sign_in(self.issued.learner)
        self.learner = browser
        self.answer = browser.post(f"{self.credential}/endorsements", self.asked())
        self.visitor = Browser(browser.app, browser.db)

    def organisation(self) -> str:
        """The id of the checked organisation, as the form offers it."""
        page = self.learner.get(f"{self.credential}/endorsements").text
        found = re.search(r'<option value="([0-9a-f-]{36})"', page)
        assert found is not None
        return found[1]

    def asked(self, **changed: object) -> dict[str, object]:
        """What the learner's form sends."""
        form = {
            "organisation_id": self.organisation(),
            "name": "Eva Lund",
            "email": EVA,
            "outcomes": self.codes[:1],
        }
        return {**form, **changed}

    def mail(self) -> str:
        """The newest mail to the employer."""
        with self.world.db.reading() as tx:
            query = select(Mail).where(Mail.recipient == EVA).order_by(col(Mail.id).desc())
            found = tx.session.exec(query).first()
        assert found is not None
        return found.body

    def link(self) -> str:
        """The path of the link in the mail."""
        found = re.search(r"(/endorse/\S+)", self.mail())
        assert found is not None
        return found[1]

    def filled(self, **changed: object) -> dict[str, object]:
        """A whole form."""
        whole = {
            "outcomes": self.codes[:2],
            "relation": "employs",
            "title": "Head of production",
            "since": "2019-04",
            "comment": "We rely on her for <every> new part that we make.",
            "visibility": "counted",
        }
        return {**whole, **changed}

    def give(self, link: str) -> None:
        """All the way to the signature."""
        visitor = self.visitor
        visitor.get(link)
        visitor.post(f"{link}/form", self.filled())
        visitor.post(f"{link}/code")
        code = re.search(r"^\d{6}$", self.mail(), re.MULTILINE)
        assert code is not None
        signed = visitor.post(f"{link}/sign", {"typed_name": "Eva Lund", "code": code[0]})
        assert signed.status_code == 303
        sign_endorsements(self.world)

    def endorsement(self) -> str:
        """The id of the endorsement, as the learner's page has it."""
        page = self.learner.get("/my/credentials").text
        found = re.search(r"/endorsements/([0-9a-f-]{36})/answer", page)
        assert found is not None
        return found[1]


@pytest.fixture
def endorsing(world: World, browser: Browser) -> Endorsing:
    return Endorsing(world, browser)


def test_the_whole_way_from_question_to_the_credentials_page_and_back(
    endorsing: Endorsing,
) -> None:
    assert endorsing.answer.location.endswith("/my/credentials")
    link, visitor = endorsing.link(), endorsing.visitor
    question = visitor.get(link).text
    for words in ("Ana Souza", "Northern Machining", "What was recognised"):
        assert words in question
    assert visitor.get(f"{link}/form").status_code == 200
    endorsing.give(link)
    assert "Your endorsement is given" in visitor.get(link).text
    assert "We rely on her" not in visitor.get(endorsing.credential).text
    own = endorsing.learner.get("/my/credentials").text
    assert "We rely on her for &lt;every&gt; new part" in own
    answer = f"/endorsements/{endorsing.endorsement()}/answer"
    document = f"/endorsements/{endorsing.endorsement()}"
    assert visitor.get(document).status_code == 404
    assert endorsing.learner.post(answer, {"answer": "accepted"}).status_code == 303
    page = visitor.get(endorsing.credential).text
    assert "Signature checked" in page
    assert "1 endorsement may be relied on by other employers." in page
    assert json.loads(visitor.get(document).data)["type"][-1] == "EndorsementCredential"
    assert "shows it on the credential’s page" in visitor.get(link).text
    assert visitor.post(f"{link}/withdraw").status_code == 303
    sign_lists(endorsing.world)
    page = visitor.get(endorsing.credential).text
    assert "Withdrawn" in page
    assert "may be relied on" not in page
    assert "This credential is valid" in page
    assert "You have withdrawn your endorsement" in visitor.get(link).text
    assert visitor.post(f"{link}/withdraw").status_code == 303


def test_the_preview_shows_exactly_what_will_be_read(endorsing: Endorsing) -> None:
    link, visitor = endorsing.link(), endorsing.visitor
    visitor.get(link)
    assert visitor.get(f"{link}/preview").location.endswith("/form")
    assert visitor.post(f"{link}/code").location.endswith("/form")
    assert visitor.post(f"{link}/form", endorsing.filled()).location.endswith("/preview")
    preview = visitor.get(f"{link}/preview").text
    for words in ("We rely on her", "Head of production", "We employ them", "others may rely"):
        assert words in preview
    assert "The code from the mail" in visitor.get(f"{link}/preview?sent=yes").text
    wrong = visitor.post(f"{link}/sign", {"typed_name": "Eva Lund", "code": "1"})
    assert (wrong.status_code, "f-code-error" in wrong.text) == (422, True)


def test_a_form_that_is_not_whole_comes_back_with_what_was_chosen(endorsing: Endorsing) -> None:
    link, visitor = endorsing.link(), endorsing.visitor
    visitor.get(link)
    answer = visitor.post(f"{link}/form", endorsing.filled(comment="", visibility=""))
    assert answer.status_code == 422
    assert answer.text.count(" checked") == 3
    assert "f-comment-error" in answer.text


def test_declining_needs_a_reason_and_ends_the_link(endorsing: Endorsing) -> None:
    link, visitor = endorsing.link(), endorsing.visitor
    visitor.get(link)
    assert visitor.get(f"{link}/decline").status_code == 200
    assert visitor.post(f"{link}/decline", {}).status_code == 422
    assert "Thank you for answering" in visitor.post(f"{link}/decline", {"reason": "policy"}).text
    assert (visitor.get(link).status_code, "closed" in visitor.get(link).text) == (404, True)
    assert "does not endorse this time" in endorsing.learner.get("/my/credentials").text


def test_only_an_address_of_the_organisation_can_be_asked(endorsing: Endorsing) -> None:
    form = endorsing.asked(email="eva@elsewhere.example")
    answer = endorsing.learner.post(f"{endorsing.credential}/endorsements", form)
    assert (answer.status_code, "@northern.example" in answer.text) == (422, True)
    nobody = endorsing.asked(organisation_id="nobody")
    answer = endorsing.learner.post(f"{endorsing.credential}/endorsements", nobody)
    assert answer.status_code == 422


def test_the_learner_asks_no_longer(endorsing: Endorsing) -> None:
    page = endorsing.learner.get("/my/credentials").text
    found = re.search(r"/endorsements/[0-9a-f-]{36}/take-back", page)
    assert found is not None
    link = endorsing.link()
    assert endorsing.learner.post(found[0]).status_code == 303
    assert endorsing.visitor.get(link).status_code == 404


def test_strangers_neither_ask_nor_answer(endorsing: Endorsing) -> None:
    endorsing.give(endorsing.link())
    address = f"/endorsements/{endorsing.endorsement()}/answer"
    stranger = endorsing.visitor
    stranger.sign_in(endorsing.world.person(Role.LEARNER))
    assert stranger.post(address, {"answer": "accepted"}).status_code == 404
    assert stranger.get(f"{endorsing.credential}/endorsements").status_code == 404


def test_checked_organisations_are_public_and_only_the_registrar_checks(
    endorsing: Endorsing,
) -> None:
    page = endorsing.visitor.get("/organisations").text
    assert "NO 914 782 007" in page
    assert "Note as checked" not in page
    one = endorsing.visitor.get(f"/organisations/{endorsing.organisation()}").text
    assert f"did:web:127.0.0.1%3A8000:organisations:{endorsing.organisation()}" in one
    assert endorsing.learner.post("/organisations", NORTHERN).status_code == 403
    endorsing.learner.sign_in(endorsing.issued.registrar)
    assert "Note as checked" in endorsing.learner.get("/organisations").text
    refused = endorsing.learner.post("/organisations", {**NORTHERN, "domain": "gmail.com"})
    assert (refused.status_code, "f-domain-error" in refused.text) == (422, True)


def test_without_the_forms_token_nothing_is_given(endorsing: Endorsing) -> None:
    link = endorsing.link()
    endorsing.visitor.get(link)
    for act in ("decline", "form", "code", "sign", "withdraw"):
        assert endorsing.visitor.client.post(f"{link}/{act}").status_code == 403


def test_an_unknown_link_opens_nothing(endorsing: Endorsing) -> None:
    for path in ("", "/form", "/decline", "/preview"):
        assert endorsing.visitor.get(f"/endorse/{'x' * 43}{path}").status_code == 404
