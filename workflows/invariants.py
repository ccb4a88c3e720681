"""What holds of the rows at every moment, whatever failed: looked at by `assay fsck` and by tests.

What one row or a constraint can say is held by the database itself; here is what only a look at
several rows, or at a digest, shows. Nothing is mended. Rows against objects: storage/reconcile.py.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import text

from storage.database import Transaction
from storage.ids import sha256_of
from storage.outbox_reports import contradictions
from storage.vocabulary import CaseState
from workflows.canonical import content_hash
from workflows.cases.states import TRANSITIONS

Answer = TypeVar("Answer")

BATCH = 500

# from, command, role, to
Step = tuple[str, str, str, str]
KNOWN_STEPS: frozenset[Step] = frozenset(
    (step.source.value, step.command, step.role.value, step.target.value) for step in TRANSITIONS
)
MOVES = sorted({step.command for step in TRANSITIONS})

LOOKS: Mapping[str, tuple[str, str]] = {
    "silent_failure": (
        """
        SELECT o.id FROM outbox o WHERE o.dead_at IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM event e WHERE e.kind = 'give_up_work' AND e.subject_id = o.id)
        """,
        "work was given up and nobody was told",
    ),
    "decision": (
        """
        SELECT c.id FROM plar_case c JOIN decision d ON d.id = c.decision_id
        WHERE d.case_id <> c.id OR d.replaced_at IS NOT NULL OR d.round > c.round
           -- while an appeal is assessed anew the decision in force is of the round before
           OR (d.round < c.round AND c.state IN ('decided', 'released', 'closed', 'appeal'))
        """,
        "the case points to a decision that is not its own live one",
    ),
    "submission": (
        """
        SELECT c.id FROM plar_case c
        WHERE (SELECT count(*) FROM manifest m WHERE m.case_id = c.id)
           <> (SELECT count(*) FROM event e WHERE e.case_id = c.id
               AND e.kind IN ('submit_case', 'reassess_case'))
        """,
        "it was not submitted, or opened anew, as often as manifests were frozen",
    ),
    "submitted_item": (
        # an erased item has given up its digest; the manifest keeps it
        """
        SELECT i.id FROM manifest m
        CROSS JOIN LATERAL jsonb_to_recordset(m.body -> 'items') AS f(id uuid, sha256 text)
        JOIN evidence_item i ON i.id = f.id
        WHERE i.state <> 'erased' AND i.sha256 IS DISTINCT FROM f.sha256
        """,
        "the item is not the one that was submitted",
    ),
    "erasure": (
        """
        SELECT m.id FROM manifest m WHERE m.body -> 'erased_at' IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM erasure_plan p WHERE p.case_id = m.case_id AND p.begun_at IS NOT NULL)
        UNION ALL
        SELECT p.id FROM erasure_plan p WHERE p.done_at IS NOT NULL AND (p.begun_at IS NULL
            OR p.receipt -> 'sha256' IS NULL OR EXISTS (
            SELECT 1 FROM evidence_item i WHERE i.case_id = p.case_id
            AND i.created_at < p.begun_at AND i.state <> 'erased'))
        """,
        "something was erased without a plan, or a receipt says more than was done",
    ),
    "item_size": (
        """
        SELECT i.id FROM evidence_item i JOIN sealed_object o ON o.sha256 = i.sha256
        WHERE i.state = 'sealed' AND i.size <> o.size
        """,
        "the item and its bytes differ in size",
    ),
    "usage": (
        """
        SELECT COALESCE(u.case_id, i.case_id) FROM case_usage u FULL JOIN (
            SELECT case_id, count(*) AS items, sum(COALESCE(size, declared_size)) AS bytes
            FROM evidence_item WHERE state NOT IN ('erased', 'rejected') GROUP BY case_id
        ) i ON i.case_id = u.case_id
        WHERE COALESCE(u.items, 0) <> COALESCE(i.items, 0)
           OR COALESCE(u.bytes, 0) <> COALESCE(i.bytes, 0)
        """,
        "the count of what the case holds is not that of its items",
    ),
}

HISTORIES = """
SELECT c.id, c.state, c.version,
       e.data ->> 'from', e.kind, e.actor_role, e.data ->> 'to', count(e.id)
