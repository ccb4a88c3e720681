"""Collects the messages of pages, mails and errors, and brings every catalogue up to date.

`python -m tools.messages` updates; `python -m tools.messages fr` begins a catalogue.
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from credentials.paper import LABELS

ROOT = Path(__file__).resolve().parents[1]
CATALOGUES = ROOT / "app" / "translations"
# where the words are among a call's arguments; None: the first
OURS = ("marked", "say", "InvalidInput", "Conflict", "Forbidden", "NotFound", "TooMany")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    **dict.fromkeys((*OURS, "Unavailable", "WrongHost", "_code_refused")),
    "Problem": (2,),
    "Answer": (2,),
}
# whole sentences in these rooms are read by people, however they come to the page
SPEAKING = ("workflows", "storage", "app/web")
SENTENCE = re.compile(r"[A-Z][^\n]* [^\n]*[.?!]")


def collect() -> Catalog:
    """Every message of the house, with the places it stands at."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    catalogue = Catalog(project="Assay", charset="utf-8")
    found = extract_from_dir(ROOT, methods, options, keywords=KEYWORDS, directory_filter=_ours)
    for name, line, message, comments, context in sorted(found, key=lambda one: (one[0], one[1])):
        catalogue.add(message, None, [(name, line)], auto_comments=comments, context=context)
    for name, line, sentence in sentences():
        catalogue.add(sentence, None, [(name, line)])
    for label in LABELS.values():
        catalogue.add(label, None, [("credentials/paper.py", 1)])
    return catalogue


def sentences() -> Iterator[tuple[str, int, str]]:
    """Every constant that reads as a sentence, docstrings left out: file, line, words."""
    for room in SPEAKING:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            tree = ast.parse(path.read_text())
            spoken = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and id(node) not in spoken
                    and SENTENCE.fullmatch(node.value)
                ):
                    yield str(path.relative_to(ROOT)), node.lineno, node.value


def update(template: Catalog, path: Path, locale: str) -> tuple[int, int]:
    """Bring one catalogue up to date; returns how many messages it has and how many are put."""
    catalogue = Catalog(locale=locale, project="Assay", charset="utf-8")
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=locale)
    catalogue.update(template, no_fuzzy_matching=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=100, omit_header=False, sort_output=True)
    put = sum(any(message.string or ()) for message in catalogue if message.id)
    return len(catalogue), put


def main(languages: Sequence[str]) -> int:
    """Update the catalogues that are there, and begin those that are named."""
    template = collect()
    template.creation_date = template.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    there = [path.parents[1].name for path in CATALOGUES.glob("*/LC_MESSAGES/messages.po")]
    print(f"{len(template)} messages")
    for language in sorted({*there, *languages}):
        path = CATALOGUES / language / "LC_MESSAGES" / "messages.po"
        messages, put = update(template, path, language)
        print(f"{language}: {put} of {messages} are translated")
    return 0


def _ours(folder: str) -> bool:
    name = Path(folder).name
    return not name.startswith(".") and name not in {"node_modules", "__pycache__", "vendor"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
