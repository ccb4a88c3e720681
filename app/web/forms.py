"""From what a form sent to typed values, or to words about each field.

    class InviteForm(Form):
        name: Line
        email: Line
        roles: list[Role]

    filled = parse(InviteForm, request.form)        # InvalidInput with a Problem per field

A field that was left empty counts as not sent. `again` shows the form once more, with what was
typed and what is wrong with it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar, get_origin

from flask import Response, make_response, render_template, request
from flask_babel import gettext
from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError
from pydantic_core import ErrorDetails
from werkzeug.datastructures import MultiDict

from app.web import hx
from storage.errors import InvalidInput, Problem
from workflows.words import marked
from workflows.writing import lines, one_line

Filled = TypeVar("Filled", bound="Form")

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=300), BeforeValidator(one_line)
]
"""One line of text, without what would mislead its readers."""
Text = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=10_000), BeforeValidator(lines)
]
"""Several lines of text, without what would mislead their readers."""
Secret = Annotated[str, StringConstraints(max_length=1000)]
"""A password, as it was typed."""

MISSING = marked("Please answer this.")
WORDS: Mapping[str, str] = {
    "missing": MISSING,
    "string_too_short": marked("Write at least %(min_length)s characters."),
    "string_too_long": marked("Write at most %(max_length)s characters."),
    "too_short": marked("Choose at least %(min_length)s."),
    "too_long": marked("Choose at most %(max_length)s."),
    "int_parsing": marked("Write a whole number."),
    "int_from_float": marked("Write a whole number."),
    "float_parsing": marked("Write a number."),
    "decimal_parsing": marked("Write a number."),
    "greater_than_equal": marked("This must be at least %(ge)s."),
    "greater_than": marked("This must be more than %(gt)s."),
    "less_than_equal": marked("This must be at most %(le)s."),
    "less_than": marked("This must be less than %(lt)s."),
    "date_from_datetime_parsing": marked("Write a date as year-month-day."),
    "date_parsing": marked("Write a date as year-month-day."),
    "enum": marked("Choose one of the answers."),
    "literal_error": marked("Choose one of the answers."),
    "uuid_parsing": marked("Choose one of the answers."),
    "bool_parsing": marked("Choose yes or no."),
    "url_parsing": marked("Write a whole address, such as https://example.org."),
}
NOT_SO = marked("This cannot be used; please look again.")
SOME_WRONG = marked("Some answers need another look.")
# what no database, no XML and no paper can hold
LONGEST_PAGE = 6
"""Digits of the number of a page, and one more."""

ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
ODD_WORDS = marked("This holds an invisible control character. Please type it again without it.")


class Form(BaseModel):
    """What a page's form sends. Fields that are not named here are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


def parse(model: type[Filled], sent: "MultiDict[str, str] | None" = None) -> Filled:
    """The form's values. Raises InvalidInput with a problem for each field that cannot be used."""
    values = request.form if sent is None else sent
    try:
        return model.model_validate(_given(model, values))
    except ValidationError as error:
        raise InvalidInput(SOME_WRONG, problems=_problems(error.errors())) from None


def check_characters() -> None:
    """Refuse text that could not be kept, before any view works with it. Raises InvalidInput."""
    sent = [*request.args.items(multi=True), *request.form.items(multi=True)]
    sent += [(name, file.filename or "") for name, file in request.files.items(multi=True)]
    odd = {name for name, value in sent if ODD.search(name) or ODD.search(value)}
    if odd:
        raise InvalidInput(SOME_WRONG, problems=[Problem(name, ODD_WORDS) for name in sorted(odd)])


def asked_page() -> int:
    """Which page of a list the address asks for; the first for anything that is no such number."""
    asked = request.args.get("page", "1")
    return max(1, int(asked)) if asked.isdecimal() and len(asked) < LONGEST_PAGE else 1


def form_values() -> dict[str, Any]:
    """What was typed, for showing the form again: a text, or a list where there were several."""
    return {
        name: texts if len(texts) > 1 else texts[0]
        for name, texts in request.form.lists()
        if name != "csrf_token"
    }


def messages(error: InvalidInput) -> dict[str, str]:
    """What is wrong, per field, in the reader's language; '' is the form as a whole."""
    if not error.problems:
        return {"": gettext(error.message, **error.params)}
    return {one.field: gettext(one.message, **one.params) for one in error.problems}


def again(template: str, error: InvalidInput, **context: object) -> Response:
    """The form once more (422): `values` is what was typed, `errors` what is wrong with it."""
    return make_response(render_template(template, **_filled(error, context)), error.status)


def again_in(template: str, error: InvalidInput, region: str, **context: object) -> Response:
    """Like `again`, and only the region with the form where a part of the page was asked for."""
    return hx.page_or_block(template, region, error.status, **_filled(error, context))


def _filled(error: InvalidInput, context: Mapping[str, object]) -> dict[str, object]:
    return {**context, "values": form_values(), "errors": messages(error)}


def _given(model: type[Form], sent: "MultiDict[str, str]") -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        texts = [text for text in sent.getlist(key) if text.strip()]
        if _takes_many(field.annotation):
            given[key] = texts
        elif texts:
            given[key] = texts[-1]
    return given


def _takes_many(annotation: object) -> bool:
    return get_origin(annotation) in {list, set, frozenset, tuple}


def _problems(errors: Sequence[ErrorDetails]) -> list[Problem]:
    """One problem a field: the first."""
    found: dict[str, Problem] = {}
    for one in errors:
        field = str(one["loc"][0]) if one["loc"] else ""
        found.setdefault(field, problem_of(field, one))
    return list(found.values())


def problem_of(field: str, error: ErrorDetails) -> Problem:
    """What pydantic found wrong with a field, in words."""
    if isinstance(cause := error.get("ctx", {}).get("error"), ValueError):
        return Problem(field, str(cause))
    known = WORDS.get(error["type"], NOT_SO)
    params = {
        name: value if isinstance(value, int) else str(value)
        for name, value in error.get("ctx", {}).items()
    }
    return Problem(field, known, params if "%(" in known else {})
