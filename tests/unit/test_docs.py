"""The docs say what the code does."""

from pathlib import Path

from workflows.cases.states import mermaid

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_diagram_of_states_is_the_table_of_transitions() -> None:
    text = (DOCS / "architecture.md").read_text("utf-8")
    drawn = text.split("<!-- states:")[1].split("<!-- /states -->")[0]
    assert mermaid() in drawn
