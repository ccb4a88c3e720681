"""The programs around the code: running tests, building assets, the Makefile's promises."""

import subprocess
from pathlib import Path

import pytest

from tests.fixtures.shared import ROOT
from tools import build_assets, install, run_tests

CONFIGURATION = """
[run]
branch = true
source = workflows,credentials
"""
COVERED = "def add(a, b):\n    return a + b\n"
UNCOVERED = COVERED + "".join(f"\n\ndef never_{n}(a):\n    return a\n" for n in range(9))
PASSING = """
from workflows.sums import add
import credentials.none


def test_adds():
    assert add(1, 2) == 3
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one function and one test, run by our own runner."""
    for room in ("workflows", "credentials"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    (tmp_path / "credentials" / "none.py").write_text("ONE = 1\n")
    (tmp_path / "workflows" / "sums.py").write_text(COVERED)
    (tmp_path / "test_sums.py").write_text(PASSING)
    (tmp_path / ".coveragerc").write_text(CONFIGURATION)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -q\n")
    monkeypatch.setattr(run_tests, "ROOT", tmp_path)
    return tmp_path


def outcome(capfd: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = run_tests.main([])
    return code, capfd.readouterr().out.splitlines()


@pytest.mark.usefixtures("project")
def test_passing_and_covered_is_good_and_ends_with_pytests_summary(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, said = outcome(capfd)
    assert code == 0
    assert said[-1].startswith("1 passed in ")


def test_a_failing_test_fails_the_run(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "test_bad.py").write_text("def test_bad():\n    assert False\n")
    code, said = outcome(capfd)
    assert code == 1
    assert said[-1].startswith("1 failed, 1 passed in ")


def test_too_little_coverage_fails_the_run(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "workflows" / "sums.py").write_text(UNCOVERED)
    code, said = outcome(capfd)
    assert code == 1
    assert "Coverage of workflows/ is below 95 %." in said
    assert said[-1].startswith("1 passed in ")


def test_assets_are_built_afresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in build_assets.FILES:
        path = tmp_path / "node_modules" / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    vendor = tmp_path / "app" / "static" / "vendor"
    vendor.mkdir(parents=True)
    (vendor / "of-an-older-version.js").touch()
    monkeypatch.setattr(build_assets, "ROOT", tmp_path)
    monkeypatch.setattr(build_assets, "VENDOR", vendor)
    build_assets.main()
    assert {path.name for path in vendor.iterdir()} == set(build_assets.FILES.values())


def test_requirements_that_do_not_match_their_hash_are_refused_with_pips_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / "thing-1.0-py3-none-any.whl"
    wheel.write_bytes(b"not what was promised")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"thing @ {wheel.as_uri()} --hash=sha256:{'0' * 64}\n")
    assert install.main(str(requirements)) != 0
    assert "HASHES" in capsys.readouterr().err.upper()


@pytest.mark.parametrize("target", ["run", "test", "demo", "check", "bench", "setup"])
def test_the_makefile_keeps_the_names_that_are_relied_on(target: str) -> None:
    told = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
