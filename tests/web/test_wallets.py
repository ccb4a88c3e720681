"""Credentials into wallets: a wallet takes them in every form, and gets nothing that it should not.

The wallet signs by PyJWT; what it is given is checked by the reference implementation of SD-JWT.
"""

import base64
import hashlib
import json
import re
import zlib
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt
import pytest
from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier  # type: ignore[import-untyped]
from sqlmodel import select

from app.web.access import parts
from credentials.verify import Outcome, verify
from storage.clock import SetClock
from storage.errors import Unavailable
from storage.events import SYSTEM
from storage.tables import Credential, Event, WalletKey, WalletOffer, WalletTaking
from storage.vocabulary import Role
from tests.fixtures.issued import ISSUER, Issued, nothing, run_corrections
from tests.fixtures.recall import Recall
from tests.fixtures.wallet import HolderKey, Wallet, shown_offer
from tests.fixtures.web import Browser
from tests.fixtures.world import SITE, World
from workflows.issuance.commands import change_credential
from workflows.issuance.correcting import Correction, correct_credential
from workflows.issuance.keys import Issuer, open_token_key, reseal_keys
from workflows.issuance.published import local_fetcher
from workflows.issuance.rules import Reason
from workflows.people.commands import disable_person, enable_person
from workflows.wallets.keys import ensure_wallet_key, rotate_wallet_key

NO_CLOCK: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
BY_VALUE = re.compile(r'<code id="by-value">openid-credential-offer://\?credential_offer=([^<]+)<')


@pytest.fixture
def issued(recall: Recall) -> Issued:
    return recall(Issued)


@pytest.fixture
def ana(browser: Browser, issued: Issued) -> Browser:
    browser.sign_in(issued.learner)
    return browser


class Holder:
    """The holder at the page, and their wallet."""

    def __init__(self, issued: Issued, browser: Browser, clock: SetClock) -> None:
        self.issued, self.browser, self.clock = issued, browser, clock
        self.path = f"/credentials/{issued.credential_id}/wallet"

    def offer(self, form: str = "sd_jwt", asks_code: bool = False) -> None:
        data = {"form": form, "asks_code": "yes" if asks_code else ""}
        assert self.browser.post(self.path, data).status_code == 303

    def page(self) -> str:
        return self.browser.get(self.path).text

    def link(self) -> str:
        return shown_offer(self.page())[0]

    def digits(self) -> str:
        return shown_offer(self.page())[1]

    def wallet(self) -> Wallet:
        return Wallet(self.browser.app.test_client(), self.clock)

    def scanned(self, form: str = "sd_jwt") -> Wallet:
        self.offer(form)
        wallet = self.wallet()
        assert wallet.scan(self.link()).status_code == 200
        return wallet

    def let_in(self, form: str = "sd_jwt") -> Wallet:
        wallet = self.scanned(form)
        assert wallet.redeem().status_code == 200
        return wallet


@pytest.fixture
def holder(issued: Issued, ana: Browser, clock: SetClock) -> Holder:
    return Holder(issued, ana, clock)


def payload_of(token: str) -> dict[str, Any]:
    """What a JWT says, unchecked."""
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def issuer_keys(wallet: Wallet, iss: str) -> list[dict[str, Any]]:
    """The issuer's keys, found as SD-JWT VC says."""
    answer = wallet.client.get(f"/.well-known/jwt-vc-issuer{urlsplit(iss).path}").get_json()
    assert answer["issuer"] == iss
    found: list[dict[str, Any]] = answer["jwks"]["keys"]
    return found


def read_sd_jwt(wallet: Wallet, sd_jwt: str, binding: bool = False) -> dict[str, Any]:
    """What the reference implementation of SD-JWT reads, with the key that the header names."""

    def key(iss: str, header: dict[str, Any]) -> JWK:
        assert header["typ"] == "dc+sd-jwt" and header["alg"] == "ES256"
        (named,) = [one for one in issuer_keys(wallet, iss) if one["kid"] == header["kid"]]
        assert "d" not in named
        return JWK(**named)

    asked = ("https://works.example", "n-0") if binding else (None, None)
    found: dict[str, Any] = SDJWTVerifier(sd_jwt, key, *asked).get_verified_payload()
    return found


def error_of(answer: Any) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return answer.status_code, answer.get_json()["error"]


