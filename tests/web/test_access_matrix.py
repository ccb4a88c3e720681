"""Every address × every person × own and others' things: who gets through, and nobody else.

The views are replaced by ones that only say "through", so that what is seen here is the guard. The
expectation is worked out from GRANTS by who a person is in the story, not by `may`.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlmodel import select
from werkzeug.routing import AnyConverter, BaseConverter, IntegerConverter, Rule, UUIDConverter

from app.web.access import LOADERS, marked, needs
from storage.database import Database
from storage.tables import Event
from storage.vocabulary import Role
from tests.fixtures.story import ROLES, Story
from tests.fixtures.web import Browser
from workflows.access.permissions import GRANTS, Permission, Scope

VISITOR = "visitor"
NAMES = (VISITOR, *ROLES)
# for each address one of each role; how near they must stand is tried in full by the probes
ONE_OF_EACH = (
    VISITOR,
    "nobody in particular",
    "owner",
    "another learner",
    "offered assessor",
    "cleared assessor",
    "coordinator",
    "moderator",
    "decider",
    "registrar",
    "auditor",
    "administrator",
)
THEIRS = "another learner's"
THROUGH = "through"
SAMPLES = ((UUIDConverter, UUID(int=7)), (IntegerConverter, 1))

OFFERED = {"offered assessor", "cleared assessor", "assessor who is staff"}
CLEARED = {"cleared assessor", "assessor who is staff"}
MODERATED = {"moderator of the case"}
DECIDED = {"decider of the case", "decider who is registrar"}
OWNERS = {
    "mine": "owner",
    "another learner's": "another learner",
    "staff's own": "owner who is staff",
}


@pytest.fixture
def web_env(web_env: dict[str, str]) -> dict[str, str]:
    """The demo's pages are pages too."""
    return web_env | {"ASSAY_DEMO": "on"}


@pytest.fixture
def app(own_app: Flask) -> Flask:
    """Tests of this module replace views."""
    return own_app


@pytest.fixture
def rules(app: Flask) -> list[Rule]:
    """Every address of the application, its views replaced by ones that do nothing."""
    for endpoint, view in app.view_functions.items():
        app.view_functions[endpoint] = _bare(view)
    return list(app.url_map.iter_rules())


def _bare(view: Callable[..., Any]) -> Callable[..., Any]:
    def bare(**_values: object) -> str:
        return THROUGH

    vars(bare).update({key: value for key, value in vars(view).items() if key != "__wrapped__"})
    return bare


def lets_in(scope: Scope, role: Role | None, name: str, whose: str) -> bool:
    """What a scope means, said of the people of the story."""
    own, involved = OWNERS.get(whose) == name, whose == "mine"
    signed_in, exists = name != VISITOR, whose != "made up"
    kept_out = OFFERED | (DECIDED if role is Role.MODERATOR else MODERATED)
    return {
        Scope.ANYONE: True,
        Scope.SIGNED_IN: signed_in,
        Scope.HOLDER: signed_in,
        Scope.OWN: own,
        Scope.OFFERED: involved and name in OFFERED,
        Scope.CLEARED: involved and name in CLEARED,
        Scope.INSTITUTION: exists and not own,
        Scope.UNINVOLVED: exists and not own and not (involved and name in kept_out),
        Scope.NEW_TO_IT: exists
        and not own
        and not (involved and name in OFFERED | MODERATED | DECIDED),
        Scope.NOT_ASSESSING: exists and not own and not (involved and name in OFFERED),
        Scope.OTHER_KEY: exists
        and not own
        and not (involved and name in OFFERED | MODERATED | DECIDED),
        Scope.NO_PART: exists
        and not own
        and not (involved and name in OFFERED | MODERATED | DECIDED),
    }[scope]


def expected(permission: Permission, name: str, whose: str) -> bool:
    """Whether this person gets through, as GRANTS says."""
    held = ROLES.get(name, ())
    return any(
        (grant.role is None or grant.role in held) and lets_in(grant.scope, grant.role, name, whose)
        for grant in GRANTS[permission]
    )


def knows(name: str, whose: str) -> bool:
    """Whether this person may know that the thing exists: who sees the case, or was asked."""
    asked = whose == "mine" and name in OFFERED
    return asked or expected(Permission.VIEW_CASE, name, whose)


def address(app: Flask, rule: Rule, things: dict[str, UUID] | Any) -> str:
    """The rule with the ids of these things in it."""
    values = {
        name: things.get(name, _sample(converter)) for name, converter in rule._converters.items()
    }
    with app.test_request_context():
        return str(app.url_for(rule.endpoint, **values))


def _sample(converter: BaseConverter) -> object:
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return next((sample for kind, sample in SAMPLES if isinstance(converter, kind)), "sample")


def methods_of(rule: Rule) -> Iterator[str]:
    yield from sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def test_every_view_names_its_permission(app: Flask) -> None:
    unnamed = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if not isinstance(marked(app.view_functions[rule.endpoint], "permission"), Permission)
    ]
    assert unnamed == []


def test_every_view_of_a_thing_names_the_thing(app: Flask) -> None:
    """A permission that asks how near one stands needs to know to what."""
    near = {
        Scope.OWN,
        Scope.OFFERED,
        Scope.CLEARED,
        Scope.INSTITUTION,
        Scope.UNINVOLVED,
        Scope.NEW_TO_IT,
        Scope.NO_PART,
    }
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        scopes = {grant.scope for grant in GRANTS[marked(view, "permission")]}
        of = marked(view, "of")
        assert of is not None or not scopes & near, f"{rule.rule} names no thing"
        assert of is None or of in rule.arguments, f"{rule.rule} has no {of}"
        assert of is None or of in LOADERS, f"nothing loads {of}"


