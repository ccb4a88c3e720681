"""/healthz, /readyz and /metrics, and what doctor sees, on real engines and on missing ones."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import text

from app import health
from app.health import Finding, Watch, carefully
from app.web import ops
from storage.clock import SetClock, SystemClock
from storage.database import Database
from storage.errors import Unavailable
from storage.ids import new_id
from storage.outbox import promise
from storage.vault import StoreAddress, Vault


@dataclass(frozen=True)
class Parts:
    db: Database
    redis: Redis
    vault: Vault


@pytest.fixture
def parts(db: Database, valkey_client: Redis, vault: Vault) -> Parts:
    return Parts(db, valkey_client, vault)


@pytest.fixture
def client(parts: Parts) -> FlaskClient:
    return client_of(parts)


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that takes calls and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def client_of(parts: Parts) -> FlaskClient:
    app = Flask(__name__)
    ops.attach(app, parts)
    return app.test_client()


def test_a_process_is_alive_whatever_the_engines_do(parts: Parts, nowhere: str) -> None:
    away = replace(parts, db=Database(f"postgresql://assay@{nowhere}/assay", SystemClock()))
    assert client_of(away).get("/healthz").json == {"status": "alive"}


def test_building_the_application_asks_no_engine() -> None:
    class Refusing:
        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"asked for {name}")

    client_of(cast(Parts, Refusing()))


def test_it_is_ready_when_every_engine_works(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["status"] == "ready"
    assert {name: one["ok"] for name, one in answer.json["engines"].items()} == {
        "database": True,
        "queue": True,
        "store": True,
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_is_not_ready_while_the_database_is_away(parts: Parts, nowhere: str) -> None:
    away = replace(parts, db=Database(f"postgresql://assay@{nowhere}/assay", SystemClock()))
    assert states_of(away) == {"database": False, "queue": True, "store": True}


def test_it_is_not_ready_while_valkey_is_away(parts: Parts, nowhere: str) -> None:
    away = replace(parts, redis=Redis.from_url(f"redis://{nowhere}/0"))
    assert states_of(away) == {"database": True, "queue": False, "store": True}


def test_it_is_not_ready_while_the_store_refuses_writes(
    parts: Parts, store_address: StoreAddress
) -> None:
    stranger = Vault(replace(store_address, secret_access_key="wrong", tries=1))
    assert states_of(replace(parts, vault=stranger))["store"] is False


def test_an_engine_that_hangs_keeps_nobody_waiting_and_is_asked_once(
    parts: Parts, silent: str
) -> None:
    client = client_of(replace(parts, redis=Redis.from_url(f"redis://{silent}/0")))
    before = threading.active_count()
    for _ in range(3):
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json is not None
        assert "no answer within" in answer.json["engines"]["queue"]["detail"]
    assert threading.active_count() <= before + 3


def states_of(parts: Parts) -> dict[str, bool]:
    answer = client_of(parts).get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    return {name: one["ok"] for name, one in answer.json["engines"].items()}


def test_strangers_see_whether_it_is_ready_but_no_versions_and_no_metrics(
    client: FlaskClient,
) -> None:
    # the ranges that are kept for documentation count as private
    far = {"REMOTE_ADDR": "8.8.8.8"}
    answer = client.get("/readyz", environ_overrides=far)
    assert answer.json is not None
    assert answer.json["engines"]["database"] == {"ok": True}
    assert client.get("/metrics", environ_overrides=far).status_code == 404


def test_metrics_count_requests_by_route_and_never_by_path(client: FlaskClient) -> None:
    client.get("/healthz")
    client.get("/cases/0198c1f2-secret-token")
    told = client.get("/metrics").get_data(as_text=True)
    assert 'assay_requests_total{method="GET",route="/healthz",status="200"} 1.0' in told
    assert 'route="(none)",status="404"' in told
    assert "secret-token" not in told
    assert 'assay_request_seconds_count{method="GET",route="/healthz"} 1.0' in told
    assert 'assay_engine_up{engine="store"} 1.0' in told


def test_metrics_show_work_that_is_due_and_work_that_was_given_up(
    client: FlaskClient, db: Database, clock: SetClock
) -> None:
    with db.transaction() as tx:
        for number in range(3):
            promise(tx, "seal_evidence", new_id(), queue="seal", dedupe_key=str(number))
        tx.session.execute(text("UPDATE outbox SET dead_at = now() WHERE dedupe_key = '0'"))
    clock.advance(timedelta(seconds=90))
    told = client.get("/metrics").get_data(as_text=True)
    assert 'assay_outbox_due{queue="seal"} 2.0' in told
    assert 'assay_outbox_dead{queue="seal"} 1.0' in told
    assert 'assay_outbox_oldest_seconds{queue="seal"} 90.0' in told
    assert 'assay_outbox_due{queue="issue"} 0.0' in told


def test_doctor_names_work_that_is_late(db: Database, clock: SetClock) -> None:
    with db.transaction() as tx:
        promise(tx, "seal_evidence", new_id(), queue="seal")
    assert health.late_work(db).ok
    clock.advance(timedelta(minutes=16))
    found = health.late_work(db)
    assert not found.ok
    assert "seal_evidence" in found.detail


def test_metrics_answer_while_the_database_is_away(parts: Parts, nowhere: str) -> None:
    away = replace(parts, db=Database(f"postgresql://assay@{nowhere}/assay", SystemClock()))
    told = client_of(away).get("/metrics").get_data(as_text=True)
    assert 'assay_engine_up{engine="database"} 0.0' in told
    assert "assay_outbox_due{" not in told


def test_a_finding_is_remembered_for_a_moment_only() -> None:
    asked: list[int] = []

    def probe() -> Finding:
        asked.append(1)
        return Finding(True, "")

    remembering = Watch({"one": probe}, fresh=60)
    remembering.look()
    remembering.look()
    assert len(asked) == 1
    forgetting = Watch({"one": probe}, fresh=0)
    forgetting.look()
    time.sleep(0.001)
    forgetting.look()
    assert len(asked) == 3


def test_only_our_own_words_are_told_of_an_error() -> None:
    def ours() -> Finding:
        raise Unavailable("The store is away.")

    def others() -> Finding:
        raise RuntimeError("postgresql://assay:secret@db")

    assert carefully(ours) == Finding(False, "The store is away.")
    assert carefully(others) == Finding(False, "does not answer (RuntimeError)")


def test_a_valkey_that_forgets_is_not_well(valkey_client: Redis) -> None:
    valkey_client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = health.queue(valkey_client)
    finally:
        valkey_client.config_set("maxmemory-policy", "noeviction")
    assert not found.ok
    assert "allkeys-lru" in found.detail
    assert health.queue(valkey_client).ok


def test_doctor_sees_pending_migrations(postgres_url: str, db: Database) -> None:
    empty = Database(postgres_url, SetClock(db.clock.now()))
    assert health.migrations(db).ok
    found = health.migrations(empty)
    assert (found.ok, found.remedy) == (False, "assay migrate")
    empty.close()


def test_doctor_names_work_that_was_given_up(db: Database) -> None:
    assert health.dead_work(db).ok
    subject = new_id()
    with db.transaction() as tx:
        promise(tx, "seal_evidence", subject)
        tx.session.execute(text("UPDATE outbox SET dead_at = now(), last_error = 'store away'"))
    found = health.dead_work(db)
    assert not found.ok
    assert f"seal_evidence for {subject}: store away" in found.detail


@pytest.mark.parametrize("answer", [b"PONG\0", b"nonsense"])
def test_doctor_asks_the_scanner(tmp_path: Path, answer: bytes) -> None:
    path = str(tmp_path / "clamd")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(16) == b"zPING\0"
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert health.scanner(path).ok == (answer == b"PONG\0")
        thread.join()


def test_a_scanner_that_is_away_is_not_well(nowhere: str) -> None:
    assert not carefully(lambda: health.scanner(nowhere)).ok
    assert not health.scanner("").ok