FROM plar_case c LEFT JOIN event e ON e.case_id = c.id AND e.kind = ANY(:moves)
GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY c.id
"""

# what was frozen, and the digest that was taken of it then
FROZEN: Mapping[str, str] = {
    # an erased manifest says so itself, and keeps the digest of the whole
    "manifest": "SELECT id, body, digest FROM manifest WHERE body -> 'erased_at' IS NULL",
    "definition": "SELECT id, body, content_hash FROM definition_version",
    "policy": "SELECT id, body, content_hash FROM policy_version",
    "credential_document": "SELECT id, document, document_sha256 FROM credential"
    " WHERE document IS NOT NULL",
    "endorsement_document": "SELECT id, document, document_sha256 FROM endorsement"
    " WHERE document IS NOT NULL",
}


class _Taken(NamedTuple):
    """How often a case took a step; no step and zero times where it took none."""

    case_id: UUID
    state: str
    version: int
    source: str
    command: str
    role: str
    target: str
    times: int

    @property
    def step(self) -> Step:
        """The step as it would stand in the table of states."""
        return self.source, self.command, self.role, self.target


class _Frozen(NamedTuple):
    row_id: UUID
    content: object
    digest: str


@dataclass(frozen=True)
class Broken:
    """Something that does not hold: of what sort, about which row, and how."""

    what: str
    where: UUID
    detail: str


def broken(tx: Transaction) -> Iterator[Broken]:
    """Everything that does not hold in the state of the database that this transaction sees."""
    for one in contradictions(tx):
        yield Broken("receipt", one.outbox_id, one.what)
    for what, (question, detail) in LOOKS.items():
        for row_id in _asked(tx, question, lambda row_id: UUID(str(row_id))):
            yield Broken(what, row_id, detail)
    yield from _histories(tx)
    for what, question in FROZEN.items():
        yield from _digests(tx, what, question)


def _histories(tx: Transaction) -> Iterator[Broken]:
    """Cases that are not where their history leads, step by step as the table of states allows."""
    rows = _asked(tx, HISTORIES, _Taken, moves=MOVES)
    for case_id, of_case in groupby(rows, attrgetter("case_id")):
        taken = list(of_case)
        steps = Counter({row.step: row.times for row in taken if row.times})
        wrong = _wrong_way(taken[0].state, taken[0].version, steps)
        if wrong:
            yield Broken("history", case_id, wrong)


def _wrong_way(state: str, version: int, steps: Counter[Step]) -> str:
    """What is wrong with these steps as the way from a draft to this state; '' when nothing is."""
    unknown = [step for step in steps if step not in KNOWN_STEPS]
    if unknown:
        return f"a step that the table of states does not have: {' '.join(map(str, unknown[0]))}"
    # a way leaves each place as often as it came there, but for its two ends
    left_over = Counter({CaseState.DRAFT.value: 1})
    left_over[state] -= 1
    for (source, _, _, target), times in steps.items():
        left_over[source] -= times
        left_over[target] += times
    if any(left_over.values()):
        return f"its history does not lead from draft to {state}"
    if version != 1 + steps.total():
        return f"it is at version {version} after {steps.total()} steps"
    return ""


def _digests(tx: Transaction, what: str, question: str) -> Iterator[Broken]:
    """Frozen content whose digest is not the one that was written beside it."""
    for row in _asked(tx, question, _Frozen):
        taken = _digest(row.content)
        if taken != row.digest:
            yield Broken(what, row.row_id, f"its digest is {taken} and not {row.digest}")


def _digest(content: object) -> str:
    return sha256_of(content.encode()) if isinstance(content, str) else content_hash(content)


def _asked(
    tx: Transaction, question: str, shape: Callable[..., Answer], **given: object
) -> Iterator[Answer]:
    """The rows of an answer in a shape, read a few at a time."""
    rows = tx.session.execute(text(question).execution_options(yield_per=BATCH), given)
    for row in rows:
        yield shape(*row)
