"""People who can be seen or heard in evidence: of what it is asked, and what is held back. Pure."""

from datetime import date

from storage.errors import Problem
from storage.vocabulary import EvidenceKind, PeopleShown
from workflows.words import marked

PEOPLE_KINDS = frozenset(
    {
        EvidenceKind.VIDEO,
        EvidenceKind.AUDIO,
        EvidenceKind.PHOTO,
        EvidenceKind.SCREENSHOT,
        EvidenceKind.DEMONSTRATION,
    }
)
"""Kinds of which must be said, before they are submitted, whether other people are in them."""

HELD_BACK = marked(
    "This item is held back: people who can be seen or heard in it have not agreed yet."
)
COPY_COUNTS = marked("A copy in which nobody can be recognised stands for this item.")
SHORTEST_NOTE = 10
LONGEST_NOTE = 4000


def asks_for_people(kind: EvidenceKind, people: PeopleShown) -> bool:
    """Whether it is still to be said if other people are in an item of this kind."""
    return kind in PEOPLE_KINDS and people is PeopleShown.NOT_SAID


def held_back(people: PeopleShown) -> bool:
    """Whether only its learner may have the item for now."""
    return people is PeopleShown.WAITING


def readable_by_others(people: PeopleShown, *, replaced: bool) -> bool:
    """Whether anyone but its learner may have the bytes, or what was made of them."""
    return not held_back(people) and not replaced


def consent_problems(note: str, on: date | None, today: date) -> list[Problem]:
    """What is wrong with a consent as it was written down."""
    problems = []
    if len(note.strip()) < SHORTEST_NOTE:
        problems.append(
            Problem("consent_note", "Say who agreed, for whom and how. No names are needed.")
        )
    if len(note) > LONGEST_NOTE:
        problems.append(
            Problem("consent_note", "At most %(count)s characters.", {"count": LONGEST_NOTE})
        )
    if on is not None and on > today:
        problems.append(Problem("consented_on", "This day has not come yet."))
    return problems
