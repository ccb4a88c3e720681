"""What a program must say of itself, and what of a learner's profile it can change."""

from dataclasses import replace

import pytest

from credentials.documents import JsonObject
from storage.clock import SystemClock
from storage.errors import InvalidInput
from storage.ids import new_id
from storage.tables import Account
from workflows.programs.profile import changed_name, profile_of
from workflows.programs.rules import (
    LONGEST_NAME,
    LONGEST_URL,
    MOST_URIS,
    ProgramScope,
    Registration,
    fit_to_register,
    read_scopes,
    same_challenge_form,
    write_scopes,
)

HOME = "https://wallet.example"
PAGES = ("client_uri", "logo_uri", "tos_uri", "policy_uri")
GOOD = Registration(
    name="Wallet",
    pages={name: f"{HOME}/{name}" for name in PAGES},
    redirect_uris=(f"{HOME}/back?from=assay",),
    software_id="wallet",
    software_version="1",
)


def wrong(asked: Registration, *, loopback: bool = False) -> set[str]:
    """The fields that speak against it."""
    try:
        fit_to_register(asked, loopback=loopback)
    except InvalidInput as error:
        return {one.field for one in error.problems}
    return set()


def test_a_program_that_says_everything_is_taken_and_may_ask_for_everything() -> None:
    assert wrong(GOOD) == set()
    assert GOOD.scopes() == tuple(ProgramScope)
    named = replace(GOOD, scope=ProgramScope.READ_PROFILE.value)
    assert named.scopes() == (ProgramScope.READ_PROFILE,)


@pytest.mark.parametrize(
    "address",
    [
        "http://wallet.example/back",
        "https:///back",
        "https://wallet.example/back#part",
        "https://name@wallet.example/back",
        "https://name:word@wallet.example/back",
        "https://wallet.example:port/back",
        "https://wallet.example/b ack",
        'https://wallet.example/"back',
        "https://wallet.example/b\u00e4ck",
        "https://wallet.example\\@evil.example/back",
        "https://[::1/back",
        "https://wallet.example;script-src/back",
        "https://wallet.example,other.example/back",
        "https://*.example/back",
        "wallet://back",
        "javascript:alert(1)",
        "//wallet.example/back",
        "",
        f"{HOME}/{'x' * LONGEST_URL}",
    ],
)
def test_an_address_that_may_lead_elsewhere_is_refused(address: str) -> None:
    assert wrong(replace(GOOD, redirect_uris=(address,))) == {"redirect_uris"}
    assert wrong(replace(GOOD, pages={**GOOD.pages, "tos_uri": address})) == {"tos_uri"}


def test_all_addresses_are_of_one_host() -> None:
    other = ("https://back.wallet.example/",)
    assert wrong(replace(GOOD, redirect_uris=(*GOOD.redirect_uris, *other))) == {"redirect_uris"}


def test_ones_own_machine_will_do_outside_production_only() -> None:
    for host in ("127.0.0.1:9000", "localhost:9000", "[::1]:9000"):
        here = replace(GOOD, redirect_uris=(f"http://{host}/back",))
        assert wrong(here, loopback=True) == set()
        assert wrong(here) == {"redirect_uris"}
    outside = replace(GOOD, redirect_uris=("http://127.0.0.1.evil.example/",))
    assert wrong(outside, loopback=True) == {"redirect_uris"}


def test_few_addresses_each_once() -> None:
    assert wrong(replace(GOOD, redirect_uris=())) == {"redirect_uris"}
    assert wrong(replace(GOOD, redirect_uris=GOOD.redirect_uris * 2)) == {"redirect_uris"}
    many = tuple(f"{HOME}/{number}" for number in range(MOST_URIS + 1))
    assert wrong(replace(GOOD, redirect_uris=many)) == {"redirect_uris"}
    assert wrong(replace(GOOD, redirect_uris=many[1:])) == set()


def test_a_name_is_short_and_seen() -> None:
    for name in ("", "  ", "x" * (LONGEST_NAME + 1), "Wal\x00let", "Wal\u202elet", "Wal\nlet"):
        assert wrong(replace(GOOD, name=name)) == {"client_name"}
    assert wrong(replace(GOOD, name="کیف\u200cپول")) == set()


def test_only_the_ways_that_there_are() -> None:
    assert wrong(replace(GOOD, grant_types=("refresh_token",))) == {"grant_types"}
    assert wrong(replace(GOOD, grant_types=("implicit",))) == {"grant_types"}
    assert wrong(replace(GOOD, response_types=())) == {"response_types"}
    assert wrong(replace(GOOD, auth_method="private_key_jwt")) == {"token_endpoint_auth_method"}
    assert wrong(replace(GOOD, auth_method="none")) == set()
    assert wrong(replace(GOOD, scope="openid")) == {"scope"}


def test_scopes_are_read_and_written_in_one_order() -> None:
    text = write_scopes([scope.value for scope in reversed(ProgramScope)])
    assert read_scopes(f"{text} unknown") == tuple(ProgramScope)


def test_a_challenge_is_32_bytes_in_base64url() -> None:
    assert same_challenge_form("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    for bad in ("", "x" * 42, "x" * 44, "x" * 42 + "=", "x" * 42 + "\n"):
        assert not same_challenge_form(bad)


class TestProfile:
    PRESENT: JsonObject = profile_of(
        Account(id=new_id(), email="ana@people.example", name="Ana", created_at=SystemClock().now())
    )

    def test_the_name_is_what_can_change(self) -> None:
        assert changed_name({**self.PRESENT, "name": "Eva"}, self.PRESENT) == "Eva"
        assert changed_name({"name": "Eva", "type": "Profile"}, self.PRESENT) == "Eva"

    @pytest.mark.parametrize("key", ["email", "id", "type", "phone", "url"])
    def test_and_nothing_else(self, key: str) -> None:
        with pytest.raises(InvalidInput) as error:
            changed_name({**self.PRESENT, key: "another"}, self.PRESENT)
        assert [one.field for one in error.value.problems] == [key]
