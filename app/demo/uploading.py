"""Sending a file as the browser does: announce, sign parts, send them to the store, complete."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from app.demo.person import Person, WentWrong

AT_ONCE = 4
FINGERPRINTED = 1024 * 1024
TRIES = 4
Progress = Callable[[int, int], None]


def upload(person: Person, case_id: str, path: Path, tell: Progress) -> str:
    """Send a file, four parts at a time; returns the item's id. Raises WentWrong."""
    size = path.stat().st_size
    item = person.json(
        "POST",
        f"/api/v1/cases/{case_id}/evidence",
        {
            "file_name": path.name,
            "size": size,
            "fingerprint": _fingerprint(path),
            "sha256": _whole_digest(path),
        },
    )
    plan = item["upload"]
    there = {part["number"] for part in plan["there"]}
    missing = [number for number in range(1, plan["part_count"] + 1) if number not in there]
    sent = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(missing), AT_ONCE):
            group = missing[start : start + AT_ONCE]
            _send_group(person, item, path, group, pool)
            sent += len(group)
            tell(sent + len(there), plan["part_count"])
    person.json("POST", item["links"]["complete"], {})
    return str(item["id"])


def _send_group(
    person: Person, item: dict[str, Any], path: Path, group: list[int], pool: ThreadPoolExecutor
) -> None:
    plan, parts = item["upload"], item["links"]["parts"]
    digests = {number: _digest(_part(path, plan, number)) for number in group}
    named = [{"number": number, "sha256": digest} for number, digest in digests.items()]
    links = person.json("POST", parts, {"parts": named})["parts"]
    etags = pool.map(lambda link: _put(link, _part(path, plan, link["number"])), links)
    taken = [
        {"number": link["number"], "sha256": digests[link["number"]], "etag": etag}
        for link, etag in zip(links, etags, strict=True)
    ]
    person.json("PUT", parts, {"parts": taken})


def _put(link: dict[str, Any], body: bytes) -> str:
    for _ in range(TRIES):
        answer = requests.put(link["url"], data=body, headers=link["headers"], timeout=60)
        if answer.status_code < 500:
            break
    if answer.status_code != 200:
        raise WentWrong(f"The store refused part {link['number']}: {answer.status_code}.")
    return answer.headers["ETag"].strip('"')


def _part(path: Path, plan: dict[str, Any], number: int) -> bytes:
    with path.open("rb") as file:
        file.seek((number - 1) * plan["part_size"])
        return file.read(plan["part_size"])


def _whole_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fingerprint(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(FINGERPRINTED)
        file.seek(max(0, size - FINGERPRINTED))
        last = file.read(FINGERPRINTED)
    return f"{_digest(first)}:{_digest(last)}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: Path) -> str:
    """What `sha256sum` prints of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
