"""The plain form's way for small files: through the web process to the store, without scripts."""

import hashlib
import os
from dataclasses import replace
from typing import IO

from storage.crashpoints import crash_point
from storage.database import Database
from storage.errors import InvalidInput, Problem
from storage.ids import CaseId, ItemId, Sha256
from storage.vault import Vault
from workflows.access.rules import Actor
from workflows.evidence.announcing import claim_upload
from workflows.evidence.load import live_upload, look_at_item
from workflows.evidence.rules import Announcement, Limits, fit_to_announce, in_words
from workflows.evidence.storing import record_stored

SMALL_FILE = 25_000_000
"""Larger files travel in parts, straight from the browser to the store."""
FINGERPRINTED = 1024**2
BLOCK = 256 * 1024


def upload_small(
    db: Database,
    vault: Vault,
    actor: Actor,
    case_id: CaseId,
    body: IO[bytes],
    *,
    announced: Announcement,
    limits: Limits,
) -> ItemId:
    """Take a small file from a form and promise to seal it. `body` can be read twice.

    Raises NotFound, InvalidInput (name, size), TooMany (quota), Conflict (the case was submitted),
    StoreAway.
    """
    size = body.seek(0, os.SEEK_END)
    _fit_for_form(size)
    digest = _digest(body, 0, size)
    announced = replace(announced, size=size, fingerprint=_fingerprint(body, size), sha256=digest)
    fit_to_announce(announced, limits)
    item_id = claim_upload(db, actor, case_id, announced, limits).item_id
    with db.reading() as tx:
        held = look_at_item(tx, actor, item_id)
        upload = live_upload(tx, held.item)
    if upload.store_upload_id:
        vault.abort(upload.key, upload.store_upload_id)
    body.seek(0)
    facts = vault.put_small(upload.key, body, sha256=digest)
    crash_point("small.stored")
    record_stored(db, held.who, item_id, facts)
    return item_id


def _fit_for_form(size: int) -> None:
    if size > SMALL_FILE:
        problem = Problem(
            "file",
            "The file has %(size)s. Without JavaScript files of up to %(most)s can be sent; switch "
            "it on to send larger ones.",
            {"size": in_words(size), "most": in_words(SMALL_FILE)},
        )
        raise InvalidInput("This file cannot be taken.", problems=[problem])


def _fingerprint(body: IO[bytes], size: int) -> str:
    first = _digest(body, 0, min(size, FINGERPRINTED))
    last = _digest(body, max(0, size - FINGERPRINTED), size)
    return f"{first}:{last}"


def _digest(body: IO[bytes], start: int, end: int) -> Sha256:
    body.seek(start)
    digest = hashlib.sha256()
    left = end - start
    while left > 0 and (block := body.read(min(BLOCK, left))):
        digest.update(block)
        left -= len(block)
    return Sha256(digest.hexdigest())
