"""SD-JWT VC: what the reference implementation issues is read, and nothing that was tampered with.

The tokens are made by the IETF's reference implementation and by PyJWT, so that what reads them
here is judged by others' work.
"""

import base64
import hashlib
import json
import random
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj  # type: ignore[import-untyped]
from sd_jwt.issuer import SDJWTIssuer  # type: ignore[import-untyped]

from credentials.digests import multibase_sha256
from credentials.documents import JsonObject
from credentials.errors import Malformed
from credentials.p256 import generate_p256, p256_bytes, p256_from_bytes, p256_jwk
from credentials.sd_jwt import SdClaims, write_sd_jwt_vc
from credentials.sd_jwt_checks import metadata_address
from credentials.sd_jwt_reading import is_sd_jwt, read_sd_jwt
from credentials.status_list import new_bits, set_bit
from credentials.token_status_list import pack_statuses, write_status_token
from credentials.verify import Finding, Outcome, Verdict, verify
from tests.fixtures.badges import Web

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ISS = "https://halden.example/openid4vci"
META = "https://halden.example/.well-known/jwt-vc-issuer/openid4vci"
LIST = f"{ISS}/status/1"
KEY, HOLDER = generate_p256(), generate_p256()
DIGEST = hashlib.sha256(b"bytes").hexdigest()


def public(key: EllipticCurvePrivateKey) -> JsonObject:
    return {
        name: value for name, value in p256_jwk(key).items() if name in ("kty", "crv", "x", "y")
    }


SAID: dict[str, Any] = {
    "iss": ISS,
    "vct": f"{ISS}/types/1",
    "iat": int(NOW.timestamp()),
    "nbf": int(NOW.timestamp()),
    "exp": int((NOW + timedelta(days=365)).timestamp()),
    "cnf": {"jwk": public(HOLDER)},
    "status": {"status_list": {"idx": 7, "uri": LIST}},
    "achievement": {"name": "Fire warden"},
}
HIDDEN: dict[str, Any] = {"name": "Ana Souza", "credential": "https://halden.example/credentials/1"}
EVIDENCE: list[Any] = [
    {
        "id": "e1",
        "name": "Photo",
        "digestMultibase": multibase_sha256(DIGEST),
    },
    {"id": "e2", "name": "Video"},
]


def issue(**changes: Any) -> str:
    """A credential by the reference implementation; `changes` to what it says."""
    said = {**SAID, **changes}
    claims = {key: value for key, value in said.items() if value is not None}
    hidden = {SDObj(key): value for key, value in HIDDEN.items()}
    made = SDJWTIssuer(
        {**claims, **hidden, "evidence": [SDObj(one) for one in EVIDENCE]},
        JWK.from_pem(_pem(KEY)),
        extra_header_parameters={"typ": "dc+sd-jwt", "kid": str(p256_jwk(KEY)["kid"])},
        sign_alg="ES256",
        add_decoy_claims=True,
    )
    return str(made.sd_jwt_issuance)


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def by_hand(header: dict[str, Any], claims: dict[str, Any], key: Any = KEY) -> str:
    """A token of which every part is chosen, by PyJWT."""
    return jwt.encode(claims, key, algorithm="ES256", headers=header)


def bind(presented: str, key: Any = HOLDER, typ: str = "kb+jwt", **changes: Any) -> str:
    """The presentation with a token that shows the key."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(presented.encode()).digest()).rstrip(b"=")
    told = {
        "iat": int(NOW.timestamp()),
        "aud": "https://works.example",
        "nonce": "n",
        "sd_hash": digest.decode(),
    }
    return presented + by_hand({"typ": typ}, told | changes, key)


def web(revoked: bool = False, suspended: bool = False, **changes: bytes) -> Web:
    """The issuer's site."""
    off = set_bit(new_bits(), 7, revoked or suspended)
    statuses = pack_statuses(off, set_bit(new_bits(), 7, suspended))
    status = write_status_token(
        LIST, ISS, KEY, statuses, now=NOW, until=NOW + timedelta(days=7), ttl_seconds=60
    ).encode()
    keys = json.dumps({"issuer": ISS, "jwks": {"keys": [p256_jwk(KEY)]}}).encode()
    return Web({META: changes.get("keys", keys), LIST: changes.get("status", status)})


def judge(token: str, site: Web | None = None, files: dict[str, str] | None = None) -> Verdict:
    return verify(token.encode(), fetch=site or web(), now=NOW, evidence=files)


