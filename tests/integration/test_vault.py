"""The vault against a real store: what is signed, kept, refused, copied and read."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace

import pytest
import requests

from storage.ids import Sha256, sha256_of
from storage.vault import (
    BytesDiffer,
    KeptPart,
    ObjectChanged,
    ObjectMissing,
    SignedRequest,
    StoreAddress,
    StoreAway,
    UploadGone,
    Vault,
    plan_parts,
    sealed_key,
)
from storage.vault import sealing as sealing_module
from storage.vault.plan import MIB
from storage.vault.reading import CHUNK
from tests.fixtures.proxy import Proxy
from tests.fixtures.vault import ORIGIN

KEY = "incoming/one"


def send(request: SignedRequest, body: bytes) -> requests.Response:
    return requests.put(request.url, data=body, headers=dict(request.headers), timeout=30)


def signed(
    vault: Vault, upload: str, body: bytes, number: int = 1, seconds: int = 60
) -> SignedRequest:
    return vault.presign_part(
        KEY, upload, number, sha256=sha256_of(body), size=len(body), seconds=seconds
    )


def store(vault: Vault, body: bytes, key: str = KEY) -> None:
    vault.put_small(key, body, sha256=sha256_of(body))


def test_parts_sent_by_signed_links_become_one_object(vault: Vault) -> None:
    body = os.urandom(8 * MIB + 1000)
    plan = plan_parts(len(body))
    upload = vault.begin(KEY)
    pieces = [body[: plan.part_size], body[plan.part_size :]]
    for number, piece in enumerate(pieces, 1):
        assert send(signed(vault, upload, piece, number), piece).status_code == 200
    kept = vault.list_parts(KEY, upload)
    assert [part.size for part in kept] == list(plan.sizes())
    parts = [replace(part, sha256=sha256_of(pieces[part.number - 1])) for part in kept]
    facts = vault.complete(KEY, upload, parts)
    assert facts.size == len(body)
    assert b"".join(vault.open_stream(KEY, facts.etag)) == body


def test_the_store_tells_our_pages_the_etag_and_no_other_pages(vault: Vault) -> None:
    upload = vault.begin(KEY)
    request = signed(vault, upload, b"abc")
    asks = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "x-amz-checksum-sha256",
    }
    ours = requests.options(request.url, headers={"Origin": ORIGIN, **asks}, timeout=10)
    assert ours.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "ETag" in ours.headers["Access-Control-Expose-Headers"]
    other = requests.options(request.url, headers={"Origin": "http://evil.test", **asks}, timeout=9)
    assert "Access-Control-Allow-Origin" not in other.headers


def test_a_part_with_a_flipped_byte_is_refused_and_not_kept(vault: Vault) -> None:
    upload = vault.begin(KEY)
    answer = send(signed(vault, upload, b"good bytes"), b"goOd bytes")
    assert answer.status_code == 400
    assert "BadDigest" in answer.text
    assert vault.list_parts(KEY, upload) == ()


def test_a_part_longer_than_was_signed_is_refused(vault: Vault) -> None:
    upload = vault.begin(KEY)
    assert send(signed(vault, upload, b"ten bytes!"), b"ten bytes!!").status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("partNumber=1", "partNumber=2"),
        lambda url: url.replace("incoming/one", "incoming/two"),
        lambda url: url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"),
    ],
    ids=["another part", "another key", "a longer life"],
)
def test_a_signed_link_is_good_for_nothing_else(vault: Vault, change: Callable[[str], str]) -> None:
    upload = vault.begin(KEY)
    request = signed(vault, upload, b"abc")
    assert send(replace(request, url=change(request.url)), b"abc").status_code == 403
    assert requests.get(request.url, timeout=10).status_code in {403, 405}
    assert vault.list_parts(KEY, upload) == ()


def test_a_part_cannot_be_sent_without_its_digest(vault: Vault) -> None:
    upload = vault.begin(KEY)
    request = signed(vault, upload, b"abc")
    assert send(replace(request, headers={}), b"abc").status_code == 403


def test_an_object_cannot_be_read_without_a_signature(vault: Vault) -> None:
    store(vault, b"secret")
    address = f"{vault.address.endpoint_url}/{vault.address.bucket}/{KEY}"
    assert requests.get(address, timeout=10).status_code == 403


def test_an_upload_that_is_gone_says_so(vault: Vault) -> None:
    upload = vault.begin(KEY)
    assert [one.store_upload_id for one in vault.open_uploads()] == [upload]
    vault.abort(KEY, upload)
    vault.abort(KEY, upload)
    assert list(vault.open_uploads()) == []
    with pytest.raises(UploadGone):
        vault.list_parts(KEY, upload)


def test_completing_with_another_digest_than_was_sent_is_refused(vault: Vault) -> None:
    upload = vault.begin(KEY)
    send(signed(vault, upload, b"abc"), b"abc")
    (part,) = vault.list_parts(KEY, upload)
    with pytest.raises((BytesDiffer, StoreAway)):
        vault.complete(KEY, upload, [replace(part, sha256=sha256_of(b"other"))])
    assert vault.find(KEY) is None


def test_completing_with_a_part_that_was_never_sent_is_refused(vault: Vault) -> None:
    upload = vault.begin(KEY)
    with pytest.raises((BytesDiffer, StoreAway, UploadGone)):
        vault.complete(KEY, upload, [KeptPart(1, "0" * 32, 3)])


def test_the_list_of_parts_is_whole_however_long(vault: Vault) -> None:
    upload = vault.begin(KEY)
    with requests.Session() as session:
        for number in range(1, 1004):
            request = signed(vault, upload, b"x", number)
            answer = session.put(request.url, data=b"x", headers=dict(request.headers), timeout=10)
            assert answer.status_code == 200
    assert [part.number for part in vault.list_parts(KEY, upload)] == list(range(1, 1004))


def test_a_small_object_whose_bytes_differ_is_refused(vault: Vault) -> None:
    with pytest.raises(BytesDiffer):
        vault.put_small(KEY, b"these", sha256=sha256_of(b"those"))
    assert vault.find(KEY) is None


def test_reading_is_pinned_to_one_version(vault: Vault) -> None:
    store(vault, b"first")
    first = vault.facts(KEY)
    store(vault, b"other")
    with pytest.raises(ObjectChanged):
        list(vault.open_stream(KEY, first.etag))


def test_reading_what_is_not_there_says_so(vault: Vault) -> None:
    with pytest.raises(ObjectMissing):
        list(vault.open_stream("incoming/nothing"))
    assert vault.find("incoming/nothing") is None


@pytest.mark.parametrize("size", [5 * MIB, 66 * MIB], ids=["at once", "in parts"])
def test_a_sealed_copy_holds_the_same_bytes_under_its_digest(vault: Vault, size: int) -> None:
    body = os.urandom(MIB) * (size // MIB)
    store(vault, body)
    digest = sha256_of(body)
    assert vault.seal_copy(vault.facts(KEY), digest)
    key = sealed_key(digest)
    assert hashlib.sha256(b"".join(vault.open_stream(key))).hexdigest() == digest


def test_a_copy_in_parts_never_overwrites(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing_module, "COPIED_AT_ONCE", 0)
    monkeypatch.setattr(sealing_module, "COPY_PART", 5 * MIB)
    body = os.urandom(11 * MIB)
    store(vault, body)
    source, digest = vault.facts(KEY), sha256_of(body)
    assert vault.seal_copy(source, digest)
    key = sealed_key(digest)
    before = vault.facts(key)
    assert not vault.seal_copy(source, digest)
    assert vault.facts(key) == before
    assert list(vault.open_uploads()) == []


def test_sealed_bytes_are_never_overwritten(vault: Vault) -> None:
    digest = vault.put_sealed(b"sealed bytes")
    assert vault.put_sealed(b"sealed bytes") == digest
    before = vault.facts(sealed_key(digest))
    store(vault, b"other bytes!")
    vault.seal_copy(vault.facts(KEY), digest)
    assert vault.facts(sealed_key(digest)) == before
    assert b"".join(vault.open_stream(sealed_key(digest))) == b"sealed bytes"


def test_a_sealed_object_of_another_size_is_not_taken_for_the_copy(vault: Vault) -> None:
    store(vault, b"longer than the sealed one")
    digest = vault.put_sealed(b"short")
    with pytest.raises(StoreAway):
        vault.seal_copy(vault.facts(KEY), digest)


@pytest.mark.parametrize("in_parts", [False, True])
def test_a_source_that_changed_is_not_sealed(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, in_parts: bool
) -> None:
    if in_parts:
        monkeypatch.setattr(sealing_module, "COPIED_AT_ONCE", 0)
    store(vault, b"first")
    source = vault.facts(KEY)
    store(vault, b"other")
    with pytest.raises(ObjectChanged):
        vault.seal_copy(source, sha256_of(b"first"))
    assert vault.find(sealed_key(sha256_of(b"first"))) is None
    assert list(vault.open_uploads()) == []


def test_a_download_is_an_attachment_that_nothing_runs(vault: Vault) -> None:
    store(vault, b"<script>alert(1)</script>")
    link = vault.presign_download(KEY, "Übung.html")
    answer = requests.get(link, headers={"Range": "bytes=1-6"}, timeout=10)
    assert answer.status_code == 206
    assert answer.content == b"script"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "%C3%9Cbung.html" in answer.headers["Content-Disposition"]
    assert requests.get(link + "x", timeout=10).status_code == 403


def test_links_for_browsers_carry_the_public_address(store_address: StoreAddress) -> None:
    vault = Vault(replace(store_address, public_endpoint_url="https://files.example.org:8443"))
    assert vault.presign_download(KEY, "x").startswith("https://files.example.org:8443/")
    assert vault.browser_origin == "https://files.example.org:8443"
    upload = vault.begin(KEY)
    assert signed(vault, upload, b"abc").url.startswith("https://files.example.org:8443/")


def test_deleting_twice_is_deleting_once(vault: Vault) -> None:
    store(vault, b"x")
    vault.delete(KEY)
    vault.delete(KEY)
    assert list(vault.list_keys("incoming/")) == []


def test_keys_are_listed_by_prefix(vault: Vault) -> None:
    store(vault, b"a", "incoming/a")
    store(vault, b"bb", "incoming/b")
    digest = vault.put_sealed(b"ccc")
    assert [(one.key, one.size) for one in vault.list_keys("incoming/")] == [
        ("incoming/a", 1),
        ("incoming/b", 2),
    ]
    assert [one.key for one in vault.list_keys("sealed/")] == [sealed_key(digest)]


def test_preparing_the_bucket_again_changes_nothing(vault: Vault) -> None:
    assert vault.ensure_bucket([ORIGIN]) == ()
    vault.canary()


def test_reading_goes_on_where_a_broken_line_stopped(
    store_address: StoreAddress, vault: Vault, proxy_to: Callable[[str], Proxy]
) -> None:
    body = os.urandom(3 * CHUNK)
    store(vault, body)
    proxy = proxy_to(store_address.endpoint_url)
    proxy.cut_after, proxy.cuts_left = CHUNK + MIB, 2
    behind = Vault(replace(store_address, endpoint_url=proxy.url, tries=1))
    facts = vault.facts(KEY)
    assert b"".join(behind.open_stream(KEY, facts.etag, size=facts.size)) == body
    assert proxy.cuts == 2


def test_a_store_that_never_answers_is_away_and_says_so(
    store_address: StoreAddress, proxy_to: Callable[[str], Proxy]
) -> None:
    proxy = proxy_to(store_address.endpoint_url)
    proxy.refusing = True
    vault = Vault(replace(store_address, endpoint_url=proxy.url, tries=1))
    for act in (
        vault.canary,
        lambda: vault.begin(KEY),
        lambda: vault.list_parts(KEY, "x"),
        lambda: list(vault.open_stream(KEY, "x", size=1)),
        lambda: list(vault.list_keys("")),
        lambda: vault.find(KEY),
        lambda: vault.delete(KEY),
    ):
        with pytest.raises(StoreAway, match="away for a moment"):
            act()


def test_wrong_credentials_are_a_store_that_is_away(store_address: StoreAddress) -> None:
    vault = Vault(replace(store_address, secret_access_key="wrong"))
    with pytest.raises(StoreAway):
        vault.put_small(KEY, b"x", sha256=sha256_of(b"x"))
    assert "wrong" not in repr(vault.address)


def test_the_digest_is_checked_by_its_form() -> None:
    with pytest.raises(ValueError, match="non-hexadecimal"):
        Vault(StoreAddress(endpoint_url="http://127.0.0.1:1", bucket="abc")).presign_part(
            KEY, "u", 1, sha256=Sha256("zz"), size=1
        )
