"""What badge, certificate and card would look like in other colours, with nobody's name on them."""

from dataclasses import dataclass, replace

from credentials.badge import BadgeFace, badge_png, draw_badge
from credentials.card import CardFace, draw_card
from credentials.certificate import CertificateFace, draw_first_page
from credentials.colours import DEFAULT_ACCENT, DEFAULT_COLOUR
from credentials.paper import Outcome
from storage.database import Transaction
from storage.ids import InstitutionId
from storage.tables import Institution
from workflows.appearance.queries import appearance_of, worn_picture
from workflows.frameworks.definition import Criterion, Definition
from workflows.frameworks.queries import catalogue
from workflows.issuance.addresses import Site
from workflows.issuance.artefacts import House, achievement_svg, level_of, printed_words
from workflows.words import words

PIXELS = 320
MOST_ROWS = 5


@dataclass(frozen=True)
class Sample:
    """What a preview is drawn of: the house, and something that it recognises, if there is any."""

    house: House
    definition: Definition | None
    country: str = ""

    @property
    def title(self) -> str:
        """The title that stands on it."""
        return self.definition.title if self.definition else words("en")("A credential")

    @property
    def language(self) -> str:
        """The language it speaks."""
        return self.definition.language if self.definition else "en"


def sample_of(
    tx: Transaction, institution_id: InstitutionId, colour: str = "", accent: str = ""
) -> Sample:
    """The house in these colours, or in its own, with the first thing that it offers."""
    row = tx.session.get_one(Institution, institution_id)
    own = appearance_of(tx, institution_id)
    offered = catalogue(tx)
    house = House(own.name, colour or own.colour, accent or own.accent)
    return Sample(
        replace(house, logo=worn_picture(tx, row.profile)),
        offered[0].definition if offered else None,
        row.country,
    )


def draw(what: str, sample: Sample, site: Site) -> bytes:
    """A “badge”, a “card” or the first page of a “certificate” as PNG."""
    if what == "badge":
        return badge_png(_badge(sample), PIXELS)
    if what == "card":
        return _card(sample)
    return _certificate(sample, site)


def _card(sample: Sample) -> bytes:
    say = words(sample.language)
    house = sample.house
    face = CardFace(
        title=sample.title,
        institution=house.name,
        learner=say("Name of the learner"),
        awarded=say("Awarded to"),
        day="",
        address="",
        checked="",
        colour=house.colour,
        accent=house.accent,
        logo=house.logo,
    )
    return draw_card(face, _badge(sample))


def _certificate(sample: Sample, site: Site) -> bytes:
    say, house, definition = words(sample.language), sample.house, sample.definition
    face = CertificateFace(
        learner=say("Name of the learner"),
        title=sample.title,
        description=definition.description if definition else "",
        institution=house.name,
        issuer=site.did(),
        place="",
        level=level_of(definition) if definition else "",
        address=site.url,
        language=sample.language.partition("-")[0],
        whole=True,
        right_to_left=False,
        statements=(),
        assessed=(),
        criteria="",
        facts=(),
        outcomes=tuple(_row(row) for row in _rows(definition)),
        evidence=(),
        colour=house.colour or DEFAULT_COLOUR,
        accent=house.accent or DEFAULT_ACCENT,
    )
    return draw_first_page(face, _badge(sample), printed_words(sample.language), house.logo)


def _badge(sample: Sample) -> bytes:
    if sample.definition is not None:
        return achievement_svg(sample.definition, sample.house)
    house = sample.house
    return draw_badge(
        BadgeFace(
            sample.title, house.name, colour=house.colour, accent=house.accent, logo=house.logo
        )
    )


def _rows(definition: Definition | None) -> list[Criterion]:
    return list(definition.criteria())[:MOST_ROWS] if definition else []


def _row(row: Criterion) -> Outcome:
    """A criterion at the level that passes."""
    place = [level.value for level in row.levels].index(row.threshold) + 1
    return Outcome(row.title, row.level(row.threshold).label, "", place, len(row.levels))
