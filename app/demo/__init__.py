"""The invented institution that `make run` and `make demo` show: its people and what it offers."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOGO_WORDS = "Northbridge College: a bridge of two arches"


def institution() -> dict[str, Any]:
    """The institution, its people and the organisations it has checked."""
    return _read("institution.json")


def definitions() -> list[dict[str, Any]]:
    """The credential definitions it offers."""
    bodies: list[dict[str, Any]] = _read("definitions.json")["definitions"]
    return bodies


def logo() -> bytes:
    """Its logo, as an administrator would hand it in."""
    return (HERE / "logo.svg").read_bytes()


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((HERE / name).read_text("utf-8"))
    return content
