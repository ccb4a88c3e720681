"""Credentials and presentations secured from outside: a token in a `data:` address (data model 2.0,
sections 4.12.1 and 4.12.2; W3C VC-JOSE-COSE).
"""

import base64
import json
import re
from datetime import datetime

from credentials.contexts import CREDENTIALS_V2
from credentials.did import resolve_did
from credentials.documents import JsonObject, as_list, id_of, text_at
from credentials.errors import BadKey, BadProof, Malformed, NotYetReadable
from credentials.jwk import find_key_method, key_of_did
from credentials.jwt import Token, VcJwt, read_token, read_vc_jwt, token_holds
from credentials.keys import Signer
from credentials.parts import Setting

CREDENTIAL = "EnvelopedVerifiableCredential"
PRESENTATION = "EnvelopedVerifiablePresentation"

_ADDRESS = re.compile(r"data:(application/[a-z0-9.+-]+)(?:;base64url)?,([\s\S]+)")
_TOKENS = ("application/jwt",)
_TOKENS_OF = {
    CREDENTIAL: ("application/vc+jwt", "application/vc-ld+jwt", *_TOKENS),
    PRESENTATION: ("application/vp+jwt", "application/vp-ld+jwt", *_TOKENS),
}


def is_envelope(node: JsonObject) -> bool:
    """Whether the object only wraps what is secured from outside."""
    return not {CREDENTIAL, PRESENTATION}.isdisjoint(map(str, as_list(node.get("type"))))


def put_in_envelope(credential: JsonObject, key: Signer, method: str) -> JsonObject:
    """The credential as a VC-JWT (EdDSA) in an envelope. A proof in it is left out."""
    payload = {name: value for name, value in credential.items() if name != "proof"}
    header: JsonObject = {"alg": "EdDSA", "kid": method, "typ": "vc+jwt"}
    signed = b".".join(_written(part) for part in (header, payload))
    token = b".".join((signed, _base64url(key.sign(signed)))).decode("ascii")
    return {
        "@context": [CREDENTIALS_V2],
        "id": f"data:application/vc+jwt,{token}",
        "type": CREDENTIAL,
    }


def enveloped_credential(node: JsonObject) -> VcJwt:
    """The credential in an envelope, not checked yet. Raises Malformed, NotYetReadable."""
    return read_vc_jwt(_token_in(node, CREDENTIAL))


def enveloped_presentation(
    node: JsonObject, setting: Setting, domain: str | None, challenge: str | None
) -> JsonObject:
    """The presentation in an envelope, its signature checked, and whom and when it is for.

    Raises what speaks against it (CredentialError).
    """
    token = read_token(_token_in(node, PRESENTATION))
    presentation = token.payload.get("vp", token.payload)
    if not isinstance(presentation, dict):
        raise Malformed("“%(key)s” is not an object.", key="vp")
    _check_signature(token, presentation, setting)
    _check_use(token.payload, setting.now, domain, challenge)
    return presentation


def check_envelope(node: JsonObject, kind: str) -> str:
    """The `data:` address of an envelope. Raises Malformed where nothing could be taken out."""
    if as_list(node.get("type")) != [kind]:
        raise Malformed("An envelope has the type %(type)s and no other.", type=kind)
    if CREDENTIALS_V2 not in as_list(node.get("@context")):
        raise Malformed("@context does not begin with %(url)s.", url=CREDENTIALS_V2)
    address = node.get("id")
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        raise Malformed("The id of an envelope is not a data: address.")
    return address


def _token_in(node: JsonObject, kind: str) -> bytes:
    found = _ADDRESS.fullmatch(check_envelope(node, kind))
    if found is None or found[1] not in _TOKENS_OF[kind]:
        name = found[1] if found else ""
        raise NotYetReadable("Envelopes of the kind %(name)s are not read yet.", name=name[:80])
    return found[2].encode()


def _check_signature(token: Token, presentation: JsonObject, setting: Setting) -> None:
    name = text_at(token.header, "kid") or text_at(token.payload, "iss") or ""
    did = name.partition("#")[0]
    parties = {id_of(presentation.get("holder")), text_at(token.payload, "iss"), did} - {None}
    if parties != {did}:
        raise BadProof("No proof was made with a key of %(party)s.", party=str(parties)[:200])
    key = key_of_did(did)
    if key is None:
        document = resolve_did(did, setting.get)
        if name not in map(id_of, as_list(document.get("authentication"))):
            raise BadKey(
                "The key %(key)s may not be used for %(purpose)s.",
                key=name[:200],
                purpose="authentication",
            )
        key = find_key_method(document, name).key
    if not token_holds(token, key):
        raise BadProof("The signature does not match the document.")


def _check_use(
    claims: JsonObject, now: datetime, domain: str | None, challenge: str | None
) -> None:
    ends = claims.get("exp")
    if ends is not None and not (isinstance(ends, int | float) and ends > now.timestamp()):
        raise BadProof("The presentation is over its time.")
    if domain is not None and domain not in as_list(claims.get("aud")):
        raise BadProof("The presentation was not made for %(domain)s.", domain=domain[:200])
    if challenge is not None and claims.get("nonce") != challenge:
        raise BadProof("The presentation does not answer the challenge.")


def _written(part: JsonObject) -> bytes:
    return _base64url(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode())


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
