"""Handing out the file of an evidence item that its learner opened to everyone."""

from storage.database import Database, command
from storage.errors import NotFound
from storage.ids import CredentialId, new_id
from storage.tables import Credential, EvidenceAccess, SealedObject
from storage.vault import Vault
from storage.vocabulary import CredentialState
from workflows.evidence.disclosure import CHANGED_THERE
from workflows.evidence.kept import kept_key
from workflows.issuance.addresses import Site
from workflows.issuance.queries import public_credential, public_item
from workflows.keeping.access import still_open


@command
def open_item(
    db: Database, site: Site, vault: Vault, credential_id: CredentialId, slug: str
) -> str:
    """A link to the file, good for a minute. That it was given out is written down.

    The learner's choice is read anew each time. Raises NotFound when the item is not open, or the
    credential is not in force.
    """
    with db.transaction() as tx:
        view = public_credential(tx, site, credential_id)
        item = public_item(view, slug)
        if view.state is not CredentialState.PUBLISHED or not item.openable:
            raise NotFound("This file is not open to everyone.")
        still_open(tx, tx.session.get_one(Credential, credential_id).case_id)
        tx.session.add(
            EvidenceAccess(
                id=new_id(),
                item_id=item.item_id,
                credential_id=credential_id,
                purpose="open_link",
                at=tx.now,
                details={},
            )
        )
        sealed = tx.session.get(SealedObject, item.sha256)
        if sealed is not None and sealed.wrong_at is not None:
            raise NotFound(CHANGED_THERE)
        key = kept_key(tx, item.sha256)
    return vault.presign_download(key, item.file_name)
