"""The one letter about webhooks: an endpoint was switched off by itself."""

from sqlmodel import col, select

from storage.database import Transaction
from storage.ids import InstitutionId
from storage.tables import Account, RoleGrant, WebhookEndpoint
from storage.vocabulary import Role, WhyOff
from workflows.issuance.addresses import Site
from workflows.people.mail import body_of, queue_mail
from workflows.people.sessions import held_at
from workflows.words import words


def tell_switched_off(tx: Transaction, site: Site, endpoint: WebhookEndpoint, why: WhyOff) -> None:
    """To every administrator of the institution, once."""
    institution_id = InstitutionId(endpoint.institution_id)
    for account in _administrators(tx, institution_id):
        say = words(account.locale)
        reason = (
            say("It answered that it wants no more news (410 Gone).")
            if why is WhyOff.GONE
            else say("It has not taken any news for five days.")
        )
        body = body_of(
            say("Hello %(name)s,", name=account.name),
            say("news of credentials is not sent to this address any more:"),
            endpoint.url,
            reason,
            say(
                "What happens meanwhile is kept for 30 days and sent once you switch the endpoint "
                "on again:"
            ),
            site.webhook(endpoint.id),
        )
        queue_mail(tx, account.email, say("News is not delivered any more"), body)


def _administrators(tx: Transaction, institution_id: InstitutionId) -> list[Account]:
    return list(
        tx.session.exec(
            select(Account)
            .join(RoleGrant, held_at(institution_id))
            .where(
                RoleGrant.role == Role.ADMINISTRATOR.value,
                col(Account.disabled_at).is_(None),
            )
            .order_by(col(Account.id))
        ).all()
    )
