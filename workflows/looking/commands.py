"""Looking into sealed files: a job after the seal, never the seal itself.

Claim (tx) → look, store (no tx) → record (tx). Run again after being killed anywhere, it comes to
the same end: previews have keys of their own and are written over with the same pictures.
"""

from sqlmodel import col, func, select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, NotFound
from storage.ids import ItemId, OutboxId
from storage.outbox import Promised, receive
from storage.tables import EvidenceItem, Inspection, OutboxRow, Preview
from storage.vault import Vault
from storage.vocabulary import EvidenceState, PreviewKind
from workflows.access.rules import Actor
from workflows.evidence.disclosure import note_access, readable_item
from workflows.looking.drawing import PAGES_AT_FIRST
from workflows.looking.keeping import (
    Kept,
    SealedItem,
    keep_inspection,
    keep_previews,
    put_drawn,
    sealed_item,
    seen_before,
    source_of,
)
from workflows.looking.looks import Facts
from workflows.looking.same_bytes import note_same_bytes
from workflows.looking.seeing import GAVE_UP, TOOL_VERSION, Seen
from workflows.ports import Looker
from workflows.work import Work, promise_work

MOST_PAGES = 1000
NO_PREVIEW = "There is no such picture of this file (any more)."
STREAMED = {
    "video/mp4": "video/mp4",
    "video/x-m4v": "video/mp4",
    "video/webm": "video/webm",
    "video/ogg": "video/ogg",
    "video/quicktime": "video/mp4",
    "audio/mpeg": "audio/mpeg",
    "audio/mp4": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/aac": "audio/aac",
    "audio/x-hx-aac-adts": "audio/aac",
    "audio/ogg": "audio/ogg",
    "application/ogg": "audio/ogg",
    "audio/opus": "audio/ogg",
    "audio/wav": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/flac": "audio/flac",
    "audio/x-flac": "audio/flac",
    "audio/webm": "audio/webm",
    "video/x-matroska": "video/webm",
}
"""By what the seal found in the bytes: as what an original may be played. Nothing else is."""


def inspect_evidence(
    db: Database, vault: Vault, looker: Looker, item_id: ItemId, outbox_id: OutboxId
) -> None:
    """Look into a sealed item and keep facts, signals and pictures; a bad file keeps its trouble.

    Bytes that this version has looked into for another item are not looked into again. Raises
    AlreadyDone, StoreAway, ObjectMissing, ObjectChanged.
    """
    item, before = _claim(db, item_id)
    if item is None:
        _nothing_to_do(db, outbox_id)
    elif before is not None:
        _record(db, item, outbox_id, before, [])
    else:
        source = source_of(vault, item.key)
        with looker.look(source, item.media_type, item.file_name) as seen:
            kept = put_drawn(vault, item, seen.drawn)
            _record(db, item, outbox_id, seen, kept)


def draw_pages(
    db: Database, vault: Vault, looker: Looker, item_id: ItemId, outbox_id: OutboxId
) -> None:
    """Draw the next pages of a document. Raises as `inspect_evidence` does."""
    item, first = _next_page(db, item_id)
    if item is None or not first:
        _nothing_to_do(db, outbox_id)
        return
    source = source_of(vault, item.key)
    with looker.draw_pages(source, item.media_type, first, PAGES_AT_FIRST) as seen:
        kept = put_drawn(vault, item, seen.drawn)
        _record_previews(db, item, outbox_id, kept)


def link_to_preview(  # noqa: PLR0917
    db: Database, vault: Vault, actor: Actor, item_id: ItemId, kind: PreviewKind, number: int = 0
) -> str:
    """A link of a minute to a picture, page, text or rendition, shown in place.

    Whoever may read the item may see it, asked anew each time. Raises NotFound, Forbidden,
    StoreAway.
    """
    key, media_type = _open_preview(db, actor, item_id, kind, number)
    return vault.presign_view(key, media_type)


def link_to_stream(db: Database, vault: Vault, actor: Actor, item_id: ItemId) -> str:
    """A link of a minute to an original that browsers play, for a player in the page.

    Raises NotFound, Forbidden, Conflict (browsers do not play it: use its rendition, or download
    it), StoreAway.
    """
    key, media_type = _open_stream(db, actor, item_id)
    return vault.presign_view(key, media_type)


def preview_text(db: Database, vault: Vault, actor: Actor, item_id: ItemId) -> str:
    """The text preview itself, to be shown within a page; it must be escaped there.

    Raises as `link_to_preview` does.
    """
    key, _ = _open_preview(db, actor, item_id, PreviewKind.TEXT, 0)
    return b"".join(vault.open_stream(key)).decode("utf-8", "replace")


def link_to_play(db: Database, vault: Vault, actor: Actor, item_id: ItemId) -> str:
    """A link of a minute to what a player plays: the original, or the rendition made of it.

    Raises NotFound (also when there is nothing that browsers play), Forbidden, StoreAway.
    """
    try:
        return link_to_stream(db, vault, actor, item_id)
    except Conflict:
        return link_to_preview(db, vault, actor, item_id, PreviewKind.RENDITION)


@command
def want_pages(db: Database, actor: Actor, item_id: ItemId) -> None:
    """Have the next pages of a document drawn, because somebody reads on.

    Nothing happens when all are, or are being drawn. Raises NotFound, Forbidden.
    """
    with db.transaction() as tx:
        readable_item(tx, actor, item_id)
        item = sealed_item(tx, item_id, hold=False)
        first = next_page(tx, item) if item else 0
        if first and not _under_way(tx, Work.DRAW_PAGES, item_id):
            promise_work(tx, Work.DRAW_PAGES, item_id, urgent=True)


