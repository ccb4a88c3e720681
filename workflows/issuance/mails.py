"""What a learner is told of their credential."""

from dataclasses import dataclass

from storage.database import Transaction
from storage.ids import CredentialId
from storage.tables import Account, Credential, DefinitionVersion, Institution
from storage.vocabulary import CredentialState
from workflows.issuance.addresses import Site
from workflows.issuance.rules import reason_words
from workflows.people.mail import Letter, body_of, queue_mail
from workflows.words import Say, words


@dataclass(frozen=True)
class Addressee:
    """Who a letter goes to, and in which language."""

    name: str
    email: str
    locale: str


def tell_published(tx: Transaction, site: Site, credential: Credential) -> None:
    """It is there: where, and what can be done with it."""
    learner, title = _about(tx, credential)
    addressee = Addressee(learner.name, learner.email, learner.locale)
    written = published_letter if credential.whole else stated_letter
    letter = written(addressee, title, site.credential(CredentialId(credential.id)))
    queue_mail(tx, letter.recipient, letter.subject, letter.body)


def published_letter(learner: Addressee, title: str, address: str) -> Letter:
    """The news that a credential is at an address, in the learner's language."""
    say = words(learner.locale)
    return Letter(
        learner.email,
        say("Your credential is here: %(title)s", title=title),
        body_of(
            say("Congratulations, %(name)s.", name=learner.name),
            say("What you can do is recognised: “%(title)s”. Your credential is at:", title=title),
            address,
            say(
                "Anyone with this address can read it and check it. There you can download the "
                "badge and the certificate, choose what of your evidence others may open, and ask "
                "an employer to endorse it."
            ),
        ),
    )


def stated_letter(learner: Addressee, title: str, address: str) -> Letter:
    """What is said of a statement of partial recognition."""
    say = words(learner.locale)
    return Letter(
        learner.email,
        say("Your statement is here: %(title)s", title=title),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say(
                "the outcomes of “%(title)s” that were recognised stand in a signed statement at:",
                title=title,
            ),
            address,
            say(
                "Anyone with this address can read it and check it. It names what was recognised "
                "and nothing else. It is not the credential; your plan says what would show the "
                "rest."
            ),
        ),
    )


def tell_changed(tx: Transaction, site: Site, credential: Credential) -> None:
    """Its status changed: the reason that stands on its page, what follows, and whom to ask."""
    learner, title = _about(tx, credential)
    say = words(learner.locale)
    told, follows = {
        CredentialState.SUSPENDED: (
            say("Your credential “%(title)s” is suspended", title=title),
            say(
                "While it is suspended, checks say that it is not in force at present. That is no "
                "judgement: it comes back when the question is settled, and you are told."
            ),
        ),
        CredentialState.PUBLISHED: (
            say("Your credential “%(title)s” is in force again", title=title),
            say("The suspension has ended. Checks say again that the credential is valid."),
        ),
        CredentialState.REVOKED: (
            say("Your credential “%(title)s” is revoked", title=title),
            say(
                "Checks say from now on that it does not count any more. What you can do and what "
                "you have shown is not judged by that."
            ),
        ),
    }[CredentialState(credential.state)]
    reason = reason_words(credential.public_reason)
    queue_mail(
        tx,
        learner.email,
        told,
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say("the registrar has changed the status of your credential. On its page stands:")
            if reason
            else "",
            say(reason) if reason else "",
            follows,
            say("You see it at:"),
            site.credential(CredentialId(credential.id)),
            _whom_to_ask(tx, credential, say),
        ),
    )


def tell_corrected(tx: Transaction, site: Site, corrected: Credential, old: Credential) -> None:
    """A corrected credential has replaced the old one: where it is, and what to do with copies."""
    learner, title = _about(tx, corrected)
    say = words(learner.locale)
    queue_mail(
        tx,
        learner.email,
        say("Your credential “%(title)s” was corrected", title=title),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say("the registrar has corrected your credential and issued it anew. It is now at:"),
            site.credential(CredentialId(corrected.id)),
            say(
                "The earlier one does not count any more; its page leads to the new one. Where you "
                "have shared or downloaded it, use the new one from now on:"
            ),
            site.credential(CredentialId(old.id)),
            say(
                "What you chose to show of your evidence stays as you chose it. Employers who "
                "endorsed the earlier one are asked to endorse the new one."
            ),
            _whom_to_ask(tx, corrected, say),
        ),
    )


def _whom_to_ask(tx: Transaction, credential: Credential, say: Say) -> str:
    """Where an objection goes; '' when the institution has no address."""
    institution = tx.session.get_one(Institution, credential.institution_id)
    if not institution.email:
        return ""
    return say(
        "If you think that this is wrong, write to %(email)s: you may ask for a review.",
        email=institution.email,
    )


def _about(tx: Transaction, credential: Credential) -> tuple[Account, str]:
    learner = tx.session.get_one(Account, credential.learner_id)
    title = tx.session.get_one(DefinitionVersion, credential.definition_id).title
    return learner, title
