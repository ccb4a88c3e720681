"""News for other software, from the act to a real receiver that checks the signature."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlmodel import col, func, select
from standardwebhooks import Webhook, WebhookVerificationError

from app.posting import Poster
from credentials.errors import BadKey
from storage.bulk import write_rows
from storage.clock import SystemClock
from storage.errors import Conflict, Forbidden, InvalidInput, NotFound, TooMany
from storage.events import SYSTEM
from storage.ids import EndorsementId, InstitutionId, new_id
from storage.tables import (
    Account,
    Credential,
    Endorsement,
    Mail,
    OutboxRow,
    WebhookDelivery,
    WebhookEndpoint,
)
from storage.vocabulary import LinkPurpose, NewsKind, Role, VoiceState, WhyOff
from tests.fixtures.decided import decided_twins
from tests.fixtures.issued import ISSUER, Issued, run_corrections, run_promised
from tests.fixtures.panel import Panel
from tests.fixtures.recall import Recall
from tests.fixtures.receiver import Got, Handler, receiving, takes
from tests.fixtures.world import SITE, World
from workflows.access.rules import Actor
from workflows.endorsements.commands import answer_endorsement, withdraw_endorsement
from workflows.issuance.batches import begin_releases
from workflows.issuance.commands import change_credential
from workflows.issuance.correcting import Correction, correct_credential
from workflows.issuance.releasing import release_slice
from workflows.people.links import find_link, make_link, use_link
from workflows.people.organisations import OrganisationForm, verify_organisation
from workflows.webhooks import commands
from workflows.webhooks.announcing import announce_change
from workflows.webhooks.commands import Made, Wanted
from workflows.webhooks.queries import DeliveryView, EndpointView, deliveries_of, endpoint_of
from workflows.webhooks.rules import CHOICES, FAILING_FOR, OVERLAP, REMEMBERED, SCHEDULE
from workflows.webhooks.secrets import reseal_secrets
from workflows.webhooks.sending import Manner, promise_what_is_due, send_news
from workflows.work import Work

ALL = tuple(kind.value for kind in CHOICES)
NORTHERN = OrganisationForm("Northern Machining", "northern.example", "NO 914 782 007")
TEST = NewsKind.TEST.value
MANNER = Manner()


class House:
    """An administrator, and the endpoints they add."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.db = world.db
        self.admin = world.person(Role.ADMINISTRATOR, name="Ada Min")

    def add(self, url: str, *kinds: str, who: Actor | None = None) -> Made:
        wanted = Wanted(url, kinds or ALL, "Student records", loopback=True)
        return commands.add_endpoint(self.db, ISSUER, who or self.admin, wanted)

    def send(self, manner: Manner = MANNER, *, timeout: float = 5.0) -> int:
        """Do the promised sending; returns how many jobs there were."""
        courier = Poster(self.world.clock, loopback=True, timeout=timeout)
        return run_promised(
            self.world,
            Work.SEND_NEWS,
            lambda _, outbox_id: send_news(self.db, ISSUER, courier, outbox_id, manner),
        )

    def test(self, endpoint_id: UUID, count: int = 1) -> None:
        for _ in range(count):
            commands.send_test(self.db, self.admin, endpoint_id)

    def view(self, endpoint_id: UUID) -> EndpointView:
        with self.db.reading() as tx:
            return endpoint_of(tx, self.world.institution_id, endpoint_id)

    def deliveries(self, endpoint_id: UUID) -> list[DeliveryView]:
        """The oldest first."""
        with self.db.reading() as tx:
            return list(reversed(deliveries_of(tx, endpoint_id)))

    def rows(self) -> int:
        with self.db.reading() as tx:
            return tx.session.exec(select(func.count()).select_from(WebhookDelivery)).one()

    def looks(self) -> list[datetime]:
        """When the next looks at what waits are promised for."""
        with self.db.reading() as tx:
            return list(
                tx.session.exec(
                    select(OutboxRow.available_at).where(
                        OutboxRow.kind == Work.SEND_NEWS.value, col(OutboxRow.done_at).is_(None)
                    )
                ).all()
            )


