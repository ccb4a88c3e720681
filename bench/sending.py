"""A program that sends a file by the REST API, four parts at a time, as docs/api.md tells it."""

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.site import Site, line_of
from storage.ids import CaseId
from storage.vocabulary import EvidenceState

PARALLEL = 4
SIGNED_AT_ONCE = 4
ONE_PART = 5 * 1024**2
PATIENCE_SECONDS = 1800


def send(at: Site, path: Path, case_id: CaseId, name: str, *, sha256: str = "") -> UUID:
    """Announce, sign, send and complete a file, four parts at a time; returns the item.

    `sha256` is the whole file's, where it is known beforehand.
    """
    size = path.stat().st_size
    said = {
        "file_name": name,
        "size": size,
        "media_type": "video/mp4",
        "fingerprint": _ends(path, size),
        "sha256": sha256 or None,
    }
    if sha256 and size <= ONE_PART:
        return _send_small(at, path, case_id, said)
    item = at.call("POST", f"/cases/{case_id}/evidence", said)
    groups = _groups(item["upload"]["part_count"])
    part_size = item["upload"]["part_size"]

    def group(numbers: Sequence[int]) -> None:
        _send_group(at, item["id"], path, numbers, part_size)

    if len(groups) == 1:
        group(groups[0])
    else:
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(group, groups))
    at.call("POST", f"/evidence/{item['id']}/complete", {})
    return UUID(item["id"])


def _send_small(at: Site, path: Path, case_id: CaseId, said: dict[str, Any]) -> UUID:
    """A file of one part: signed with its announcement, reported with its completion."""
    part = {"number": 1, "sha256": said["sha256"]}
    item = at.call("POST", f"/cases/{case_id}/evidence", {**said, "parts": [part]})
    (link,) = item["upload"]["signed"]
    put = line_of().put(link["url"], data=path.read_bytes(), headers=link["headers"], timeout=120)
    put.raise_for_status()
    taken = {**part, "etag": put.headers["ETag"]}
    at.call("POST", f"/evidence/{item['id']}/complete", {"taken": [taken]})
    return UUID(item["id"])


def _groups(count: int) -> list[range]:
    """The numbers of the parts, a few that are signed together at a time."""
    step = min(SIGNED_AT_ONCE, -(-count // PARALLEL))
    return [range(first, min(first + step, count + 1)) for first in range(1, count + 1, step)]


def _send_group(at: Site, item_id: str, path: Path, numbers: Sequence[int], part_size: int) -> None:
    pieces = [_piece(path, number, part_size) for number in numbers]
    parts: list[dict[str, Any]] = [
        {"number": number, "sha256": hashlib.sha256(piece).hexdigest()}
        for number, piece in zip(numbers, pieces, strict=True)
    ]
    links = at.call("POST", f"/evidence/{item_id}/parts", {"parts": parts})["parts"]
    for part, piece, link in zip(parts, pieces, links, strict=True):
        put = line_of().put(link["url"], data=piece, headers=link["headers"], timeout=120)
        put.raise_for_status()
        part["etag"] = put.headers["ETag"]
    at.call("PUT", f"/evidence/{item_id}/parts", {"parts": parts})


def _piece(path: Path, number: int, part_size: int) -> bytes:
    with path.open("rb") as file:
        file.seek((number - 1) * part_size)
        return file.read(part_size)


def _ends(path: Path, size: int) -> str:
    """The fingerprint: digests of the first and the last MiB."""
    with path.open("rb") as file:
        first = file.read(min(size, 1024**2))
        file.seek(max(0, size - 1024**2))
        last = file.read()
    return f"{hashlib.sha256(first).hexdigest()}:{hashlib.sha256(last).hexdigest()}"


def wait_until_sealed(at: Site, item_id: UUID) -> None:
    """Ask the API until the item is sealed."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while (state := at.call("GET", f"/evidence/{item_id}")["state"]) != EvidenceState.SEALED.value:
        if state != EvidenceState.STORED.value or time.monotonic() > ends_at:
            raise RuntimeError(f"the item is {state}")
        time.sleep(0.05)
