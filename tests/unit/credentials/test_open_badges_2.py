"""Verdicts on Open Badges 2, hosted and signed: each check on its own, and others agree."""

import pytest
from joserfc.jwk import OKPKey
from openbadgeslib.baking import bake_png as their_bake_png
from openbadgeslib.ob2.verifier import OB2Verifier

from credentials.documents import JsonObject, dump_json
from credentials.errors import CannotFetch
from credentials.verify import Outcome, Verdict, verify
from tests.fixtures.badges import (
    HOUSE,
    KEY,
    NOW,
    Web,
)
from tests.fixtures.tokens import (
    ASSERTION_ID,
    OLD,
    assertion,
    jws,
    old_web,
    signed_assertion,
)
from tests.unit.credentials.test_baking import png


def judge(data: bytes | JsonObject, house: Web | None = None, **more: object) -> Verdict:
    """Our verdict at NOW."""
    given = data if isinstance(data, bytes) else dump_json(data)
    return verify(given, fetch=house or old_web(), now=NOW, **more)  # type: ignore[arg-type]


def found(verdict: Verdict) -> dict[str, str]:
    """What each check came to, by code."""
    return {check.code: str(check.outcome) for check in verdict.checks}


def text(verdict: Verdict, code: str) -> str:
    """The words of the one check with this code."""
    [check] = verdict.of(code)
    return check.text


def signed_payload() -> JsonObject:
    """What a signed badge says, to be signed by somebody else."""
    verification = {"type": "SignedBadge", "creator": f"{OLD}/keys/1"}
    return assertion(id="urn:uuid:1", verification=verification)


