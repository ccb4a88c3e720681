"""Rules about Python: time, ids, the queue and commits each have one place.

Names are followed through imports, so `from datetime import datetime as dt` does not hide a
`dt.now()`; a bare mention counts too, because `default_factory=datetime.now` calls it as well.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from checks.violation import Violation

CLOCK = "storage/clock.py"
IDS = "storage/ids.py"
QUEUE = "app/jobs/relay.py"
COMMITS = ("storage/database.py", "storage/migrate.py")
WORKFLOWS = "workflows/"


@dataclass(frozen=True)
class Names:
    """Full names that only some files may mention."""

    rule: str
    names: frozenset[str]
    allowed: tuple[str, ...]
    instead: str


NAMES = (
    Names(
        "one-clock",
        frozenset(
            {
                "datetime.datetime.now",
                "datetime.datetime.utcnow",
                "datetime.datetime.today",
                "datetime.date.today",
                "time.time",
                "time.time_ns",
                "time.gmtime",
                "time.localtime",
                "sqlalchemy.func.now",
                "sqlmodel.func.now",
                "sqlalchemy.func.current_timestamp",
                "sqlmodel.func.current_timestamp",
            }
        ),
        (CLOCK,),
        "take the time from the Clock that was handed over (storage/clock.py)",
    ),
    Names(
        "one-source-of-ids",
        frozenset(
            f"{module}.{name}"
            for module in ("uuid", "uuid_utils", "uuid_utils.compat")
            for name in ("uuid1", "uuid4", "uuid6", "uuid7")
        ),
        (IDS,),
        "make ids with storage.ids.new_id",
    ),
)


@dataclass(frozen=True)
class Methods:
    """Methods that only some files may call, whatever they are called on."""

    rule: str
    prefix: str
    exact: bool
    allowed: tuple[str, ...]
    instead: str


METHODS = (
    Methods(
        "one-door-to-the-queue",
        "enqueue",
        False,
        (QUEUE,),
        "promise the work in the transaction (storage.outbox.promise); the relay hands it over",
    ),
    Methods(
        "one-place-that-commits",
        "commit",
        True,
        COMMITS,
        "leave committing to Database.transaction()",
    ),
)


def violations(path: Path, source: str) -> Iterator[Violation]:
    """Everything in one file that breaks a rule. `path` is relative to the project."""
    tree = ast.parse(source, str(path))
    imported = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            yield from _named(path, node, imported)
        elif isinstance(node, ast.ImportFrom):
            yield from _imported_names(path, node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _called(path, node.func)
    if path.as_posix().startswith(WORKFLOWS):
        yield from _not_commands(path, tree)


def _not_commands(path: Path, tree: ast.Module) -> Iterator[Violation]:
    """Functions that open a transaction and would not be tried again after a passing fault."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        opens = any(
            isinstance(part, ast.Attribute) and part.attr == "transaction"
            for part in ast.walk(node)
        )
        marks = {mark.id for mark in node.decorator_list if isinstance(mark, ast.Name)}
        if opens and "command" not in marks:
            words = f"{node.name}: mark it with @command (storage.database), for deadlocks pass"
            yield Violation(path, node.lineno, "transactions-are-commands", words)


def _named(
    path: Path, node: ast.Attribute | ast.Name, imported: dict[str, str]
) -> Iterator[Violation]:
    full = _full_name(node, imported)
    for each in NAMES:
        if full in each.names and path.as_posix() not in each.allowed:
            yield Violation(path, node.lineno, each.rule, f"{full}: {each.instead}")


def _imported_names(path: Path, node: ast.ImportFrom) -> Iterator[Violation]:
    for alias in node.names:
        full = f"{node.module}.{alias.name}"
        for each in NAMES:
            if full in each.names and path.as_posix() not in each.allowed:
                yield Violation(path, node.lineno, each.rule, f"{full}: {each.instead}")


def _called(path: Path, function: ast.Attribute) -> Iterator[Violation]:
    name = function.attr
    for each in METHODS:
        meant = name == each.prefix if each.exact else name.startswith(each.prefix)
        if meant and path.as_posix() not in each.allowed:
            yield Violation(path, function.lineno, each.rule, f".{name}(: {each.instead}")


def _imported(tree: ast.AST) -> dict[str, str]:
    """What each imported name of the file stands for, in full."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                found[name] = alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _full_name(node: ast.expr, imported: dict[str, str]) -> str:
    """The dotted name of an expression with its import followed; '' for anything else."""
    if isinstance(node, ast.Name):
        return imported.get(node.id, "")
    if isinstance(node, ast.Attribute):
        base = _full_name(node.value, imported)
        return f"{base}.{node.attr}" if base else ""
    return ""
