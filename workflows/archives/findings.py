"""What a look into an archive found, as values that travel as JSON between two processes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from workflows.confining import Json, JsonObject

MIB = 1024**2


class Refusal(StrEnum):
    """Why an archive is not taken at all."""

    RATIO = "ratio"
    """it is hundreds of times larger inside than outside"""
    TOO_MANY = "too_many"
    """it has more members than anybody looks at"""
    TOO_LARGE = "too_large"
    """it is larger inside than any file that is taken"""
    NESTED = "nested"
    """archives in archives in archives"""
    DUPLICATES = "duplicates"
    """two members of one name: which one is seen depends on the program"""
    MISMATCH = "mismatch"
    """its table of contents says other things than the members themselves"""
    OVERLAP = "overlap"
    """members share the same bytes"""
    OUTSIDE = "outside"
    """a member's name or link leads out of the folder it is unpacked in"""
    XML_BOMB = "xml_bomb"
    """an XML document inside multiplies itself"""


class Unseen(StrEnum):
    """Why a look inside was not possible, or not into everything."""

    ENCRYPTED = "encrypted"
    FORMAT = "format"
    """a format that we have no reader for"""
    BROKEN = "broken"
    """it cannot be read to its end"""
    TOO_MUCH = "too_much"
    """to read it whole would take too long"""


@dataclass(frozen=True)
class Bounds:
    """How much an archive may hold. `looked_into` is how much of it is unpacked to see."""

    members: int = 10_000
    ratio: int = 200
    ratio_from: int = 4 * MIB
    expanded: int = 20 * 1024 * MIB
    looked_into: int = 2 * 1024 * MIB
    nested_size: int = 64 * MIB
    depth: int = 3


@dataclass
class Findings:
    """What was found; `name` is the member that a refusal is about."""

    members: int = 0
    expanded: int = 0
    depth: int = 0
    refusal: Refusal | None = None
    name: str = ""
    unseen: Unseen | None = None
    external_entities: bool = False
    formats: list[str] = field(default_factory=list)

    def as_json(self) -> JsonObject:
        """As it travels."""
        return dict(asdict(self))


class Refused(Exception):
    """The look ends here: the archive is not taken."""

    def __init__(self, refusal: Refusal, name: str = "") -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.name = name


def from_json(told: Mapping[str, Json]) -> Findings:
    """Read back what the confined process said. Raises ValueError for what is no such answer."""
    refusal, unseen, formats = told.get("refusal"), told.get("unseen"), told.get("formats")
    return Findings(
        members=_number(told.get("members")),
        expanded=_number(told.get("expanded")),
        depth=_number(told.get("depth")),
        refusal=Refusal(str(refusal)) if refusal else None,
        name=str(told.get("name", ""))[:200],
        unseen=Unseen(str(unseen)) if unseen else None,
        external_entities=told.get("external_entities") is True,
        formats=[str(each)[:20] for each in formats[:20]] if isinstance(formats, list) else [],
    )


def _number(value: Json) -> int:
    if not isinstance(value, int):
        raise ValueError("not a number")
    return value
