"""Credential definitions: what can be read, what is refused, what may be published."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from storage.errors import InvalidInput
from tests.fixtures.shared import SHARED, needs_shared
from workflows.frameworks.definition import definition_body, read_definition
from workflows.frameworks.languages import in_language
from workflows.frameworks.rules import fit_to_publish

ROOT = Path(__file__).resolve().parents[3]
DEMO = json.loads((ROOT / "app/demo/definitions.json").read_text())["definitions"]


def body() -> dict[str, object]:
    copy: dict[str, object] = deepcopy(DEMO[0])
    return copy


def test_the_demo_definitions_are_five_with_twenty_two_outcomes_and_may_be_published() -> None:
    definitions = [read_definition(each) for each in DEMO]
    assert len(definitions) == 5
    assert sum(len(each.outcomes) for each in definitions) == 22
    assert sum(len(each.criteria()) for each in definitions) == 23
    assert [fit_to_publish(each) for each in definitions] == [()] * 5


def test_outcomes_criteria_and_levels_are_found_by_code() -> None:
    definition = read_definition(body())
    assert definition.outcome("CNC2").criteria[0].code == "CNC2.a"
    assert definition.criterion("CNC2.b").level(3).label == "Meets"
    for missing in (
        lambda: definition.outcome("X"),
        lambda: definition.criterion("X"),
        lambda: definition.criterion("CNC2.b").level(9),
    ):
        with pytest.raises(KeyError):
            missing()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("title",), "", "title"),
        (("outcomes",), [], "outcomes"),
        (("surprise",), 1, "surprise"),
        (("outcomes", 0, "evidence", "kinds"), ["rumour"], "outcomes.0.evidence.kinds.0"),
        (("outcomes", 0, "criteria", 0, "threshold"), 9, "one of the levels"),
        (("outcomes", 0, "criteria", 0, "levels", 1, "value"), 7, "one after the other"),
        (("outcomes", 1, "code"), "CNC1", "code of its own"),
    ],
)
def test_a_faulty_definition_is_refused_with_the_place(
    path: tuple[str | int, ...], value: object, said: str
) -> None:
    faulty = body()
    place = faulty
    for step in path[:-1]:
        place = place[step]  # type: ignore[index,assignment]
    place[path[-1]] = value  # type: ignore[index]
    with pytest.raises(InvalidInput) as caught:
        read_definition(faulty)
    assert said in str([(p.field, p.message) for p in caught.value.problems])


def test_what_a_credential_must_say_is_asked_for_before_publishing() -> None:
    bare = body()
    bare["elements"] = {}
    bare["description"] = ""
    missing = {problem.field for problem in fit_to_publish(read_definition(bare))}
    assert {"description", "elements.workload_hours", "elements.quality_assurance"} <= missing


def test_more_direct_items_than_items_cannot_be_asked_for() -> None:
    odd = body()
    odd["outcomes"][0]["evidence"] |= {"min_items": 1, "min_direct": 2}  # type: ignore[index]
    assert [p.field for p in fit_to_publish(read_definition(odd))] == ["outcomes.CNC1.evidence"]


def french(definition: dict[str, object]) -> dict[str, object]:
    """A whole translation, with the English words and a mark."""
    read = read_definition(definition)
    told = {
        key: f"{value} (fr)" for key, value in read.elements if isinstance(value, str) and value
    }
    return {
        "title": "Technicienne CNC",
        "description": "Pour qui règle des machines.",
        "outcomes": {row.code: f"{row.statement} (fr)" for row in read.outcomes},
        "criteria": {
            row.code: {
                "title": f"{row.title} (fr)",
                "levels": [[f"{level.label} (fr)", level.descriptor] for level in row.levels],
            }
            for row in read.criteria()
        },
        "elements": told,
    }


def test_a_definition_reads_in_each_of_its_languages() -> None:
    definition = read_definition({**body(), "translations": {"fr": french(body())}})
    shown = in_language(definition, "fr")
    assert shown.title == "Technicienne CNC"
    assert shown.criterion("CNC1.a").level(1).label.endswith("(fr)")
    assert shown.elements.quality_assurance.endswith("(fr)")
    assert shown.outcome("CNC1").evidence == definition.outcome("CNC1").evidence
    assert in_language(definition, "de") is definition


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"renewal": {"outcomes": ["X9"]}}, "no outcome of this definition"),
        ({"renewal": {}, "validity_months": None}, "needs validity_months"),
        ({"parts": [{"code": "MC-CNC-TECH", "title": "Itself"}]}, "another definition"),
        ({"parts": [{"code": "A", "title": "A"}], "parts_needed": 2}, "more than there are parts"),
        ({"translations": {"French": french(body())}}, "another language"),
        ({"translations": {"fr": {**french(body()), "outcomes": {}}}}, "CNC1 must be in both"),
        ({"translations": {"fr": {**french(body()), "elements": {}}}}, "assessment_type must be"),
        ({"elements": {"national_level": {"label": "5"}}}, "Field required"),
    ],
    ids=str,
)
def test_what_was_added_to_the_format_is_checked_in_words(
    change: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_definition({**body(), **change})
    assert said in str([(p.field, p.message) for p in caught.value.problems])


def test_a_definition_without_the_later_fields_keeps_its_hash() -> None:
    """The digest that was reckoned before renewal, parts and translations were known."""
    kept = definition_body(read_definition(body()))
    assert not {"renewal", "parts", "translations", "partial_statement"} & kept.keys()
    assert read_definition(kept) == read_definition(body())
    more = {**body(), "renewal": {"outcomes": ["CNC1"]}, "partial_statement": False}
    assert {"renewal", "partial_statement"} <= definition_body(read_definition(more)).keys()


@needs_shared
def test_the_sample_definitions_still_load() -> None:
    file = SHARED / "data/frameworks/sample_plar_profiles.json"
    for profile in json.loads(file.read_bytes())["profiles"]:
        assert definition_body(read_definition(profile))["code"] == profile["code"]
