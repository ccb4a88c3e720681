"""Employers' organisations: checked by staff once, known by their mail domain from then on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, NotFound, Problem
from storage.events import record
from storage.ids import OrganisationId, new_id
from storage.tables import Organisation
from workflows.access.permissions import Permission
from workflows.access.rules import Actor, acting
from workflows.people.addresses import FREE_MAIL, domain_of, of_domain, read_domain

LONGEST_NAME = 200


@dataclass(frozen=True)
class OrganisationForm:
    """What staff found out about an organisation."""

    name: str
    domain: str
    registry_number: str
    url: str = ""


@dataclass(frozen=True)
class OrganisationView:
    """An organisation that staff have checked."""

    id: OrganisationId
    name: str
    domain: str
    registry_number: str
    url: str
    verified_at: datetime


@command
def verify_organisation(db: Database, actor: Actor, form: OrganisationForm) -> OrganisationId:
    """Say that staff have checked an organisation's domain and its number in a public registry.

    Raises Forbidden, InvalidInput (a part is missing; a domain anyone can have an address at) and
    Conflict (the domain belongs to one that was checked before).
    """
    name, domain = _read(form)
    with db.transaction() as tx:
        who = acting(actor, Permission.VERIFY_ORGANISATION)
        if actor.institution_id is None:
            raise NotFound("There is no institution here.")
        if _at_domain(tx, domain) is not None:
            raise Conflict("An organisation with this domain has been checked already.")
        organisation = Organisation(
            id=new_id(),
            institution_id=actor.institution_id,
            name=name,
            domain=domain,
            registry_number=form.registry_number.strip(),
            url=form.url.strip(),
            created_at=tx.now,
            verified_at=tx.now,
            verified_by=who.account_id,
        )
        tx.session.add(organisation)
        record(
            tx,
            who,
            "verify_organisation",
            ("organisation", organisation.id),
            data={"domain": domain, "registry_number": organisation.registry_number},
        )
        return OrganisationId(organisation.id)


def verified_organisations(tx: Transaction) -> Sequence[OrganisationView]:
    """All organisations that staff have checked, by name."""
    rows = tx.session.exec(
        select(Organisation)
        .where(col(Organisation.verified_at).is_not(None))
        .order_by(Organisation.name)
    ).all()
    return [view for row in rows if (view := _view(row)) is not None]


def verified_organisation(tx: Transaction, organisation_id: OrganisationId) -> OrganisationView:
    """An organisation that staff have checked. Raises NotFound."""
    row = tx.session.get(Organisation, organisation_id)
    view = _view(row) if row is not None else None
    if view is None:
        raise NotFound("There is no such organisation among those that staff have checked.")
    return view


def verified_organisation_at(tx: Transaction, address: str) -> OrganisationView | None:
    """The checked organisation whose domain an address is of, if there is one."""
    labels = domain_of(address).split(".")
    candidates = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    rows = tx.session.exec(
        select(Organisation).where(
            col(Organisation.domain).in_(candidates), col(Organisation.verified_at).is_not(None)
        )
    ).all()
    own = [row for row in rows if of_domain(address, row.domain)]
    return _view(max(own, key=lambda row: len(row.domain))) if own else None


def _at_domain(tx: Transaction, domain: str) -> Organisation | None:
    return tx.session.exec(
        select(Organisation).where(
            Organisation.domain == domain, col(Organisation.verified_at).is_not(None)
        )
    ).first()


def _read(form: OrganisationForm) -> tuple[str, str]:
    name, problems = " ".join(form.name.split()), []
    if not 2 <= len(name) <= LONGEST_NAME:
        problems.append(Problem("name", "Write the organisation's name."))
    if len(form.registry_number.strip()) < 2:
        words = "Write its number in the public registry in which you found it."
        problems.append(Problem("registry_number", words))
    if form.url.strip() and not form.url.strip().startswith("https://"):
        problems.append(Problem("url", "Write the address of its site with https://, or nothing."))
    domain = ""
    try:
        domain = read_domain(form.domain)
    except InvalidInput as refused:
        problems += refused.problems
    if domain in FREE_MAIL:
        words = "Anyone can have an address at this domain, so it proves no employer."
        problems.append(Problem("domain", words))
    if problems:
        raise InvalidInput("The organisation was not noted as checked.", problems=problems)
    return name, domain


def _view(row: Organisation) -> OrganisationView | None:
    if row.verified_at is None:
        return None
    return OrganisationView(
        id=OrganisationId(row.id),
        name=row.name,
        domain=row.domain,
        registry_number=row.registry_number,
        url=row.url,
        verified_at=row.verified_at,
    )
