"""Ed25519 keys: made, named (Multikey, did:key), turned to bytes and back, sealed for rest.

At rest a private key is its 32-byte seed, sealed with AES-256-GCM under a key that HKDF-SHA256
makes of a secret of the environment and a salt of its own.
"""

import base64
import binascii
import os
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from credentials.errors import BadKey, Malformed
from credentials.multibase import from_base58, to_base58

PrivateKey = Ed25519PrivateKey
PublicKey = Ed25519PublicKey


class Signer(Protocol):
    """Whatever signs with an Ed25519 key: a private key in hand, or one kept where none can read
    it."""

    def sign(self, data: bytes, /) -> bytes:
        """The 64 bytes of the signature (RFC 8032, Ed25519 itself and not its pre-hashed form)."""
        ...


_ED25519_PUBLIC = b"\xed\x01"
_SEAL = "v1."
_PURPOSE = b"assay signing key, sealed, v1"
_SHORTEST_SECRET = 16


def generate_ed25519() -> PrivateKey:
    """A new private key."""
    return Ed25519PrivateKey.generate()


def private_from_seed(seed: bytes) -> PrivateKey:
    """The private key of a 32-byte seed. Raises BadKey."""
    try:
        return Ed25519PrivateKey.from_private_bytes(seed)
    except ValueError:
        raise BadKey("An Ed25519 seed has 32 bytes.") from None


def seed_of(key: PrivateKey) -> bytes:
    """The 32 bytes a private key is made of. Keep them sealed."""
    return key.private_bytes_raw()


def public_multibase(key: PrivateKey | PublicKey) -> str:
    """The public key as Multikey text, “z6Mk…”."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return to_base58(_ED25519_PUBLIC + public.public_bytes_raw())


def public_from_multibase(text: str) -> PublicKey:
    """The Ed25519 public key of a Multikey text. Raises BadKey for anything else."""
    try:
        data = from_base58(text)
    except Malformed as error:
        raise BadKey(error.message, **error.params) from None
    if len(data) != 34 or not data.startswith(_ED25519_PUBLIC):
        raise BadKey("The key is not an Ed25519 public key.")
    return Ed25519PublicKey.from_public_bytes(data[2:])


def did_key(key: PrivateKey | PublicKey) -> str:
    """The key as an identifier that needs no publishing: “did:key:z6Mk…”."""
    return f"did:key:{public_multibase(key)}"


def seal_private(seed: bytes, secret: str, name: str = "") -> str:
    """A seed, sealed for the database.

    `name` (a key id, say) is bound into the seal: a sealed key copied into another row does not
    open there. Raises BadKey for a seed of the wrong size or a secret under 16 characters.
    """
    private_from_seed(seed)
    return seal_bytes(seed, secret, name)


def seal_bytes(data: bytes, secret: str, name: str = "") -> str:
    """Any bytes, sealed as `seal_private` seals a seed. Raises BadKey for a short secret."""
    salt, nonce = os.urandom(16), os.urandom(12)
    body = AESGCM(_sealing_key(secret, salt)).encrypt(nonce, data, name.encode())
    return _SEAL + base64.urlsafe_b64encode(salt + nonce + body).decode("ascii")


def open_private(sealed: str, secret: str, name: str = "") -> PrivateKey:
    """The private key of a seal. Raises BadKey if secret or name differ or the seal was changed."""
    return private_from_seed(open_bytes(sealed, secret, name))


def open_bytes(sealed: str, secret: str, name: str = "") -> bytes:
    """What was sealed. Raises BadKey if secret or name differ or the seal was changed."""
    try:
        data = base64.b64decode(sealed.removeprefix(_SEAL), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadKey("The sealed key is damaged.") from None
    if not sealed.startswith(_SEAL) or len(data) < 28:
        raise BadKey("The sealed key is damaged.")
    salt, nonce, body = data[:16], data[16:28], data[28:]
    try:
        return AESGCM(_sealing_key(secret, salt)).decrypt(nonce, body, name.encode())
    except InvalidTag:
        raise BadKey("The sealed key does not open with this secret.") from None


def _sealing_key(secret: str, salt: bytes) -> bytes:
    if len(secret) < _SHORTEST_SECRET:
        raise BadKey("The secret that seals keys needs at least 16 characters.")
    return HKDF(SHA256(), length=32, salt=salt, info=_PURPOSE).derive(secret.encode())