class Telling(House):
    """A published credential, and the people around it."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.issued = Issued(world)

    def change(self, act: str, reason: str = "", note: str = "") -> None:
        change_credential(
            self.db,
            SITE,
            self.issued.registrar,
            self.issued.credential_id,
            act=act,
            reason=reason,
            note=note,
        )

    def endorsement(self) -> tuple[EndorsementId, str]:
        """One that was given, and its giver's link, used."""
        organisation_id = verify_organisation(self.db, self.issued.registrar, NORTHERN)
        endorsement_id = EndorsementId(new_id())
        with self.db.transaction() as tx:
            tx.session.add(
                Endorsement(
                    id=endorsement_id,
                    credential_id=self.issued.credential_id,
                    organisation_id=organisation_id,
                    state=VoiceState.GIVEN.value,
                    endorser_name="Eva Lund",
                    endorser_email="eva.lund@northern.example",
                    comment="We rely on her for every new part.",
                    outcome_codes=["X"],
                    asked_at=tx.now,
                    given_at=tx.now,
                )
            )
            tx.session.flush()
            lifetime = timedelta(days=30)
            token = make_link(tx, LinkPurpose.ENDORSE, endorsement_id, "eva@n.example", lifetime)
            tx.session.flush()
            use_link(tx, find_link(tx, LinkPurpose.ENDORSE, token))
        return endorsement_id, token


@pytest.fixture
def house(recall: Recall) -> House:
    return recall(House)


@pytest.fixture
def telling(recall: Recall) -> Telling:
    return recall(Telling)


def signed_by(secret: str, got: Got) -> bool:
    """Whether one of the signatures is the library's own by this secret."""
    at = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
    right = Webhook(secret).sign(got.id, at, got.body.decode())
    return right in got.headers["webhook-signature"].split(" ")


def data(got: Got) -> dict[str, Any]:
    return cast(dict[str, Any], got.payload["data"])


