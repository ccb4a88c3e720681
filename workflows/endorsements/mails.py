"""The letters around an endorsement: to the employer, and news to the learner."""

from dataclasses import dataclass

from storage.database import Transaction
from storage.tables import Endorsement
from workflows.endorsements.rules import DECLINE_REASONS, DeclineReason
from workflows.people.mail import body_of, queue_mail
from workflows.words import words


@dataclass(frozen=True)
class Around:
    """Who an endorsement is between, and what credential it is about."""

    learner_name: str
    learner_email: str
    locale: str
    institution: str
    title: str
    organisation: str


def ask_employer(tx: Transaction, asked: Endorsement, around: Around, url: str, days: int) -> None:
    """The question, with its link."""
    say = words(around.locale)
    queue_mail(
        tx,
        asked.endorser_email,
        say("%(learner)s asks %(organisation)s to endorse a credential", **_names(around)),
        body_of(
            say("Hello %(name)s,", name=asked.endorser_name),
            say(
                "%(institution)s has recognised what %(learner)s can do: “%(title)s”. They ask "
                "whether %(organisation)s puts its name to some of it.",
                **_names(around),
            ),
            "\n".join(f"> {line}" for line in asked.message.splitlines()),
            say(
                "You see the credential, choose the outcomes you can vouch for, and say who may "
                "see your words. It takes a few minutes and can be withdrawn at any time."
            ),
            url,
            say(
                "The link is for you alone, needs no account, and works for %(days)s days.",
                days=days,
            ),
        ),
    )


def ask_employer_anew(
    tx: Transaction, asked: Endorsement, around: Around, url: str, days: int
) -> None:
    """The question whether an endorsement also stands for the corrected credential."""
    say = words(around.locale)
    queue_mail(
        tx,
        asked.endorser_email,
        say("The credential of %(learner)s that you endorsed was corrected", **_names(around)),
        body_of(
            say("Hello %(name)s,", name=asked.endorser_name),
            say(
                "%(institution)s has corrected the credential “%(title)s” of %(learner)s and "
                "issued it anew. Your endorsement speaks of the earlier one and is not shown with "
                "the new one by itself.",
                **_names(around),
            ),
            say(
                "Your words are in the form already. Look at the new credential, and if they still "
                "hold, sign them once more:"
            ),
            url,
            say(
                "The link is for you alone, needs no account, and works for %(days)s days.",
                days=days,
            ),
        ),
    )


def send_code(tx: Transaction, asked: Endorsement, around: Around, code: str) -> None:
    """The digits that sign an endorsement."""
    say = words(around.locale)
    queue_mail(
        tx,
        asked.endorser_email,
        say("%(code)s is your code", code=code),
        body_of(
            say("Hello %(name)s,", name=asked.endorser_name),
            say("to sign your endorsement of %(learner)s type this code:", **_names(around)),
            code,
            say("It works for half an hour. If you did not ask for it, leave it unused."),
        ),
    )


def thank_employer(tx: Transaction, given: Endorsement, around: Around, url: str) -> None:
    """The receipt, with the way to take it back."""
    say = words(around.locale)
    queue_mail(
        tx,
        given.endorser_email,
        say("Your endorsement of %(learner)s", **_names(around)),
        body_of(
            say("Hello %(name)s,", name=given.endorser_name),
            say("thank you. Your endorsement is given. A copy of it is at:"),
            url,
            say(
                "There you can also withdraw it, at any time and without giving a reason. "
                "Keep this mail: the address is the key to it."
            ),
        ),
    )


def tell_given(tx: Transaction, given: Endorsement, around: Around, url: str) -> None:
    """To the learner: it is there, and now it is up to you."""
    say = words(around.locale)
    queue_mail(
        tx,
        around.learner_email,
        say("%(organisation)s has endorsed your credential", **_names(around)),
        body_of(
            say("Hello %(name)s,", name=around.learner_name),
            say(
                "%(organisation)s has endorsed outcomes of “%(title)s”. Nobody sees it until you "
                "say so. Read it, and show, hide or refuse it:",
                **_names(around),
            ),
            url,
        ),
    )


def tell_declined(tx: Transaction, declined: Endorsement, around: Around, url: str) -> None:
    """To the learner: not this time, and why in one line."""
    say = words(around.locale)
    why = say(DECLINE_REASONS[DeclineReason(declined.decline_reason)])
    queue_mail(
        tx,
        around.learner_email,
        say("%(organisation)s does not endorse this time", **_names(around)),
        body_of(
            say("Hello %(name)s,", name=around.learner_name),
            say(
                "%(person)s of %(organisation)s answered: “%(why)s”. Your credential is as valid "
                "as before, and nobody sees that you asked.",
                **_names(around),
                person=declined.endorser_name,
                why=why,
            ),
            url,
        ),
    )


def tell_withdrawn(tx: Transaction, withdrawn: Endorsement, around: Around, url: str) -> None:
    """To the learner: an endorsement was taken back."""
    say = words(around.locale)
    queue_mail(
        tx,
        around.learner_email,
        say("%(organisation)s has withdrawn its endorsement", **_names(around)),
        body_of(
            say("Hello %(name)s,", name=around.learner_name),
            say(
                "the endorsement by %(organisation)s of “%(title)s” was withdrawn. Where you "
                "showed it, the page now says from when to when it stood; you can hide it. Your "
                "credential is as valid as before.",
                **_names(around),
            ),
            url,
        ),
    )


def _names(around: Around) -> dict[str, str]:
    return {
        "learner": around.learner_name,
        "organisation": around.organisation,
        "institution": around.institution,
        "title": around.title,
    }
