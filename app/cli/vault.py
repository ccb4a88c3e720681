"""`assay vault copy --to PREFIX`: move the vault to another store, verifying every object.

The other store is named by environment variables that begin with PREFIX: PREFIX_ENDPOINT_URL,
PREFIX_BUCKET, PREFIX_ACCESS_KEY_ID, PREFIX_SECRET_ACCESS_KEY, PREFIX_REGION. Secrets are never
given on the command line. What was copied is written down, so a copy that is interrupted goes on.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping

from app.cli.progress import Progress
from app.cli.surroundings import say, settings_at_hand
from app.container import build
from app.settings import SettingsError
from storage.moving import Moved, Outcome, copy_vault
from storage.vault import StoreAddress, Vault

SIDE_BY_SIDE = 4
WORDS: Mapping[Outcome, str] = {
    Outcome.COPIED: "copied and read back",
    Outcome.THERE: "were there already, with the right bytes",
    Outcome.KNOWN: "were copied before",
    Outcome.DIFFERS: "DIFFER",
    Outcome.MISSING: "are MISSING here or there",
    Outcome.IN_FLIGHT: "uploads under way were not copied",
    Outcome.GONE: "were erased meanwhile",
    Outcome.REMOVED: "were erased here since, and are removed there as well",
    Outcome.SURPLUS: "are there and NOT here, and were not brought by this",
}
BAD = frozenset({Outcome.DIFFERS, Outcome.MISSING, Outcome.SURPLUS})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where to, and how."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    copy = acts.add_parser("copy", help="copy everything to another store, verifying as it goes")
    copy.add_argument(
        "--to",
        required=True,
        metavar="PREFIX",
        help="the other store: PREFIX_ENDPOINT_URL, PREFIX_BUCKET and so on in the environment",
    )
    copy.add_argument("--verify-only", action="store_true", help="copy nothing, read everything")
    copy.add_argument("--jobs", type=int, default=SIDE_BY_SIDE, metavar="N", help="objects at once")
    copy.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Copy or verify; 0 when the other store holds everything, 1 when something is wrong there."""
    quiet = bool(args.json)
    there = Vault(address_from(os.environ, args.to))
    counts: Counter[Outcome] = Counter()
    named: list[Moved] = []
    progress = Progress(sys.stderr, shown=not quiet and sys.stderr.isatty())
    with settings_at_hand(tell=lambda line: None if quiet else say(line)) as settings:
        container = build(settings)
        try:
            if not args.verify_only:
                there.ensure_bucket([settings.public_url])
            for one in copy_vault(
                container.db,
                container.vault,
                there,
                verify_only=args.verify_only,
                side_by_side=max(1, args.jobs),
            ):
                progress.step(one.key)
                counts[one.outcome] += 1
                if one.outcome in BAD | {Outcome.IN_FLIGHT}:
                    named.append(one)
                    progress.clear()
                    if not quiet:
                        say(
                            f"{one.outcome.value}: {one.key}"
                            + (f" ({one.detail})" * bool(one.detail))
                        )
        finally:
            progress.clear()
            container.close()
    _tell(counts, named, quiet=quiet)
    return 1 if any(counts[one] for one in BAD) else 0


def address_from(env: Mapping[str, str], prefix: str) -> StoreAddress:
    """The store that variables with this beginning describe. Raises SettingsError."""
    needed = ("ENDPOINT_URL", "BUCKET", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
    missing = [f"{prefix}_{name}" for name in needed if not env.get(f"{prefix}_{name}")]
    if missing:
        raise SettingsError([f"{name} is not set." for name in missing])
    return StoreAddress(
        endpoint_url=env[f"{prefix}_ENDPOINT_URL"],
        bucket=env[f"{prefix}_BUCKET"],
        region=env.get(f"{prefix}_REGION", "us-east-1"),
        access_key_id=env[f"{prefix}_ACCESS_KEY_ID"],
        secret_access_key=env[f"{prefix}_SECRET_ACCESS_KEY"],
    )


def _tell(counts: Mapping[Outcome, int], named: list[Moved], *, quiet: bool) -> None:
    if quiet:
        listed = [
            {"what": one.outcome.value, "key": one.key, "detail": one.detail} for one in named
        ]
        totals = {outcome.value: count for outcome, count in counts.items()}
        say(json.dumps({"counts": totals, "named": listed}, indent=2))
        return
    for outcome, words in WORDS.items():
        if counts.get(outcome):
            say(f"{counts[outcome]:>8} {words}")
    if not any(counts.get(one) for one in BAD):
        say("The other store holds everything that is kept here.")
