"""What may become of a credential, by whom, and what of its evidence is open. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.errors import Conflict, InvalidInput, Problem
from storage.vocabulary import CredentialState, Disclosure, StatusPurpose

SHORTEST_REASON = 10
LONGEST_REASON = 500
S = CredentialState


@dataclass(frozen=True)
class Change:
    """From which states an act of the registrar leads to which, and the bits it leaves."""

    sources: frozenset[CredentialState]
    target: CredentialState
    bits: Mapping[StatusPurpose, bool]


CHANGES: Mapping[str, Change] = {
    "suspend_credential": Change(
        frozenset({S.PUBLISHED}),
        S.SUSPENDED,
        {StatusPurpose.REVOCATION: True, StatusPurpose.SUSPENSION: True},
    ),
    "unsuspend_credential": Change(
        frozenset({S.SUSPENDED}),
        S.PUBLISHED,
        {StatusPurpose.REVOCATION: False, StatusPurpose.SUSPENSION: False},
    ),
    "revoke_credential": Change(
        frozenset({S.PUBLISHED, S.SUSPENDED}),
        S.REVOKED,
        {StatusPurpose.REVOCATION: True, StatusPurpose.SUSPENSION: False},
    ),
}
"""Data: the registrar's buttons and the commands read it. A revoked credential stays revoked."""

PUBLIC = frozenset({S.PUBLISHED, S.SUSPENDED, S.REVOKED})
"""States in which a credential has a page. It stays there when it is no longer in force."""


def change(state: str, act: str) -> Change:
    """What the act does to a credential in this state. Raises Conflict when it is not possible."""
    found = CHANGES[act]
    if CredentialState(state) not in found.sources:
        raise Conflict("This credential has changed meanwhile. Reload the page to see its status.")
    return found


def acts_for(state: CredentialState) -> tuple[str, ...]:
    """What the registrar may do with a credential in this state."""
    return tuple(act for act, found in CHANGES.items() if state in found.sources)


def read_reason(text: str) -> str:
    """The public reason. Raises InvalidInput when it is none, or a novel."""
    reason = " ".join(text.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        words = "Write a sentence that everyone may read: it stands on the credential's page."
        raise InvalidInput("A public reason is needed.", problems=[Problem("reason", words)])
    return reason


def shown(disclosure: str, *, witness_says_public: bool | None) -> Disclosure:
    """What the world gets of an item: the learner's choice, as far as a witness allows it.

    `witness_says_public` is None for items that are no statement of a witness.
    """
    chosen = Disclosure(disclosure)
    if witness_says_public is False and chosen is Disclosure.OPEN_LINK:
        return Disclosure.ON_REQUEST
    return chosen
