"""The letters a learner gets about their case."""

from storage.database import Transaction
from storage.errors import NotFound
from storage.tables import Account
from workflows.cases.queries import CaseView
from workflows.issuance.addresses import Site
from workflows.people.mail import body_of, queue_mail
from workflows.words import words


def tell_submitted(tx: Transaction, site: Site, view: CaseView, digest: str) -> None:
    """The receipt of a submission."""
    learner = _learner(tx, view)
    say = words(learner.locale)
    queue_mail(
        tx,
        learner.email,
        say("Received: your case %(number)s", number=view.number),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say("we received your case for “%(title)s”.", title=view.definition.title),
            say("What you submitted is kept as it is. Its digest (SHA-256) is:"),
            digest,
            say("You see how it goes on at:"),
            site.case(view.id),
        ),
    )


def tell_returned(tx: Transaction, site: Site, view: CaseView) -> None:
    """What the institution asks for before the case can go on."""
    learner = _learner(tx, view)
    say = words(learner.locale)
    queue_mail(
        tx,
        learner.email,
        say("Your case %(number)s needs something more", number=view.number),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say("we looked at your case for “%(title)s” and ask:", title=view.definition.title),
            view.note_to_learner,
            say("Add it and submit again at:"),
            site.case(view.id),
        ),
    )


def _learner(tx: Transaction, view: CaseView) -> Account:
    learner = tx.session.get(Account, view.learner_id)
    if learner is None:
        raise NotFound("There is no such account.")
    return learner
