"""The end of a released case, in the transaction of whoever has done the last thing for it."""

from storage.database import Transaction
from storage.errors import Conflict
from storage.events import SYSTEM
from storage.tables import Case
from storage.vocabulary import CaseState
from workflows.cases.load import MOVED_ON, move, state_of


def close_case(tx: Transaction, case: Case) -> None:
    """End a released case. Raises Conflict when it is not released."""
    if state_of(case) is not CaseState.RELEASED:
        raise Conflict(MOVED_ON)
    case.closed_at = tx.now
    move(tx, case, "close_case", SYSTEM)
