"""The one tree of errors that a person may be told of.

    AssayError
    ├── InvalidInput   422  what was sent cannot be used, and what would do
    ├── Conflict       409  it moved on meanwhile, or the rules of the state forbid it
    ├── Forbidden      403  known and seen, but not yours to do
    ├── NotFound       404  not there, or not yours to know of
    │   └── Gone       410  it was there, you may know of it, and it was erased
    ├── TooMany        429  slower, please
    └── Unavailable    503  a part of the house is away; try again

Raised where the rule is, translated to a page once, at the edge. `message` is an English gettext
message id with `%(name)s` places that `params` fill; it never holds secrets or personal data of
others.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with what was sent: `field` is the form field's name, or ''."""

    field: str
    message: str
    params: Mapping[str, str | int] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        return self.message % self.params if self.params else self.message


class AssayError(Exception):
    """What went wrong, in the person's words."""

    status = 500

    def __init__(
        self,
        message: str,
        params: Mapping[str, str | int] | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.params: Mapping[str, str | int] = params or {}
        self.problems = tuple(problems)

    def __str__(self) -> str:
        text = self.message % self.params if self.params else self.message
        return "; ".join([text, *map(str, self.problems)])


class InvalidInput(AssayError):
    """What was sent cannot be used (422). `problems` names each field."""

    status = 422


class Conflict(AssayError):
    """The thing changed meanwhile, or its state does not allow this (409)."""

    status = 409


class Forbidden(AssayError):
    """The person may know of it but not do it (403)."""

    status = 403


class NotFound(AssayError):
    """Not there, or not theirs to know of (404)."""

    status = 404


class Gone(NotFound):
    """It was there and was erased (410): for those who may know that it was."""

    status = 410


class TooMany(AssayError):
    """A limit of rate or quota (429)."""

    status = 429


class Unavailable(AssayError):
    """A part of the house is away; nothing was lost (503)."""

    status = 503
