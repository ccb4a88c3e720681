"""Loading the demo institution: people, definitions, organisations, the logo, the signing key."""

from contextlib import suppress
from typing import Any

from app import demo
from app.container import Container
from storage.errors import InvalidInput
from storage.events import SYSTEM
from storage.ids import AccountId, InstitutionId
from storage.vocabulary import Role
from workflows.access.rules import Actor
from workflows.appearance.commands import wear_logo
from workflows.appearance.queries import ever_wore_a_logo
from workflows.cases.policy import Policy
from workflows.frameworks.commands import import_definition, import_policy, publish_definition
from workflows.issuance.keys import ensure_issuer_key
from workflows.people.founding import Appointment, Founding, appoint, found_institution
from workflows.people.organisations import OrganisationForm, verified_organisations
from workflows.people.organisations import verify_organisation as verify


def load(container: Container) -> None:
    """Load what is not there yet; a second time changes nothing."""
    data = demo.institution()
    institution_id = found_institution(container.db, Founding(**data["institution"]))
    import_policy(container.db, SYSTEM, institution_id, Policy())
    for body in demo.definitions():
        version = import_definition(container.db, SYSTEM, institution_id, body)
        publish_definition(container.db, SYSTEM, version)
    people = {row["name"]: _appoint(container, institution_id, row) for row in data["people"]}
    _check_organisations(container, institution_id, people["Helen Cho"], data["organisations"])
    ensure_issuer_key(container.db, container.issuer, institution_id)
    _wear_logo(container, institution_id, people["Ines Duarte"])


def _appoint(container: Container, institution_id: InstitutionId, row: dict[str, Any]) -> AccountId:
    roles = [Role(word) for word in row["roles"]]
    codes = [body["code"] for body in demo.definitions()] if Role.ASSESSOR in roles else []
    who = Appointment(row["name"], row["email"], roles, row["employer"], competences=codes)
    return appoint(container.db, institution_id, who, is_demo=True)


def _wear_logo(
    container: Container, institution_id: InstitutionId, administrator: AccountId
) -> None:
    """The logo, unless one was worn before; a machine that cannot draw it shows none."""
    with container.db.reading() as tx:
        if ever_wore_a_logo(tx, institution_id):
            return
    actor = Actor(administrator, institution_id, frozenset({Role.ADMINISTRATOR}), "Ines Duarte")
    with suppress(InvalidInput):
        wear_logo(container.db, container.confinement, actor, demo.logo(), demo.LOGO_WORDS)


def _check_organisations(
    container: Container,
    institution_id: InstitutionId,
    registrar: AccountId,
    rows: list[dict[str, Any]],
) -> None:
    with container.db.reading() as tx:
        known = {view.domain for view in verified_organisations(tx)}
    actor = Actor(registrar, institution_id, frozenset({Role.REGISTRAR}), "Helen Cho")
    for row in rows:
        if row["domain"] not in known:
            verify(container.db, actor, OrganisationForm(**row))
