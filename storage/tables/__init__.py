"""Every table, one file per area. Importing this package makes the whole metadata known."""

from storage.tables.appearance import Logo
from storage.tables.assessment import Agreement, Assignment, ConflictOverride, Score, ScoreSheet
from storage.tables.base import Table
from storage.tables.batches import Batch, BatchMember, BatchSlice
from storage.tables.brought import BroughtCredential
from storage.tables.cases import CASE_NUMBERS, Case, CaseUsage, CoverageRecord, Manifest, SelfRating
from storage.tables.decisions import Appeal, AppealPoint, Decision, OutcomeDecision
from storage.tables.events import Event
from storage.tables.evidence import (
    ErasedBytes,
    EvidenceAccess,
    EvidenceItem,
    EvidenceMapping,
    SealedObject,
    Upload,
    UploadPart,
)
from storage.tables.frameworks import DefinitionVersion, PolicyVersion
from storage.tables.issuance import (
    Credential,
    CredentialNote,
    EarlierDocument,
    IssuerKey,
    StatusEntry,
    StatusList,
    TokenKey,
)
from storage.tables.keeping import CaseHold, ErasurePlan, VaultCopy
from storage.tables.looking import (
    Caption,
    Inspection,
    KnownForm,
    Preview,
    SameBytes,
    TimeSpan,
)
from storage.tables.oauth import OAuthClient, OAuthGrant, OAuthToken
from storage.tables.outbox import JobReceipt, OutboxRow
from storage.tables.people import (
    AccessToken,
    Account,
    Competence,
    Institution,
    Mail,
    MailLink,
    Organisation,
    RoleGrant,
    WebSession,
)
from storage.tables.vcapi import ApiCredential, ApiStatusList
from storage.tables.voices import Attestation, Endorsement
from storage.tables.wallets import WalletKey, WalletNonce, WalletOffer, WalletTaking
from storage.tables.webhooks import WebhookDelivery, WebhookEndpoint

METADATA = Table.metadata

__all__ = [
    "CASE_NUMBERS",
    "METADATA",
    "AccessToken",
    "Account",
    "Agreement",
    "ApiCredential",
    "ApiStatusList",
    "Appeal",
    "AppealPoint",
    "Assignment",
    "Attestation",
    "Batch",
    "BatchMember",
    "BatchSlice",
    "BroughtCredential",
    "Caption",
    "Case",
    "CaseHold",
    "CaseUsage",
    "Competence",
    "ConflictOverride",
    "CoverageRecord",
    "Credential",
    "CredentialNote",
    "Decision",
    "DefinitionVersion",
    "EarlierDocument",
    "Endorsement",
    "ErasedBytes",
    "ErasurePlan",
    "Event",
    "EvidenceAccess",
    "EvidenceItem",
    "EvidenceMapping",
    "Inspection",
    "Institution",
    "IssuerKey",
    "JobReceipt",
    "KnownForm",
    "Logo",
    "Mail",
    "MailLink",
    "Manifest",
    "OAuthClient",
    "OAuthGrant",
    "OAuthToken",
    "Organisation",
    "OutboxRow",
    "OutcomeDecision",
    "PolicyVersion",
    "Preview",
    "RoleGrant",
    "SameBytes",
    "Score",
    "ScoreSheet",
    "SealedObject",
    "SelfRating",
    "StatusEntry",
    "StatusList",
    "Table",
    "TimeSpan",
    "TokenKey",
    "Upload",
    "UploadPart",
    "VaultCopy",
    "WalletKey",
    "WalletNonce",
    "WalletOffer",
    "WalletTaking",
    "WebSession",
    "WebhookDelivery",
    "WebhookEndpoint",
]
