"""docs/faults.md: every case of FAULTS.md has its tests, and every test that is named exists."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.fixtures.shared import ROOT, SHARED

PAGE = ROOT / "docs/faults.md"
PLAN = SHARED / "FAULTS.md"
TEST = re.compile(r"`([^`]+)`")

Case = tuple[str, str]


def rows(page: Path) -> Iterator[tuple[Case, str]]:
    """Each row of each table: its section and first cell, and its second cell."""
    section = ""
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "case" and not cells[0].startswith("---"):
            yield (section, cells[0]), cells[1]


ROWS = dict(rows(PAGE))


@cache
def names_in(file: str) -> frozenset[str]:
    """The tests of a file as pytest names them, without their parameters."""
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    return frozenset(_names(tree.body, ""))


def _names(body: list[ast.stmt], inside: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield inside + node.name
        if isinstance(node, ast.ClassDef):
            yield from _names(node.body, f"{node.name}::")


@pytest.mark.parametrize("case", ROWS, ids=[case for _, case in ROWS])
def test_every_case_has_tests_and_all_of_them_exist(case: Case) -> None:
    named = TEST.findall(ROWS[case])
    assert named, "no test is named"
    for one in named:
        file, _, name = one.partition("::")
        assert (ROOT / "tests" / file).is_file(), one
        assert name in names_in(file), one


@pytest.mark.skipif(not PLAN.is_file(), reason="needs FAULTS.md beside the checkout")
def test_the_page_has_every_case_of_the_plan_and_no_other() -> None:
    assert list(ROWS) == [case for case, _ in rows(PLAN)]


def test_nothing_is_handed_out_as_a_table_for_spreadsheets() -> None:
    """A cell that begins with = would be run there. Whoever adds an export neutralises its cells,
    proves that, and names that test on the page instead of this one."""
    for room in ("app", "workflows", "templates"):
        for path in (ROOT / room).rglob("*"):
            if path.suffix in {".py", ".html", ".js"} and "vendor" not in path.parts:
                text = path.read_text("utf-8")
                # a template names types, and cannot say what is handed out
                assert path.suffix == ".html" or "text/csv" not in text, path
                assert not re.search(r"^(import|from) csv\b|openxmlformats.*sheet", text, re.M), (
                    path
                )
