"""Every act that the house knows, and to whom it is granted. Data; `may` reads it.

A grant is a role and how near its holder must stand to the thing. Default is no.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from storage.vocabulary import Role


class Permission(StrEnum):
    """An act."""

    VIEW_PUBLIC = "view_public"
    SIGN_IN = "sign_in"
    USE_LINK = "use_link"
    MANAGE_OWN_ACCOUNT = "manage_own_account"

    OPEN_CASE = "open_case"
    VIEW_CASE = "view_case"
    VIEW_CASE_HISTORY = "view_case_history"
    EDIT_CASE = "edit_case"
    SUBMIT_CASE = "submit_case"
    WITHDRAW_CASE = "withdraw_case"
    ERASE_CASE = "erase_case"
    ADD_EVIDENCE = "add_evidence"
    READ_EVIDENCE = "read_evidence"
    ASK_ATTESTATION = "ask_attestation"

    LIST_CASES = "list_cases"
    SCREEN_CASE = "screen_case"
    ALLOCATE_ASSESSORS = "allocate_assessors"
    SETTLE_CONFLICT = "settle_conflict"
    LIST_OVERRIDES = "list_overrides"
    READ_OVERRIDE = "read_override"
    PROPOSE_OVERRIDE = "propose_override"
    ANSWER_OVERRIDE = "answer_override"

    LIST_ASSIGNMENTS = "list_assignments"
    DECLARE_CONFLICT = "declare_conflict"
    SCORE_CASE = "score_case"

    VIEW_AGREEMENT = "view_agreement"
    VIEW_AGREEMENT_FIGURES = "view_agreement_figures"
    MODERATE_CASE = "moderate_case"
    DECIDE_CASE = "decide_case"
    RELEASE_CASE = "release_case"
    APPEAL_CASE = "appeal_case"
    READ_APPEAL = "read_appeal"
    RECEIVE_APPEAL = "receive_appeal"
    ANSWER_APPEAL = "answer_appeal"

    VIEW_OWN_CREDENTIALS = "view_own_credentials"
    SHARE_CREDENTIAL = "share_credential"
    ASK_ENDORSEMENT = "ask_endorsement"
    ANSWER_ENDORSEMENT = "answer_endorsement"
    LIST_CREDENTIALS = "list_credentials"
    CHANGE_CREDENTIAL_STATUS = "change_credential_status"
    RELEASE_MANY = "release_many"
    RUN_BATCHES = "run_batches"
    MANAGE_KEYS = "manage_keys"
    ISSUE_BY_API = "issue_by_api"

    VIEW_RETENTION = "view_retention"
    HOLD_CASE = "hold_case"

    VERIFY_ORGANISATION = "verify_organisation"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_FORMS = "manage_forms"
    MANAGE_WEBHOOKS = "manage_webhooks"
    MANAGE_APPEARANCE = "manage_appearance"
    VIEW_OPERATIONS = "view_operations"
    VIEW_MAILBOX = "view_mailbox"


class Scope(StrEnum):
    """How near one must stand to the thing."""

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    HOLDER = "holder"
    """holds the role at the institution; the thing may be none in particular"""
    OWN = "own"
    """the thing is the learner's own"""
    INSTITUTION = "institution"
    """the thing belongs to the institution, and is not one's own case"""
    OFFERED = "offered"
    """has a live place on the case as assessor"""
    CLEARED = "cleared"
    """has declared no conflict, or was cleared by the coordinator"""
    UNINVOLVED = "uninvolved"
    """of the institution, and neither learner, assessor, moderator nor decider of the case"""
    NEW_TO_IT = "new_to_it"
    """uninvolved, and had no part in an earlier decision of the case either"""
    NOT_ASSESSING = "not_assessing"
    """of the institution, and not an assessor of the case: who scores blind sees no one's scores"""
    OTHER_KEY = "other_key"
    """of the institution, and neither learner, assessor, moderator nor decider of the case"""
    NO_PART = "no_part"
    """of the institution, and with no part in the case at all, not even as who screened it"""


@dataclass(frozen=True)
class Grant:
    """A role, and how near. `role` None: no role is needed."""

    role: Role | None
    scope: Scope


