"""What a learner is told by mail when a program is connected to their account."""

from storage.database import Transaction
from storage.tables.people import Account
from workflows.people.mail import body_of, queue_mail
from workflows.programs.rules import host_of
from workflows.words import words


def write_program_connected(
    tx: Transaction, account: Account, house: str, name: str, address: str
) -> None:
    """A program was allowed something in their name; whoever did not do it should know at once."""
    say = words(account.locale)
    body = body_of(
        say("Hello %(name)s,", name=account.name),
        say(
            "The program “%(program)s” of %(host)s was connected to your account at %(house)s "
            "just now. On the page of your account, under Connected programs, you see what it may "
            "do, and can end it.",
            program=name,
            host=host_of(address),
            house=house,
        ),
        say(
            "If it was not you, sign in, change your password on the page of your account, which "
            "ends every program, and tell us."
        ),
        house,
    )
    queue_mail(tx, account.email, say("A program was connected"), body)
