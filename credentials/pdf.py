"""The credential attached to a certificate PDF.

PDFs are read by pikepdf (qpdf) in a process of its own with limits on memory and processor time,
because a small file can ask for much of both: see `pdf_child.py`.
"""

import subprocess
import sys
import threading
from pathlib import Path

from credentials.errors import Malformed, NotYetReadable

_CHILD = Path(__file__).with_name("pdf_child.py")
_SECONDS = 10
_AT_ONCE = threading.BoundedSemaphore(2)

_REASONS = {
    b"none": "There is no credential attached to this PDF.",
    b"many": "There is more than one credential attached to this PDF.",
    b"locked": "This PDF is locked with a password.",
    b"large": "The credential attached to this PDF is too large.",
}


def attached_credential(pdf: bytes) -> bytes:
    """The text of the one credential attached to a PDF.

    Raises Malformed if there is none, several, or the file is damaged; NotYetReadable if reading
    it takes more time or memory than a certificate needs.
    """
    with _AT_ONCE:
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(_CHILD)],
                input=pdf,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8"},
                timeout=_SECONDS,
                check=False,
            )
        except (subprocess.TimeoutExpired, OSError):
            raise _too_much() from None
    word, _, text = done.stdout.partition(b"\n")
    if done.returncode != 0:
        raise _too_much()
    if word == b"found":
        return text
    raise Malformed(_REASONS.get(word, "The PDF is damaged."))


def _too_much() -> NotYetReadable:
    return NotYetReadable("This PDF asks for more time or memory than Assay gives to reading one.")
