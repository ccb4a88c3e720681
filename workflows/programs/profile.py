"""A learner as an Open Badges Profile, and what a program may change of it. Pure."""

from credentials.contexts import CREDENTIALS_V2, OPEN_BADGES
from credentials.documents import JsonObject, as_list
from storage.errors import InvalidInput, Problem
from storage.tables.people import Account
from workflows.words import marked

NOT_KEPT = marked("This is not kept here, or cannot be changed by a program.")
NO_NAME = marked("Send the whole profile, with its name.")


def profile_of(account: Account) -> JsonObject:
    """Who the learner is: a name, an address, and an id that tells nothing more."""
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES],
        "id": f"urn:uuid:{account.id}",
        "type": ["Profile"],
        "name": account.name,
        "email": account.email,
    }


def changed_name(sent: JsonObject, present: JsonObject) -> str:
    """The name that is to be kept. Everything else has to be as it is.

    Raises InvalidInput with a problem for each member that is not kept here.
    """
    wrong = [
        key
        for key, value in sent.items()
        if key not in {"name", "@context"} and as_list(value) != as_list(present.get(key))
    ]
    if wrong:
        problems = [Problem(key[:80], NOT_KEPT) for key in sorted(wrong)]
        raise InvalidInput("Of a profile a program can change the name only.", problems=problems)
    name = sent.get("name")
    if not isinstance(name, str):
        raise InvalidInput(NO_NAME, problems=[Problem("name", NO_NAME)])
    return name
