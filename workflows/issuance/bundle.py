"""Everything that checking a credential asks for, gathered so that it can be checked offline."""

from dataclasses import dataclass

from credentials.errors import CannotFetch
from credentials.verify import verify
from storage.database import Database
from storage.ids import CredentialId
from workflows.issuance.addresses import Site
from workflows.issuance.published import endorsement_documents, own_documents
from workflows.issuance.queries import CredentialView, PublicItem, public_credential

CREDENTIAL_FILE = "credential.json"
AS_JWT_FILE = "credential.jwt"


@dataclass(frozen=True)
class Bundle:
    """A credential and the remote documents of its check, each under the name of its file."""

    view: CredentialView
    files: dict[str, bytes]
    map: dict[str, str]
    """address → file name"""

    @property
    def opened(self) -> tuple[PublicItem, ...]:
        """The evidence that the holder has opened to anyone."""
        return tuple(item for item in self.view.items if item.openable)


def gather(db: Database, site: Site, credential_id: CredentialId, token: str = "") -> Bundle:
    """The credential with the DID documents, status lists and endorsements a verifier asks for.

    They are found by checking it and writing down every question; `token` is the same credential
    as VC-JWT, where that goes along with its key. Raises NotFound.
    """
    with db.reading() as tx:
        view = public_credential(tx, site, credential_id)
        endorsements = endorsement_documents(tx, credential_id)
    asked: dict[str, bytes] = {}

    def fetch(url: str, /) -> bytes:
        with db.reading() as tx:
            document = own_documents(tx, site, url)
        if document is None:
            raise CannotFetch("%(url)s is not of this site.", url=url)
        asked[url] = document
        return document

    verify(view.document, fetch=fetch, now=db.clock.now(), endorsements=[*endorsements.values()])
    files = {CREDENTIAL_FILE: view.document}
    if token:
        verify(token.encode(), fetch=fetch, now=db.clock.now())
        files[AS_JWT_FILE] = token.encode()
    places = {view.url: CREDENTIAL_FILE}
    addressed = {
        **asked,
        **{
            f"{site.url}/endorsements/{endorsement_id}": document
            for endorsement_id, document in endorsements.items()
        },
    }
    for url, document in addressed.items():
        if url not in places:
            places[url] = _name(url, len(files))
            files[places[url]] = document
    return Bundle(view, files, places)


def _name(url: str, number: int) -> str:
    """A plain file name that tells what it is, such as `status-2.json`."""
    kinds = {
        "did.json": "did",
        "/status/": "status",
        "/endorsements/": "endorsement",
        "/keys/": "key",
    }
    kind = next((word for mark, word in kinds.items() if mark in url), "document")
    return f"{kind}-{number}.json"
