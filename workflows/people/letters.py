"""Mails about accounts, in the recipient's language, each with what to do if it is a mistake."""

from storage.database import Transaction
from storage.tables.people import Account
from workflows.people.mail import body_of, queue_mail
from workflows.words import words


def write_invitation(tx: Transaction, account: Account, house: str, url: str, days: int) -> None:
    """An account was made for them: here they set its password."""
    say = words(account.locale)
    body = body_of(
        say("Hello %(name)s,", name=account.name),
        say(
            "%(house)s has made an account for you on Assay, where prior learning is recognised. "
            "Choose a password here to begin:",
            house=house,
        ),
        url,
        say("The link opens once, within %(days)s days.", days=days),
        say("If you did not expect this, do nothing: without a password nobody can sign in."),
        house,
    )
    queue_mail(tx, account.email, say("Your account at %(house)s", house=house), body)


def write_registration(
    tx: Transaction, email: str, house: str, url: str, *, days: int, locale: str
) -> None:
    """Someone asked for an account with this address; nothing is known of them yet."""
    say = words(locale)
    body = body_of(
        say("Hello,"),
        say("Here you make your account at %(house)s and choose its password:", house=house),
        url,
        say("The link opens once, within %(days)s days.", days=days),
        say("If you did not ask for this, do nothing: no account is made without the link."),
        house,
    )
    queue_mail(tx, email, say("Your account at %(house)s", house=house), body)


def write_password_link(
    tx: Transaction, account: Account, house: str, url: str, hours: int
) -> None:
    """Someone asked to set the password anew."""
    say = words(account.locale)
    body = body_of(
        say("Hello %(name)s,", name=account.name),
        say("Here you set a new password for your account at %(house)s:", house=house),
        url,
        say(
            "The link opens once, within %(hours)s hours, and an older link does not open any "
            "more. Setting a password signs you out everywhere.",
            hours=hours,
        ),
        say(
            "If you did not ask for this, do nothing: your password stays as it is, and nobody "
            "but you has this link."
        ),
        house,
    )
    queue_mail(tx, account.email, say("Set your password"), body)


def write_password_changed(tx: Transaction, account: Account, house: str) -> None:
    """The password was changed; whoever did not do it should know at once."""
    say = words(account.locale)
    body = body_of(
        say("Hello %(name)s,", name=account.name),
        say(
            "The password of your account at %(house)s was changed just now, and every browser "
            "was signed out.",
            house=house,
        ),
        say(
            "If it was not you, open the sign-in page, ask for a new link to set a password, and "
            "tell us."
        ),
        house,
    )
    queue_mail(tx, account.email, say("Your password was changed"), body)


def write_token_made(tx: Transaction, account: Account, house: str, name: str, days: int) -> None:
    """A token was made in their name; whoever did not do it should know at once."""
    say = words(account.locale)
    body = body_of(
        say("Hello %(name)s,", name=account.name),
        say(
            "An access token named “%(token)s” was made for your account at %(house)s just now. "
            "It lets a program act for you for %(days)s days.",
            token=name,
            house=house,
            days=days,
        ),
        say(
            "If it was not you, sign in, change your password on the page of your account, which "
            "ends every token, and tell us."
        ),
        house,
    )
    queue_mail(tx, account.email, say("An access token was made"), body)
