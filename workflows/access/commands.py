"""What is written down when somebody reaches for what they may not even know of."""

from uuid import UUID

from storage.database import Database, command
from storage.events import record
from storage.vocabulary import Role
from workflows.access.permissions import Permission
from workflows.access.rules import Actor, as_who


@command
def record_refusal(
    db: Database, actor: Actor, permission: Permission, subject: tuple[str, UUID]
) -> None:
    """An event for those who look after security; it is in no case's own history."""
    held = [role for role in Role if role in actor.roles]
    who = as_who(actor, held[0] if held else None)
    with db.transaction() as tx:
        record(tx, who, "access_refused", subject, data={"permission": permission.value})
