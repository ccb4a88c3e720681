"""Logo and colours as pages, pictures and documents ask for them."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlmodel import col, select

from credentials.colours import COLOUR, DEFAULT_ACCENT, DEFAULT_COLOUR
from storage.database import Transaction
from storage.errors import NotFound
from storage.ids import InstitutionId, Sha256
from storage.tables import Institution, Logo
from workflows.issuance.addresses import Site

WORN = "worn_logo"
"""The profile's word for the logo that is worn."""


class LogoMark(BaseModel):
    """Which logo is worn, how large it is, and what stands for it where it cannot be seen."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sha256: str
    text: str
    width: int
    height: int


@dataclass(frozen=True)
class Appearance:
    """What the institution looks like. `colour` and `accent` are “#rrggbb”, our own if it has
    chosen none."""

    name: str
    colour: str
    accent: str
    logo: LogoMark | None


def appearance_of(tx: Transaction, institution_id: InstitutionId) -> Appearance:
    """The institution's name, colours and logo."""
    row = tx.session.get_one(Institution, institution_id)
    return Appearance(
        name=row.name,
        colour=_colour(row.profile.get("colour"), DEFAULT_COLOUR),
        accent=_colour(row.profile.get("accent"), DEFAULT_ACCENT),
        logo=logo_worn(row.profile),
    )


def logo_worn(profile: Mapping[str, object]) -> LogoMark | None:
    """The logo that a profile names, if it does."""
    try:
        return LogoMark.model_validate(profile.get(WORN))
    except ValidationError:
        return None


def logo_of(
    tx: Transaction, site: Site, named: str | None, profile: Mapping[str, object]
) -> LogoMark | None:
    """The logo that a document names by an address of ours; otherwise the one that is worn."""
    worn = logo_worn(profile)
    path = (site.path_of(named or "") or "").removeprefix("/logos/").removesuffix(".png")
    if not named or (worn and worn.sha256 == path):
        return worn
    found = tx.session.exec(
        select(Logo.width, Logo.height).where(col(Logo.sha256) == path)
    ).one_or_none()
    if found is None:
        return worn
    return LogoMark(sha256=path, text="", width=found[0], height=found[1])


def logo_picture(tx: Transaction, sha256: str) -> bytes:
    """The PNG with this digest, worn now or earlier. Raises NotFound."""
    found = tx.session.exec(select(Logo.picture).where(col(Logo.sha256) == sha256)).one_or_none()
    if found is None:
        raise NotFound("There is no such logo.")
    return found


def ever_wore_a_logo(tx: Transaction, institution_id: InstitutionId) -> bool:
    """Whether a logo of this institution was ever kept."""
    kept = select(Logo.sha256).where(col(Logo.institution_id) == institution_id).limit(1)
    return tx.session.exec(kept).first() is not None


def worn_picture(tx: Transaction, profile: Mapping[str, object]) -> bytes:
    """The PNG of the logo that a profile names; empty if it names none."""
    mark = logo_worn(profile)
    return logo_picture(tx, Sha256(mark.sha256)) if mark else b""


def _colour(value: object, otherwise: str) -> str:
    return value if isinstance(value, str) and COLOUR.fullmatch(value) else otherwise
