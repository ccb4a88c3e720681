"""Good inputs of each kind that fuzzing starts from, and the web that they are checked on."""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import pikepdf

from credentials import compiled
from credentials.badge import BadgeFace, badge_png, draw_badge
from credentials.baking import bake_png, bake_svg
from credentials.certificate import make_certificate
from credentials.documents import JsonObject, dump_json
from credentials.errors import CannotFetch
from credentials.openbadges import StatusClaim, build_credential
from credentials.proof_sets import append_proof
from credentials.proofs import proof_options
from tests.fixtures.badges import (
    CLAIMS,
    INDEX,
    ISSUED,
    KEY,
    LISTS,
    METHOD,
    signed,
    signed_credential,
    signed_endorsement,
    status_list,
)
from tests.fixtures.tokens import (
    RSA_ADDRESS,
    assertion,
    old_web,
    signed_assertion,
    token,
    token_web,
)

KINDS = ("json", "documents", "jwt", "tokens", "png", "svg", "pdf", "pdf-inside", "web")
"""What is fuzzed; see `targets.py`."""


class World:
    """A web whose documents may be replaced for one check."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {
            **old_web().documents,
            **token_web().documents,
        }
        self.replaced: dict[str, bytes] = {}

    def __call__(self, url: str, /) -> bytes:
        found = self.replaced.get(url, self.documents.get(url))
        if found is None:
            raise CannotFetch("%(url)s is not there.", url=url)
        return found


@cache
def documents() -> tuple[JsonObject, ...]:
    """Signed documents, all of them in good order."""
    both = (
        StatusClaim(LISTS["revocation"], INDEX),
        StatusClaim(LISTS["suspension"], INDEX, "suspension"),
    )
    return (
        signed_credential(),
        signed(build_credential(replace(CLAIMS, status=both))),
        signed_endorsement(),
        status_list("revocation"),
        assertion(),
        _chained(),
    )


def _chained() -> JsonObject:
    """A credential with a proof of each suite, the second over the first."""
    first = {**proof_options("eddsa-rdfc-2022", METHOD, ISSUED), "id": "urn:p:1"}
    second = {**proof_options("eddsa-jcs-2022", METHOD, ISSUED), "previousProof": "urn:p:1"}
    once = append_proof(build_credential(CLAIMS), first, KEY, compiled.canonicalize)
    return append_proof(once, second, KEY, compiled.canonicalize)


@cache
def tokens() -> tuple[bytes, ...]:
    """Signed tokens of both versions."""
    return token(), token(kid=RSA_ADDRESS), signed_assertion()


@cache
def _face() -> bytes:
    return draw_badge(BadgeFace("CNC", "Riverside"))


@cache
def seeds(kind: str) -> tuple[bytes, ...]:
    """Good inputs of a kind, as bytes."""
    texts = [dump_json(document) for document in documents()]
    if kind == "jwt":
        return tokens()
    if kind == "png":
        plain = badge_png(_face(), 32)
        packed = _with_chunk(plain, b"openbadgecredential\0\1\0\0\0" + zlib.compress(texts[0]))
        old = _with_chunk(plain, b"openbadges\0\0\0\0\0" + tokens()[2])
        return bake_png(plain, texts[0]), bake_png(plain, tokens()[0]), packed, old
    if kind == "svg":
        plain = b'<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>'
        old = b'<svg xmlns:o="http://openbadges.org"><o:assertion verify="%s"/></svg>'
        made = bake_svg(plain, texts[0]), bake_svg(plain, tokens()[0]), old % tokens()[2]
        return *made, bake_svg(_face(), texts[0])
    if kind in ("pdf", "pdf-inside"):
        return make_certificate(documents()[0], _face()), _small_pdf(texts[0], {})
    return tuple(texts)


def _with_chunk(png: bytes, body: bytes) -> bytes:
    chunk = b"iTXt" + body
    framed = struct.pack(">I", len(body)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[:-12] + framed + png[-12:]


def _small_pdf(text: bytes, more: Mapping[str, bytes]) -> bytes:
    """A PDF of a kilobyte or two: there mutations hit what matters."""
    out = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        for name, data in {"credential.json": text, **more}.items():
            spec = pikepdf.AttachedFileSpec(pdf, data, filename=name, mime_type="application/json")
            pdf.attachments[name] = spec
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, linearize=False)
    return out.getvalue()


CORPUS = Path(__file__).parent / "corpus"


def kept(kind: str) -> list[bytes]:
    """Inputs that were once answered wrongly, kept for good."""
    return [file.read_bytes() for file in sorted(CORPUS.glob(f"{kind}-*"))]