def finding(verdict: Verdict, code: str) -> Finding:
    (check,) = verdict.of(code)
    return check.outcome


def test_what_the_reference_implementation_issues_is_valid_line_by_line() -> None:
    verdict = judge(issue(), files={"photo.jpg": DIGEST})
    assert verdict.outcome is Outcome.VALID, verdict.checks
    codes = [check.code for check in verdict.checks]
    assert codes == [
        *("well_formed", "signature", "issuer", "dates", "status.revocation", "binding"),
        *("disclosed", "evidence", "evidence"),
    ]
    assert verdict.document is not None and verdict.document["name"] == "Ana Souza"
    assert finding(verdict, "binding") is Finding.NOTED
    assert [check.outcome for check in verdict.of("evidence")] == [Finding.PASSED, Finding.NOTED]


def test_what_is_not_shown_is_not_known_and_counted() -> None:
    only = issue().split("~")[0] + "~"
    verdict = judge(only)
    assert verdict.outcome is Outcome.VALID and verdict.document is not None
    assert "name" not in verdict.document and verdict.document["evidence"] == []
    (check,) = verdict.of("disclosed")
    assert int(check.params["hidden"]) >= 4 and check.params["shown"] == "0"


def test_the_holders_key_is_checked_over_what_was_shown() -> None:
    token = issue()
    assert finding(judge(bind(token)), "binding") is Finding.PASSED
    parts = token.split("~")
    fewer = "~".join(parts[:2]) + "~"
    moved = fewer + bind(token).rpartition("~")[2]
    wrong = {
        "another's key": bind(token, generate_p256()),
        "other disclosures": moved,
        "another type": bind(token, typ="JWT"),
        "no audience": bind(token, aud=7),
        "no date": bind(token, iat=None),
    }
    for what, presented in wrong.items():
        verdict = judge(presented)
        assert finding(verdict, "binding") is Finding.FAILED, what
        assert verdict.outcome is Outcome.NOT_VALID, what
    unbound = judge(bind(issue(cnf=None)))
    assert finding(unbound, "binding") is Finding.FAILED


@pytest.mark.parametrize(
    ("state", "code", "outcome"),
    [
        ({"revoked": True}, "status.revocation", Outcome.NOT_VALID),
        ({"suspended": True}, "status.suspension", Outcome.NOT_VALID),
    ],
)
def test_its_status_is_its_own_line(state: Any, code: str, outcome: Outcome) -> None:
    verdict = judge(issue(), web(**state))
    assert verdict.outcome is outcome
    assert finding(verdict, "signature") is Finding.PASSED
    assert finding(verdict, code) is Finding.FAILED


def forged_list(**changes: Any) -> bytes:
    """A status list with something wrong."""
    lst = base64.urlsafe_b64encode(zlib.compress(bytes(64))).decode()
    told = {"sub": LIST, "iss": ISS, "iat": 1, "status_list": {"bits": 2, "lst": lst}}
    key = changes.pop("key", KEY)
    typ = changes.pop("typ", "statuslist+jwt")
    header = {"typ": typ, "kid": str(p256_jwk(KEY)["kid"])}
    return by_hand(header, told | changes, key).encode()


@pytest.mark.parametrize(
    ("forged", "expected"),
    [
        (forged_list(), Finding.PASSED),
        (forged_list(key=generate_p256()), Finding.FAILED),
        (forged_list(sub="https://halden.example/another"), Finding.FAILED),
        (forged_list(typ="JWT"), Finding.FAILED),
        (forged_list(status_list={"bits": 3, "lst": "x"}), Finding.FAILED),
        (forged_list(status_list={"bits": 2, "lst": "eNpjAAAAAQAB"}), Finding.FAILED),
        (forged_list(exp=int(NOW.timestamp()) - 1), Finding.UNKNOWN),
        (forged_list(iss="https://else.example"), Finding.UNKNOWN),
    ],
    ids=["good", "key", "sub", "typ", "bits", "short", "old", "issuer"],
)
def test_a_status_list_is_believed_only_from_its_issuer(forged: bytes, expected: Finding) -> None:
    verdict = judge(issue(), web(status=forged))
    assert [one.outcome for one in verdict.checks if one.code.startswith("status")] == [expected]


