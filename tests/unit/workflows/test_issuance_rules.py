"""From facts to claims, and what may become of a credential: pure rules."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.claims import hashed_identity
from credentials.openbadges import build_credential
from storage.errors import Conflict, InvalidInput
from storage.ids import new_id
from storage.vocabulary import CredentialState, Disclosure, EvidenceKind
from tests.fixtures.facts import DEFINITION, SITE, facts, item, translated
from workflows.frameworks.definition import Definition
from workflows.issuance.achievements import STATEMENT
from workflows.issuance.claims import (
    KINDS,
    Span,
    claims_of,
    freeze,
    freeze_bare,
    frozen_body,
    frozen_text,
    printable,
    read_frozen,
)
from workflows.issuance.rules import Reason, acts_for, change, read_reason, shown

AT = datetime(2026, 1, 31, 9, 30, 15, 123456, tzinfo=UTC)


def test_only_what_was_recognised_is_told() -> None:
    first = DEFINITION.outcomes[0]
    claims = claims_of(facts(recognised=frozenset({first.code})))
    told = {result.criterion_id.rpartition("#")[2] for result in claims.results}
    assert told == {row.code for row in first.criteria}


def test_what_is_not_whole_is_a_statement_that_names_no_other_outcome() -> None:
    first, second = DEFINITION.outcomes[:2]
    made = facts(recognised=frozenset({first.code}))
    frozen = freeze(made, new_id())
    claims = frozen.credential_claims()
    assert not frozen.whole
    assert frozen.outcomes == (first.code,)
    assert claims.achievement.achievement_type == STATEMENT
    assert claims.achievement.id != SITE.achievement(made.definition_id)
    assert [one.id for one in claims.achievement.related] == [SITE.achievement(made.definition_id)]
    text = str(claims)
    assert first.statement in text
    assert second.statement not in text
    assert f"#{second.criteria[0].code}" not in text
    assert claims.credits_earned is None


def test_without_a_name_neither_document_nor_what_pages_show_has_it() -> None:
    made = facts()
    unnamed = replace(made, learner=replace(made.learner, named=False))
    frozen = freeze(unnamed, new_id())
    assert "Ana" not in str(frozen.claims)
    assert frozen.learner == "The holder"
    assert not frozen.named
    (name, _) = frozen.credential_claims().learner.identities
    assert name == hashed_identity("name", "Ana Souza", made.learner.salt)


def test_a_document_is_in_the_learners_language_where_the_definition_says_so() -> None:
    made = facts(translated())
    french = replace(made, learner=replace(made.learner, language="fr"))
    claims = claims_of(french)
    assert (claims.name, claims.achievement.language) == ("Technicienne CNC « réglages »", "fr")
    assert all(row.name.endswith("(fr)") for row in claims.achievement.criteria)
    assert claims_of(made).achievement.language == "en"
    never = translated().model_copy(update={"issue_in": "definition"})
    assert claims_of(replace(french, definition=never)).achievement.language == "en"


def test_marked_stretches_are_told_as_media_fragments() -> None:
    outcome = DEFINITION.outcomes[0].code
    spans = (
        Span(133_000, 220_000, outcome, "Datum A"),
        Span(300_500, None, None, "Touching off"),
        Span(400_000, 500_000, DEFINITION.outcomes[1].code, "What was not recognised"),
    )
    claims = claims_of(facts(items=[item(spans=spans)], recognised=frozenset({outcome})))
    (evidence,) = claims.evidence
    assert f"2:13–3:40 shows {outcome}: Datum A ({evidence.id}#t=133,220)" in str(
        evidence.narrative
    )
    assert f"5:00.5 Touching off ({evidence.id}#t=300.5)" in str(evidence.narrative)
    assert "not recognised" not in str(evidence.narrative)


def test_the_days_of_the_work_are_the_days_of_the_activity() -> None:
    early, late = date(2023, 5, 1), date(2024, 2, 1)
    claims = claims_of(facts(items=[item(work_to=late), item(work_from=early), item()]))
    assert claims.activity_start == datetime(2023, 5, 1, tzinfo=UTC)
    assert claims.activity_end == datetime(2024, 2, 1, tzinfo=UTC)


def test_a_criterion_that_was_not_assessed_has_no_result() -> None:
    rows = DEFINITION.criteria()
    levels = {row.code: row.threshold for row in rows[1:]}
    claims = claims_of(facts(levels=levels))
    assert len(claims.results) == len(rows) - 1


def test_times_are_told_to_the_second() -> None:
    claims = claims_of(facts(at=AT, decided_at=AT))
    assert claims.valid_from == claims.awarded_date == AT.replace(microsecond=0)


@pytest.mark.parametrize(
    ("months", "until"),
    [(None, None), (1, "2026-02-28"), (13, "2027-02-28"), (60, "2031-01-31"), (25, "2028-02-29")],
)
def test_validity_ends_on_the_same_day_or_the_last_of_the_month(
    months: int | None, until: str | None
) -> None:
    definition = DEFINITION.model_copy(update={"validity_months": months})
    found = claims_of(facts(definition, at=AT)).valid_until
    assert (found.date().isoformat() if found else None) == until


def test_an_items_days_are_told_as_one_or_as_a_span() -> None:
    def description(first: date | None, last: date | None) -> str:
        claims = claims_of(facts(items=[item(work_from=first, work_to=last)]))
        return claims.evidence[0].description or ""

    day, later = date(2026, 1, 2), date(2026, 1, 9)
    assert "Work of" not in description(None, None)
    assert description(day, None).endswith("Work of 2026-01-02.")
    assert description(day, day).endswith("Work of 2026-01-02.")
    assert description(day, later).endswith("Work of 2026-01-02 to 2026-01-09.")


def test_the_learners_address_is_told_as_a_salted_hash_only() -> None:
    text = str(claims_of(facts()))
    assert "ana@people.example" not in text
    assert "sha256$" in text


def test_the_elements_of_a_definition_stand_in_the_criteria() -> None:
    narrative = claims_of(facts()).achievement.criteria_narrative
    elements = DEFINITION.elements
    assert elements.quality_assurance in narrative
    assert f"{elements.workload_hours} hours" in narrative
    bare = Definition.model_validate(
        {**DEFINITION.model_dump(), "elements": {}, "noc": "", "esco_occupation": "", "level": ""}
    )
    claims = claims_of(facts(bare))
    assert "**" not in claims.achievement.criteria_narrative
    assert claims.achievement.tags == ()
    assert not any("eqf" in one.url for one in claims.achievement.alignments)


def test_an_alignment_that_several_outcomes_share_is_told_once() -> None:
    urls = [one.url for one in claims_of(facts()).achievement.alignments]
    assert len(urls) == len(set(urls))


def test_every_kind_of_evidence_has_a_name() -> None:
    assert set(KINDS) == set(EvidenceKind)


def test_what_is_frozen_comes_back_as_it_was_and_signs_as_a_document() -> None:
    frozen = freeze(facts(), new_id())
    again = read_frozen(frozen_body(frozen))
    assert again == frozen
    assert build_credential(again.credential_claims())["id"]


@given(st.text(max_size=200), st.text(min_size=1, max_size=80))
def test_whatever_a_learner_wrote_can_be_signed(own_part: str, title: str) -> None:
    claims = claims_of(facts(items=[item(own_part=own_part, title=f"T {title}")]))
    assert build_credential(claims)


def test_odd_characters_are_left_out_and_letters_are_not() -> None:
    assert printable("a\x00b\x7f\ufffe\ufdd0\U0001fffe c\td\ne") == "ab c\td\ne"
    assert printable(" Zażółć 日本 \U0001f600 ") == "Zażółć 日本 \U0001f600"


@pytest.mark.parametrize(
    ("state", "acts"),
    [
        (CredentialState.PENDING, ()),
        (CredentialState.SIGNED, ()),
        (CredentialState.PUBLISHED, ("suspend_credential", "revoke_credential")),
        (CredentialState.SUSPENDED, ("unsuspend_credential", "revoke_credential")),
        (CredentialState.REVOKED, ()),
    ],
)
def test_what_the_registrar_may_do_follows_the_state(
    state: CredentialState, acts: tuple[str, ...]
) -> None:
    assert acts_for(state) == acts
    for act in ("suspend_credential", "unsuspend_credential", "revoke_credential"):
        if act in acts:
            assert change(state, act).target is not state
        else:
            with pytest.raises(Conflict):
                change(state, act)


def test_a_reason_is_one_of_those_there_are_for_the_act() -> None:
    assert read_reason("suspend_credential", "review") is Reason.REVIEW
    for act, chosen in (
        ("suspend_credential", ""),
        ("suspend_credential", "issued_in_error"),
        ("revoke_credential", "She was rude."),
    ):
        with pytest.raises(InvalidInput):
            read_reason(act, chosen)
    assert read_reason("unsuspend_credential", "") is None


@pytest.mark.parametrize(
    ("chosen", "public", "world"),
    [
        (Disclosure.OPEN_LINK, None, Disclosure.OPEN_LINK),
        (Disclosure.OPEN_LINK, True, Disclosure.OPEN_LINK),
        (Disclosure.OPEN_LINK, False, Disclosure.ON_REQUEST),
        (Disclosure.DIGEST_ONLY, False, Disclosure.DIGEST_ONLY),
    ],
)
def test_a_witness_who_wants_nothing_public_is_not_opened_by_the_learner(
    chosen: Disclosure, public: bool | None, world: Disclosure
) -> None:
    assert shown(chosen.value, witness_says_public=public) is world


def test_what_is_frozen_as_text_is_what_is_frozen_as_values() -> None:
    made, key_id = facts(items=[item(own_part='Say "“ä\n', work_to=date(2024, 2, 1))]), new_id()
    text = frozen_text(freeze_bare(made, key_id), claims_of(made))
    assert json.loads(text) == frozen_body(freeze(made, key_id))
