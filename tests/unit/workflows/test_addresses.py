"""What e-mail addresses, domains and our own addresses tell."""

import pytest

from storage.errors import InvalidInput
from storage.ids import CredentialId, DefinitionId, EndorsementId, OrganisationId, new_id
from workflows.issuance.addresses import Site
from workflows.people.addresses import (
    domain_of,
    is_free_mail,
    of_domain,
    read_address,
    read_domain,
    same_mailbox,
)


def test_an_address_is_kept_in_lower_case() -> None:
    assert read_address("  Jo.Berg@Northern.Example ") == "jo.berg@northern.example"


@pytest.mark.parametrize(
    "text",
    [
        *("", "jo", "jo@", "@northern.example", "jo@northern", "jo b@x.example", "a@b@c.example"),
        *("jo@x.example\nBcc: all@x.example", f"{'j' * 250}@x.example", "<jo@x.example>"),
    ],
)
def test_what_mail_could_not_be_sent_to_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_address(text)
    assert refused.value.problems[0].field == "email"


def test_a_domain_is_read_with_or_without_what_people_write_before_it() -> None:
    assert read_domain("@WWW.Northern.Example") == "northern.example"
    assert read_domain("@www.northern.co.uk") == "northern.co.uk"


@pytest.mark.parametrize("text", ["", "northern", "nor thern.example", "-x.example", "10.0.0.1"])
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_domain(text)


def test_a_part_of_a_domain_is_of_it_and_a_lookalike_is_not() -> None:
    assert of_domain("jo@northern.example", "northern.example")
    assert of_domain("jo@mail.northern.example", "northern.example")
    assert not of_domain("jo@notnorthern.example", "northern.example")
    assert domain_of("jo@X.example") == "x.example"


def test_free_mail_is_known() -> None:
    assert is_free_mail("jo@gmail.com")
    assert not is_free_mail("jo@northern.example")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("jo@x.example", "JO+plar@x.example", True),
        ("j.o@gmail.com", "jo@googlemail.com", True),
        ("j.o@x.example", "jo@x.example", False),
        ("jo@x.example", "jo@y.example", False),
    ],
)
def test_two_spellings_of_one_mailbox_are_known(one: str, other: str, same: bool) -> None:
    assert same_mailbox(one, other) is same


def test_our_addresses_begin_with_the_site_and_our_did_follows_from_it() -> None:
    site = Site("http://127.0.0.1:8000")
    some = new_id()
    assert site.did() == "did:web:127.0.0.1%3A8000"
    assert site.did(OrganisationId(some)) == f"did:web:127.0.0.1%3A8000:organisations:{some}"
    assert site.did_document() == "http://127.0.0.1:8000/.well-known/did.json"
    assert site.did_document(OrganisationId(some)).endswith(f"/organisations/{some}/did.json")
    assert site.credential(CredentialId(some)).endswith(f"/credentials/{some}")
    assert site.evidence(CredentialId(some), "x1").endswith(f"/credentials/{some}/evidence/x1")
    assert site.achievement(DefinitionId(some)).endswith(f"/achievements/{some}")
    assert site.endorsement(EndorsementId(some)).endswith(f"/endorsements/{some}")
    assert site.status_list(some).endswith(f"/status/{some}")


def test_an_address_of_ours_is_known_by_host_and_port() -> None:
    site = Site("http://127.0.0.1:8000")
    assert site.path_of("http://127.0.0.1:8000/status/1") == "/status/1"
    assert site.path_of("https://127.0.0.1:8000/.well-known/did.json") == "/.well-known/did.json"
    assert site.path_of("http://127.0.0.1:8000") == "/"
    assert site.path_of("http://127.0.0.1:9000/status/1") is None
    assert Site("https://a.example").path_of("http://a.example/status/1") is None
