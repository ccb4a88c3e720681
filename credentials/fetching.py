"""The ways a verifier gets remote documents: one guarded fetcher, or an offline bundle.

`RemoteFetcher` is the only code of this room that asks the network. It speaks https to public
addresses (`connecting.py` has the guards), follows no redirect, and stops at limits of size and
time.
"""

import json
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import urlsplit

import certifi
import urllib3
from urllib3.exceptions import HTTPError

from credentials.connecting import (
    Place,
    Resolve,
    connection_to,
    default_port,
    is_public,
    opened,
    read_place,
    resolve_host,
)
from credentials.errors import CannotFetch

ACCEPT = (
    "application/vc, application/did+json, application/ld+json, application/json, "
    "application/vc+jwt;q=0.9, application/jwt;q=0.9, application/statuslist+jwt;q=0.9, "
    "image/*;q=0.5, application/pdf;q=0.4"
)
_CHUNK = 64 * 1024
_KEPT = 32
_HEADERS = {"Accept": ACCEPT, "Accept-Encoding": "identity", "User-Agent": "Assay"}


class Fetcher(Protocol):
    """Gives the bytes of a document at an address. Raises CannotFetch, and nothing else."""

    def __call__(self, url: str, /) -> bytes: ...


def no_network(url: str, /) -> bytes:
    """A fetcher that has nothing, for checking without any remote document."""
    raise CannotFetch("%(url)s was not fetched.", url=url)


class DirectoryFetcher:
    """Reads an offline bundle: a folder whose `map.json` says which file stands for which address.

    Only files directly in the folder are read. Raises CannotFetch if there is no usable map.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            found = cast(object, json.loads((folder / "map.json").read_bytes()))
        except (OSError, ValueError):
            raise CannotFetch("%(folder)s has no map.json.", folder=str(folder)) from None
        if not isinstance(found, dict):
            raise CannotFetch("The map.json in %(folder)s is not an object.", folder=str(folder))
        self._files = {str(url): str(name) for url, name in found.items()}

    def urls(self) -> list[str]:
        """The addresses the bundle has files for."""
        return list(self._files)

    def __call__(self, url: str, /) -> bytes:
        name = self._files.get(url)
        if name is None:
            raise CannotFetch("The bundle has no file for %(url)s.", url=url)
        if Path(name).name != name:
            raise CannotFetch("The bundle's file for %(url)s is outside of it.", url=url)
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            raise CannotFetch("The bundle's file for %(url)s cannot be read.", url=url) from None


class RemoteFetcher:
    """Fetches over https, from public addresses only, with limits, and keeps answers for a while.

    `allowed_origins` (“http://127.0.0.1:8000”) are exempt from both rules: one's own house while
    it is being developed. A did:web of such an origin is fetched over its plain http.
    """

    def __init__(
        self,
        *,
        allowed_origins: Iterable[str] = (),
        timeout: float = 5.0,
        max_bytes: int = 2 * 1024 * 1024,
        keep_seconds: float = 60.0,
        ca_file: str | None = None,
        resolve: Resolve = resolve_host,
    ) -> None:
        self._allowed = frozenset(origin.rstrip("/") for origin in allowed_origins)
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._keep_seconds = keep_seconds
        self._ca_file = ca_file or certifi.where()
        self._resolve = resolve
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, url: str, /) -> bytes:
        kept = self._remembered(url)
        if kept is not None:
            return kept
        try:
            body = self._get(url)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            raise _unfetched(url, error) from None
        self._remember(url, body)
        return body

    def _get(self, url: str) -> bytes:
        place = self._where(url)
        connection = connection_to(
            place, self._address(url, place), timeout=self._timeout, ca_file=self._ca_file
        )
        with opened(connection, self._timeout) as over:
            headers = {**_HEADERS, "Host": place.netloc}
            connection.request(
                "GET", place.target, headers=headers, preload_content=False, decode_content=False
            )
            response = connection.getresponse()
            if response.status != 200:
                status = str(response.status)
                raise CannotFetch("%(url)s answered with %(status)s.", url=url, status=status)
            return self._read(url, response, over)

    def _read(self, url: str, response: urllib3.BaseHTTPResponse, over: threading.Event) -> bytes:
        body = bytearray()
        while chunk := response.read(_CHUNK):
            body += chunk
            if len(body) > self._max_bytes:
                raise CannotFetch("%(url)s is larger than what Assay fetches.", url=url)
        if over.is_set():
            raise CannotFetch("%(url)s took too long.", url=url)
        return bytes(body)

    def _where(self, url: str) -> Place:
        place = read_place(url)
        if place is None:
            raise CannotFetch("“%(url)s” is not a web address.", url=url[:200])
        if f"http://{place.netloc}" in self._allowed:
            port = urlsplit(url).port or default_port("http")
            return replace(place, scheme="http", port=port)
        if place.scheme == "http":
            raise CannotFetch("%(url)s is not on https.", url=url)
        return place

    def _address(self, url: str, place: Place) -> str:
        """The one checked IP address to connect to. A name with any private address is refused."""
        found = self._resolve(place.host, place.port)
        if not found or (place.origin not in self._allowed and not all(map(is_public, found))):
            raise CannotFetch("%(url)s is not at a public address.", url=url)
        return found[0]

    def _remembered(self, url: str) -> bytes | None:
        with self._lock:
            until, body = self._kept.get(url, (0.0, b""))
            return body if until > time.monotonic() else None

    def _remember(self, url: str, body: bytes) -> None:
        with self._lock:
            self._kept[url] = (time.monotonic() + self._keep_seconds, body)
            self._kept.move_to_end(url)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


def _unfetched(url: str, error: Exception) -> CannotFetch:
    """Why nothing came, in words where it is one of the common reasons."""
    if isinstance(error, socket.gaierror):
        return CannotFetch("%(url)s could not be fetched: no machine has this name.", url=url)
    if isinstance(error, TimeoutError):
        return CannotFetch("%(url)s could not be fetched: no answer came in time.", url=url)
    why = type(error).__name__
    return CannotFetch("%(url)s could not be fetched (%(why)s).", url=url, why=why)
