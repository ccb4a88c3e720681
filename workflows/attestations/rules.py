"""What a supervisor says, when it is whole, and what it can be worth. Pure.

A supervisor is a witness: they say what they saw, on a scale of how much help the learner needed,
and never decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from storage.errors import InvalidInput, Problem
from storage.ids import OutcomeCode
from workflows.frameworks.definition import Definition
from workflows.people.addresses import domain_of, is_free_mail, same_mailbox
from workflows.voices import period_problems
from workflows.words import marked
from workflows.writing import lines, one_line

Draft = Mapping[str, str]
"""The form as it was left: field name → text. Nothing in it is trusted."""

NOT_OBSERVED = "not_observed"
LONGEST_EXAMPLE = 1200
LONGEST_LINE = 200
INSTANT = timedelta(seconds=60)
"""Nobody reads the questions, remembers and writes two examples in less."""


class Relation(StrEnum):
    """What the supervisor is, or was, to the learner."""

    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    OWNER = "owner"
    COLLEAGUE = "colleague"
    TRAINER = "trainer"
    CLIENT = "client"
    OTHER = "other"


class Frequency(StrEnum):
    """How often they saw the learner at work."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    A_FEW_TIMES = "a_few_times"


class DeclineReason(StrEnum):
    """Why somebody who was asked does not attest."""

    NOT_OBSERVED = "not_observed"
    NOT_THE_RIGHT_PERSON = "not_the_right_person"
    LEFT = "left"
    CONFLICT = "conflict"
    NO_TIME = "no_time"
    OTHER = "other"


RELATIONS: Mapping[Relation, str] = {
    Relation.SUPERVISOR: marked("Direct supervisor"),
    Relation.MANAGER: marked("Manager"),
    Relation.OWNER: marked("Owner of the business"),
    Relation.COLLEAGUE: marked("Colleague who worked beside them"),
    Relation.TRAINER: marked("Trainer or mentor"),
    Relation.CLIENT: marked("Client or customer"),
    Relation.OTHER: marked("Something else"),
}
FREQUENCIES: Mapping[Frequency, str] = {
    Frequency.DAILY: marked("Daily, or nearly"),
    Frequency.WEEKLY: marked("Every week"),
    Frequency.MONTHLY: marked("Every month"),
    Frequency.A_FEW_TIMES: marked("A few times in all"),
}
DECLINE_REASONS: Mapping[DeclineReason, str] = {
    DeclineReason.NOT_OBSERVED: marked("I did not see this work myself"),
    DeclineReason.NOT_THE_RIGHT_PERSON: marked("I am not the right person for this"),
    DeclineReason.LEFT: marked("I have left the organisation, or they left before my time"),
    DeclineReason.CONFLICT: marked("I am too close to them, or have an interest of my own"),
    DeclineReason.NO_TIME: marked("I have no time for this at present"),
    DeclineReason.OTHER: marked("Something else"),
}


@dataclass(frozen=True)
class Anchor:
    """A step of the scale that all outcomes share, described by what one can observe."""

    value: int
    title: str
    descriptor: str


ANCHORS = (
    Anchor(1, marked("Not yet"), marked("Watched, or did parts of it with someone beside them.")),
    Anchor(2, marked("With help"), marked("Did it, and somebody checked or stepped in.")),
    Anchor(3, marked("Alone"), marked("Did it reliably, without being told how or checked.")),
    Anchor(4, marked("Leads others"), marked("Did it alone, and showed or corrected others.")),
)
TOP = ANCHORS[-1].value


@dataclass(frozen=True)
class Observable:
    """An outcome, and the act in which a supervisor could have seen it."""

    code: OutcomeCode
    statement: str
    act: str


@dataclass(frozen=True)
class Rating:
    """What was seen of one outcome; `level` None: not observed."""

    code: OutcomeCode
    level: int | None


@dataclass(frozen=True)
class Statement:
    """A whole statement. `until` None: still going on. `public`: may be named to the world."""

    relation: Relation
    role: str
    organisation: str
    since: str
    until: str | None
    frequency: Frequency
    ratings: tuple[Rating, ...]
    example_high: str
    example_low: str
    public: bool

    @property
    def observed(self) -> tuple[OutcomeCode, ...]:
        """The outcomes of which something was seen."""
        return tuple(rating.code for rating in self.ratings if rating.level is not None)


@dataclass(frozen=True)
class Identity:
    """What is known of who speaks: facts, each shown in words, never a number."""

    mail_confirmed: bool
    domain: str
    free_mail: bool
    organisation: str = ""
    """the verified organisation whose domain the address is of; '' when there is none"""


class Flag(StrEnum):
    """What staff may want to look at. Flags inform and never decide."""

    FREE_MAIL = "free_mail"
    SAME_ADDRESS = "same_address"
    INSTANT = "instant"
    STRAIGHT_TOP = "straight_top"


FLAGS: Mapping[Flag, str] = {
    Flag.FREE_MAIL: marked("The address is at a mail service that anyone can use."),
    Flag.SAME_ADDRESS: marked("The address resembles the one the learner signs in with."),
    Flag.INSTANT: marked("The form was finished within a minute of being opened."),
    Flag.STRAIGHT_TOP: marked("Every outcome got the highest rating."),
}


def observables(definition: Definition, codes: Sequence[str]) -> tuple[Observable, ...]:
    """The outcomes a supervisor is asked about, in the order of the definition."""
    return tuple(
        Observable(outcome.code, outcome.statement, outcome.attestation_item or outcome.statement)
        for outcome in definition.outcomes
        if outcome.code in codes
    )


def rating_field(code: str) -> str:
    """The form field that holds the rating of an outcome."""
    return f"rating-{code}"


