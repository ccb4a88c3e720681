"""What the issuer says of itself and of what it issues, as wallets read it. Pure.

OpenID4VCI 1.0 (section 12.2), RFC 8414, and SD-JWT VC (issuer and type metadata).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from credentials.contexts import CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS
from credentials.documents import JsonObject, JsonValue
from credentials.key_proofs import ALGORITHMS, MOST_PROOFS
from credentials.proofs import CRYPTOSUITE
from storage.ids import DefinitionId
from storage.vocabulary import WalletForm
from workflows.issuance.addresses import Site
from workflows.wallets.addresses import credential_type, issuer_name
from workflows.wallets.rules import CODE_DIGITS, Kind, OfferSecrets
from workflows.words import SOURCE_LOCALE, Say, marked, words

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
TYPES: tuple[str, ...] = ("VerifiableCredential", "OpenBadgeCredential")
CONTEXTS: tuple[str, ...] = (CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS)
WHITE = "#ffffff"

CLAIMS: Sequence[tuple[tuple[str | None, ...], str, str]] = (
    (("achievement", "name"), "never", marked("Recognised")),
    (("name",), "always", marked("Name")),
    (("achievement", "level"), "never", marked("Level")),
    (("issuing_institution", "name"), "never", marked("Issued by")),
    (("date_awarded",), "never", marked("Awarded")),
    (("achievement", "description"), "never", marked("What it says")),
    (("outcomes", None), "always", marked("Outcomes")),
    (("outcomes", None, "statement"), "never", marked("Outcome")),
    (("results", None), "always", marked("Results")),
    (("results", None, "criterion"), "never", marked("Criterion")),
    (("results", None, "level"), "never", marked("Level reached")),
    (("evidence", None), "always", marked("Evidence")),
    (("evidence", None, "name"), "never", marked("Evidence item")),
    (("evidence", None, "digestMultibase"), "never", marked("Digest of the file")),
    (("learning_period",), "always", marked("When the work was done")),
    (("credential",), "always", marked("Page of the credential")),
)
"""Paths of claims in the order they are shown, whether their holder may hide them, and names."""

OPEN_BADGE_CLAIMS: Sequence[tuple[tuple[str | None, ...], str]] = (
    (("credentialSubject", "achievement", "name"), marked("Recognised")),
    (("credentialSubject", "achievement", "description"), marked("What it says")),
    (("issuer", "name"), marked("Issued by")),
    (("awardedDate",), marked("Awarded")),
    (("credentialSubject", "result"), marked("Results")),
    (("evidence",), marked("Evidence")),
)


@dataclass(frozen=True)
class Issuing:
    """The institution as wallets show it. `colour` is #rrggbb, `logo` an address or ''."""

    name: str
    url: str
    colour: str
    logo: str
    locales: tuple[str, ...]


@dataclass(frozen=True)
class Offered:
    """A version of a definition that wallets can take, or statements of part of it."""

    definition_id: DefinitionId
    whole: bool
    title: str
    description: str
    language: str


def issuer_metadata(site: Site, issuing: Issuing, offered: Sequence[Offered]) -> JsonObject:
    """The Credential Issuer Metadata."""
    name = issuer_name(site)
    return {
        "credential_issuer": name,
        "credential_endpoint": f"{name}/credential",
        "nonce_endpoint": f"{name}/nonce",
        "notification_endpoint": f"{name}/notification",
        "batch_credential_issuance": {"batch_size": MOST_PROOFS},
        "display": [
            _given({"name": issuing.name, "locale": locale, "logo": _logo(issuing)})
            for locale in issuing.locales
        ],
        "credential_configurations_supported": {
            Kind(one.definition_id, one.whole, form).name: _configuration(site, issuing, one, form)
            for one, form in product(offered, WalletForm)
        },
    }


def server_metadata(site: Site) -> JsonObject:
    """The Authorization Server Metadata: one grant, and no client that would have to be known."""
    name = issuer_name(site)
    return {
        "issuer": name,
        "token_endpoint": f"{name}/token",
        "grant_types_supported": [GRANT],
        "token_endpoint_auth_methods_supported": ["none"],
        "response_types_supported": [],
        "pre-authorized_grant_anonymous_access_supported": True,
    }