ANYONE = (Grant(None, Scope.ANYONE),)
SIGNED_IN = (Grant(None, Scope.SIGNED_IN),)
LEARNER_OWN = (Grant(Role.LEARNER, Scope.OWN),)
# who is asked to assess looks as an assessor, after declaring, and not by another role they hold
STAFF_LOOK = (
    Grant(Role.COORDINATOR, Scope.NOT_ASSESSING),
    Grant(Role.MODERATOR, Scope.UNINVOLVED),
    Grant(Role.DECIDER, Scope.UNINVOLVED),
    Grant(Role.REGISTRAR, Scope.NOT_ASSESSING),
    Grant(Role.AUDITOR, Scope.NOT_ASSESSING),
)

GRANTS: Mapping[Permission, tuple[Grant, ...]] = {
    Permission.VIEW_PUBLIC: ANYONE,
    Permission.SIGN_IN: ANYONE,
    Permission.USE_LINK: ANYONE,
    Permission.VIEW_MAILBOX: ANYONE,
    Permission.MANAGE_OWN_ACCOUNT: SIGNED_IN,
    Permission.OPEN_CASE: (Grant(Role.LEARNER, Scope.HOLDER),),
    Permission.VIEW_CASE: (
        *LEARNER_OWN,
        Grant(Role.ASSESSOR, Scope.CLEARED),
        *STAFF_LOOK,
    ),
    Permission.VIEW_CASE_HISTORY: (
        *LEARNER_OWN,
        Grant(Role.COORDINATOR, Scope.NOT_ASSESSING),
        Grant(Role.REGISTRAR, Scope.NOT_ASSESSING),
        Grant(Role.AUDITOR, Scope.NOT_ASSESSING),
    ),
    Permission.EDIT_CASE: LEARNER_OWN,
    Permission.SUBMIT_CASE: LEARNER_OWN,
    Permission.WITHDRAW_CASE: LEARNER_OWN,
    Permission.ERASE_CASE: LEARNER_OWN,
    Permission.VIEW_RETENTION: (
        Grant(Role.REGISTRAR, Scope.HOLDER),
        Grant(Role.AUDITOR, Scope.HOLDER),
    ),
    Permission.HOLD_CASE: (Grant(Role.REGISTRAR, Scope.INSTITUTION),),
    Permission.ADD_EVIDENCE: LEARNER_OWN,
    Permission.READ_EVIDENCE: (
        *LEARNER_OWN,
        Grant(Role.ASSESSOR, Scope.CLEARED),
        *STAFF_LOOK,
    ),
    Permission.ASK_ATTESTATION: LEARNER_OWN,
    Permission.LIST_CASES: (
        Grant(Role.COORDINATOR, Scope.HOLDER),
        Grant(Role.MODERATOR, Scope.HOLDER),
        Grant(Role.DECIDER, Scope.HOLDER),
        Grant(Role.REGISTRAR, Scope.HOLDER),
        Grant(Role.AUDITOR, Scope.HOLDER),
    ),
    Permission.SCREEN_CASE: (Grant(Role.COORDINATOR, Scope.INSTITUTION),),
    Permission.ALLOCATE_ASSESSORS: (Grant(Role.COORDINATOR, Scope.NOT_ASSESSING),),
    Permission.SETTLE_CONFLICT: (Grant(Role.COORDINATOR, Scope.NOT_ASSESSING),),
    Permission.LIST_OVERRIDES: (
        Grant(Role.COORDINATOR, Scope.HOLDER),
        Grant(Role.MODERATOR, Scope.HOLDER),
        Grant(Role.REGISTRAR, Scope.HOLDER),
        Grant(Role.AUDITOR, Scope.HOLDER),
    ),
    Permission.READ_OVERRIDE: (
        Grant(Role.COORDINATOR, Scope.NOT_ASSESSING),
        Grant(Role.MODERATOR, Scope.NOT_ASSESSING),
        Grant(Role.REGISTRAR, Scope.NOT_ASSESSING),
        Grant(Role.AUDITOR, Scope.NOT_ASSESSING),
    ),
    Permission.PROPOSE_OVERRIDE: (Grant(Role.COORDINATOR, Scope.NOT_ASSESSING),),
    Permission.ANSWER_OVERRIDE: (
        Grant(Role.COORDINATOR, Scope.NO_PART),
        Grant(Role.MODERATOR, Scope.NO_PART),
        Grant(Role.REGISTRAR, Scope.NO_PART),
    ),
    Permission.LIST_ASSIGNMENTS: (Grant(Role.ASSESSOR, Scope.HOLDER),),
    Permission.DECLARE_CONFLICT: (Grant(Role.ASSESSOR, Scope.OFFERED),),
    Permission.SCORE_CASE: (Grant(Role.ASSESSOR, Scope.CLEARED),),
    Permission.VIEW_AGREEMENT: (
        Grant(Role.COORDINATOR, Scope.NOT_ASSESSING),
        Grant(Role.MODERATOR, Scope.UNINVOLVED),
        Grant(Role.DECIDER, Scope.UNINVOLVED),
        Grant(Role.REGISTRAR, Scope.NOT_ASSESSING),
        Grant(Role.AUDITOR, Scope.NOT_ASSESSING),
    ),
    Permission.VIEW_AGREEMENT_FIGURES: (
        Grant(Role.COORDINATOR, Scope.HOLDER),
        Grant(Role.MODERATOR, Scope.HOLDER),
        Grant(Role.AUDITOR, Scope.HOLDER),
        Grant(Role.ADMINISTRATOR, Scope.HOLDER),
    ),
    Permission.MODERATE_CASE: (Grant(Role.MODERATOR, Scope.NEW_TO_IT),),
    Permission.DECIDE_CASE: (Grant(Role.DECIDER, Scope.NEW_TO_IT),),
    Permission.RELEASE_CASE: (Grant(Role.REGISTRAR, Scope.OTHER_KEY),),
    Permission.APPEAL_CASE: LEARNER_OWN,
    Permission.READ_APPEAL: (
        Grant(Role.COORDINATOR, Scope.NOT_ASSESSING),
        Grant(Role.DECIDER, Scope.NEW_TO_IT),
        Grant(Role.REGISTRAR, Scope.NOT_ASSESSING),
        Grant(Role.AUDITOR, Scope.NOT_ASSESSING),
    ),
    Permission.RECEIVE_APPEAL: (Grant(Role.COORDINATOR, Scope.NOT_ASSESSING),),
    Permission.ANSWER_APPEAL: (Grant(Role.DECIDER, Scope.NEW_TO_IT),),
    Permission.VIEW_OWN_CREDENTIALS: (Grant(Role.LEARNER, Scope.HOLDER),),
    Permission.SHARE_CREDENTIAL: LEARNER_OWN,
    Permission.ASK_ENDORSEMENT: LEARNER_OWN,
    Permission.ANSWER_ENDORSEMENT: LEARNER_OWN,
    Permission.LIST_CREDENTIALS: (
        Grant(Role.REGISTRAR, Scope.HOLDER),
        Grant(Role.AUDITOR, Scope.HOLDER),
    ),
    Permission.CHANGE_CREDENTIAL_STATUS: (Grant(Role.REGISTRAR, Scope.INSTITUTION),),
    Permission.ISSUE_BY_API: (Grant(Role.REGISTRAR, Scope.HOLDER),),
    Permission.RELEASE_MANY: (Grant(Role.REGISTRAR, Scope.HOLDER),),
    Permission.RUN_BATCHES: (
        Grant(Role.REGISTRAR, Scope.HOLDER),
        Grant(Role.ADMINISTRATOR, Scope.HOLDER),
    ),
    Permission.MANAGE_KEYS: (Grant(Role.ADMINISTRATOR, Scope.HOLDER),),
    Permission.VERIFY_ORGANISATION: (Grant(Role.REGISTRAR, Scope.HOLDER),),
    Permission.MANAGE_PEOPLE: (Grant(Role.ADMINISTRATOR, Scope.HOLDER),),
    Permission.MANAGE_APPEARANCE: (Grant(Role.ADMINISTRATOR, Scope.HOLDER),),
    Permission.MANAGE_WEBHOOKS: (Grant(Role.ADMINISTRATOR, Scope.HOLDER),),
    Permission.MANAGE_FORMS: (
        Grant(Role.COORDINATOR, Scope.HOLDER),
        Grant(Role.ADMINISTRATOR, Scope.HOLDER),
    ),
    Permission.VIEW_OPERATIONS: (
        Grant(Role.ADMINISTRATOR, Scope.HOLDER),
        Grant(Role.COORDINATOR, Scope.HOLDER),
        Grant(Role.AUDITOR, Scope.HOLDER),
    ),
}
