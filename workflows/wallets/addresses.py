"""The addresses that wallets and their verifiers ask for. They stand in credentials. Pure."""

from uuid import UUID

from storage.ids import DefinitionId
from workflows.issuance.addresses import Site

PATH = "/openid4vci"


def issuer_name(site: Site) -> str:
    """The Credential Issuer Identifier: the issuer of what wallets take, and who gives tokens."""
    return f"{site.url}{PATH}"


def credential_type(site: Site, definition_id: DefinitionId, *, whole: bool) -> str:
    """The `vct` of a version of a definition, or of statements of part of it."""
    address = f"{site.url}{PATH}/types/{definition_id}"
    return address if whole else f"{address}/statement"


def status_token(site: Site, list_id: UUID) -> str:
    """A Token Status List; `list_id` is the revocation list with the same bits."""
    return f"{site.url}{PATH}/status/{list_id}"


def offer(site: Site, reference: str) -> str:
    """Where a wallet fetches an offer. `reference` is a secret."""
    return f"{site.url}{PATH}/offers/{reference}"
