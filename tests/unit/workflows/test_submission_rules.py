"""When a case may be submitted, and what its manifest freezes."""

from datetime import UTC, datetime

import pytest

from storage.errors import InvalidInput, Problem
from storage.ids import CaseId, ItemId, OutcomeCode, Sha256, new_id
from storage.vocabulary import AiUse, CaseState, EvidenceKind, EvidenceState, PeopleShown
from workflows.canonical import canonical_json, content_hash
from workflows.cases.calendar import after_working_days
from workflows.cases.manifest import ManifestItem, Submission, manifest_body
from workflows.cases.next_step import CaseFacts, learner_step
from workflows.cases.policy import Policy, policy_body, read_policy
from workflows.cases.rules import Declaration, ItemFacts, rating_problems, ready_to_submit
from workflows.evidence.coverage import CoverageStatus, OutcomeCoverage, OutcomeRule

SIGNED = Declaration(agreed=True, signed_name="Ana Souza")
WITH_GAPS = Declaration(agreed=True, signed_name="Ana Souza", with_gaps=True)
AT = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
RULE = OutcomeRule(OutcomeCode("CNC1"), 2, 1, frozenset({EvidenceKind.VIDEO}))
THIN = OutcomeCoverage(
    OutcomeCode("CNC1"), CoverageStatus.THIN, (), 0, RULE, (Problem("CNC1", "Add one more."),)
)


def facts(
    state: EvidenceState = EvidenceState.SEALED,
    *,
    kind: EvidenceKind = EvidenceKind.VIDEO,
    own_part: str = "I set it up.",
    mapped: bool = True,
    people: PeopleShown = PeopleShown.NOBODY,
    ai: AiUse = AiUse.NONE,
) -> ItemFacts:
    return ItemFacts("Set-up", kind, state, own_part, mapped, people, ai)


def refused(items: list[ItemFacts], declaration: Declaration = SIGNED, on_gap: str = "warn") -> str:
    policy = Policy.model_validate({"on_gap": on_gap})
    with pytest.raises(InvalidInput) as caught:
        ready_to_submit(items, [THIN], policy, declaration)
    return str(caught.value)


def test_a_described_sealed_item_and_a_signature_are_enough_where_gaps_only_warn() -> None:
    assert ready_to_submit([facts()], [THIN], Policy(), WITH_GAPS) is None


def test_gaps_are_submitted_only_by_someone_who_says_so() -> None:
    assert "tick that you submit with these gaps" in refused([facts()])


def test_gaps_stand_in_the_way_where_the_policy_says_so() -> None:
    assert "Add one more." in refused([facts()], WITH_GAPS, on_gap="refuse")


def test_nothing_sealed_is_nothing_to_assess() -> None:
    assert "at least one piece of evidence" in refused([])
    assert "at least one piece of evidence" in refused([facts(EvidenceState.REJECTED)])


@pytest.mark.parametrize(
    "state", [EvidenceState.ANNOUNCED, EvidenceState.UPLOADING, EvidenceState.STORED]
)
def test_an_item_that_is_still_on_its_way_is_waited_for(state: EvidenceState) -> None:
    assert "“Set-up” is not checked yet" in refused([facts(), facts(state)])


def test_own_part_and_mapping_are_asked_for_by_the_items_name() -> None:
    assert "“Set-up” what you did yourself" in refused([facts(own_part="  ")])
    assert "“Set-up” which outcomes it shows" in refused([facts(mapped=False)])


def test_people_and_ai_are_asked_for_where_nothing_was_said() -> None:
    assert "other people can be seen or heard" in refused([facts(people=PeopleShown.NOT_SAID)])
    assert "whether AI tools had a part" in refused([facts(ai=AiUse.NOT_SAID)])
    paper = facts(kind=EvidenceKind.DOCUMENT, people=PeopleShown.NOT_SAID)
    assert ready_to_submit([paper], [], Policy(), SIGNED) is None


def test_an_item_that_waits_for_consent_does_not_stand_in_the_way() -> None:
    assert ready_to_submit([facts(people=PeopleShown.WAITING)], [], Policy(), SIGNED) is None


def test_an_attestation_needs_no_own_part() -> None:
    attestation = facts(kind=EvidenceKind.ATTESTATION, own_part="", mapped=False, ai=AiUse.NOT_SAID)
    assert ready_to_submit([facts(), attestation], [], Policy(), SIGNED) is None


