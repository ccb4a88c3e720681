"""Our own lint rules: each fails on what it forbids and lets the right way pass."""

from pathlib import Path

import pytest

from checks import python_rules, template_rules
from checks.__main__ import main

BAD_PYTHON = [
    ("from datetime import datetime\ndatetime.now()", "one-clock"),
    ("from datetime import UTC, datetime as dt\ndt.now(UTC)", "one-clock"),
    ("import datetime\ndatetime.datetime.utcnow()", "one-clock"),
    ("from datetime import date\ndate.today()", "one-clock"),
    ("from datetime import datetime\nclass A:\n    at = field(default=datetime.now)", "one-clock"),
    ("import time\ntime.time()", "one-clock"),
    ("from time import time", "one-clock"),
    ("from sqlalchemy import func\nfunc.now()", "one-clock"),
    ("import uuid\nuuid.uuid4()", "one-source-of-ids"),
    ("from uuid import UUID, uuid4", "one-source-of-ids"),
    ("import uuid_utils as u\nu.uuid7()", "one-source-of-ids"),
    ("queue.enqueue(run, 7)", "one-door-to-the-queue"),
    ("queue.enqueue_in(delay, run)", "one-door-to-the-queue"),
    ("session.commit()", "one-place-that-commits"),
    ("def f():\n    with x() as tx:\n        tx.session.commit()", "one-place-that-commits"),
    ("def f(db):\n    with db.transaction() as tx:\n        g(tx)", "transactions-are-commands"),
]

GOOD_PYTHON = [
    "def f(clock):\n    return clock.now()",
    "import time\ntime.monotonic()\ntime.sleep(1)",
    "from datetime import datetime\ndatetime.fromisoformat('2026-03-02')",
    "from uuid import UUID\nUUID(bytes=b'x' * 16)",
    "from storage.ids import new_id\nnew_id()",
    "words = ['enqueue', 'commit', 'uuid4']",
    "def commit(): ...\ncommit()",
    "@command\ndef f(db):\n    with db.transaction() as tx:\n        g(tx)",
    "def f(db):\n    with db.reading() as tx:\n        g(tx)",
]

BAD_TEMPLATES = [
    ("<script>alert(1)</script>", "no-inline-script"),
    ("<script type='module'>import 'x'</script>", "no-inline-script"),
    ("<a href='javascript:void(0)'>{{ _('Go') }}</a>", "no-inline-script"),
    ("<div hx-vals='js:{a: 1}'></div>", "no-inline-script"),
    ("<style>p {}</style>", "no-inline-style"),
    ("<p style='color: red'>{{ _('Red') }}</p>", "no-inline-style"),
    ("<p {% if wide %}style='width: 1px'{% endif %}></p>", "no-inline-style"),
    ("<button onclick='go()'>{{ _('Go') }}</button>", "no-inline-handler"),
    ("<form hx-on:submit='go()'></form>", "no-inline-handler"),
    ("<p>Your evidence</p>", "every-text-in-gettext"),
    ("<p>{{ name }} has submitted</p>", "every-text-in-gettext"),
    ("<img src='x' alt='A badge'>", "every-text-in-gettext"),
    ("<input placeholder='Search'>", "every-text-in-gettext"),
    ("{{ button('Send') }}", "every-text-in-gettext"),
    ("{{ field(label='Your own part') }}", "every-text-in-gettext"),
    ("<p>{{ 'Sealed' if sealed else _('Stored') }}</p>", "every-text-in-gettext"),
    ("{% if %}", "templates-parse"),
]

GOOD_TEMPLATES = [
    "<script src='/static/app.js' type='module'></script>",
    "<script type='application/json'>{{ data|tojson }}</script>",
    "<p>{{ _('Your evidence') }}</p>",
    "<p>{% trans name=name %}{{ name }} has submitted{% endtrans %}</p>",
    "{{ button(_('Send'), kind='primary') }}",
    "{{ ngettext('%(num)s item', '%(num)s items', n) }}",
    "<p>{# Why this is here #}12 · {{ size }} / 3</p>",
    "<title>{{ title }} – Assay</title>",
    "<code>sha256sum file.mp4</code>",
    "<dt>SHA-256</dt>",
    "{% block body_class %}minimal{% endblock %}",
    '{% macro m() %}{% if x %} aria-invalid="true"{% endif %}{% endmacro %}',
]


def rules_of_python(source: str, path: str = "workflows/cases/commands.py") -> set[str]:
    return {found.rule for found in python_rules.violations(Path(path), source)}


def rules_of_template(source: str) -> set[str]:
    return {found.rule for found in template_rules.violations(Path("templates/a.html"), source)}


@pytest.mark.parametrize(("source", "rule"), BAD_PYTHON)
def test_python_that_breaks_a_rule_is_found(source: str, rule: str) -> None:
    assert rules_of_python(source) == {rule}


@pytest.mark.parametrize("source", GOOD_PYTHON)
def test_python_that_keeps_the_rules_passes(source: str) -> None:
    assert rules_of_python(source) == set()


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("storage/clock.py", "from datetime import datetime\ndatetime.now()"),
        ("storage/ids.py", "import uuid_utils\nuuid_utils.uuid7()"),
        ("app/jobs/relay.py", "queue.enqueue_many(jobs)"),
        ("storage/database.py", "session.commit()"),
    ],
)
def test_the_one_place_may_do_what_only_it_may(path: str, source: str) -> None:
    assert rules_of_python(source, path) == set()
    assert rules_of_python(source, "app/web/learner/views.py") != set()


@pytest.mark.parametrize(("source", "rule"), BAD_TEMPLATES)
def test_a_template_that_breaks_a_rule_is_found(source: str, rule: str) -> None:
    assert rule in rules_of_template(source)


@pytest.mark.parametrize("source", GOOD_TEMPLATES)
def test_a_template_that_keeps_the_rules_passes(source: str) -> None:
    assert rules_of_template(source) == set()


def test_a_violation_is_found_at_its_line_also_after_jinja_of_several_lines() -> None:
    source = "{% set x = [\n  1,\n] %}\n<p>{{ x }}</p>\n<p>bare text</p>"
    (found,) = template_rules.violations(Path("templates/a.html"), source)
    assert found.line == 5


def test_a_project_with_a_violation_fails_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "bad.py").write_text("session.commit()\n")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "bad.html").write_text("<p>\nbare text</p>")
    assert main(tmp_path) == 1
    told = capsys.readouterr().out
    assert "app/bad.py:1: one-place-that-commits" in told
    assert "templates/bad.html:1: every-text-in-gettext" in told
