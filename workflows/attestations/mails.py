"""The letters around an attestation: to the supervisor, and kind news to the learner."""

from dataclasses import dataclass

from storage.database import Transaction
from storage.tables import Attestation
from workflows.attestations.rules import DECLINE_REASONS, DeclineReason
from workflows.people.mail import body_of, queue_mail
from workflows.words import words

MINUTES = 8


@dataclass(frozen=True)
class Around:
    """Who an attestation is between, and about what."""

    learner_name: str
    learner_email: str
    locale: str
    institution: str
    title: str


def ask_supervisor(
    tx: Transaction, asked: Attestation, around: Around, url: str, days: int
) -> None:
    """The question, with its link."""
    say = words(around.locale)
    queue_mail(
        tx,
        asked.supervisor_email,
        say("%(learner)s asks what you saw of their work", learner=around.learner_name),
        body_of(
            say("Hello %(name)s,", name=asked.supervisor_name),
            say(
                "%(learner)s is having what they know recognised by %(institution)s, for "
                "“%(title)s”, and says that you saw them at work.",
                learner=around.learner_name,
                institution=around.institution,
                title=around.title,
            ),
            _quoted(asked.message),
            say(
                "You would say what you saw, per activity, on a short form: %(minutes)s minutes at "
                "most. You decide nothing; you are a witness. Nothing becomes public without your "
                "yes, and you can decline with one press.",
                minutes=MINUTES,
            ),
            url,
            say(
                "The link is for you alone, needs no account, and works for %(days)s days.",
                days=days,
            ),
        ),
    )


def send_code(tx: Transaction, asked: Attestation, around: Around, code: str) -> None:
    """The digits that sign a statement."""
    say = words(around.locale)
    queue_mail(
        tx,
        asked.supervisor_email,
        say("%(code)s is your code", code=code),
        body_of(
            say("Hello %(name)s,", name=asked.supervisor_name),
            say(
                "to sign your statement about %(learner)s type this code:",
                learner=around.learner_name,
            ),
            code,
            say("It works for half an hour. If you did not ask for it, leave it unused."),
        ),
    )


def thank_supervisor(tx: Transaction, given: Attestation, around: Around, url: str) -> None:
    """The receipt, with the way to take it back."""
    say = words(around.locale)
    queue_mail(
        tx,
        given.supervisor_email,
        say("Your statement about %(learner)s", learner=around.learner_name),
        body_of(
            say("Hello %(name)s,", name=given.supervisor_name),
            say("thank you. Your statement is signed and kept. A copy of it is at:"),
            url,
            say(
                "There you can also withdraw it, at any time and without giving a reason. "
                "Keep this mail: the address is the key to it."
            ),
        ),
    )


def tell_given(tx: Transaction, given: Attestation, around: Around, url: str) -> None:
    """To the learner: somebody spoke for you."""
    say = words(around.locale)
    queue_mail(
        tx,
        around.learner_email,
        say("%(name)s has said what they saw", name=given.supervisor_name),
        body_of(
            say("Hello %(name)s,", name=around.learner_name),
            say(
                "%(name)s has given a statement about your work for “%(title)s”. It is kept with "
                "your evidence.",
                name=given.supervisor_name,
                title=around.title,
            ),
            url,
        ),
    )


def tell_declined(
    tx: Transaction, declined: Attestation, around: Around, colleague: str, url: str
) -> None:
    """To the learner: not this time, why in one line, and what may be done now."""
    say = words(around.locale)
    why = say(DECLINE_REASONS[DeclineReason(declined.decline_reason)])
    queue_mail(
        tx,
        around.learner_email,
        say("%(name)s cannot speak for you this time", name=declined.supervisor_name),
        body_of(
            say("Hello %(name)s,", name=around.learner_name),
            say(
                "%(name)s answered that they cannot give a statement: “%(why)s”. That says nothing "
                "against your work, and nobody who assesses it is told.",
                name=declined.supervisor_name,
                why=why,
            ),
            say(
                "They named %(colleague)s instead, whom we have now asked in your name.",
                colleague=colleague,
            )
            if colleague
            else say("You can ask somebody else who saw you at work:"),
            url,
        ),
    )


def tell_withdrawn(tx: Transaction, withdrawn: Attestation, around: Around, url: str) -> None:
    """To the learner: a statement was taken back."""
    say = words(around.locale)
    queue_mail(
        tx,
        around.learner_email,
        say("%(name)s has withdrawn their statement", name=withdrawn.supervisor_name),
        body_of(
            say("Hello %(name)s,", name=around.learner_name),
            say(
                "the statement that %(name)s gave for “%(title)s” was withdrawn and counts no "
                "more. You can ask somebody else who saw you at work:",
                name=withdrawn.supervisor_name,
                title=around.title,
            ),
            url,
        ),
    )


def _quoted(message: str) -> str:
    return "\n".join(f"> {line}" for line in message.splitlines())
