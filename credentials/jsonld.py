"""The one place that touches PyLD and pyoxigraph, neither of which tells mypy what it returns.

Expansion runs on our own context cache per thread, never on PyLD's global one: another library in
the same process may have put other bytes there under the same address.
"""

import re
import threading
from typing import Protocol, cast

import pyoxigraph
from cachetools import LRUCache
from pyld import jsonld
from pyld.context_resolver import ContextResolver

from credentials.contexts import Contexts
from credentials.documents import JsonObject, JsonValue
from credentials.errors import Malformed

UNDEFINED = "assay-undefined:"
"""What a term without a definition expands to, so that it can be found instead of dropped."""

RELATIVE = "assay-relative://relative/"
"""What a relative address is resolved against, for the same reason."""

_CACHED_CONTEXTS = 64
IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*")
"""What begins with a scheme and has no character that an address may not have."""


class _Resolver(Protocol):
    """PyLD's context resolver, opaque to us."""


class _Thread(threading.local):
    """A thread's context resolvers, one per set of contexts it was asked for."""

    def __init__(self) -> None:
        self.resolvers: dict[int, tuple[Contexts, _Resolver]] = {}


_thread = _Thread()


def expand(document: JsonObject, contexts: Contexts) -> list[JsonValue]:
    """The expanded form, with UNDEFINED and RELATIVE where plain JSON-LD drops silently.

    Raises Malformed for contexts that are not in `contexts` and for anything PyLD refuses.
    """
    load = _loader(contexts)
    options: dict[str, object] = {
        "base": RELATIVE,
        "documentLoader": load,
        "contextResolver": _resolver(contexts),
        "expandContext": {"@vocab": UNDEFINED},
        "processingMode": "json-ld-1.1",
    }
    try:
        return cast(list[JsonValue], jsonld.expand(document, options))
    except (jsonld.JsonLdError, RecursionError, TypeError, ValueError, AttributeError) as error:
        raise _refused(error) from None


def to_quads(expanded: list[JsonValue]) -> list[pyoxigraph.Quad]:
    """The RDF dataset of an expanded document. Raises Malformed if it is not valid RDF."""
    options: dict[str, object] = {"format": "application/n-quads", "documentLoader": _loader({})}
    try:
        text = cast(str, jsonld.to_rdf(expanded, options))
        return list(pyoxigraph.parse(text.encode(), format=pyoxigraph.RdfFormat.N_QUADS))
    except (jsonld.JsonLdError, RecursionError, TypeError, ValueError, SyntaxError) as error:
        raise _refused(error) from None


def is_iri(text: str) -> bool:
    """Whether a text may stand as an address in a dataset."""
    try:
        pyoxigraph.NamedNode(text)
    except ValueError:
        return False
    return True


def is_address(text: str) -> bool:
    """Whether a text is a whole address (an absolute IRI) that stands in quads as it is."""
    return IRI.fullmatch(text) is not None and is_iri(text)


def parsed(lines: list[str]) -> list[pyoxigraph.Quad]:
    """The quads of well-formed lines of N-Quads."""
    text = "\n".join(lines).encode()
    return list(pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.N_QUADS))


def canonical_lines(quads: list[pyoxigraph.Quad]) -> list[bytes]:
    """The canonical N-Quads of a dataset (RDFC-1.0 with SHA-256), sorted, each with its line end.

    Split on the line feed alone: U+0085 and U+2028 inside a text are not ends of lines.
    """
    dataset = pyoxigraph.Dataset(quads)
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    text = pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_QUADS) or b""
    return sorted(line + b"\n" for line in text.split(b"\n") if line)


def _resolver(contexts: Contexts) -> _Resolver:
    kept = _thread.resolvers.get(id(contexts))
    if kept is None:
        cache = cast(object, LRUCache(maxsize=_CACHED_CONTEXTS))
        kept = contexts, cast(_Resolver, ContextResolver(cache, _loader(contexts)))
        _thread.resolvers = {id(contexts): kept}
    return kept[1]


class _Loader(Protocol):
    def __call__(self, url: str, options: object = None) -> dict[str, object]: ...


def _loader(contexts: Contexts) -> _Loader:
    def load(url: str, options: object = None) -> dict[str, object]:
        if url not in contexts:
            raise _unknown_context(url)
        return {"contextUrl": None, "documentUrl": url, "document": contexts[url], "tag": "static"}

    return load


def _unknown_context(url: str) -> Malformed:
    return Malformed("The JSON-LD context %(url)s is not one that Assay knows.", url=url[:200])


def _refused(error: Exception) -> Malformed:
    reason = getattr(error, "type", None) or type(error).__name__
    return Malformed("The document is not valid JSON-LD (%(reason)s).", reason=str(reason))
