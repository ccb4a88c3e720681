"""Keys, their texts, their seals, and the DID documents that publish them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.did import (
    PublishedKey,
    build_did_document,
    did_web,
    did_web_url,
    find_method,
    resolve_did,
)
from credentials.digests import is_sha256, multibase_sha256, sha256_from_multibase
from credentials.documents import JsonObject
from credentials.errors import BadKey, CannotFetch, Malformed, NotYetReadable
from credentials.keys import (
    did_key,
    generate_ed25519,
    open_private,
    private_from_seed,
    public_from_multibase,
    public_multibase,
    seal_private,
    seed_of,
)
from credentials.multibase import from_base58, from_base64url, to_base58, to_base64url
from tests.fixtures.badges import DID, KEY, METHOD, Web, did_document, web

SECRET = "a secret of the environment"


@given(st.binary(max_size=80))
def test_multibase_texts_read_back(data: bytes) -> None:
    assert from_base58(to_base58(data)) == data
    assert from_base64url(to_base64url(data)) == data


@pytest.mark.parametrize("text", ["", "m", "z0", "zI", "zé", "z" + "2" * 2000])
def test_other_texts_are_not_base58(text: str) -> None:
    with pytest.raises(Malformed):
        from_base58(text)


@pytest.mark.parametrize("text", ["", "zAAAA", "uA", "uAA==", "uAA+/", "uAB", "ué", "uA A"])
def test_other_texts_are_not_base64url(text: str) -> None:
    with pytest.raises(Malformed):
        from_base64url(text)


@given(st.binary(min_size=32, max_size=32))
def test_a_digest_is_the_same_in_both_of_its_forms(digest: bytes) -> None:
    text = multibase_sha256(digest.hex())
    assert text.startswith("uEi")
    assert sha256_from_multibase(text) == digest.hex()
    assert sha256_from_multibase(to_base58(b"\x12\x20" + digest)) == digest.hex()


def test_the_digest_of_nothing_is_the_known_one() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert multibase_sha256(empty) == "uEiDjsMRCmPwcFJr79MiZb7kkJ65B5GSbk0yklZkbeFK4VQ"


@pytest.mark.parametrize("digest", ["", "AB" * 32, "ab" * 31, "zz" * 32, "ab" * 32 + "\n"])
def test_other_texts_are_no_digest(digest: str) -> None:
    assert not is_sha256(digest)
    with pytest.raises(Malformed):
        multibase_sha256(digest)


@pytest.mark.parametrize("data", [b"", b"\x12\x20" + b"x" * 31, b"\x13\x20" + b"x" * 32])
def test_other_multihashes_are_no_sha256(data: bytes) -> None:
    with pytest.raises(Malformed):
        sha256_from_multibase(to_base64url(data))


def test_a_key_is_named_as_the_standard_names_it() -> None:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    key = private_from_seed(seed)
    assert public_multibase(key).startswith("z6Mk")
    assert did_key(key) == did_key(key.public_key())
    raw = public_from_multibase(public_multibase(key)).public_bytes_raw().hex()
    assert raw == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def test_a_sealed_key_opens_with_its_secret_and_name() -> None:
    key = generate_ed25519()
    sealed = seal_private(seed_of(key), SECRET, "key-1")
    assert seed_of(open_private(sealed, SECRET, "key-1")) == seed_of(key)
    assert sealed != seal_private(seed_of(key), SECRET, "key-1")


@pytest.mark.parametrize(
    ("secret", "name"), [("another secret of the house", "key-1"), (SECRET, "key-2")]
)
def test_a_sealed_key_opens_with_nothing_else(secret: str, name: str) -> None:
    sealed = seal_private(seed_of(KEY), SECRET, "key-1")
    with pytest.raises(BadKey, match="does not open"):
        open_private(sealed, secret, name)


@pytest.mark.parametrize("sealed", ["", "v1.", "v1.AAAA", "v1.é", "v2." + "A" * 80, "v1.A"])
def test_a_damaged_seal_is_said_to_be_damaged(sealed: str) -> None:
    with pytest.raises(BadKey, match="damaged"):
        open_private(sealed, SECRET)


def test_a_short_secret_seals_nothing() -> None:
    with pytest.raises(BadKey, match="16 characters"):
        seal_private(seed_of(KEY), "short")


def test_a_seed_has_32_bytes() -> None:
    with pytest.raises(BadKey, match="32 bytes"):
        seal_private(b"short", SECRET)


@pytest.mark.parametrize("text", ["", "x", "z6Mk", to_base58(b"\x80\x24" + b"x" * 33)])
def test_other_keys_are_not_ed25519(text: str) -> None:
    with pytest.raises(BadKey):
        public_from_multibase(text)


@pytest.mark.parametrize(
    ("address", "did", "document"),
    [
        ("https://a.example", "did:web:a.example", "https://a.example/.well-known/did.json"),
        ("https://a.example/", "did:web:a.example", "https://a.example/.well-known/did.json"),
        (
            "http://127.0.0.1:8000",
            "did:web:127.0.0.1%3A8000",
            "https://127.0.0.1:8000/.well-known/did.json",
        ),
        (
            "https://a.example:8443/orgs/4",
            "did:web:a.example%3A8443:orgs:4",
            "https://a.example:8443/orgs/4/did.json",
        ),
    ],
)
def test_a_did_web_says_where_its_document_is(address: str, did: str, document: str) -> None:
    assert did_web(address) == did
    assert did_web_url(did) == document


@pytest.mark.parametrize(
    "did",
    [
        "did:key:z6Mk",
        "did:web:",
        "did:web:a.example:",
        "did:web:a.example::x",
        "did:web:a.example%2Fx",
        "did:web:a.example%40b.example",
        "did:web:a.example:..:x",
        "did:web:a.example:%2E%2E",
        "did:web:a.example/x",
        "did:web:a.example#key",
        "https://a.example",
    ],
)
def test_other_names_are_no_did_web(did: str) -> None:
    with pytest.raises(Malformed):
        did_web_url(did)


def test_an_address_without_a_host_has_no_did() -> None:
    with pytest.raises(Malformed):
        did_web("/credentials")


def test_current_and_retired_keys_may_all_assert() -> None:
    keys = [PublishedKey("key-1", public_multibase(KEY)), PublishedKey("key-2", did_key(KEY)[8:])]
    document = build_did_document(DID, keys)
    for key in keys:
        method = find_method(document, f"{DID}#{key.fragment}")
        assert method.may_assert
        assert method.controller == DID


def test_a_did_web_is_fetched_and_must_be_its_own() -> None:
    assert resolve_did(DID, web()) == did_document()
    other = Web({did_web_url("did:web:b.example"): web().documents[did_web_url(DID)]})
    with pytest.raises(Malformed, match="another's"):
        resolve_did("did:web:b.example", other)
    with pytest.raises(CannotFetch):
        resolve_did("did:web:c.example", other)


def test_a_did_key_needs_no_fetching() -> None:
    name = did_key(KEY)
    document = resolve_did(name, Web({}))
    method = find_method(document, f"{name}#{public_multibase(KEY)}")
    assert method.public_multibase == public_multibase(KEY)


@pytest.mark.parametrize("did", ["did:key:zQ3s", "did:jwk:eyJ", "did:ethr:0x1", "https://a"])
def test_other_dids_are_not_read_yet(did: str) -> None:
    with pytest.raises(NotYetReadable):
        resolve_did(did, Web({}))


def method(**more: object) -> JsonObject:
    """A DID document with one method, changed."""
    document = did_document()
    document["verificationMethod"] = [
        {
            "id": METHOD,
            "type": "Multikey",
            "controller": DID,
            "publicKeyMultibase": public_multibase(KEY),
            **more,
        }  # type: ignore[dict-item]
    ]
    return document


@pytest.mark.parametrize(
    "document",
    [
        method(type="JsonWebKey"),
        method(publicKeyMultibase="z6Mk"),
        method(id="did:web:a.example#other"),
        {**did_document(), "assertionMethod": [method()["verificationMethod"][0]]},  # type: ignore[index, call-overload]
    ],
    ids=["another kind", "no key", "another name", "listed twice"],
)
def test_a_key_that_is_not_clearly_there_is_not_found(document: JsonObject) -> None:
    with pytest.raises(BadKey):
        find_method(document, METHOD)


def test_a_key_may_stand_inside_assertion_method() -> None:
    document = method()
    document["assertionMethod"] = document.pop("verificationMethod")
    assert find_method(document, METHOD).may_assert


def test_the_dates_of_a_key_are_read() -> None:
    found = find_method(method(revoked="2024-01-01T00:00:00Z"), METHOD)
    assert found.revoked is not None
    assert found.revoked.year == 2024
