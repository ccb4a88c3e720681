"""What an XML document declares before its first element. Nothing is expanded, nothing fetched."""

from dataclasses import dataclass
from typing import BinaryIO
from xml.parsers import expat

PROLOGUE = 4 * 1024**2
PIECE = 64 * 1024


@dataclass
class Declared:
    """`bomb`: entities made of entities. `external`: something elsewhere is to be read in."""

    bomb: bool = False
    external: bool = False


class _Enough(Exception):
    """The first element has begun: nothing is declared after it."""


def declared_in(file: BinaryIO) -> Declared:
    """What the document declares. A document that is broken declares nothing more."""
    found = Declared()
    parser = expat.ParserCreate()
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def entity(  # noqa: PLR0917  # expat's own order
        name: str,
        is_parameter: bool,
        value: str | None,
        base: str | None,
        system_id: str | None,
        public_id: str | None,
        notation: str | None,
    ) -> None:
        del name, base, public_id, notation
        found.external = found.external or system_id is not None
        found.bomb = found.bomb or _refers(value or "", parameter=bool(is_parameter))

    def doctype(name: str, system_id: str | None, public_id: str | None, subset: bool) -> None:
        del name, subset
        # a public identifier, as SVG's and XHTML's own, is a name and nothing to fetch
        found.external = found.external or (system_id is not None and public_id is None)

    def element(name: str, attributes: dict[str, str]) -> None:
        raise _Enough

    parser.EntityDeclHandler = entity
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    left = PROLOGUE
    try:
        while left > 0 and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            parser.Parse(piece, False)
    except (_Enough, expat.ExpatError):
        pass
    return found


def _refers(value: str, *, parameter: bool) -> bool:
    """Whether an entity's text is made of other entities."""
    named = [part for part in value.split("&")[1:] if not part.startswith("#")]
    return bool(named) or (parameter and "%" in value)
