"""What is kept of credentials that go into wallets: keys, offers, what was taken, spent nonces.

No name, no address and no key of a holder stands here.
"""

from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import datetime, maybe_moment, moment, one_of
from storage.tables.columns import document as json_document
from storage.vocabulary import WalletForm, WalletNews


class WalletKey(Table, table=True):
    """A P-256 key of an institution, for what wallets take (SD-JWT VC, ES256). One is live.

    `public_jwk` is what is published, also of retired keys; the private half is sealed.
    """

    __tablename__ = "wallet_key"
    __table_args__ = (
        Index(
            "ix_wallet_key_live",
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


class WalletOffer(Table, table=True):
    """A credential that its holder offered to a wallet of theirs.

    Of its secrets only hashes stand here: of the address it is fetched at, of the pre-authorized
    code, and of the access token that the code was exchanged for.
    """

    __tablename__ = "wallet_offer"
    __table_args__ = (
        one_of("form", WalletForm),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        CheckConstraint(
            "(redeemed_at IS NULL) = (access_hash IS NULL)", name="redeemed_has_access"
        ),
    )

    id: UUID = Field(primary_key=True)
    credential_id: UUID = Field(foreign_key="credential.id", index=True)
    form: str
    asks_code: bool
    reference_hash: str = Field(unique=True)
    code_hash: str = Field(unique=True)
    attempts: int = 0
    created_at: datetime = moment()
    expires_at: datetime = moment()
    redeemed_at: datetime | None = maybe_moment()
    access_hash: str | None = Field(default=None, unique=True)
    access_until: datetime | None = maybe_moment()
    withdrawn_at: datetime | None = maybe_moment()


class WalletTaking(Table, table=True):
    """That a wallet took a credential: in which form, in how many copies, and what it said then."""

    __tablename__ = "wallet_taking"
    __table_args__ = (
        one_of("form", WalletForm),
        one_of("news", WalletNews),
        CheckConstraint("copies > 0", name="copies_positive"),
    )

    id: UUID = Field(primary_key=True)
    offer_id: UUID = Field(foreign_key="wallet_offer.id", index=True)
    credential_id: UUID = Field(foreign_key="credential.id", index=True)
    form: str
    copies: int
    taken_at: datetime = moment()
    notification_hash: str = Field(unique=True)
    news: str | None = None
    news_at: datetime | None = maybe_moment()


class WalletNonce(Table, table=True):
    """A nonce that was spent. Unspent ones stand nowhere: they carry their own proof and age."""

    __tablename__ = "wallet_nonce"

    nonce_hash: str = Field(primary_key=True)
    spent_at: datetime = moment()
