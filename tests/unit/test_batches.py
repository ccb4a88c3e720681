"""How much waiting work shares a process: little when little waits, and never what failed."""

from dataclasses import replace
from datetime import UTC, datetime

from app.jobs.relay import LARGEST_BATCH, batches
from storage.ids import OutboxId, new_id
from storage.outbox import Promised

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def promised(count: int, **values: int | bool) -> list[Promised]:
    one = Promised(
        id=OutboxId(new_id()),
        kind="seal_evidence",
        queue="seal",
        subject_id=new_id(),
        urgent=False,
        handed_out=1,
        runs=0,
        attempts=0,
        created_at=NOW,
        available_at=NOW,
        held_until=None,
        done_at=None,
        dead_at=None,
        last_error="",
        request_id="",
    )
    return [replace(one, id=OutboxId(new_id()), **values) for _ in range(count)]  # type: ignore[arg-type]


def test_few_pieces_of_work_have_a_process_each() -> None:
    assert [len(batch) for batch in batches(promised(7))] == [1] * 7
    assert list(batches([])) == []


def test_many_share_processes_and_each_is_handed_out_once() -> None:
    many = promised(4 * LARGEST_BATCH + 3)
    shared = list(batches(many))
    assert max(map(len, shared)) == LARGEST_BATCH
    assert [one.id for batch in shared for one in batch] == [one.id for one in many]


def test_what_is_urgent_or_was_begun_before_has_a_process_to_itself() -> None:
    apart = [*promised(2, runs=1), *promised(2, urgent=True)]
    shared = list(batches([*promised(40), *apart]))
    assert [batch for batch in shared if batch[0] in apart] == [[one] for one in apart]
