"""What is asked of each made-up input, and what must be true of every answer."""

import json
import random
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import cast

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from credentials.canonical import canonicalize
from credentials.documents import JsonObject, dump_json, id_of
from credentials.errors import CredentialError
from credentials.pdf_child import found
from credentials.reading import document_of, read_secured
from credentials.verify import Outcome, Verdict, evidence_of, verify
from tests.fixtures.badges import NOW, signed
from tests.fixtures.tokens import RSA_METHOD, assertion, jws, rsa
from tests.fuzz.mutators import as_text, bent, bent_png, bent_svg, bent_token, broken
from tests.fuzz.seeds import World, documents, kept, seeds, tokens

Ask = Callable[[], object]
WORLD = World()
RESIGNED = ("documents", "tokens")
"""Kinds whose changes are signed by the institution itself, so that they may well be valid."""


def asked(kind: str, chance: random.Random) -> Iterator[tuple[bytes, Ask]]:
    """Made-up inputs without end, each with the question to ask of it."""
    for data in kept(kind):
        yield data, partial(ask, kind, data)
    if kind == "web":
        yield from _webs(chance)
    while kind != "web":
        data = _made(kind, chance)
        yield data, partial(ask, kind, data)


def ask(kind: str, data: bytes) -> None:
    """Judge one input. Raises AssertionError if the answer is not one that may be given."""
    if kind == "pdf-inside":
        word, text = found(data)
        assert word in ("found", "none", "many", "large", "locked", "damaged")
        assert (word == "found") or not text
        return
    verdict = verify(data, fetch=WORLD, now=NOW)
    _check(verdict)
    if kind not in RESIGNED and verdict.outcome is Outcome.VALID:
        assert _is_genuine(verdict), "a changed document was called valid"


def _check(verdict: Verdict) -> None:
    assert verdict.checks and verdict.checks[0].code == "well_formed"
    for check in verdict.checks:
        assert check.text and len(check.text) < 3000
        check.text.encode("utf-8", "surrogatepass")
    if verdict.outcome is Outcome.VALID:
        assert all(check.outcome in ("passed", "noted") for check in verdict.checks)


def _is_genuine(verdict: Verdict) -> bool:
    """Whether a verdict that says “valid” speaks of one of the documents that were signed."""
    document = verdict.document or {}
    if "badge" in document:
        # of a hosted badge what stands at its address counts, with its badge class filled in
        document = {**document, "badge": assertion()["badge"]}
    return _meaning(document) in _meanings()


@cache
def _meanings() -> frozenset[str]:
    signed_tokens = (document_of(read_secured(one)) for one in tokens())
    return frozenset(_meaning(one) for one in (*documents(), *signed_tokens))


def _meaning(document: JsonObject) -> str:
    """What a signature covers, by the general route, and what pages show of it."""
    unsigned = {key: value for key, value in document.items() if key != "proof"}
    try:
        covered = canonicalize(unsigned).decode()
    except CredentialError:
        covered = json.dumps(unsigned, sort_keys=True)
    evidence = sorted(map(repr, evidence_of(document)))
    shown = [document.get("name") or None, id_of(document.get("issuer")), evidence]
    return f"{covered} {shown}"


def _made(kind: str, chance: random.Random) -> bytes:
    given_seeds = seeds({"documents": "json", "tokens": "jwt"}.get(kind, kind))
    data, other = chance.choice(given_seeds), chance.choice(given_seeds)
    inside: dict[str, Callable[[bytes, bytes, random.Random], bytes]] = {
        "png": bent_png,
        "svg": bent_svg,
        "jwt": bent_token,
    }
    if kind == "documents":
        return _document(chance)
    if kind == "tokens":
        return _signed_token(chance)
    if kind in inside and chance.random() < 0.6:
        data = inside[kind](data, other, chance)
        return data if chance.random() < 0.8 else broken(data, other, chance)
    if kind == "json" and chance.random() < 0.7:
        return as_text(_bent_document(chance), chance)
    return broken(data, other, chance)


def _bent_document(chance: random.Random) -> JsonObject:
    return bent(chance.choice(documents()), chance.choice(documents()), chance)


def _document(chance: random.Random) -> bytes:
    """A bent document with a good signature where one can be made: it gets to the later checks."""
    document = _bent_document(chance)
    document.pop("proof", None)
    try:
        return dump_json(signed(document))
    except (CredentialError, ValueError, UnicodeEncodeError):
        return as_text(document, chance)


def _signed_token(chance: random.Random) -> bytes:
    """A bent payload with a good signature."""
    payload = document_of(read_secured(chance.choice(tokens())))
    bent_payload = bent(payload, chance.choice(documents()), chance)
    header = {"alg": "RS256", "kid": RSA_METHOD}
    return jws(header, bent_payload, RSAKey.import_key(rsa()))


def _webs(chance: random.Random) -> Iterator[tuple[bytes, Ask]]:
    """Good credentials on a web where one of the documents asked for is a made-up one."""
    addresses = list(WORLD.documents)
    whole = [*seeds("json"), *tokens()]
    while True:
        address = chance.choice(addresses)
        good = WORLD.documents[address]
        if chance.random() < 0.6:
            text = as_text(bent(json.loads(good), chance.choice(documents()), chance), chance)
        else:
            text = broken(good, chance.choice(whole), chance)
        yield text, partial(_ask_with, address, text, chance.choice(whole))


def _ask_with(address: str, text: bytes, credential: bytes) -> None:
    WORLD.replaced = {address: text}
    try:
        _check(verify(credential, fetch=WORLD, now=NOW))
    finally:
        WORLD.replaced = {}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "type", "@context", "name", "proof", "issuer"])
            | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=30,
)


def hypotheses(number: int, examples: int, look: Callable[[bytes, Ask], None]) -> None:
    """Let Hypothesis change top-level values of good documents, and shrink what fails."""

    @seeded(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.sampled_from(range(len(documents()))),
        st.dictionaries(
            st.sampled_from(sorted({key for one in documents() for key in one})),
            _JSON,
            min_size=1,
            max_size=3,
        ),
    )
    def run(place: int, changes: dict[str, object]) -> None:
        changed = cast(JsonObject, {**documents()[place], **changes})
        data = json.dumps(changed).encode("utf-8", "surrogatepass")
        look(data, partial(ask, "json", data))
        bare = {key: value for key, value in changed.items() if key != "proof"}
        try:
            resigned = dump_json(signed(bare))
        except (CredentialError, ValueError, UnicodeEncodeError):
            return
        look(resigned, partial(ask, "documents", resigned))

    run()
