"""`may(actor, permission, resource)`: the answer, with its reason. Pure.

The state of a case is not asked here: what may be done when is in `workflows/cases/states.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from storage.errors import Forbidden, NotFound
from storage.events import Who
from storage.ids import AccountId, InstitutionId
from storage.vocabulary import Role
from workflows.access.permissions import GRANTS, Grant, Permission, Scope


@dataclass(frozen=True)
class Actor:
    """The one who asks. A visitor has no account; roles are those held at `institution_id` now.

    `token_id`: the access token by which a program asks in their name.
    """

    account_id: AccountId | None = None
    institution_id: InstitutionId | None = None
    roles: frozenset[Role] = frozenset()
    name: str = ""
    email: str = ""
    token_id: UUID | None = None


VISITOR = Actor()
NOT_YOURS = "There is nothing here, or it is not yours to see."


class Part(StrEnum):
    """What an account is, or was, to one case."""

    SCREENED = "screened"
    OFFERED = "offered"
    CLEARED = "cleared"
    CONFLICTED = "conflicted"
    SCORED = "scored"
    MODERATED = "moderated"
    DECIDED = "decided"
    JUDGED = "judged"
    """decided, released, or moderated what was decided: not again when the decision is appealed"""
    ADVISED = "advised"


@dataclass(frozen=True)
class Resource:
    """What a permission is asked for: whose it is, and who has a part in it.

    `owner_id` is the learner. For permissions that are about no thing in particular use `NOTHING`.
    """

    institution_id: InstitutionId | None = None
    owner_id: AccountId | None = None
    parts: Mapping[UUID, frozenset[Part]] = field(default_factory=dict)

    def parts_of(self, account_id: AccountId | None) -> frozenset[Part]:
        """Which parts an account has in this."""
        return self.parts.get(account_id, frozenset()) if account_id else frozenset()


NOTHING = Resource()


@dataclass(frozen=True)
class Answer:
    """Allowed or not, as what role, and why not. `known`: may the actor know that it exists."""

    allowed: bool
    reason: str = ""
    role: Role | None = None
    known: bool = True

    def __bool__(self) -> bool:
        return self.allowed


def may(actor: Actor, permission: Permission, resource: Resource = NOTHING) -> Answer:
    """Whether the actor may do this to that, and if not, why not in words for a person."""
    refusals = []
    for grant in GRANTS[permission]:
        if grant.role is not None and grant.role not in actor.roles:
            continue
        answer = _near_enough(actor, grant, resource)
        if answer.allowed:
            return answer
        refusals.append(answer)
    told = next((refusal for refusal in refusals if refusal.known), None)
    if told is not None:
        return told
    return Answer(False, _missing_role(actor), known=_may_know(actor, permission, resource))


def require(answer: Answer) -> Role | None:
    """Return the role that allowed it.

    Raises NotFound when the actor may not even know of the thing, Forbidden otherwise.
    """
    if answer.allowed:
        return answer.role
    if not answer.known:
        raise NotFound(NOT_YOURS)
    raise Forbidden(answer.reason)


def acting(actor: Actor, permission: Permission, resource: Resource = NOTHING) -> Who:
    """The actor as the one who does this, for the event. Raises NotFound or Forbidden."""
    role = require(may(actor, permission, resource))
    return as_who(actor, role)


def as_who(actor: Actor, role: Role | None) -> Who:
    """The actor as an event names them."""
    return Who(role or Role.VERIFIER, actor.account_id, actor.name, actor.token_id)


def _missing_role(actor: Actor) -> str:
    if actor.account_id is None:
        return "Please sign in first."
    return "Your role does not include this."


def _may_know(actor: Actor, permission: Permission, resource: Resource) -> bool:
    if resource is NOTHING:
        return True
    if permission is Permission.VIEW_CASE:
        return False
    if Part.OFFERED in resource.parts_of(actor.account_id):
        return True
    return may(actor, Permission.VIEW_CASE, resource).allowed


def _near_enough(actor: Actor, grant: Grant, resource: Resource) -> Answer:
    if grant.scope is Scope.ANYONE:
        return Answer(True, role=grant.role)
    if actor.account_id is None:
        return Answer(False, "Please sign in first.")
    if grant.scope in {Scope.SIGNED_IN, Scope.HOLDER}:
        return Answer(True, role=grant.role)
    return _near_the_thing(actor, grant, resource)


def _near_the_thing(actor: Actor, grant: Grant, resource: Resource) -> Answer:
    unknown = Answer(False, "It is not yours to see.", known=False)
    own = resource.owner_id is not None and resource.owner_id == actor.account_id
    parts = resource.parts_of(actor.account_id)
    if grant.scope is Scope.OWN:
        return Answer(True, role=grant.role) if own else unknown
    if grant.scope is Scope.OFFERED:
        return Answer(True, role=grant.role) if Part.OFFERED in parts else unknown
    if grant.scope is Scope.CLEARED:
        return _cleared(grant, parts)
    if resource.institution_id != actor.institution_id:
        return unknown
    return _of_the_institution(grant, own, parts)


def _cleared(grant: Grant, parts: frozenset[Part]) -> Answer:
    if Part.CLEARED in parts:
        return Answer(True, role=grant.role)
    if Part.OFFERED in parts:
        return Answer(False, "Declare first whether you have a conflict of interest.")
    return Answer(False, "It is not yours to see.", known=False)


def _of_the_institution(grant: Grant, own: bool, parts: frozenset[Part]) -> Answer:
    if own:
        return Answer(False, "This is your own case: someone else does this.")
    if grant.scope in {Scope.UNINVOLVED, Scope.NEW_TO_IT}:
        against = {*ASSESSED, Part.MODERATED, Part.SCREENED}
        # a moderator goes on moderating, a decider goes on reading what they decided
        if grant.role is Role.MODERATOR:
            against = {*ASSESSED, Part.DECIDED}
        if grant.scope is Scope.NEW_TO_IT:
            against |= {Part.JUDGED}
        reason = _involved(parts, against)
        return Answer(not reason, reason, role=grant.role)
    if grant.scope in {Scope.NOT_ASSESSING, Scope.NO_PART}:
        assessing = {Part.SCORED, Part.CLEARED, Part.OFFERED}
        reason = _involved(parts, set(REASONS) if grant.scope is Scope.NO_PART else assessing)
        return Answer(not reason, reason, role=grant.role)
    if grant.scope is Scope.OTHER_KEY and Part.DECIDED in parts:
        return Answer(False, "You decided this case: the second key is someone else's.")
    if grant.scope is Scope.OTHER_KEY:
        reason = _involved(parts, {*ASSESSED, Part.MODERATED})
        return Answer(not reason, reason, role=grant.role)
    return Answer(True, role=grant.role)


ASSESSED = frozenset({Part.SCORED, Part.CLEARED, Part.OFFERED, Part.CONFLICTED})

REASONS: Mapping[Part, str] = {
    Part.SCREENED: "You screened this case or chose its assessors, so someone else does this.",
    Part.CONFLICTED: "You declared a conflict of interest in this case, so someone else does this.",
    Part.OFFERED: "You are asked to assess this case, so someone else does this.",
    Part.CLEARED: "You are an assessor of this case, so someone else does this.",
    Part.SCORED: "You scored this case, so someone else does this.",
    Part.MODERATED: "You moderated this case, so someone else does this.",
    Part.DECIDED: "You decided this case, so someone else does this.",
    Part.JUDGED: "You had a part in the decision on this case, so someone else does this.",
}


def _involved(parts: frozenset[Part], against: set[Part]) -> str:
    return next((REASONS[part] for part in REASONS if part in parts and part in against), "")