def test_a_wallet_takes_an_sd_jwt_vc_that_the_reference_implementation_accepts(
    holder: Holder,
) -> None:
    wallet = holder.let_in()
    assert wallet.configuration["format"] == "dc+sd-jwt"
    answer = wallet.take(wallet.prove(wallet.nonce()))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    sd_jwt = answer.get_json()["credentials"][0]["credential"]
    says = read_sd_jwt(wallet, sd_jwt)
    document = holder.issued.document()
    assert says["cnf"] == {"jwk": wallet.key.jwk}
    assert says["iss"] == wallet.metadata["credential_issuer"]
    assert says["name"] == "Ana Souza"
    assert says["credential"] == document["id"]
    subject: Any = document["credentialSubject"]
    assert says["achievement"]["name"] == subject["achievement"]["name"]
    evidence: Any = document["evidence"]
    assert [one["digestMultibase"] for one in says["evidence"]] == [
        one["digestMultibase"] for one in evidence
    ]
    assert len(says["results"]) == len(subject["result"]) and len(says["outcomes"]) > 0
    assert {one["outcome"] for one in says["results"]} <= {one["code"] for one in says["outcomes"]}


def test_the_type_says_what_the_credential_holds(holder: Holder) -> None:
    wallet = holder.let_in()
    sd_jwt = wallet.take(wallet.prove(wallet.nonce())).get_json()["credentials"][0]["credential"]
    says = read_sd_jwt(wallet, sd_jwt)
    kind = wallet.client.get(urlsplit(says["vct"]).path).get_json()
    assert kind["vct"] == says["vct"] == wallet.configuration["vct"]
    assert kind["display"][0]["name"] == says["achievement"]["name"]
    hidden = {tuple(one["path"]) for one in kind["claims"] if one["sd"] == "always"}
    shown = payload_of(sd_jwt.split("~")[0])
    for path in (tuple(one["path"]) for one in kind["claims"]):
        found: Any = says
        for step in path:
            found = found[0] if step is None else found.get(step)
            if found is None:
                break
        assert found is not None or path == ("learning_period",), path
        if len(path) == 1:
            assert (path[0] in shown) == (path not in hidden), path
    for name in ("outcomes", "results", "evidence"):
        assert all(set(entry) == {"..."} for entry in shown[name]), name
    assert "Ana Souza" not in json.dumps(shown)


def test_what_is_hidden_stays_hidden_and_the_holder_proves_the_key(holder: Holder) -> None:
    wallet = holder.let_in()
    sd_jwt = wallet.take(wallet.prove(wallet.nonce())).get_json()["credentials"][0]["credential"]
    signed = sd_jwt.split("~")[0] + "~"
    hidden = read_sd_jwt(wallet, signed)
    assert "name" not in hidden and hidden["evidence"] == []
    assert hidden["achievement"]["name"]
    bound = signed + binding_of(signed, wallet.key, holder.clock)
    assert "name" not in read_sd_jwt(wallet, bound, binding=True)
    stolen = signed + binding_of(signed, HolderKey(), holder.clock)
    with pytest.raises(Exception, match=r"[Ii]nvalid|[Vv]erification"):
        read_sd_jwt(wallet, stolen, binding=True)


