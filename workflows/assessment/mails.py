"""The letters about an assessor's place. None of them tells anything of another assessor."""

from storage.database import Transaction
from storage.ids import AssignmentId
from storage.tables import Account, Assignment, ConflictOverride
from storage.vocabulary import AssignmentState, OverrideAnswer
from workflows.cases.queries import CaseView
from workflows.issuance.addresses import Site
from workflows.people.mail import body_of, queue_mail
from workflows.words import words


def tell_offered(tx: Transaction, site: Site, view: CaseView, place: Assignment) -> None:
    """That an assessor is asked, and that they declare first."""
    assessor = tx.session.get_one(Account, place.assessor_id)
    say = words(assessor.locale)
    queue_mail(
        tx,
        assessor.email,
        say("Will you assess a case for “%(title)s”?", title=view.definition.title),
        body_of(
            say("Hello %(name)s,", name=assessor.name),
            say("you are asked to assess a case for “%(title)s”.", title=view.definition.title),
            say(
                "You see the learner's name first. Say whether you have a conflict of interest, "
                "or decline, at:"
            ),
            site.assignment(AssignmentId(place.id)),
        ),
    )


def tell_settled(tx: Transaction, site: Site, view: CaseView, place: Assignment) -> None:
    """What the coordinator made of a declared interest."""
    assessor = tx.session.get_one(Account, place.assessor_id)
    say = words(assessor.locale)
    cleared = place.state == AssignmentState.CLEARED
    if cleared:
        outcome = say("The coordinator cleared you to assess it. You score it at:")
    else:
        outcome = say("The coordinator gives the case to someone else. Thank you for saying so.")
    queue_mail(
        tx,
        assessor.email,
        say("Your declaration on case %(number)s", number=view.number),
        body_of(
            say("Hello %(name)s,", name=assessor.name),
            say("you declared an interest in case %(number)s.", number=view.number),
            outcome,
            site.assignment(AssignmentId(place.id)) if cleared else "",
        ),
    )


def tell_replaced(tx: Transaction, view: CaseView, place: Assignment) -> None:
    """That an assessor's place was given to someone else."""
    assessor = tx.session.get_one(Account, place.assessor_id)
    say = words(assessor.locale)
    queue_mail(
        tx,
        assessor.email,
        say("You need not assess case %(number)s", number=view.number),
        body_of(
            say("Hello %(name)s,", name=assessor.name),
            say(
                "someone else assesses case %(number)s now. There is nothing for you to do.",
                number=view.number,
            ),
        ),
    )


def tell_coordinator(tx: Transaction, site: Site, view: CaseView, place: Assignment) -> None:
    """That a place needs the coordinator: declined, excluded, or an interest to settle."""
    coordinator = tx.session.get_one(Account, place.offered_by)
    assessor = tx.session.get_one(Account, place.assessor_id)
    say = words(coordinator.locale)
    about = {
        "declined": say("%(name)s declined to assess it.", name=assessor.name),
        "excluded": say("%(name)s declared a conflict of interest.", name=assessor.name),
        "declared": say("%(name)s declared a possible conflict of interest.", name=assessor.name),
    }
    queue_mail(
        tx,
        coordinator.email,
        say("Case %(number)s needs you", number=view.number),
        body_of(
            say("Hello %(name)s,", name=coordinator.name),
            say(
                "on case %(number)s for “%(title)s”:",
                number=view.number,
                title=view.definition.title,
            ),
            about[place.state],
            site.staff_case(view.id),
        ),
    )


def tell_reviewed(tx: Transaction, view: CaseView, place: Assignment) -> None:
    """That the coordinator sees a conflict after scoring began, and the scores wait."""
    assessor = tx.session.get_one(Account, place.assessor_id)
    say = words(assessor.locale)
    queue_mail(
        tx,
        assessor.email,
        say("Your scores on case %(number)s wait", number=view.number),
        body_of(
            say("Hello %(name)s,", name=assessor.name),
            say(
                "the coordinator sees a conflict of interest in case %(number)s:",
                number=view.number,
            ),
            place.conflict_detail,
            say("Your scores are kept, and wait until it is settled. You hear by mail."),
        ),
    )


def tell_overridden(tx: Transaction, site: Site, view: CaseView, row: ConflictOverride) -> None:
    """To who proposed an override: what the second person said."""
    proposer = tx.session.get_one(Account, row.proposed_by)
    assessor = tx.session.get_one(Account, row.assessor_id)
    say = words(proposer.locale)
    confirmed = row.answer == OverrideAnswer.CONFIRMED
    if confirmed:
        told = say("the override for %(name)s is confirmed:", name=assessor.name)
    else:
        told = say("the override for %(name)s is refused:", name=assessor.name)
    queue_mail(
        tx,
        proposer.email,
        say("The override on case %(number)s is answered", number=view.number),
        body_of(
            say("Hello %(name)s,", name=proposer.name),
            told,
            row.answered_why,
            site.staff_case(view.id),
        ),
    )
