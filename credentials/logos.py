"""An institution's logo made ready for the drawings: a PNG inside an SVG, as they take text."""

import base64
import struct

from credentials.errors import Malformed

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def framed(png: bytes) -> str:
    """The PNG as an SVG of its size; empty for no bytes. Raises Malformed if it is no PNG."""
    if not png:
        return ""
    if not png.startswith(_SIGNATURE) or len(png) < 24:
        raise Malformed("The logo is not a PNG picture.")
    width, height = struct.unpack(">II", png[16:24])
    data = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><image width="{width}" height="{height}" '
        f'href="data:image/png;base64,{data}"/></svg>'
    )
