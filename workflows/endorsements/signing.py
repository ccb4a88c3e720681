"""The job that makes the signed document of an endorsement, on the organisation's own status list.

The document is stored, once, before anybody can see it: a crash in between leaves nothing behind
but a place in the list, which the next run takes up.
"""

from sqlalchemy import update
from sqlmodel import col

from credentials.claims import EndorsementClaims, IssuerProfile
from credentials.documents import dump_json
from credentials.openbadges import build_endorsement
from credentials.proofs import add_proof
from storage.crashpoints import crash_point
from storage.database import Database, command
from storage.events import SYSTEM, record
from storage.ids import CaseId, EndorsementId, InstitutionId, OutboxId, sha256_of
from storage.outbox import receive
from storage.tables import Endorsement
from storage.vocabulary import VoiceState
from workflows.endorsements import mails
from workflows.endorsements.asking_anew import retire_earlier
from workflows.endorsements.load import Held, hold, look
from workflows.endorsements.rules import comment_of, read_words, saved_form
from workflows.issuance.addresses import Site
from workflows.issuance.claims import printable, to_the_second
from workflows.issuance.keys import Issuer, ensure_issuer_key, live_key_id, signing_key
from workflows.issuance.status import (
    REVOCATION_ONLY,
    Place,
    allocate,
    place_of,
    sign_status_list,
    unsigned_lists,
)
from workflows.words import words


def sign_endorsement(
    db: Database, issuer: Issuer, endorsement_id: EndorsementId, outbox_id: OutboxId
) -> None:
    """The job: make the signed document of a given endorsement, on the organisation's own lists.

    The document is stored before anybody can see it, once. Raises AlreadyDone, NotFound,
    Unavailable.
    """
    with db.reading() as tx:
        held = look(tx, endorsement_id)
    institution_id = InstitutionId(held.organisation.institution_id)
    ensure_issuer_key(db, issuer, institution_id, held.organisation_id)
    place = _take_place(db, endorsement_id)
    if place is None:
        _drop(db, outbox_id)
        return
    crash_point("endorse.placed")
    with db.reading() as tx:
        unsigned = unsigned_lists(tx, endorsement_id)
        key_id = live_key_id(tx, institution_id, held.organisation_id)
        key = signing_key(tx, issuer, key_id)
    for list_id in unsigned:
        sign_status_list(db, issuer, list_id)
    document = build_endorsement(_claims(held, issuer.site, place))
    at = to_the_second(held.endorsement.given_at or tx.now)
    signed = add_proof(document, key.private, key.verification_method, at)
    crash_point("endorse.signed")
    _store(db, issuer.site, endorsement_id, dump_json(signed).decode(), outbox_id)


@command
def _take_place(db: Database, endorsement_id: EndorsementId) -> Place | None:
    """Its place in a status list; None when there is nothing to sign: withdrawn, or signed."""
    with db.transaction() as tx:
        held = hold(tx, endorsement_id)
        if held.endorsement.document is not None or held.endorsement.state != VoiceState.GIVEN:
            return None
        place = place_of(tx, endorsement_id)
        if place is None:
            place = allocate(
                tx,
                InstitutionId(held.organisation.institution_id),
                endorsement_id,
                organisation_id=held.organisation_id,
                purposes=REVOCATION_ONLY,
            )
            held.endorsement.status_index = place.index
        return place


@command
def _store(
    db: Database, site: Site, endorsement_id: EndorsementId, document: str, outbox_id: OutboxId
) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)
        tx.session.execute(
            update(Endorsement)
            .where(col(Endorsement.id) == endorsement_id, col(Endorsement.document).is_(None))
            .values(document=document, document_sha256=sha256_of(document.encode()))
        )
        held = look(tx, endorsement_id)
        record(
            tx,
            SYSTEM,
            "sign_endorsement",
            ("endorsement", endorsement_id),
            case_id=CaseId(held.case.id),
        )
        if held.endorsement.state == VoiceState.GIVEN:
            retire_earlier(tx, endorsement_id)
            mails.tell_given(tx, held.endorsement, held.around, site.my_credentials())


@command
def _drop(db: Database, outbox_id: OutboxId) -> None:
    with db.transaction() as tx:
        receive(tx, outbox_id)


def _claims(held: Held, site: Site, place: Place) -> EndorsementClaims:
    given = held.endorsement
    at = given.given_at or given.asked_at
    said = read_words(saved_form(given), held.recognised, at.date())
    say = words(held.around.locale)
    return EndorsementClaims(
        id=site.endorsement(held.id),
        name=say("Endorsement by %(organisation)s", organisation=held.organisation.name),
        issuer=IssuerProfile(
            id=site.did(held.organisation_id),
            name=held.organisation.name,
            url=held.organisation.url or None,
        ),
        valid_from=to_the_second(at),
        subject_id=site.credential(held.credential_id),
        comment=printable(comment_of(said, held.definition, given.endorser_name, say)),
        status=place.claims(site),
    )
