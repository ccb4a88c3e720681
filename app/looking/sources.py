"""Bringing a file near: a small one whole, a large one piece by piece over the line it came."""

import io
import os
from typing import BinaryIO

from workflows.confining import MIB, Place

PIECE = 4 * MIB
NEAR = 48 * MIB
"""Up to here a file is read once, whole, into memory; beyond it tools ask for what they need."""


def near(place: Place) -> BinaryIO:
    """The file to look into, at its beginning."""
    if place.source is None:
        raise ValueError("a tool needs a file")
    if size_of(place.source) > NEAR:
        return place.source
    whole = io.BytesIO()
    while piece := place.source.read(PIECE):
        whole.write(piece)
    whole.seek(0)
    return whole


def size_of(source: BinaryIO) -> int:
    """How many bytes a file has; it is at its beginning afterwards."""
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    return size


def head_of(source: BinaryIO, size: int) -> bytes:
    """So many bytes from the beginning; it is at its beginning afterwards."""
    source.seek(0)
    data = source.read(size)
    source.seek(0)
    return data


def tail_of(source: BinaryIO, size: int) -> bytes:
    """So many bytes up to the end; it is at its beginning afterwards."""
    source.seek(max(0, size_of(source) - size))
    data = source.read()
    source.seek(0)
    return data
