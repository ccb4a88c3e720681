"""The statement as it is kept for ever: a JSON body that needs nothing beside it, and its page.

The page is what is sealed as evidence: plain HTML without script or outside parts, with the same
bytes every time it is made of the same body. Pure.
"""

from collections.abc import Mapping
from datetime import datetime
from html import escape

from pydantic import Field

from storage.errors import Problem
from storage.ids import AttestationId, OutcomeCode
from workflows.attestations.mails import Around
from workflows.attestations.rules import (
    ANCHORS,
    FREQUENCIES,
    RELATIONS,
    Frequency,
    Identity,
    Observable,
    Relation,
    Statement,
    identity_words,
)
from workflows.canonical import canonical_json
from workflows.frameworks.definition import Frozen
from workflows.words import Say, words

FORMAT = "assay-attestation/1"


class KeptRating(Frozen):
    """One outcome as it was asked and answered; `level` None: not observed."""

    outcome: OutcomeCode
    statement: str
    act: str
    level: int | None


class KeptIdentity(Frozen):
    """The facts of `rules.Identity`, as they were when the statement was given."""

    mail_confirmed: bool
    domain: str
    free_mail: bool
    organisation: str = ""


class KeptStatement(Frozen):
    """A given statement, whole."""

    format: str = FORMAT
    id: str
    case: int
    learner: str
    credential: str
    institution: str
    locale: str = "en"
    name: str
    role: str
    organisation: str
    relation: Relation
    frequency: Frequency
    since: str
    until: str | None
    ratings: tuple[KeptRating, ...] = Field(min_length=1)
    example_high: str
    example_low: str
    public: bool
    identity: KeptIdentity
    given_at: datetime


def keep_statement(
    attestation_id: AttestationId,
    case_number: int,
    around: Around,
    statement: Statement,
    asked: tuple[Observable, ...],
    *,
    typed_name: str,
    identity: Identity,
    at: datetime,
) -> KeptStatement:
    """The statement with everything that its reader will want to know."""
    levels = {rating.code: rating.level for rating in statement.ratings}
    return KeptStatement(
        id=str(attestation_id),
        case=case_number,
        learner=around.learner_name,
        credential=around.title,
        institution=around.institution,
        locale=around.locale,
        name=typed_name,
        role=statement.role,
        organisation=statement.organisation,
        relation=statement.relation,
        frequency=statement.frequency,
        since=statement.since,
        until=statement.until,
        ratings=tuple(
            KeptRating(
                outcome=one.code, statement=one.statement, act=one.act, level=levels[one.code]
            )
            for one in asked
        ),
        example_high=statement.example_high,
        example_low=statement.example_low,
        public=statement.public,
        identity=KeptIdentity(
            mail_confirmed=identity.mail_confirmed,
            domain=identity.domain,
            free_mail=identity.free_mail,
            organisation=identity.organisation,
        ),
        given_at=at,
    )


def statement_body(kept: KeptStatement) -> dict[str, object]:
    """The statement as JSON values, for the database."""
    return kept.model_dump(mode="json")


def read_kept(body: Mapping[str, object]) -> KeptStatement:
    """The statement of a body that `statement_body` made."""
    return KeptStatement.model_validate_json(canonical_json(body))


def identity_of_kept(kept: KeptStatement) -> Identity:
    """The facts about who speaks."""
    return Identity(**kept.identity.model_dump())


def statement_page(kept: KeptStatement) -> bytes:
    """The statement as a page of its own, in the language it was asked in."""
    say = words(kept.locale)
    title = say("Statement about %(learner)s", learner=kept.learner)
    parts = [
        f"<h1>{escape(title)}</h1>",
        _paragraph(
            say(
                "Given by %(name)s, as a witness, for “%(credential)s” at %(institution)s.",
                name=kept.name,
                credential=kept.credential,
                institution=kept.institution,
            )
        ),
        _facts(kept, say),
        f"<h2>{escape(say('What was seen'))}</h2>",
        _ratings(kept, say),
        *_examples(kept, say),
        f"<h2>{escape(say('Who says this'))}</h2>",
        *(_paragraph(say(told.message, **told.params)) for told in _identity(kept)),
        f"<h2>{escape(say('The same as data'))}</h2>",
        f"<pre>{escape(canonical_json(statement_body(kept)).decode())}</pre>",
    ]
    head = f"<meta charset=utf-8><title>{escape(title)}</title>"
    language = escape(kept.locale.replace("_", "-"), quote=True)
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="{language}">\n{head}\n{body}\n</html>\n'.encode()


def _identity(kept: KeptStatement) -> tuple[Problem, ...]:
    return identity_words(identity_of_kept(kept))


def _facts(kept: KeptStatement, say: Say) -> str:
    until = kept.until or say("today")
    pairs = (
        (say("Their own work"), f"{kept.role}, {kept.organisation}"),
        (say("Relation"), say(RELATIONS[kept.relation])),
        (say("Period"), say("%(since)s to %(until)s", since=kept.since, until=until)),
        (say("Saw the work"), say(FREQUENCIES[kept.frequency])),
        (say("Signed"), kept.given_at.strftime("%Y-%m-%d %H:%M UTC")),
    )
    rows = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in pairs)
    return f"<dl>{rows}</dl>"


def _ratings(kept: KeptStatement, say: Say) -> str:
    rows = "".join(
        f"<tr><th>{escape(rating.outcome)}</th><td>{escape(rating.act)}</td>"
        f"<td>{escape(rating_words(rating.level, say))}</td></tr>"
        for rating in kept.ratings
    )
    return f"<table>{rows}</table>"


def rating_words(level: int | None, say: Say) -> str:
    """A rating in words: the step's number, title and meaning, or that nothing was seen."""
    for anchor in ANCHORS:
        if anchor.value == level:
            return f"{level} · {say(anchor.title)}: {say(anchor.descriptor)}"
    return say("Not observed")


def _examples(kept: KeptStatement, say: Say) -> list[str]:
    given = (
        (say("An example of the highest"), kept.example_high),
        (say("An example of the lowest"), kept.example_low),
    )
    return [
        f"<h2>{escape(title)}</h2><blockquote>{escape(text)}</blockquote>"
        for title, text in given
        if text
    ]


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