def binding_of(presented: str, key: HolderKey, clock: SetClock) -> str:
    """A key binding token over what is presented."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(presented.encode()).digest())
    body = {
        "iat": int(clock.now().timestamp()),
        "aud": "https://works.example",
        "nonce": "n-0",
        "sd_hash": digest.rstrip(b"=").decode(),
    }
    return jwt.encode(body, key.private, algorithm=key.alg, headers={"typ": "kb+jwt"})


def test_the_page_renews_its_state_and_is_loaded_anew_when_it_changes(holder: Holder) -> None:
    part = {"HX-Request": "true", "HX-Request-Type": "partial"}
    wallet = holder.scanned()
    holder.clock.advance(timedelta(seconds=63))
    shown = holder.browser.get(f"{holder.path}?seen=waiting", headers=part)
    assert shown.status_code == 200 and "<html" not in shown.text
    assert "8 minutes 57 seconds" in " ".join(shown.text.split())
    assert f'hx-get="{holder.path}?seen=waiting"' in shown.text
    assert wallet.redeem().status_code == 200
    moved = holder.browser.get(f"{holder.path}?seen=waiting", headers=part)
    assert moved.headers["HX-Refresh"] == "true"
    taking = holder.browser.get(f"{holder.path}?seen=taking", headers=part)
    assert "Your wallet is taking it" in taking.text
    assert f'action="{holder.path}/withdraw"' in holder.page()


def stated(world: World) -> Issued:
    """A case in which the first outcome was not met: what comes of it is a statement."""
    unmet = world.definition.outcomes[0]
    return Issued(world, {row.code: 1 for row in unmet.criteria})


def test_a_statement_is_a_type_of_its_own_and_names_what_was_recognised(
    recall: Recall, browser: Browser, clock: SetClock
) -> None:
    issued = recall(stated)
    browser.sign_in(issued.learner)
    holder = Holder(issued, browser, clock)
    wallet = holder.let_in()
    assert wallet.configuration_id.endswith(".statement.sd_jwt")
    taken = wallet.take(wallet.prove(wallet.nonce())).get_json()
    says = read_sd_jwt(wallet, taken["credentials"][0]["credential"])
    kind = wallet.client.get(urlsplit(says["vct"]).path).get_json()
    assert kind["vct"] == says["vct"] and kind["name"] == says["achievement"]["name"]
    assert kind["name"].startswith("Statement of recognition")
    unmet = issued.world.definition.outcomes[0].code
    assert says["outcomes"] and unmet not in {one["code"] for one in says["outcomes"]}
    assert unmet not in {one["outcome"] for one in says["results"]}


def test_the_verify_page_says_check_by_check_what_a_wallet_shows(holder: Holder) -> None:
    wallet = holder.let_in()
    sd_jwt = wallet.take(wallet.prove(wallet.nonce())).get_json()["credentials"][0]["credential"]
    bound = sd_jwt + binding_of(sd_jwt, wallet.key, holder.clock)
    page = holder.browser.post("/verify", {"source": bound}).text
    assert "This credential is valid" in page and "Ana Souza" in page
    assert "It was shown to https://works.example" in unescape(page)
    hidden = holder.browser.post("/verify", {"source": sd_jwt.split("~")[0] + "~"}).text
    assert "This credential is valid" in hidden and "Ana Souza</" not in answer_of(hidden)
    set_aside(holder.issued, "revoke_credential", Reason.ISSUED_IN_ERROR.value)
    page = holder.browser.post("/verify", {"source": bound}).text
    assert "This credential is not valid" in page and "It was revoked by its issuer." in page


def answer_of(page: str) -> str:
    """The part of the verify page that is about the credential."""
    return page[page.index("<main") :]


@pytest.mark.parametrize("form", ["open_badge", "token"])
def test_a_wallet_takes_the_open_badge_as_it_is(holder: Holder, form: str) -> None:
    wallet = holder.let_in(form)
    assert "proof_types_supported" not in wallet.configuration
    answer = wallet.take()
    assert answer.status_code == 200, answer.text
    (one,) = answer.get_json()["credentials"]
    issued = holder.issued
    if form == "open_badge":
        assert wallet.configuration["format"] == "ldp_vc"
        assert one["credential"] == issued.document()
        data = json.dumps(one["credential"]).encode()
    else:
        assert wallet.configuration["format"] == "jwt_vc_json"
        data = one["credential"].encode()
    fetch = local_fetcher(issued.db, SITE, nothing)
    assert verify(data, fetch=fetch, now=issued.db.clock.now()).outcome is Outcome.VALID


def test_the_offer_may_be_carried_by_value(holder: Holder) -> None:
    holder.offer()
    by_value = json.loads(unquote(unescape(BY_VALUE.findall(holder.page())[0])))
    wallet = holder.wallet()
    wallet.scan(holder.link())
    assert by_value == wallet.offer


def test_several_keys_get_a_credential_each_and_too_many_get_none(holder: Holder) -> None:
    wallet = holder.let_in()
    nonce = wallet.nonce()
    keys = [HolderKey(), HolderKey("EdDSA"), HolderKey()]
    answer = wallet.take(
        wallet.prove(nonce, key=keys[0]),
        wallet.prove(nonce, key=keys[1], header=named(keys[1].did_key)),
        wallet.prove(nonce, key=keys[2], header=named(keys[2].did_jwk)),
    )
    assert answer.status_code == 200, answer.text
    bound = [
        read_sd_jwt(wallet, one["credential"])["cnf"]["jwk"]
        for one in answer.get_json()["credentials"]
    ]
    assert bound == [key.jwk for key in keys]
    nonce, most = wallet.nonce(), wallet.metadata["batch_credential_issuance"]["batch_size"]
    many = [wallet.prove(nonce, key=HolderKey("EdDSA")) for _ in range(most + 1)]
    assert error_of(wallet.take(*many)) == (400, "invalid_proof")
    assert error_of(wallet.take(*[wallet.prove(nonce)] * 2)) == (400, "invalid_proof")


def named(kid: str) -> dict[str, str]:
    """The header of a proof whose key has a name."""
    return {"typ": "openid4vci-proof+jwt", "kid": kid}


def test_a_p256_did_key_is_read(holder: Holder) -> None:
    wallet = holder.let_in()
    answer = wallet.take(wallet.prove(wallet.nonce(), header=named(wallet.key.did_key)))
    says = read_sd_jwt(wallet, answer.get_json()["credentials"][0]["credential"])
    assert says["cnf"] == {"jwk": wallet.key.jwk}


def spoilt(wallet: Wallet, nonce: str) -> dict[str, str]:
    """Proofs of which each has one thing wrong."""
    now = int(wallet.clock.now().timestamp())
    good = wallet.prove(nonce)
    head, body, _signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"typ":"openid4vci-proof+jwt","alg":"none"}').decode()
    private = wallet.key.jwk | {"d": "AQ"}
    other = HolderKey()
    return {
        "another audience": wallet.prove(nonce, aud="https://elsewhere.example"),
        "alg none": f"{none.rstrip('=')}.{body}.",
        "another type": wallet.prove(nonce, header={"typ": "JWT", "jwk": wallet.key.jwk}),
        "another's key": wallet.prove(
            nonce, header={"typ": "openid4vci-proof+jwt", "jwk": other.jwk}
        ),
        "a private key": wallet.prove(
            nonce, header={"typ": "openid4vci-proof+jwt", "jwk": private}
        ),
        "two keys": wallet.prove(nonce, header=named(wallet.key.did_key) | {"jwk": wallet.key.jwk}),
        "no key": wallet.prove(nonce, header={"typ": "openid4vci-proof+jwt"}),
        "a key elsewhere": wallet.prove(nonce, header=named("did:web:works.example#1")),
        "another key of the did": wallet.prove(
            nonce, header=named(wallet.key.did_key.split("#")[0] + "#other")
        ),
        "too old": wallet.prove(nonce, iat=now - 3600),
        "from the future": wallet.prove(nonce, iat=now + 3600),
        "without a nonce": wallet.prove(nonce).replace(body, unsaid(body, "nonce")),
        "a changed signature": f"{head}.{body}.{'A' * 86}",
        "no token": "x",
    }


def unsaid(body: str, name: str) -> str:
    """A token's body without one of its claims."""
    said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    del said[name]
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def test_a_proof_with_anything_wrong_gets_nothing_and_spends_no_nonce(holder: Holder) -> None:
    wallet = holder.let_in()
    nonce = wallet.nonce()
    for what, proof in spoilt(wallet, nonce).items():
        assert error_of(wallet.take(proof)) == (400, "invalid_proof"), what
    assert error_of(wallet.take()) == (400, "invalid_proof")
    assert wallet.take(wallet.prove(nonce)).status_code == 200


