"""The addresses that stand in credentials, and so never change. Pure."""

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from credentials.did import did_web
from storage.ids import (
    AssignmentId,
    CaseId,
    CredentialId,
    DefinitionId,
    EndorsementId,
    OrganisationId,
)


@dataclass(frozen=True)
class Site:
    """Where people reach this installation: `url` is its origin, without a slash at the end."""

    url: str

    def did(self, organisation_id: OrganisationId | None = None) -> str:
        """The institution's did:web, or that of an organisation whose key it keeps."""
        if organisation_id is None:
            return did_web(self.url)
        return did_web(f"{self.url}/organisations/{organisation_id}")

    def did_document(self, organisation_id: OrganisationId | None = None) -> str:
        """Where the did:web's document is."""
        if organisation_id is None:
            return f"{self.url}/.well-known/did.json"
        return f"{self.url}/organisations/{organisation_id}/did.json"

    def case(self, case_id: CaseId) -> str:
        """A case's page, for the learner."""
        return f"{self.url}/cases/{case_id}"

    def staff_case(self, case_id: CaseId) -> str:
        """A case's page, for staff."""
        return f"{self.url}/staff/cases/{case_id}"

    def assignment(self, assignment_id: AssignmentId) -> str:
        """An assessor's place on a case."""
        return f"{self.url}/assessor/assignments/{assignment_id}"

    def credential(self, credential_id: CredentialId) -> str:
        """A credential's page and document."""
        return f"{self.url}/credentials/{credential_id}"

    def badge_image(self, definition_id: DefinitionId) -> str:
        """The picture of an achievement, the same for everyone who has it."""
        return f"{self.url}/achievements/{definition_id}/badge.png"

    def evidence(self, credential_id: CredentialId, slug: str) -> str:
        """An evidence item of a credential. The address grants nothing by itself."""
        return f"{self.url}/credentials/{credential_id}/evidence/{slug}"

    def logo(self, sha256: str) -> str:
        """A logo of the institution, by the digest of its bytes: it never changes."""
        return f"{self.url}/logos/{sha256}.png"

    def achievement(self, definition_id: DefinitionId) -> str:
        """A version of a credential definition."""
        return f"{self.url}/achievements/{definition_id}"

    def endorsement(self, endorsement_id: EndorsementId) -> str:
        """An endorsement's document."""
        return f"{self.url}/endorsements/{endorsement_id}"

    def status_list(self, list_id: UUID) -> str:
        """A signed status list."""
        return f"{self.url}/status/{list_id}"

    def token_key(self, key_id: UUID) -> str:
        """A key of tokens. It says https also where this site, being tried out, speaks http, as
        the did:web that it belongs to does."""
        return f"https://{urlsplit(self.url).netloc}/keys/{key_id}"

    def api_status_list(self, list_id: UUID) -> str:
        """A signed status list of credentials that were signed for programs."""
        return f"{self.url}/vc/status/{list_id}"

    def organisation(self, organisation_id: OrganisationId) -> str:
        """An organisation's entry on the page of those that staff have checked."""
        return f"{self.url}/organisations/{organisation_id}"

    def attest(self, token: str) -> str:
        """The page that a supervisor was sent a link to."""
        return f"{self.url}/attest/{token}"

    def endorse(self, token: str) -> str:
        """The page that an employer was sent a link to."""
        return f"{self.url}/endorse/{token}"

    def my_credentials(self) -> str:
        """A learner's own credentials."""
        return f"{self.url}/my/credentials"

    def webhook(self, endpoint_id: UUID) -> str:
        """An endpoint's page, for administrators."""
        return f"{self.url}/admin/webhooks/{endpoint_id}"

    def path_of(self, address: str) -> str | None:
        """The path of an address of this site; None when it is elsewhere.

        A did:web says https also where this site, being tried out, speaks http: both are ours.
        """
        parts, own = urlsplit(address), urlsplit(self.url)
        if parts.netloc.lower() != own.netloc.lower() or parts.scheme not in {own.scheme, "https"}:
            return None
        return parts.path or "/"
