"""What the terms of the pinned JSON-LD contexts mean, at each place of a document.

Only for the few things that those contexts do: terms with an address, a kind of value, a set, a
list or a graph, scoped to a property or to a type, protected or not. Anything else is `Unfamiliar`,
and PyLD answers for the whole document. See JSON-LD 1.1 API, sections 4.1 and 4.2.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Final

from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject, JsonValue
from credentials.jsonld import is_address

MOST_SCOPES = 400
"""A scope is a place whose terms differ from others'; ordinary documents have some twenty."""

_ENTRIES = {"@id", "@type", "@container", "@context", "@protected"}
_CONTAINERS = ("", "@set", "@list", "@graph")
_ALIASES: Mapping[str, str] = {"id": "@id", "type": "@type"}
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]*")
_ENDS_AS_PREFIX = tuple(":/?#[]@")


class Unfamiliar(Exception):
    """Something that the direct route does not read; it says nothing of the document."""


@dataclass(frozen=True)
class Term:
    """What a context says of a term; `kind` is a datatype, “@id”, “@vocab” or “@json”.

    `prefix`: whether it may stand before a colon. `scoped`: the context for what is inside it.
    """

    means: str
    kind: str | None = None
    container: str = ""
    scoped: JsonObject | None = None
    prefix: bool = False
    protected: bool = False


@dataclass(frozen=True)
class Property:
    """How the values of a property are read: texts in `scope`, objects in `inside`."""

    predicate: str
    kind: str | None
    graph: bool
    scope: "Scope"
    inside: "Scope"


class Scopes:
    """All scopes that were met, from documents without a context on; they are forgotten together.

    Documents of others decide which scopes there are, so there are never more than MOST_SCOPES.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._empty = Scope(self, {}, None)

    def first(self) -> "Scope":
        """Where every document begins. When there are too many scopes, they begin anew."""
        with self._lock:
            if self._count >= MOST_SCOPES:
                self._count = 0
                self._empty = Scope(self, {}, None)
            return self._empty

    def add(self) -> None:
        """Count one more; Unfamiliar when there are too many."""
        with self._lock:
            if self._count >= MOST_SCOPES:
                raise Unfamiliar
            self._count += 1


class Scope:
    """The terms that hold at a place; `before` are those that its types put aside for its parts.

    Nothing of it changes but what it remembers of the scopes next to it.
    """

    def __init__(self, scopes: Scopes, terms: Mapping[str, Term], before: "Scope | None") -> None:
        self.terms: Final = terms
        self.before: Final = before
        self._scopes = scopes
        self._embedded: dict[tuple[str, ...], Scope] = {}
        self._typed: dict[tuple[str, ...], tuple[Scope, tuple[str, ...]]] = {}
        self._properties: dict[str, Property] = {}
        self.plain: Final = all(
            (means := terms.get(name)) is not None and means.means == keyword
            for name, keyword in _ALIASES.items()
        )
        """Whether `id` and `type` are the words for those keywords here."""

    def embedded(self, named: JsonValue) -> "Scope":
        """The scope of a node that names these contexts."""
        urls = tuple(_texts(named))
        found = self._embedded.get(urls)
        if found is None:
            self._scopes.add()
            found = self
            for url in urls:
                found = found._with(_pinned(url), override=False)
            self._embedded[urls] = found
        return found

    def typed(self, names: JsonValue) -> "tuple[Scope, tuple[str, ...]]":
        """The scope of a node of these types, and the addresses of the types."""
        given = tuple(_texts(names))
        found = self._typed.get(given)
        if found is None:
            found = self._typed[given] = self._of_types(given)
        return found

    def property(self, name: str) -> Property:
        """How to read a property; Unfamiliar for one that is not defined here."""
        found = self._properties.get(name)
        if found is None:
            found = self._properties[name] = self._read(name)
        return found

    def _of_types(self, names: Sequence[str]) -> "tuple[Scope, tuple[str, ...]]":
        terms = [self.terms.get(name) for name in names]
        means = tuple(_address(term) for term in terms)
        if not means:
            raise Unfamiliar
        self._scopes.add()
        scope = self
        for name in sorted(names):
            scoped = self.terms[name].scoped
            if scoped is not None:
                scope = scope._with(scoped, override=False, before=scope.before or scope)
        return scope, means

    def _read(self, name: str) -> Property:
        term = self.terms.get(name)
        predicate = _address(term)
        if term is None or term.container == "@list" or term.kind == "@json":
            raise Unfamiliar
        scope = self._inside(term)
        if scope.terms.get(name) != term:
            raise Unfamiliar
        inside = (scope.before or scope)._inside(term)
        return Property(predicate, term.kind, term.container == "@graph", scope, inside)

    def _inside(self, term: Term) -> "Scope":
        """The scope with what the term brings for its values."""
        if term.scoped is None:
            return self
        self._scopes.add()
        return self._with(term.scoped, override=True)

    def _with(
        self, context: JsonObject, *, override: bool, before: "Scope | None" = None
    ) -> "Scope":
        """The scope with a context's terms; `override`: protected terms may be defined anew."""
        terms = _Definitions(self.terms, context, override).terms
        return Scope(self._scopes, terms, before or self.before)