def test_a_nonce_counts_once_and_for_minutes_only(holder: Holder) -> None:
    wallet = holder.let_in()
    nonce, late = wallet.nonce(), wallet.nonce()
    assert wallet.take(wallet.prove(nonce)).status_code == 200
    assert error_of(wallet.take(wallet.prove(nonce))) == (400, "invalid_nonce")
    for made_up in ("x", "A" * 54, late[:-2] + "AA", late.swapcase()):
        assert error_of(wallet.take(wallet.prove(made_up))) == (400, "invalid_nonce"), made_up
    holder.clock.advance(timedelta(minutes=6))
    assert error_of(wallet.take(wallet.prove(late))) == (400, "invalid_nonce")
    assert wallet.take(wallet.prove(wallet.nonce())).status_code == 200


def test_the_transaction_code_is_asked_for_and_a_few_wrong_ones_lock_the_offer(
    holder: Holder,
) -> None:
    holder.offer(asks_code=True)
    wallet, digits = holder.wallet(), holder.digits()
    wallet.scan(holder.link())
    (grant,) = wallet.offer["grants"].values()
    assert grant["tx_code"]["length"] == len(digits) == 6
    assert digits not in holder.link() and digits not in json.dumps(wallet.offer)
    assert error_of(wallet.redeem()) == (400, "invalid_request")
    wrong = f"{(int(digits) + 1) % 10**6:06d}"
    for _ in range(4):
        assert error_of(wallet.redeem(wrong)) == (400, "invalid_grant")
    assert wallet.redeem(digits).status_code == 200
    holder.offer(asks_code=True)
    other, digits = holder.wallet(), holder.digits()
    other.scan(holder.link())
    for _ in range(5):
        assert error_of(other.redeem("wrong")) == (400, "invalid_grant")
    assert error_of(other.redeem(digits)) == (400, "invalid_grant")
    assert "The offer is locked" in holder.page()