def key_metadata(site: Site, keys: Sequence[Mapping[str, object]]) -> JsonObject:
    """The JWT VC Issuer Metadata, with all keys there ever were."""
    jwks: list[JsonValue] = [{name: str(value) for name, value in key.items()} for key in keys]
    return {"issuer": issuer_name(site), "jwks": {"keys": jwks}}


def type_metadata(site: Site, issuing: Issuing, one: Offered) -> JsonObject:
    """The SD-JWT VC Type Metadata of a version of a definition."""
    simple = _given(
        {
            "logo": _logo(issuing, "uri", "alt_text"),
            "background_color": issuing.colour,
            "text_color": WHITE,
        }
    )
    return {
        "vct": credential_type(site, one.definition_id, whole=one.whole),
        "name": one.title,
        "description": one.description,
        "display": [
            {
                "locale": one.language,
                "name": one.title,
                "description": one.description,
                "rendering": {"simple": simple},
            }
        ],
        "claims": [
            {
                "path": list(path),
                "sd": hidden,
                "display": [
                    {"locale": locale, "label": words(locale)(label)}
                    for locale in _locales(issuing, one)
                ],
            }
            for path, hidden, label in CLAIMS
        ],
    }


def offer_document(site: Site, kind: Kind, secrets: OfferSecrets, tell: str) -> JsonObject:
    """The Credential Offer. `tell`: where the transaction code is; '' where none is asked for."""
    grant: JsonObject = {"pre-authorized_code": secrets.code}
    if tell:
        grant["tx_code"] = {"input_mode": "numeric", "length": CODE_DIGITS, "description": tell}
    return {
        "credential_issuer": issuer_name(site),
        "credential_configuration_ids": [kind.name],
        "grants": {GRANT: grant},
    }


def _configuration(site: Site, issuing: Issuing, one: Offered, form: WalletForm) -> JsonObject:
    common: JsonObject = {
        "scope": Kind(one.definition_id, one.whole, form).name,
        "credential_metadata": {
            "display": [_face(issuing, one)],
            "claims": list(_claims(_locales(issuing, one), form)),
        },
    }
    match form:
        case WalletForm.SD_JWT:
            return {
                "format": "dc+sd-jwt",
                "vct": credential_type(site, one.definition_id, whole=one.whole),
                "cryptographic_binding_methods_supported": ["jwk", "did:key", "did:jwk"],
                "credential_signing_alg_values_supported": ["ES256"],
                "proof_types_supported": {
                    "jwt": {"proof_signing_alg_values_supported": list(ALGORITHMS)}
                },
                **common,
            }
        case WalletForm.OPEN_BADGE:
            return {
                "format": "ldp_vc",
                "credential_definition": {"@context": list(CONTEXTS), "type": list(TYPES)},
                "credential_signing_alg_values_supported": [CRYPTOSUITE],
                **common,
            }
        case WalletForm.TOKEN:
            return {
                "format": "jwt_vc_json",
                "credential_definition": {"type": list(TYPES)},
                "credential_signing_alg_values_supported": ["RS256"],
                **common,
            }


def _face(issuing: Issuing, one: Offered) -> JsonObject:
    return _given(
        {
            "name": one.title,
            "locale": one.language,
            "description": one.description,
            "logo": _logo(issuing),
            "background_color": issuing.colour,
            "text_color": WHITE,
        }
    )


def _locales(issuing: Issuing, one: Offered) -> Sequence[str]:
    """The language of what is offered where we have words in it, and English: all of them, for
    every version there is, would be more than a phone likes to fetch."""
    return [locale for locale in issuing.locales if locale in (one.language, SOURCE_LOCALE)]


def _claims(locales: Sequence[str], form: WalletForm) -> Iterator[JsonObject]:
    named = OPEN_BADGE_CLAIMS
    if form is WalletForm.SD_JWT:
        named = [(path, label) for path, _, label in CLAIMS]
    say: Mapping[str, Say] = {locale: words(locale) for locale in locales}
    for path, label in named:
        display: list[JsonValue] = [
            {"name": say[locale](label), "locale": locale} for locale in locales
        ]
        yield {"path": list(path), "display": display}


def _logo(issuing: Issuing, uri: str = "uri", text: str = "alt_text") -> JsonObject | None:
    return {uri: issuing.logo, text: issuing.name} if issuing.logo else None


def _given(values: JsonObject) -> JsonObject:
    return {key: value for key, value in values.items() if value is not None}
