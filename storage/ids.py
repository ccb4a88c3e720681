"""The one source of ids (UUIDv7: they sort by time of birth) and of unguessable tokens."""

import base64
import hashlib
import secrets
from typing import NewType
from uuid import UUID

import uuid_utils

InstitutionId = NewType("InstitutionId", UUID)
AccountId = NewType("AccountId", UUID)
OrganisationId = NewType("OrganisationId", UUID)
DefinitionId = NewType("DefinitionId", UUID)
PolicyId = NewType("PolicyId", UUID)
CaseId = NewType("CaseId", UUID)
ItemId = NewType("ItemId", UUID)
UploadId = NewType("UploadId", UUID)
AttestationId = NewType("AttestationId", UUID)
AssignmentId = NewType("AssignmentId", UUID)
SheetId = NewType("SheetId", UUID)
DecisionId = NewType("DecisionId", UUID)
CredentialId = NewType("CredentialId", UUID)
EndorsementId = NewType("EndorsementId", UUID)
OutboxId = NewType("OutboxId", UUID)
Sha256 = NewType("Sha256", str)
OutcomeCode = NewType("OutcomeCode", str)
CriterionCode = NewType("CriterionCode", str)


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def new_token() -> str:
    """A fresh unguessable token of 256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def new_tokens(count: int) -> list[str]:
    """So many such tokens, of one draw: to ask the system for each costs more than to use it."""
    drawn = secrets.token_bytes(32 * count)
    return [
        base64.urlsafe_b64encode(drawn[at : at + 32]).rstrip(b"=").decode()
        for at in range(0, len(drawn), 32)
    ]


def new_code() -> str:
    """Six digits to be typed from a mail."""
    return f"{secrets.randbelow(1_000_000):06d}"


def token_hash(token: str) -> str:
    """What is kept of a token: its SHA-256, lower-case hex. The token itself is never stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def sha256_of(data: bytes) -> Sha256:
    """The SHA-256 of bytes in memory, lower-case hex."""
    return Sha256(hashlib.sha256(data).hexdigest())
