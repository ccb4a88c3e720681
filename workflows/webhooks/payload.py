"""What a webhook says: `type`, `timestamp`, `data`. Ids and public addresses; nobody's name.

The models are also the description that is published for receivers. What is kept of a piece of
news is `Facts`; the addresses are added when it is sent.
"""

import json
from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from storage.ids import CredentialId, DefinitionId, EndorsementId, OrganisationId
from storage.vocabulary import CredentialState, NewsKind
from workflows.issuance.addresses import Site


class Shape(BaseModel):
    """A part of the payload. Readers ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True)


class Reason(Shape):
    """Why a credential is not in force, as its public page says it."""

    code: str = Field(description="A word for programs, such as `replaced`.")
    text: str = Field(description="The sentence on the credential's page, in English.")


class Facts(Shape):
    """What is kept of a piece of news until it is sent."""

    credential_id: UUID | None = None
    state: CredentialState | None = None
    issued_at: datetime | None = None
    definition_id: UUID | None = None
    definition_code: str = ""
    reason: Reason | None = None
    replaces_id: UUID | None = None
    endorsement_id: UUID | None = None
    organisation_id: UUID | None = None
    organisation: str = ""


class CredentialPart(Shape):
    """The credential that the news is of. Its address never changes."""

    id: UUID
    url: str = Field(description="Its page, for people.")
    document_url: str = Field(description="Its signed document, as JSON.")
    state: CredentialState = Field(description="Its state when this happened.")
    issued_at: datetime | None = Field(default=None, description="When it was published.")


class DefinitionPart(Shape):
    """What the credential is of."""

    code: str = Field(description="The same for all versions.")
    version: UUID = Field(description="The version that the credential was issued by.")
    url: str


class OtherCredential(Shape):
    """Another credential."""

    id: UUID
    url: str


class OrganisationPart(Shape):
    """The organisation that endorses."""

    id: UUID
    name: str
    url: str


class EndorsementPart(Shape):
    """The endorsement that the news is of."""

    id: UUID
    url: str = Field(description="Its signed document, as JSON, while it is shown.")
    organisation: OrganisationPart


class WebhookData(Shape):
    """What the news is of. A part that has nothing to do with it is left out."""

    credential: CredentialPart | None = None
    definition: DefinitionPart | None = None
    reason: Reason | None = Field(
        default=None, description="Why the credential is not in force, when it is not."
    )
    replaces: OtherCredential | None = Field(
        default=None, description="With `credential.corrected`: the one that is out of force."
    )
    endorsement: EndorsementPart | None = Field(
        default=None, description="With the news of endorsements."
    )


class WebhookPayload(Shape):
    """The body of a webhook."""

    type: NewsKind
    timestamp: datetime = Field(description="When it happened, in UTC.")
    data: WebhookData


def payload_of(site: Site, kind: str, happened_at: datetime, facts: Facts) -> WebhookPayload:
    """The payload, with the addresses that the ids have on this site."""
    data = WebhookData(
        credential=_credential(site, facts),
        definition=_definition(site, facts),
        reason=facts.reason,
        replaces=_replaced(site, facts),
        endorsement=_endorsement(site, facts),
    )
    return WebhookPayload(type=NewsKind(kind), timestamp=happened_at.astimezone(UTC), data=data)


def body_of(payload: WebhookPayload) -> bytes:
    """The bytes that are signed and sent."""
    return payload.model_dump_json(exclude_none=True).encode()


def schema() -> bytes:
    """The JSON Schema of the body, for whoever writes a receiver."""
    described = WebhookPayload.model_json_schema()
    named = {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
    return json.dumps(named, indent=1).encode()


def _credential(site: Site, facts: Facts) -> CredentialPart | None:
    if facts.credential_id is None or facts.state is None:
        return None
    address = site.credential(CredentialId(facts.credential_id))
    return CredentialPart(
        id=facts.credential_id,
        url=address,
        document_url=f"{address}.json",
        state=facts.state,
        issued_at=facts.issued_at,
    )


def _definition(site: Site, facts: Facts) -> DefinitionPart | None:
    if facts.definition_id is None:
        return None
    return DefinitionPart(
        code=facts.definition_code,
        version=facts.definition_id,
        url=site.achievement(DefinitionId(facts.definition_id)),
    )


def _replaced(site: Site, facts: Facts) -> OtherCredential | None:
    if facts.replaces_id is None:
        return None
    address = site.credential(CredentialId(facts.replaces_id))
    return OtherCredential(id=facts.replaces_id, url=address)


def _endorsement(site: Site, facts: Facts) -> EndorsementPart | None:
    if facts.endorsement_id is None or facts.organisation_id is None:
        return None
    organisation = OrganisationPart(
        id=facts.organisation_id,
        name=facts.organisation,
        url=site.organisation(OrganisationId(facts.organisation_id)),
    )
    return EndorsementPart(
        id=facts.endorsement_id,
        url=site.endorsement(EndorsementId(facts.endorsement_id)),
        organisation=organisation,
    )