def test_everyone_gets_through_where_the_grants_say_and_nowhere_else(
    app: Flask, db: Database, rules: list[Rule], story: Story
) -> None:
    assert surprises(app, db, rules, story, cast=ONE_OF_EACH, whose=("mine", THEIRS)) == []


def test_every_permission_is_held_to_its_grants_for_every_kind_of_thing(
    app: Flask, db: Database, story: Story
) -> None:
    """Also for permissions whose pages are still to come, and for each way to name a thing."""
    for permission in Permission:
        _probe(app, permission, "case_id")
    for variable in LOADERS:
        _probe(app, Permission.READ_EVIDENCE, variable)
    probes = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/probe")]
    assert len(probes) == len(Permission) + len(LOADERS) - 1
    assert surprises(app, db, probes, story, cast=NAMES, whose=tuple(story.things)) == []


def test_ones_own_case_is_no_way_to_anothers_item(
    app: Flask, browser: Browser, story: Story
) -> None:
    view = needs(Permission.EDIT_CASE, of="case_id")(_bare(surprises))
    app.add_url_rule("/probe/<uuid:case_id>/<uuid:item_id>", "probe.two", view)
    browser.sign_in(story.people["owner"])
    mine, theirs = story.things["mine"], story.things["another learner's"]
    assert browser.get(f"/probe/{mine['case_id']}/{mine['item_id']}").status_code == 200
    assert browser.get(f"/probe/{mine['case_id']}/{theirs['item_id']}").status_code == 404
    assert browser.get(f"/probe/{theirs['case_id']}/{mine['item_id']}").status_code == 404


def test_reaching_for_anothers_thing_is_written_down_and_asking_too_early_is_not(
    app: Flask, browser: Browser, db: Database, story: Story
) -> None:
    _probe(app, Permission.READ_EVIDENCE, "item_id")
    path = f"/probe/{Permission.READ_EVIDENCE}/item_id/{story.things['mine']['item_id']}"
    browser.sign_in(story.people["offered assessor"])
    assert browser.get(path).status_code == 403
    browser.sign_in(story.people["another learner"])
    assert browser.get(path).status_code == 404
    with db.reading() as tx:
        (event,) = tx.session.exec(select(Event).where(Event.kind == "access_refused")).all()
    assert event.actor_id == story.people["another learner"].account_id
    assert (event.subject_type, event.subject_id) == ("item", story.things["mine"]["item_id"])
    assert event.data == {"permission": "read_evidence"}
    assert event.case_id is None


def _probe(app: Flask, permission: Permission, variable: str) -> None:
    """A page that needs this permission on the thing of this name."""
    endpoint = f"probe.{permission}.{variable}"
    if endpoint not in app.view_functions:
        view = needs(permission, of=variable)(_bare(surprises))
        app.add_url_rule(f"/probe/{permission}/{variable}/<uuid:{variable}>", endpoint, view)


def surprises(
    app: Flask,
    db: Database,
    rules: list[Rule],
    story: Story,
    *,
    cast: tuple[str, ...],
    whose: tuple[str, ...],
) -> list[str]:
    """Where what happens is not what GRANTS and the story say."""
    browsers = {name: Browser(app, db) for name in cast}
    tokens = {name: signed_in(browser, name, story) for name, browser in browsers.items()}
    found = []
    for rule in rules:
        view = app.view_functions[rule.endpoint]
        # where no thing is named, or it makes no difference, one is as good as another
        for thing in whose if _asks_how_near(view) else ("mine",):
            path = address(app, rule, story.things[thing])
            for method, name in product(methods_of(rule), cast):
                seen = visit(browsers[name], method, path, tokens[name])
                if seen != (wanted := outcome(view, name, thing)):
                    found.append(f"{method} {path} as {name} on {thing}: {seen}, not {wanted}")
    return found


def _asks_how_near(view: Callable[..., Any]) -> bool:
    scopes = {grant.scope for grant in GRANTS[marked(view, "permission")]}
    far = {Scope.ANYONE, Scope.SIGNED_IN, Scope.HOLDER}
    return marked(view, "of") is not None and not scopes <= far


def signed_in(browser: Browser, name: str, story: Story) -> str:
    """Sign this person in, unless it is the visitor; returns the token of their forms."""
    if name == VISITOR:
        return browser.visitors_token()
    return browser.forms_token(browser.sign_in(story.people[name]))


def visit(browser: Browser, method: str, path: str, token: str) -> str:
    """What became of the request: through, or how it was refused."""
    headers = {"X-CSRF-Token": token, "Accept": "application/json"}
    response = browser.client.open(path, method=method, headers=headers)
    if response.status_code == 200:
        assert response.text == THROUGH
    return {200: THROUGH, 401: "sign in first", 403: "forbidden", 404: "not there"}[
        response.status_code
    ]


def outcome(view: Callable[..., Any], name: str, whose: str) -> str:
    """What the story says of it."""
    permission, of = marked(view, "permission"), marked(view, "of")
    if of is None:
        # the thing does not matter, only the role
        whose = "mine"
    public = any(grant.scope is Scope.ANYONE for grant in GRANTS[permission])
    if public:
        return THROUGH
    if name == VISITOR:
        return "sign in first"
    if of is not None and whose == "made up":
        return "not there"
    if expected(permission, name, whose):
        return THROUGH
    return "not there" if of is not None and not knows(name, whose) else "forbidden"
