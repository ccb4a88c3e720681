"""Names, passwords and roles that an account can have; words in a language."""

import pytest

from storage.errors import Conflict, Forbidden, InvalidInput
from storage.ids import AccountId, new_id
from storage.vocabulary import Role
from workflows import words
from workflows.people.passwords import hash_password, needs_rehash, password_matches
from workflows.people.rules import (
    LONGEST_NAME,
    LONGEST_PASSWORD,
    good_password,
    grantable,
    one_is_left,
    read_name,
    someone_else,
)

EMAIL = "imani.okafor@people.example"


def refused(password: str) -> str:
    with pytest.raises(InvalidInput) as error:
        good_password(password, EMAIL)
    (problem,) = error.value.problems
    assert problem.field == "password"
    return str(problem)


def test_a_long_password_is_taken_whatever_its_letters() -> None:
    good_password("seven quiet lathes", EMAIL)
    good_password("ㄅㄆㄇㄈㄉㄊㄋㄌㄍㄎㄏㄐ", EMAIL)


def test_a_password_that_would_be_guessed_is_told_what_would_do() -> None:
    assert "at least 12 characters" in refused("short")
    assert "at most 200" in refused("long " * LONGEST_PASSWORD)
    assert "more different" in refused("abababababab")
    assert "own address" in refused(EMAIL)
    assert "own address" in refused("Imani.Okafor2026!")


def test_a_name_is_kept_with_single_spaces() -> None:
    assert read_name("  Imani \t Okafor ") == "Imani Okafor"


@pytest.mark.parametrize("name", ["", "   ", "x" * (LONGEST_NAME + 1), "\ue000"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        read_name(name)


def test_roles_without_an_account_are_not_granted() -> None:
    grantable([Role.LEARNER, Role.AUDITOR])
    for role in (Role.SUPERVISOR, Role.EMPLOYER, Role.VERIFIER, Role.SYSTEM):
        with pytest.raises(InvalidInput):
            grantable([Role.LEARNER, role])


def test_an_administrator_remains() -> None:
    one, other = AccountId(new_id()), AccountId(new_id())
    one_is_left({one, other}, other)
    one_is_left({one}, other)
    with pytest.raises(Conflict):
        one_is_left({one}, one)


def test_nobody_acts_on_their_own_access() -> None:
    one = AccountId(new_id())
    someone_else(AccountId(new_id()), one)
    with pytest.raises(Forbidden):
        someone_else(one, one)


def test_the_right_password_matches_and_no_other() -> None:
    kept = hash_password("seven quiet lathes")
    assert "lathes" not in kept
    assert kept.startswith("$argon2id$")
    assert password_matches(kept, "seven quiet lathes")
    assert not password_matches(kept, "seven quiet lathe")
    assert not password_matches("not a hash", "seven quiet lathes")
    assert not password_matches(None, "the password of nobody at all")


def test_the_same_letters_typed_differently_are_the_same_password() -> None:
    assert password_matches(hash_password("caf\u00e9 caf\u00e9 caf"), "cafe\u0301 cafe\u0301 caf")


def test_a_hash_of_weaker_days_is_made_anew() -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("seven quiet lathes")
    assert needs_rehash(weak)
    assert not needs_rehash(hash_password("seven quiet lathes"))


def test_messages_are_filled_and_stay_english_without_a_translation() -> None:
    say = words.words("tlh")
    assert say("Hello %(name)s,", name="Ana") == "Hello Ana,"
    assert say("100 % done") == "100 % done"
    assert words.words("../../etc")("Hello") == "Hello"


def test_english_is_always_there() -> None:
    assert words.known_locales()[0] == "en"


def test_documents_speak_languages_in_which_no_page_is_offered() -> None:
    assert words.words("fr-CA")("Awarded to") == "Décerné à"
    assert words.words("fr")("Sign in") == "Sign in"
    assert "fr" not in words.known_locales()
    assert words.words("pt")("Awarded to") == "Awarded to"


def test_a_catalogue_is_read_as_the_translators_left_it(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("words")
    (folder / "fr" / "LC_MESSAGES").mkdir(parents=True)
    (folder / "fr" / "LC_MESSAGES" / "messages.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Hello %(name)s,"\nmsgstr "Bonjour %(name)s,"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(words, "CATALOGUES", folder)
    words.known_locales.cache_clear()
    words.catalogue.cache_clear()
    try:
        assert words.known_locales() == ("en", "fr")
        assert words.words("fr")("Hello %(name)s,", name="Zoé") == "Bonjour Zoé,"
        assert words.words("fr")("Not translated") == "Not translated"
    finally:
        words.known_locales.cache_clear()
        words.catalogue.cache_clear()
