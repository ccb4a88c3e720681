"""Crash points end a process in tests, and never anywhere else."""

import os
import subprocess
import sys

import pytest

from storage.crashpoints import CRASHED, armed

SCRIPT = "from storage.crashpoints import crash_point; crash_point('here'); print('went on')"


@pytest.mark.parametrize("environment", ["production", "demo", "development", ""])
def test_outside_tests_nothing_is_armed(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_ENV", environment)
    monkeypatch.setenv("ASSAY_CRASH_AT", "here")
    assert armed() == ""


@pytest.mark.parametrize(
    ("environment", "at", "code"),
    [("test", "here", CRASHED), ("test", "there", 0), ("test", "", 0), ("production", "here", 0)],
)
def test_only_the_named_point_ends_the_process(environment: str, at: str, code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | {"ASSAY_ENV": environment, "ASSAY_CRASH_AT": at},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code
    assert ("went on" in ended.stdout) == (code == 0)
