"""Multibase texts: “z” for base58btc (keys, signatures) and “u” for base64url (digests, lists)."""

import base64
import binascii

from credentials.errors import Malformed

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_MANY_PAIRS = len(_PAIRS)
_CHUNK_DIGITS = 10
_CHUNK = 58**_CHUNK_DIGITS  # the most digits of a number that a processor divides at once
_MAX_BASE58 = 1024  # base58 costs the square of its length; keys and signatures have under 100


def to_base58(data: bytes) -> str:
    """`data` as multibase base58btc, “z…”."""
    number = int.from_bytes(data)
    text = ""
    while number:
        number, rest = divmod(number, _CHUNK)
        rest, fifth = divmod(rest, _MANY_PAIRS)
        rest, fourth = divmod(rest, _MANY_PAIRS)
        rest, third = divmod(rest, _MANY_PAIRS)
        first, second = divmod(rest, _MANY_PAIRS)
        text = (
            _PAIRS[first] + _PAIRS[second] + _PAIRS[third] + _PAIRS[fourth] + _PAIRS[fifth] + text
        )
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "z" + _ALPHABET[0] * zeros + text.lstrip(_ALPHABET[0])


def from_base58(text: str) -> bytes:
    """The bytes of a multibase base58btc text. Raises Malformed."""
    if not text.startswith("z") or len(text) > _MAX_BASE58:
        raise Malformed("A base58btc text begins with “z” and is short.")
    number = 0
    try:
        for start in range(1, len(text), _CHUNK_DIGITS):
            chunk = 0
            letters = text[start : start + _CHUNK_DIGITS]
            for letter in letters:
                chunk = chunk * 58 + _VALUES[letter]
            number = number * 58 ** len(letters) + chunk
    except KeyError:
        raise Malformed("A base58btc text has a character that does not belong in it.") from None
    zeros = len(text) - 1 - len(text[1:].lstrip(_ALPHABET[0]))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)


def to_base64url(data: bytes) -> str:
    """`data` as multibase base64url without padding, “u…”."""
    return "u" + base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def from_base64url(text: str) -> bytes:
    """The bytes of a multibase base64url text. Raises Malformed.

    Only the one spelling that `to_base64url` makes is accepted.
    """
    try:
        body = text[1:].encode("ascii")
        data = base64.b64decode(body + b"=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Malformed("A base64url text has a character that does not belong in it.") from None
    if to_base64url(data) != text:
        raise Malformed("A base64url text begins with “u” and has no padding.")
    return data
