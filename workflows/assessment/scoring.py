"""Filling a score sheet, and making it final."""

from collections.abc import Mapping, Sequence

from sqlmodel import select

from storage.database import Database, Transaction, command
from storage.errors import Conflict, InvalidInput, NotFound
from storage.events import record
from storage.ids import CaseId, CriterionCode, SheetId
from storage.tables import Assignment, Case, DefinitionVersion, Score, ScoreSheet
from storage.vocabulary import SheetState
from workflows.access.permissions import Permission
from workflows.access.resources import case_resource
from workflows.access.rules import Actor, acting
from workflows.assessment.load import all_final, entry_of, in_assessment, own_sheet, scores_of
from workflows.assessment.rules import ScoreEntry, score_problems, unfinished
from workflows.cases.load import lock_case
from workflows.frameworks.definition import Criterion, read_definition
from workflows.work import Work, promise_work


def save_score(
    db: Database, actor: Actor, sheet_id: SheetId, code: CriterionCode, entry: ScoreEntry
) -> None:
    """Keep what the assessor has said of one criterion so far; see `save_scores`."""
    save_scores(db, actor, sheet_id, {code: entry})


@command
def save_scores(
    db: Database, actor: Actor, sheet_id: SheetId, entries: Mapping[CriterionCode, ScoreEntry]
) -> None:
    """Keep what the assessor has said of these criteria so far. The same twice changes nothing.

    Raises NotFound (not theirs; a criterion that was not asked for), Conflict (final, or the case
    moved on), InvalidInput (a level that does not exist, an endless reason) with the fields
    `<criterion>.level` and `<criterion>.reason`; then none of them is kept.
    """
    with db.transaction() as tx:
        sheet, case = _writable(tx, actor, sheet_id)
        who = acting(actor, Permission.SCORE_CASE, case_resource(tx, case))
        asked = _asked(tx, case, sheet)
        if not entries.keys() <= asked.keys():
            raise NotFound("This criterion is not on your sheet.")
        problems = [
            problem
            for code, entry in entries.items()
            for problem in score_problems(asked[code], entry)
        ]
        if problems:
            raise InvalidInput("These scores were not kept.", problems=problems)
        changed = [code for code, entry in entries.items() if _write(tx, sheet, code, entry)]
        sheet.version += len(changed)
        for code in changed:
            facts = {"criterion": code}
            record(tx, who, "save_score", ("sheet", sheet.id), case_id=CaseId(case.id), data=facts)


@command
def finalise_sheet(
    db: Database, actor: Actor, sheet_id: SheetId, *, expected_version: int | None = None
) -> None:
    """Make a sheet final: from here on nothing in it changes.

    When it is the last one that was waited for, settling the agreement is promised. Raises
    NotFound (not theirs), Conflict, InvalidInput (what is still to be done, per criterion).
    """
    with db.transaction() as tx:
        lock_case(tx, own_sheet(tx, actor, sheet_id).case_id)
        sheet, case = _writable(tx, actor, sheet_id)
        who = acting(actor, Permission.SCORE_CASE, case_resource(tx, case))
        if expected_version is not None and sheet.version != expected_version:
            raise Conflict("The sheet was changed since this page was made. Look at it again.")
        place = tx.session.get_one(Assignment, sheet.assignment_id)
        entries = {CriterionCode(row.criterion_code): entry_of(row) for row in _scores(tx, sheet)}
        problems = unfinished([CriterionCode(code) for code in place.criteria], entries)
        if problems:
            raise InvalidInput("The sheet is not ready to be final yet.", problems=problems)
        sheet.state = SheetState.FINAL.value
        sheet.finalised_at = tx.now
        sheet.version += 1
        record(tx, who, "finalise_sheet", ("sheet", sheet.id), case_id=CaseId(case.id))
        tx.session.flush()
        if all_final(tx, case):
            key = f"settle:{sheet.id}"
            promise_work(tx, Work.SETTLE_AGREEMENT, case.id, dedupe_key=key)


def _writable(tx: Transaction, actor: Actor, sheet_id: SheetId) -> tuple[ScoreSheet, Case]:
    """The actor's own open sheet, locked, and its case, held from moving on meanwhile.

    Two assessors write at the same time: the case is only shared.
    """
    sheet = own_sheet(tx, actor, sheet_id)
    case = tx.session.exec(
        select(Case).where(Case.id == sheet.case_id).with_for_update(read=True)
    ).one()
    tx.session.refresh(sheet, with_for_update=True)
    if sheet.state != SheetState.OPEN:
        raise Conflict("This sheet is final or was closed: nothing in it changes any more.")
    in_assessment(case)
    return sheet, case


def _asked(tx: Transaction, case: Case, sheet: ScoreSheet) -> Mapping[CriterionCode, Criterion]:
    place = tx.session.get_one(Assignment, sheet.assignment_id)
    version = tx.session.get_one(DefinitionVersion, case.definition_id)
    rubric = read_definition(version.body).criteria()
    return {row.code: row for row in rubric if row.code in place.criteria}


def _scores(tx: Transaction, sheet: ScoreSheet) -> Sequence[Score]:
    return scores_of(tx, [sheet.id])


def _write(tx: Transaction, sheet: ScoreSheet, code: CriterionCode, entry: ScoreEntry) -> bool:
    kept = tx.session.get(Score, (sheet.id, code))
    if entry == (entry_of(kept) if kept is not None else ScoreEntry()):
        return False
    row = kept or Score(sheet_id=sheet.id, criterion_code=code, scored_at=tx.now)
    row.decided, row.level, row.reason = entry.decided, entry.level, entry.reason
    row.scored_at = tx.now
    tx.session.add(row)
    return True
