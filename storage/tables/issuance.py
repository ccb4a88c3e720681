"""Keys, status lists, credentials."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, maybe_moment, moment, one_of
from storage.tables.columns import document as json_document
from storage.vocabulary import CredentialState, StatusPurpose


class IssuerKey(Table, table=True):
    """An Ed25519 key of an institution or, where `organisation_id` is set, one that the
    institution keeps for an employer. Retired keys stay published.

    The seed is encrypted at rest; where `kept_as` is set the key lies in a key service under that
    name, and there is no seed here.
    """

    __tablename__ = "issuer_key"

    id: UUID = Field(primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    organisation_id: UUID | None = Field(default=None, foreign_key="organisation.id", index=True)
    fragment: str
    public_multibase: str = Field(unique=True)
    sealed_seed: bytes = Field(sa_type=LargeBinary)
    kept_as: str = Field(default="", sa_column_kwargs={"server_default": ""})
    created_at: datetime = moment()
    retired_at: datetime | None = maybe_moment()


class TokenKey(Table, table=True):
    """An RSA key of an institution, for credentials as tokens (VC-JWT). One is live.

    `public_jwk` is what is published, also of retired keys; the private half is sealed.
    """

    __tablename__ = "token_key"
    __table_args__ = (
        Index(
            "ix_token_key_live",
            "institution_id",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    public_jwk: dict[str, object] = json_document()
    sealed_key: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = moment()
    retired_at: datetime | None = maybe_moment()


class StatusList(Table, table=True):
    """One Bitstring status list: its bits, and the signed document that publishes them.

    `version` counts the changes of the bits, `signed_version` says which of them `document` holds,
    `valid_until` until when readers take that for the last word.
    A list is signed by whoever signed what is on it: where `organisation_id` is set, with the key
    kept for that employer.
    """

    __tablename__ = "status_list"
    __table_args__ = (
        one_of("purpose", StatusPurpose),
        UniqueConstraint("institution_id", "purpose", "number"),
    )

    id: UUID = Field(primary_key=True)
    institution_id: UUID = Field(foreign_key="institution.id")
    organisation_id: UUID | None = Field(default=None, foreign_key="organisation.id")
    purpose: str
    number: int
    size: int
    bits: bytes = Field(sa_type=LargeBinary)
    version: int = 1
    signed_version: int = 0
    document: str | None = None
    signed_at: datetime | None = maybe_moment()
    valid_until: datetime | None = maybe_moment()


class StatusEntry(Table, table=True):
    """That an index of a list belongs to a subject (a credential or an endorsement)."""

    __tablename__ = "status_entry"
    __table_args__ = (UniqueConstraint("list_id", "subject_id"),)

    list_id: UUID = Field(primary_key=True, foreign_key="status_list.id")
    position: int = Field(primary_key=True)
    subject_id: UUID = Field(index=True)


class Credential(Table, table=True):
    """An Open Badges 3.0 credential, from frozen claims to the signed, published document.

    `document` holds the exact signed JSON text. It is written once; signed anew under another key
    (`key_id`), the earlier text is kept. A corrected one names what it replaces in `replaces_id`.
    `whole`: it is the credential itself, and not a statement of what of it was recognised.
    `valid_until` is what the document says, `running_out_told_at` when the holder was told of it;
    `asked_unnamed_at`: when they asked for one without their name.
    """

    __tablename__ = "credential"
    __table_args__ = (
        one_of("state", CredentialState),
        CheckConstraint("state = 'pending' OR document IS NOT NULL", name="signed_has_document"),
        CheckConstraint("replaces_id <> id", name="does_not_replace_itself"),
        Index(
            "ix_credential_first",
            "decision_id",
            unique=True,
            postgresql_where=text("replaces_id IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="plar_case.id", index=True)
    decision_id: UUID = Field(foreign_key="decision.id", index=True)
    institution_id: UUID = Field(foreign_key="institution.id", index=True)
    learner_id: UUID = Field(foreign_key="account.id", index=True)
    definition_id: UUID = Field(foreign_key="definition_version.id")
    state: str
    version: int = 1
    claims: dict[str, object] = json_document()
    document: str | None = None
    document_sha256: str | None = None
    created_at: datetime = moment()
    signed_at: datetime | None = maybe_moment()
    published_at: datetime | None = maybe_moment()
    suspended_at: datetime | None = maybe_moment()
    revoked_at: datetime | None = maybe_moment()
    public_reason: str = ""
    replaces_id: UUID | None = Field(default=None, foreign_key="credential.id", unique=True)
    key_id: UUID | None = Field(default=None, foreign_key="issuer_key.id")
    whole: bool = Field(default=True, sa_column_kwargs={"server_default": "true"})
    valid_until: datetime | None = maybe_moment()
    running_out_told_at: datetime | None = maybe_moment()
    asked_unnamed_at: datetime | None = maybe_moment()


class CredentialNote(Table, table=True):
    """What staff wrote to themselves of an act on a credential. Nobody else reads it."""

    __tablename__ = "credential_note"

    id: UUID = Field(primary_key=True)
    credential_id: UUID = Field(foreign_key="credential.id", index=True)
    act: str
    note: str
    author_id: UUID | None = Field(default=None, foreign_key="account.id")
    at: datetime = moment()


class EarlierDocument(Table, table=True):
    """A signed document as it was before it was signed anew under another key."""

    __tablename__ = "earlier_document"

    subject_id: UUID = Field(primary_key=True)
    sha256: str = Field(primary_key=True)
    document: str
    kept_at: datetime = moment()
