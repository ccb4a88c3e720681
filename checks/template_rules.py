"""Rules about templates: nothing inline that the CSP would stop, every text through gettext.

A template is read twice: as HTML with Jinja's own parts taken out, and as Jinja, for texts that
are handed to macros.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, nodes

from checks.violation import Violation

DATA_TYPES = ("application/json", "application/ld+json")
SHOWN_ATTRIBUTES = frozenset({"alt", "title", "placeholder", "aria-label", "label", "summary"})
# their content is data, code as it is typed, or a name that has no translation
VERBATIM = frozenset({"script", "style", "code", "pre", "kbd", "samp"})
TRANSLATORS = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext"})
LETTERS = re.compile(r"[^\W\d_]{2,}")
SENTENCE = re.compile(r"[A-Z][a-z]+([ .,:…!?].*)?")
JINJA = re.compile(
    r"\{#.*?#\}|\{%-?\s*trans\b.*?endtrans\s*-?%\}"
    # a block that is put inside an attribute, by its name
    r"|\{%-?\s*block\s+\w*(?:class|attributes)\b.*?endblock\b.*?%\}"
    r"|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL,
)
# what a macro puts into a tag
ATTRIBUTE = re.compile(r"[\w-]+=[\"']")
# people and things that exist only to show how a component looks
SAMPLES = ("templates/layout/styleguide.html",)
# the name stays the name, in every language
NAMES = frozenset({"Assay"})
ENVIRONMENT = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)


def violations(path: Path, source: str) -> Iterator[Violation]:
    """Everything in one template that breaks a rule."""
    page = _Page(path)
    page.feed(JINJA.sub(_blank, source))
    page.close()
    yield from page.found
    if path.as_posix() not in SAMPLES:
        yield from _handed_over(path, source)


class _Page(HTMLParser):
    """Collects violations from markup."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.path = path
        self.found: list[Violation] = []
        self.verbatim: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a tag and its attributes."""
        given = {name: value or "" for name, value in attrs}
        if tag in VERBATIM:
            self.verbatim.append(tag)
        if tag == "style":
            self._add("no-inline-style", "<style>: put it into a file under app/static/css")
        if tag == "script" and "src" not in given and given.get("type") not in DATA_TYPES:
            self._add("no-inline-script", "<script>: put it into a module under app/static/js")
        for name, value in given.items():
            self._attribute(tag, name, value)

    def handle_endtag(self, tag: str) -> None:
        """Leave verbatim text."""
        if self.verbatim and self.verbatim[-1] == tag:
            self.verbatim.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself holds no text."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        """Look at text."""
        if not self.verbatim and _is_text(data):
            self._add("every-text-in-gettext", f"“{_shown(data)}”: write {{{{ _('…') }}}}")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name == "style":
            self._add("no-inline-style", f"style= on <{tag}>: use a class")
        if re.fullmatch(r"on[a-z]+", name) or name.startswith("hx-on"):
            self._add("no-inline-handler", f"{name}= on <{tag}>: bind by a data- attribute")
        if value.strip().lower().startswith(("javascript:", "js:")):
            self._add("no-inline-script", f"{name}= on <{tag}> runs script")
        if name in SHOWN_ATTRIBUTES and _is_text(value):
            self._add("every-text-in-gettext", f"{name}=“{_shown(value)}”: use {{{{ _('…') }}}}")

    def _add(self, rule: str, message: str) -> None:
        self.found.append(Violation(self.path, self.getpos()[0], rule, message))


def _handed_over(path: Path, source: str) -> Iterator[Violation]:
    """Texts inside Jinja's own expressions that no translator sees."""
    try:
        tree = ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        yield Violation(path, error.lineno, "templates-parse", error.message or "cannot be read")
        return
    translated = {
        id(inner)
        for call in tree.find_all(nodes.Call)
        if _translates(call)
        for inner in call.find_all(nodes.Const)
    }
    for constant in tree.find_all(nodes.Const):
        value = constant.value
        if id(constant) in translated or not isinstance(value, str):
            continue
        if SENTENCE.fullmatch(value) and value not in NAMES:
            yield Violation(
                path, constant.lineno, "every-text-in-gettext", f"“{_shown(value)}”: use _('…')"
            )


def _translates(call: nodes.Call) -> bool:
    return isinstance(call.node, nodes.Name) and call.node.name in TRANSLATORS


def _is_text(data: str) -> bool:
    # abbreviations such as SHA and PDF are the same in every language that is written so
    words = {word for word in LETTERS.findall(data) if not word.isupper()}
    return bool(words - NAMES) and not ATTRIBUTE.search(data)


def _shown(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 50 else words[:49] + "…"


def _blank(jinja: "re.Match[str]") -> str:
    """Nothing of Jinja but its line breaks, so that lines keep their numbers."""
    return "\n" * jinja.group().count("\n")
