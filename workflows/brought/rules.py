"""What a credential from elsewhere says of itself, and whether it can be kept. Pure.

Nothing here is trusted: what was found of it stands beside it, in words.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

from credentials.claims import hashed_identity
from credentials.dates import read_instant
from credentials.did import did_web_url
from credentials.documents import JsonObject, JsonValue, as_list, id_of, types_of
from credentials.errors import CredentialError
from credentials.jwt import is_token
from credentials.reading import document_of, read_secured
from credentials.schema import ACHIEVEMENT_TYPES
from credentials.verdict import Check, Finding, Verdict
from storage.errors import InvalidInput, TooMany
from workflows.writing import is_seen, one_line

MOST_KEPT = 200
MOST_BYTES = 20 * 1024 * 1024
LONGEST_TITLE = 200
_SIGNED = ("signature", "issuer")
_DECISIVE = ("well_formed", *_SIGNED)
UNSURE = (
    "It cannot be told now whether its issuer signed this, so it does not replace the form that is "
    "kept, which they signed."
)


@dataclass(frozen=True)
class Brought:
    """A credential that somebody brings, as it describes itself; `body` is letter for letter."""

    body: str
    document: JsonObject
    is_token: bool
    issuer: str
    id: str
    title: str
    issuer_name: str
    issuer_place: str
    valid_from: datetime | None

    @property
    def same_as(self) -> str:
        """Equal for what the specification calls the same credential: equal issuer and id."""
        return hashlib.sha256(f"{_plain(self.issuer)}\n{_plain(self.id)}".encode()).hexdigest()


def read_brought(data: bytes, *, as_token: bool) -> Brought:
    """The credential in a body: a JSON document, or a signed token where it is one.

    Raises InvalidInput for what is no Open Badge of version 3, and for what can have no name.
    """
    if is_token(data) is not as_token:
        raise InvalidInput(
            "Send a signed token (JWT) as text/plain, and a credential with its proof in it as "
            "application/json."
        )
    try:
        document = _document(data)
        issuer, own_id = id_of(document.get("issuer")), id_of(document)
        valid_from = read_instant(document, _begins(document))
    except CredentialError as error:
        raise InvalidInput(error.message, error.params) from None
    if not ACHIEVEMENT_TYPES & set(types_of(document)):
        raise InvalidInput("This is not an Open Badge of version 3: it has no such type.")
    if not issuer or not own_id:
        raise InvalidInput("A credential needs an id, and an issuer that has one.")
    subject = _object(document.get("credentialSubject"))
    return Brought(
        body=data.decode(),
        document=document,
        is_token=as_token,
        issuer=issuer,
        id=own_id,
        title=_said(document) or _said(subject.get("achievement")),
        issuer_name=_said(document.get("issuer")),
        issuer_place=_place(issuer),
        valid_from=valid_from,
    )


def fit_to_keep(verdict: Verdict) -> None:
    """Return when it can be kept, whatever else is found: it is whole, and nobody but its issuer
    signed it, as far as can be told.

    Raises InvalidInput with the verifier's words.
    """
    for check in verdict.checks:
        if check.code in _DECISIVE and check.outcome is Finding.FAILED:
            raise InvalidInput(check.message, check.params)


def fit_to_replace(verdict: Verdict, kept: Verdict) -> None:
    """Return when it can take the place of what is kept: it is as surely its issuer's.

    Raises InvalidInput: else anybody could push a good credential out, by its name.
    """
    if _surely_signed(kept) and not _surely_signed(verdict):
        raise InvalidInput(UNSURE)


def room_for(count: int, size: int) -> None:
    """Return when one more credential fits. Raises TooMany."""
    if count >= MOST_KEPT or size > MOST_BYTES:
        raise TooMany(
            "There is room for %(count)s credentials from elsewhere, of %(size)s MB together. "
            "Remove one that is not needed first.",
            {"count": MOST_KEPT, "size": MOST_BYTES // 1024**2},
        )


def is_newer(brought: datetime | None, kept: datetime | None) -> bool:
    """Whether what is brought replaces what is kept: it is not older by its own date."""
    return brought is None or kept is None or brought >= kept


def names_holder(document: JsonObject, email: str) -> bool | None:
    """Whether it was issued to this address; None where it names no address.

    It is what the credential says, and no proof that the two are one person.
    """
    told = [*_addresses(_object(document.get("credentialSubject")), email)]
    return any(told) if told else None


def kept_verdict(verdict: Verdict) -> dict[str, object]:
    """The checks as they are kept: their words are filled and translated when they are read."""
    return {
        "checks": [
            {
                "code": check.code,
                "subject": check.subject,
                "outcome": check.outcome.value,
                "message": check.message,
                "params": dict(check.params),
            }
            for check in verdict.checks
        ]
    }


def read_verdict(kept: Mapping[str, object]) -> Verdict:
    """The verdict that was kept."""
    checks = kept.get("checks")
    listed: Sequence[object] = checks if isinstance(checks, list) else []
    return Verdict(tuple(_check(one) for one in listed if isinstance(one, dict)))


def _surely_signed(verdict: Verdict) -> bool:
    found = [check.outcome for check in verdict.checks if check.code in _SIGNED]
    return bool(found) and all(outcome is Finding.PASSED for outcome in found)


def _check(kept: Mapping[str, object]) -> Check:
    params = kept.get("params")
    filled = params.items() if isinstance(params, dict) else ()
    return Check(
        code=str(kept["code"]),
        subject=str(kept["subject"]),
        outcome=Finding(str(kept["outcome"])),
        message=str(kept["message"]),
        params={str(name): str(value) for name, value in filled},
    )


def _document(data: bytes) -> JsonObject:
    secured = read_secured(data)
    if not is_token(data) and not isinstance(secured, dict):
        raise InvalidInput("Send the token that is in this envelope, as text/plain.")
    return document_of(secured)


def _begins(document: JsonObject) -> str:
    """Where its date of issue stands: version 1 of the data model has another name for it."""
    return "issuanceDate" if "validFrom" not in document else "validFrom"


def _addresses(subject: JsonObject, email: str) -> Iterator[bool]:
    """For each e-mail address it names, open or hashed: whether it is this one."""
    for one in as_list(subject.get("identifier")):
        identity = _object(one)
        said, salt = identity.get("identityHash"), identity.get("salt")
        if identity.get("identityType") not in {"emailAddress", "email"}:
            continue
        if identity.get("hashed") is True:
            salted = salt if isinstance(salt, str) else ""
            yield said == hashed_identity("emailAddress", email, salted).value
        else:
            yield isinstance(said, str) and said.strip().lower() == email


def _plain(name: str) -> str:
    return unquote(name).strip()


def _object(node: JsonValue) -> JsonObject:
    return node if isinstance(node, dict) else {}


def _said(node: JsonValue) -> str:
    """What a thing calls itself, in characters that can be seen."""
    name = _object(node).get("name")
    if isinstance(name, dict):  # one text for each language
        name = next((text for text in name.values() if isinstance(text, str)), None)
    return _seen(name) if isinstance(name, str) else ""


def _seen(text: str) -> str:
    return "".join(one for one in one_line(text) if is_seen(one))[:LONGEST_TITLE]


def _place(issuer: str) -> str:
    """The site that answers for an issuer; empty for a key that anybody may have made."""
    try:
        url = did_web_url(issuer) if issuer.startswith("did:web:") else issuer
        return _seen(urlsplit(url).netloc)
    except (CredentialError, ValueError):
        return ""
