"""Verdicts on tokens (VC-JWT) and other status lists: whose key it is, and what cannot be told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, OKPKey, RSAKey

from credentials.baking import bake_png, bake_svg
from credentials.documents import JsonObject, dump_json
from credentials.jwt import write_vc_jwt
from credentials.keys import public_multibase
from credentials.multibase import to_base58
from credentials.openbadges import build_credential, build_endorsement
from credentials.status_list import build_status_entry
from credentials.verify import Outcome, Verdict, verify
from tests.fixtures.badges import (
    CLAIMS,
    CREDENTIAL_ID,
    DID,
    ENDORSEMENT,
    HOUSE,
    INDEX,
    ISSUED,
    KEY,
    LISTS,
    NOW,
    Web,
    signed,
    status_list,
    web,
)
from tests.fixtures.tokens import (
    RSA_ADDRESS,
    RSA_METHOD,
    encoded,
    jws,
    rsa,
    rsa_jwk,
    token,
    token_web,
)
from tests.unit.credentials.test_baking import SVG, png


def judge(data: bytes | JsonObject, house: Web | None = None, **more: object) -> Verdict:
    """Our verdict at NOW."""
    given = data if isinstance(data, bytes) else dump_json(data)
    return verify(given, fetch=house or token_web(), now=NOW, **more)  # type: ignore[arg-type]


def found(verdict: Verdict) -> dict[str, str]:
    """What each check came to, by code."""
    return {check.code: str(check.outcome) for check in verdict.checks}


def text(verdict: Verdict, code: str) -> str:
    """The words of the one check with this code."""
    [check] = verdict.of(code)
    return check.text


class TestTokens:
    @pytest.mark.parametrize("kid", [RSA_METHOD, "rsa-1", "#rsa-1", RSA_ADDRESS])
    def test_a_good_token_is_valid_and_every_check_says_so(self, kid: str) -> None:
        verdict = judge(token(kid=kid))
        assert verdict.outcome is Outcome.VALID, verdict.checks
        assert found(verdict) == {
            "well_formed": "passed",
            "signature": "passed",
            "issuer": "passed",
            "dates": "passed",
            "schema": "passed",
            "status.revocation": "passed",
            "evidence": "noted",
        }
        assert verdict.document == build_credential(CLAIMS)

    def test_a_token_in_a_picture_or_an_envelope_is_judged_alike(self) -> None:
        whole = token()
        envelope: JsonObject = {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": "EnvelopedVerifiableCredential",
            "id": f"data:application/vc+jwt,{whole.decode()}",
        }
        for data in (bake_png(png(), whole), bake_svg(SVG, whole), dump_json(envelope)):
            assert judge(data) == judge(whole)

    def test_a_revoked_token_keeps_its_good_signature(self) -> None:
        house = token_web()
        house.put(LISTS["revocation"], status_list("revocation", INDEX))
        verdict = judge(token(), house)
        assert (found(verdict)["signature"], found(verdict)["status.revocation"]) == (
            "passed",
            "failed",
        )

    def test_a_status_list_that_is_a_token_is_read(self) -> None:
        house = token_web()
        listed = {k: v for k, v in status_list("revocation", INDEX).items() if k != "proof"}
        house.documents[LISTS["revocation"]] = write_vc_jwt(listed, rsa(), RSA_METHOD).encode()
        assert text(judge(token(), house), "status.revocation") == "It was revoked by its issuer."

    def test_endorsements_that_are_tokens_are_checked_one_by_one(self) -> None:
        about = replace(ENDORSEMENT, issuer=CLAIMS.issuer)
        good = write_vc_jwt(build_endorsement(about), rsa(), RSA_METHOD)
        forged = write_vc_jwt(build_endorsement(about), rsa(2), RSA_METHOD)
        document = {**build_credential(CLAIMS), "endorsementJwt": [good, forged, 5, "junk"]}
        verdict = judge(write_vc_jwt(document, rsa(), RSA_METHOD).encode())
        outcomes = [str(check.outcome) for check in verdict.of("endorsement.signature")]
        assert outcomes == ["passed", "failed"]
        assert len(verdict.of("endorsement.well_formed")) == 4

    def test_a_key_on_another_site_signs_well_and_nobody_knows_whose_it_is(self) -> None:
        house = token_web()
        elsewhere = "https://elsewhere.example/key"
        house.put(elsewhere, {"keys": [rsa_jwk()]})
        verdict = judge(token(kid=elsewhere), house)
        assert verdict.outcome is Outcome.CANNOT_TELL
        assert found(verdict)["signature"] == "passed"
        assert "nothing shows" in text(verdict, "issuer")

    @pytest.mark.parametrize(
        ("issuer", "kid", "outcome"),
        [
            ("did:web:shared.example:ana", "https://shared.example/ana/key", "passed"),
            ("did:web:shared.example:ana", "https://shared.example/bob/key", "unknown"),
            ("did:web:shared.example:ana", "https://shared.example/ana-b/key", "unknown"),
            ("did:web:shared.example:ana", "https://shared.example/ana/../bob/key", "unknown"),
            ("did:web:shared.example:ana", "https://shared.example/ana/%2e%2E/bob/key", "unknown"),
            ("did:web:shared.example:ana", "https://shared.example/ana/..%5Cbob/key", "unknown"),
            ("did:web:shared.example:ana", "https://shared.example/ana/..%2Fbob/key", "unknown"),
            ("did:web:shared.example:ana", "https://shared.example/ana/..key", "passed"),
            ("https://shared.example/ana", "https://shared.example/keys/1", "passed"),
            ("https://shared.example/ana", "https://shared.example.evil.example/1", "unknown"),
            ("https://[", "https://shared.example/keys/1", "failed"),
        ],
    )
    def test_a_key_counts_for_whoever_has_its_place(
        self, issuer: str, kid: str, outcome: str
    ) -> None:
        payload = {**unlisted(), "issuer": issuer}
        house = token_web()
        house.put(kid, rsa_jwk())
        verdict = judge(jws({"alg": "RS256", "kid": kid}, payload, rsa_key()), house)
        assert found(verdict)["issuer"] == outcome

    def test_a_key_that_the_token_brings_counts_only_if_the_issuer_lists_it(self) -> None:
        header = {"alg": "RS256", "jwk": rsa_jwk()}
        payload = build_credential(CLAIMS)
        brought = jws(header, payload, RSAKey.import_key(rsa()))
        assert judge(brought).outcome is Outcome.VALID
        assert found(judge(brought, web()))["issuer"] == "failed"
        url = {**payload, "issuer": {**CLAIMS_ISSUER, "id": f"{HOUSE}/issuer"}}
        verdict = judge(jws(header, url, RSAKey.import_key(rsa())))
        assert (found(verdict)["signature"], found(verdict)["issuer"]) == ("passed", "unknown")

    def test_an_issuer_that_is_its_key_needs_nothing_from_elsewhere(self) -> None:
        for issuer, algorithm, key in issuers_that_are_keys():
            payload = {**unlisted(), "issuer": {**CLAIMS_ISSUER, "id": issuer}}
            verdict = judge(jws({"alg": algorithm}, payload, key), Web({}))
            assert verdict.outcome is Outcome.VALID, verdict.checks
            assert "nothing here shows who holds it" in text(verdict, "issuer")

    @pytest.mark.parametrize(
        ("method", "words"),
        [
            ({"controller": "did:web:elsewhere.example"}, "controlled by somebody else"),
            ({"revoked": "2024-01-01T00:00:00Z"}, "no longer in use"),
            ({"publicKeyJwk": {**{"kty": "RSA"}, "n": "AQAB", "e": "AQAB"}}, "at least 2048|damag"),
            ({"publicKeyJwk": {"kty": "RSA", "n": "A" * 3000, "e": "AQAB"}}, "larger than any"),
            ({"publicKeyJwk": {"kty": "oct", "k": "AAAA"}}, "not read yet"),
            ({"publicKeyJwk": {"kty": "RSA", "d": "AAAA"}}, "private key"),
            ({"publicKeyJwk": {"kty": "RSA", "use": "enc"}}, "not one for signatures"),
            ({"publicKeyJwk": {"kty": "RSA", "n": 5, "e": "AQAB"}}, "is not a text|damaged"),
            ({"publicKeyJwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}, "damaged"),
            ({"publicKeyJwk": None, "publicKeyMultibase": "zzz"}, "not read yet|damaged"),
        ],
    )
    def test_a_key_that_the_issuer_does_not_stand_for_is_told(
        self, method: dict[str, object], words: str
    ) -> None:
        verdict = judge(token(), token_web(**method))
        assert verdict.outcome is not Outcome.VALID
        [check] = verdict.of("issuer")
        assert any(word in check.text for word in words.split("|")), check.text

    def test_a_key_of_somebody_else_and_an_address_that_is_away(self) -> None:
        other = judge(token(kid="did:web:elsewhere.example#k"))
        assert "not a key of the issuer" in text(other, "issuer")
        house = token_web()
        del house.documents[RSA_ADDRESS]
        assert judge(token(kid=RSA_ADDRESS), house).outcome is Outcome.CANNOT_TELL
        silent = jws({"alg": "RS256"}, {**unlisted(), "issuer": f"{HOUSE}/i"}, rsa_key())
        assert judge(silent).outcome is Outcome.CANNOT_TELL
        long = jws({"alg": "RS256"}, {**unlisted(), "issuer": f"{HOUSE}/{'i' * 5000}"}, rsa_key())
        assert len(text(judge(long), "issuer")) < 300
        several = jws({"alg": "RS256"}, unlisted(), rsa_key())
        assert "does not say which key" in text(judge(several), "issuer")

    def test_the_date_of_the_token_counts_too(self) -> None:
        payload = {**unlisted(), "exp": int((NOW - timedelta(days=1)).timestamp())}
        del payload["validUntil"]
        verdict = judge(jws({"alg": "RS256", "kid": RSA_METHOD}, payload, rsa_key()))
        assert text(verdict, "dates") == "It was valid until 2024-06-02T09:30:00Z."

    def test_a_credential_of_version_1_is_judged_by_its_own_words(self) -> None:
        inner = {
            key: value for key, value in unlisted().items() if key not in ("validFrom", "issuer")
        }
        inner["@context"] = [
            "https://www.w3.org/2018/credentials/v1",
            "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
        ]
        inner.pop("validUntil")
        claims = {"iss": DID, "nbf": int(ISSUED.timestamp()), "vc": inner}
        verdict = judge(jws({"alg": "RS256", "kid": RSA_METHOD}, claims, rsa_key()))
        assert verdict.outcome is Outcome.VALID, verdict.checks
        early = {**claims, "exp": int(ISSUED.timestamp()) + 60}
        late = judge(jws({"alg": "RS256", "kid": RSA_METHOD}, early, rsa_key()))
        assert found(late)["dates"] == "failed"


class TestOtherLists:
    def test_the_list_of_1edtech_is_looked_up(self) -> None:
        entry = {"id": f"{HOUSE}/revoked", "type": "1EdTechRevocationList"}
        document = {**build_credential(CLAIMS), "credentialStatus": entry}
        data = write_vc_jwt(document, rsa(), RSA_METHOD).encode()
        house = token_web()
        for revoked, outcome in (
            ([], "passed"),
            ([{"id": CREDENTIAL_ID, "revoked": True}], "failed"),
            ([{"id": CREDENTIAL_ID, "revoked": False}], "passed"),
        ):
            house.put(f"{HOUSE}/revoked", {"issuer": DID, "revokedCredential": revoked})
            assert found(judge(data, house))["status.revocation"] == outcome
        house.put(f"{HOUSE}/revoked", {"issuer": "did:web:x.example", "revokedCredential": []})
        assert "somebody else" in text(judge(data, house), "status.revocation")

    @pytest.mark.parametrize(("taken", "outcome"), [((INDEX,), "failed"), ((), "passed")])
    def test_the_forerunner_of_bitstring_lists_is_read(
        self, taken: tuple[int, ...], outcome: str
    ) -> None:
        entry = build_status_entry(LISTS["revocation"], INDEX, "revocation")
        document = build_credential(CLAIMS)
        document["credentialStatus"] = {**entry, "type": "StatusList2021Entry"}
        listed = {k: v for k, v in status_list("revocation", *taken).items() if k != "proof"}
        listed["type"] = ["VerifiableCredential", "StatusList2021Credential"]
        listed["credentialSubject"]["type"] = "StatusList2021"  # type: ignore[index, call-overload]
        house = token_web()
        house.documents[LISTS["revocation"]] = write_vc_jwt(listed, rsa(), RSA_METHOD).encode()
        data = write_vc_jwt(document, rsa(), RSA_METHOD).encode()
        assert found(judge(data, house))["status.revocation"] == outcome
        house.put(LISTS["revocation"], status_list("revocation"))
        assert "not a status list" in text(judge(data, house), "status.revocation")

    def test_a_list_that_ended_says_nothing_about_today(self) -> None:
        house = web()
        ended = {k: v for k, v in status_list("revocation").items() if k != "proof"}
        ended["validUntil"] = "2024-05-05T00:00:00Z"
        house.put(LISTS["revocation"], signed(ended))
        verdict = judge(signed(build_credential(CLAIMS)), house)
        assert verdict.outcome is Outcome.CANNOT_TELL
        assert "out of date" in text(verdict, "status.revocation")


CLAIMS_ISSUER = {"id": DID, "type": ["Profile"], "name": "Riverside Polytechnic"}


def rsa_key() -> RSAKey:
    return RSAKey.import_key(rsa())


def unlisted() -> JsonObject:
    """The credential without a status."""
    document = build_credential(replace(CLAIMS, status=()))
    return {key: value for key, value in document.items() if key != "credentialStatus"}


def issuers_that_are_keys() -> list[tuple[str, str, OKPKey | ECKey]]:
    """did:key of Ed25519 and P-256, and did:jwk, each with its algorithm and key."""
    edward = OKPKey.import_key(KEY)
    curve = ECKey.generate_key("P-256")
    jwk = {k: v for k, v in curve.as_dict(private=False).items() if k in ("kty", "crv", "x", "y")}
    return [
        (f"did:key:{public_multibase(KEY)}", "EdDSA", edward),
        (f"did:key:{p256_multibase(curve)}", "ES256", curve),
        (f"did:jwk:{encoded(jwk).decode()}", "ES256", curve),
    ]


def p256_multibase(key: ECKey) -> str:
    point = key.public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return to_base58(b"\x80\x24" + point)
