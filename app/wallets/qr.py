"""Offers as pictures to be scanned, and as links that open the wallet on the same phone."""

import io
import json
from urllib.parse import quote

import segno
from markupsafe import Markup

from credentials.documents import JsonObject

SCHEME = "openid-credential-offer://"


def link_by_reference(address: str) -> str:
    """What the code holds: short, so that it is scanned easily."""
    return f"{SCHEME}?credential_offer_uri={quote(address, safe='')}"


def link_by_value(offer: JsonObject) -> str:
    """The offer itself, for wallets that do not fetch one."""
    text = json.dumps(offer, ensure_ascii=False, separators=(",", ":"))
    return f"{SCHEME}?credential_offer={quote(text, safe='')}"


def drawn(text: str) -> Markup:
    """The code as SVG that stands in a page: dark on light in every theme, or cameras fail."""
    kept = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        kept,
        kind="svg",
        border=4,
        dark="#000",
        light="#fff",
        xmldecl=False,
        svgclass="wallet-code",
        lineclass=None,
        omitsize=True,
    )
    return Markup(kept.getvalue().decode())  # noqa: S704  # made here, of black and white fields
