"""What a program may ask for, and what it must say of itself to be registered. Pure.

The table of the Open Badges specification 3.0 ("Register with Authorization Server") and RFC 7591.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from storage.errors import InvalidInput, Problem
from workflows.words import marked
from workflows.writing import is_seen

_OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/scope/"


class ProgramScope(StrEnum):
    """What a program may be allowed, by the names that Open Badges 3.0 gives."""

    READ_CREDENTIALS = f"{_OPEN_BADGES}credential.readonly"
    BRING_CREDENTIALS = f"{_OPEN_BADGES}credential.upsert"
    READ_PROFILE = f"{_OPEN_BADGES}profile.readonly"
    CHANGE_PROFILE = f"{_OPEN_BADGES}profile.update"
    STAY = "offline_access"
    """opens nothing; whether a program stays connected is in what it registered"""


class GrantType(StrEnum):
    """How a program gets its tokens."""

    CODE = "authorization_code"
    REFRESH = "refresh_token"


class WhyEnded(StrEnum):
    """Why a program may do nothing any more."""

    WITHDRAWN = "withdrawn"
    """the learner ended it"""
    GIVEN_BACK = "given_back"
    """the program itself ended it"""
    SHOWN_TWICE = "shown_twice"
    """a code or a refresh token was shown a second time: somebody else has it too"""
    CROWDED_OUT = "crowded_out"
    """the same program was connected too often"""
    PASSWORD = "password"  # noqa: S105  # a word
    """the password was changed, or the account disabled"""


CODE_LIVES = timedelta(minutes=10)
ACCESS_LIVES = timedelta(hours=1)
REFRESH_LIVES = timedelta(days=90)
MOST_OF_ONE_PROGRAM = 10
UNUSED_FOR = timedelta(days=30)
"""A registration that nobody ever used is forgotten after that."""
LEFT_FOR = timedelta(days=365)
"""One that was used once, and is not any more."""
KEPT_AFTER_END = timedelta(days=30)
LONGEST_NAME = 80
LONGEST_TEXT = 200
LONGEST_URL = 1000
MOST_URIS = 10
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_URL = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|::1")
"""A name and nothing else: it comes to stand in the rules that we give to browsers."""
_INVISIBLE = marked("Write it in visible characters, at most %(most)s of them.")
_NOT_A_URL = marked(
    "Send a whole address of at most %(most)s characters that begins with https://, without a name "
    "or a password and without a part after #."
)
_ONE_HOST = marked("All addresses must be of one and the same host.")
_REDIRECTS = marked("Send between 1 and %(most)s different addresses.")
_SCOPES = marked("Ask only for scopes that this server has: %(scopes)s.")
_GRANTS = marked("Only authorization_code and refresh_token are possible here.")
_CODE_NEEDED = marked("authorization_code is needed: there is no other way to begin.")
_METHODS = marked("Only client_secret_basic, or none for a program without a secret, is possible.")
_RESPONSES = marked("Only code is possible here.")
_CONTACTS = marked("Send at most %(most)s short texts.")


@dataclass(frozen=True)
class Registration:
    """What a program says of itself. `pages` are its addresses, by their names in RFC 7591."""

    name: str
    pages: Mapping[str, str]
    redirect_uris: Sequence[str]
    software_id: str
    software_version: str
    scope: str = ""
    auth_method: str = "client_secret_basic"
    grant_types: Sequence[str] = (GrantType.CODE.value,)
    response_types: Sequence[str] = ("code",)
    contacts: Sequence[str] = ()

    @property
    def public(self) -> bool:
        """Whether it has no secret: an app on a phone, a page in a browser."""
        return self.auth_method == "none"

    def scopes(self) -> tuple[ProgramScope, ...]:
        """What it may ask for; everything where it names nothing."""
        named = self.scope.split()
        return tuple(one for one in ProgramScope if one.value in named or not named)


def fit_to_register(asked: Registration, *, loopback: bool) -> None:
    """Return when the program can be registered; `loopback`: also on the machine it runs on.

    Raises InvalidInput with a problem for each field.
    """
    problems = [
        *_texts(asked),
        *_addresses(asked, loopback=loopback),
        *_ways(asked),
    ]
    if problems:
        raise InvalidInput("This program cannot be registered so.", problems=problems)


def read_scopes(text: str) -> tuple[ProgramScope, ...]:
    """The scopes in a text, in the order of the vocabulary; unknown words open nothing."""
    named = text.split()
    return tuple(one for one in ProgramScope if one.value in named)


def write_scopes(scopes: Sequence[str]) -> str:
    """Scopes as OAuth writes them."""
    return " ".join(scopes)


def host_of(address: str) -> str:
    """The host an address leads to, for people."""
    return urlsplit(address).netloc


def same_challenge_form(challenge: str) -> bool:
    """Whether it can be the SHA-256 of a verifier (RFC 7636): 32 bytes in base64url."""
    return re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge) is not None


def _texts(asked: Registration) -> Iterator[Problem]:
    for field, text, most in (
        ("client_name", asked.name, LONGEST_NAME),
        ("software_id", asked.software_id, LONGEST_TEXT),
        ("software_version", asked.software_version, LONGEST_TEXT),
    ):
        if not text.strip() or len(text) > most or not is_seen(text):
            yield Problem(field, _INVISIBLE, {"most": most})
    if len(asked.contacts) > MOST_URIS or any(
        len(one) > LONGEST_TEXT or not is_seen(one) for one in asked.contacts
    ):
        yield Problem("contacts", _CONTACTS, {"most": MOST_URIS})


def _addresses(asked: Registration, *, loopback: bool) -> Iterator[Problem]:
    uris = asked.redirect_uris
    if not 1 <= len(uris) <= MOST_URIS or len(set(uris)) != len(uris):
        yield Problem("redirect_uris", _REDIRECTS, {"most": MOST_URIS})
        return
    named = [*asked.pages.items(), *(("redirect_uris", uri) for uri in uris)]
    bad = {field for field, address in named if not _usable(address, loopback=loopback)}
    for field in sorted(bad):
        yield Problem(field, _NOT_A_URL, {"most": LONGEST_URL})
    if bad:
        return
    hosts = {urlsplit(address).hostname or "" for _, address in named}
    if len(hosts - LOOPBACK if loopback else hosts) > 1:
        yield Problem("redirect_uris", _ONE_HOST)


def _usable(address: str, *, loopback: bool) -> bool:
    if len(address) > LONGEST_URL or not _URL.fullmatch(address) or "#" in address:
        return False
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or not _HOST.fullmatch(host) or "@" in parts.netloc:
        return False
    here = loopback and host in LOOPBACK
    return parts.scheme == "https" or (here and parts.scheme == "http")


def _ways(asked: Registration) -> Iterator[Problem]:
    if not set(asked.scope.split()) <= {one.value for one in ProgramScope}:
        yield Problem("scope", _SCOPES, {"scopes": write_scopes([*ProgramScope])})
    if not set(asked.grant_types) <= {one.value for one in GrantType}:
        yield Problem("grant_types", _GRANTS)
    elif GrantType.CODE.value not in asked.grant_types:
        yield Problem("grant_types", _CODE_NEEDED)
    if set(asked.response_types) != {"code"}:
        yield Problem("response_types", _RESPONSES)
    if asked.auth_method not in {"client_secret_basic", "none"}:
        yield Problem("token_endpoint_auth_method", _METHODS)
