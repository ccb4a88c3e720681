"""What verifiers ask this site for of what wallets take, straight from the database."""

from uuid import UUID

from credentials.documents import dump_json
from credentials.errors import CannotFetch
from credentials.fetching import Fetcher
from storage.database import Database
from storage.errors import NotFound
from storage.ids import InstitutionId
from workflows.issuance.keys import Issuer
from workflows.wallets.queries import issuer_keys
from workflows.wallets.status import status_list_token


def wallet_fetcher(
    db: Database, issuer: Issuer, institution_id: InstitutionId | None, elsewhere: Fetcher
) -> Fetcher:
    """A fetcher that knows our keys and lists for wallets, and asks `elsewhere` for the rest."""

    def fetch(url: str, /) -> bytes:
        path = issuer.site.path_of(url)
        if path is None or institution_id is None:
            return elsewhere(url)
        try:
            own = _own(db, issuer, institution_id, path.strip("/").split("/"))
        except (NotFound, ValueError):
            raise CannotFetch("%(url)s is not there.", url=url) from None
        return own if own is not None else elsewhere(url)

    return fetch


def _own(
    db: Database, issuer: Issuer, institution_id: InstitutionId, steps: list[str]
) -> bytes | None:
    match steps:
        case [".well-known", "jwt-vc-issuer", "openid4vci"]:
            with db.reading() as tx:
                return dump_json(issuer_keys(tx, issuer.site, institution_id))
        case ["openid4vci", "status", list_id]:
            return status_list_token(db, issuer, UUID(list_id)).encode()
        case _:
            return None
