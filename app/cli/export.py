"""`assay export`: a credential with all that is needed to check it on a machine without network."""

import argparse
import hashlib
import json
from pathlib import Path
from uuid import UUID

from app.cli.surroundings import say, settings_at_hand
from app.container import Container, build
from storage.errors import InvalidInput, Unavailable
from storage.ids import CredentialId
from workflows.evidence.kept import kept_key
from workflows.issuance.artefacts import badge_file, certificate
from workflows.issuance.bundle import Bundle, gather
from workflows.issuance.queries import PublicItem
from workflows.issuance.tokens import credential_token

EVIDENCE = "evidence"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which credential, and where to."""
    parser.add_argument("credential_id", metavar="CREDENTIAL_ID", help="as in its address")
    parser.add_argument("--out", required=True, metavar="DIR", help="made when it is not there")


def run(args: argparse.Namespace) -> int:
    """Write the bundle: credential.json, credential.jwt, map.json, what the map names, badges,
    the certificate, files.

    Raises NotFound, InvalidInput, Unavailable.
    """
    try:
        credential_id = CredentialId(UUID(args.credential_id))
    except ValueError:
        raise InvalidInput("This is not the id of a credential.") from None
    out = Path(args.out)
    with settings_at_hand(tell=lambda _line: None) as settings:
        container = build(settings)
        try:
            token = credential_token(container.db, container.issuer, credential_id)
            bundle = gather(container.db, container.site, credential_id, token)
            write_bundle(container, bundle, out)
        finally:
            container.close()
    say(f"Written to {out}")
    return 0


def write_bundle(container: Container, bundle: Bundle, out: Path) -> None:
    """Write a bundle to a folder."""
    out.mkdir(parents=True, exist_ok=True)
    for name, document in bundle.files.items():
        (out / name).write_bytes(document)
    words = json.dumps(bundle.map, indent=1, sort_keys=True) + "\n"
    (out / "map.json").write_text(words, "utf-8")
    (out / "badge.png").write_bytes(badge_file(bundle.view, "png"))
    (out / "badge.svg").write_bytes(badge_file(bundle.view, "svg"))
    (out / "certificate.pdf").write_bytes(certificate(bundle.view))
    taken: set[str] = set()
    for item in bundle.opened:
        _write_evidence(container, item, out / EVIDENCE, taken)


def _write_evidence(container: Container, item: PublicItem, folder: Path, taken: set[str]) -> None:
    """Write a file that the holder has opened, and look once more that it is the one."""
    folder.mkdir(exist_ok=True)
    name = _free_name(Path(item.file_name).name or "file", taken)
    digest = hashlib.sha256()
    with container.db.reading() as tx:
        key = kept_key(tx, item.sha256)
    with (folder / name).open("wb") as file:
        for chunk in container.vault.open_stream(key):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != item.sha256:
        raise Unavailable("The store gave other bytes than were sealed. Run `assay fsck`.")


def _free_name(name: str, taken: set[str]) -> str:
    path, number = Path(name), 1
    while name in taken:
        number += 1
        name = f"{path.stem} ({number}){path.suffix}"
    taken.add(name)
    return name
