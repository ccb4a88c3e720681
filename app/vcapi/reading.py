"""What a call of VC-API asks, from its JSON body."""

from dataclasses import dataclass

from flask import request

from credentials.documents import JsonObject, JsonValue, as_list, load_json, text_at
from credentials.errors import Malformed
from credentials.proofs import CRYPTOSUITE
from storage.vocabulary import StatusPurpose
from workflows.vcapi.rules import Order


@dataclass(frozen=True)
class StatusChange:
    """Which credential's status is to become what."""

    credential_id: str
    purpose: StatusPurpose
    value: bool


def call() -> JsonObject:
    """The body. Raises Malformed for anything but a JSON object that all programs read alike."""
    return load_json(request.get_data(cache=False))


def options_of(body: JsonObject) -> JsonObject:
    """The options, or none. Raises Malformed."""
    options = body.get("options", {})
    return options if isinstance(options, dict) else _refuse("options")


def document_at(body: JsonObject, key: str) -> JsonObject:
    """The credential or presentation under a key. Raises Malformed."""
    document = body.get(key)
    return document if isinstance(document, dict) else _refuse(key)


def order_of(options: JsonObject, *, renames: bool) -> Order:
    """How a credential is to be signed. Raises Malformed."""
    if options.get("type", "DataIntegrityProof") != "DataIntegrityProof":
        _refuse("type")
    return Order(
        cryptosuite=text_at(options, "cryptosuite") or CRYPTOSUITE,
        status=_status(options),
        previous=_texts(options, "previousProof"),
        proof_id=text_at(options, "proofId"),
        enveloped=text_at(options, "securingMechanism") == "EnvelopingProof",
        renames=renames,
    )


def asks_for_status(options: JsonObject) -> bool:
    """Whether statuses are to be looked up: yes, unless the caller lists checks without them."""
    checks = as_list(options.get("checks"))
    return not checks or any(one in checks for one in ("status", "credentialStatus"))


def status_change(body: JsonObject) -> StatusChange:
    """What `/credentials/status` is asked. Raises Malformed."""
    credential_id = text_at(body, "credentialId")
    entry = document_at(body, "credentialStatus")
    value = body.get("status", entry.get("value", True))
    if credential_id is None:
        raise Malformed("“%(key)s” is missing.", key="credentialId")
    if not isinstance(value, bool):
        _refuse("status")
    return StatusChange(credential_id, _purpose(text_at(entry, "statusPurpose")), bool(value))


def _status(options: JsonObject) -> StatusPurpose | None:
    wanted = options.get("credentialStatus", True)
    if wanted is False:
        return None
    first = as_list(wanted)[0] if isinstance(wanted, list) and wanted else wanted
    named = text_at(first, "statusPurpose") if isinstance(first, dict) else None
    return _purpose(named or text_at(options, "statusPurpose") or StatusPurpose.REVOCATION.value)


def _purpose(name: str | None) -> StatusPurpose:
    if name not in list(StatusPurpose):
        raise Malformed("Assay keeps no status for “%(name)s”.", name=str(name)[:80])
    return StatusPurpose(name)


def _texts(options: JsonObject, key: str) -> tuple[str, ...]:
    given: list[JsonValue] = as_list(options.get(key))
    found = tuple(one for one in given if isinstance(one, str))
    if len(found) != len(given):
        _refuse(key)
    return found


def _refuse(key: str) -> JsonObject:
    raise Malformed("“%(key)s” is not what VC-API has there.", key=key)
