"""What a learner is told of their credential."""

from storage.database import Transaction
from storage.ids import CredentialId
from storage.tables import Account, Credential, DefinitionVersion
from storage.vocabulary import CredentialState
from workflows.issuance.addresses import Site
from workflows.people.mail import body_of, queue_mail
from workflows.words import words


def tell_published(tx: Transaction, site: Site, credential: Credential) -> None:
    """It is there: where, and what can be done with it."""
    learner, title = _about(tx, credential)
    say = words(learner.locale)
    queue_mail(
        tx,
        learner.email,
        say("Your credential is here: %(title)s", title=title),
        body_of(
            say("Congratulations, %(name)s.", name=learner.name),
            say("What you can do is recognised: “%(title)s”. Your credential is at:", title=title),
            site.credential(CredentialId(credential.id)),
            say(
                "Anyone with this address can read it and check it. There you can download the "
                "badge and the certificate, choose what of your evidence others may open, and ask "
                "an employer to endorse it."
            ),
        ),
    )


def tell_changed(tx: Transaction, site: Site, credential: Credential, why: str) -> None:
    """Its status changed, with the reason that stands on its page."""
    learner, title = _about(tx, credential)
    say = words(learner.locale)
    told = {
        CredentialState.SUSPENDED: say("Your credential “%(title)s” is suspended", title=title),
        CredentialState.PUBLISHED: say(
            "Your credential “%(title)s” is in force again", title=title
        ),
        CredentialState.REVOKED: say("Your credential “%(title)s” is revoked", title=title),
    }
    queue_mail(
        tx,
        learner.email,
        told[CredentialState(credential.state)],
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say("the registrar has changed the status of your credential and gives as reason:"),
            why,
            say("You see it at:"),
            site.credential(CredentialId(credential.id)),
        ),
    )


def _about(tx: Transaction, credential: Credential) -> tuple[Account, str]:
    learner = tx.session.get_one(Account, credential.learner_id)
    title = tx.session.get_one(DefinitionVersion, credential.definition_id).title
    return learner, title
