"""Pages and their regions, with and without htmx."""

import pytest
from flask import Flask, get_flashed_messages
from jinja2 import DictLoader

from app.web import hx

TEMPLATES = {
    "macros.html": "{% macro loud(text) %}{{ text | upper }}!{% endmacro %}",
    "frame.html": "<html>{% block title %}{% endblock %}{% block list %}frame{% endblock %}</html>",
    "page.html": (
        '{% extends "frame.html" %}\n{% from "macros.html" import loud %}\n'
        "{% block title %}T{% endblock %}\n"
        "{% block list %}<ul>{{ loud(name) }}{{ shared }}</ul>{% endblock %}"
    ),
    "alone.html": (
        '{% from "macros.html" import loud %}\n{% set more = "more" %}\n'
        "{% block list %}{{ loud(name) }}{{ more }}{% endblock %}"
    ),
    "bare.html": '{% extends "frame.html" %}',
}
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.secret_key = "of a test"
    app.jinja_loader = DictLoader(TEMPLATES)
    app.context_processor(lambda: {"shared": "s"})
    app.add_url_rule("/there", "there", lambda: "")
    return app


def test_a_region_is_rendered_alone_with_its_pages_macros(app: Flask) -> None:
    with app.test_request_context():
        assert hx.fragment("page.html", "list", name="ana") == "<ul>ANA!s</ul>"


def test_a_region_of_a_template_that_stands_alone(app: Flask) -> None:
    with app.test_request_context():
        assert hx.fragment("alone.html", "list", name="ana") == "ANA!more"


def test_a_region_that_only_the_frame_fills(app: Flask) -> None:
    with app.test_request_context():
        assert hx.fragment("bare.html", "list") == "frame"


def test_what_is_put_into_a_region_is_shown_as_text(app: Flask) -> None:
    with app.test_request_context():
        assert "<B>" not in hx.fragment("page.html", "list", name="<b>")


@pytest.mark.parametrize(
    ("headers", "whole"),
    [({}, True), ({"HX-Request": "true", "HX-Request-Type": "full"}, True), (PARTIAL, False)],
)
def test_a_page_or_its_region_as_asked(app: Flask, headers: dict[str, str], whole: bool) -> None:
    with app.test_request_context(headers=headers):
        response = hx.page_or_block("page.html", "list", 422, name="ana")
        assert response.status_code == 422
        assert ("<html>" in response.get_data(as_text=True)) is whole


def test_going_elsewhere_says_so_there(app: Flask) -> None:
    with app.test_request_context():
        response = hx.redirect("there", "Done.", x=1)
        assert (response.status_code, response.headers["Location"]) == (303, "/there?x=1")
        assert get_flashed_messages(with_categories=True) == [("good", "Done.")]


def test_htmx_is_told_by_a_header_where_to_go(app: Flask) -> None:
    with app.test_request_context(headers=PARTIAL):
        response = hx.redirect("there")
        assert (response.status_code, response.headers["HX-Redirect"]) == (200, "/there")
        assert get_flashed_messages() == []
