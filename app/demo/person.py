"""A person at a browser, for the demo: reads pages, fills forms, follows links. Only HTTP."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import requests
from lxml import html

from storage.errors import AssayError

PATIENCE_SECONDS = 60
Answers = Mapping[str, str | Sequence[str]]


class WentWrong(AssayError):
    """A page did not answer as the journey expects; says which and what it said instead."""


class Person:
    """One browser with its own cookies."""

    def __init__(self, site: str, name: str) -> None:
        self.site = site
        self.name = name
        self.web = requests.Session()
        self.address = site
        self.page: Any = None

    def open(self, path: str) -> "Person":
        """Go to a page."""
        self._read(self.web.get(urljoin(self.site, path), timeout=PATIENCE_SECONDS))
        return self

    def sign_in(self) -> "Person":
        """Choose oneself on the demo's sign-in page."""
        self.open("/sign-in")
        for form in self.page.forms:
            if self.name in " ".join(form.itertext()):
                self._send(form, {})
                return self
        raise WentWrong(f"The sign-in page does not offer {self.name}.")

    def fill(self, action: str, answers: Answers | None = None, button: str = "") -> "Person":
        """Fill the page's form whose address ends so, keep what it has, and send it."""
        self._send(self._form(action, button), answers or {}, button)
        return self

    def has_form(self, action: str) -> bool:
        """Whether the page has a form whose address ends so."""
        return any(_path(form.action).endswith(action) for form in self.page.forms)

    def links(self, pattern: str) -> list[str]:
        """The addresses of the page that match, in order."""
        found = [link for link in self.page.xpath("//a/@href") if re.search(pattern, link)]
        return list(dict.fromkeys(str(link) for link in found))

    def link(self, pattern: str) -> str:
        """The first address that matches. Raises WentWrong when there is none."""
        found = self.links(pattern)
        if not found:
            raise WentWrong(f"{self.name} finds no link like {pattern} on {self.address}.")
        return found[0]

    def text(self) -> str:
        """The words of the page's main part, in one line."""
        main = self.page.xpath("//main") or [self.page]
        return " ".join(" ".join(main[0].itertext()).split())

    def json(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call one of the site's own JSON addresses as its pages do. Raises WentWrong."""
        answer = self.web.request(
            method,
            urljoin(self.site, path),
            json=body,
            headers={
                "Accept": "application/json",
                "X-CSRF-Token": self.token(),
                "Sec-Fetch-Site": "same-origin",
                "Origin": self.site,
            },
            timeout=PATIENCE_SECONDS,
        )
        if answer.status_code >= 400:
            raise WentWrong(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return cast(dict[str, Any], answer.json() if answer.content else {})

    def token(self) -> str:
        """The token that the page gives its forms."""
        return str(self.page.xpath("string(//meta[@name='csrf-token']/@content)"))

    def _form(self, action: str, button: str) -> Any:
        for form in self.page.forms:
            if not _path(form.action).endswith(action):
                continue
            if not button or form.xpath(f".//button[@value='{button}' or @name='{button}']"):
                return form
        raise WentWrong(
            f"{self.name} finds no form for {action} on {self.address}: {self.text()[:400]}"
        )

    def _send(self, form: Any, answers: Answers, button: str = "") -> None:
        fields = [(name, value) for name, value in form.form_values() if name not in answers]
        for name, value in answers.items():
            values = [value] if isinstance(value, str) else list(value)
            fields += [(name, one) for one in values]
        for pressed in form.xpath(f".//button[@name][@value='{button}']") if button else []:
            fields.append((pressed.get("name"), pressed.get("value")))
        address = urljoin(self.address, form.action or "")
        headers = {"Sec-Fetch-Site": "same-origin", "Origin": self.site}
        self._read(
            self.web.request(
                form.method,
                address,
                data=fields,
                headers=headers,
                timeout=PATIENCE_SECONDS,
            )
        )

    def _read(self, answer: requests.Response) -> None:
        self.address = answer.url
        self.page = html.fromstring(answer.content or b"<html></html>")
        if answer.status_code >= 400:
            said = f"answered {answer.status_code}: {self.text()[:400]}"
            raise WentWrong(f"{self.name}: {_path(answer.url)} {said}")


def _path(address: str | None) -> str:
    return urlsplit(address or "").path
