"""What becomes of endorsements when the credential that they speak of was corrected.

An endorsement names the credential it is of and stays as it was signed. Its giver is asked to put
their name to the corrected one, with their own words in the form; once they have, the earlier
endorsement's status says that it does not stand any more.
"""

from datetime import timedelta

from sqlmodel import col, select

from storage.database import Transaction
from storage.events import SYSTEM, record
from storage.ids import CaseId, CredentialId, EndorsementId, new_id
from storage.tables import Endorsement, Organisation
from storage.vocabulary import LearnerAnswer, LinkPurpose, StatusPurpose, VoiceState
from workflows.endorsements import mails
from workflows.endorsements.commands import LINK_DAYS
from workflows.endorsements.load import named, subject
from workflows.issuance.addresses import Site
from workflows.issuance.status import place_of, set_status
from workflows.people.links import make_link


def ask_anew(tx: Transaction, site: Site, old: CredentialId, new: CredentialId) -> int:
    """Ask those who endorsed the old credential to endorse the new one; returns how many.

    Whoever the learner refused, and who endorsed nothing that the new one says, is not asked.
    """
    given = tx.session.exec(
        select(Endorsement)
        .where(
            Endorsement.credential_id == old,
            Endorsement.state == VoiceState.GIVEN.value,
            Endorsement.answer != LearnerAnswer.REFUSED.value,
        )
        .order_by(col(Endorsement.given_at))
    ).all()
    about = subject(tx, new)
    asked = 0
    for earlier in given:
        outcomes = [code for code in map(str, about.recognised) if code in earlier.outcome_codes]
        if not outcomes:
            continue
        anew = _anew(tx, earlier, new, outcomes)
        record(
            tx,
            SYSTEM,
            "ask_endorsement_anew",
            ("endorsement", anew.id),
            case_id=CaseId(about.case.id),
            data={"replaces": str(earlier.id)},
        )
        organisation = tx.session.get_one(Organisation, earlier.organisation_id)
        lifetime = timedelta(days=LINK_DAYS)
        token = make_link(tx, LinkPurpose.ENDORSE, anew.id, anew.endorser_email, lifetime)
        around = named(about, organisation)
        mails.ask_employer_anew(tx, anew, around, site.endorse(token), LINK_DAYS)
        asked += 1
    return asked


def retire_earlier(tx: Transaction, endorsement_id: EndorsementId) -> None:
    """Turn the status of the endorsement that this one replaces, if it replaces one."""
    earlier_id = tx.session.get_one(Endorsement, endorsement_id).replaces_id
    if earlier_id is None or place_of(tx, earlier_id) is None:
        return
    set_status(tx, earlier_id, StatusPurpose.REVOCATION, True)
    record(tx, SYSTEM, "replace_endorsement", ("endorsement", earlier_id))


def _anew(
    tx: Transaction, earlier: Endorsement, new: CredentialId, outcomes: list[str]
) -> Endorsement:
    """The same question for the new credential, with the words that were given."""
    anew = Endorsement(
        id=new_id(),
        credential_id=new,
        organisation_id=earlier.organisation_id,
        state=VoiceState.ASKED.value,
        endorser_name=earlier.endorser_name,
        endorser_email=earlier.endorser_email,
        endorser_title=earlier.endorser_title,
        outcome_codes=outcomes,
        relation=earlier.relation,
        period=earlier.period,
        comment=earlier.comment,
        visibility=earlier.visibility,
        asked_at=tx.now,
        replaces_id=earlier.id,
    )
    tx.session.add(anew)
    tx.session.flush()
    return anew
