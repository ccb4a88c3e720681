"""Telling other software: news is written with the change that makes it, or not at all.

Nothing is written where nobody listens. Very many at once are written in one go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from storage.bulk import write_rows
from storage.database import Transaction
from storage.ids import new_id
from storage.tables import (
    Credential,
    DefinitionVersion,
    Endorsement,
    Organisation,
    WebhookDelivery,
    WebhookEndpoint,
)
from storage.vocabulary import CredentialState, NewsKind
from workflows.issuance.rules import REASONS
from workflows.issuance.rules import Reason as PublicReason
from workflows.webhooks.payload import Facts, Reason
from workflows.work import Work, promise_work


@dataclass(frozen=True)
class Published:
    """A credential that was published just now, and what it is of."""

    credential_id: UUID
    definition_id: UUID


Kept = dict[str, object]
"""`Facts` as JSON."""

ACTS: Mapping[str, NewsKind] = {
    "suspend_credential": NewsKind.SUSPENDED,
    "unsuspend_credential": NewsKind.RESUMED,
    "revoke_credential": NewsKind.REVOKED,
}


def announce_issued(tx: Transaction, institution_id: UUID, published: Sequence[Published]) -> None:
    """Tell that credentials were published just now."""
    listening = _listening(tx, institution_id, NewsKind.ISSUED)
    if not listening or not published:
        return
    codes = _codes(tx, {one.definition_id for one in published})
    # what all of a definition share is made once: there may be very many
    shared = {
        definition_id: _kept(
            Facts(
                state=CredentialState.PUBLISHED,
                issued_at=tx.now,
                definition_id=definition_id,
                definition_code=code,
            )
        )
        for definition_id, code in codes.items()
    }
    facts = [
        {**shared[one.definition_id], "credential_id": str(one.credential_id)} for one in published
    ]
    _write(tx, listening, NewsKind.ISSUED, facts)


def announce_change(tx: Transaction, credential: Credential, act: str) -> None:
    """Tell of an act of `issuance.rules.CHANGES` on a credential, as it stands after it."""
    _announce(tx, credential, ACTS[act])


def announce_correction(tx: Transaction, new: Credential) -> None:
    """Tell that a credential was published in the place of another."""
    _announce(tx, new, NewsKind.CORRECTED, replaces_id=new.replaces_id)


def announce_endorsement(tx: Transaction, endorsement: Endorsement, *, shown: bool) -> None:
    """Tell that an endorsement is shown from now on, or does not stand there any more."""
    kind = NewsKind.ENDORSED if shown else NewsKind.ENDORSEMENT_WITHDRAWN
    credential = tx.session.get_one(Credential, endorsement.credential_id)
    organisation = tx.session.get_one(Organisation, endorsement.organisation_id)
    _announce(
        tx,
        credential,
        kind,
        endorsement_id=endorsement.id,
        organisation_id=organisation.id,
        organisation=organisation.name,
    )


def announce_test(tx: Transaction, endpoint: WebhookEndpoint) -> UUID:
    """Send an endpoint news of nothing; returns the news' id."""
    return _write(tx, [endpoint.id], NewsKind.TEST, [{}])[0]


def _announce(tx: Transaction, credential: Credential, kind: NewsKind, **more: object) -> None:
    listening = _listening(tx, credential.institution_id, kind)
    if not listening:
        return
    codes = _codes(tx, {credential.definition_id})
    reason = credential.public_reason
    facts = Facts.model_validate(
        {
            "credential_id": credential.id,
            "state": credential.state,
            "issued_at": credential.published_at,
            "definition_id": credential.definition_id,
            "definition_code": codes[credential.definition_id],
            "reason": Reason(code=reason, text=REASONS[PublicReason(reason)]) if reason else None,
            **more,
        }
    )
    _write(tx, listening, kind, [_kept(facts)])


def _listening(tx: Transaction, institution_id: UUID, kind: NewsKind) -> Sequence[UUID]:
    """The endpoints that want this kind of news; those that are paused or off get it later."""
    return tx.session.exec(
        select(WebhookEndpoint.id).where(
            WebhookEndpoint.institution_id == institution_id,
            col(WebhookEndpoint.removed_at).is_(None),
            col(WebhookEndpoint.kinds).contains([kind.value]),
        )
    ).all()


def _codes(tx: Transaction, definition_ids: set[UUID]) -> Mapping[UUID, str]:
    rows = tx.session.exec(
        select(DefinitionVersion.id, DefinitionVersion.code).where(
            col(DefinitionVersion.id).in_(definition_ids)
        )
    ).all()
    return dict(rows)


def _write(
    tx: Transaction, endpoint_ids: Sequence[UUID], kind: NewsKind, all_facts: Sequence[Kept]
) -> list[UUID]:
    """A delivery for each endpoint and fact, and one promise to send; returns the news' ids."""
    told = [(new_id(), facts) for facts in all_facts]
    rows = [
        _row(endpoint_id, news_id, kind, facts, tx.now)
        for endpoint_id in endpoint_ids
        for news_id, facts in told
    ]
    write_rows(tx, WebhookDelivery, rows)
    promise_sending(tx, endpoint_ids[0])
    return [news_id for news_id, _ in told]


def _kept(facts: Facts) -> Kept:
    """The facts as they are kept."""
    return facts.model_dump(mode="json", exclude_none=True)


def promise_sending(tx: Transaction, endpoint_id: UUID) -> None:
    """Promise that somebody looks at once at what is to be sent, to this endpoint and to others."""
    promise_work(tx, Work.SEND_NEWS, endpoint_id)


def _row(
    endpoint_id: UUID, news_id: UUID, kind: NewsKind, facts: Kept, now: datetime
) -> dict[str, object]:
    return {
        "id": new_id(),
        "endpoint_id": endpoint_id,
        "news_id": news_id,
        "kind": kind.value,
        "happened_at": now,
        "facts": facts,
        "attempts": 0,
        "next_at": now,
        "last_trouble": "",
        "last_excerpt": "",
    }
