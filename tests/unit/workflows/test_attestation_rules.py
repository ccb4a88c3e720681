"""What a supervisor's statement must hold, and what is said of who speaks."""

from datetime import UTC, date, datetime, timedelta

import pytest

from storage.errors import Conflict, InvalidInput
from storage.ids import AttestationId, OutcomeCode, new_id
from storage.vocabulary import VoiceState
from tests.fixtures.world import DEFINITIONS
from workflows.attestations.document import (
    identity_of_kept,
    keep_statement,
    read_kept,
    statement_body,
    statement_page,
)
from workflows.attestations.mails import Around
from workflows.attestations.rules import (
    ANCHORS,
    NOT_OBSERVED,
    Flag,
    Identity,
    Observable,
    Statement,
    flags_of,
    identity_of,
    identity_words,
    kept_draft,
    observables,
    read_statement,
)
from workflows.frameworks.definition import read_definition
from workflows.voices import turned

TODAY = date(2026, 3, 2)
ASKED = (
    Observable(OutcomeCode("CNC1"), "Read a drawing.", "Plans a set-up from the drawing."),
    Observable(OutcomeCode("CNC2"), "Prove out a program.", "Proves out a new program alone."),
)
WHOLE = {
    "relation": "supervisor",
    "role": "Shift lead",
    "organisation": "Northern Machining",
    "since": "2019-04",
    "until": "2025-11",
    "frequency": "daily",
    "rating-CNC1": "4",
    "rating-CNC2": "3",
    "example_high": "She planned the whole flange job and saved an operation.",
    "example_low": "She proved the program alone, single block first, every time.",
    "public": "yes",
}
AROUND = Around("Ana Souza", "ana@people.example", "en", "Northbridge College", "CNC technician")


def problems(**changed: str) -> dict[str, str]:
    draft = {name: text for name, text in {**WHOLE, **changed}.items() if text}
    with pytest.raises(InvalidInput) as refused:
        read_statement(draft, ASKED, TODAY)
    return {problem.field: str(problem) for problem in refused.value.problems}


def statement(**changed: str) -> Statement:
    draft = {name: text for name, text in {**WHOLE, **changed}.items() if text}
    return read_statement(draft, ASKED, TODAY)


def test_a_whole_form_is_a_statement() -> None:
    given = statement()
    assert [(rating.code, rating.level) for rating in given.ratings] == [("CNC1", 4), ("CNC2", 3)]
    assert (given.since, given.until, given.public) == ("2019-04", "2025-11", True)


def test_not_observed_is_no_level_and_its_outcome_is_not_among_the_observed() -> None:
    given = statement(**{"rating-CNC2": NOT_OBSERVED})
    assert given.ratings[1].level is None
    assert given.observed == ("CNC1",)


def test_an_empty_form_is_told_every_field_that_is_missing() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_statement({}, ASKED, TODAY)
    fields = {problem.field for problem in refused.value.problems}
    assert fields == {
        *("relation", "role", "organisation", "frequency", "since"),
        *("rating-CNC1", "rating-CNC2", "example_high", "example_low"),
    }


def test_a_level_that_is_not_on_the_scale_is_refused() -> None:
    assert problems(**{"rating-CNC1": "5"}) == {
        "rating-CNC1": "Rate CNC1, or say that you did not observe it."
    }


def test_who_observed_nothing_is_asked_to_decline() -> None:
    nothing = {"rating-CNC1": NOT_OBSERVED, "rating-CNC2": NOT_OBSERVED}
    assert "decline" in problems(**nothing)[""]


def test_one_example_is_enough_when_all_ratings_are_the_same() -> None:
    given = statement(**{"rating-CNC1": "3", "example_low": ""})
    assert given.example_low == ""


@pytest.mark.parametrize("field", ["example_high", "example_low"])
def test_an_example_of_two_words_or_of_a_novel_is_refused(field: str) -> None:
    assert list(problems(**{field: "very good"})) == [field]
    assert list(problems(**{field: "x" * 1201})) == [field]


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        ("", "", "since"),
        ("yesterday", "", "since"),
        ("2026-04", "", "since"),
        ("2020-13", "", "since"),
        ("1939-01", "", "since"),
        ("2020-01", "2019-12", "until"),
        ("2020-01", "2026-04", "until"),
        ("2020-01", "soon", "until"),
    ],
)
def test_a_period_that_cannot_be_is_refused(since: str, until: str, field: str) -> None:
    assert list(problems(since=since, until=until)) == [field]


def test_a_period_may_still_go_on_and_a_day_is_taken_for_its_month() -> None:
    given = statement(until="", since="2019-04-17")
    assert (given.since, given.until) == ("2019-04", None)


