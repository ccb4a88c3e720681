"""What verifiers read of credentials that were signed for programs."""

from uuid import UUID

from storage.database import Transaction
from storage.errors import NotFound
from storage.tables import ApiStatusList


def published_api_list(tx: Transaction, list_id: UUID) -> bytes:
    """The signed status list. Raises NotFound."""
    status_list = tx.session.get(ApiStatusList, list_id)
    if status_list is None or status_list.document is None:
        raise NotFound("There is no such status list.")
    return status_list.document.encode()