class _Definitions:
    """Defines the terms of one context, each with those that it is written with."""

    def __init__(self, known: Mapping[str, Term], context: JsonObject, override: bool) -> None:
        self.terms = dict(known)
        self._context = context
        self._done: dict[str, bool] = {}
        self._protected = context.get("@protected", False)
        if self._protected not in (True, False) or context.get("@version", 1.1) != 1.1:
            raise Unfamiliar
        for name in context:
            if name not in ("@protected", "@version"):
                self._define(name, override=override)

    def _define(self, name: str, *, override: bool) -> None:
        if name in self._done:
            if self._done[name]:
                return
            raise Unfamiliar
        self._done[name] = False
        if not name or name.startswith("@") or ":" in name or "/" in name:
            raise Unfamiliar
        earlier = self.terms.pop(name, None)
        term = self._term(name, self._context[name])
        if earlier is not None and earlier.protected and not override:
            term = Term(
                term.means, term.kind, term.container, term.scoped, term.prefix, protected=True
            )
            if term != earlier:
                raise Unfamiliar
        self.terms[name] = term
        self._done[name] = True

    def _term(self, name: str, said: JsonValue) -> Term:
        if isinstance(said, str):
            means = self._address(name, said)
            prefix = means.endswith(_ENDS_AS_PREFIX)
            return Term(means, prefix=prefix, protected=bool(self._protected))
        if not isinstance(said, dict) or not set(said) <= _ENTRIES:
            raise Unfamiliar
        container, scoped = said.get("@container", ""), said.get("@context")
        if not isinstance(container, str) or container not in _CONTAINERS:
            raise Unfamiliar
        if "@context" in said and not isinstance(scoped, dict):
            raise Unfamiliar
        return Term(
            means=self._address(name, said.get("@id")),
            kind=self._kind(said["@type"]) if "@type" in said else None,
            container=container,
            scoped=scoped if isinstance(scoped, dict) else None,
            protected=self._is_protected(said),
        )

    def _is_protected(self, said: JsonObject) -> bool:
        own = said.get("@protected", self._protected)
        if own not in (True, False):
            raise Unfamiliar
        return bool(own)

    def _kind(self, kind: JsonValue) -> str:
        if kind in ("@id", "@vocab", "@json") and isinstance(kind, str):
            return kind
        found = self._expanded(kind)
        if found.startswith("@"):
            raise Unfamiliar
        return found

    def _address(self, name: str, text: JsonValue) -> str:
        """What a term means; of the keywords only `id` and `type` have a word."""
        means = self._expanded(text)
        if text == name or (means.startswith("@") and _ALIASES.get(name) != means):
            raise Unfamiliar
        return means

    def _expanded(self, text: JsonValue) -> str:
        """An address as a context writes it: whole, a term, or with a prefix (section 5.2)."""
        if not isinstance(text, str):
            raise Unfamiliar
        if text.startswith("@"):
            return text
        self._define_first(text)
        if text in self.terms:
            return self.terms[text].means
        prefix, _, rest = text.partition(":")
        if not rest.startswith("//"):
            self._define_first(prefix)
            term = self.terms.get(prefix)
            if term is not None and term.prefix:
                return term.means + rest
        if not _ABSOLUTE.fullmatch(text):
            raise Unfamiliar
        return text

    def _define_first(self, name: str) -> None:
        if name in self._context and not self._done.get(name):
            self._define(name, override=False)


def _address(term: Term | None) -> str:
    """The address that a term stands for, as N-Quads write it."""
    if term is None or not is_address(term.means):
        raise Unfamiliar
    return f"<{term.means}>"


def _texts(given: JsonValue) -> Sequence[str]:
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list):
        raise Unfamiliar
    texts = [one for one in given if isinstance(one, str)]
    if len(texts) != len(given):
        raise Unfamiliar
    return texts


@cache
def _pinned(url: str) -> JsonObject:
    found = pinned_contexts().get(url, {}).get("@context")
    if not isinstance(found, dict):
        raise Unfamiliar
    return found
