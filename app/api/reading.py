"""From a request's body and query to typed values, or to words about each field."""

from collections.abc import Iterable, Mapping
from typing import TypeVar
from uuid import UUID

from flask import request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import UnsupportedMediaType

from app.api.schemas import Sent
from app.web.forms import SOME_WRONG, problem_of
from storage.errors import InvalidInput, Problem
from workflows.words import marked

Read = TypeVar("Read", bound=Sent)

JSON = "application/json"
WORDS: Mapping[str, str] = {
    "json_invalid": marked("This is not JSON."),
    "model_type": marked("Send a JSON object."),
    "extra_forbidden": marked("There is no such field."),
    "string_type": marked("Send a text."),
    "int_type": marked("Send a whole number."),
    "list_type": marked("Send a list."),
    "string_pattern_mismatch": marked("This does not have the right form."),
}
CURSOR = marked("This is not a cursor of this list.")
WHOLE = marked("Send a whole number between 1 and %(most)s.")


def body(model: type[Read], *, optional: bool = False) -> Read:
    """The JSON that was sent. An optional body that is not there counts as an empty object.

    Raises UnsupportedMediaType, InvalidInput (the first fault of each field).
    """
    sent = request.get_data(cache=False)
    if optional and not sent:
        sent = b"{}"
    elif request.mimetype != JSON:
        raise UnsupportedMediaType
    try:
        return model.model_validate_json(sent)
    except ValidationError as error:
        raise InvalidInput(SOME_WRONG, problems=problems_of(error)) from None


def problems_of(error: ValidationError) -> list[Problem]:
    """What is wrong with what was sent: the first fault of each field."""
    return list(_problems(error.errors(include_url=False, include_input=False)))


def number(name: str, usual: int, most: int) -> int:
    """A whole number of the query. Raises InvalidInput."""
    text = request.args.get(name)
    if text is None:
        return usual
    # also for ten thousand digits, which int() refuses in its own way
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= most:
        raise InvalidInput(SOME_WRONG, problems=[Problem(name, WHOLE, {"most": most})])
    return int(text)


def cursor(name: str) -> UUID | None:
    """The place in a list that a cursor names. Raises InvalidInput."""
    text = request.args.get(name)
    if text is None:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(SOME_WRONG, problems=[Problem(name, CURSOR)]) from None


def _problems(details: Iterable[ErrorDetails]) -> Iterable[Problem]:
    seen = set()
    for one in details:
        field = ".".join(str(step) for step in one["loc"])
        if field not in seen:
            seen.add(field)
            known = WORDS.get(one["type"])
            yield Problem(field, known) if known else problem_of(field, one)
