"""The embedded engines: they come up, keep what they were given, and leave nothing behind."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import psycopg
import pytest
import redis

from app.engines import canary, keeper, postgres, seaweed, stack, state, valkey
from app.engines.engine import EngineFailed
from app.engines.processes import reap, record_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")


@pytest.fixture
def home(engines_home: Path, request: pytest.FixtureRequest) -> Path:
    return state.make_folder(engines_home / request.node.name.replace("[", "-").rstrip("]"), 0o711)


@pytest.fixture
def strangers_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def wait_for(what: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    return keeper.birth(pid) == ""


def addresses_listened_on(pid: int) -> set[str]:
    process = psutil.Process(pid)
    return {
        at.laddr.ip
        for one in [process, *process.children(recursive=True)]
        for at in one.net_connections(kind="inet")
        if at.status == psutil.CONN_LISTEN
    }


def test_postgres_keeps_its_data_its_address_and_its_password_between_runs(home: Path) -> None:
    with postgres.start(home) as first, psycopg.connect(first.settings["DATABASE_URL"]) as sql:
        sql.execute("CREATE TABLE kept AS SELECT 'yes' AS answer")
        sql.commit()
    with postgres.start(home) as second, psycopg.connect(second.settings["DATABASE_URL"]) as sql:
        assert sql.execute("SELECT answer FROM kept").fetchone() == ("yes",)
    assert first.settings == second.settings


def test_postgres_listens_on_loopback_only_and_wants_its_password(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as sql:
        row = sql.execute("SHOW listen_addresses").fetchone()
        sockets = sql.execute("SHOW unix_socket_directories").fetchone()
    assert (row, sockets) == (("127.0.0.1",), ("",))
    scheme, _, rest = postgres_url.partition("://")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"{scheme}://assay:wrong@{rest.partition('@')[2]}")


def test_postgres_is_durable_unless_told_otherwise(home: Path, postgres_url: str) -> None:
    with postgres.start(home) as engine, psycopg.connect(engine.settings["DATABASE_URL"]) as sql:
        assert sql.execute("SHOW fsync").fetchone() == ("on",)
    with psycopg.connect(postgres_url) as sql:
        assert sql.execute("SHOW fsync").fetchone() == ("off",)


def test_data_of_another_postgres_version_is_refused_with_what_to_do(home: Path) -> None:
    postgres.start(home).stop()
    version = home / "data" / "PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(EngineFailed, match=r"made by PostgreSQL 12.*pg_dump"):
        postgres.start(home)


@as_root
def test_root_runs_postgres_as_someone_else_and_opens_no_folder(tmp_path: Path) -> None:
    closed = state.make_folder(tmp_path / "closed", 0o700)
    parents = [closed, *closed.parents]
    before = [stat.S_IMODE(folder.stat().st_mode) for folder in parents]
    with postgres.start(closed / "postgres", durable=False) as engine:
        assert psutil.Process(engine.pid).uids().effective != 0
        data = Path((closed / "postgres" / "data-folder").read_text())
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in parents] == before
    with postgres.start(closed / "postgres", durable=False) as again:
        assert again.settings == engine.settings
    subprocess.run(["rm", "-r", str(data)], check=True)
    with pytest.raises(EngineFailed, match="gone or belongs to someone else"):
        postgres.start(closed / "postgres")


@as_root
def test_a_program_that_the_other_user_cannot_reach_is_run_from_a_copy(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages"
    real = postgres.program_folder().parent
    (package / real.name).mkdir(parents=True)
    for folder in (real / "pginstall", real.with_name(f"{real.name}.libs")):
        if folder.exists():
            target = package / folder.relative_to(real.parent)
            subprocess.run(["cp", "-a", str(folder), str(target)], check=True)
    monkeypatch.setattr(postgres, "program_folder", lambda: package / real.name / "pginstall")
    with postgres.start(home / "postgres", durable=False) as engine:
        program = Path(psutil.Process(engine.pid).exe())
        copy = next(folder for folder in program.parents if folder.name.startswith("assay-postg"))
        assert copy.stat().st_uid == 0
    subprocess.run(["rm", "-r", str(copy)], check=True)


def test_valkey_evicts_nothing_appends_everything_and_wants_its_password(
    valkey_client: "redis.Redis", redis_url: str
) -> None:
    assert valkey_client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert valkey_client.config_get("appendonly") == {"appendonly": "yes"}
    assert valkey_client.config_get("bind") == {"bind": "127.0.0.1"}
    port = redis_url.rpartition(":")[2]
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(f"redis://127.0.0.1:{port}").ping()


def test_valkey_keeps_its_data_between_runs(home: Path) -> None:
    with valkey.start(home) as engine, redis.Redis.from_url(engine.settings["REDIS_URL"]) as client:
        client.set("kept", "yes")
    with valkey.start(home) as engine, redis.Redis.from_url(engine.settings["REDIS_URL"]) as client:
        assert client.get("kept") == b"yes"


def test_the_store_keeps_its_objects_even_when_its_ports_had_to_change(home: Path) -> None:
    with seaweed.start(home) as engine:
        first = dict(engine.settings)
    (home / "ports.json").unlink()
    with seaweed.start(home) as engine:
        second = dict(engine.settings)
        store = canary.Store.of(second)
        assert store.status("GET", f"/{canary.BUCKET}/ready") == 200
    assert first["S3_ENDPOINT_URL"] != second["S3_ENDPOINT_URL"]
    assert first["S3_SECRET_ACCESS_KEY"] == second["S3_SECRET_ACCESS_KEY"]


def test_the_store_listens_on_loopback_only_and_its_inner_doors_are_locked(home: Path) -> None:
    with seaweed.start(home) as engine:
        assert addresses_listened_on(engine.pid) == {"127.0.0.1"}
        ports = dict(zip(seaweed.PORTS, state.remembered_ports(home / "ports.json"), strict=True))
        with pytest.raises(HTTPError, match="401"):
            urlopen(f"http://127.0.0.1:{ports['filer.port']}/buckets/{canary.BUCKET}/ready")
        with pytest.raises(HTTPError, match="403"):
            urlopen(f"http://127.0.0.1:{ports['s3.port']}/{canary.BUCKET}/ready")


def test_the_store_leaves_no_sockets_in_the_temporary_folder(home: Path) -> None:
    with seaweed.start(home):
        ports = state.remembered_ports(home / "ports.json")
    left = [path for port in ports for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock")]
    assert left == []


@pytest.mark.parametrize("engine", [postgres, valkey, seaweed])
def test_secrets_are_read_by_nobody_else(home: Path, engine: object) -> None:
    engine.start(home).stop()  # type: ignore[attr-defined]
    for path in home.iterdir():
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o066 == 0, f"{path.name} is {mode:o}"


def test_a_port_that_was_taken_meanwhile_is_exchanged(home: Path, strangers_port: int) -> None:
    state.make_folder(home)
    (home / "ports.json").write_text(json.dumps([strangers_port]))
    with valkey.start(home) as engine:
        assert not engine.settings["REDIS_URL"].endswith(f":{strangers_port}/0")


def test_a_port_taken_in_the_last_moment_is_exchanged_too(
    home: Path, strangers_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "ports.json").write_text(json.dumps([strangers_port]))
    really_free = state.is_free
    answers = iter([True])
    monkeypatch.setattr(state, "is_free", lambda port: next(answers, None) or really_free(port))
    with postgres.start(home, durable=False) as engine:
        assert f":{strangers_port}/" not in engine.settings["DATABASE_URL"]


def test_an_engine_that_cannot_start_says_why(home: Path) -> None:
    (state.make_folder(home / "data") / "appendonlydir").write_text("a file, not a folder")
    with pytest.raises(EngineFailed, match=r"(?s)Valkey did not become ready.*appendonlydir"):
        valkey.start(home)


def test_stopping_twice_is_harmless(home: Path) -> None:
    engine = valkey.start(home)
    engine.stop()
    engine.stop()
    assert not engine.running


PARENT = """
    import sys, time
    from pathlib import Path
    from app.engines import stack
    started = stack.start(Path(sys.argv[1]), {}, lambda line: None)
    print(*[engine.pid for engine in started.engines.values()], flush=True)
    time.sleep(600)
