"""What is sent to the API and what it answers. The description (OpenAPI) is made of these."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from app.web.forms import ODD, ODD_WORDS
from storage.vocabulary import (
    AiUse,
    CaseState,
    Disclosure,
    EvidenceKind,
    EvidenceState,
    PeopleShown,
    Role,
    ScanVerdict,
)
from workflows.evidence.people import LONGEST_NOTE
from workflows.evidence.rules import LEARNER_KINDS, LONGEST_NAME, LONGEST_TEXT, LONGEST_TITLE
from workflows.people.tokens import TokenScope
from workflows.writing import lines, one_line

MOST_PARTS = 10_000
PARTS_AT_ONCE = 32
LARGEST = 2**53 - 1
"""Whole numbers up to this one are the same in every JSON reader."""
LARGEST_VERSION = 2**31 - 1
LARGEST_PAGE = 200


def _keepable(text: str) -> str:
    """Refuse what no database can keep. Raises ValueError."""
    if ODD.search(text):
        raise ValueError(ODD_WORDS)
    return text


Given = Annotated[str, AfterValidator(_keepable)]
"""Text as a program has it."""
Words = Annotated[str, AfterValidator(_keepable), AfterValidator(lines)]
"""Text as a person wrote it; what would mislead its readers is left out."""
Line = Annotated[str, AfterValidator(_keepable), AfterValidator(one_line)]
"""The same, on one line."""
Sha256Hex = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256, 64 lower-case hex digits.",
        examples=["ab" * 32],
    ),
]
LearnerKind = Annotated[
    EvidenceKind,
    WithJsonSchema({"type": "string", "enum": [kind.value for kind in LEARNER_KINDS]}),
]
Bytes = Annotated[int, Field(ge=1, le=LARGEST, description="Bytes.")]
PartNumber = Annotated[int, Field(ge=1, le=MOST_PARTS, description="From 1.")]
Address = Annotated[str, Field(description="An address under this site.")]


class Sent(BaseModel):
    """What is sent as JSON. A field that is not named here is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Answered(BaseModel):
    """What is answered. New fields may come; readers ignore those they do not know."""

    model_config = ConfigDict(frozen=True)


class WantedPart(Sent):
    """A part that is about to be sent."""

    number: PartNumber
    sha256: Sha256Hex
    size: Bytes | None = Field(
        default=None, description="Only of the last part of an open-ended upload."
    )


class Announcement(Sent):
    """A file, or a recording, that is to come. The same file announced again is the same item."""

    file_name: Given = Field(
        min_length=1,
        max_length=LONGEST_NAME,
        description="A plain name, without folders.",
        examples=["vice-job.mp4"],
    )
    size: Bytes | None = Field(
        description="null: a recording whose size is known only at its end.", examples=[734003200]
    )
    media_type: Given | None = Field(
        default=None, max_length=200, description="What the sender takes it for."
    )
    fingerprint: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}:[0-9a-f]{64}$",
        description="SHA-256 of the first MiB, a colon, SHA-256 of the last MiB: by this and its "
        "size the same file is known again, from another device too.",
    )
    sha256: Sha256Hex | None = Field(
        default=None,
        description="SHA-256 of the whole file, where it is known beforehand: the bytes are then "
        "sent to where they will stay, which makes sealing faster, and refused if they turn out to "
        "be others.",
    )
    kind: LearnerKind | None = Field(default=None, description="null: likely from its type.")
    recorded_with: Given | None = Field(
        default=None, max_length=LONGEST_TITLE, description="What a recording is taken with."
    )
    parts: list[WantedPart] | None = Field(
        default=None,
        max_length=PARTS_AT_ONCE,
        description="Parts to sign with the same call: the answer's `upload.signed`. A file of up "
        "to 5 MiB is always one part.",
    )


class WantedParts(Sent):
    """Parts to sign."""

    parts: list[WantedPart] = Field(min_length=1, max_length=PARTS_AT_ONCE)


class TakenPart(WantedPart):
    """A part that the store has taken."""

    etag: str = Field(
        pattern=r"^[!-~]{1,200}$", description="The ETag of the store's answer, as it came."
    )


class TakenParts(Sent):
    """Parts to write down."""

    parts: list[TakenPart] = Field(min_length=1, max_length=PARTS_AT_ONCE)


class WholeList(Sent):
    """That everything was sent. `parts` and `size` help to notice a mistake; neither is needed."""

    parts: list[PartNumber] | None = Field(
        default=None, max_length=MOST_PARTS, description="All parts, in order."
    )
    size: Bytes | None = Field(
        default=None, description="How many bytes an open-ended upload has turned out to have."
    )
    taken: list[TakenPart] | None = Field(
        default=None,
        max_length=PARTS_AT_ONCE,
        description="Parts that were not reported yet.",
    )


def _without_defaults(schema: dict[str, Any]) -> None:
    for described in schema["properties"].values():
        described.pop("default", None)


