"""Logs: one JSON object a line, with the request id that follows the work into jobs.

Secrets, presigned links, single-purpose links and mail addresses are taken out on the way,
wherever they stand. What libraries log goes the same way.
"""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from storage.events import request_id
from storage.ids import new_id

SECRET_NAMES = re.compile(
    r"pass(word|phrase)|secret|token|authorization|cookie|api_?key|private|csrf", re.IGNORECASE
)
REDACTIONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(X-Amz-[A-Za-z-]+)=[^&\s\"']+"), r"\1=[redacted]"),
    # each begins at the beginning of a word only, or long words would take their square in time
    (re.compile(r"(\b\w+://)[^/\s:@]*:[^/\s@]+@"), r"\1[redacted]@"),
    (re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(\.[\w-]+)+"), "[e-mail]"),
    # what storage.ids.new_token makes, by itself or as an access token
    (re.compile(r"(?<![\w-])(assay_)?[\w-]{43}(?![\w-])"), "[token]"),
)
# libraries whose information is nobody's
TALKATIVE = ("alembic", "botocore", "urllib3")
ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def configure(level: str = "info", stream: IO[str] | None = None) -> None:
    """Send our logs and those of libraries to `stream` (standard error) as JSON lines."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_request_id,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module, used as `log.info("what happened", key=value)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def begin(given: str | None = None, **facts: object) -> str:
    """Start a request or job: forget the last one's facts, take its id or a fresh one, return it.

    `given` is the id that came from outside; it is used only when it is plain and short.
    """
    clear_contextvars()
    known = given is not None and ACCEPTED_ID.fullmatch(given)
    identity = given if given and known else str(new_id())
    request_id.set(identity)
    bind_contextvars(**facts)
    return identity


def add(**facts: object) -> None:
    """Let every later line of this request or job carry these facts."""
    bind_contextvars(**facts)


def end() -> None:
    """The request or job is over: forget its id and facts."""
    clear_contextvars()
    request_id.set("")


@contextmanager
def following(identity: str, **facts: object) -> Iterator[str]:
    """Do a block as part of the request `identity`: what a job does with its outbox row's id."""
    begun = begin(identity, **facts)
    try:
        yield begun
    finally:
        end()


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The event without what nobody should read in a log."""
    return {name: _safe(name, value) for name, value in event.items()}


def redacted(text: str) -> str:
    """A text without presigned links, passwords in addresses, tokens and mail addresses."""
    for pattern, instead in REDACTIONS:
        text = pattern.sub(instead, text)
    return text


def _safe(name: str, value: Any) -> Any:
    if SECRET_NAMES.search(name):
        return "[redacted]"
    if isinstance(value, dict):
        return {key: _safe(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe("", inner) for inner in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    return redacted(str(value))


def _with_request_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if identity := request_id.get():
        event.setdefault("request_id", identity)
    return event
