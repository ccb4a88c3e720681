"""Status lists: a million credentials' lists built and checked, and how soon a change is out.

The second is measured with a relay and a worker that run as they do in production: from the commit
of a suspension until the signed list that anybody fetches has the bit.
"""

import gzip
import random
import statistics
import time
from collections.abc import Iterator

from sqlmodel import select

from bench.house import House, house
from bench.measure import SECONDS, Result, compared
from credentials.documents import JsonObject, load_json
from credentials.proofs import add_proof, check_proof
from credentials.status_list import (
    LENGTH,
    build_status_entry,
    build_status_list_credential,
    decode_bits,
    get_bit,
    read_status,
)
from storage.tables import Credential
from storage.vocabulary import CredentialState, StatusPurpose
from tests.fixtures.badges import ISSUED, KEY, METHOD
from tests.fixtures.issued import Issued
from tests.fixtures.world import SITE
from workflows.issuance.commands import change_credential, publish_changes
from workflows.issuance.published import published_list
from workflows.issuance.rules import Reason
from workflows.issuance.status import place_of

CREDENTIALS = 1_000_000
REVOKED = 0.01
ISSUER = METHOD.partition("#")[0]
CHANGES = 40
GOAL_SECONDS = 1.0
LONGEST_SECONDS = 60


def results() -> Iterator[Result]:
    """Lists built and checked, and the time from a change to its publication."""
    yield from _a_million()
    with house(issue_workers=1) as place:
        yield from _soon(place)


def _a_million() -> Iterator[Result]:
    lists = -(-CREDENTIALS // LENGTH)
    chance = random.Random(1)  # noqa: S311  # no secret: the same lists each time
    bits = [_bits(chance) for _ in range(lists)]
    began = time.perf_counter()
    signed = [_signed(number, one) for number, one in enumerate(bits)]
    built = time.perf_counter() - began
    began = time.perf_counter()
    for one in bits:
        gzip.compress(one, compresslevel=9, mtime=0)
    packed = time.perf_counter() - began
    entries = f"{CREDENTIALS:,} entries"
    yield compared(
        f"{entries}: lists built",
        "entries/s",
        CREDENTIALS / built,
        "gzip only",
        CREDENTIALS / packed,
    )
    began = time.perf_counter()
    told = sum(_checked(document, bits[number]) for number, document in enumerate(signed))
    checked = time.perf_counter() - began
    if told < CREDENTIALS:
        raise AssertionError(told)
    yield compared(
        f"{entries}: lists checked",
        "entries/s",
        told / checked,
        "one by one",
        _one_by_one(signed[0]),
    )


def _bits(chance: random.Random) -> bytes:
    whole = bytearray(LENGTH // 8)
    for index in chance.sample(range(LENGTH), int(LENGTH * REVOKED)):
        whole[index // 8] |= 0x80 >> (index % 8)
    return bytes(whole)


def _signed(number: int, bits: bytes) -> JsonObject:
    url = f"https://college.example/status/{number}"
    document = build_status_list_credential(url, ISSUER, "revocation", bits, valid_from=ISSUED)
    return add_proof(document, KEY, METHOD, ISSUED)


def _checked(document: JsonObject, expected: bytes) -> int:
    """Check the list's signature, unpack it and read every entry; returns how many."""
    check_proof(document, lambda _: KEY.public_key())
    subject = document["credentialSubject"]
    assert isinstance(subject, dict)
    bits = decode_bits(str(subject["encodedList"]))
    revoked = sum(get_bit(bits, index) for index in range(LENGTH))
    if bits != expected or revoked != int(LENGTH * REVOKED):
        raise AssertionError(revoked)
    return LENGTH


def _one_by_one(document: JsonObject) -> float:
    """Entries a second when each is asked for as a verifier does, signature and all."""
    entry = build_status_entry(str(document["id"]), 7, "revocation")
    count, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < SECONDS:
        check_proof(document, lambda _: KEY.public_key())
        read_status(document, entry)
        count += 1
    return count / took


def _soon(place: House) -> Iterator[Result]:
    served = Served(place)
    for name, at_once in (("at once", True), ("by the queue alone", False)):
        waits = [served.seconds_until_published(number, at_once) for number in range(CHANGES)]
        slowest = sorted(waits)[int(CHANGES * 0.95)]
        yield compared(
            f"change to list, {name}",
            "ms",
            statistics.median(waits) * 1000,
            "95 of 100 under",
            slowest * 1000,
        )
        yield compared(
            f"second over that, {name}", "x", GOAL_SECONDS / slowest, "needed", 1, goal=1.0
        )


class Served(Issued):
    """A credential that was issued by the house's own worker."""

    def __init__(self, place: House) -> None:
        self.parts = place.parts
        super().__init__(place.world)
        with self.db.reading() as tx:
            taken = place_of(tx, self.credential_id)
        assert taken is not None
        self.place = taken

    def issue(self) -> None:
        """Wait until the worker has issued it."""
        ends = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < ends:
            with self.db.reading() as tx:
                states = tx.session.exec(select(Credential.state)).all()
            if CredentialState.PUBLISHED.value in states:
                return
            time.sleep(0.05)
        raise AssertionError("The worker issues nothing.")

    def seconds_until_published(self, number: int, at_once: bool) -> float:
        """Suspend it, or lift that, and wait for the list to say so."""
        suspend = number % 2 == 0
        act = "suspend_credential" if suspend else "unsuspend_credential"
        reason = Reason.REVIEW.value if suspend else ""
        began = time.perf_counter()
        change_credential(self.db, SITE, self.registrar, self.credential_id, act=act, reason=reason)
        if at_once:
            publish_changes(self.db, self.parts.issuer, self.credential_id)
        while self._bit() is not suspend:
            time.sleep(0.005)
        return time.perf_counter() - began

    def _bit(self) -> bool:
        list_id = dict(self.place.lists)[StatusPurpose.REVOCATION]
        with self.db.reading() as tx:
            document = load_json(published_list(tx, list_id))
        subject = document["credentialSubject"]
        assert isinstance(subject, dict)
        return get_bit(decode_bits(str(subject["encodedList"])), self.place.index)
