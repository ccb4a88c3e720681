"""Every table, one file per area. Importing this package makes the whole metadata known."""

from storage.tables.assessment import Agreement, Assignment, Score, ScoreSheet
from storage.tables.base import Table
from storage.tables.cases import CASE_NUMBERS, Case, Manifest, SelfRating
from storage.tables.decisions import Decision, OutcomeDecision
from storage.tables.events import Event
from storage.tables.evidence import (
    EvidenceAccess,
    EvidenceItem,
    EvidenceMapping,
    SealedObject,
    Upload,
    UploadPart,
)
from storage.tables.frameworks import DefinitionVersion, PolicyVersion
from storage.tables.issuance import Credential, IssuerKey, StatusEntry, StatusList
from storage.tables.outbox import JobReceipt, OutboxRow
from storage.tables.people import (
    Account,
    Competence,
    Institution,
    Mail,
    MailLink,
    Organisation,
    RoleGrant,
    WebSession,
)
from storage.tables.voices import Attestation, Endorsement

METADATA = Table.metadata

__all__ = [
    "CASE_NUMBERS",
    "METADATA",
    "Account",
    "Agreement",
    "Assignment",
    "Attestation",
    "Case",
    "Competence",
    "Credential",
    "Decision",
    "DefinitionVersion",
    "Endorsement",
    "Event",
    "EvidenceAccess",
    "EvidenceItem",
    "EvidenceMapping",
    "Institution",
    "IssuerKey",
    "JobReceipt",
    "Mail",
    "MailLink",
    "Manifest",
    "Organisation",
    "OutboxRow",
    "OutcomeDecision",
    "PolicyVersion",
    "RoleGrant",
    "Score",
    "ScoreSheet",
    "SealedObject",
    "SelfRating",
    "StatusEntry",
    "StatusList",
    "Table",
    "Upload",
    "UploadPart",
    "WebSession",
]