class TestNews:
    def test_what_becomes_of_a_credential_is_told_in_words_for_programs(
        self, telling: Telling
    ) -> None:
        with receiving() as server:
            made = telling.add(server.url)
            telling.change("suspend_credential", "review", "Ana rang us.")
            telling.world.clock.advance(timedelta(minutes=1))
            telling.change("unsuspend_credential")
            telling.change("revoke_credential", "holder_asked")
            telling.send()
        kinds = [got.payload["type"] for got in server.got]
        assert sorted(map(str, kinds)) == [
            "credential.resumed",
            "credential.revoked",
            "credential.suspended",
        ]
        assert all(signed_by(made.secret, got) for got in server.got)
        told = {str(got.payload["type"]): got for got in server.got}
        suspended = told["credential.suspended"]
        address = SITE.credential(telling.issued.credential_id)
        assert data(suspended)["credential"] == {
            "id": str(telling.issued.credential_id),
            "url": address,
            "document_url": f"{address}.json",
            "state": "suspended",
            "issued_at": data(suspended)["credential"]["issued_at"],
        }
        assert data(suspended)["definition"]["code"] == telling.world.definition.code
        assert data(suspended)["reason"]["code"] == "review"
        assert "reason" not in data(told["credential.resumed"])
        assert data(told["credential.revoked"])["credential"]["state"] == "revoked"
        then = datetime.fromisoformat(str(suspended.payload["timestamp"]))
        assert then == telling.world.clock.now() - timedelta(minutes=1)

    def test_a_correction_names_both_and_the_old_one_is_told_as_revoked(
        self, telling: Telling
    ) -> None:
        old = telling.issued.credential_id
        with receiving() as server:
            telling.add(server.url)
            actor = telling.issued.registrar
            new = correct_credential(telling.db, ISSUER, actor, old, Correction("Ana M. Souza"))
            assert telling.rows() == 0
            run_corrections(telling.world)
            telling.send()
        told = {str(got.payload["type"]): data(got) for got in server.got}
        assert set(told) == {"credential.revoked", "credential.corrected"}
        assert told["credential.revoked"]["reason"]["code"] == "replaced"
        assert told["credential.revoked"]["credential"]["id"] == str(old)
        assert told["credential.corrected"]["credential"]["id"] == str(new)
        assert told["credential.corrected"]["replaces"] == {
            "id": str(old),
            "url": SITE.credential(old),
        }

    def test_an_endorsement_is_told_when_it_is_shown_and_when_it_is_not_any_more(
        self, telling: Telling
    ) -> None:
        endorsement_id, token = telling.endorsement()
        learner = telling.issued.learner
        with receiving() as server:
            telling.add(server.url)
            for answer in ("hidden", "accepted", "hidden", "accepted"):
                answer_endorsement(telling.db, learner, endorsement_id, answer)
            withdraw_endorsement(telling.db, SITE, token)
            answer_endorsement(telling.db, learner, endorsement_id, "hidden")
            telling.send()
        assert sorted(str(got.payload["type"]) for got in server.got) == [
            *["credential.endorsed"] * 2,
            *["credential.endorsement_withdrawn"] * 2,
        ]
        told = data(server.got[0])["endorsement"]
        assert told["url"] == SITE.endorsement(endorsement_id)
        assert told["organisation"]["name"] == "Northern Machining"

    def test_a_private_endorsement_is_nobodys_news(self, telling: Telling) -> None:
        endorsement_id, _ = telling.endorsement()
        with telling.db.transaction() as tx:
            tx.session.execute(update(Endorsement).values(visibility="private"))
        telling.add("http://127.0.0.1:9/news")
        answer_endorsement(telling.db, telling.issued.learner, endorsement_id, "accepted")
        assert telling.rows() == 0

    def test_no_payload_names_a_person(self, telling: Telling) -> None:
        endorsement_id, _ = telling.endorsement()
        with telling.db.reading() as tx:
            people = tx.session.exec(select(Account)).all()
        private = {word for one in people for word in (one.name, one.email, str(one.id))}
        private |= {"Eva", "Lund", "northern.example", "Ana", "Souza", "rely on her", "rang us"}
        with receiving() as server:
            telling.add(server.url)
            answer_endorsement(telling.db, telling.issued.learner, endorsement_id, "accepted")
            telling.change("suspend_credential", "review", "Ana rang us.")
            actor, old = telling.issued.registrar, telling.issued.credential_id
            correct_credential(telling.db, ISSUER, actor, old, Correction("Ana M. Souza"))
            run_corrections(telling.world)
            telling.send()
        assert len(server.got) == 4
        for got in server.got:
            text = got.body.decode()
            assert not {word for word in private if word in text}

    def test_only_the_kinds_that_were_chosen_are_told(self, telling: Telling) -> None:
        with receiving() as server:
            telling.add(server.url, "credential.revoked")
            telling.change("suspend_credential", "review")
            telling.change("revoke_credential", "holder_asked")
            telling.send()
        assert [got.payload["type"] for got in server.got] == ["credential.revoked"]

    def test_where_nobody_listens_nothing_is_written(self, telling: Telling) -> None:
        made = telling.add("http://127.0.0.1:9/news", "credential.issued")
        telling.change("suspend_credential", "review")
        commands.remove_endpoint(telling.db, telling.admin, made.endpoint_id)
        telling.change("revoke_credential", "holder_asked")
        assert telling.rows() == 0
        assert telling.looks() == []

    def test_what_was_not_kept_is_not_told(self, telling: Telling) -> None:
        telling.add("http://127.0.0.1:9/news")
        with pytest.raises(RuntimeError), telling.db.transaction() as tx:
            credential = tx.session.get_one(Credential, telling.issued.credential_id)
            announce_change(tx, credential, "revoke_credential")
            assert tx.session.exec(select(func.count()).select_from(WebhookDelivery)).one() == 1
            raise RuntimeError
        assert telling.rows() == 0
        assert telling.looks() == []


