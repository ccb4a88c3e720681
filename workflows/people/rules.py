"""What a person's account must look like, and who may be given which role. Pure."""

from collections.abc import Iterable

from storage.errors import Conflict, Forbidden, InvalidInput, Problem
from storage.ids import AccountId
from storage.vocabulary import Role
from workflows.writing import is_seen, one_line

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200
FEWEST_DIFFERENT = 5
LONGEST_NAME = 120
LONGEST_EMPLOYER = 200

# supervisors, employers and verifiers need no account; the system is nobody
ROLES_OF_ACCOUNTS = (
    Role.LEARNER,
    Role.ADVISER,
    Role.COORDINATOR,
    Role.ASSESSOR,
    Role.MODERATOR,
    Role.DECIDER,
    Role.REGISTRAR,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)


def read_name(text: str, field: str = "name") -> str:
    """A person's name as they write it, with single spaces. Raises InvalidInput."""
    name = one_line(text)
    if not name or len(name) > LONGEST_NAME or not is_seen(name):
        problem = Problem(field, "Write the name as it should stand on a certificate.")
        raise InvalidInput("A name is needed.", problems=[problem])
    return name


def good_password(password: str, email: str, field: str = "password") -> None:
    """Return when the password can be taken. Length counts, not kinds of characters.

    Raises InvalidInput with what would do.
    """
    problem = _password_problem(password, email, field)
    if problem is not None:
        raise InvalidInput("Choose another password.", problems=[problem])


def grantable(roles: Iterable[Role]) -> None:
    """Return when accounts can hold these roles. Raises InvalidInput."""
    if any(role not in ROLES_OF_ACCOUNTS for role in roles):
        words = "Choose a role that people with an account can have."
        raise InvalidInput(words, problems=[Problem("role", words)])


def someone_else(actor_id: AccountId | None, account_id: AccountId) -> None:
    """Return unless the person acts on their own account. Raises Forbidden."""
    if actor_id == account_id:
        raise Forbidden("Another administrator changes your roles and your access.")


def one_is_left(administrators: set[AccountId], leaving: AccountId) -> None:
    """Return when an administrator remains. Raises Conflict."""
    if administrators == {leaving}:
        raise Conflict("This is the last administrator. Make someone else one first.")


def _password_problem(password: str, email: str, field: str) -> Problem | None:
    plain, known = password.casefold(), (email.casefold(), email.partition("@")[0].casefold())
    if len(password) < SHORTEST_PASSWORD:
        words = "Use at least %(count)s characters; a few words in a row are easy to remember."
        return Problem(field, words, {"count": SHORTEST_PASSWORD})
    if len(password) > LONGEST_PASSWORD:
        return Problem(field, "Use at most %(count)s characters.", {"count": LONGEST_PASSWORD})
    if len(set(plain)) < FEWEST_DIFFERENT:
        return Problem(field, "Use more different characters: this one is guessed at once.")
    if any(name and plain.replace(name, "", 1).strip("0123456789!. ") == "" for name in known):
        return Problem(field, "Use something else than your own address.")
    return None