def test_a_list_that_is_away_leaves_it_open() -> None:
    known = web()
    alone = Web({META: known(META)})
    assert judge(issue(), alone).outcome is Outcome.CANNOT_TELL
    assert judge(issue(), Web({})).outcome is Outcome.CANNOT_TELL


def test_dates_are_their_own_line() -> None:
    past, future = int(NOW.timestamp()) - 10, int(NOW.timestamp()) + 3600
    for change in ({"exp": past}, {"nbf": future}):
        verdict = judge(issue(**change))
        assert finding(verdict, "dates") is Finding.FAILED
        assert finding(verdict, "signature") is Finding.PASSED


def edited(change: Callable[[dict[str, Any]], None]) -> str:
    """A credential whose signed part says something else than what was signed."""
    head, body, signature = issue().split("~")[0].split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    change(said)
    again = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    return f"{head}.{again}.{signature}~"


def test_a_changed_claim_breaks_the_signature() -> None:
    verdict = judge(edited(lambda said: said.update(vct="https://halden.example/another")))
    assert finding(verdict, "signature") is Finding.FAILED


def test_another_issuers_name_finds_no_key() -> None:
    token = issue(iss="https://else.example")
    verdict = judge(token)
    assert finding(verdict, "issuer") is Finding.UNKNOWN
    elsewhere = "https://else.example/.well-known/jwt-vc-issuer"
    known = json.loads(web()(META))
    claimed = Web({elsewhere: json.dumps(known).encode(), LIST: web()(LIST)})
    assert finding(judge(token, claimed), "issuer") is Finding.FAILED


def disclosed(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(parts)).encode()).rstrip(b"=").decode()


def digest(disclosure: str) -> str:
    found = hashlib.sha256(disclosure.encode()).digest()
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()


HEAD = {"typ": "dc+sd-jwt", "kid": str(p256_jwk(KEY)["kid"])}
NAME = disclosed("salt", "name", "Ana")
BASE = {"iss": ISS, "vct": "t"}
INNER = disclosed("salt", "inner", {"_sd": [digest(NAME)]})


WRONG = {
    "belongs to nothing": by_hand(HEAD, BASE) + f"~{NAME}~",
    "shown twice": by_hand(HEAD, BASE | {"_sd": [digest(NAME)]}) + f"~{NAME}~{NAME}~",
    "digest twice": by_hand(HEAD, BASE | {"_sd": [digest(NAME)] * 2}) + f"~{NAME}~",
    "says it again": by_hand(HEAD, BASE | {"name": "Bo", "_sd": [digest(NAME)]}) + f"~{NAME}~",
    "digests no list": by_hand(HEAD, BASE | {"_sd": "x"}) + "~",
    "digests no texts": by_hand(HEAD, BASE | {"_sd": [7]}) + "~",
    "dots in an object": by_hand(HEAD, BASE | {"...": "x"}) + "~",
    "dots and more": by_hand(HEAD, BASE | {"list": [{"...": "x", "more": 1}]}) + "~",
    "name in a list": by_hand(HEAD, BASE | {"list": [{"...": digest(NAME)}]}) + f"~{NAME}~",
    "unknown hash": by_hand(HEAD, BASE | {"_sd_alg": "md5"}) + "~",
    "no type": by_hand(HEAD, {"iss": ISS}) + "~",
    "another kind": by_hand({"typ": "JWT"}, BASE) + "~",
    "could hide its end": by_hand(HEAD, BASE | {"_sd": [digest(disclosed("s", "exp", 1))]})
    + f"~{disclosed('s', 'exp', 1)}~",
    "could hide digests": by_hand(HEAD, BASE | {"_sd": [digest(disclosed("s", "_sd", []))]})
    + f"~{disclosed('s', '_sd', [])}~",
    "salt no text": by_hand(HEAD, BASE | {"_sd": [digest(disclosed(7, "a", 1))]})
    + f"~{disclosed(7, 'a', 1)}~",
    "damaged": by_hand(HEAD, BASE | {"_sd": [digest("AAA")]}) + "~AAA~",
    "too short": by_hand(HEAD, BASE | {"_sd": [digest(disclosed("a"))]}) + f"~{disclosed('a')}~",
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_laid_out_wrongly_is_not_read(what: str) -> None:
    token = WRONG[what]
    with pytest.raises(Malformed):
        read_sd_jwt(token.encode())
    assert judge(token).outcome is Outcome.NOT_VALID


def test_a_changed_disclosure_is_called_damaged_and_not_some_json() -> None:
    first, *rest = issue().split("~")
    (check,) = judge("~".join([first, rest[0][:-4] + "AAAA", *rest[1:]])).checks
    assert check.message == "A disclosure is damaged."


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"iat": int((NOW + timedelta(hours=1)).timestamp())}, Finding.FAILED),
        ({"exp": int((NOW - timedelta(hours=1)).timestamp())}, Finding.FAILED),
        ({"iat": int((NOW + timedelta(minutes=1)).timestamp())}, Finding.PASSED),
        ({"exp": int((NOW + timedelta(hours=1)).timestamp())}, Finding.PASSED),
        ({"iat": int((NOW - timedelta(days=400)).timestamp())}, Finding.PASSED),
    ],
)
def test_what_was_shown_has_its_own_time(told: dict[str, int], expected: Finding) -> None:
    assert finding(judge(bind(issue(), **told)), "binding") is expected


