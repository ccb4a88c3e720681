"""Object lock on stores that are not like ours: none, a longer one, and one we may not pass by."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore.stub import Stubber

from storage.vault import StillLocked, StoreAddress, StoreAway, client
from storage.vault.locking import has_versions, lock, remove

ADDRESS = StoreAddress(
    endpoint_url="http://127.0.0.1:9",
    bucket="evidence",
    access_key_id="key",
    secret_access_key="secret",
)
UNTIL = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def store() -> Iterator[Stubber]:
    """A client whose answers are written down beforehand; all of them must be asked for."""
    with Stubber(client.connect(ADDRESS)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["NotImplemented", "InvalidRequest", "MethodNotAllowed"])
def test_a_store_without_locks_says_so(store: Stubber, code: str) -> None:
    store.add_client_error("put_object_retention", code)
    assert not lock(store.client, "evidence", "sealed/a", UNTIL)


def test_a_longer_lock_stays(store: Stubber) -> None:
    store.add_client_error("put_object_retention", "AccessDenied")
    longer = {"Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": UNTIL + timedelta(days=1)}}
    store.add_response("get_object_retention", longer)
    assert lock(store.client, "evidence", "sealed/a", UNTIL)


def test_a_key_that_may_not_lock_does_not_lock(store: Stubber) -> None:
    store.add_client_error("put_object_retention", "AccessDenied")
    store.add_client_error("get_object_retention", "AccessDenied")
    assert not lock(store.client, "evidence", "sealed/a", UNTIL)


def test_a_store_that_stumbles_is_away_and_not_without_locks(store: Stubber) -> None:
    store.add_client_error("put_object_retention", "InternalError", http_status_code=400)
    with pytest.raises(StoreAway):
        lock(store.client, "evidence", "sealed/a", UNTIL)
    store.add_client_error("get_bucket_versioning", "InternalError", http_status_code=400)
    with pytest.raises(StoreAway):
        has_versions(store.client, "evidence")


def test_a_store_that_knows_no_versions_has_none(store: Stubber) -> None:
    store.add_client_error("get_bucket_versioning", "NotImplemented")
    assert not has_versions(store.client, "evidence")
    store.add_response("get_bucket_versioning", {"Status": "Suspended"})
    assert has_versions(store.client, "evidence")


def test_all_versions_and_marks_of_one_key_go_and_no_others(store: Stubber) -> None:
    found = {
        "Versions": [{"Key": "a", "VersionId": "1"}, {"Key": "ab", "VersionId": "2"}],
        "DeleteMarkers": [{"Key": "a", "VersionId": "3"}, {"Key": "ab", "VersionId": "4"}],
    }
    store.add_response("list_object_versions", found)
    for version in ("1", "3"):
        told = {"Bucket": "evidence", "Key": "a", "VersionId": version}
        store.add_response("delete_object", {}, {**told, "BypassGovernanceRetention": True})
    remove(store.client, "evidence", "a", versions=True)


def test_a_lock_that_we_may_not_pass_by_is_waited_for(store: Stubber) -> None:
    store.add_response("list_object_versions", {"Versions": [{"Key": "a", "VersionId": "1"}]})
    store.add_client_error("delete_object", "AccessDenied")
    with pytest.raises(StillLocked, match="until their lock ends"):
        remove(store.client, "evidence", "a", versions=True)
