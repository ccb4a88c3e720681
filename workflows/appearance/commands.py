"""Choosing the institution's logo and colours. What was signed before keeps what it named."""

import tempfile
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert

from storage.database import Database, Transaction, command
from storage.errors import Forbidden
from storage.events import Who, record
from storage.ids import InstitutionId, Sha256, sha256_of
from storage.tables import Institution, Logo
from workflows.access.permissions import Permission
from workflows.access.rules import Actor, acting
from workflows.appearance.drawing import Refused
from workflows.appearance.queries import WORN, LogoMark
from workflows.appearance.rules import (
    MOST_GIVEN,
    WORDS,
    checked_colours,
    checked_text,
    no_logo,
)
from workflows.confining import MIB, Confined, Confinement, Limits, Source

TASK = "app.looking.logo:draw"
LIMITS = Limits(cpu_seconds=8, wall_seconds=15.0, memory_bytes=768 * MIB, file_bytes=2 * MIB)
TOO_LARGE = "This file is too large: a logo may have 2 megabytes."


def wear_logo(
    db: Database, confinement: Confinement, actor: Actor, given: bytes, text: str
) -> Sha256:
    """Draw a logo anew, away from everything else, keep it and wear it; the digest of the drawing.

    `text` stands for it where it cannot be seen. Raises Forbidden, InvalidInput.
    """
    who, institution_id = _of_an_institution(actor)
    said = checked_text(text)
    if len(given) > MOST_GIVEN:
        raise no_logo(TOO_LARGE)
    picture, size = draw_anew(confinement, given)
    mark = LogoMark(sha256=sha256_of(picture), text=said, width=size[0], height=size[1])
    _keep(db, who, institution_id, picture, mark)
    return Sha256(mark.sha256)


@command
def describe_logo(db: Database, actor: Actor, text: str) -> None:
    """Say anew what stands for the logo where it cannot be seen. Raises Forbidden, InvalidInput."""
    who, institution_id = _of_an_institution(actor)
    said = checked_text(text)
    with db.transaction() as tx:
        institution = _in_hand(tx, institution_id)
        worn = institution.profile.get(WORN)
        if isinstance(worn, dict):
            institution.profile = {**institution.profile, WORN: {**worn, "text": said}}
            record(tx, who, "describe_logo", ("institution", institution_id), data={"text": said})


@command
def take_logo_off(db: Database, actor: Actor) -> None:
    """Wear no logo from now on. The picture stays, for documents that name it. Raises Forbidden."""
    who, institution_id = _of_an_institution(actor)
    with db.transaction() as tx:
        institution = _in_hand(tx, institution_id)
        kept = {name: value for name, value in institution.profile.items() if name != WORN}
        institution.profile = kept
        record(tx, who, "take_logo_off", ("institution", institution_id))


@command
def choose_colours(db: Database, actor: Actor, colour: str, accent: str) -> None:
    """Set the institution's two colours. Raises Forbidden, InvalidInput."""
    who, institution_id = _of_an_institution(actor)
    first, second = checked_colours(colour, accent)
    chosen: dict[str, object] = {"colour": first, "accent": second}
    with db.transaction() as tx:
        institution = _in_hand(tx, institution_id)
        institution.profile = {**institution.profile, **chosen}
        record(tx, who, "choose_colours", ("institution", institution_id), data=chosen)


def draw_anew(confinement: Confinement, given: bytes) -> tuple[bytes, tuple[int, int]]:
    """A logo as PNG, drawn away from everything else, and its size. Raises InvalidInput."""

    def read(offset: int, length: int) -> bytes:
        return given[offset : offset + length]

    with tempfile.TemporaryDirectory(prefix="assay-logo-") as folder:
        try:
            told = confinement.run(
                TASK, {}, folder=Path(folder), source=Source(len(given), read), limits=LIMITS
            )
        except Confined:
            raise no_logo(WORDS[Refused.UNREADABLE]) from None
        if "refused" in told:
            raise no_logo(WORDS[Refused(str(told["refused"]))])
        picture = (Path(folder) / "logo.png").read_bytes()
    return picture, (int(str(told["width"])), int(str(told["height"])))


@command
def _keep(
    db: Database, who: Who, institution_id: InstitutionId, picture: bytes, mark: LogoMark
) -> None:
    with db.transaction() as tx:
        tx.session.execute(
            insert(Logo)
            .values(
                sha256=mark.sha256,
                institution_id=institution_id,
                picture=picture,
                width=mark.width,
                height=mark.height,
                kept_at=tx.now,
            )
            .on_conflict_do_nothing(index_elements=["sha256"])
        )
        institution = _in_hand(tx, institution_id)
        institution.profile = {**institution.profile, WORN: mark.model_dump()}
        told = {"sha256": mark.sha256, "text": mark.text}
        record(tx, who, "wear_logo", ("institution", institution_id), data=told)


def _in_hand(tx: Transaction, institution_id: InstitutionId) -> Institution:
    return tx.session.get_one(Institution, institution_id, with_for_update=True)


def _of_an_institution(actor: Actor) -> tuple[Who, InstitutionId]:
    who = acting(actor, Permission.MANAGE_APPEARANCE)
    if actor.institution_id is None:
        raise Forbidden("Your role does not include this.")
    return who, actor.institution_id