class Seven(House):
    """Seven decided cases."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.panel = Panel(world)
        self.panel.scored()
        self.panel.decide()
        twins = decided_twins(world.db, self.panel.case_id, 6)
        self.case_ids = [self.panel.case_id, *twins]


def test_a_batch_tells_each_credential_once_to_each_endpoint(recall: Recall) -> None:
    seven = recall(Seven)
    with receiving() as first, receiving() as second:
        made = seven.add(first.url)
        seven.add(second.url, "credential.issued")
        seven.add("http://127.0.0.1:9/never", "credential.revoked")
        begin_releases(seven.db, ISSUER, seven.panel.registrar, seven.case_ids)
        run_promised(
            seven.world,
            Work.RELEASE_SLICE,
            lambda subject, promise: release_slice(seven.db, ISSUER, subject, promise),
        )
        assert len(seven.looks()) == 1
        seven.send()
    with seven.db.reading() as tx:
        issued = {str(one) for one in tx.session.exec(select(Credential.id)).all()}
    for server in (first, second):
        assert sorted(data(got)["credential"]["id"] for got in server.got) == sorted(issued)
        for got in server.got:
            assert set(data(got)) == {"credential", "definition"}
            assert set(data(got)["credential"]) == {
                *("id", "url", "document_url", "state", "issued_at")
            }
    assert {got.id for got in first.got} == {got.id for got in second.got}
    assert all(signed_by(made.secret, got) for got in first.got)
    assert not any(signed_by(made.secret, got) for got in second.got)


class TestSending:
    def test_the_librarys_own_check_passes_and_fails_for_a_changed_body(self, house: House) -> None:
        house.world.clock.set(SystemClock().now())
        with receiving() as server:
            made = house.add(server.url)
            house.test(made.endpoint_id)
            house.send()
        (got,) = server.got
        checked = Webhook(made.secret).verify(got.body, dict(got.headers))
        assert checked == got.payload
        assert checked["type"] == TEST
        assert got.headers["content-type"] == "application/json"
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret).verify(got.body + b" ", dict(got.headers))

    def test_what_failed_is_tried_again_under_the_same_id_at_the_schedule(
        self, house: House
    ) -> None:
        def second_time(handler: Handler, number: int) -> None:
            handler.answer(500 if number == 1 else 200, b"<h1>Oh\x00 no</h1>\n")

        with receiving(second_time) as server:
            made = house.add(server.url)
            house.test(made.endpoint_id)
            house.send()
            (waiting,) = house.deliveries(made.endpoint_id)
            now = house.world.clock.now()
            assert waiting.state == "waiting"
            assert (waiting.attempts, waiting.last_status) == (1, 500)
            assert waiting.excerpt == "<h1>Oh no</h1>"
            assert waiting.next_at is not None
            assert SCHEDULE[1] <= waiting.next_at - now <= SCHEDULE[1] * 1.1
            assert house.view(made.endpoint_id).state == "trouble"
            house.send()
            assert len(server.got) == 1, "not before its time"
            house.world.clock.advance(timedelta(seconds=6))
            house.send()
        first, second = server.got
        assert first.id == second.id
        assert first.body == second.body
        assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
        (done,) = house.deliveries(made.endpoint_id)
        assert (done.state, done.attempts, done.trouble) == ("delivered", 2, "")
        assert house.view(made.endpoint_id).state == "on"

    def test_after_the_last_try_it_is_given_up_and_can_be_sent_again(self, house: House) -> None:
        well = False

        def ill(handler: Handler, number: int) -> None:
            handler.answer(200 if well else 503)

        with receiving(ill) as server:
            made = house.add(server.url)
            house.test(made.endpoint_id)
            began = house.world.clock.now()
            while (one := house.deliveries(made.endpoint_id)[0]).state == "waiting":
                looks = house.looks()
                house.world.clock.set(max([house.world.clock.now(), *looks]))
                house.send()
            assert (one.state, one.attempts) == ("given_up", len(SCHEDULE))
            took = house.world.clock.now() - began
            planned = sum(SCHEDULE, timedelta())
            assert planned <= took <= planned * 1.12
            assert house.looks() == []
            well = True
            commands.send_again(house.db, house.admin, made.endpoint_id, one.id)
            house.send()
        assert house.deliveries(made.endpoint_id)[0].state == "delivered"
        assert len({got.id for got in server.got}) == 1

    @pytest.mark.parametrize("how", ["drop", "slow", "nothing", "moved", "huge", "drip"])
    def test_a_receiver_that_misbehaves_costs_a_try_and_is_named(
        self, house: House, how: str
    ) -> None:
        def misbehave(handler: Handler, number: int) -> None:
            if how == "drop":
                handler.close_connection = True
            elif how == "slow":
                handler.server.stopping.wait(5)
            elif how == "moved":
                handler.answer(307, b"", Location=handler.server.url)
            elif how == "huge":
                handler.answer(500, b"x" * 10_000_000)
            elif how == "drip":
                handler.wfile.write(b"HTTP/1.0 500 Oh\r\nX: ")
                while not handler.server.stopping.wait(0.05):
                    handler.wfile.write(b"x")

        with receiving(misbehave) as server:
            url = "http://127.0.0.1:9/news" if how == "nothing" else server.url
            made = house.add(url)
            house.test(made.endpoint_id)
            house.send(timeout=0.3)
            assert len(server.got) == (0 if how == "nothing" else 1)
        (one,) = house.deliveries(made.endpoint_id)
        assert (one.state, one.attempts) == ("waiting", 1)
        words, status = {
            "drop": ("The line broke before there was an answer.", None),
            "slow": ("There was no whole answer within 15 seconds.", None),
            "drip": ("There was no whole answer within 15 seconds.", None),
            "nothing": ("Nothing accepts connections at the address.", None),
            "moved": ("It answered with another address; redirects are not followed.", 307),
            "huge": ("It answered, and did not take the news.", 500),
        }[how]
        assert (one.trouble, one.last_status) == (words, status)
        assert len(one.excerpt) <= 300

    def test_a_receiver_says_for_how_long_it_wants_to_be_left_alone(self, house: House) -> None:
        def busy(handler: Handler, number: int) -> None:
            handler.answer(429, b"", Retry_After="600")

        with receiving(busy) as server:
            made = house.add(server.url)
            house.test(made.endpoint_id, 3)
            house.send()
            assert len(server.got) == 1
            house.world.clock.advance(timedelta(seconds=590))
            house.send()
            assert len(server.got) == 1
            house.world.clock.advance(timedelta(seconds=20))
            house.send()
            assert len(server.got) == 2

    def test_thousands_for_a_dead_endpoint_cost_a_few_tries_and_keep_nobody_waiting(
        self, house: House
    ) -> None:
        def dead(handler: Handler, number: int) -> None:
            handler.answer(503)

        with receiving(dead) as lost, receiving() as well:
            dead_id = house.add(lost.url).endpoint_id
            queue(house, dead_id, 500)
            well_id = house.add(well.url).endpoint_id
            house.test(well_id, 30)
            house.send()
            assert len(well.got) == 30
            assert len(lost.got) <= 3
            for _ in range(6):
                house.world.clock.advance(timedelta(minutes=31))
                house.send()
            assert len(lost.got) <= 3 + 6
            lost.behave = takes
            house.world.clock.advance(timedelta(minutes=31))
            house.send(Manner(lines=8, most=64))
        assert len({got.id for got in lost.got}) == 500
        assert house.view(dead_id).waiting == 0

    def test_a_slow_endpoint_does_not_hold_up_another(self, house: House) -> None:
        def slow(handler: Handler, number: int) -> None:
            released.wait(10)
            handler.answer(200)

        def last(handler: Handler, number: int) -> None:
            handler.answer(200)
            if number == 20:
                released.set()

        released = threading.Event()
        with receiving(slow) as first, receiving(last) as second:
            slow_id = house.add(first.url).endpoint_id
            quick_id = house.add(second.url).endpoint_id
            house.test(slow_id)
            house.test(quick_id, 20)
            house.send(timeout=10)
        assert released.is_set()
        assert {one.state for one in house.deliveries(slow_id)} == {"delivered"}

    def test_a_second_run_of_the_same_work_sends_nothing_twice(self, house: House) -> None:
        with receiving() as server:
            made = house.add(server.url)
            house.test(made.endpoint_id)
            house.test(made.endpoint_id)
            assert house.send() == 2
        assert len(server.got) == 2
        assert house.looks() == []

    def test_what_a_round_has_in_hand_no_other_takes_until_it_went_silent(
        self, house: House
    ) -> None:
        with receiving() as server:
            made = house.add(server.url)
            house.test(made.endpoint_id)
            until = house.world.clock.now() + timedelta(seconds=90)
            with house.db.transaction() as tx:
                tx.session.execute(update(WebhookEndpoint).values(held_until=until, round=7))
            house.send()
            assert server.got == []
            assert [look.replace(microsecond=0) for look in house.looks()] == [until]
            house.world.clock.set(until)
            house.send()
        assert len(server.got) == 1

    def test_the_sweeper_promises_what_nobody_has_promised(self, house: House) -> None:
        with receiving() as server:
            made = house.add(server.url)
            assert promise_what_is_due(house.db) == 0
            queue(house, made.endpoint_id, 1)
            assert promise_what_is_due(house.db) == 1
            house.send()
        assert len(server.got) == 1


def queue(house: House, endpoint_id: UUID, count: int) -> None:
    """So many deliveries, without a promise to send them."""
    with house.db.transaction() as tx:
        rows: list[dict[str, object]] = [
            {
                "id": new_id(),
                "endpoint_id": endpoint_id,
                "news_id": new_id(),
                "kind": TEST,
                "happened_at": tx.now,
                "facts": {},
                "attempts": 0,
                "next_at": tx.now,
                "last_trouble": "",
                "last_excerpt": "",
            }
            for _ in range(count)
        ]
        write_rows(tx, WebhookDelivery, rows)


class TestSwitchedOff:
    def test_an_endpoint_that_is_gone_is_left_alone_and_administrators_are_told(
        self, house: House
    ) -> None:
        answers = [410]

        def gone(handler: Handler, number: int) -> None:
            handler.answer(answers[0])

        with receiving(gone) as server:
            made = house.add(server.url)
            house.test(made.endpoint_id, 2)
            house.send()
            assert len(server.got) == 1
            assert house.view(made.endpoint_id).state == WhyOff.GONE
            assert house.looks() == []
            (mail,) = mails(house, "News is not delivered any more")
            assert mail.recipient == house.admin.email
            assert SITE.webhook(made.endpoint_id) in mail.body
            with pytest.raises(Conflict):
                house.test(made.endpoint_id)
            answers[0] = 200
            commands.switch_on_endpoint(house.db, house.admin, made.endpoint_id)
            house.send()
        assert house.view(made.endpoint_id).waiting == 0
        assert len({got.id for got in server.got}) == 2

    def test_one_that_fails_for_five_days_is_switched_off_with_one_mail(self, house: House) -> None:
        def ill(handler: Handler, number: int) -> None:
            handler.answer(500)

        with receiving(ill) as server:
            made = house.add(server.url)
            began = house.world.clock.now()
            while house.view(made.endpoint_id).state == "trouble" or not server.got:
                house.test(made.endpoint_id)
                house.send()
                house.world.clock.advance(timedelta(hours=10))
        assert house.view(made.endpoint_id).state == WhyOff.FAILING
        assert house.world.clock.now() - began >= FAILING_FOR
        assert len(mails(house, "News is not delivered any more")) == 1

    def test_while_it_is_paused_news_waits(self, house: House) -> None:
        with receiving() as server:
            made = house.add(server.url)
            house.test(made.endpoint_id)
            commands.pause_endpoint(house.db, house.admin, made.endpoint_id)
            house.send()
            assert server.got == []
            with pytest.raises(Conflict):
                commands.pause_endpoint(house.db, house.admin, made.endpoint_id)
            commands.switch_on_endpoint(house.db, house.admin, made.endpoint_id)
            with pytest.raises(Conflict):
                commands.switch_on_endpoint(house.db, house.admin, made.endpoint_id)
            house.send()
        assert len(server.got) == 1


def mails(house: House, subject: str) -> list[Mail]:
    with house.db.reading() as tx:
        return list(tx.session.exec(select(Mail).where(Mail.subject == subject)).all())


class TestKeeping:
    def test_a_new_secret_signs_beside_the_earlier_one_for_a_day(self, house: House) -> None:
        with receiving() as server:
            first = house.add(server.url)
            second = commands.rotate_secret(house.db, ISSUER, house.admin, first.endpoint_id)
            house.test(first.endpoint_id)
            house.send()
            house.world.clock.advance(OVERLAP)
            house.test(first.endpoint_id)
            house.send()
        during, after = server.got
        assert first.secret != second.secret
        assert all(re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", one.secret) for one in (first, second))
        assert signed_by(first.secret, during) and signed_by(second.secret, during)
        assert signed_by(second.secret, after) and not signed_by(first.secret, after)

    def test_secrets_are_sealed_at_rest_and_resealed_with_the_keys(self, house: House) -> None:
        anew = replace(ISSUER, key_secret="another secret of these tests", earlier_secret="")
        both = replace(anew, earlier_secret=ISSUER.key_secret)
        with receiving() as server:
            made = house.add(server.url)
            commands.rotate_secret(house.db, ISSUER, house.admin, made.endpoint_id)
            with house.db.reading() as tx:
                kept = tx.session.exec(select(WebhookEndpoint)).one()
                assert made.secret.encode() not in bytes(kept.sealed_secret)
            with pytest.raises(BadKey):
                reseal_secrets(house.db, anew, SYSTEM)
            assert reseal_secrets(house.db, both, SYSTEM) == 1
            assert reseal_secrets(house.db, both, SYSTEM) == 0
            house.test(made.endpoint_id)
            house.send()
            assert server.got == []
            (one,) = house.deliveries(made.endpoint_id)
            assert one.trouble == "The secret could not be opened here, so nothing was sent."
            house.world.clock.advance(timedelta(seconds=6))
            courier = Poster(house.world.clock, loopback=True)
            run_promised(
                house.world,
                Work.SEND_NEWS,
                lambda _, outbox_id: send_news(house.db, anew, courier, outbox_id),
            )
        assert signed_by(made.secret, server.got[0])

    def test_everything_since_a_moment_can_be_sent_again(self, house: House) -> None:
        with receiving() as server:
            made = house.add(server.url)
            house.test(made.endpoint_id)
            house.world.clock.advance(timedelta(hours=1))
            since = house.world.clock.now()
            house.test(made.endpoint_id, 2)
            house.send()
            again = commands.send_again_since(house.db, house.admin, made.endpoint_id, since)
            assert again == 2
            house.send()
        ids = [got.id for got in server.got]
        assert (len(ids), len(set(ids))) == (5, 3)

    def test_old_news_and_what_is_left_of_removed_endpoints_is_forgotten(
        self, house: House
    ) -> None:
        kept = house.add("http://127.0.0.1:9/a").endpoint_id
        removed = house.add("http://127.0.0.1:9/b").endpoint_id
        house.test(kept)
        house.test(removed)
        commands.remove_endpoint(house.db, house.admin, removed)
        assert commands.forget_old_news(house.db) == 1
        with house.db.reading() as tx:
            assert tx.session.exec(select(WebhookEndpoint.id)).all() == [kept]
        house.world.clock.advance(REMEMBERED + timedelta(seconds=1))
        assert commands.forget_old_news(house.db) == 1
        assert house.rows() == 0

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "works.example/news",
            "http://works.example/news",
            "https://10.0.0.7/news",
            "https://[::1]/news",
            "https://intranet/news",
            "https://ada@works.example/news",
            "ftp://works.example/",
            "https://works.example/" + "x" * 500,
        ],
    )
    def test_an_address_that_cannot_be_used_is_refused(self, house: House, url: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            commands.add_endpoint(house.db, ISSUER, house.admin, Wanted(url, ALL))
        assert [one.field for one in caught.value.problems] == ["url"]

    def test_who_is_no_administrator_here_does_nothing(self, house: House) -> None:
        made = house.add("http://127.0.0.1:9/news")
        registrar = house.world.person(Role.REGISTRAR)
        elsewhere = replace(house.admin, institution_id=InstitutionId(new_id()))
        acts: list[Callable[[Actor], object]] = [
            lambda who: commands.rotate_secret(house.db, ISSUER, who, made.endpoint_id),
            lambda who: commands.remove_endpoint(house.db, who, made.endpoint_id),
            lambda who: commands.send_test(house.db, who, made.endpoint_id),
        ]
        for act in acts:
            with pytest.raises(Forbidden):
                act(registrar)
            with pytest.raises(NotFound):
                act(elsewhere)
        with pytest.raises(NotFound):
            commands.send_again(house.db, house.admin, made.endpoint_id, new_id())

    def test_there_are_not_more_endpoints_than_anybody_needs(self, house: House) -> None:
        for number in range(20):
            house.add(f"http://127.0.0.1:9/{number}")
        with pytest.raises(TooMany):
            house.add("http://127.0.0.1:9/more")

    def test_nor_when_many_are_added_at_once(self, house: House) -> None:
        for number in range(16):
            house.add(f"http://127.0.0.1:9/{number}")

        def add(number: int) -> bool:
            try:
                return bool(house.add(f"http://127.0.0.1:9/more/{number}"))
            except TooMany:
                return False

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(add, range(8))) == 4
