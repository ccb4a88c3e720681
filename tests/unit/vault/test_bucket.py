"""Making the bucket on stores that are not like ours: another region, rules they do not take."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from storage.vault import StoreAddress, StoreAway, client
from storage.vault.bucket import prepare_bucket

ADDRESS = StoreAddress(
    endpoint_url="http://127.0.0.1:9",
    bucket="evidence",
    access_key_id="key",
    secret_access_key="secret",
)
ORIGINS = ["https://plar.example.org"]


@pytest.fixture
def store() -> Iterator[Stubber]:
    """A client whose answers are written down beforehand; all of them must be asked for."""
    with Stubber(client.connect(ADDRESS)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def prepare(store: Stubber, region: str = "us-east-1") -> tuple[str, ...]:
    return prepare_bucket(store.client, "evidence", region, ORIGINS)


def missing(store: Stubber) -> None:
    store.add_client_error("head_bucket", "404", http_status_code=404)


def test_a_bucket_elsewhere_is_made_where_it_belongs(store: Stubber) -> None:
    missing(store)
    where = {"LocationConstraint": "ca-central-1"}
    store.add_response(
        "create_bucket", {}, {"Bucket": "evidence", "CreateBucketConfiguration": where}
    )
    store.add_response("put_bucket_cors", {})
    store.add_response("put_bucket_lifecycle_configuration", {})
    assert prepare(store, "ca-central-1") == ()


def test_a_bucket_that_another_process_just_made_is_taken(store: Stubber) -> None:
    missing(store)
    store.add_client_error("create_bucket", "BucketAlreadyOwnedByYou", http_status_code=409)
    store.add_response("put_bucket_cors", {})
    store.add_response("put_bucket_lifecycle_configuration", {})
    assert prepare(store) == ()


@pytest.mark.parametrize("refusal", ["NotImplemented", "AccessDenied"])
def test_what_the_store_does_not_take_is_said_in_words(store: Stubber, refusal: str) -> None:
    store.add_response("head_bucket", {})
    store.add_client_error("put_bucket_cors", refusal, http_status_code=501)
    store.add_client_error("put_bucket_lifecycle_configuration", refusal, http_status_code=501)
    cors, lifecycle = prepare(store)
    assert "allow PUT from https://plar.example.org" in cors
    assert "abort incomplete multipart uploads" in lifecycle


@pytest.mark.parametrize("step", ["head_bucket", "create_bucket", "put_bucket_cors"])
def test_a_store_in_trouble_is_away(store: Stubber, step: str) -> None:
    if step == "create_bucket":
        missing(store)
    if step == "put_bucket_cors":
        store.add_response("head_bucket", {})
    store.add_client_error(step, "InternalError", http_status_code=500)
    with pytest.raises(StoreAway):
        prepare(store)
