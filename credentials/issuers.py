"""Who signed, and how we know: what is said of a key that was found for an issuer."""

from datetime import datetime
from typing import Protocol

from credentials.parts import Part
from credentials.verdict import N_, Check, Finding


class Method(Protocol):
    """What a DID document says of a key."""

    @property
    def id(self) -> str: ...
    @property
    def controller(self) -> str: ...
    @property
    def may_assert(self) -> bool: ...
    @property
    def revoked(self) -> datetime | None: ...
    @property
    def expires(self) -> datetime | None: ...


def check_method(method: Method, created: datetime | None, issuer: str, part: Part) -> Check:
    """Whether the issuer's DID document gives this key for signing credentials at that time."""
    params = {"issuer": issuer[:200], "key": method.id[:200]}
    if method.controller != issuer:
        message = N_("The key %(key)s is controlled by somebody else than %(issuer)s.")
    elif not method.may_assert:
        message = N_("The issuer %(issuer)s does not use the key %(key)s to sign credentials.")
    elif _over(method.revoked, created) or _over(method.expires, created):
        message = N_("The key %(key)s was no longer in use when this was signed.")
    elif issuer.startswith("did:key:"):
        return issuer_is_key(issuer, part)
    else:
        message = N_("The key is published by the issuer %(issuer)s for signing credentials.")
        return part.check("issuer", Finding.PASSED, message, **params)
    return part.check("issuer", Finding.FAILED, message, **params)


def issuer_is_key(issuer: str, part: Part) -> Check:
    """What there is to say of an issuer whose name is its key."""
    message = N_("The issuer is the key itself, %(issuer)s; nothing here shows who holds it.")
    return part.check("issuer", Finding.PASSED, message, issuer=issuer[:200])


def _over(end: datetime | None, signed: datetime | None) -> bool:
    """Whether something signed then came after the end; without a date, any end is before it."""
    return end is not None and (signed is None or signed >= end)
