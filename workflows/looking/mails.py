"""The letter that asks a learner for their part in bytes that are in another case too."""

from storage.database import Transaction
from storage.tables import Account, Case, EvidenceItem
from workflows.people.mail import body_of, queue_mail
from workflows.words import words


def ask_for_part(tx: Transaction, item: EvidenceItem) -> None:
    """Ask the item's learner. Whose the other case is stands nowhere."""
    case = tx.session.get_one(Case, item.case_id)
    learner = tx.session.get_one(Account, case.learner_id)
    say = words(learner.locale)
    queue_mail(
        tx,
        learner.email,
        say("A file of yours is also in another case"),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say(
                "the file “%(title)s” in your case %(number)s was sent, byte for byte, in another "
                "case too. That can be in order: a report of a team, a template, work done "
                "together.",
                title=item.title or item.file_name,
                number=case.number,
            ),
            say(
                "Please sign in, open the item, and say what your own part in it was. The other "
                "learner is asked the same; neither of you is told who the other is."
            ),
        ),
    )