@command
def look_at_the_unseen(db: Database, limit: int = 200) -> int:
    """Promise a look at sealed items that were never looked at, or by older tools; how many.

    What was sealed before there were looks, and what a newer version sees more in. Statements that
    we made ourselves are not looked into.
    """
    with db.transaction() as tx:
        looked = select(Inspection.item_id).where(Inspection.tool_version >= TOOL_VERSION)
        promised = select(OutboxRow.subject_id).where(
            OutboxRow.kind == Work.INSPECT_EVIDENCE.value, col(OutboxRow.done_at).is_(None)
        )
        unseen = tx.session.exec(
            select(EvidenceItem.id)
            .where(
                EvidenceItem.state == EvidenceState.SEALED.value,
                col(EvidenceItem.attestation_id).is_(None),
                col(EvidenceItem.id).not_in(looked),
                col(EvidenceItem.id).not_in(promised),
            )
            .order_by(col(EvidenceItem.sealed_at).desc())
            .limit(limit)
        ).all()
        for item_id in unseen:
            promise_work(tx, Work.INSPECT_EVIDENCE, item_id)
        return len(unseen)


def look_failed(tx: Transaction, promised: Promised) -> None:
    """The look was given up: its item stays sealed, and says that it could not be looked into.

    What an older version had found stays.
    """
    item = sealed_item(tx, ItemId(promised.subject_id))
    if item is not None and tx.session.get(Inspection, item.item_id) is None:
        keep_inspection(tx, item, Seen(trouble=GAVE_UP))


def next_page(tx: Transaction, item: SealedItem) -> int:
    """The first page that is not drawn yet; 0 when there is none."""
    found = tx.session.get(Inspection, item.item_id)
    pages = Facts.model_validate(found.facts).pages if found else None
    drawn = tx.session.exec(
        select(func.count()).where(
            Preview.sha256 == item.sha256, Preview.kind == PreviewKind.PAGE.value
        )
    ).one()
    return drawn + 1 if drawn and drawn < min(pages or 0, MOST_PAGES) else 0


@command
def _claim(db: Database, item_id: ItemId) -> tuple[SealedItem | None, Seen | None]:
    with db.transaction() as tx:
        item = sealed_item(tx, item_id)
        if item is None:
            return None, None
        note_same_bytes(tx, item.sha256)
        return item, seen_before(tx, item)


def _next_page(db: Database, item_id: ItemId) -> tuple[SealedItem | None, int]:
    with db.reading() as tx:
        item = sealed_item(tx, item_id, hold=False)
        return item, next_page(tx, item) if item else 0


@command
def _record(
    db: Database, item: SealedItem, outbox_id: OutboxId, seen: Seen, kept: list[Kept]
) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)
        if sealed_item(tx, item.item_id) is None:
            return  # erased meanwhile; the erasure has waited for us and removes what was drawn
        keep_previews(tx, item.sha256, kept)
        keep_inspection(tx, item, seen)
        if seen.renders:
            promise_work(tx, Work.MAKE_RENDITION, item.item_id)


@command
def _record_previews(db: Database, item: SealedItem, outbox_id: OutboxId, kept: list[Kept]) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)
        if sealed_item(tx, item.item_id) is not None:
            keep_previews(tx, item.sha256, kept)


@command
def _nothing_to_do(db: Database, outbox_id: OutboxId) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)


@command
def _open_preview(
    db: Database, actor: Actor, item_id: ItemId, kind: PreviewKind, number: int
) -> tuple[str, str]:
    with db.transaction() as tx:
        item, who = readable_item(tx, actor, item_id)
        row = tx.session.exec(
            select(Preview).where(
                Preview.sha256 == item.sha256, Preview.kind == kind.value, Preview.number == number
            )
        ).one_or_none()
        if row is None or item.state != EvidenceState.SEALED.value:
            raise NotFound(NO_PREVIEW)
        note_access(tx, who, item, _purpose(kind))
        return row.key, row.media_type


@command
def _open_stream(db: Database, actor: Actor, item_id: ItemId) -> tuple[str, str]:
    with db.transaction() as tx:
        item, who = readable_item(tx, actor, item_id)
        sealed = sealed_item(tx, item_id, hold=False)
        found = tx.session.get(Inspection, item_id)
        facts = Facts.model_validate(found.facts if found else {})
        media_type = STREAMED.get(item.media_type)
        if sealed is None or media_type is None or not facts.plays:
            raise Conflict("Browsers do not play this file as it is.")
        note_access(tx, who, item, "play")
        sound = media_type.startswith("video/") and not facts.video_codec
        return sealed.key, media_type.replace("video/", "audio/") if sound else media_type


def _purpose(kind: PreviewKind) -> str:
    if kind in {PreviewKind.THUMBNAIL, PreviewKind.POSTER}:
        return "thumbnail"
    return "play" if kind is PreviewKind.RENDITION else "view"


def _under_way(tx: Transaction, work: Work, item_id: ItemId) -> bool:
    found = tx.session.exec(
        select(OutboxRow.id).where(
            OutboxRow.kind == work.value,
            OutboxRow.subject_id == item_id,
            col(OutboxRow.done_at).is_(None),
            col(OutboxRow.dead_at).is_(None),
        )
    ).first()
    return found is not None
