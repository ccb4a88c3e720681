"""What a browser must not say or ask for while it shows our pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

NETWORK = ("http", "https", "ws", "wss")
REPORTED_BY_RESPONSE = "Failed to load resource"
LEFT_BEHIND = "net::ERR_ABORTED"


@dataclass
class Watch:
    """Collects the faults of every page of the browsers it is attached to.

    A fault is a word on the console (violations of the policy are among them), an error nobody
    caught, a request to any origin but `own`, and an answer of 400 or more that was not expected.
    `shown` are the addresses that answered well.
    """

    own: frozenset[str]
    faults: list[str] = field(default_factory=list)
    expected: list[int] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)

    def attach(self, context: BrowserContext) -> None:
        """Watch every page that is opened in this browser."""
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("requestfailed", self._failed)
        context.on("response", self._response)

    @contextmanager
    def expecting(self, status: int) -> Iterator[None]:
        """Let pages answer with this status for the length of a block."""
        self.expected.append(status)
        try:
            yield
        finally:
            self.expected.remove(status)

    def taken(self) -> list[str]:
        """The faults since the last time, each once."""
        found, self.faults = list(dict.fromkeys(self.faults)), []
        return found

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and REPORTED_BY_RESPONSE not in message.text:
            self.faults.append(f"{_where(message)}: {message.type}: {message.text}")

    def _error(self, error: WebError) -> None:
        page = error.page.url if error.page else "?"
        self.faults.append(f"{page}: uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        origin = f"{address.scheme}://{address.netloc}"
        if address.scheme in NETWORK and origin not in self.own:
            self.faults.append(f"a request to {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure and LEFT_BEHIND not in request.failure:
            self.faults.append(f"{request.method} {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status < 400:
            self.shown.add(response.url)
        elif response.status == 410 and "/preview/" in response.url:
            return  # a page that was made before its file was erased still asks for the picture
        elif response.status not in self.expected:
            self.faults.append(f"{response.request.method} {response.url}: {response.status}")


def _where(message: ConsoleMessage) -> str:
    return str(message.page.url if message.page else message.location.get("url", "?"))
