"""The letters about evidence that will go, and about what is gone."""

from collections.abc import Sequence

from babel.dates import format_date

from storage.database import Transaction
from storage.ids import CaseId
from storage.tables import Account, Case, ErasurePlan
from workflows.cases.load import state_of
from workflows.issuance.addresses import Site
from workflows.keeping.plan import GoneFile
from workflows.keeping.rules import UNFINISHED, KeptAs
from workflows.people.mail import body_of, queue_mail
from workflows.words import Say, marked, words

MOST_LISTED = 100

WHY: dict[KeptAs, str] = {
    KeptAs.RECOGNISED: marked("It was decided years ago, and its evidence is needed no more."),
    KeptAs.NOT_RECOGNISED: marked(
        "It was decided a while ago, and its evidence is needed no more."
    ),
    KeptAs.WITHDRAWN: marked("You withdrew it a while ago."),
    KeptAs.NEVER_SUBMITTED: marked("You uploaded files a while ago and never submitted them."),
    KeptAs.ABANDONED: marked("Nothing was done with it for a long time."),
}


def tell_of_erasure(tx: Transaction, site: Site, case: Case, plan: ErasurePlan) -> None:
    """That the learner's wish is heard, and until when it can be undone."""
    learner, say = _reader(tx, case)
    queue_mail(
        tx,
        learner.email,
        say("The evidence of your case %(number)s will be erased", number=case.number),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say(
                "you asked us to erase the evidence of your case. From now on nobody but you can "
                "open it, and on %(day)s it is erased for good.",
                day=_day(plan, learner),
            ),
            say("Until then you can undo this, and see what goes and what stays, at:"),
            f"{site.case(CaseId(case.id))}/erasure",
        ),
    )


def tell_of_retention(
    tx: Transaction, site: Site, case: Case, plan: ErasurePlan, kept_as: KeptAs
) -> None:
    """That the time for which a case is kept is nearly over, while it can still be taken up."""
    if state_of(case) in UNFINISHED:
        _tell_of_expiry(tx, site, case, plan, kept_as)
        return
    learner, say = _reader(tx, case)
    queue_mail(
        tx,
        learner.email,
        say("The evidence of your case %(number)s will be erased", number=case.number),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say(WHY[kept_as]),
            say(
                "We keep evidence no longer than it is needed. On %(day)s the files of this case "
                "are erased. Take a copy of what you want to keep before that day.",
                day=_day(plan, learner),
            ),
            say("What goes and what stays, and your files, are at:"),
            f"{site.case(CaseId(case.id))}/erasure",
        ),
    )


def _tell_of_expiry(
    tx: Transaction, site: Site, case: Case, plan: ErasurePlan, kept_as: KeptAs
) -> None:
    learner, say = _reader(tx, case)
    queue_mail(
        tx,
        learner.email,
        say("Your case %(number)s will end soon", number=case.number),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say(WHY[kept_as]),
            say(
                "On %(day)s it ends, and what is in it is erased. To keep it, go on with it before "
                "that day: add or describe evidence, or rate yourself.",
                day=_day(plan, learner),
            ),
            site.case(CaseId(case.id)),
        ),
    )


def tell_ended(tx: Transaction, site: Site, case: Case) -> None:
    """That a case without evidence has ended, because nobody went on with it."""
    learner, say = _reader(tx, case)
    queue_mail(
        tx,
        learner.email,
        say("Your case %(number)s has ended", number=case.number),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say("nothing was done with it for a long time, and no evidence was in it."),
            say("You can open a new one whenever you like:"),
            site.case(CaseId(case.id)),
        ),
    )


def tell_undone(tx: Transaction, site: Site, case: Case) -> None:
    """That nothing will be erased."""
    learner, say = _reader(tx, case)
    queue_mail(
        tx,
        learner.email,
        say("Nothing of your case %(number)s will be erased", number=case.number),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say("the erasure that you asked for is undone. Everything is as it was:"),
            site.case(CaseId(case.id)),
        ),
    )


def tell_erased(
    tx: Transaction, site: Site, case: Case, gone: Sequence[GoneFile], digest: str
) -> None:
    """The receipt: what went, by digest, and the receipt's own."""
    learner, say = _reader(tx, case)
    lines = [f"{one.sha256 or '—'}  {one.size}" for one in gone[:MOST_LISTED]]
    queue_mail(
        tx,
        learner.email,
        say("Receipt: the evidence of your case %(number)s is erased", number=case.number),
        body_of(
            say("Hello %(name)s,", name=learner.name),
            say("this was erased, by digest (SHA-256) and size in bytes:"),
            "\n".join(lines),
            say("The digest of the receipt itself is:"),
            digest,
            say("The whole receipt, with what stays and why, is at:"),
            f"{site.case(CaseId(case.id))}/erasure",
        ),
    )


def _reader(tx: Transaction, case: Case) -> tuple[Account, Say]:
    learner = tx.session.get_one(Account, case.learner_id)
    return learner, words(learner.locale)


def _day(plan: ErasurePlan, learner: Account) -> str:
    return format_date(plan.due_at, "long", locale=learner.locale)
