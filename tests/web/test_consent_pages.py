"""People in evidence and gaps, on the pages: what is asked, what is held back, what is repeated."""

import re
from datetime import date

import pytest

from storage.events import SYSTEM
from storage.ids import CaseId, ItemId
from storage.tables import EvidenceItem
from storage.vocabulary import EvidenceKind, PeopleShown, Role
from tests.fixtures.panel import Panel
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workflows.access.rules import Actor
from workflows.cases import commands as cases
from workflows.cases import queries
from workflows.cases.policy import Policy
from workflows.cases.rules import Declaration
from workflows.evidence.consent import withdraw_consent
from workflows.frameworks.commands import import_policy

NOTE = "The parents of both children signed our form."
GAPS = Declaration(agreed=True, signed_name="Ana Souza", with_gaps=True)


@pytest.fixture
def ana(world: World) -> Actor:
    return world.person(Role.LEARNER, name="Ana Souza")


@pytest.fixture
def signed_in(browser: Browser, ana: Actor) -> Browser:
    browser.sign_in(ana)
    return browser


def held(world: World, case_id: CaseId, *outcomes: str) -> ItemId:
    """An item whose people have not agreed yet."""
    item_id = world.item(case_id, *outcomes, title="Circle time")
    with world.db.transaction() as tx:
        tx.session.get_one(EvidenceItem, item_id).people = PeopleShown.WAITING.value
    return item_id


def kept(world: World, item_id: ItemId) -> EvidenceItem:
    with world.db.reading() as tx:
        return tx.session.get_one(EvidenceItem, item_id)


