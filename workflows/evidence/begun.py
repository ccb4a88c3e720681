"""What the store has begun to take: begun once for each upload, and forgotten when it is gone."""

from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import col, select

from storage.crashpoints import crash_point
from storage.database import Database, command
from storage.tables import Upload, UploadPart
from storage.vault import Vault


def begin_upload(db: Database, vault: Vault, upload_id: UUID, key: str) -> tuple[str, bool]:
    """Begin the upload in the store; of two that begin at once, one is kept.

    Returns its id there, and whether this call began it. Raises StoreAway.
    """
    begun = vault.begin(key)
    crash_point("announce.begun")
    kept = _keep_begun(db, upload_id, begun)
    if kept != begun:
        vault.abort(key, begun)
    return kept, kept == begun


@command
def _keep_begun(db: Database, upload_id: UUID, begun: str) -> str:
    with db.transaction() as tx:
        kept = tx.session.scalar(
            update(Upload)
            .where(col(Upload.id) == upload_id, col(Upload.store_upload_id) == "")
            .values(store_upload_id=begun)
            .returning(col(Upload.store_upload_id))
        )
        if kept is not None:
            return begun
        return tx.session.exec(select(Upload.store_upload_id).where(Upload.id == upload_id)).one()


@command
def forget_upload(db: Database, upload_id: UUID, store_upload_id: str) -> None:
    """The store let go of this upload: it begins anew, with no parts."""
    with db.transaction() as tx:
        tx.session.execute(
            update(Upload)
            .where(col(Upload.id) == upload_id, col(Upload.store_upload_id) == store_upload_id)
            .values(store_upload_id="")
        )
        tx.session.execute(delete(UploadPart).where(col(UploadPart.upload_id) == upload_id))


@command
def forget_parts(db: Database, upload_id: UUID) -> None:
    """What was reported of the parts was not so: they have to be sent and reported anew."""
    with db.transaction() as tx:
        tx.session.execute(delete(UploadPart).where(col(UploadPart.upload_id) == upload_id))