def test_a_draft_keeps_known_fields_only_and_bounds_their_length() -> None:
    kept = kept_draft({"role": " Lead ", "admin": "yes", "example_high": "y" * 9000}, ASKED)
    assert kept == {"role": "Lead", "example_high": "y" * 2400}


def test_the_question_follows_the_definition_and_falls_back_to_the_outcome_itself() -> None:
    body = read_definition(DEFINITIONS[0])
    bare = body.model_copy(
        update={
            "outcomes": tuple(
                outcome.model_copy(update={"attestation_item": ""}) for outcome in body.outcomes
            )
        }
    )
    codes = [outcome.code for outcome in body.outcomes]
    asked = observables(body, list(reversed(codes)))
    assert [one.code for one in asked] == codes
    assert asked[0].act == body.outcomes[0].attestation_item
    assert observables(bare, codes[:1])[0].act == body.outcomes[0].statement


def test_identity_is_told_as_facts_the_strongest_first() -> None:
    checked = identity_words(identity_of("jo@northern.example", "Northern Machining"))
    assert [str(told) for told in checked] == [
        "The address belongs to Northern Machining, an organisation that staff have checked.",
        "Confirmed with a code sent to an address at northern.example.",
    ]
    unknown = identity_words(identity_of("jo@northern.example", ""))
    assert str(unknown[-1]) == "Who stands behind that domain was not checked."
    free = identity_words(identity_of("jo@gmail.com", ""))
    assert "names no workplace" in str(free[-1])
    assert identity_words(Identity(False, "x.example", free_mail=True))[0].field == "free_mail"


def test_flags_are_raised_for_staff_and_only_when_there_is_something() -> None:
    quick = flags_of(
        "ana.souza@gmail.com",
        "ana.souza@people.example",
        statement(**{"rating-CNC2": "4"}),
        timedelta(seconds=20),
    )
    assert set(quick) == set(Flag)
    calm = flags_of("jo@firm.example", "ana@people.example", statement(), timedelta(minutes=6))
    assert calm == ()


def test_a_single_top_rating_is_no_straight_line() -> None:
    given = statement(**{"rating-CNC2": NOT_OBSERVED, "example_low": ""})
    assert flags_of("jo@f.example", "ana@p.example", given, timedelta(minutes=6)) == ()


def kept_page(**changed: str) -> tuple[bytes, dict[str, object]]:
    kept = keep_statement(
        AttestationId(new_id()),
        1001,
        AROUND,
        statement(**changed),
        ASKED,
        typed_name="Jo <b>Berg</b>",
        identity=identity_of("jo@northern.example", ""),
        at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    )
    body = statement_body(kept)
    assert read_kept(body) == kept
    assert identity_of_kept(kept).domain == "northern.example"
    return statement_page(read_kept(body)), body


def test_a_kept_statement_survives_its_way_through_json_and_makes_the_same_page() -> None:
    page, body = kept_page()
    assert page == statement_page(read_kept(body))
    assert body["format"] == "assay-attestation/1"


def test_the_page_needs_nothing_beside_it_and_shows_markup_as_text() -> None:
    page = kept_page(example_high="<script>alert(1)</script> and more words")[0].decode()
    assert "<script" not in page
    assert "&lt;b&gt;Berg" in page
    assert "src=" not in page
    assert "4 · Leads others" in page


def test_the_page_says_not_observed_and_still_going_on() -> None:
    page = kept_page(**{"rating-CNC2": NOT_OBSERVED, "until": "", "example_low": ""})[0].decode()
    assert "Not observed" in page
    assert "2019-04 to today" in page
    assert "An example of the lowest" not in page


@pytest.mark.parametrize(
    ("state", "act", "target"),
    [
        (VoiceState.ASKED, "open", VoiceState.OPENED),
        (VoiceState.OPENED, "give", VoiceState.GIVEN),
        (VoiceState.OPENED, "decline", VoiceState.DECLINED),
        (VoiceState.ASKED, "expire", VoiceState.EXPIRED),
        (VoiceState.GIVEN, "withdraw", VoiceState.WITHDRAWN),
        (VoiceState.ASKED, "give", None),
        (VoiceState.DECLINED, "give", None),
        (VoiceState.GIVEN, "decline", None),
        (VoiceState.WITHDRAWN, "withdraw", None),
        (VoiceState.EXPIRED, "open", None),
    ],
)
def test_voices_turn_as_the_table_says(
    state: VoiceState, act: str, target: VoiceState | None
) -> None:
    if target is None:
        with pytest.raises(Conflict):
            turned(state, act)
    else:
        assert turned(state, act) is target


def test_the_anchors_are_four_steps_in_order() -> None:
    assert [anchor.value for anchor in ANCHORS] == [1, 2, 3, 4]
