"""What every page and form of a case shares, for staff."""

from uuid import UUID

from app.web.access import actor, parts
from app.web.coverage_rows import coverage_row, coverage_rows, drawing
from app.web.evidence_shown import looks_at
from app.web.forms import Form
from app.web.learner_rows import stepper
from storage.ids import CaseId
from workflows.decisions.appealed import was_appealed
from workflows.decisions.queries import staff_case


class VersionForm(Form):
    """The case as it was looked at."""

    version: int | None = None


def case_page(case_id: UUID) -> dict[str, object]:
    """What every page of a case is given."""
    with parts().db.reading() as tx:
        case = staff_case(tx, actor(), CaseId(case_id))
        looks = looks_at(tx, case.submitted.items)
        appealed = was_appealed(tx, CaseId(case_id))
    definition, frozen = case.view.definition, case.submitted
    covered = coverage_rows(definition, frozen.coverage)
    kept = {row.outcome.code: coverage_row(definition, row.kept) for row in case.outcomes}
    return {
        "case": case,
        "looks": looks,
        "view": case.view,
        "covered": {row.code: row for row in covered},
        "kept": kept,
        "matrix": drawing(definition, frozen.coverage, frozen.items, frozen.as_of),
        "stepper": stepper(case.view.state),
        "appealed": appealed,
    }
