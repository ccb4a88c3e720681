"""A confined process that a file has taken over: whatever it says or leaves unsaid, we go on."""

import sys
from dataclasses import replace

import pytest

from app.sandbox import parent
from workflows.confining import LIMITS, Crashed, Source, TooSlow

SIZE = 8 * 1024**2
SAY = (
    "import json, os, sys, time\ndef say(data): os.write(1, len(data).to_bytes(4, 'big') + data)\n"
)


def captured(monkeypatch: pytest.MonkeyPatch, script: str, wall_seconds: float = 20) -> object:
    """What comes of a child that does this instead of its task."""
    monkeypatch.setattr(parent, "CHILD", [sys.executable, "-c", SAY + script])
    source = Source(SIZE, lambda _offset, length: bytes(length))
    limits = replace(LIMITS, wall_seconds=wall_seconds)
    return parent.run_confined("app.nothing:here", {}, source=source, limits=limits)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"no json",
        b"[]",
        b"7",
        b"[" * 100_000,
        b'{"read": 7}',
        b'{"read": []}',
        b'{"read": ["0", "1"]}',
        b'{"read": [0.5, 1]}',
        b'{"read": [true, 1]}',
        b'{"read": [-1, 1]}',
        b'{"read": [0, 99999999]}',
        b'{"read": [99999999999, 1]}',
        b'{"result": 7}',
        b'{"failed": "everything"}',
    ],
)
def test_nonsense_is_a_program_that_broke_off(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    with pytest.raises(Crashed):
        captured(monkeypatch, f"say({said!r})")


def test_a_child_that_asks_and_never_listens_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = "say(json.dumps({'read': [0, 4 * 1024**2]}).encode())\ntime.sleep(3600)"
    with pytest.raises(TooSlow):
        captured(monkeypatch, ask, wall_seconds=1.5)


def test_a_child_that_says_too_much_is_not_heard_out(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "os.write(1, b'\\xff' * 4)\nwhile True: os.write(1, bytes(65536))"
    with pytest.raises((Crashed, TooSlow)):
        captured(monkeypatch, endless, wall_seconds=1)
