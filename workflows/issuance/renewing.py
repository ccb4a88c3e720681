"""Credentials that run out: what their holders see and are told, and how they renew them.

A renewal is a case of its own, by a version of the definition that asks for the outcomes that need
fresh evidence and for no others. What it earns is the whole credential again: see `renewed`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, NotFound
from storage.events import SYSTEM, record
from storage.ids import AccountId, CaseId, CredentialId, InstitutionId
from storage.tables import Account, Case, Credential, DefinitionVersion
from storage.vocabulary import CredentialState
from workflows.access.permissions import Permission
from workflows.access.rules import NOT_YOURS, Actor, acting
from workflows.cases.commands import new_case
from workflows.cases.queries import live_case_for
from workflows.frameworks.commands import keep_definition
from workflows.frameworks.definition import Definition, Outcome, read_definition
from workflows.frameworks.renewals import asked_anew, may_renew, notice, to_renew
from workflows.issuance.addresses import Site
from workflows.people.mail import body_of, queue_mail
from workflows.words import words

BATCH = 200


@dataclass(frozen=True)
class RunningOut:
    """A credential near its end, or past it. `case_id`: the case that is open for it already."""

    credential_id: CredentialId
    title: str
    valid_until: datetime
    over: bool
    renewable: bool
    outcomes: tuple[Outcome, ...]
    case_id: CaseId | None


def running_out(tx: Transaction, learner_id: AccountId) -> tuple[RunningOut, ...]:
    """A learner's credentials that end soon, or have, and no successor; the first to end first."""
    rows = tx.session.exec(
        select(Credential, DefinitionVersion)
        .join(DefinitionVersion, col(DefinitionVersion.id) == col(Credential.definition_id))
        .where(Credential.learner_id == learner_id, col(Credential.valid_until).is_not(None))
        .where(*_in_force_without_successor())
        .order_by(col(Credential.valid_until))
    ).all()
    found = [
        (credential, credential.valid_until, read_definition(version.body))
        for credential, version in rows
    ]
    return tuple(
        _line(tx, credential, ends, definition)
        for credential, ends, definition in found
        if ends is not None and ends - notice(definition) <= tx.now
    )


@command
def open_renewal(db: Database, actor: Actor, credential_id: CredentialId) -> CaseId:
    """Open the case that renews a credential of one's own.

    Raises NotFound, Forbidden, Conflict (it is not renewed, not yet, not in force, or there is an
    open case for it).
    """
    with db.transaction() as tx:
        who = acting(actor, Permission.OPEN_CASE)
        credential = tx.session.get(Credential, credential_id, with_for_update=True)
        if credential is None or credential.learner_id != who.account_id:
            raise NotFound(NOT_YOURS)
        if credential.state != CredentialState.PUBLISHED or not credential.whole:
            raise Conflict("Only a credential that is in force can be renewed.")
        version = tx.session.get_one(DefinitionVersion, credential.definition_id)
        definition = read_definition(version.body)
        may_renew(definition, credential.valid_until, tx.now)
        learner_id = AccountId(credential.learner_id)
        if live_case_for(tx, learner_id, version.code) is not None:
            raise Conflict("You have an open case for this credential already.")
        institution_id = InstitutionId(credential.institution_id)
        asked = keep_definition(tx, SYSTEM, institution_id, asked_anew(definition))
        # never offered in the catalogue, and yet at its address for whoever follows it
        asked.published_at = asked.published_at or tx.now
        asked.retired_at = asked.retired_at or tx.now
        case = new_case(tx, asked, learner_id)
        case.renews_id = credential.id
        tx.session.add(case)
        tx.session.flush()
        record(
            tx,
            who,
            "open_case",
            ("case", case.id),
            case_id=CaseId(case.id),
            data={"renews": str(credential.id)},
        )
        return CaseId(case.id)


def tell_running_out(db: Database, site: Site) -> int:
    """Tell holders, once, that a credential ends soon and how to renew it; returns how many."""
    with db.reading() as tx:
        versions = [
            (row.id, read_definition(row.body))
            for row in tx.session.exec(select(DefinitionVersion))
        ]
    return sum(_tell_of(db, site, version_id, definition) for version_id, definition in versions)


@command
def _tell_of(db: Database, site: Site, version_id: UUID, definition: Definition) -> int:
    """The holders of one version's credentials, BATCH of them: the next come with the next tick."""
    with db.transaction() as tx:
        credentials = tx.session.exec(
            select(Credential)
            .where(
                Credential.definition_id == version_id,
                col(Credential.valid_until) <= tx.now + notice(definition),
                col(Credential.running_out_told_at).is_(None),
            )
            .where(*_in_force_without_successor())
            .order_by(col(Credential.valid_until))
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for credential in credentials:
            credential.running_out_told_at = tx.now
            _tell(tx, site, credential, definition)
        return len(credentials)


def _in_force_without_successor() -> tuple[ColumnElement[bool], ...]:
    renewed = (
        select(Case.renews_id)
        .join(Credential, col(Credential.case_id) == col(Case.id))
        .where(
            col(Case.renews_id).is_not(None),
            Credential.state == CredentialState.PUBLISHED.value,
        )
    )
    return (
        col(Credential.state) == CredentialState.PUBLISHED.value,
        col(Credential.whole).is_(True),
        col(Credential.id).not_in(renewed),
    )


def _line(
    tx: Transaction, credential: Credential, ends: datetime, definition: Definition
) -> RunningOut:
    codes = set(to_renew(definition))
    return RunningOut(
        credential_id=CredentialId(credential.id),
        title=definition.title,
        valid_until=ends,
        over=ends <= tx.now,
        renewable=bool(codes),
        outcomes=tuple(row for row in definition.outcomes if row.code in codes),
        case_id=live_case_for(tx, AccountId(credential.learner_id), definition.code),
    )


def _tell(tx: Transaction, site: Site, credential: Credential, definition: Definition) -> None:
    learner = tx.session.get_one(Account, credential.learner_id)
    say = words(learner.locale)
    ends = credential.valid_until.date().isoformat() if credential.valid_until else ""
    codes = ", ".join(to_renew(definition))
    queue_mail(
        tx,
        learner.email,
        say("Your credential “%(title)s” runs out", title=definition.title),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say("your credential is valid until %(day)s. You see it at:", day=ends),
            site.credential(CredentialId(credential.id)),
            say(
                "You can renew it. Fresh evidence is needed for %(outcomes)s; the rest stays as it "
                "was recognised. You open the renewal at:",
                outcomes=codes,
            )
            if codes
            else say("What you have shown stays recognised until then. Your credentials are at:"),
            site.my_credentials(),
        ),
    )
    record(tx, SYSTEM, "tell_running_out", ("credential", credential.id))
