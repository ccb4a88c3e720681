"""What is written of an appeal: to its learner at each step, and to who is to answer it."""

from collections.abc import Mapping
from datetime import datetime

from babel.dates import format_date

from storage.database import Transaction
from storage.ids import AccountId
from storage.tables import Account
from storage.vocabulary import AppealResult
from workflows.cases.queries import CaseView
from workflows.issuance.addresses import Site
from workflows.people.mail import body_of, queue_mail
from workflows.words import Say, marked, words

HEADLINES: Mapping[AppealResult, str] = {
    AppealResult.CONFIRMED: marked("Your appeal in case %(number)s: the decision stays"),
    AppealResult.REDECIDED: marked("Your appeal in case %(number)s: it is decided anew"),
    AppealResult.REASSESSED: marked("Your appeal in case %(number)s: it is assessed anew"),
    AppealResult.REOPENED: marked("Your appeal in case %(number)s: add your new evidence"),
}

NEXT: Mapping[AppealResult, str] = {
    AppealResult.CONFIRMED: marked("The decision, and what was issued by it, stay as they are."),
    AppealResult.REDECIDED: marked(
        "Somebody else decides anew from the same assessment. What was recognised stays "
        "recognised; the first decision stands until the new one is released."
    ),
    AppealResult.REASSESSED: marked(
        "New people assess the same evidence and decide anew. What was recognised stays "
        "recognised; the first decision stands until the new one is released."
    ),
    AppealResult.REOPENED: marked(
        "You can change the evidence of your case now. Hand it in again when it is complete; then "
        "new people assess it. What was recognised stays recognised."
    ),
}


def tell_appealed(tx: Transaction, site: Site, view: CaseView, due_at: datetime) -> None:
    """That the appeal has come, and until when it is answered."""
    _write(
        tx,
        site,
        view,
        subject=marked("Your appeal in case %(number)s"),
        said=marked(
            "we have your appeal. Somebody who had no part in the decision looks at it, and "
            "answers by %(day)s. Until then the decision stands."
        ),
        due_at=due_at,
    )


def tell_received(tx: Transaction, site: Site, view: CaseView, due_at: datetime | None) -> None:
    """That somebody is appointed to answer it."""
    _write(
        tx,
        site,
        view,
        subject=marked("Your appeal in case %(number)s was received"),
        said=marked(
            "a person who had no part in the decision is appointed to answer your appeal, by "
            "%(day)s."
        ),
        due_at=due_at,
    )


def tell_ended(tx: Transaction, site: Site, view: CaseView) -> None:
    """That no new evidence came, and the decision stays."""
    _write(
        tx,
        site,
        view,
        subject=marked("Your appeal in case %(number)s has ended"),
        said=marked(
            "the time in which you could hand in new evidence is over. The decision, and what was "
            "issued by it, stay as they are."
        ),
    )


def tell_answered(
    tx: Transaction, site: Site, view: CaseView, result: AppealResult, answer: str
) -> None:
    """What follows from the appeal, and why."""
    learner = tx.session.get_one(Account, view.learner_id)
    say = words(learner.locale)
    queue_mail(
        tx,
        learner.email,
        say(HEADLINES[result], number=view.number),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say("somebody who had no part in the decision looked at your appeal, and answers:"),
            answer,
            say(NEXT[result]),
            site.case(view.id),
        ),
    )


def tell_appointed(
    tx: Transaction, site: Site, view: CaseView, reviewer_id: AccountId, due_at: datetime | None
) -> None:
    """To the one who is to answer: which case, and until when. Nothing of what stands in it."""
    reviewer = tx.session.get_one(Account, reviewer_id)
    say = words(reviewer.locale)
    queue_mail(
        tx,
        reviewer.email,
        say("An appeal to answer: case %(number)s", number=view.number),
        body_of(
            say("Hello %(name)s,", name=reviewer.name),
            say(
                "you are appointed to answer an appeal in case %(number)s, by %(day)s.",
                number=view.number,
                day=_day(due_at, reviewer.locale),
            ),
            site.staff_case(view.id),
        ),
    )


def _write(
    tx: Transaction,
    site: Site,
    view: CaseView,
    *,
    subject: str,
    said: str,
    due_at: datetime | None = None,
) -> None:
    learner = tx.session.get_one(Account, view.learner_id)
    say: Say = words(learner.locale)
    queue_mail(
        tx,
        learner.email,
        say(subject, number=view.number),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say(said, day=_day(due_at, learner.locale)),
            site.case(view.id),
        ),
    )


def _day(due_at: datetime | None, locale: str) -> str:
    return format_date(due_at, "long", locale=locale) if due_at else ""
