"""What the API can do, said once: the mark on each view that guards, limits and describes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from app.api.auth import takes_token
from app.web.access import frame, marked, parts
from app.web.limits import limited, person
from app.web.security import accepts_up_to
from workflows.people.tokens import TokenScope

View = TypeVar("View", bound=Callable[..., Any])

MARK = "operation"
LARGEST_BODY = 256 * 1024


@dataclass(frozen=True)
class Query:
    """A parameter after the question mark; a whole number where `most` is given."""

    name: str
    words: str
    most: int | None = None


@dataclass(frozen=True)
class Operation:
    """What one address does with one method.

    `gives` is the answer's status and model; `refuses` the statuses of refusals beside those that
    every operation knows; `takes` the body's model, which may be left out where `body_optional`.
    """

    summary: str
    words: str
    scope: TokenScope | None
    gives: tuple[int, type[BaseModel] | None]
    refuses: tuple[int, ...] = ()
    takes: type[BaseModel] | None = None
    body_optional: bool = False
    query: tuple[Query, ...] = ()


def operation(described: Operation) -> Callable[[View], View]:
    """Mark a view as this operation: who may call it by token, how often, with how much."""

    def mark(view: View) -> View:
        setattr(view, MARK, described)
        view = takes_token(described.scope)(view)
        view = accepts_up_to(LARGEST_BODY)(view)
        return limited(rate, by=caller, scope="api")(view)

    return mark


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """What a view is marked as."""
    found: Operation | None = marked(view, MARK)
    return found


def caller() -> str:
    """Whose calls are counted together: a token's, or a person's in their browsers."""
    holder = frame().holder
    return f"token:{holder.token_id}" if holder else person()


def rate() -> str:
    """How often one caller may call, as the installation is set."""
    return f"{parts().settings.api_calls_per_minute} per minute"