def test_a_code_that_nobody_asked_for_is_refused(holder: Holder) -> None:
    wallet = holder.scanned()
    assert error_of(wallet.redeem("123456")) == (400, "invalid_request")
    assert error_of(wallet.redeem(grant_type="authorization_code")) == (
        400,
        "unsupported_grant_type",
    )
    assert error_of(wallet.redeem(**{"pre-authorized_code": "made up"})) == (400, "invalid_grant")
    assert wallet.redeem().status_code == 200


def test_what_cannot_be_read_at_all_is_refused_as_the_protocol_does(holder: Holder) -> None:
    wallet = holder.scanned()
    assert error_of(wallet.redeem("12\0")) == (400, "invalid_request")
    many = {f"field{number}": "x" for number in range(3000)}
    assert error_of(wallet.redeem(**many)) == (413, "invalid_request")
    wrong = holder.let_in()
    told = wrong.take(
        wrong.prove(wrong.nonce(), header=named("did:web:works.example#1"))
    ).get_json()
    assert told["error_description"].endswith(".") and ".." not in told["error_description"]


def test_a_code_is_good_once_and_the_second_who_brings_it_ends_it(holder: Holder) -> None:
    wallet = holder.let_in()
    thief = holder.wallet()
    thief.offer, thief.metadata = wallet.offer, wallet.metadata
    assert error_of(thief.redeem()) == (400, "invalid_grant")
    assert error_of(wallet.take(wallet.prove(wallet.nonce()))) == (401, "invalid_token")


def test_an_offer_runs_out_and_can_be_taken_back(holder: Holder) -> None:
    wallet = holder.scanned()
    link = holder.link()
    holder.clock.advance(timedelta(minutes=11))
    assert error_of(wallet.redeem()) == (400, "invalid_grant")
    assert wallet.scan(link).status_code == 404
    assert "The offer has run out" in holder.page()
    wallet = holder.let_in()
    assert holder.browser.post(f"{holder.path}/withdraw").status_code == 303
    assert error_of(wallet.take(wallet.prove(wallet.nonce()))) == (401, "invalid_token")
    first = holder.scanned()
    holder.scanned()
    assert error_of(first.redeem()) == (400, "invalid_grant")


def test_an_access_token_opens_what_was_offered_and_nothing_else(holder: Holder) -> None:
    wallet = holder.let_in()
    good = {"jwt": [wallet.prove(wallet.nonce())]}
    own, unknown = wallet.configuration_id, "unknown_credential_configuration"
    other = own.replace("sd_jwt", "open_badge")
    for body, code in (
        (
            {"credential_configuration_id": other, "proofs": good},
            unknown,
        ),
        ({"credential_configuration_id": "x", "proofs": good}, unknown),
        ({"credential_identifier": own, "proofs": good}, "unknown_credential_identifier"),
        ({"proofs": good}, "invalid_credential_request"),
        ({"credential_configuration_id": own, "proofs": {"di_vp": [{}]}}, "invalid_proof"),
        (
            {
                "credential_configuration_id": own,
                "proofs": good,
                "credential_response_encryption": {},
            },
            "invalid_encryption_parameters",
        ),
    ):
        assert error_of(wallet.ask(body)) == (400, code)
    for made_up in ("", "x", wallet.access + "x"):
        answer = wallet.ask({"credential_configuration_id": own, "proofs": good}, made_up)
        assert error_of(answer) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert wallet.ask({"credential_configuration_id": own, "proofs": good}).status_code == 200
    for _ in range(2):
        assert wallet.take(wallet.prove(wallet.nonce())).status_code == 200
    again = wallet.take(wallet.prove(wallet.nonce()))
    assert error_of(again) == (400, "credential_request_denied")


