"""`assay doctor`: how everything is, and what to do about what is not well."""

import argparse
import json
from collections.abc import Mapping
from contextlib import ExitStack

from redis import Redis

from app import health
from app.cli.migrate import store_address
from app.cli.surroundings import libmagic_version, say, settings_at_hand
from app.container import key_service_for
from app.health import Finding, carefully
from app.settings import Settings
from storage.clock import SystemClock
from storage.database import Database
from storage.vault import Vault
from workflows.issuance.addresses import Site
from workflows.issuance.keys import Issuer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the form of the answer."""
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Look at everything; 0 when nothing needs mending, else 1."""
    with settings_at_hand(tell=lambda line: None if args.json else say(line)) as settings:
        found = examine(settings)
    well = all(finding.ok for name, finding in found.items() if name not in ADVICE_ONLY)
    if args.json:
        parts = {name: vars(finding) for name, finding in found.items()}
        say(json.dumps({"ok": well, "findings": parts}, indent=2))
    else:
        for name, finding in found.items():
            say(line_of(name, finding))
    return 0 if well else 1


# an installation may do without
ADVICE_ONLY = frozenset({"malware scanner", "webhooks"})


def examine(settings: Settings) -> Mapping[str, Finding]:
    """Every finding, by the name of what was looked at."""
    with ExitStack() as stack:
        db = Database(settings.database_url, SystemClock(), pool_size=1)
        stack.callback(db.close)
        redis = stack.enter_context(
            Redis.from_url(settings.redis_url, socket_timeout=3, socket_connect_timeout=3)
        )
        looks = {
            "database": lambda: health.database(db),
            "migrations": lambda: health.migrations(db),
            "promised work": lambda: health.dead_work(db),
            "late work": lambda: health.late_work(db),
            "kept bytes": lambda: health.kept_bytes(db),
            "webhooks": lambda: health.webhooks(db),
            "signing keys": lambda: health.signing_keys(db, _issuer(settings)),
            "queue": lambda: health.queue(redis),
            "store": lambda: health.store(Vault(store_address(settings))),
            "malware scanner": lambda: health.scanner(settings.clamd_address),
            "file types": file_types,
        }
        return {name: carefully(look) for name, look in looks.items()}


def _issuer(settings: Settings) -> Issuer:
    return Issuer(
        Site(settings.public_url),
        settings.key_encryption_secret,
        settings.key_encryption_secret_earlier,
        key_service_for(settings),
    )


def file_types() -> Finding:
    """Whether libmagic can be used."""
    version = libmagic_version()
    if version is None:
        return Finding(False, "libmagic is missing", "Install libmagic1.")
    return Finding(True, f"libmagic {version}")


def line_of(name: str, finding: Finding) -> str:
    """A finding as a person reads it."""
    mark = "ok   " if finding.ok else "not ok"
    remedy = f"\n        → {finding.remedy}" if finding.remedy and not finding.ok else ""
    return f"{mark:<7} {name}: {finding.detail}{remedy}"