class Amendment(Sent):
    """What the learner says of an item. Fields that are left out stay as they are."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    version: int | None = Field(
        default=None,
        ge=1,
        le=LARGEST_VERSION,
        description="The version that was read; if the item has changed since, 409.",
    )
    title: Line = Field(default="", min_length=1, max_length=LONGEST_TITLE)
    kind: LearnerKind = EvidenceKind.DOCUMENT
    own_part: Words = Field(default="", max_length=LONGEST_TEXT)
    ai: AiUse = AiUse.NOT_SAID
    ai_use: Words = Field(default="", max_length=LONGEST_TEXT)
    ai_tool: Line = Field(default="", max_length=LONGEST_TITLE)
    work_from: date | None = None
    work_to: date | None = None
    issued_on: date | None = Field(default=None, description="Kept of certificates only.")
    expires_on: date | None = Field(default=None, description="Kept of certificates only.")
    outcomes: list[Given] = Field(
        default_factory=list, max_length=200, description="Codes of the credential's outcomes."
    )
    disclosure: Disclosure = Disclosure.DIGEST_ONLY
    people: PeopleShown = PeopleShown.NOT_SAID
    consent_note: Words = Field(default="", max_length=LONGEST_NOTE)
    consented_on: date | None = None


class Part(Answered):
    """A part that is there."""

    number: int
    sha256: Sha256Hex


class SignedPart(Answered):
    """How to send one part: PUT its bytes to `url` with exactly these headers, within minutes."""

    number: int
    url: str
    headers: dict[str, str]


class UploadState(Answered):
    """How a file travels: in parts of `part_size` bytes, the last one smaller, sent to the store.

    Of an open-ended upload `part_count` is the most that there is room for.
    """

    part_size: int
    part_count: int
    open_ended: bool
    fingerprint: str
    there: list[Part] = Field(description="These need not be sent again.")
    signed: list[SignedPart] = Field(
        default_factory=list, description="Links for the parts that were named when announcing."
    )


class ItemLinks(Answered):
    """Where to go on."""

    self: Address
    parts: Address
    complete: Address
    page: Address
    row: Address


class Item(Answered):
    """An evidence item. `sha256` is that of the sealed bytes, computed by the server."""

    id: UUID
    case_id: UUID
    state: EvidenceState
    version: int
    kind: EvidenceKind
    title: str
    own_part: str
    ai: AiUse
    ai_use: str
    ai_tool: str
    work_from: date | None
    work_to: date | None
    issued_on: date | None
    expires_on: date | None
    outcomes: list[str]
    disclosure: Disclosure
    people: PeopleShown
    consent_note: str
    consented_on: date | None
    recorded_with: str
    file_name: str
    size: int | None = Field(description="null: a recording that has not ended.")
    media_type: str = Field(description="What the server found it to be; '' before the seal.")
    sha256: Sha256Hex | None
    scan: ScanVerdict
    reason: str = Field(description="Why it is not sealed, in words; '' when nothing is wrong.")
    created_at: datetime
    sealed_at: datetime | None
    upload: UploadState | None = Field(description="null: no upload is under way.")
    links: ItemLinks


class Items(Answered):
    """A page of a case's items, in the order they came."""

    items: list[Item]
    next: str | None = Field(description="The cursor of the next page; null: this is the last.")


class SignedParts(Answered):
    """Links, in the order in which they were asked for."""

    parts: list[SignedPart]


class Completed(Answered):
    """Where the item stands now."""

    state: EvidenceState


class Link(Answered):
    """A link to the file, as a download. Whoever has it can use it, for so many seconds."""

    url: str
    expires_in: int


class CaseLinks(Answered):
    """Where to go on."""

    self: Address
    evidence: Address
    page: Address


class CaseLine(Answered):
    """A case in a list."""

    id: UUID
    number: int
    code: str = Field(description="The credential's code.")
    title: str = Field(description="The credential's title.")
    state: CaseState
    round: int
    opened_at: datetime
    submitted_at: datetime | None
    due_at: datetime | None
    links: CaseLinks


class Outcome(Answered):
    """What the case is about: evidence is mapped to it by its code."""

    code: str
    statement: str


class Case(CaseLine):
    """A case whole, but for its evidence."""

    version: int
    editable: bool = Field(description="Whether evidence can be added and described now.")
    note_to_learner: str
    outcomes: list[Outcome]


class Cases(Answered):
    """One's own cases, the newest first."""

    cases: list[CaseLine]


class TokenInUse(Answered):
    """The token that this request was made with."""

    id: UUID
    scopes: list[TokenScope]
    expires_at: datetime


class Me(Answered):
    """Who asks, and by what."""

    id: UUID
    name: str
    email: str
    roles: list[Role]
    institution: str
    by: Literal["session", "token"]
    token: TokenInUse | None


class Refusal(Answered):
    """Why not: problem details (RFC 9457), in the reader's language (Accept-Language)."""

    type: str
    title: str
    status: int
    detail: str
    problems: dict[str, str] = Field(description="By field: what is wrong with it.")
    request_id: str = Field(description="By this the operator finds the request in the logs.")