"""


def parent_with_engines(home: Path) -> "tuple[subprocess.Popen[str], list[int]]":
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(home)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    return parent, [int(pid) for pid in parent.stdout.readline().split()]


def without_ports(addresses: Mapping[str, str]) -> dict[str, str]:
    return {name: re.sub(r":\d+(?=/|$)", "", value) for name, value in addresses.items()}


def test_engines_end_when_their_parent_is_killed_and_the_next_start_finds_their_data(
    home: Path,
) -> None:
    parent, engines = parent_with_engines(home)
    assert len(engines) == 3
    first = stack.attach(home) or {}
    with psycopg.connect(first["DATABASE_URL"]) as sql:
        sql.execute("CREATE TABLE kept (word text)")
    parent.kill()
    parent.wait()
    again = stack.start(home, {}, lambda line: None)
    try:
        assert all(map(is_gone, engines))
        # but for the ports, which somebody may have taken meanwhile
        assert without_ports(again.addresses) == without_ports(first)
        with psycopg.connect(again.addresses["DATABASE_URL"]) as sql:
            assert sql.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    finally:
        again.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the system's own help is Linux's")
def test_an_engine_ends_when_its_keeper_is_killed(home: Path) -> None:
    engine = valkey.start(home)
    pid = engine.pid
    engine.process.keeper.kill()
    wait_for(lambda: is_gone(pid))
    engine.stop()


def test_a_leftover_is_ended_by_its_record(home: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as leftover:
        born = keeper.birth(leftover.pid)
        record = {"pid": leftover.pid, "birth": born, "signal": int(signal.SIGTERM)}
        record_of(home).write_text(json.dumps(record))
        reap(home)
        assert leftover.wait() == -signal.SIGTERM
    assert not record_of(home).exists()


def test_a_process_that_merely_has_the_number_of_a_leftover_is_left_alone(home: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        record = {"pid": stranger.pid, "birth": "1", "signal": int(signal.SIGTERM)}
        record_of(home).write_text(json.dumps(record))
        reap(home)
        assert stranger.poll() is None
        stranger.kill()


BROKEN = {
    "empty": "",
    "object": "{}",
    "list": "[]",
    "words": '{"pid": "x", "birth": 1, "signal": 1}',
}


@pytest.mark.parametrize("record", BROKEN.values(), ids=BROKEN)
def test_a_broken_record_is_no_obstacle(home: Path, record: str) -> None:
    record_of(home).write_text(record)
    with valkey.start(home) as engine:
        assert engine.running


def test_a_stack_starts_only_what_has_no_address(home: Path) -> None:
    given = {"DATABASE_URL": "postgresql://elsewhere/x", "S3_ENDPOINT_URL": "https://elsewhere"}
    said: list[str] = []
    started = stack.start(home, given, said.append)
    try:
        assert list(started.addresses) == ["REDIS_URL"]
        assert len(said) == 1
        assert "Valkey is ready" in said[0]
    finally:
        started.stop()


def test_two_programs_do_not_share_a_state_folder_unknowingly(home: Path) -> None:
    given = dict.fromkeys(["DATABASE_URL", "S3_ENDPOINT_URL"], "elsewhere")
    started = stack.start(home, given, lambda line: None)
    try:
        with pytest.raises(EngineFailed, match=f"process {os.getpid()}.*ASSAY_HOME"):
            stack.start(home, given, lambda line: None)
        with stack.at_hand(home, given, lambda line: None) as addresses:
            assert addresses == started.addresses
    finally:
        started.stop()
    assert stack.attach(home) is None


def test_a_command_alone_has_the_engines_for_as_long_as_it_runs(home: Path) -> None:
    given = dict.fromkeys(["DATABASE_URL", "S3_ENDPOINT_URL"], "elsewhere")
    with (
        stack.at_hand(home, given, lambda line: None) as addresses,
        redis.Redis.from_url(addresses["REDIS_URL"]) as client,
    ):
        assert client.ping()
    assert stack.attach(home) is None
    with stack.at_hand(home, dict.fromkeys(stack.STARTS, "x"), lambda line: None) as none:
        assert none == {}


def test_an_engine_that_ended_by_itself_comes_back_at_the_same_address(home: Path) -> None:
    given = dict.fromkeys(["DATABASE_URL", "S3_ENDPOINT_URL"], "elsewhere")
    started = stack.start(home, given, lambda line: None)
    try:
        before, said = dict(started.addresses), list[str]()
        os.kill(started.engines["REDIS_URL"].pid, signal.SIGKILL)
        wait_for(lambda: not started.engines["REDIS_URL"].running)
        started.revive(said.append)
        assert started.addresses == before
        assert said == ["Valkey ended by itself; starting it again"]
    finally:
        started.stop()
