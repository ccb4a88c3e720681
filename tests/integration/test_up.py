"""Child processes under supervision, and `assay up` as a person runs it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from app.cli import COMMANDS, load, main, surroundings
from app.cli.children import Child, Children
from app.cli.up import parts
from app.engines import keeper, stack
from app.engines.engine import EngineFailed
from app.engines.processes import log_of, record_of
from app.engines.state import free_ports, make_folder
from app.settings import UNSAFE_SECRET, Settings, SettingsError
from tests.fixtures.shared import ROOT

ENGINES = {"postgres", "valkey-server", "weed"}


@pytest.fixture
def home(engines_home: Path, request: pytest.FixtureRequest) -> Path:
    return make_folder(engines_home / re.sub(r"\W", "-", request.node.name), 0o711)


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


def wait_for(what: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def script(home: Path, text: str) -> Child:
    """A supervised part that runs a script instead of a part of Assay."""
    child = Child("part", (), home / "part", dict(os.environ))
    child.command = lambda: (sys.executable, "-c", text)  # type: ignore[method-assign]
    return child


def test_a_part_that_crashes_is_started_again_after_a_growing_wait(home: Path) -> None:
    child, said, waits = script(home, "raise SystemExit('broken pipe dream')"), list[str](), []
    child.start()
    for _ in range(3):
        wait_for(lambda: child.kept is not None and child.kept.code is not None)
        before = time.monotonic()
        child.watch(said.append)
        waits.append(round(child.again_at - before))
        child.again_at = 0
        child.watch(said.append)
    child.stop()
    assert waits == [1, 2, 4]
    assert "ended with code 1" in said[0]
    assert "broken pipe dream" in said[0]


def test_a_part_that_ran_steadily_is_started_again_soon(home: Path) -> None:
    child = script(home, "")
    child.start()
    child.crashes, child.started = 7, time.monotonic() - 3600
    wait_for(lambda: child.kept is not None and child.kept.code is not None)
    child.watch(lambda line: None)
    assert child.crashes == 1


def test_a_part_that_will_not_end_is_killed_with_all_it_started(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.children.GRACE_SECONDS", 0.2)
    stubborn = (
        "import os, signal, subprocess, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "inner = subprocess.Popen(['sleep', '600'])\n"
        "print(inner.pid, flush=True)\n"
        "time.sleep(600)"
    )
    child = script(home, stubborn)
    child.start()
    wait_for(lambda: log_of(child.home).read_text().strip())
    inner = int(log_of(child.home).read_text())
    child.stop()
    assert child.kept is not None
    assert child.kept.code == 128 + signal.SIGKILL
    wait_for(lambda: keeper.birth(inner) == "")


def test_children_are_ended_together(home: Path) -> None:
    children = Children(home, dict(os.environ))
    for number in range(3):
        child = script(home / str(number), "import time; time.sleep(600)")
        children.parts.append(child)
        make_folder(child.home)
        child.start()
    children.watch(lambda line: None)
    assert children.down() == []
    children.stop()
    assert children.down() == ["part"] * 3
    assert [child.kept is not None and child.kept.code for child in children.parts] == [143] * 3
    assert not any(record_of(child.home).exists() for child in children.parts)


def test_a_trial_installation_makes_up_its_secrets_once(tmp_path: Path) -> None:
    env = {"ASSAY_HOME": str(tmp_path / "state")}
    first, second = (surroundings.whole_environment(env) for _ in range(2))
    assert first == second
    settings = Settings.from_env(first)
    assert len(settings.secret_key) == 64
    assert UNSAFE_SECRET not in {settings.secret_key, settings.key_encryption_secret}
    assert settings.secret_key != settings.key_encryption_secret
    given = surroundings.whole_environment(env | {"SECRET_KEY": "my own"})
    assert given["SECRET_KEY"] == "my own"


def test_production_is_given_nothing(tmp_path: Path) -> None:
    env = {"ASSAY_ENV": "production", "ASSAY_HOME": str(tmp_path / "state")}
    assert surroundings.whole_environment(env) == env
    with pytest.raises(SettingsError), surroundings.settings_at_hand(env):
        pass
    assert not (tmp_path / "state").exists()


def test_a_part_by_itself_says_which_addresses_it_lacks(tmp_path: Path) -> None:
    env = {"ASSAY_HOME": str(tmp_path), "REDIS_URL": "redis://elsewhere"}
    with pytest.raises(EngineFailed, match=r"DATABASE_URL and S3_ENDPOINT_URL must be set"):
        surroundings.settings_of_a_part(env)


def test_a_part_finds_the_engines_of_a_running_stack(home: Path) -> None:
    given = dict.fromkeys(["DATABASE_URL", "S3_ENDPOINT_URL"], "http://elsewhere")
    running = stack.start(home, given, lambda line: None)
    try:
        settings = surroundings.settings_of_a_part({"ASSAY_HOME": str(home), **given})
        assert settings.redis_url == running.addresses["REDIS_URL"]
        with surroundings.settings_at_hand({"ASSAY_HOME": str(home), **given}) as the_same:
            assert the_same.redis_url == settings.redis_url
    finally:
        running.stop()


def test_a_port_in_use_gets_a_message_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
        assert main(["up"]) == 1
    told = capsys.readouterr().err
    assert f"Port {port} on 127.0.0.1 is in use" in told
    assert f"PORT={port + 1} make run" in told


def test_a_missing_library_and_missing_assets_get_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(surroundings, "libmagic_version", lambda: None)
    monkeypatch.setattr(surroundings, "ROOT", tmp_path)
    monkeypatch.setattr(surroundings, "NEEDED_BYTES", 10**18)
    settings = Settings.from_env({"PORT": str(port), "ASSAY_HOME": str(tmp_path)})
    told = "\n".join(map(str, surroundings.obstacles(settings)))
    for remedy in ("apt-get install libmagic1", "make setup", "ASSAY_HOME"):
        assert remedy in told


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_table_can_be_asked_for_help(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: assay {command}" in capsys.readouterr().out
    assert callable(load(command).run)


def test_unsafe_production_settings_are_told_as_a_list(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_ENV", "production")
    assert main(["web"]) == 2
    told = capsys.readouterr().err
    assert "- SECRET_KEY is missing" in told
    assert "- DATABASE_URL is missing" in told


@contextmanager
def assay_up(home: Path, port: int) -> "Iterator[subprocess.Popen[str]]":
    """`assay up`, ended hard if a test did not end it."""
    env = {**os.environ, "ASSAY_HOME": str(home), "PORT": str(port), "ASSAY_ENV": "demo"}
    up = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "up"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield up
    finally:
        up.kill()
        up.wait()


def lines_until(up: "subprocess.Popen[str]", beginning: str) -> list[str]:
    assert up.stdout is not None
    said = []
    for line in up.stdout:
        said.append(line.rstrip("\n"))
        if line.startswith(beginning):
            return said
    raise AssertionError("\n".join(said))


def processes_under(home: Path) -> list[psutil.Process]:
    """Every process that keeps a record under a state folder, with its children."""
    found = []
    for record in home.rglob("process.json"):
        process = psutil.Process(json.loads(record.read_text())["pid"])
        found += [process, *process.children(recursive=True)]
    return found


def answers(port: int, path: str) -> int:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except URLError:
        return 0


@pytest.mark.slow
def test_up_starts_everything_mends_what_crashes_and_ends_all_of_it(home: Path, port: int) -> None:
    with assay_up(home, port) as up:
        said = lines_until(up, "Assay is ready")
        assert said[-1] == f"Assay is ready at http://127.0.0.1:{port}"
        running = processes_under(home)
        assert {each.name() for each in running} >= ENGINES
        assert {record.parent.name for record in home.glob("parts/*/process.json")} == set(parts())

        web = psutil.Process(json.loads((home / "parts/web/process.json").read_text())["pid"])
        web.kill()
        lines_until(up, "web ended with code 137")
        wait_for(lambda: answers(port, "/readyz") == 200)

        everything = [*running, *processes_under(home)]
        up.send_signal(signal.SIGINT)
        assert lines_until(up, "Everything has ended")
        assert up.wait(60) == 0
        assert not [each for each in everything if each.is_running()]
        assert not list(home.rglob("process.json"))


@pytest.mark.slow
def test_a_second_up_finds_the_data_of_the_first_even_when_that_was_killed(
    home: Path, port: int
) -> None:
    with assay_up(home, port) as up:
        lines_until(up, "Assay is ready")
        everything = processes_under(home)
        secret = (home / "secret-key").read_text()
        up.kill()
    with assay_up(home, port) as again:
        lines_until(again, "Assay is ready")
        assert not [each for each in everything if each.is_running()]
        assert (home / "secret-key").read_text() == secret
        assert answers(port, "/readyz") == 200
        again.send_signal(signal.SIGTERM)
        assert again.wait(60) == 0
