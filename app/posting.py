"""The way out of the house for webhooks: https to public addresses, no redirects, little time.

The guards are those of documents that are fetched (`credentials/connecting.py`). While somebody
tries the house out, the machine itself can be told as well, also over plain http.
"""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

from credentials.connecting import (
    Place,
    Resolve,
    connection_to,
    is_loopback,
    is_public,
    opened,
    read_place,
    resolve_host,
)
from storage.clock import Clock
from storage.vocabulary import Trouble
from workflows.ports import Answer

TIMEOUT_SECONDS = 15.0
READ_BYTES = 4096
EXCERPT = 300
HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
    "User-Agent": "Assay",
}


class Poster:
    """Posts to https on the public internet; with `loopback` to this machine as well, by http too.

    `timeout` is for everything together, in seconds. No more than the beginning of a body is read.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        loopback: bool,
        timeout: float = TIMEOUT_SECONDS,
        ca_file: str | None = None,
        resolve: Resolve = resolve_host,
    ) -> None:
        self._clock = clock
        self._loopback = loopback
        self._timeout = timeout
        self._ca_file = ca_file
        self._resolve = resolve

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send it once; the answer, or the trouble that kept one from coming."""
        place = read_place(url)
        if place is None:
            return Answer(0, trouble=Trouble.NOT_AN_ADDRESS)
        try:
            address = self._address(place)
        except (OSError, ValueError):
            return Answer(0, trouble=Trouble.NO_NAME)
        if address is None:
            return Answer(0, trouble=Trouble.NOT_PUBLIC)
        connection = connection_to(place, address, timeout=self._timeout, ca_file=self._ca_file)
        return self._asked(connection, place, {**HEADERS, **headers, "Host": place.netloc}, body)

    def _address(self, place: Place) -> str | None:
        """The one checked IP address to connect to. A name with any other address has none."""
        found = self._resolve(place.host, place.port)
        if found and self._loopback and all(map(is_loopback, found)):
            return found[0]
        if place.scheme != "https" or not found or not all(map(is_public, found)):
            return None
        return found[0]

    def _asked(
        self, connection: HTTPConnection, place: Place, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        late = False
        try:
            with opened(connection, self._timeout) as over:
                try:
                    connection.request(
                        "POST",
                        place.target,
                        body=body,
                        headers=headers,
                        preload_content=False,
                        decode_content=False,
                    )
                    response = connection.getresponse()
                    if over.is_set():  # a head that was cut off can look whole
                        return Answer(0, trouble=Trouble.TOO_SLOW)
                    return self._answer(response)
                finally:
                    late = over.is_set()
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            return Answer(0, trouble=Trouble.TOO_SLOW if late else _trouble(error))

    def _answer(self, response: urllib3.BaseHTTPResponse) -> Answer:
        if 200 <= response.status <= 299:
            return Answer(response.status)
        excerpt = ""
        with suppress(HTTPError, HTTPException, OSError, ValueError):
            excerpt = _told(response.read(READ_BYTES))
        asked = self._retry_after(response.headers.get("Retry-After", ""))
        return Answer(response.status, excerpt, asked)

    def _retry_after(self, text: str) -> timedelta | None:
        """What the header asks for: a number of seconds, or a date that there can be."""
        if text.strip().isascii() and text.strip().isdigit():
            return timedelta(seconds=min(int(text.strip()[:9]), 10**8))
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(at - self._clock.now(), timedelta(0))


def _trouble(error: Exception) -> Trouble:
    """What kept the answer from coming, in a word."""
    if isinstance(error, ssl.SSLError):
        return Trouble.CERTIFICATE
    if isinstance(error, NameResolutionError):
        return Trouble.NO_NAME
    if isinstance(error, NewConnectionError | ConnectionRefusedError):
        return Trouble.REFUSED
    if isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
        return Trouble.TOO_SLOW
    return Trouble.BROKEN


def _told(body: bytes) -> str:
    """How a body begins, as one line that can be kept and shown."""
    text = body.decode("utf-8", errors="replace")
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:EXCERPT]
