"""What is written to the logs on a file's way: nothing that opens a door or names a person."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from app import logs
from app.container import Container
from storage.ids import ItemId
from storage.outbox import AlreadyDone
from storage.vault import StoreAddress, StoreAway, Vault
from tests.fixtures.api import Program, with_store
from tests.fixtures.intake import Intake, noise
from tests.fixtures.invariants import clean
from tests.fixtures.store_line import Ask, Line, Trouble

NAME = "Passport of Ana Souza.pdf"


@pytest.fixture
def web_env(web_env: dict[str, str], store_address: StoreAddress) -> dict[str, str]:
    """The application over the test's own bucket."""
    return with_store(web_env, store_address)


@pytest.fixture
def line(store_address: StoreAddress, line_to: Callable[[str], Line]) -> Line:
    """A line to the store on which things go wrong."""
    return line_to(store_address.endpoint_url)


@pytest.fixture
def container(container: Container, line: Line) -> Container:
    """The parts, with the store behind that line."""
    address = replace(container.vault.address, endpoint_url=line.url, public_endpoint_url="")
    return replace(container, vault=Vault(replace(address, tries=1)))


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """All that is logged, also what is usually left out."""
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    logs.configure("debug", stream)
    yield stream
    logs.end()
    logging.getLogger().handlers[:] = before[0]
    logging.getLogger().setLevel(before[1])


def test_logs_tell_neither_links_tokens_names_nor_addresses(
    program: Program, intake: Intake, line: Line, container: Container, written: io.StringIO
) -> None:
    body = noise(1000)
    intake.vault = container.vault
    item = program.announce(intake, body, NAME)
    program.send(item, body)
    line.goes_wrong(Trouble.BROKEN, Ask.COMPLETE)
    refused = program.call("POST", item["links"]["complete"], {"parts": [1]})
    assert refused.status_code == 503
    assert program.call("POST", item["links"]["complete"], {"parts": [2]}).status_code == 409
    assert program.call("POST", item["links"]["complete"], {"parts": [1]}).status_code == 200
    line.goes_wrong(Trouble.RESET, Ask.READ, 5)
    for _ in range(3):
        with suppress(StoreAway, AlreadyDone):
            intake.seal(ItemId(item["id"]))
    link = program.call("GET", f"{item['links']['self']}/link").json
    assert program.call("GET", "/me", headers={"Authorization": "Bearer wrong"}).status_code == 401
    said = written.getvalue()
    assert "/api/v1/evidence/<uuid:item_id>/complete" in said
    assert link is not None
    signature = link["url"].rpartition("X-Amz-Signature=")[2][:64]
    for secret in (
        program.token,
        program.token.removeprefix("assay_"),
        signature,
        "X-Amz-Signature=",
        NAME,
        "Passport",
        intake.learner.name,
        intake.learner.email,
        container.vault.address.secret_access_key,
    ):
        assert secret not in said
    clean(intake)