def words(page: str) -> str:
    """What a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


class TestDescribing:
    def test_everything_that_is_asked_is_kept_and_shown_again(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        item_id = world.item(world.case(ana), title="Ticket")
        said = {
            "title": "Licence",
            "kind": "certificate",
            "own_part": "I passed it.",
            "issued_on": "2025-03-01",
            "expires_on": "2027-03-01",
            "outcomes": ["CNC1"],
            "people": "agreed",
            "consent_note": NOTE,
            "consented_on": "2026-01-05",
            "ai": "used",
            "ai_tool": "A chat assistant",
            "ai_use": "Wording",
        }
        assert signed_in.post(f"/evidence/{item_id}/describe", said).status_code == 303
        row = kept(world, item_id)
        assert (row.issued_on, row.expires_on) == (date(2025, 3, 1), date(2027, 3, 1))
        assert (row.people, row.consent_note, row.ai, row.ai_tool) == (
            "agreed",
            NOTE,
            "used",
            "A chat assistant",
        )
        page = signed_in.get(f"/evidence/{item_id}").text
        assert 'value="2025-03-01"' in page and NOTE in page and "A chat assistant" in page

    def test_what_does_not_belong_to_an_answer_is_not_kept(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        item_id = world.item(world.case(ana))
        said = {
            "title": "Photo",
            "kind": "photo",
            "issued_on": "2199-03-01",
            "people": "nobody",
            "consent_note": NOTE,
            "ai": "none",
            "ai_tool": "left over",
        }
        assert signed_in.post(f"/evidence/{item_id}/describe", said).status_code == 303
        row = kept(world, item_id)
        assert (row.issued_on, row.consent_note, row.ai_tool) == (None, "", "")

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ({"people": "agreed"}, "Say who agreed"),
            ({"ai": "used"}, "Say which tool it was."),
            (
                {"kind": "certificate", "issued_on": "2025-02-01", "expires_on": "2025-01-01"},
                "expire before it was issued",
            ),
        ],
    )
    def test_half_an_answer_is_asked_to_be_whole(
        self,
        world: World,
        signed_in: Browser,
        ana: Actor,
        said: dict[str, str],
        told: str,
    ) -> None:
        item_id = world.item(world.case(ana))
        answer = signed_in.post(f"/evidence/{item_id}/describe", {"title": "Film", **said})
        assert answer.status_code == 422 and told in answer.text

    def test_the_case_says_what_is_still_to_be_said(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        item_id = world.item(case_id, "CNC1")
        with world.db.transaction() as tx:
            row = tx.session.get_one(EvidenceItem, item_id)
            row.people, row.ai = "not_said", "not_said"
        page = signed_in.get(f"/cases/{case_id}").text
        assert "whether others can be seen or heard; whether AI tools had a part" in page
        answer = signed_in.post(f"/cases/{case_id}/submit", {"agreed": "yes"})
        assert "whether AI tools had a part in it" in answer.text


class TestConsent:
    def test_a_held_item_says_so_and_consent_after_submission_lifts_it(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        item_id = held(world, case_id, "CNC1")
        assert "Held back" in signed_in.get(f"/cases/{case_id}").text
        cases.submit_case(world.db, world.site, ana, case_id, GAPS)
        page = signed_in.get(f"/evidence/{item_id}").text
        assert "They have agreed" in page and "only the hold is lifted" in page
        wrong = signed_in.post(f"/evidence/{item_id}/consent", {"consent_note": "ok"})
        assert wrong.status_code == 422 and "Say who agreed" in wrong.text
        given = {"consent_note": NOTE, "consented_on": "2026-01-05"}
        assert signed_in.post(f"/evidence/{item_id}/consent", given).status_code == 303
        assert kept(world, item_id).people == "agreed"
        assert "do not agree any more" in signed_in.get(f"/evidence/{item_id}").text
        withdrawn = signed_in.post(f"/evidence/{item_id}/consent/withdraw", {"why": "Changed"})
        assert withdrawn.status_code == 303
        assert kept(world, item_id).people == "waiting"

    def test_a_copy_takes_the_place_of_a_held_item(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        item_id = held(world, case_id, "CNC1")
        assert "blur faces" in signed_in.get(f"/evidence/{item_id}").text
        copy = world.item(case_id, title="blurred", kind=EvidenceKind.PHOTO)
        assert f'value="{copy}"' in signed_in.get(f"/evidence/{item_id}").text
        wrong = signed_in.post(f"/evidence/{item_id}/replace", {"copy_id": str(item_id)})
        assert wrong.status_code == 422 and "Choose another item" in wrong.text
        chosen = {"copy_id": str(copy), "keep_first": "yes"}
        assert signed_in.post(f"/evidence/{item_id}/replace", chosen).status_code == 303
        assert kept(world, copy).title == "Circle time"
        assert "stands for this item" in signed_in.get(f"/evidence/{item_id}").text
        assert "yours alone" in signed_in.get(f"/cases/{case_id}").text

    def test_somebody_elses_item_is_not_there(
        self, world: World, browser: Browser, ana: Actor
    ) -> None:
        item_id = held(world, world.case(ana), "CNC1")
        browser.sign_in(world.person(Role.LEARNER))
        for act in ("consent", "consent/withdraw", "replace"):
            assert browser.post(f"/evidence/{item_id}/{act}", {}).status_code == 404


class TestGaps:
    def test_a_case_with_gaps_is_submitted_by_saying_so(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        world.item(case_id, "CNC1")
        page = signed_in.get(f"/cases/{case_id}/submit").text
        assert 'name="with_gaps"' in page and "One more item of an accepted kind" in page
        signed = {"agreed": "yes", "signed_name": "Ana Souza", "version": "1"}
        refused = signed_in.post(f"/cases/{case_id}/submit", signed)
        assert refused.status_code == 422 and "submit with these gaps" in refused.text
        sent = signed_in.post(f"/cases/{case_id}/submit", {**signed, "with_gaps": "yes"})
        assert sent.status_code == 303
        with world.db.reading() as tx:
            manifest = queries.manifest_of(tx, case_id, 1)
        assert manifest is not None
        declaration = manifest.body["declaration"]
        assert isinstance(declaration, dict) and declaration["with_gaps"] is True

    def test_where_the_institution_takes_no_gaps_none_can_be_accepted(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        import_policy(world.db, SYSTEM, world.institution_id, Policy(on_gap="refuse"))
        case_id = world.case(ana)
        world.item(case_id, "CNC1")
        page = signed_in.get(f"/cases/{case_id}/submit").text
        assert 'name="with_gaps"' not in page and "only when every outcome is covered" in page

    def test_the_drawing_reads_as_a_table(
        self, world: World, signed_in: Browser, ana: Actor
    ) -> None:
        case_id = world.case(ana)
        world.item(case_id, "CNC1", "CNC4", title="Vice job", kind=EvidenceKind.PHOTO)
        held(world, case_id, "CNC1")
        page = signed_in.get(f"/cases/{case_id}").text
        table = page[page.index('<table class="matrix">') : page.index("</table>")]
        said = words(table)
        assert "Vice job" in said and "Covered" not in said and "1 of 2" in said
        assert "counts, shows the work itself" in said
        assert "does not count. “Circle time” does not count yet" in said
        assert "style=" not in table and table.count("<tr>") + table.count("<tr ") == 6


class TestDecision:
    def test_the_decider_and_then_the_learner_read_the_same_words(
        self, world: World, browser: Browser
    ) -> None:
        panel = Panel(world)
        with world.db.reading() as tx:
            film = queries.counted_items(tx, panel.case_id)[0].id
        panel.scored()
        withdraw_consent(world.db, panel.learner, film)
        browser.sign_in(panel.decider)
        page = words(browser.get(f"/staff/cases/{panel.case_id}/decision").text)
        missing = "“Video of the job” does not count yet: people in it have not agreed."
        assert "as of the assessment date" in page and "As it stands now" in page
        assert missing in page
        panel.decide()
        panel.release()
        browser.sign_in(panel.learner)
        result = words(browser.get(f"/cases/{panel.case_id}").text)
        assert missing in result and "reckoned as of" in result
        assert "Your evidence met what this outcome asks for." in result


def test_an_outcome_with_two_criteria_is_rated_by_the_levels_of_both(
    world: World, signed_in: Browser, ana: Actor
) -> None:
    case_id = world.case(ana)
    page = signed_in.get(f"/cases/{case_id}/rating").text
    outcome = world.definition.outcome("CNC2")
    assert len(outcome.criteria) == 2
    for criterion in outcome.criteria:
        assert f"{criterion.title}: {criterion.levels[0].descriptor}" in page
    assert "the level that you reach in all of it" in page
