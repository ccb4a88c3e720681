"""What an engine keeps between runs beside its data: its folder, its secrets and its ports."""

import json
import os
import secrets
import socket
from pathlib import Path

# below the range from which systems take the ports of outgoing connections
FIRST_PORT, LAST_PORT = 20_000, 32_000


def make_folder(path: Path, mode: int = 0o700) -> Path:
    """The folder, made with `mode` when it was not there; one that was there is left as it is."""
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, never seen half written."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    fresh.replace(path)


def kept_secret(path: Path, size: int = 24) -> str:
    """The secret kept at `path`; a fresh one of `size` random bytes, in hex, at the first call."""
    if not path.exists():
        write_private(path, secrets.token_hex(size))
    return path.read_text().strip()


def kept_ports(path: Path, count: int) -> list[int]:
    """`count` free ports on loopback: those of the last run when all are free, else fresh ones."""
    ports = remembered_ports(path)
    if len(ports) != count or not all(map(is_free, ports)):
        ports = free_ports(count)
        write_private(path, json.dumps(ports))
    return ports


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on at this moment."""
    found: set[int] = set()
    while len(found) < count:
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT)
        if is_free(port):
            found.add(port)
    return sorted(found)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def remembered_ports(path: Path) -> list[int]:
    """The ports of the last run, or none."""
    try:
        return [int(port) for port in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError):
        return []
