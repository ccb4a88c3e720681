"""The shared templates keep their promises: words for states, comments for macros, no code."""

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace

import pytest
from markupsafe import Markup

from storage import vocabulary
from tests.browser.styleguide import styleguide_app
from workflows.cases.states import TRANSITIONS

ROOT = Path(__file__).resolve().parents[2]
MACRO_FILES = sorted((ROOT / "templates" / "macros").glob("*.html"))
AREAS: dict[str, type[StrEnum]] = {
    "case": vocabulary.CaseState,
    "evidence": vocabulary.EvidenceState,
    "sheet": vocabulary.SheetState,
    "credential": vocabulary.CredentialState,
    "voice": vocabulary.VoiceState,
    "assignment": vocabulary.AssignmentState,
    "conflict": vocabulary.ConflictAnswer,
    "outcome": vocabulary.OutcomeResult,
    "answer": vocabulary.LearnerAnswer,
    "scan": vocabulary.ScanVerdict,
    "disclosure": vocabulary.Disclosure,
    "visibility": vocabulary.EndorsementVisibility,
    "agreement": vocabulary.AgreementRule,
}


def _badge(area: str, state: str) -> str:
    app = styleguide_app()
    with app.test_request_context():
        module = app.jinja_env.get_template("macros/states.html").module
        html = module.badge(area, state)  # type: ignore[attr-defined]
    return Markup(html).striptags()


@pytest.mark.parametrize("area", AREAS)
def test_every_state_has_a_word_of_its_own(area: str) -> None:
    words = {state.value: _badge(area, state.value) for state in AREAS[area]}
    assert [state for state, word in words.items() if not word or word == state] == []
    assert len(set(words.values())) == len(words)


KEPT_FROM_LEARNERS = frozenset(
    {
        "answer_override",
        "ask_assessor",
        "await_third_assessor",
        "declare_conflict",
        "declare_late",
        "decline_assignment",
        "finalise_sheet",
        "hold_case",
        "lift_hold",
        "note_evidence",
        "open_evidence",
        "propose_override",
        "replace_assessor",
        "save_score",
        "settle_conflict",
        "settle_discussion",
    }
)
"""Acts of assessors and staff, which `history_for_learner` leaves out."""


def _acts_on_cases() -> Iterator[str]:
    """The words of all events that are recorded with a case, read from the code, and of moves."""
    yield from (one.command for one in TRANSITIONS)
    for path in sorted((ROOT / "workflows").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or len(node.args) < 3:
                continue
            named = isinstance(node.func, ast.Name) and node.func.id in {"record", "_record"}
            if named and any(one.arg == "case_id" for one in node.keywords):
                for part in ast.walk(node.args[2]):
                    if isinstance(part, ast.Constant) and not str(part.value).startswith("_"):
                        yield str(part.value)


@pytest.mark.parametrize("audience", ["learner", "staff"])
def test_every_act_in_a_history_is_told_in_words(audience: str) -> None:
    app = styleguide_app()
    told = {}
    with app.test_request_context():
        module = app.jinja_env.get_template(f"{audience}/_words.html").module
        for kind in sorted(set(_acts_on_cases())):
            html = module.event_title(SimpleNamespace(kind=kind))  # type: ignore[attr-defined]
            told[kind] = Markup(html).striptags()
    assert len(told) > 40
    unsaid = {kind for kind, words in told.items() if words == kind.replace("_", " ").capitalize()}
    assert unsaid - (KEPT_FROM_LEARNERS if audience == "learner" else frozenset()) == set()


def test_an_unknown_state_shows_itself() -> None:
    assert _badge("case", "<new>") == "<new>"


@pytest.mark.parametrize("file", MACRO_FILES, ids=lambda file: file.stem)
def test_every_macro_says_how_it_is_called_and_stands_in_the_reference(file: Path) -> None:
    text = file.read_text()
    reference = (ROOT / "docs" / "design-system.md").read_text()
    names = re.findall(r"{% macro ([a-z]\w*)\(", text)
    assert names
    for name in names:
        assert re.search(r"{# (call |call\(\w+\) )?" + name + r"\(", text), name
        assert f"{name}(" in reference, name


def test_shared_templates_carry_no_inline_code() -> None:
    for file in [*MACRO_FILES, *(ROOT / "templates" / "layout").glob("*.html")]:
        text = file.read_text()
        assert not re.search(r"\son\w+=\"|\sstyle=\"|<style|javascript:", text), file.name
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), file.name


def test_what_people_wrote_is_escaped_wherever_a_macro_shows_it() -> None:
    app = styleguide_app()
    nasty = '"><script>alert(1)</script>'
    with app.test_request_context():
        modules = {
            file.stem: app.jinja_env.get_template(f"macros/{file.name}").module
            for file in MACRO_FILES
        }
        written = [
            modules["forms"].field("n", nasty, nasty, hint=nasty, error=nasty),  # type: ignore[attr-defined]
            modules["forms"].textarea("n", nasty, nasty),  # type: ignore[attr-defined]
            modules["forms"].radio_cards("n", nasty, [(nasty, nasty, nasty)]),  # type: ignore[attr-defined]
            modules["feedback"].receipt(nasty, 1, nasty),  # type: ignore[attr-defined]
            modules["feedback"].flash(nasty, nasty),  # type: ignore[attr-defined]
            modules["data"].cell(nasty, nasty),  # type: ignore[attr-defined]
            modules["navigation"].breadcrumbs([(nasty, nasty)], nasty),  # type: ignore[attr-defined]
            modules["actions"].button(nasty, attrs={"hx-post": nasty}),  # type: ignore[attr-defined]
            modules["timeline"].event(nasty, who=nasty, note=nasty),  # type: ignore[attr-defined]
        ]
    assert all("<script>alert" not in str(html) for html in written)
