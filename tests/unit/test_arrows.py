"""The arrows between the rooms: import-linter sees each way of breaking them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.shared import ROOT

ROOMS = ("app", "workflows", "credentials", "storage")

BROKEN = [
    ("storage/clock.py", "from workflows import words"),
    ("storage/clock.py", "from credentials import canonical"),
    ("credentials/did.py", "from storage import clock"),
    ("credentials/did.py", "import sqlmodel"),
    ("workflows/words.py", "from app import logs"),
    ("workflows/words.py", "import flask"),
    ("workflows/words.py", "import rq"),
    ("workflows/words.py", "import boto3"),
    ("app/logs.py", "import botocore.client"),
    ("storage/database.py", "import boto3"),
]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("project")
    for room in ROOMS:
        ignored = shutil.ignore_patterns("__pycache__", "static")
        shutil.copytree(ROOT / room, project / room, ignore=ignored)
    shutil.copyfile(ROOT / "pyproject.toml", project / "pyproject.toml")
    return project


def broken_contracts(project: Path) -> list[str]:
    lint = Path(sys.executable).with_name("lint-imports")
    told = subprocess.run(
        [str(lint), "--no-logo", "--no-cache"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts:" in told.stdout, told.stdout + told.stderr
    return [line for line in told.stdout.splitlines() if " BROKEN" in line]


def test_the_rooms_as_they_are_keep_every_arrow(copied: Path) -> None:
    assert broken_contracts(copied) == []


@pytest.mark.parametrize(("module", "statement"), BROKEN)
def test_an_import_against_an_arrow_is_found(copied: Path, module: str, statement: str) -> None:
    path = copied / module
    before = path.read_text()
    path.write_text(f"{before}\n{statement}\n")
    try:
        assert broken_contracts(copied)
    finally:
        path.write_text(before)
