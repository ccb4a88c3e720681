"""From a form's fields to typed values, or to words about each field."""

from datetime import date
from enum import StrEnum
from uuid import UUID

import pytest
from flask import Flask
from flask_babel import Babel
from pydantic import Field, field_validator
from werkzeug.datastructures import MultiDict

from app.web.forms import Form, Line, Secret, Text, form_values, messages, parse
from storage.errors import InvalidInput, Problem


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Sample(Form):
    """One of each."""

    name: Line
    note: Text = ""
    secret: Secret = ""
    count: int = Field(default=1, ge=1, le=9)
    on: date | None = None
    colour: Colour | None = None
    colours: list[Colour]
    thing: UUID | None = None
    agreed: bool = False

    @field_validator("note")
    @classmethod
    def _polite(cls, note: str) -> str:
        if "!" in note:
            raise ValueError("Say it without shouting.")
        return note


def sent(*pairs: tuple[str, str]) -> "MultiDict[str, str]":
    return MultiDict(pairs)


def problem(*pairs: tuple[str, str]) -> Problem:
    with pytest.raises(InvalidInput) as refused:
        parse(Sample, sent(("name", "A"), *pairs))
    (one,) = refused.value.problems
    return one


def test_a_form_becomes_typed_values() -> None:
    filled = parse(
        Sample,
        sent(
            ("name", "  Ana "),
            ("count", "3"),
            ("on", "2026-03-02"),
            ("colour", "red"),
            ("colours", "red"),
            ("colours", "blue"),
            ("agreed", "yes"),
            ("unknown", "ignored"),
        ),
    )
    assert (filled.name, filled.count, filled.on) == ("Ana", 3, date(2026, 3, 2))
    assert filled.colours == [Colour.RED, Colour.BLUE]
    assert filled.agreed is True
    assert not hasattr(filled, "unknown")


def test_an_empty_field_was_not_sent() -> None:
    filled = parse(Sample, sent(("name", "A"), ("count", " "), ("on", ""), ("colour", "")))
    assert (filled.count, filled.on, filled.colour, filled.colours) == (1, None, None, [])


def test_a_password_keeps_its_spaces_and_lines_lose_theirs() -> None:
    filled = parse(Sample, sent(("name", " A "), ("secret", " two words ")))
    assert (filled.name, filled.secret) == ("A", " two words ")


def test_the_last_of_several_answers_to_one_question_counts() -> None:
    assert parse(Sample, sent(("name", "A"), ("name", "B"))).name == "B"


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (("count", "many"), "Write a whole number."),
        (("count", "0"), "This must be at least 1."),
        (("count", "10"), "This must be at most 9."),
        (("on", "yesterday"), "Write a date as year-month-day."),
        (("colour", "green"), "Choose one of the answers."),
        (("thing", "no id"), "Choose one of the answers."),
        (("name", "x" * 301), "Write at most 300 characters."),
        (("note", "Now!"), "Say it without shouting."),
        (("agreed", "perhaps"), "Choose yes or no."),
    ],
)
def test_what_is_wrong_is_said_in_words(pair: tuple[str, str], words: str) -> None:
    one = problem(pair)
    assert (one.field, str(one)) == (pair[0], words)


def test_a_wrong_choice_among_several_names_the_question() -> None:
    assert problem(("colours", "red"), ("colours", "green")).field == "colours"


def test_a_missing_answer_is_asked_for() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(Sample, sent(("name", "   ")))
    assert [str(one) for one in refused.value.problems] == ["Please answer this."]
    assert "   " not in str(refused.value)


def test_what_was_typed_and_what_is_wrong_can_be_shown_again() -> None:
    app = Flask(__name__)
    Babel(app)
    data = {"name": "", "colours": ["red", "blue"], "csrf_token": "t"}
    with app.test_request_context(method="POST", data=data):
        assert form_values() == {"name": "", "colours": ["red", "blue"]}
        error = InvalidInput(
            "All wrong: %(n)s.", {"n": 2}, [Problem("name", "Not %(x)s.", {"x": 1})]
        )
        assert messages(error) == {"name": "Not 1."}
        assert messages(InvalidInput("All wrong: %(n)s.", {"n": 2})) == {"": "All wrong: 2."}
