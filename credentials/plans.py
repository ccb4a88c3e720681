"""Credentials of a batch: what they share is written and taken apart once, the rest is put in.

`assemble` and `take_apart` stay the ones who know how a credential is written and what its shape
is. A plan is made of what they make of a stand-in; it says where the few things go that differ from
learner to learner, and is kept only if it gives what they do for the credential it was made for.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from credentials.claims import CredentialClaims
from credentials.dates import write_instant
from credentials.documents import JsonObject, JsonValue
from credentials.openbadges import assemble, check_results, evidence_of, result_of, status_of
from credentials.shapes import SCHEMES, Constants, Form, Token, scheme_of, take_apart

PLANS_KEPT = 100

_HOLE = "assay-hole-"
_HOLES_BEGIN = 10**14
_LONGEST_SCHEME = 8

Planned = tuple[JsonObject, Form]
"""A credential without a proof, and the same taken apart."""


@dataclass(frozen=True)
class Plan:
    """A credential of a stand-in, and which of the values in its shape are a learner's own."""

    document: JsonObject
    subject: JsonObject
    identifiers: tuple[JsonObject, ...]
    tokens: tuple[Token, ...]
    values: tuple[str, ...]
    holes: tuple[int, ...]


class Plans:
    """The plans for credentials that share an achievement and an issuer."""

    def __init__(self, achievement: JsonObject, issuer: JsonObject, constants: Constants) -> None:
        self._achievement = achievement
        self._issuer = issuer
        self._constants = constants
        self._plans: dict[Hashable, Plan | None] = {}
        self._tokens: dict[Hashable, tuple[Token, ...]] = {}

    def write(self, claims: CredentialClaims) -> Planned | None:
        """The credential of these claims; None where it has to be written and taken apart itself.

        A plan is made when a kind of credential comes a second time. Raises Malformed if the
        claims contradict each other.
        """
        if claims.endorsements or claims.replaces or claims.source:
            return None
        own = _own(claims)
        kind = _kind(claims, own)
        plan = self._plans.get(kind)
        if plan is None:
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            met = kind in self._plans
            plan = self._plans[kind] = self._made(claims, own) if met else None
        return self._filled(plan, claims, own) if plan else None

    def _made(self, claims: CredentialClaims, own: Sequence[str]) -> Plan | None:
        """The plan for claims like these; None where one would not give the same."""
        stand_in = _stand_in(claims)
        document = assemble(stand_in, self._achievement, self._issuer)
        form = take_apart(document, self._constants)
        subject = document["credentialSubject"]
        marks = _own(stand_in)
        if form is None or not isinstance(subject, dict):
            return None
        if any(form.values.count(mark) != 1 for mark in marks):
            return None
        given = subject.get("identifier", [])
        plan = Plan(
            document,
            subject,
            tuple(one for one in given if isinstance(one, dict)) if isinstance(given, list) else (),
            form.tokens,
            tuple(form.values),
            tuple(form.values.index(mark) for mark in marks),
        )
        written = assemble(claims, self._achievement, self._issuer)
        same = written, take_apart(written, self._constants)
        return plan if self._filled(plan, claims, own) == same else None

    def _filled(self, plan: Plan, claims: CredentialClaims, own: Sequence[str]) -> Planned | None:
        """The credential with a learner's own values; None if one of them changes its shape."""
        check_results(claims.achievement.criteria, claims.results)
        values = [*plan.values]
        for hole, text in zip(plan.holes, own, strict=True):
            values[hole] = text
        results = [result_of(result) for result in claims.results]
        evidence = [evidence_of(item) for item in claims.evidence]
        parts = [self._part("result", entry) for entry in results]
        parts += [self._part("evidence", entry) for entry in evidence]
        if claims.id in values[1:] or any(claims.id == part.values[0] for part in parts):
            return None
        document = {**plan.document, "id": claims.id, "validFrom": write_instant(claims.valid_from)}
        document["awardedDate"] = write_instant(claims.awarded_date)
        if claims.valid_until is not None:
            document["validUntil"] = write_instant(claims.valid_until)
        document["credentialSubject"] = _subject(plan, claims, results)
        if evidence:
            document["evidence"] = [*evidence]
        if claims.status:
            document["credentialStatus"] = status_of(claims.status)
        return document, Form(plan.tokens, values, parts)

    def _part(self, key: str, entry: JsonObject) -> Form:
        """An entry taken apart. Its keys, its status and how its texts begin make its tokens."""
        values = [value for value in entry.values() if isinstance(value, str)]
        status = values.pop() if key == "result" else None
        kind = tuple(entry), status, _beginnings(values)
        tokens = self._tokens.get(kind)
        if tokens is None:
            if len(self._tokens) >= PLANS_KEPT:
                self._tokens.clear()
            tokens = self._tokens[kind] = _taken_apart(key, entry)
        return Form(tokens, values)


