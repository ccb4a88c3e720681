"""What a program sends to register (RFC 7591), and what it is answered."""

from typing import Annotated, Any

from flask import request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from app.api.reading import JSON, problems_of
from app.oauth.server import METHODS
from storage.errors import InvalidInput
from workflows.programs.commands import Registered
from workflows.programs.rules import GrantType, Registration, write_scopes

PAGES = ("client_uri", "logo_uri", "tos_uri", "policy_uri")
REFUSED = "This program cannot be registered so."

Words = Annotated[str, StringConstraints(max_length=2000)]


class Sent(BaseModel):
    """What Open Badges 3.0 asks of a program. What is not named here is left aside."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)

    client_name: Words
    client_uri: Words
    logo_uri: Words
    tos_uri: Words
    policy_uri: Words
    software_id: Words
    software_version: Words
    redirect_uris: Annotated[list[Words], Field(max_length=50)]
    scope: Words = ""
    token_endpoint_auth_method: Words = METHODS[0]
    grant_types: Annotated[list[Words], Field(max_length=10)] = [GrantType.CODE.value]
    response_types: Annotated[list[Words], Field(max_length=10)] = ["code"]
    contacts: Annotated[list[Words], Field(max_length=50)] = []

    def registration(self) -> Registration:
        """The same for the rules."""
        return Registration(
            name=self.client_name,
            pages={name: getattr(self, name) for name in PAGES},
            redirect_uris=self.redirect_uris,
            software_id=self.software_id,
            software_version=self.software_version,
            scope=self.scope,
            auth_method=self.token_endpoint_auth_method,
            grant_types=self.grant_types,
            response_types=self.response_types,
            contacts=self.contacts,
        )


def read_registration() -> Sent:
    """The body. Raises UnsupportedMediaType, InvalidInput (the first fault of each field)."""
    if request.mimetype != JSON:
        raise UnsupportedMediaType
    try:
        return Sent.model_validate_json(request.get_data(cache=False))
    except ValidationError as error:
        raise InvalidInput(REFUSED, problems=problems_of(error)) from None


def answer(sent: Sent, made: Registered) -> dict[str, Any]:
    """What was registered, with the secret, which is told here and nowhere again."""
    body: dict[str, Any] = {
        "client_id": str(made.client_id),
        "client_id_issued_at": int(made.at.timestamp()),
        **sent.model_dump(),
        "scope": write_scopes(sent.registration().scopes()),
    }
    if made.secret is not None:
        body |= {"client_secret": made.secret, "client_secret_expires_at": 0}
    return body
