"""`assay migrate`: bring database and store to what this version of the code needs."""

import argparse

from app.cli.surroundings import Say, say, settings_at_hand
from app.settings import Settings
from storage import migrate
from storage.vault import StoreAddress, Vault


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the revision to go to."""
    parser.add_argument("--to", default="head", metavar="REVISION", help="default: the newest")


def run(args: argparse.Namespace) -> int:
    """Migrate. Fails, with nothing changed, while a table is locked for long."""
    with settings_at_hand() as settings:
        prepare(settings, say, str(args.to))
    return 0


def prepare(settings: Settings, tell: Say, revision: str = "head") -> None:
    """Bring the database to a revision, and make the bucket and its rules when there are none."""
    migrate.upgrade(settings.database_url, revision)
    tell(f"The database is at {migrate.newest() if revision == 'head' else revision}")
    by_hand = Vault(store_address(settings)).ensure_bucket([settings.public_url])
    tell(f"The store has the bucket {settings.s3_bucket}")
    for advice in by_hand:
        tell(f"To be set by hand: {advice}")


def store_address(settings: Settings) -> StoreAddress:
    """Where the store is, asked without much patience."""
    return StoreAddress(
        endpoint_url=settings.s3_endpoint_url,
        region=settings.s3_region,
        bucket=settings.s3_bucket,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key,
        connect_timeout=3,
        read_timeout=5,
        tries=1,
    )
