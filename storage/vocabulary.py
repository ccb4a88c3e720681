"""The field's words as closed lists: roles, states, kinds. Columns hold these and nothing else."""

from enum import StrEnum


class Role(StrEnum):
    """What a person is to an institution. Supervisors, employers, verifiers need no account."""

    LEARNER = "learner"
    ADVISER = "adviser"
    SUPERVISOR = "supervisor"
    COORDINATOR = "coordinator"
    ASSESSOR = "assessor"
    MODERATOR = "moderator"
    DECIDER = "decider"
    REGISTRAR = "registrar"
    EMPLOYER = "employer"
    VERIFIER = "verifier"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


class CaseState(StrEnum):
    """Where a case stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    SCREENING = "screening"
    RETURNED = "returned"
    ASSESSMENT = "assessment"
    MODERATION = "moderation"
    DECISION = "decision"
    DECIDED = "decided"
    RELEASED = "released"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    INTEGRITY_HOLD = "integrity_hold"
    APPEAL = "appeal"


class EvidenceState(StrEnum):
    """Where an evidence item stands."""

    ANNOUNCED = "announced"
    UPLOADING = "uploading"
    STORED = "stored"
    SEALED = "sealed"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    ERASED = "erased"


class EvidenceKind(StrEnum):
    """What sort of thing an evidence item is."""

    VIDEO = "video"
    AUDIO = "audio"
    WORK_PRODUCT = "work_product"
    PHOTO = "photo"
    SCREENSHOT = "screenshot"
    DEMONSTRATION = "demonstration"
    CHALLENGE_EXAM = "challenge_exam"
    SIMULATION = "simulation"
    DOCUMENT = "document"
    INTERVIEW = "interview"
    STRUCTURED_INTERVIEW = "structured_interview"
    ATTESTATION = "attestation"
    TESTIMONIAL = "testimonial"
    CV = "cv"
    JOB_DESCRIPTION = "job_description"
    CERTIFICATE = "certificate"
    REFLECTION = "reflection"


class ScanVerdict(StrEnum):
    """What the malware scan said. Never "clean" by default."""

    CLEAN = "clean"
    INFECTED = "infected"
    NOT_SCANNED = "not_scanned"
    ERROR = "error"


class Disclosure(StrEnum):
    """What a learner lets the world have of one evidence item."""

    OPEN_LINK = "open_link"
    ON_REQUEST = "on_request"
    DIGEST_ONLY = "digest_only"


class PeopleShown(StrEnum):
    """Whether other people can be seen or heard in an item, and whether they have agreed."""

    NOT_SAID = "not_said"
    NOBODY = "nobody"
    AGREED = "agreed"
    WAITING = "waiting"
    """They have not agreed yet: the item is held back from assessors."""


class AiUse(StrEnum):
    """Whether AI tools had a part in an item. Not said is not the same as none."""

    NOT_SAID = "not_said"
    NONE = "none"
    USED = "used"


class CoverageBasis(StrEnum):
    """The act at which it was kept how the outcomes stood."""

    SUBMISSION = "submission"
    ASSESSMENT = "assessment"
    DECISION = "decision"


class PreviewKind(StrEnum):
    """What we make of sealed bytes, so that they can be looked at without running them."""

    THUMBNAIL = "thumbnail"
    IMAGE = "image"
    PAGE = "page"
    POSTER = "poster"
    RENDITION = "rendition"
    TEXT = "text"


class CaptionKind(StrEnum):
    """What stands with a recording in words."""

    CAPTIONS = "captions"
    TRANSCRIPT = "transcript"


class AssignmentState(StrEnum):
    """Where an assessor's place on a case stands."""

    OFFERED = "offered"
    DECLARED = "declared"
    CLEARED = "cleared"
    DECLINED = "declined"
    EXCLUDED = "excluded"


class ConflictAnswer(StrEnum):
    """What an assessor says of their interests."""

    NONE = "none"
    POSSIBLE = "possible"
    YES = "yes"


