"""Run as a program by `credentials.pdf`: a PDF on standard input, one word and the text out.

It imports nothing of ours. Whatever it does, it ends: memory and processor time are limited before
the first byte is read.
"""

import contextlib
import io
import resource
import sys

import pikepdf
from pikepdf.settings import set_qpdf_limits

_MEMORY = 192 * 1024 * 1024
_CPU_SECONDS = 1
_MAX_CREDENTIAL = 2 * 1024 * 1024
_MOST_ATTACHMENTS = 200
_NAMES = (".json", ".jsonld", ".jwt")
_TYPES = (
    *("application/json", "application/ld+json", "application/vc", "application/vc+jwt"),
    *("application/vc+ld+json", "application/jwt"),
)
_OURS = "credential.json"


def limit_process() -> None:
    """Give this process what a certificate needs, and no more."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))


def limit_qpdf() -> None:
    """Bounds on what qpdf unpacks, for all of this process."""
    set_qpdf_limits(
        doc_max_warnings=50,
        parser_max_nesting=100,
        parser_max_container_size=100_000,
        max_stream_filters=4,
        flate_max_memory=16 * 1024 * 1024,
        png_max_memory=16 * 1024 * 1024,
        tiff_max_memory=16 * 1024 * 1024,
        run_length_max_memory=16 * 1024 * 1024,
        dct_max_memory=1024 * 1024,
    )


def found(data: bytes) -> tuple[str, bytes]:
    """“found” and the text, or the word for why not: none, many, large, locked, damaged."""
    try:
        with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
            return _chosen(pdf)
    except pikepdf.PasswordError:
        return "locked", b""
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError):
        return "damaged", b""


def _chosen(pdf: pikepdf.Pdf) -> tuple[str, bytes]:
    names = [name for name, _ in zip(pdf.attachments, range(_MOST_ATTACHMENTS), strict=False)]
    specs = [pdf.attachments[name] for name in names]
    fitting = [spec for spec in specs if _fits(spec)]
    if len(fitting) > 1:
        fitting = [spec for spec in fitting if spec.filename == _OURS]
    if len(fitting) != 1:
        return ("many" if len(specs) > 1 and any(map(_fits, specs)) else "none"), b""
    text = fitting[0].get_file().read_bytes()
    return ("found", text) if len(text) <= _MAX_CREDENTIAL else ("large", b"")


def _fits(spec: pikepdf.AttachedFileSpec) -> bool:
    return spec.filename.lower().endswith(_NAMES) or spec.get_file().mime_type in _TYPES


def main() -> None:
    """Answer on standard output."""
    limit_process()
    limit_qpdf()
    word, text = found(sys.stdin.buffer.read())
    sys.stdout.buffer.write(word.encode() + b"\n" + text)


if __name__ == "__main__":
    main()
