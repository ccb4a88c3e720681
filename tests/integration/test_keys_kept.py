"""Where signing keys are kept: sealed under a secret that changes, or in a key service."""

from dataclasses import dataclass, field
from typing import cast

import pytest
from sqlalchemy import QueuePool
from sqlmodel import select

from credentials.errors import BadKey
from credentials.keys import PrivateKey, Signer, generate_ed25519
from credentials.verify import Outcome
from storage.database import Database
from storage.errors import Unavailable
from storage.events import SYSTEM
from storage.ids import CredentialId, DecisionId, OutboxId
from storage.tables import Credential, IssuerKey
from tests.fixtures.issued import ISSUER, nothing, run_promised
from tests.fixtures.panel import Panel
from tests.fixtures.recall import Recall
from tests.fixtures.world import SITE, World
from workflows.issuance.commands import change_and_publish, issue_credential
from workflows.issuance.keys import (
    Issuer,
    ensure_issuer_key,
    keys_of,
    reseal_keys,
    rotate_key,
    signing_key,
)
from workflows.issuance.published import verify_own
from workflows.issuance.queries import public_credential
from workflows.issuance.transcript import make_transcript
from workflows.work import Work

NEW_SECRET = "another secret that seals the keys of these tests"


@dataclass(frozen=True)
class Kept:
    name: str
    public: bytes


@dataclass
class Service:
    """A key service that keeps its keys in memory."""

    keys: dict[str, PrivateKey] = field(default_factory=dict)
    away: bool = False

    def make(self, purpose: str) -> Kept:
        if self.away:
            raise Unavailable("The key service does not answer at present.")
        key = generate_ed25519()
        name = f"{purpose}/{len(self.keys)}"
        self.keys[name] = key
        return Kept(name, key.public_key().public_bytes_raw())

    def discard(self, name: str) -> None:
        del self.keys[name]

    def signer(self, name: str) -> Signer:
        return self.keys[name]


class Between(Service):
    """A key service that refuses whoever asks it with a transaction open; counts what it signs."""

    def __init__(self, db: Database) -> None:
        super().__init__()
        self.db = db
        self.count = 0

    def make(self, purpose: str) -> Kept:
        self._outside()
        return super().make(purpose)

    def signer(self, name: str) -> Signer:
        return BetweenSigner(self, self.keys[name])

    def _outside(self) -> None:
        assert cast(QueuePool, self.db.engine.pool).checkedout() == 0, "a transaction is open"


@dataclass
class BetweenSigner:
    service: Between
    key: PrivateKey

    def sign(self, data: bytes, /) -> bytes:
        self.service._outside()
        self.service.count += 1
        return self.key.sign(data)


class TestSecrets:
    def test_keys_open_with_the_earlier_secret_until_they_are_sealed_anew(
        self, world: World
    ) -> None:
        key_id = ensure_issuer_key(world.db, ISSUER, world.institution_id)
        moved = Issuer(SITE, NEW_SECRET, ISSUER.key_secret)
        with world.db.reading() as tx:
            public = signing_key(tx, ISSUER, key_id).public
            assert signing_key(tx, moved, key_id).public == public
            with pytest.raises(Unavailable, match="cannot be opened"):
                signing_key(tx, Issuer(SITE, NEW_SECRET), key_id)
        assert reseal_keys(world.db, moved, SYSTEM) == 1
        assert reseal_keys(world.db, moved, SYSTEM) == 0
        with world.db.reading() as tx:
            assert signing_key(tx, Issuer(SITE, NEW_SECRET), key_id).public == public
            with pytest.raises(Unavailable, match="cannot be opened"):
                signing_key(tx, ISSUER, key_id)

    def test_nothing_is_sealed_anew_when_one_opens_with_neither(self, world: World) -> None:
        ensure_issuer_key(world.db, ISSUER, world.institution_id)
        rotate_key(
            world.db, Issuer(SITE, "a third secret of these tests"), SYSTEM, world.institution_id
        )
        with world.db.reading() as tx:
            before = {key.id: key.sealed_seed for key in tx.session.exec(select(IssuerKey)).all()}
        with pytest.raises(BadKey):
            reseal_keys(world.db, Issuer(SITE, NEW_SECRET, ISSUER.key_secret), SYSTEM)
        with world.db.reading() as tx:
            after = {key.id: key.sealed_seed for key in tx.session.exec(select(IssuerKey)).all()}
        assert after == before


class TestService:
    def test_a_credential_is_issued_with_a_key_that_never_leaves_the_service(
        self, recall: Recall
    ) -> None:
        panel = recall(released_panel)
        service = Service()
        issuer = Issuer(SITE, ISSUER.key_secret, service=service)
        run_promised(
            panel.world,
            Work.ISSUE_CREDENTIAL,
            lambda subject, promise: issue_credential(
                panel.db, issuer, DecisionId(subject), OutboxId(promise)
            ),
        )
        with panel.db.reading() as tx:
            key = tx.session.exec(select(IssuerKey)).one()
            credential = tx.session.exec(select(Credential)).one()
            view = public_credential(tx, SITE, credential.id)  # type: ignore[arg-type]
            with pytest.raises(Unavailable):
                signing_key(tx, ISSUER, key.id)
            assert [one.in_service for one in keys_of(tx, panel.world.institution_id)] == [True]
        assert (key.sealed_seed, list(service.keys)) == (b"", [key.kept_as])
        assert verify_own(panel.db, SITE, view, nothing).outcome is Outcome.VALID

    def test_the_service_is_asked_only_between_transactions(self, recall: Recall) -> None:
        panel = recall(released_panel)
        db = panel.db
        signed_for = Between(db)
        issuer = Issuer(SITE, ISSUER.key_secret, service=signed_for)
        run_promised(
            panel.world,
            Work.ISSUE_CREDENTIAL,
            lambda subject, promise: issue_credential(
                db, issuer, DecisionId(subject), OutboxId(promise)
            ),
        )
        with db.reading() as tx:
            held = CredentialId(tx.session.exec(select(Credential.id)).one())
        before = signed_for.count
        make_transcript(db, issuer, panel.learner)
        assert signed_for.count == before + 1
        act, reason = "suspend_credential", "review"
        change_and_publish(db, issuer, panel.registrar, held, act=act, reason=reason)
        assert signed_for.count > before + 1

    def test_a_key_that_came_too_late_is_removed_from_the_service(self, world: World) -> None:
        service = Service()
        issuer = Issuer(SITE, ISSUER.key_secret, service=service)
        made_meanwhile = []

        class Slow(Service):
            def make(self, purpose: str) -> Kept:
                made_meanwhile.append(ensure_issuer_key(world.db, issuer, world.institution_id))
                return super().make(purpose)

        slow = Slow()
        late = Issuer(SITE, ISSUER.key_secret, service=slow)
        assert ensure_issuer_key(world.db, late, world.institution_id) == made_meanwhile[0]
        assert (len(service.keys), slow.keys) == (1, {})

    def test_a_service_that_is_away_leaves_the_present_key_alone(self, world: World) -> None:
        ensure_issuer_key(world.db, ISSUER, world.institution_id)
        away = Issuer(SITE, ISSUER.key_secret, service=Service(away=True))
        with pytest.raises(Unavailable):
            rotate_key(world.db, away, SYSTEM, world.institution_id)
        with world.db.reading() as tx:
            (key,) = keys_of(tx, world.institution_id)
        assert key.retired_at is None


def released_panel(world: World) -> Panel:
    panel = Panel(world)
    panel.scored()
    panel.decide()
    panel.release()
    return panel
