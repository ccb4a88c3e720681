"""Where each role starts, and what stands in the main navigation. Endpoints, in order."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app, request, url_for
from flask_babel import gettext

from app.web.access import frame_if_there
from storage.vocabulary import Role
from workflows.words import marked

ROLE_NAMES: Mapping[Role, str] = {
    Role.LEARNER: marked("Learner"),
    Role.ADVISER: marked("Adviser"),
    Role.SUPERVISOR: marked("Supervisor"),
    Role.COORDINATOR: marked("Coordinator"),
    Role.ASSESSOR: marked("Assessor"),
    Role.MODERATOR: marked("Moderator"),
    Role.DECIDER: marked("Decider"),
    Role.REGISTRAR: marked("Registrar"),
    Role.EMPLOYER: marked("Employer"),
    Role.VERIFIER: marked("Verifier"),
    Role.AUDITOR: marked("Auditor"),
    Role.ADMINISTRATOR: marked("Administrator"),
    Role.SYSTEM: marked("Assay"),
}
ROLE_NOTES: Mapping[Role, str] = {
    Role.LEARNER: marked("Owns the case, the evidence and the credential"),
    Role.ADVISER: marked("Helps before and during"),
    Role.COORDINATOR: marked("Screens, allocates, keeps the clocks"),
    Role.ASSESSOR: marked("Scores criteria with reasons"),
    Role.MODERATOR: marked("Settles disagreement"),
    Role.DECIDER: marked("Decides per outcome"),
    Role.REGISTRAR: marked("Releases, suspends and revokes"),
    Role.AUDITOR: marked("Reads everything, changes nothing"),
    Role.ADMINISTRATOR: marked("Looks after people and roles"),
}


@dataclass(frozen=True)
class Place:
    """A page of the navigation: its words, its endpoint, and whose start page it is."""

    label: str
    endpoint: str
    roles: frozenset[Role]


PLACES = (
    Place(marked("My cases"), "learner.home", frozenset({Role.LEARNER})),
    Place(marked("My credentials"), "credentials.mine", frozenset({Role.LEARNER})),
    Place(marked("To assess"), "assessor.home", frozenset({Role.ASSESSOR})),
    Place(
        marked("Cases"),
        "staff.home",
        frozenset({Role.COORDINATOR, Role.MODERATOR, Role.DECIDER, Role.REGISTRAR, Role.AUDITOR}),
    ),
    Place(
        marked("Overrides"),
        "overrides.home",
        frozenset({Role.COORDINATOR, Role.MODERATOR, Role.REGISTRAR, Role.AUDITOR}),
    ),
    Place(
        marked("Credentials"),
        "registrar.register",
        frozenset({Role.REGISTRAR, Role.AUDITOR}),
    ),
    Place(marked("Release many"), "batches.home", frozenset({Role.REGISTRAR})),
    Place(marked("What comes due"), "keeping.due", frozenset({Role.REGISTRAR, Role.AUDITOR})),
    Place(marked("Organisations"), "employer.organisations", frozenset({Role.REGISTRAR})),
    Place(marked("People"), "admin.people", frozenset({Role.ADMINISTRATOR})),
    Place(marked("Logo and colours"), "appearance.home", frozenset({Role.ADMINISTRATOR})),
    Place(marked("Signing keys"), "signing_keys.home", frozenset({Role.ADMINISTRATOR})),
    Place(marked("Webhooks"), "webhooks.home", frozenset({Role.ADMINISTRATOR})),
    Place(
        marked("Agreement"),
        "agreement.home",
        frozenset({Role.COORDINATOR, Role.MODERATOR, Role.AUDITOR, Role.ADMINISTRATOR}),
    ),
    Place(
        marked("Own forms"),
        "same_bytes.forms",
        frozenset({Role.COORDINATOR, Role.ADMINISTRATOR}),
    ),
)
CATALOGUE = Place(marked("What can be recognised"), "catalogue.home", frozenset())


@dataclass(frozen=True)
class Shown:
    """The viewer as the frame of a page shows them."""

    name: str
    roles: list[str]
    initials: str


def shown_viewer() -> Shown | None:
    """The person whose page it is; None for a visitor."""
    viewer = frame_if_there().viewer
    if viewer is None:
        return None
    roles = [gettext(ROLE_NAMES[role]) for role in Role if role in viewer.actor.roles]
    return Shown(viewer.actor.name, roles, initials(viewer.actor.name))


def initials(name: str) -> str:
    """The first letters of the first and the last name."""
    words = name.split()
    return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()


def navigation() -> list[tuple[str, str, bool]]:
    """The main navigation of this viewer: label, address, and whether it is this page."""
    viewer = frame_if_there().viewer
    held = viewer.actor.roles if viewer else frozenset()
    places = [*(place for place in PLACES if place.roles & held), CATALOGUE]
    return [
        (gettext(place.label), url_for(place.endpoint), _is_here(place))
        for place in places
        if place.endpoint in current_app.view_functions
    ]


def start_page(roles: frozenset[Role]) -> str:
    """Where a person with these roles begins."""
    places = [*(place for place in PLACES if place.roles & roles), CATALOGUE]
    there = [one.endpoint for one in places if one.endpoint in current_app.view_functions]
    return url_for(there[0] if there else "account.own")


def _is_here(place: Place) -> bool:
    """A page counts as part of a place when it is of the same blueprint."""
    return place.endpoint.partition(".")[0] in request.blueprints