class TestOpenBadges2:
    def test_a_hosted_badge_is_what_stands_at_its_address(self) -> None:
        verdict = judge(assertion(), old_web())
        assert verdict.outcome is Outcome.VALID, verdict.checks
        assert set(found(verdict)) == {
            *("well_formed", "signature", "issuer", "dates", "schema"),
            *("status.revocation", "evidence"),
        }
        house = old_web()
        plain = assertion(evidence=f"{OLD}/evidence/1")
        house.put(ASSERTION_ID, plain)
        assert judge(plain, house).outcome is Outcome.VALID
        OB2Verifier(download=house).verify_hosted(plain, check_revocation=True)

    def test_a_signed_badge_is_valid_for_us_and_for_others(self) -> None:
        plain = signed_assertion(evidence=f"{OLD}/evidence/1")
        assert judge(plain, old_web()).outcome is Outcome.VALID
        OB2Verifier(download=old_web()).verify(plain.decode(), check_revocation=True)

    @pytest.mark.parametrize("away", [(), (f"{OLD}/issuer",)])
    @pytest.mark.parametrize("more", [{}, {"verification": {"type": "Oracle"}}])
    def test_an_issuer_and_a_subject_that_nobody_judged_are_not_told(
        self, away: tuple[str, ...], more: dict[str, object]
    ) -> None:
        stray = {"issuer": {"name": "Famous"}, "credentialSubject": {"achievement": {"name": "x"}}}
        house = old_web()
        house.put(ASSERTION_ID, assertion(**stray, **more))
        for address in away:
            del house.documents[address]
        verdict = judge(assertion(**stray, **more), house)
        assert verdict.document is not None
        assert verdict.document["id"] == ASSERTION_ID
        assert not {*stray} & {*verdict.document}

    def test_a_picture_may_hold_only_the_address(self) -> None:
        house = old_web()
        picture = their_bake_png(png(), ASSERTION_ID)
        assert judge(picture, house) == judge(assertion(), house)
        assert judge(b"https://elsewhere.example/x", house).outcome is Outcome.CANNOT_TELL

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"recipient": {"type": "email", "identity": "x@mail.example"}}, "signature"),
            ({"narrative": "The very best."}, "signature"),
            ({"expires": "2034-01-01T00:00:00Z"}, "signature"),
            ({"issuedOn": "soon"}, "signature"),
        ],
    )
    def test_a_hosted_badge_that_says_more_than_its_address_is_refused(
        self, changes: dict[str, object], code: str
    ) -> None:
        assert found(judge(assertion(**changes), old_web()))[code] == "failed"

    @pytest.mark.parametrize(
        ("changes", "outcome"),
        [
            ({"revoked": True, "revocationReason": "by mistake"}, "failed"),
            ({"issuedOn": "2024-05-04T09:30:00+00:00"}, "passed"),
        ],
    )
    def test_what_stands_at_the_address_decides(
        self, changes: dict[str, object], outcome: str
    ) -> None:
        house = old_web()
        house.put(ASSERTION_ID, assertion(**changes))
        verdict = judge(assertion(), house)
        assert found(verdict)["status.revocation"] == outcome

    @pytest.mark.parametrize(
        ("address", "changes", "code"),
        [
            (f"{OLD}/issuer", {"verification": {"startsWith": f"{HOUSE}/ol"}}, "issuer"),
            (f"{OLD}/issuer", {"verification": {"allowedOrigins": ["a.example"]}}, "issuer"),
            (f"{OLD}/issuer", {"id": f"{OLD}/other"}, "issuer"),
            (f"{OLD}/badges/cnc", {"issuer": 5}, "issuer"),
            (f"{OLD}/revoked", {"revokedAssertions": [ASSERTION_ID]}, "status.revocation"),
            (
                f"{OLD}/revoked",
                {"revokedAssertions": [{"id": ASSERTION_ID, "revocationReason": "x"}]},
                "status.revocation",
            ),
            (ASSERTION_ID, {"id": [{"type": "Profile"}]}, "signature"),
            (ASSERTION_ID, {"revoked": True, "revocationReason": 5}, "status.revocation"),
            (ASSERTION_ID, {"expires": "2024-05-05T00:00:00Z"}, "dates"),
            (ASSERTION_ID, {"issuedOn": "2025-05-05T00:00:00Z"}, "dates"),
        ],
    )
    def test_each_thing_wrong_with_a_hosted_badge_has_its_check(
        self, address: str, changes: dict[str, object], code: str
    ) -> None:
        house = old_web()
        parsed = verify(house(address), fetch=house, now=NOW).document
        house.put(address, {**(parsed or {}), **changes})  # type: ignore[dict-item]
        assert found(judge(assertion(), house))[code] == "failed"

    @pytest.mark.parametrize(
        ("rules", "outcome"),
        [
            ({"startsWith": [f"{HOUSE}/old/assertions"]}, "passed"),
            ({"startsWith": f"{HOUSE}/old/"}, "passed"),
            ({"allowedOrigins": "riverside.example"}, "passed"),
            ({"startsWith": "https://riverside.example.evil.example/"}, "failed"),
        ],
    )
    def test_the_issuer_says_where_its_badges_stand(
        self, rules: dict[str, object], outcome: str
    ) -> None:
        house = old_web()
        profile = verify(house(f"{OLD}/issuer"), fetch=house, now=NOW).document or {}
        house.put(f"{OLD}/issuer", {**profile, "verification": rules})  # type: ignore[dict-item]
        assert found(judge(assertion(), house))["issuer"] == outcome

    @pytest.mark.parametrize(
        ("data", "code", "outcome"),
        [
            (signed_assertion(2), "signature", "failed"),
            (
                assertion(verification={"type": "SignedBadge"}),
                "signature",
                "failed",
            ),
            (assertion(verification={"type": "Oracle"}), "well_formed", "unknown"),
            (assertion(verification=5), "well_formed", "unknown"),
            ({**assertion(), "id": 5}, "well_formed", "failed"),
            ({k: v for k, v in assertion().items() if k != "badge"}, "well_formed", "failed"),
            (signed_assertion(issuedOn="soon"), "dates", "failed"),
            (signed_assertion(badge=5), "issuer", "failed"),
            (
                jws({"alg": "EdDSA"}, signed_payload(), OKPKey.import_key(KEY)),
                "signature",
                "failed",
            ),
            (signed_assertion(badge="https://elsewhere.example/b"), "issuer", "unknown"),
        ],
    )
    def test_each_thing_wrong_with_a_signed_badge_has_its_check(
        self, data: bytes | JsonObject, code: str, outcome: str
    ) -> None:
        assert found(judge(data, old_web()))[code] == outcome

    def test_a_signed_badge_may_leave_the_key_to_the_profile(self) -> None:
        house = old_web()
        bare = signed_assertion(verification={"type": "SignedBadge"})
        assert judge(bare, house).outcome is Outcome.VALID
        profile = verify(house(f"{OLD}/issuer"), fetch=house, now=NOW).document or {}
        without = {k: v for k, v in profile.items() if k not in ("publicKey", "revocationList")}
        house.put(f"{OLD}/issuer", without)
        assert "does not say which key" in text(judge(bare, house), "issuer")
        house.put(f"{OLD}/issuer", {**without, "publicKey": [f"{OLD}/keys/1"]})
        assert found(judge(bare, house))["status"] == "noted"

    def test_a_list_of_revoked_badges_that_is_away_cannot_be_told(self) -> None:
        house = old_web()
        del house.documents[f"{OLD}/revoked"]
        assert judge(assertion(), house).outcome is Outcome.CANNOT_TELL

    def test_a_key_that_its_owner_does_not_list_does_not_count(self) -> None:
        house = old_web()
        verification = {"type": "SignedBadge", "creator": f"{OLD}/keys/2"}
        key = verify(house(f"{OLD}/keys/1"), fetch=house, now=NOW).document or {}
        house.put(f"{OLD}/keys/2", {**key, "id": f"{OLD}/keys/2"})
        verdict = judge(signed_assertion(verification=verification), house)
        assert "not a key of the issuer" in text(verdict, "issuer")

    def test_a_badge_that_its_issuer_took_away_was_revoked(self) -> None:
        def fetch(url: str, /) -> bytes:
            raise CannotFetch("%(url)s answered with %(status)s.", url=url, status="410")

        verdict = verify(dump_json(assertion()), fetch=fetch, now=NOW)
        assert verdict.outcome is Outcome.NOT_VALID
        assert found(verdict)["status.revocation"] == "failed"
