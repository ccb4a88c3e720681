"""The Service Description Document of the Open Badges API: OpenAPI 3.0 with 1EdTech's extensions.

It is what a program reads first: what can be called, who answers, and where it registers. The
shapes of credentials and profiles are those of the specification's own JSON Schemas.
"""

from collections.abc import Mapping
from typing import Any

from app.api.paging import MOST
from app.web.access import parts
from app.web.security import absolute_url
from workflows.people.queries import House
from workflows.programs.rules import ProgramScope

Described = dict[str, Any]

SCHEMAS = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_%s_schema.json"
SECURITY = "OAuth2ACG"
SCOPES = {
    ProgramScope.READ_CREDENTIALS: "Permission to read OpenBadgeCredentials for the authenticated "
    "entity.",
    ProgramScope.BRING_CREDENTIALS: "Permission to create or update OpenBadgeCredentials for the "
    "authenticated entity.",
    ProgramScope.READ_PROFILE: "Permission to read the profile for the authenticated entity.",
    ProgramScope.CHANGE_PROFILE: "Permission to update the profile for the authenticated entity.",
    ProgramScope.STAY: "Accepted for the sake of programs that send it: refresh tokens are given "
    "to programs that registered the grant type refresh_token.",
}
REFUSALS: Mapping[str, str] = {
    "400": "What was sent cannot be used.",
    "401": "The access token is missing, has expired or was withdrawn.",
    "403": "The access token was not given for this, or this is not the learner's.",
    "405": "This address does not take this method.",
    "500": "Something went wrong on our side.",
    "default": "What was sent cannot be served; the answer says why.",
}


def service_description(house: House | None) -> Described:
    """The document, in the name of the institution."""
    return {
        "openapi": "3.0.1",
        "info": _info(house),
        "servers": [{"url": absolute_url("openbadges.discovery").removesuffix("/discovery")}],
        "tags": [{"name": "OpenBadgeCredentials"}, {"name": "Discovery"}],
        "paths": {
            "/credentials": {"get": _get_credentials(), "post": _upsert_credential()},
            "/profile": {"get": _get_profile(), "put": _put_profile()},
            "/discovery": {"get": _get_description()},
        },
        "components": _components(house),
    }


def _info(house: House | None) -> Described:
    name = house.name if house else "Assay"
    return {
        "title": name,
        "description": "Open Badges 3.0: credentials and profiles of the people of this site, for "
        "programs that they connect themselves.",
        "version": "3.0",
        "termsOfService": _terms(house),
        "x-imssf-image": absolute_url("static", filename="img/favicon.svg"),
        "x-imssf-privacyPolicyUrl": _privacy(house),
        "x-service-pid": "org.1edtech.ob.v3p0.rest.servicemodel",
    }


def _components(house: House | None) -> Described:
    named = {
        "AchievementCredential": "achievementcredential",
        "GetOpenBadgeCredentialsResponse": "getopenbadgecredentialsresponse",
        "Imsx_StatusInfo": "imsx_statusinfo",
        "Profile": "profile",
    }
    token = absolute_url("oauth.token")
    return {
        "schemas": {name: {"$ref": SCHEMAS % file} for name, file in named.items()},
        "securitySchemes": {
            SECURITY: {
                "type": "oauth2",
                "description": "OAuth 2.0 Authorization Code Grant authorization, with PKCE (S256)",
                "x-imssf-name": house.name if house else "Assay",
                "x-imssf-privacyPolicyUrl": _privacy(house),
                "x-imssf-registrationUrl": absolute_url("oauth.register"),
                "x-imssf-termsOfServiceUrl": _terms(house),
                "flows": {
                    "authorizationCode": {
                        "tokenUrl": token,
                        "authorizationUrl": absolute_url("oauth.ask"),
                        "refreshUrl": token,
                        "scopes": {scope.value: words for scope, words in SCOPES.items()},
                    }
                },
            }
        },
    }


def _get_credentials() -> Described:
    return {
        **_operation("getCredentials", "A page of the learner's credentials"),
        "parameters": [
            _query("limit", "The most for one page.", minimum=1, maximum=MOST),
            _query("offset", "The index of the first one.", minimum=0),
            {
                "name": "since",
                "in": "query",
                "description": "Only those issued after this time.",
                "schema": {"type": "string", "format": "date-time"},
            },
        ],
        "responses": {
            "200": {
                **_content("The page.", "GetOpenBadgeCredentialsResponse"),
                "headers": {
                    "X-Total-Count": {
                        "description": "How many there are on all pages.",
                        "schema": {"type": "integer"},
                    },
                    "Link": {
                        "description": "Other pages: first, last, next, prev.",
                        "schema": {"type": "string"},
                    },
                },
            },
            **_refusals(),
        },
        "security": [{SECURITY: [ProgramScope.READ_CREDENTIALS.value]}],
    }


def _upsert_credential() -> Described:
    both = {
        "application/json": {"schema": _ref("AchievementCredential")},
        "text/plain": {"schema": {"type": "string", "description": "A compact JWS."}},
    }
    return {
        **_operation("upsertCredential", "Keep or replace a credential"),
        "requestBody": {"required": True, "content": both},
        "responses": {
            "200": {"description": "It replaced one that was kept.", "content": both},
            "201": {"description": "It is kept.", "content": both},
            "304": {"description": "It is there already, or a newer one is."},
            **_refusals("413", "415", "429"),
        },
        "security": [{SECURITY: [ProgramScope.BRING_CREDENTIALS.value]}],
    }


def _get_profile() -> Described:
    return {
        **_operation("getProfile", "Who the learner is"),
        "responses": {"200": _content("The profile.", "Profile"), **_refusals()},
        "security": [{SECURITY: [ProgramScope.READ_PROFILE.value]}],
    }


def _put_profile() -> Described:
    return {
        **_operation("putProfile", "Change the learner's name"),
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("Profile")}},
        },
        "responses": {"200": _content("The profile as it is now.", "Profile"), **_refusals()},
        "security": [{SECURITY: [ProgramScope.CHANGE_PROFILE.value]}],
    }


def _get_description() -> Described:
    return {
        "tags": ["Discovery"],
        "operationId": "getServiceDescription",
        "summary": "This document",
        "responses": {
            "200": {
                "description": "This document.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        },
        "security": [],
    }


def _operation(name: str, summary: str) -> Described:
    return {
        "tags": ["OpenBadgeCredentials"],
        "operationId": name,
        "summary": summary,
        "x-operation-pid": f"org.1edtech.ob.v3p0.rest.{name.lower()}.operation",
    }


def _query(name: str, words: str, **bounds: int) -> Described:
    schema = {"type": "integer", "format": "int32", **bounds}
    return {"name": name, "in": "query", "description": words, "schema": schema}


def _refusals(*more: str) -> Described:
    told = {**REFUSALS, **dict.fromkeys(more, REFUSALS["default"])}
    return {status: _content(words, "Imsx_StatusInfo") for status, words in told.items()}


def _content(words: str, schema: str) -> Described:
    return {"description": words, "content": {"application/json": {"schema": _ref(schema)}}}


def _ref(name: str) -> Described:
    return {"$ref": f"#/components/schemas/{name}"}


def _terms(house: House | None) -> str:
    return parts().settings.terms_url or _own_site(house)


def _privacy(house: House | None) -> str:
    return parts().settings.privacy_url or _own_site(house)


def _own_site(house: House | None) -> str:
    return house.url if house else parts().settings.public_url