class OverrideAnswer(StrEnum):
    """What the second person says of an override."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"


class SheetState(StrEnum):
    """Where a score sheet stands."""

    OPEN = "open"
    FINAL = "final"
    SUPERSEDED = "superseded"


class AgreementRule(StrEnum):
    """Which rule settled, or sent on, a criterion."""

    SAME = "same"
    ADJACENT_LOWER = "adjacent_lower"
    DISCUSSION = "discussion"
    THIRD_ASSESSOR = "third_assessor"
    MEDIAN = "median"
    MODERATED = "moderated"
    NOT_ASSESSED = "not_assessed"


class OutcomeResult(StrEnum):
    """What was decided of one outcome."""

    RECOGNISED = "recognised"
    NOT_YET = "not_yet"
    NOT_ASSESSED = "not_assessed"


class AppealGround(StrEnum):
    """Why a learner asks for a decision to be looked at anew."""

    PROCEDURE = "procedure"
    OVERLOOKED = "overlooked"
    """evidence that was submitted was not looked at"""
    BIAS = "bias"
    """somebody had an interest, or was not impartial"""
    RUBRIC = "rubric"
    """a criterion or a level was misread"""
    NEW_EVIDENCE = "new_evidence"


class AppealResult(StrEnum):
    """How an appeal was answered. All but the first and the last lead to a new decision."""

    CONFIRMED = "confirmed"
    REDECIDED = "redecided"
    """decided anew, from the same scores"""
    REASSESSED = "reassessed"
    """assessed and decided anew, from the same evidence"""
    REOPENED = "reopened"
    """given back to the learner for new evidence"""
    TAKEN_BACK = "taken_back"


class CredentialState(StrEnum):
    """Where a credential stands."""

    PENDING = "pending"
    SIGNED = "signed"
    PUBLISHED = "published"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class VoiceState(StrEnum):
    """Where an attestation or an endorsement stands."""

    ASKED = "asked"
    OPENED = "opened"
    GIVEN = "given"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class EndorsementVisibility(StrEnum):
    """How far an employer lets an endorsement go."""

    PRIVATE = "private"
    NAMED = "named"
    COUNTED = "counted"


class LearnerAnswer(StrEnum):
    """What the learner says to an endorsement."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    HIDDEN = "hidden"
    REFUSED = "refused"


class StatusPurpose(StrEnum):
    """What a status list says of a credential."""

    REVOCATION = "revocation"
    SUSPENSION = "suspension"


class WalletForm(StrEnum):
    """In which form a wallet takes a credential."""

    SD_JWT = "sd_jwt"
    OPEN_BADGE = "open_badge"
    TOKEN = "token"  # noqa: S105  # a form of a credential


class WalletNews(StrEnum):
    """What a wallet said had become of what it took."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    DELETED = "deleted"


class BatchKind(StrEnum):
    """What is done to very many things at once."""

    ISSUE = "issue"
    RESIGN = "resign"


class HoldKind(StrEnum):
    """Why nothing of a case may be erased for now."""

    INTEGRITY = "integrity"
    APPEAL = "appeal"
    LEGAL = "legal"


class LinkPurpose(StrEnum):
    """What a mailed link is for; it opens nothing else."""

    SET_PASSWORD = "set_password"  # noqa: S105 - a purpose, not a password
    REGISTER = "register"
    ATTEST = "attest"
    ENDORSE = "endorse"


DIRECT_KINDS = frozenset(
    {
        EvidenceKind.VIDEO,
        EvidenceKind.AUDIO,
        EvidenceKind.WORK_PRODUCT,
        EvidenceKind.DOCUMENT,
        EvidenceKind.PHOTO,
        EvidenceKind.SCREENSHOT,
        EvidenceKind.DEMONSTRATION,
        EvidenceKind.CHALLENGE_EXAM,
        EvidenceKind.SIMULATION,
    }
)
"""Kinds in which the work itself is seen. All others are indirect."""

NEVER_ALONE = frozenset({EvidenceKind.ATTESTATION, EvidenceKind.CV})
"""Kinds that are never enough alone, however many there are."""


class Queue(StrEnum):
    """The queues of promised work. One worker process serves one of them."""

    SEAL = "seal"
    LOOK = "look"
    RENDER = "render"
    WORK = "work"
    ISSUE = "issue"
    NEWS = "news"


class NewsKind(StrEnum):
    """What other software is told of, by the words that stand in a webhook's `type`."""

    ISSUED = "credential.issued"
    SUSPENDED = "credential.suspended"
    RESUMED = "credential.resumed"
    REVOKED = "credential.revoked"
    CORRECTED = "credential.corrected"
    ENDORSED = "credential.endorsed"
    ENDORSEMENT_WITHDRAWN = "credential.endorsement_withdrawn"
    TEST = "webhook.test"


class WhyOff(StrEnum):
    """Why nothing is sent to an endpoint any more until an administrator switches it on."""

    GONE = "gone"
    FAILING = "failing"


class Trouble(StrEnum):
    """Why a delivery got no answer at all."""

    NO_NAME = "no_name"
    NOT_PUBLIC = "not_public"
    NOT_AN_ADDRESS = "not_an_address"
    CERTIFICATE = "certificate"
    REFUSED = "refused"
    TOO_SLOW = "too_slow"
    BROKEN = "broken"
    SECRET_CLOSED = "secret_closed"  # noqa: S105  # a word for what went wrong
