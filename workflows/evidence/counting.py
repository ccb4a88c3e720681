"""From an item's row to what the rules of coverage see of it."""

from collections.abc import Collection, Container

from storage.ids import ItemId, OutcomeCode
from storage.tables import EvidenceItem
from storage.vocabulary import EvidenceKind, PeopleShown
from workflows.evidence.coverage import CountedItem
from workflows.evidence.people import held_back


def counted_item(
    row: EvidenceItem, outcomes: Collection[OutcomeCode], spoilt: Container[str]
) -> CountedItem:
    """A sealed item as the rules see it, mapped to these outcomes.

    `spoilt` has the digests of bytes that the store does not hold as they were sealed.
    """
    return CountedItem(
        id=ItemId(row.id),
        title=row.title or row.file_name,
        kind=EvidenceKind(row.kind),
        outcomes=frozenset(outcomes),
        worked_on=row.work_to or row.work_from or row.issued_on,
        expires_on=row.expires_on,
        held=held_back(PeopleShown(row.people)),
        spoilt=row.sha256 in spoilt,
    )
