"""What an employer says when they endorse, what makes it whole, and who gets to see it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from storage.errors import Conflict, InvalidInput, Problem
from storage.ids import OutcomeCode
from storage.tables import Endorsement
from storage.vocabulary import EndorsementVisibility, LearnerAnswer, VoiceState
from workflows.frameworks.definition import Definition
from workflows.voices import period_problems
from workflows.words import Say, marked

SHORTEST_COMMENT = 20
LONGEST_COMMENT = 1200
LONGEST_LINE = 200


class Relation(StrEnum):
    """What the organisation is, or was, to the learner."""

    EMPLOYS = "employs"
    EMPLOYED = "employed"
    TRAINED = "trained"
    CLIENT = "client"
    PARTNER = "partner"


class DeclineReason(StrEnum):
    """Why somebody who was asked does not endorse."""

    NOT_KNOWN = "not_known"
    NOT_THE_RIGHT_PERSON = "not_the_right_person"
    POLICY = "policy"
    NO_TIME = "no_time"
    OTHER = "other"


RELATIONS: Mapping[Relation, str] = {
    Relation.EMPLOYS: marked("We employ them"),
    Relation.EMPLOYED: marked("We employed them"),
    Relation.TRAINED: marked("We trained them"),
    Relation.CLIENT: marked("They worked for us as a supplier"),
    Relation.PARTNER: marked("We worked together"),
}
DECLINE_REASONS: Mapping[DeclineReason, str] = {
    DeclineReason.NOT_KNOWN: marked("I do not know their work well enough"),
    DeclineReason.NOT_THE_RIGHT_PERSON: marked("I am not the one who speaks for us on this"),
    DeclineReason.POLICY: marked("Our organisation does not endorse individuals"),
    DeclineReason.NO_TIME: marked("I have no time for this at present"),
    DeclineReason.OTHER: marked("Something else"),
}
VISIBILITIES: Mapping[EndorsementVisibility, tuple[str, str]] = {
    EndorsementVisibility.PRIVATE: (
        marked("For the learner only"),
        marked("They can read it and keep it. It is not shown to anybody else."),
    ),
    EndorsementVisibility.NAMED: (
        marked("On the credential's page"),
        marked("Your organisation, your name, your role and your words stand there."),
    ),
    EndorsementVisibility.COUNTED: (
        marked("On the page, and others may rely on it"),
        marked("As before, and other employers may count it when they look at the credential."),
    ),
}


@dataclass(frozen=True)
class Words:
    """A whole endorsement, before it is given. `until` None: still going on."""

    outcomes: tuple[OutcomeCode, ...]
    relation: Relation
    title: str
    since: str
    until: str | None
    comment: str
    visibility: EndorsementVisibility

    @property
    def period(self) -> str:
        """The period as an ISO 8601 interval of months; `..` for an open end."""
        return f"{self.since}/{self.until or '..'}"


@dataclass(frozen=True)
class EndorsementForm:
    """The form as it was sent. Nothing in it is trusted."""

    outcomes: tuple[str, ...] = ()
    relation: str = ""
    title: str = ""
    since: str = ""
    until: str = ""
    comment: str = ""
    visibility: str = ""


def read_words(form: EndorsementForm, recognised: Sequence[OutcomeCode], today: date) -> Words:
    """The endorsement of a form. Raises InvalidInput naming every field that is not whole."""
    chosen = tuple(code for code in recognised if code in form.outcomes)
    problems = [*_what_problems(form, chosen), *period_problems(form.since, form.until, today)]
    if problems:
        raise InvalidInput("The endorsement is not whole yet.", problems=problems)
    return Words(
        outcomes=chosen,
        relation=Relation(form.relation),
        title=" ".join(form.title.split()),
        since=form.since.strip()[:7],
        until=form.until.strip()[:7] or None,
        comment=form.comment.strip(),
        visibility=EndorsementVisibility(form.visibility),
    )


def period_of(stored: str) -> tuple[str, str]:
    """The two ends of a stored period, the second '' when it is open."""
    since, _, until = stored.partition("/")
    return since, "" if until == ".." else until


def saved_form(kept: Endorsement) -> EndorsementForm:
    """The form as it was saved."""
    since, until = period_of(kept.period)
    return EndorsementForm(
        outcomes=tuple(kept.outcome_codes),
        relation=kept.relation,
        title=kept.endorser_title,
        since=since,
        until=until,
        comment=kept.comment,
        visibility=kept.visibility,
    )


def comment_of(words: Words, definition: Definition, endorser: str, say: Say) -> str:
    """What stands in the signed endorsement: the comment, and in words what it is about."""
    known = {outcome.code: outcome.statement for outcome in definition.outcomes}
    about = "\n".join(f"- {code}: {known[code]}" for code in words.outcomes)
    until = words.until or say("today")
    return "\n\n".join(
        (
            words.comment,
            say("Endorsed outcomes:") + "\n" + about,
            say(
                "%(relation)s, %(since)s to %(until)s. Signed by %(name)s, %(title)s.",
                relation=say(RELATIONS[words.relation]),
                since=words.since,
                until=until,
                name=endorser,
                title=words.title,
            ),
        )
    )


def is_public(endorsement: Endorsement) -> bool:
    """Whether the world may read it: the giver lets it be seen and the learner shows it."""
    return (
        endorsement.state in {VoiceState.GIVEN, VoiceState.WITHDRAWN}
        and endorsement.answer == LearnerAnswer.ACCEPTED
        and endorsement.visibility != EndorsementVisibility.PRIVATE
    )


def stands_shown(endorsement: Endorsement) -> bool:
    """Whether the world may read it and it was not withdrawn."""
    return is_public(endorsement) and endorsement.state == VoiceState.GIVEN


def is_counted(endorsement: Endorsement) -> bool:
    """Whether other employers may rely on it now."""
    return (
        is_public(endorsement)
        and endorsement.state == VoiceState.GIVEN
        and endorsement.visibility == EndorsementVisibility.COUNTED
    )


def answers_for(state: VoiceState, answer: LearnerAnswer) -> tuple[LearnerAnswer, ...]:
    """What the learner may say now. A refusal stands; what was withdrawn is not shown anew."""
    if answer is LearnerAnswer.REFUSED or state not in {VoiceState.GIVEN, VoiceState.WITHDRAWN}:
        return ()
    if state is VoiceState.WITHDRAWN:
        return (LearnerAnswer.HIDDEN,) if answer is LearnerAnswer.ACCEPTED else ()
    possible = (LearnerAnswer.ACCEPTED, LearnerAnswer.HIDDEN, LearnerAnswer.REFUSED)
    return tuple(one for one in possible if one is not answer)


def may_answer(state: str, now: str, answer: str) -> LearnerAnswer:
    """The answer, when it may be given now. Raises Conflict when not."""
    possible = answers_for(VoiceState(state), LearnerAnswer(now))
    if answer not in possible:
        raise Conflict("This cannot be answered so any more. Reload the page to see how it stands.")
    return LearnerAnswer(answer)


def _what_problems(form: EndorsementForm, chosen: Sequence[OutcomeCode]) -> list[Problem]:
    problems = []
    if not chosen:
        problems.append(Problem("outcomes", "Choose at least one outcome that you vouch for."))
    if form.relation not in set(Relation):
        problems.append(Problem("relation", "Say what your organisation is, or was, to them."))
    if not 2 <= len(form.title.strip()) <= LONGEST_LINE:
        problems.append(Problem("title", "Write your own role in the organisation."))
    if not SHORTEST_COMMENT <= len(form.comment.strip()) <= LONGEST_COMMENT:
        problems.append(
            Problem(
                "comment",
                "Say in one or two sentences what you have seen or rely on, up to %(count)s "
                "characters.",
                {"count": LONGEST_COMMENT},
            )
        )
    if form.visibility not in set(EndorsementVisibility):
        problems.append(Problem("visibility", "Choose who may see it."))
    return problems
