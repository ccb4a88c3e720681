"""What may become of a credential, by whom, and what of its evidence is open. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from storage.errors import Conflict, InvalidInput, Problem
from storage.vocabulary import CredentialState, Disclosure, StatusPurpose
from workflows.words import marked

LONGEST_NOTE = 2000
S = CredentialState


class Reason(StrEnum):
    """Why a credential is not in force, as everyone may read it. None says anything of a person."""

    REVIEW = "review"
    APPEAL = "appeal"
    HOLDER_PAUSED = "holder_paused"
    REPLACED = "replaced"
    ISSUED_IN_ERROR = "issued_in_error"
    NOT_SUPPORTED = "not_supported"
    HOLDER_ASKED = "holder_asked"
    KEY_NOT_TRUSTED = "key_not_trusted"
    INSTITUTION_ENDS = "institution_ends"


REASONS: Mapping[Reason, str] = {
    Reason.REVIEW: marked("The institution is looking at a question about how it was issued."),
    Reason.APPEAL: marked("The decision behind it is being looked at anew."),
    Reason.HOLDER_PAUSED: marked("Its holder asked that it rest for a time."),
    Reason.REPLACED: marked("A corrected credential has replaced it."),
    Reason.ISSUED_IN_ERROR: marked("The institution issued it in error."),
    Reason.NOT_SUPPORTED: marked("The institution does not stand behind it any more."),
    Reason.HOLDER_ASKED: marked("Its holder asked for it."),
    Reason.KEY_NOT_TRUSTED: marked("The key that signed it is not to be relied on any more."),
    Reason.INSTITUTION_ENDS: marked("The institution has ended this kind of credential."),
}
"""The words that stand on the credential's page. What staff know beyond them is a private note."""


@dataclass(frozen=True)
class Change:
    """From which states an act of the registrar leads to which, the bits it leaves, and the
    reasons there are for it, the usual one first. An act without reasons needs none."""

    sources: frozenset[CredentialState]
    target: CredentialState
    bits: Mapping[StatusPurpose, bool]
    reasons: tuple[Reason, ...] = ()


CHANGES: Mapping[str, Change] = {
    "suspend_credential": Change(
        frozenset({S.PUBLISHED}),
        S.SUSPENDED,
        {StatusPurpose.REVOCATION: True, StatusPurpose.SUSPENSION: True},
        (Reason.REVIEW, Reason.APPEAL, Reason.HOLDER_PAUSED),
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
        (
            Reason.ISSUED_IN_ERROR,
            Reason.NOT_SUPPORTED,
            Reason.HOLDER_ASKED,
            Reason.KEY_NOT_TRUSTED,
            Reason.INSTITUTION_ENDS,
        ),
    ),
}
"""Data: the registrar's buttons and the commands read it. A revoked credential stays revoked."""

REPLACEABLE = frozenset({S.PUBLISHED, S.SUSPENDED})
"""States from which a credential can be corrected and issued anew."""

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


def read_reason(act: str, chosen: str) -> Reason | None:
    """The public reason of an act; None for one that needs none.

    Raises InvalidInput when it is not one of those there are for this act.
    """
    reasons = CHANGES[act].reasons
    if not reasons:
        return None
    if chosen not in reasons:
        problem = Problem("reason", "Choose the reason that everyone may read.")
        raise InvalidInput("A public reason is needed.", problems=[problem])
    return Reason(chosen)


def read_note(text: str) -> str:
    """The private note. Raises InvalidInput when it is a novel."""
    note = text.strip()
    if len(note) > LONGEST_NOTE:
        words = "Keep the note under %(count)s characters."
        problem = Problem("note", words, {"count": LONGEST_NOTE})
        raise InvalidInput("The note is too long.", problems=[problem])
    return note


def reason_words(kept: str) -> str:
    """The public words of a kept reason, in English, to be translated where they are shown.

    What was written freely before there was a list stays as it was written.
    """
    return REASONS[Reason(kept)] if kept in set(Reason) else kept


def shown(disclosure: str, *, witness_says_public: bool | None) -> Disclosure:
    """What the world gets of an item: the learner's choice, as far as a witness allows it.

    `witness_says_public` is None for items that are no statement of a witness.
    """
    chosen = Disclosure(disclosure)
    if witness_says_public is False and chosen is Disclosure.OPEN_LINK:
        return Disclosure.ON_REQUEST
    return chosen
