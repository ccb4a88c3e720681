"""Every page while the store is away, and while it has lost what it was given.

All addresses of the application are asked by the people of a case in assessment and of one that
ended with a credential. Only where the bytes themselves are asked for may the store be missed, and
then in words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from flask import Flask
from sqlmodel import select
from werkzeug.routing import AnyConverter, BaseConverter, IntegerConverter, Rule, UUIDConverter

from app.container import Container
from storage.database import Database
from storage.reconcile import Fault, compare
from storage.tables import Assignment, EvidenceItem, ScoreSheet
from storage.vault import StoreAddress, Vault
from storage.vocabulary import Role
from tests.fixtures.issued import ISSUER, Issued
from tests.fixtures.panel import Panel
from tests.fixtures.recall import Recall
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workflows.access.rules import Actor

SAMPLES = ((UUIDConverter, UUID(int=7)), (IntegerConverter, 1))
LOST = "has lost this file"
BYTES = {"api.link", "credentials.evidence_file", "evidence.file"}
"""What hands out the bytes themselves, or a link to them."""
READY = {"ops.readyz"}
"""What says that an engine is away, and by that is as it should be."""


@pytest.fixture
def web_env(web_env: dict[str, str]) -> dict[str, str]:
    """The application that opens the keys with which the cases' credentials were signed."""
    return {**web_env, "KEY_ENCRYPTION_SECRET": ISSUER.key_secret}


@dataclass(frozen=True)
class Answered:
    """How one person's question was answered."""

    endpoint: str
    path: str
    person: str
    status: int
    text: str


@dataclass(frozen=True)
class Place:
    """A case, whoever has a part in it, and the ids that lead to its pages."""

    people: Sequence[Actor]
    ids: Mapping[str, object]


class Seated(Panel):
    """A case in assessment: one sheet is final, the other is being filled."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.allocate()
        self.score(self.first)
        self.declare(self.second)


def place_of(panel: Panel) -> Place:
    """Where a panel's case is."""
    with panel.db.reading() as tx:
        item_id = tx.session.exec(
            select(EvidenceItem.id).where(EvidenceItem.case_id == panel.case_id)
        ).first()
        assignment = tx.session.exec(
            select(Assignment.id).where(Assignment.assessor_id == panel.second.account_id)
        ).one()
        sheet = tx.session.exec(
            select(ScoreSheet.id).where(ScoreSheet.assessor_id == panel.second.account_id)
        ).one()
    assert item_id is not None
    staff = (panel.coordinator, panel.moderator, panel.decider, panel.registrar)
    others = (panel.world.person(Role.AUDITOR), panel.world.person(Role.ADMINISTRATOR))
    return Place(
        (panel.learner, panel.first, panel.second, *staff, *others),
        {
            "case_id": panel.case_id,
            "item_id": item_id,
            "assignment_id": assignment,
            "sheet_id": sheet,
            "definition_id": panel.world.definition_id,
        },
    )


def _sample(converter: BaseConverter) -> object:
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return next((sample for kind, sample in SAMPLES if isinstance(converter, kind)), "sample")


def address(app: Flask, rule: Rule, ids: Mapping[str, object]) -> str:
    """The rule with these ids in it."""
    values = {
        name: ids.get(name, _sample(converter)) for name, converter in rule._converters.items()
    }
    with app.test_request_context():
        return str(app.url_for(rule.endpoint, **values))


def walk(app: Flask, db: Database, place: Place) -> Iterator[Answered]:
    """Every address that can be read, asked by everyone and by a visitor."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    paths = {rule.endpoint: address(app, rule, place.ids) for rule in rules}
    for person in (None, *place.people):
        browser = Browser(app, db)
        if person is not None:
            browser.sign_in(person)
        for endpoint, path in paths.items():
            answer = browser.get(path)
            name = person.name if person else "visitor"
            text = answer.text if answer.status_code >= 500 or "html" in answer.mimetype else ""
            yield Answered(endpoint, path, name, answer.status_code, text)


@pytest.fixture
def seated(recall: Recall) -> Place:
    """A case in the middle of its assessment."""
    return place_of(recall(Seated))


@pytest.fixture
def ended(recall: Recall) -> Place:
    """A case that ended with a published credential."""
    issued = recall(Issued)
    evidence = issued.document()["evidence"]
    assert isinstance(evidence, list) and isinstance(evidence[0], dict)
    slug = str(evidence[0]["id"]).rpartition("/")[2]
    found = place_of(issued.panel)
    return Place(found.people, {**found.ids, "credential_id": issued.credential_id, "slug": slug})


class TestWithTheStoreAway:
    """As it is for ten minutes: nothing answers at its address."""

    @pytest.fixture
    def container(self, container: Container) -> Container:
        impatient = replace(container.vault.address, tries=1)
        return replace(container, vault=Vault(impatient))

    @pytest.mark.parametrize("case", ["seated", "ended"])
    def test_all_pages_work_but_where_the_bytes_are_asked_for(
        self, app: Flask, db: Database, case: str, request: pytest.FixtureRequest
    ) -> None:
        place: Place = request.getfixturevalue(case)
        seen: dict[str, set[int]] = {}
        for one in walk(app, db, place):
            seen.setdefault(one.endpoint, set()).add(one.status)
            if one.status >= 500 and one.endpoint not in READY:
                assert one.status == 503, one
                assert "evidence store is away" in one.text or "store" in one.text, one
        assert_reached(seen, case)
        assert seen["ops.readyz"] == {503}
        away = {name for name, statuses in seen.items() if 503 in statuses} - READY
        assert away <= BYTES, f"pages that need the store and should not: {away - BYTES}"


class TestWithTheFilesLost:
    """The store is there, and has none of the files that the rows speak of."""

    @pytest.fixture
    def web_env(self, web_env: dict[str, str], store_address: StoreAddress) -> dict[str, str]:
        return web_env | {
            "S3_ENDPOINT_URL": store_address.endpoint_url,
            "S3_BUCKET": store_address.bucket,
            "S3_ACCESS_KEY_ID": store_address.access_key_id,
            "S3_SECRET_ACCESS_KEY": store_address.secret_access_key,
        }

    @pytest.mark.parametrize("case", ["seated", "ended"])
    def test_fsck_names_each_and_every_page_still_answers(
        self,
        app: Flask,
        db: Database,
        vault: Vault,
        case: str,
        request: pytest.FixtureRequest,
    ) -> None:
        place: Place = request.getfixturevalue(case)
        with db.reading() as tx:
            items = set(tx.session.exec(select(EvidenceItem.id)).all())
        found = list(compare(db, vault))
        assert {one.fault for one in found} == {Fault.MISSING}
        assert {UUID(one.detail.removeprefix("items ")) for one in found} == items
        seen: dict[str, set[int]] = {}
        said = set()
        for one in walk(app, db, place):
            seen.setdefault(one.endpoint, set()).add(one.status)
            assert one.status < 500, one
            if LOST in one.text:
                said.add(one.endpoint)
        assert_reached(seen, case)
        assert {"learner.case", "evidence.page"} <= said


def assert_reached(seen: Mapping[str, set[int]], case: str) -> None:
    """The main pages were really shown to somebody."""
    always = {
        "catalogue.home",
        "learner.home",
        "learner.case",
        "evidence.page",
        "assessor.home",
        "assessor.sheet",
        "staff.home",
        "staff.case",
        "staff.evidence",
        "account.own",
    }
    wanted = always | ({"credentials.page"} if case == "ended" else set())
    missed = {name for name in wanted if 200 not in seen.get(name, set())}
    assert missed == set(), f"{missed} of {sorted(seen)}"
