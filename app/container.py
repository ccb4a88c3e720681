"""The composition root: from settings to the parts of the house, built once per process.

Building connects to nothing; every part connects when it is first asked for something.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from redis import Redis

from app.mailing import mailer_for
from app.posting import Poster
from app.sandbox import ChildProcesses
from app.scanning import scanner_for
from app.settings import Settings
from storage.clock import Clock, SystemClock
from storage.database import Database
from storage.vault import StoreAddress, Vault
from workflows.confining import Confinement
from workflows.evidence.rules import Limits
from workflows.evidence.verdicts import SealPolicy
from workflows.issuance.addresses import Site
from workflows.issuance.keys import Issuer
from workflows.ports import Courier, KeyService, Mailer, Scanner

SHARED_CONNECTIONS = 4


@dataclass(frozen=True)
class Container:
    """What commands are given: the parts, and how this installation is set."""

    settings: Settings
    clock: Clock
    db: Database
    vault: Vault
    redis: Redis
    scanner: Scanner
    confinement: Confinement
    mailer: Mailer
    courier: Courier
    site: Site
    key_secret: str = field(repr=False)
    key_service: KeyService | None = None

    @property
    def issuer(self) -> Issuer:
        """What signing needs."""
        earlier = self.settings.key_encryption_secret_earlier
        return Issuer(self.site, self.key_secret, earlier, self.key_service)

    @property
    def limits(self) -> Limits:
        """What files, cases and institutions may hold."""
        chosen = self.settings
        return Limits(
            file_bytes=chosen.upload_max_bytes,
            case_bytes=chosen.case_quota_bytes,
            case_items=chosen.case_quota_items,
            institution_bytes=chosen.institution_quota_bytes,
            recording_bytes=chosen.recording_max_bytes,
        )

    @property
    def seal_policy(self) -> SealPolicy:
        """How strict the seal is."""
        return SealPolicy(
            refuse_unscanned=self.settings.refuse_unscanned,
            refuse_encrypted=self.settings.refuse_encrypted,
            scanned_inside=self.settings.clamd_max_scan_bytes,
            lock_days=self.settings.object_lock_days,
        )

    @property
    def session_lifetime(self) -> timedelta:
        """After how long a sign-in ends, however busy the person is."""
        return timedelta(hours=self.settings.session_hours)

    def close(self) -> None:
        """Give back all connections."""
        self.redis.close()
        self.db.close()


def build(settings: Settings, clock: Clock | None = None) -> Container:
    """The parts that the settings describe."""
    clock = clock or SystemClock()
    return Container(
        settings=settings,
        clock=clock,
        db=Database(
            settings.database_url, clock, pool_size=settings.web_threads + SHARED_CONNECTIONS
        ),
        vault=Vault(_store_address(settings)),
        redis=Redis.from_url(settings.redis_url, socket_connect_timeout=2, socket_timeout=10),
        scanner=scanner_for(settings.clamd_address),
        confinement=ChildProcesses(),
        mailer=mailer_for(settings.smtp_url, settings.mail_from, clock),
        courier=Poster(clock, loopback=not settings.production),
        site=Site(settings.public_url),
        key_secret=settings.key_encryption_secret,
        key_service=key_service_for(settings),
    )


def key_service_for(settings: Settings) -> KeyService | None:
    """The key service where new keys are made, and None where the database keeps them."""
    if settings.signing_keys != "kms":
        return None
    from storage.kms import KmsKeys

    return KmsKeys(settings.kms_region, settings.kms_endpoint_url)


def _store_address(settings: Settings) -> StoreAddress:
    return StoreAddress(
        endpoint_url=settings.s3_endpoint_url,
        public_endpoint_url=settings.s3_public_endpoint_url,
        region=settings.s3_region,
        bucket=settings.s3_bucket,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key,
        object_lock=settings.object_lock_days > 0,
    )
