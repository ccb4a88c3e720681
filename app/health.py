"""How each part of the house is: what /readyz answers and `assay doctor` tells."""

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

from redis import Redis
from sqlalchemy import text

from storage import migrate
from storage.database import Database
from storage.errors import AssayError
from storage.outbox import Promised
from storage.outbox_reports import QueueStanding, dead_rows, overdue, standing
from storage.vault import Vault
from workflows.issuance.keys import Issuer, closed_keys
from workflows.webhooks.queries import ailing

PATIENCE_SECONDS = 2.0
FRESH_SECONDS = 3.0
LATE = timedelta(minutes=15)
AILING: Mapping[str, str] = {
    "gone": "switched off, it answered 410,",
    "failing": "switched off, it had failed for five days,",
    "trouble": "failing",
}


@dataclass(frozen=True)
class Finding:
    """What a look at one part said. `remedy` says what to do when it is not well."""

    ok: bool
    detail: str
    remedy: str = ""


Probe = Callable[[], Finding]


class Parts(Protocol):
    """What of the container can be looked at."""

    @property
    def db(self) -> Database:
        """The database."""
        ...

    @property
    def redis(self) -> Redis:
        """Valkey."""
        ...

    @property
    def vault(self) -> Vault:
        """The evidence store."""
        ...


def probes(parts: Parts) -> Mapping[str, Probe]:
    """The engines that a request may need, each with how to look at it."""
    return {
        "database": lambda: database(parts.db),
        "queue": lambda: queue(parts.redis),
        "store": lambda: store(parts.vault),
    }


def database(db: Database) -> Finding:
    """Whether it answers."""
    with db.reading() as tx:
        version = tx.session.execute(text("SHOW server_version")).scalar_one()
    return Finding(True, f"PostgreSQL {version}")


def queue(redis: Redis) -> Finding:
    """Whether it answers and keeps what it is given."""
    redis.ping()
    said = redis.info("server")
    version = said.get("valkey_version") or said["redis_version"]
    policy = redis.info("memory").get("maxmemory_policy", "")
    if policy not in {"", "noeviction"}:
        return Finding(
            False, f"it may forget work ({policy})", "Set maxmemory-policy to noeviction."
        )
    return Finding(True, f"Valkey or Redis {version}")


def store(vault: Vault) -> Finding:
    """Whether it keeps a small object."""
    vault.canary()
    return Finding(True, "keeps what it is given")


def migrations(db: Database) -> Finding:
    """Whether the tables are those that this version needs."""
    with db.engine.connect() as connection:
        at = migrate.current(connection)
    newest = migrate.newest()
    if at == newest:
        return Finding(True, f"at {at}")
    return Finding(False, f"at {at or 'nothing'}, this version needs {newest}", "assay migrate")


def dead_work(db: Database) -> Finding:
    """Whether promised work was given up, and which."""
    with db.reading() as tx:
        rows = dead_rows(tx, limit=20)
    if not rows:
        return Finding(True, "none was given up")
    return Finding(
        False,
        _listed("were given up, the latest", rows),
        "Mend the cause, then let staff ask for it again from the case's page.",
    )


def kept_bytes(db: Database) -> Finding:
    """Whether sealed evidence is known to be missing from the store, or changed there."""
    with db.reading() as tx:
        missing, wrong = tx.session.execute(
            text(
                "SELECT count(*) FILTER (WHERE missing_at IS NOT NULL),"
                " count(*) FILTER (WHERE wrong_at IS NOT NULL) FROM sealed_object"
            )
        ).one()
    if not missing and not wrong:
        return Finding(True, "none is known to be missing or changed")
    return Finding(
        False,
        f"{missing} missing, {wrong} changed in the store",
        "Run `assay fsck`, and bring the named objects back from a copy of the vault.",
    )


def signing_keys(db: Database, issuer: Issuer) -> Finding:
    """Whether the keys that sign now can be opened with the secret of this installation."""
    with db.reading() as tx:
        closed = closed_keys(tx, issuer)
    if not closed:
        return Finding(True, "all that sign now can be opened")
    return Finding(
        False,
        f"these cannot be opened, so nothing is signed with them: {', '.join(closed)}",
        "Give back the KEY_ENCRYPTION_SECRET that sealed them, or name it as "
        "KEY_ENCRYPTION_SECRET_EARLIER and run `assay keys reseal`; for keys of a key service set "
        "SIGNING_KEYS. If the secret is lost, `assay keys rotate` makes new keys.",
    )


