"""The frame that every page has, and the ways in: by keyboard, in the reader's colours."""

import re

import pytest

from tests.browser.visitor import Street, Visitor

pytestmark = pytest.mark.browser

FOCUSED = "document.activeElement.id || document.activeElement.innerText.trim()"


def focused(visitor: Visitor) -> str:
    """What has the keyboard's focus: its id, or its words."""
    return str(visitor.page.evaluate(FOCUSED))


def test_the_first_tab_leads_past_the_navigation(street: Street) -> None:
    visitor = street.visitor().open("/")
    visitor.page.keyboard.press("Tab")
    assert focused(visitor) == "Skip to the content"
    visitor.page.keyboard.press("Enter")
    assert focused(visitor) == "main"
    visitor.page.keyboard.press("Tab")
    inside = "document.querySelector('main').contains(document.activeElement)"
    assert visitor.page.evaluate(inside)


def test_the_focus_goes_through_the_frame_in_reading_order(street: Street) -> None:
    visitor = street.visitor().open("/")
    order = []
    for _ in range(5):
        visitor.page.keyboard.press("Tab")
        order.append(focused(visitor))
    assert order == [
        "Skip to the content",
        "Read the mails",
        "Northbridge College",
        "Sign in",
        "What can be recognised",
    ]


def test_one_signs_in_and_out_without_a_mouse(street: Street) -> None:
    visitor = street.visitor().open("/sign-in")
    visitor.control("Omar Haddad").focus()
    with visitor.arriving():
        visitor.page.keyboard.press("Enter")
    menu = visitor.page.locator("summary", has_text="Omar Haddad")
    menu.focus()
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    assert focused(visitor) == "Your account"
    visitor.page.keyboard.press("Escape")
    assert menu.evaluate("(one) => one === document.activeElement")
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Tab")
    with visitor.arriving():
        visitor.page.keyboard.press("Enter")
    assert visitor.says("You are signed out.")


def test_the_menu_closes_when_another_place_is_pressed(street: Street) -> None:
    visitor = street.person("Sam Wilks")
    visitor.page.locator("summary", has_text="Sam Wilks").click()
    assert visitor.control("Sign out", visitor.frame).is_visible()
    visitor.page.locator("h1").click()
    assert not visitor.page.get_by_role("button", name="Sign out").is_visible()


def test_a_private_page_asks_who_it_is_and_comes_back(street: Street) -> None:
    visitor = street.visitor("Ines Duarte").open("/admin/people/invite")
    assert visitor.path == "/sign-in"
    visitor.press(visitor.name)
    assert visitor.path == "/admin/people/invite"


def test_after_signing_out_back_shows_nothing_private(street: Street) -> None:
    visitor = street.person("Ines Duarte").open("/admin/people")
    visitor.page.locator("summary", has_text="Ines Duarte").click()
    visitor.press("Sign out", visitor.frame)
    visitor.page.go_back()
    visitor.page.wait_for_url(re.compile("/sign-in"))


def test_a_wrong_password_says_no_more_than_that(street: Street) -> None:
    visitor = street.visitor().open("/sign-in")
    said = []
    for email in ("ana.souza@learner.example", "nobody@learner.example"):
        visitor.fill({"E-mail address": email, "Password": "not this one"})
        with street.watch.expecting(422):
            visitor.press("Sign in")
        said.append(visitor.page.locator(".error-summary").inner_text())
    assert said[0] == said[1]


def test_a_page_that_is_not_there_says_so_in_our_own_frame(street: Street) -> None:
    visitor = street.visitor(phone=True)
    with street.watch.expecting(404):
        visitor.open("/nothing/here")
        visitor.look()
    assert visitor.says("There is nothing here")
    visitor.press("To the start page")
    assert visitor.path == "/"


def test_the_colours_one_chose_come_with_the_next_page(street: Street) -> None:
    visitor = street.visitor().open("/")
    visitor.tap("Dark", visitor.frame)
    visitor.open("/sign-in")
    assert visitor.page.locator("html").get_attribute("data-theme") == "dark"
    visitor.tap("As the device", visitor.frame).open("/")
    assert visitor.page.locator("html").get_attribute("data-theme") is None