def kept_draft(form: Mapping[str, str], asked: Sequence[Observable]) -> dict[str, str]:
    """What is kept of a form before it is whole: the known fields, cut to a sane length."""
    known = [
        *("relation", "role", "organisation", "since", "until", "frequency"),
        *("example_high", "example_low", "public"),
        *(rating_field(one.code) for one in asked),
    ]
    return {name: _fit(name, form[name]) for name in known if form.get(name)}


def _fit(name: str, text: str) -> str:
    return (lines if name in {"example_high", "example_low"} else one_line)(text).strip()[
        : 2 * LONGEST_EXAMPLE
    ]


def read_statement(draft: Draft, asked: Sequence[Observable], today: date) -> Statement:
    """The statement that a draft makes. Raises InvalidInput naming every field that is not whole.

    "Not observed" everywhere is no statement: then one declines.
    """
    ratings, problems = _ratings(draft, asked)
    problems = [
        *_about_problems(draft),
        *period_problems(draft.get("since", ""), draft.get("until", ""), today),
        *problems,
    ]
    problems += _example_problems(draft, ratings)
    if problems:
        raise InvalidInput("The statement is not whole yet.", problems=problems)
    return Statement(
        relation=Relation(draft["relation"]),
        role=draft["role"],
        organisation=draft["organisation"],
        since=draft["since"][:7],
        until=draft["until"][:7] if draft.get("until") else None,
        frequency=Frequency(draft["frequency"]),
        ratings=ratings,
        example_high=draft["example_high"],
        example_low=draft.get("example_low", ""),
        public=draft.get("public") == "yes",
    )


def straight_line(ratings: Sequence[Rating]) -> bool:
    """Whether all that was observed got the same rating: then one example is enough."""
    return len({rating.level for rating in ratings if rating.level is not None}) == 1


def identity_of(email: str, organisation: str) -> Identity:
    """The facts about somebody who typed the code that was mailed to this address."""
    return Identity(
        mail_confirmed=True,
        domain=domain_of(email),
        free_mail=is_free_mail(email),
        organisation=organisation,
    )


def identity_words(identity: Identity) -> tuple[Problem, ...]:
    """The facts in words, the strongest first."""
    told = []
    if identity.organisation:
        told.append(
            Problem(
                "organisation",
                "The address belongs to %(organisation)s, an organisation that staff have checked.",
                {"organisation": identity.organisation},
            )
        )
    if identity.mail_confirmed:
        told.append(
            Problem(
                "mail",
                "Confirmed with a code sent to an address at %(domain)s.",
                {"domain": identity.domain},
            )
        )
    if identity.free_mail:
        told.append(
            Problem("free_mail", "Anyone can have an address there, so it names no workplace.")
        )
    elif not identity.organisation:
        told.append(Problem("unknown", "Who stands behind that domain was not checked."))
    return tuple(told)


def flags_of(
    email: str, learner_email: str, statement: Statement, taken: timedelta
) -> tuple[Flag, ...]:
    """What staff may want to look at; `taken` from the first opening to the giving."""
    top = straight_line(statement.ratings) and any(r.level == TOP for r in statement.ratings)
    found = {
        Flag.FREE_MAIL: is_free_mail(email),
        Flag.SAME_ADDRESS: _alike(email, learner_email),
        Flag.INSTANT: taken < INSTANT,
        Flag.STRAIGHT_TOP: top and len(statement.observed) > 1,
    }
    return tuple(flag for flag, raised in found.items() if raised)


def _alike(one: str, other: str) -> bool:
    names = {address.partition("@")[0].partition("+")[0] for address in (one, other)}
    return same_mailbox(one, other) or len(names) == 1


def _about_problems(draft: Draft) -> list[Problem]:
    problems = []
    if draft.get("relation") not in set(Relation):
        problems.append(Problem("relation", "Say what you are, or were, to them."))
    if not 2 <= len(draft.get("role", "")) <= LONGEST_LINE:
        problems.append(Problem("role", "Say what your own work was at the time."))
    if not 2 <= len(draft.get("organisation", "")) <= LONGEST_LINE:
        problems.append(Problem("organisation", "Say where you saw them work."))
    if draft.get("frequency") not in set(Frequency):
        problems.append(Problem("frequency", "Say how often you saw them at work."))
    return problems


def _ratings(draft: Draft, asked: Sequence[Observable]) -> tuple[tuple[Rating, ...], list[Problem]]:
    given = {one.code: draft.get(rating_field(one.code), "") for one in asked}
    steps = {str(anchor.value): anchor.value for anchor in ANCHORS}
    problems = [
        Problem(
            rating_field(code),
            "Rate %(code)s, or say that you did not observe it.",
            {"code": code},
        )
        for code, answer in given.items()
        if answer not in steps and answer != NOT_OBSERVED
    ]
    if not problems and all(answer == NOT_OBSERVED for answer in given.values()):
        problems.append(
            Problem("", "You observed none of it. Then please decline: that helps the learner too.")
        )
    return tuple(Rating(code, steps.get(answer)) for code, answer in given.items()), problems


def _example_problems(draft: Draft, ratings: Sequence[Rating]) -> list[Problem]:
    needed = {"example_high": "Give one concrete example for the highest rating."}
    if not straight_line(ratings):
        needed["example_low"] = "Give one concrete example for the lowest rating."
    problems = [
        Problem(name, words) for name, words in needed.items() if len(draft.get(name, "")) < 20
    ]
    problems += [
        Problem(name, "Keep it to %(count)s characters.", {"count": LONGEST_EXAMPLE})
        for name in ("example_high", "example_low")
        if len(draft.get(name, "")) > LONGEST_EXAMPLE
    ]
    return problems