def late_work(db: Database) -> Finding:
    """Whether promised work waits for longer than it should, and which."""
    with db.reading() as tx:
        rows = overdue(tx, LATE, limit=20)
    if not rows:
        return Finding(True, "none is late")
    return Finding(
        False, _listed("are late, the oldest", rows), "See that relay and workers run and reach it."
    )


def _listed(what: str, rows: Sequence[Promised]) -> str:
    lines = (f"\n  {row.kind} for {row.subject_id}: {row.last_error or '?'}" for row in rows)
    return f"these {what} first:{''.join(lines)}"


def scanner(address: str) -> Finding:
    """Whether the malware scanner answers. Without one, items say that they were not scanned."""
    if not address:
        return Finding(
            False, "none; items say that they were not scanned", "Install clamav-daemon."
        )
    with _connected(address) as connection:
        connection.sendall(b"zPING\0")
        answer = connection.recv(16)
    return Finding(answer.startswith(b"PONG"), f"clamd at {address}")


def webhooks(db: Database) -> Finding:
    """Whether other software takes the news that it is sent."""
    with db.reading() as tx:
        found = ailing(tx)
    if not found:
        return Finding(True, "every endpoint takes news, or there is none")
    told = "".join(
        f"\n  {url}: {AILING[state]} since {at:%Y-%m-%d %H:%M} UTC" for url, state, at in found
    )
    return Finding(
        False,
        f"these endpoints get no news:{told}",
        "Mend the receiver, then have an administrator switch the endpoint on (/admin/webhooks).",
    )


def queues(db: Database) -> tuple[datetime, Sequence[QueueStanding]]:
    """The moment of looking, and how each queue with open work stands then."""
    with db.reading() as tx:
        return tx.now, standing(tx)


@dataclass
class Watch:
    """Looks at all parts at once, never for long, and remembers the answer for a moment.

    A look that hangs is waited for by one thread only, however often it is asked about.
    """

    probes: Mapping[str, Probe]
    patience: float = PATIENCE_SECONDS
    fresh: float = FRESH_SECONDS
    _pool: ThreadPoolExecutor = field(init=False)
    _pending: dict[str, "Future[Finding]"] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _seen: Mapping[str, Finding] = field(default_factory=dict)
    _seen_at: float = float("-inf")

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(len(self.probes), thread_name_prefix="health")

    def look(self) -> Mapping[str, Finding]:
        """How every part is, by its name."""
        with self._lock:
            if time.monotonic() - self._seen_at > self.fresh:
                self._seen = self._ask_all()
                self._seen_at = time.monotonic()
            return self._seen

    def _ask_all(self) -> Mapping[str, Finding]:
        deadline = time.monotonic() + self.patience
        asked = {name: self._asked(name, probe) for name, probe in self.probes.items()}
        return {name: self._answer(name, one, deadline) for name, one in asked.items()}

    def _asked(self, name: str, probe: Probe) -> "Future[Finding]":
        if name not in self._pending:
            self._pending[name] = self._pool.submit(carefully, probe)
        return self._pending[name]

    def _answer(self, name: str, asked: "Future[Finding]", deadline: float) -> Finding:
        try:
            finding = asked.result(timeout=max(0.0, deadline - time.monotonic()))
        except TooSlow:
            return Finding(False, f"gave no answer within {self.patience:.0f} s")
        del self._pending[name]
        return finding


def carefully(probe: Probe) -> Finding:
    """What a probe says; that it failed, when it does.

    Of errors that are not ours only the sort is told: their words can hold addresses.
    """
    try:
        return probe()
    except AssayError as error:
        return Finding(False, str(error))
    except Exception as error:  # a look must tell, whatever a client library raises
        return Finding(False, f"does not answer ({type(error).__name__})")


def _connected(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    if "/" in address:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE_SECONDS)
        connection.connect(address)
        return connection
    return socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)