def test_a_disclosure_inside_a_disclosure_is_read() -> None:
    token = by_hand(HEAD, BASE | {"_sd": [digest(INNER)]}) + f"~{INNER}~{NAME}~"
    assert read_sd_jwt(token.encode()).claims["inner"] == {"name": "Ana"}


def test_a_disclosure_cannot_bring_a_second_document() -> None:
    sneaked = base64.urlsafe_b64encode(b'["s","a",1],"b":["s","c"]').rstrip(b"=").decode()
    token = by_hand(HEAD, BASE | {"_sd": [digest(sneaked)]}) + f"~{sneaked}~"
    with pytest.raises(Malformed):
        read_sd_jwt(token.encode())


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_algorithm_that_proves_nothing_is_refused(algorithm: str) -> None:
    body = issue().split("~")[0].split(".")[1]
    head = json.dumps({"alg": algorithm, "typ": "dc+sd-jwt"}).encode()
    token = base64.urlsafe_b64encode(head).rstrip(b"=").decode() + f".{body}.AA~"
    assert finding(judge(token), "signature") is Finding.FAILED


def test_what_is_flipped_anywhere_is_a_verdict_and_never_valid() -> None:
    """Every check must bear what strangers make up; only dropped disclosures leave it valid."""
    token, site, chance = bind(issue()), web(), random.Random(7)
    for _ in range(250):
        place = chance.randrange(len(token))
        letter = chance.choice("AZaz09-_.~{ é".replace(token[place], ""))
        changed = token[:place] + letter + token[place + 1 :]
        assert judge(changed, site).outcome is not Outcome.VALID, (place, letter)
    for length in range(0, len(token), 97):
        judge(token[:length], site)


def test_what_is_none_is_not_taken_for_one() -> None:
    for text in ("", "a.b.c", "~", "a.b.c~x~y", "{}~", "a.b.c~~"):
        assert not is_sd_jwt(text.encode()), text
    assert is_sd_jwt(issue().encode() + b"\n")


def test_what_we_write_is_what_we_read() -> None:
    claims = SdClaims({"iss": ISS, "vct": "t", "iat": 1}, {"name": "Ана"}, {"list": [{"a": 1}, 2]})
    token = write_sd_jwt_vc(claims, KEY, public(HOLDER))
    given = read_sd_jwt(token.encode())
    assert given.claims == {
        **claims.shown,
        "name": "Ана",
        "list": [{"a": 1}, 2],
        "cnf": {"jwk": public(HOLDER)},
    }
    assert (given.shown, given.hidden) == (3, 0)
    with pytest.raises(Malformed):
        write_sd_jwt_vc(SdClaims({"iss": ISS, "iat": 1}), KEY, public(HOLDER))
    with pytest.raises(Malformed):
        write_sd_jwt_vc(SdClaims({"iss": ISS, "vct": "t"}, {"exp": 1}), KEY, public(HOLDER))


def test_keys_go_to_bytes_and_back() -> None:
    assert p256_jwk(p256_from_bytes(p256_bytes(KEY))) == p256_jwk(KEY)


def test_the_keys_address_is_worked_out_as_the_draft_says() -> None:
    assert metadata_address("https://a.example") == "https://a.example/.well-known/jwt-vc-issuer"
    assert metadata_address(f"{ISS}/") == META
    for wrong in ("ftp://a.example", "https:///x", "https://a.example?x=1", "https://[x"):
        with pytest.raises(Malformed):
            metadata_address(wrong)
