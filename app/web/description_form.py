"""The form in which a learner says of an item what it is, what they did, and who is in it."""

from datetime import date

from pydantic import Field

from app.web.forms import Form, Line, Text
from storage.ids import OutcomeCode
from storage.vocabulary import AiUse, Disclosure, EvidenceKind, PeopleShown
from workflows.evidence.queries import ItemRow
from workflows.evidence.rules import Description

DAYS = ("work_from", "work_to", "issued_on", "expires_on", "consented_on")


class DescribeForm(Form):
    """What a learner says of an item."""

    title: Line = ""
    kind: EvidenceKind = EvidenceKind.DOCUMENT
    own_part: Text = ""
    work_from: date | None = None
    work_to: date | None = None
    issued_on: date | None = None
    expires_on: date | None = None
    outcomes: list[Line] = Field(default_factory=list)
    people: PeopleShown = PeopleShown.NOT_SAID
    consent_note: Text = ""
    consented_on: date | None = None
    ai: AiUse = AiUse.NOT_SAID
    ai_use: Text = ""
    ai_tool: Line = ""
    disclosure: Disclosure = Disclosure.DIGEST_ONLY
    version: int | None = None

    def description(self) -> Description:
        """The values, as the rules know them."""
        said = self.model_dump(exclude={"version", "outcomes"})
        outcomes = frozenset(OutcomeCode(code) for code in self.outcomes)
        return Description(**said, outcomes=outcomes)


def kept_values(item: ItemRow) -> dict[str, object]:
    """What the form shows at first: what was kept."""
    days = {name: getattr(item, name) for name in DAYS}
    return {
        "title": item.title,
        "kind": item.kind.value,
        "own_part": item.own_part,
        "outcomes": list(item.outcomes),
        "people": item.people.value,
        "consent_note": item.consent_note,
        "ai": item.ai.value,
        "ai_use": item.ai_use,
        "ai_tool": item.ai_tool,
        "disclosure": item.disclosure.value,
        **{name: day.isoformat() if day else "" for name, day in days.items()},
    }
