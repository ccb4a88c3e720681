"""The confined process: what it is given, what it cannot do, and how each excess ends."""

import os
import socket
import sys
from pathlib import Path

import pytest

from app.sandbox import Crashed, Limits, Source, TooLarge, TooSlow, run_confined

TRIALS = "app.sandbox.trials:"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")


def test_a_task_gets_its_arguments_and_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret")
    found = run_confined(f"{TRIALS}echo", {"name": "ä", "numbers": [1, 2]})
    assert found["args"] == {"name": "ä", "numbers": [1, 2]}
    environment = found["environment"]
    assert isinstance(environment, dict)
    assert set(environment) <= {"PATH", "LANG", "HOME", "TMPDIR", "OMP_NUM_THREADS", "LC_CTYPE"}


def test_a_task_reads_a_far_file_through_us() -> None:
    body = os.urandom(3_000_000)
    asked: list[int] = []

    def read(offset: int, length: int) -> bytes:
        asked.append(length)
        return body[offset : offset + length]

    assert run_confined(f"{TRIALS}echo", {}, source=Source(len(body), read))["size"] == len(body)
    assert sum(asked) == len(body)


def test_what_reading_raises_comes_through() -> None:
    def read(offset: int, length: int) -> bytes:
        raise ConnectionError("the store is away")

    with pytest.raises(ConnectionError, match="store is away"):
        run_confined(f"{TRIALS}echo", {}, source=Source(10, read))


def test_a_task_that_works_without_end_is_ended() -> None:
    with pytest.raises(TooSlow):
        run_confined(f"{TRIALS}burn", {}, limits=Limits(cpu_seconds=1))


def test_a_task_that_waits_without_end_is_ended() -> None:
    with pytest.raises(TooSlow):
        run_confined(f"{TRIALS}sleep", {}, limits=Limits(wall_seconds=0.3))


@on_linux
def test_a_task_that_takes_too_much_memory_is_ended() -> None:
    with pytest.raises(TooLarge):
        run_confined(f"{TRIALS}grow", {})


def test_a_task_writes_to_its_folder_and_not_too_much(tmp_path: Path) -> None:
    limits = Limits(file_bytes=2000)
    done = run_confined(f"{TRIALS}write", {"size": 1000}, folder=tmp_path, limits=limits)
    assert done == {"written": 1000}
    assert (tmp_path / "written").stat().st_size == 1000
    with pytest.raises(TooLarge):
        run_confined(f"{TRIALS}write", {"size": 3000}, folder=tmp_path, limits=limits)


@on_linux
def test_a_task_reads_and_writes_nothing_else_on_the_disk(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("a secret")
    (tmp_path / "own").mkdir()
    for task, path in (
        ("read", other),
        ("write", tmp_path / "new"),
        ("read", Path(f"/proc/{os.getpid()}/environ")),
    ):
        with pytest.raises(Crashed):
            run_confined(f"{TRIALS}{task}", {"path": str(path)}, folder=tmp_path / "own")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["other", "own"]


@on_linux
def test_a_task_reaches_no_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door, pytest.raises(Crashed):
        run_confined(f"{TRIALS}call", {"port": door.getsockname()[1]})


@on_linux
def test_a_task_starts_other_programs_only_where_it_may() -> None:
    with pytest.raises(Crashed):
        run_confined(f"{TRIALS}start", {})
    assert run_confined(f"{TRIALS}start", {}, limits=Limits(processes=4)) == {"code": 0}


@pytest.mark.parametrize("task", [f"{TRIALS}die", f"{TRIALS}missing", "os:system"])
def test_a_task_that_ends_without_a_result_has_crashed(task: str) -> None:
    with pytest.raises(Crashed):
        run_confined(task, {})