def set_aside(issued: Issued, act: str, reason: str = "") -> None:
    """What the registrar does to the credential."""
    change_credential(
        issued.db, SITE, issued.registrar, issued.credential_id, act=act, reason=reason
    )


def status_of(wallet: Wallet, says: dict[str, Any]) -> int:
    """What the Token Status List says, read by its draft with PyJWT and zlib."""
    place = says["status"]["status_list"]
    answer = wallet.client.get(urlsplit(place["uri"]).path)
    assert answer.mimetype == "application/statuslist+jwt"
    header = jwt.get_unverified_header(answer.text)
    assert header["typ"] == "statuslist+jwt"
    (key,) = [one for one in issuer_keys(wallet, says["iss"]) if one["kid"] == header["kid"]]
    told: dict[str, Any] = jwt.decode(
        answer.text, jwt.PyJWK(key), algorithms=["ES256"], options=NO_CLOCK
    )
    assert told["sub"] == place["uri"] and told["status_list"]["bits"] == 2
    assert told["exp"] > told["iat"] == int(wallet.clock.now().timestamp()) and told["ttl"] > 0
    packed = told["status_list"]["lst"]
    statuses = zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    assert len(statuses) * 4 >= 131_072
    return statuses[place["idx"] // 4] >> (place["idx"] % 4 * 2) & 3


def test_a_credential_out_of_force_goes_into_no_wallet_and_its_status_says_so(
    holder: Holder,
) -> None:
    wallet = holder.let_in()
    taken = wallet.take(wallet.prove(wallet.nonce())).get_json()["credentials"][0]["credential"]
    says = read_sd_jwt(wallet, taken)
    assert status_of(wallet, says) == 0
    waiting, ready = holder.scanned(), holder.let_in()
    assert ready.access
    set_aside(holder.issued, "suspend_credential", Reason.REVIEW.value)
    assert status_of(wallet, says) == 2
    assert error_of(waiting.redeem()) == (400, "invalid_grant")
    late = ready.take(ready.prove(ready.nonce()))
    assert error_of(late) == (400, "credential_request_denied")
    refused = holder.browser.post(holder.path, {"form": "sd_jwt"})
    assert refused.status_code == 409
    set_aside(holder.issued, "unsuspend_credential")
    assert status_of(wallet, says) == 0
    assert ready.take(ready.prove(ready.nonce())).status_code == 200
    set_aside(holder.issued, "revoke_credential", Reason.ISSUED_IN_ERROR.value)
    assert status_of(wallet, says) == 1
    assert error_of(wallet.take(wallet.prove(wallet.nonce())))[1] == "credential_request_denied"
    assert "It cannot go into a wallet now" in holder.page()


def test_the_page_of_one_that_was_corrected_leads_to_the_one_that_counts(holder: Holder) -> None:
    ready, issued = holder.let_in(), holder.issued
    other = correct_credential(
        issued.db,
        ISSUER,
        issued.registrar,
        issued.credential_id,
        Correction("Ana Lima", "Married."),
    )
    run_corrections(issued.world)
    late = ready.take(ready.prove(ready.nonce()))
    assert error_of(late) == (400, "credential_request_denied")
    assert f'href="/credentials/{other}/wallet"' in holder.page()


def test_nothing_is_offered_once_the_time_is_over(holder: Holder) -> None:
    assert "Make the offer" in holder.page()
    with holder.issued.db.transaction() as tx:
        row = tx.session.get_one(Credential, holder.issued.credential_id)
        holder.clock.advance(row.valid_until - tx.now if row.valid_until else timedelta(0))
    holder.browser.sign_in(holder.issued.learner)
    page = holder.page()
    assert "Make the offer" not in page and "It cannot go into a wallet now" in page


def test_nothing_is_taken_while_the_holders_account_is_disabled(holder: Holder) -> None:
    ready, db = holder.let_in(), holder.issued.db
    admin = holder.issued.world.person(Role.ADMINISTRATOR)
    account_id = holder.issued.learner.account_id
    assert account_id is not None
    disable_person(db, admin, account_id)
    refused = ready.take(ready.prove(ready.nonce()))
    assert error_of(refused) == (400, "credential_request_denied")
    enable_person(db, admin, account_id)
    holder.browser.sign_in(holder.issued.learner)
    waiting = holder.scanned()
    disable_person(db, admin, account_id)
    assert error_of(waiting.redeem()) == (400, "invalid_grant")


def test_a_new_key_leaves_what_the_old_one_signed_checkable(holder: Holder) -> None:
    wallet = holder.let_in()
    old = wallet.take(wallet.prove(wallet.nonce())).get_json()["credentials"][0]["credential"]
    with holder.browser.app.app_context():
        issuer = parts().issuer
    institution_id = holder.issued.world.institution_id
    assert rotate_wallet_key(holder.issued.db, issuer, SYSTEM, institution_id, why="a drill")
    new = wallet.take(wallet.prove(wallet.nonce())).get_json()["credentials"][0]["credential"]
    assert jwt.get_unverified_header(old.split("~")[0]) != jwt.get_unverified_header(
        new.split("~")[0]
    )
    assert read_sd_jwt(wallet, old)["name"] == read_sd_jwt(wallet, new)["name"] == "Ana Souza"
    with holder.issued.db.reading() as tx:
        kept = tx.session.exec(select(WalletKey)).all()
        assert len(kept) == 2
        assert not any(open_token_key(one, issuer) in one.sealed_key for one in kept)


def test_wallet_keys_are_sealed_anew_under_another_secret(issued: Issued) -> None:
    key_id = ensure_wallet_key(issued.db, ISSUER, issued.world.institution_id)
    moved = Issuer(SITE, "another secret, long enough", earlier_secret=ISSUER.key_secret)
    with issued.db.reading() as tx:
        before = tx.session.get_one(WalletKey, key_id).sealed_key
    assert reseal_keys(issued.db, moved, SYSTEM) >= 2
    with issued.db.reading() as tx:
        kept = tx.session.get_one(WalletKey, key_id)
        assert kept.sealed_key != before
        assert open_token_key(kept, Issuer(SITE, moved.key_secret))
        with pytest.raises(Unavailable):
            open_token_key(kept, ISSUER)


def test_all_that_happens_is_in_the_history_and_no_secret_in_the_database(
    holder: Holder,
) -> None:
    wallet = holder.let_in()
    assert "Your wallet is taking it" in holder.page()
    taken = wallet.take(wallet.prove(wallet.nonce())).get_json()
    assert "Taken into a wallet" in holder.page()
    notification_id = taken["notification_id"]
    assert error_of(wallet.tell("x", "credential_accepted")) == (400, "invalid_notification_id")
    wrong = wallet.tell(notification_id, "credential_eaten")
    assert error_of(wrong) == (400, "invalid_notification_request")
    for _ in range(2):
        assert wallet.tell(notification_id, "credential_accepted").status_code == 204
    assert "Your wallet says that it keeps it." in holder.page()
    page = holder.browser.get(f"/credentials/{holder.issued.credential_id}").text
    assert "Your wallet says that it keeps it." in page
    with holder.issued.db.reading() as tx:
        kinds = [
            event.kind
            for event in tx.session.exec(
                select(Event).where(Event.subject_id == holder.issued.credential_id)
            ).all()
        ]
        kept = [str(row) for row in tx.session.exec(select(WalletOffer)).all()]
        kept += [str(row) for row in tx.session.exec(select(WalletTaking)).all()]
    assert kinds[-3:] == ["offer_to_wallet", "take_into_wallet", "wallet_news"]
    (grant,) = wallet.offer["grants"].values()
    for secret in (grant["pre-authorized_code"], wallet.access, notification_id):
        assert not any(secret in text for text in kept)
    anybody = holder.browser.app.test_client().get(f"/credentials/{holder.issued.credential_id}")
    assert "Taken into wallets" not in anybody.text and "Offer it to my wallet" not in anybody.text