def test_the_declaration_is_agreed_and_signed() -> None:
    said = refused([facts()], Declaration(agreed=False, signed_name=" "))
    assert "tick the box" in said and "full name" in said


def test_ratings_are_levels_of_known_outcomes() -> None:
    levels = {"CNC1": frozenset({1, 2, 3, 4})}
    assert rating_problems({"CNC1": 4}, levels) == ()
    assert [p.field for p in rating_problems({"CNC1": 5, "X": 1}, levels)] == ["CNC1", "X"]


def submission(title: str = "Set-up") -> Submission:
    item = ManifestItem(
        id=ItemId(new_id()),
        kind="video",
        title=title,
        file_name="a.mp4",
        media_type="video/mp4",
        size=3,
        sha256=Sha256("ab" * 32),
        own_part="All of it.",
        ai_use="",
        work_from="2026-01-02",
        work_to=None,
        expires_on=None,
        outcomes=(OutcomeCode("CNC1"),),
        disclosure="digest_only",
    )
    return Submission(
        case_id=CaseId(new_id()),
        number=1001,
        round=1,
        definition_hash="d" * 64,
        policy_hash="e" * 64,
        declaration_version="1",
        declaration="I did it.",
        signed_name="Ana Souza",
        signed_at=AT,
        self_ratings={OutcomeCode("CNC1"): 3},
        items=[item],
        coverage=[THIN],
    )


def test_a_manifest_holds_each_items_digest_and_the_words_of_the_gaps() -> None:
    body = manifest_body(submission())
    assert b'"sha256":"' + b"ab" * 32 + b'"' in canonical_json(body)
    assert b"Add one more." in canonical_json(body)


def test_a_manifests_digest_changes_with_any_word_of_it() -> None:
    one = submission()
    other = Submission(**{**one.__dict__, "signed_name": "Someone Else"})
    assert content_hash(manifest_body(one)) == content_hash(manifest_body(one))
    assert content_hash(manifest_body(one)) != content_hash(manifest_body(other))


def test_a_policy_survives_being_kept() -> None:
    policy = Policy(on_gap="refuse", screening_days=5)
    assert read_policy(policy_body(policy)) == policy


def test_deadlines_skip_weekends_and_holidays() -> None:
    friday = AT
    assert after_working_days(friday, 1).date().isoformat() == "2026-11-23"
    assert after_working_days(friday, 3).date().isoformat() == "2026-11-25"
    holiday = {after_working_days(friday, 1).date()}
    assert after_working_days(friday, 1, holiday).date().isoformat() == "2026-11-24"
    assert after_working_days(friday, 0) == friday


@pytest.mark.parametrize(
    ("state", "rated", "items", "covered", "credential", "step"),
    [
        ("draft", False, [], False, None, "rate_yourself"),
        ("draft", True, [], False, None, "add_evidence"),
        ("returned", True, [facts(EvidenceState.REJECTED)], False, None, "add_evidence"),
        ("draft", True, [facts(EvidenceState.STORED)], False, None, "wait_for_seal"),
        ("draft", True, [facts(own_part="")], False, None, "describe_evidence"),
        ("draft", True, [facts(mapped=False)], True, None, "describe_evidence"),
        ("draft", True, [facts(ai=AiUse.NOT_SAID)], True, None, "describe_evidence"),
        ("draft", True, [facts()], False, None, "fill_gaps"),
        ("draft", True, [facts()], True, None, "submit"),
        ("submitted", True, [], True, None, "wait_screening"),
        ("screening", True, [], True, None, "wait_screening"),
        ("assessment", True, [], True, None, "wait_assessment"),
        ("moderation", True, [], True, None, "wait_assessment"),
        ("decision", True, [], True, None, "wait_decision"),
        ("decided", True, [], True, None, "wait_release"),
        ("released", True, [], True, False, "wait_credential"),
        ("released", True, [], True, True, "share"),
        ("closed", True, [], True, None, "read_statement"),
        ("withdrawn", True, [], True, None, "nothing"),
    ],
)
def test_there_is_always_one_thing_that_is_next(  # noqa: PLR0917
    state: str,
    rated: bool,
    items: list[ItemFacts],
    covered: bool,
    credential: bool | None,
    step: str,
) -> None:
    rows = [] if covered else [THIN]
    case = CaseFacts(CaseState(state), rated, items, rows, credential)
    assert learner_step(case) == step
