"""`assay verify`: the verdict on a badge, and whether files at hand are the evidence it names."""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from credentials.documents import id_of, load_json, types_of
from credentials.errors import CannotFetch, CredentialError
from credentials.fetching import DirectoryFetcher, Fetcher, RemoteFetcher
from credentials.schema import ENDORSEMENT_TYPE
from credentials.verify import Check, Finding, Outcome, Verdict, verify
from storage.clock import SystemClock

EXIT_CODES = {Outcome.VALID: 0, Outcome.NOT_VALID: 1, Outcome.CANNOT_TELL: 2}
WORDS = {
    Outcome.VALID: "Valid.",
    Outcome.NOT_VALID: "Not valid.",
    Outcome.CANNOT_TELL: "Cannot tell.",
}
_MARKS = {Finding.PASSED: "✓", Finding.FAILED: "✗", Finding.UNKNOWN: "?", Finding.NOTED: "·"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the badge, the evidence and where remote documents come from."""
    parser.add_argument(
        "badge", metavar="FILE|URL", help="JSON, JWT, SD-JWT, a baked PNG or SVG, or a PDF"
    )
    parser.add_argument(
        "--evidence", metavar="FILE", nargs="+", action="extend", default=[], type=Path,
        help="files to compare with the digests in the badge",
    )  # fmt: skip
    parser.add_argument(
        "--documents", metavar="DIR", type=Path,
        help="use the offline bundle in this folder and no network",
    )  # fmt: skip
    parser.add_argument(
        "--allow-origin", metavar="ORIGIN", action="append", default=[],
        help="also fetch from here, though it is not https or not public",
    )  # fmt: skip
    parser.add_argument(
        "--schemas", metavar="DIR", type=Path, help="a folder with 1EdTech's JSON Schemas"
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Print one line per check; 0 if valid, 1 if not, 2 if it cannot be told."""
    try:
        verdict = _verdict(args)
    except (CannotFetch, OSError) as error:
        print(error, file=sys.stderr)
        return EXIT_CODES[Outcome.CANNOT_TELL]
    print(as_json(verdict) if args.json else "\n".join(as_lines(verdict)))
    return EXIT_CODES[verdict.outcome]


def as_lines(verdict: Verdict) -> list[str]:
    """The verdict for people: a line per check, and what they come to."""
    return [*map(_line, verdict.checks), WORDS[verdict.outcome]]


def as_json(verdict: Verdict) -> str:
    """The verdict for programs."""
    checks = [
        {
            "code": check.code,
            "subject": check.subject,
            "outcome": check.outcome,
            "message": check.text,
        }
        for check in verdict.checks
    ]
    evidence = [
        {"id": item.id, "name": item.name, "sha256": item.sha256} for item in verdict.evidence
    ]
    found = {"outcome": verdict.outcome, "checks": checks, "evidence": evidence}
    return json.dumps(found, ensure_ascii=False, indent=2)


def _verdict(args: argparse.Namespace) -> Verdict:
    badge: str = args.badge
    files: Sequence[Path] = args.evidence
    fetch, endorsements = _sources(args)
    verdict = verify(
        fetch(badge) if _is_address(badge) else Path(badge).read_bytes(),
        fetch=fetch,
        now=SystemClock().now(),
        evidence={str(file): _sha256(file) for file in files},
        endorsements=endorsements,
        schemas=args.schemas,
    )
    return verdict if args.documents is None else _as_of_the_bundle(verdict, args.documents)


def _as_of_the_bundle(verdict: Verdict, folder: Path) -> Verdict:
    """The verdict with a line that says how old what it relies on may be."""
    message = "Checked with the documents in %(folder)s; what changed after them is not known."
    note = Check("offline", str(folder), Finding.NOTED, message, {"folder": str(folder)})
    return replace(verdict, checks=(*verdict.checks, note))


def _sources(args: argparse.Namespace) -> tuple[Fetcher, list[bytes]]:
    """Where remote documents come from, and the endorsements that an offline bundle brings."""
    if args.documents is None:
        allowed = list(args.allow_origin)
        if _is_address(args.badge):
            parts = urlsplit(args.badge)
            allowed.append(f"{parts.scheme}://{parts.netloc}")
        return RemoteFetcher(allowed_origins=allowed), []
    bundle = DirectoryFetcher(args.documents)
    return bundle, _endorsements(bundle)


def _endorsements(bundle: DirectoryFetcher) -> list[bytes]:
    found = [bundle(url) for url in bundle.urls() if _is_endorsement(bundle, url)]
    return list(dict.fromkeys(found))


def _is_endorsement(bundle: DirectoryFetcher, url: str) -> bool:
    try:
        document = load_json(bundle(url))
        return ENDORSEMENT_TYPE in types_of(document) and id_of(document) == url
    except CredentialError:
        return False


def _is_address(badge: str) -> bool:
    return badge.startswith(("https://", "http://"))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _line(check: Check) -> str:
    nested = f" ({check.subject})" if check.code.startswith("endorsement.") else ""
    return f"{_MARKS[check.outcome]} {check.code}{nested}: {check.text}"