def _own(claims: CredentialClaims) -> list[str]:
    """What differs from learner to learner, as it stands in the document."""
    own = [claims.id, write_instant(claims.valid_from), write_instant(claims.awarded_date)]
    if claims.valid_until is not None:
        own.append(write_instant(claims.valid_until))
    if claims.learner.id is not None:
        own.append(claims.learner.id)
    if claims.narrative is not None:
        own.append(claims.narrative)
    for identity in claims.learner.identities:
        own.append(identity.value)
        if identity.salt is not None:
            own.append(identity.salt)
    for entry in claims.status:
        own += (f"{entry.list_url}#{entry.index}", str(entry.index))
    return own


def _kind(claims: CredentialClaims, own: Sequence[str]) -> Hashable:
    """All that a plan depends on: what is not a learner's own, and how what is their own begins."""
    learner = claims.learner
    return (
        (claims.name, claims.description, claims.image, claims.role, claims.credits_earned),
        (claims.activity_start, claims.activity_end, claims.valid_until is None),
        (learner.id is None, claims.narrative is None, not claims.results, not claims.evidence),
        tuple([(one.kind, one.hashed, one.salt is None) for one in learner.identities]),
        tuple([(one.list_url, one.purpose, one.reference) for one in claims.status]),
        _beginnings(own),
    )


def _stand_in(claims: CredentialClaims) -> CredentialClaims:
    """Claims of the same kind in which each thing that is a learner's own stands once."""
    marks = iter(range(_HOLES_BEGIN, _HOLES_BEGIN + 1000))

    def mark(text: str) -> str:
        number = scheme_of(text)
        return f"{SCHEMES[number - 1] if number else ''}{_HOLE}{next(marks)}.example"

    identities = tuple(
        replace(one, value=mark(one.value), salt=None if one.salt is None else mark(one.salt))
        for one in claims.learner.identities
    )
    learner_id = None if claims.learner.id is None else mark(claims.learner.id)
    return replace(
        claims,
        id=mark(claims.id),
        learner=replace(claims.learner, id=learner_id, identities=identities),
        narrative=None if claims.narrative is None else mark(claims.narrative),
        status=tuple(replace(one, index=next(marks)) for one in claims.status),
        valid_from=datetime(1, 1, 2, tzinfo=UTC),
        awarded_date=datetime(1, 1, 3, tzinfo=UTC),
        valid_until=None if claims.valid_until is None else datetime(1, 1, 4, tzinfo=UTC),
    )


def _beginnings(texts: Sequence[str]) -> tuple[str, ...]:
    """What texts begin with as far as the tokens of a shape tell it; nothing for most of them."""
    return tuple([text[:_LONGEST_SCHEME] if text.startswith(SCHEMES) else "" for text in texts])


def _subject(plan: Plan, claims: CredentialClaims, results: Sequence[JsonObject]) -> JsonObject:
    subject = {**plan.subject}
    if claims.learner.id is not None:
        subject["id"] = claims.learner.id
    if claims.narrative is not None:
        subject["narrative"] = claims.narrative
    if plan.identifiers:
        identifiers: list[JsonValue] = []
        for entry, one in zip(plan.identifiers, claims.learner.identities, strict=True):
            given = {**entry, "identityHash": one.value}
            if one.salt is not None:
                given["salt"] = one.salt
            identifiers.append(given)
        subject["identifier"] = identifiers
    if results:
        subject["result"] = [*results]
    return subject


def _taken_apart(key: str, entry: JsonObject) -> tuple[Token, ...]:
    """The tokens of an entry of `evidence` or `result`."""
    inside: JsonObject = {key: [entry]}
    form = take_apart(inside if key == "evidence" else {"credentialSubject": inside}, {})
    return form.parts[0].tokens if form and form.parts else ()
