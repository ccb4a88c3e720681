"""`assay init`: the first act on a new installation."""

import argparse

from app.cli.surroundings import settings_at_hand
from app.container import Container, build
from storage.events import SYSTEM
from storage.vocabulary import Role
from workflows.cases.policy import Policy
from workflows.frameworks.commands import import_policy
from workflows.issuance.keys import ensure_issuer_key
from workflows.people.founding import Appointment, Founding, appoint, found_institution


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who the institution is, and who runs its installation."""
    parser.add_argument("--name", required=True, help="the institution's name on credentials")
    parser.add_argument("--slug", required=True, help="a short name, such as northbridge")
    parser.add_argument("--country", required=True, help="two letters, such as CA")
    parser.add_argument("--url", required=True, help="the institution's own web site")
    parser.add_argument("--email", required=True, help="where people can write to")
    parser.add_argument("--description", default="", help="a sentence about the institution")
    parser.add_argument("--colour", default="", help="its colour, such as #1f5f8b")
    parser.add_argument("--accent", default="", help="a second one, for lines on its badges")
    parser.add_argument("--admin-name", required=True, help="the first administrator's name")
    parser.add_argument("--admin-email", required=True, help="where their link is mailed to")


def run(args: argparse.Namespace) -> int:
    """Set up the institution, its default rules, its key and its administrator."""
    with settings_at_hand() as settings:
        container = build(settings)
        try:
            _set_up(container, args)
        finally:
            container.close()
    print(f"{args.name} is set up. A link to sign in goes to {args.admin_email} by mail.")
    return 0


def _set_up(container: Container, args: argparse.Namespace) -> None:
    profile: dict[str, object] = {"description": args.description, "colour": args.colour}
    profile["accent"] = args.accent
    founding = Founding(args.slug, args.name, args.country, args.url, args.email, profile)
    institution_id = found_institution(container.db, founding)
    import_policy(container.db, SYSTEM, institution_id, Policy())
    ensure_issuer_key(container.db, container.issuer, institution_id)
    who = Appointment(args.admin_name, args.admin_email, [Role.ADMINISTRATOR])
    link = f"{container.site.url}/set-password/"
    appoint(container.db, institution_id, who, address_of=lambda token: f"{link}{token}")
