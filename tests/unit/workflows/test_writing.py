"""What one line is, and what is left out of any text that a person wrote."""

import pytest
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from app.api.schemas import Amendment
from app.web.forms import Form, Line, Text, parse
from storage.errors import InvalidInput
from storage.ids import OutcomeCode
from tests.fixtures.world import DEFINITIONS
from workflows.attestations.rules import Observable, kept_draft
from workflows.frameworks.rules import misleading_words
from workflows.people.rules import read_name
from workflows.writing import lines, one_line

OVERRIDE = "\u202e"
ALIREZA = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Ana\u00a0Souza\u2009Lind", "Ana Souza Lind"),
        ("first\r\nsecond\u2028third", "first second third"),
        (f"invoice{OVERRIDE}fdp.exe", "invoicefdp.exe"),
        ("\u2066Ana\u2069\u200b\ufeff", "Ana"),
        (
            "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
            "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        ),
        ("\U0001f469\u200d\U0001f527 e\u0301", "\U0001f469\u200d\U0001f527 e\u0301"),
        ("\U000e0041hidden", "hidden"),
    ],
)
def test_a_line_holds_nothing_that_misleads_and_everything_that_is_written(
    written: str, kept: str
) -> None:
    assert one_line(written) == kept


def test_several_lines_keep_their_breaks_and_blanks() -> None:
    assert lines(f"one\r\n  two\tthree\u2029four{OVERRIDE}") == "one\n  two\tthree\nfour"


def test_forms_take_it_so_and_a_line_of_nothing_seen_is_not_answered() -> None:
    class Sent(Form):
        name: Line
        words: Text = ""

    filled = parse(Sent, MultiDict({"name": f"A\n{OVERRIDE}B", "words": f"a\r\nb{OVERRIDE}"}))
    assert (filled.name, filled.words) == ("A B", "a\nb")


def test_programs_are_taken_by_the_same_rule() -> None:
    said = Amendment.model_validate_json(f'{{"version": 1, "title": "A\\n{OVERRIDE}B"}}')
    assert said.title == "A B"
    with pytest.raises(ValidationError):
        Amendment.model_validate_json('{"version": 1, "title": ""}')


def test_names_in_every_script_stand_and_none_is_turned_round() -> None:
    assert read_name(ALIREZA) == ALIREZA
    assert read_name(f"Ana{OVERRIDE}\nSouza") == "Ana Souza"
    with pytest.raises(InvalidInput):
        read_name(f"{OVERRIDE}\u200b")


def test_a_witness_draft_is_kept_by_the_same_rule() -> None:
    form = {"role": f"Fore{OVERRIDE}man\nof 12", "example_high": f"a\r\nb{OVERRIDE}"}
    kept = kept_draft(form, [Observable(OutcomeCode("A"), "", "")])
    assert kept == {"role": "Foreman of 12", "example_high": "a\nb"}


def test_a_definition_with_such_words_is_refused_by_their_place() -> None:
    body = DEFINITIONS[0]
    assert misleading_words(body) == ()
    outcomes = [dict(one) for one in body["outcomes"]]
    outcomes[1]["title"] = f"Turn{OVERRIDE} a part"
    changed = {**body, "title": "Two\nlines", "outcomes": outcomes}
    assert {one.field for one in misleading_words(changed)} == {"title", "outcomes.1.title"}
