"""Changing single things that a learner says of an item, and leaving the others as they are."""

from collections.abc import Callable

from storage.database import Database
from storage.errors import Conflict
from storage.ids import ItemId
from workflows.access.rules import Actor
from workflows.evidence.describing import describe_evidence
from workflows.evidence.queries import ItemRow, item_row
from workflows.evidence.rules import Description

TRIES = 3


def amend_evidence(
    db: Database,
    actor: Actor,
    item_id: ItemId,
    change: Callable[[Description], Description],
    *,
    expected_version: int | None = None,
) -> None:
    """Keep what the learner says now, made by `change` of what is kept; nothing else is lost.

    Without an expected version, what others change at the same moment stays too. Raises NotFound,
    Conflict (the case was submitted, the item changed, or changes all the time), InvalidInput.
    """
    for tries_left in reversed(range(TRIES)):
        with db.reading() as tx:
            item = item_row(tx, item_id)
        version = item.version if expected_version is None else expected_version
        said = change(said_of(item))
        try:
            describe_evidence(db, actor, item_id, said, expected_version=version)
        except Conflict:
            with db.reading() as tx:
                moved_on = item_row(tx, item_id).version != version
            if expected_version is not None or not moved_on or not tries_left:
                raise
            continue
        return


def said_of(item: ItemRow) -> Description:
    """What the learner has said of an item so far."""
    return Description(
        title=item.title,
        kind=item.kind,
        own_part=item.own_part,
        ai_use=item.ai_use,
        work_from=item.work_from,
        work_to=item.work_to,
        expires_on=item.expires_on,
        outcomes=frozenset(item.outcomes),
        disclosure=item.disclosure,
        ai=item.ai,
        ai_tool=item.ai_tool,
        issued_on=item.issued_on,
        people=item.people,
        consent_note=item.consent_note,
        consented_on=item.consented_on,
    )
