"""What a command finds around it: settings made whole, engines at hand, the machine's own parts.

Outside production, secrets that are not given are made up once and kept in the state folder, and
the addresses of engines that are not given are those of the embedded ones.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.engines import stack
from app.engines.engine import EngineFailed
from app.engines.state import is_free, kept_secret, make_folder
from app.settings import Environment, Settings

ROOT = Path(__file__).resolve().parents[2]
SCANNERS = ("/run/clamav/clamd.ctl", "/var/run/clamav/clamd.ctl", "/run/clamd.scan/clamd.sock")
NEEDED_BYTES = 1_000_000_000

Say = Callable[[str], None]


def say(line: str) -> None:
    """Tell the person at the terminal."""
    print(line, flush=True)


def whole_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment with what a trial installation makes up for itself. Production gets nothing.

    The result can be handed to child processes as it is.
    """
    whole = dict(env)
    if env.get("ASSAY_ENV") == Environment.PRODUCTION:
        return whole
    home = Path(env.get("ASSAY_HOME") or ".assay").absolute()
    make_folder(home, 0o711)
    found = next((path for path in SCANNERS if Path(path).is_socket()), "")
    made_up = {
        "ASSAY_HOME": str(home),
        "SECRET_KEY": kept_secret(home / "secret-key", 32),
        "KEY_ENCRYPTION_SECRET": kept_secret(home / "key-encryption-secret", 32),
        "CLAMD_ADDRESS": found,
    }
    whole.update({name: value for name, value in made_up.items() if not env.get(name)})
    whole["ASSAY_HOME"] = str(home)
    return whole


@contextmanager
def settings_at_hand(env: Mapping[str, str] = os.environ, tell: Say = say) -> Iterator[Settings]:
    """Settings with the address of every engine, for the length of a block.

    Takes the engines of an `assay up` that runs on the same state folder; else starts its own and
    stops them at the end. Raises SettingsError, EngineFailed.
    """
    whole = whole_environment(env)
    settings = Settings.from_env(whole)
    if settings.production:
        yield settings
        return
    with stack.at_hand(settings.home, whole, tell) as addresses:
        yield Settings.from_env(whole | addresses)


def settings_of_a_part(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings for one part (web, relay, sweeper, worker) that others started the engines for.

    Raises SettingsError when an engine's address is neither given nor known.
    """
    whole = whole_environment(env)
    settings = Settings.from_env(whole)
    if settings.production:
        return settings
    known = stack.attach(settings.home) or {}
    missing = [name for name in stack.STARTS if not (whole.get(name) or known.get(name))]
    if missing:
        raise NoEngines(missing)
    return Settings.from_env({**known, **{name: value for name, value in whole.items() if value}})


class NoEngines(EngineFailed):
    """A part was started by itself and does not know where the engines are."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            f"{' and '.join(missing)} must be set, or `assay up` must run with the same ASSAY_HOME."
        )


@dataclass(frozen=True)
class Obstacle:
    """Something about this machine that must be changed first, and how."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}\n  {self.remedy}"


def obstacles(settings: Settings) -> list[Obstacle]:
    """What keeps `assay up` from starting on this machine."""
    found: list[Obstacle] = []
    if not is_free(settings.port, settings.host):
        found.append(
            Obstacle(
                f"Port {settings.port} on {settings.host} is in use by another program.",
                f"Stop that program, or choose another port: PORT={settings.port + 1} make run",
            )
        )
    if libmagic_version() is None:
        found.append(
            Obstacle(
                "The library libmagic, which tells file types, cannot be loaded.",
                "Install it: apt-get install libmagic1 (Debian), brew install libmagic (macOS)",
            )
        )
    if not (ROOT / "app" / "static" / "vendor").is_dir():
        found.append(Obstacle("The browser's assets are not built.", "Run: make setup"))
    free = shutil.disk_usage(settings.home).free
    if free < NEEDED_BYTES:
        found.append(
            Obstacle(
                f"There are only {free // 1_000_000} MB free where {settings.home} is.",
                "Make room, or put the state elsewhere with ASSAY_HOME.",
            )
        )
    return found


def libmagic_version() -> str | None:
    """The version of libmagic, from the system or its wheel; None when there is none."""
    with suppress(ImportError):
        import pylibmagic  # noqa: F401  # leads python-magic to the wheel's library
    try:
        import magic

        number = int(magic.version())  # type: ignore[no-untyped-call]
    except (ImportError, AttributeError, OSError):
        return None
    return f"{number // 100}.{number % 100:02d}"
