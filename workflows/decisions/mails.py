"""What the learner is told when the second key has turned."""

from storage.database import Transaction
from storage.tables import Account
from workflows.cases.queries import CaseView
from workflows.issuance.addresses import Site
from workflows.issuance.reviewing import Follows
from workflows.people.mail import body_of, queue_mail
from workflows.words import words


def tell_released(
    tx: Transaction, site: Site, view: CaseView, *, earned: bool, follows: Follows
) -> None:
    """The decision is out: a credential is being made, or a statement and a plan can be read."""
    learner = tx.session.get_one(Account, view.learner_id)
    say = words(learner.locale)
    if follows is Follows.SAME:
        outcome = say(
            "The new decision says what the first one said. What you were issued stays as it is."
        )
    elif follows is Follows.CORRECTED:
        outcome = say(
            "The new decision differs from the first one. What you were issued is corrected and "
            "issued anew; you hear where it is."
        )
    elif earned:
        outcome = say("You earned the credential. It is being signed now and appears there.")
    else:
        outcome = say(
            "Your statement says what was recognised, and the plan what would show the rest."
        )
    queue_mail(
        tx,
        learner.email,
        say("The decision on your case %(number)s", number=view.number),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say("your case for “%(title)s” is decided.", title=view.definition.title),
            outcome,
            say("Read the decision, outcome by outcome, at:"),
            site.case(view.id),
        ),
    )
