"""A definition in another of its languages. A credential is always in one language, whole.

JSON-LD contexts of Open Badges 3.0 know no language maps: a map that the JSON Schema allows could
not be signed. So the words are chosen before the document is made, and what else there is stands
in `related`.
"""

from workflows.frameworks.definition import (
    Criterion,
    CriterionWords,
    Definition,
    Outcome,
    Translation,
)


def in_language(definition: Definition, language: str) -> Definition:
    """The definition with its words in a language; as it is where it has no translation for it."""
    words = definition.translations.get(language)
    if words is None:
        return definition
    return definition.model_copy(
        update={
            "language": language,
            "title": words.title,
            "description": words.description,
            "level": words.level or definition.level,
            "elements": definition.elements.model_copy(update=dict(words.elements)),
            "outcomes": tuple(_outcome_in(outcome, words) for outcome in definition.outcomes),
        }
    )


def _outcome_in(outcome: Outcome, words: Translation) -> Outcome:
    criteria = tuple(_criterion_in(row, words.criteria[row.code]) for row in outcome.criteria)
    statement = words.outcomes[outcome.code]
    return outcome.model_copy(update={"statement": statement, "criteria": criteria})


def _criterion_in(row: Criterion, words: CriterionWords) -> Criterion:
    levels = tuple(
        level.model_copy(update={"label": label, "descriptor": text})
        for level, (label, text) in zip(row.levels, words.levels, strict=True)
    )
    return row.model_copy(update={"title": words.title, "levels": levels})
