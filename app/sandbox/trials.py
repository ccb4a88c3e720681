"""Small tasks that try the walls, for `assay doctor` and the tests. None does harm if they fail."""

import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from workflows.confining import Json, JsonObject, Place


def echo(args: Mapping[str, Json], place: Place) -> JsonObject:
    """What was given, and all of the source's size."""
    size = len(place.source.read()) if place.source else None
    return {"args": dict(args), "size": size, "environment": dict(os.environ)}


def burn(args: Mapping[str, Json], place: Place) -> JsonObject:
    """Never end, working."""
    del args, place
    while True:
        pass


def sleep(args: Mapping[str, Json], place: Place) -> JsonObject:
    """Never end, idle."""
    del args, place
    time.sleep(3600)
    return {}


def grow(args: Mapping[str, Json], place: Place) -> JsonObject:
    """Take four times 1 GiB of memory."""
    del args, place
    return {"size": sum(map(len, [bytearray(1024**3) for _ in range(4)]))}


def write(args: Mapping[str, Json], place: Place) -> JsonObject:
    """Write a file of `size` bytes into the folder, or to `path`."""
    target = Path(str(args["path"])) if "path" in args else _folder(place) / "written"
    size = args.get("size", 1)
    with target.open("wb") as file:
        file.write(bytes(size if isinstance(size, int) else 1))
    return {"written": target.stat().st_size}


def read(args: Mapping[str, Json], place: Place) -> JsonObject:
    """Read the file at `path`."""
    del place
    return {"size": len(Path(str(args["path"])).read_bytes())}


def call(args: Mapping[str, Json], place: Place) -> JsonObject:
    """Open a line to `port` of this machine."""
    del place
    with socket.create_connection(("127.0.0.1", int(str(args["port"]))), 2):
        return {"connected": True}


def start(args: Mapping[str, Json], place: Place) -> JsonObject:
    """Start another program."""
    del args, place
    done = subprocess.run(["/bin/true"], check=False)
    return {"code": done.returncode}


def die(args: Mapping[str, Json], place: Place) -> JsonObject:
    """End at once, without a word."""
    del args, place
    os._exit(3)


def _folder(place: Place) -> Path:
    if place.folder is None:
        raise ValueError("no folder was given")
    return place.folder
