"""What of a credential is renewed, when its holder may begin, and with which outcomes. Pure."""

from datetime import datetime, timedelta

from storage.errors import Conflict
from storage.ids import OutcomeCode
from workflows.frameworks.definition import Definition, definition_body, read_definition

USUAL_NOTICE_DAYS = 60


def to_renew(definition: Definition) -> tuple[OutcomeCode, ...]:
    """The outcomes that need fresh evidence; none where the credential is not renewed."""
    if definition.renewal is None:
        return ()
    named = set(definition.renewal.outcomes)
    return tuple(row.code for row in definition.outcomes if not named or row.code in named)


def notice(definition: Definition) -> timedelta:
    """How long before its end a holder is told, whether it can be renewed or not."""
    days = definition.renewal.notice_days if definition.renewal else USUAL_NOTICE_DAYS
    return timedelta(days=days)


def opens_at(definition: Definition, valid_until: datetime | None) -> datetime | None:
    """From when on a credential can be renewed; None when it is not renewed at all."""
    if definition.renewal is None or valid_until is None:
        return None
    return valid_until - notice(definition)


def may_renew(definition: Definition, valid_until: datetime | None, now: datetime) -> None:
    """Raise Conflict, in words, when a credential cannot be renewed now."""
    begins = opens_at(definition, valid_until)
    if begins is None:
        raise Conflict("This credential is not one that is renewed.")
    if now < begins:
        raise Conflict(
            "This credential can be renewed from %(day)s on.",
            params={"day": begins.date().isoformat()},
        )


def asked_anew(definition: Definition) -> Definition:
    """The definition with the outcomes that need fresh evidence, and no others."""
    codes = set(to_renew(definition))
    outcomes = [row for row in definition.outcomes if row.code in codes]
    kept = definition.model_copy(
        update={
            "outcomes": tuple(outcomes),
            "renewal": None,
            "parts": (),
            "parts_needed": None,
            "partial_statement": False,
            "translations": {},
        }
    )
    return read_definition(definition_body(kept))
