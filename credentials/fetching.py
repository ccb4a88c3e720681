"""The ways a verifier gets remote documents: one guarded fetcher, or an offline bundle.

`RemoteFetcher` is the only code of this room that opens a connection. It speaks https to public
addresses, follows no redirect, and stops at limits of size and time. The address is resolved once
and the connection goes to what was resolved and checked, so a name cannot change its mind between.
"""

import contextlib
import ipaddress
import json
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import urlsplit

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from credentials.errors import CannotFetch

ACCEPT = (
    "application/vc, application/did+json, application/ld+json, application/json, "
    "application/vc+jwt;q=0.9, application/jwt;q=0.9, image/*;q=0.5, application/pdf;q=0.4"
)
_CHUNK = 64 * 1024
_KEPT = 32
_HEADERS = {"Accept": ACCEPT, "Accept-Encoding": "identity", "User-Agent": "Assay"}
_GATEWAYS = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")))
"""IPv6 ranges behind which any IPv4 address, a private one too, may stand."""


class Fetcher(Protocol):
    """Gives the bytes of a document at an address. Raises CannotFetch, and nothing else."""

    def __call__(self, url: str, /) -> bytes: ...


Resolve = Callable[[str, int], list[str]]


def resolve_host(host: str, port: int) -> list[str]:
    """The IP addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


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
            raise CannotFetch(
                "%(url)s could not be fetched (%(why)s).", url=url, why=type(error).__name__
            ) from None
        self._remember(url, body)
        return body

    def _get(self, url: str) -> bytes:
        scheme, host, port, target = self._where(url)
        address = self._address(url, scheme, host, port)
        connection = self._connection(scheme, host, port, address)
        deadline = time.monotonic() + self._timeout
        sockets: list[socket.socket] = []
        watchdog = threading.Timer(self._timeout, _hang_up, [connection, sockets])
        watchdog.daemon = True
        watchdog.start()
        try:
            connection.connect()
            sockets.append(connection.sock)
            headers = {**_HEADERS, "Host": urlsplit(url).netloc}
            connection.request(
                "GET", target, headers=headers, preload_content=False, decode_content=False
            )
            response = connection.getresponse()
            if response.status != 200:
                status = str(response.status)
                raise CannotFetch("%(url)s answered with %(status)s.", url=url, status=status)
            return self._read(url, response, deadline)
        finally:
            watchdog.cancel()
            connection.close()

    def _read(self, url: str, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        body = bytearray()
        while chunk := response.read(_CHUNK):
            body += chunk
            if len(body) > self._max_bytes:
                raise CannotFetch("%(url)s is larger than what Assay fetches.", url=url)
        if time.monotonic() > deadline:
            raise CannotFetch("%(url)s took too long.", url=url)
        return bytes(body)

    def _where(self, url: str) -> tuple[str, str, int, str]:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in ("http", "https") or parts.username is not None:
            raise CannotFetch("“%(url)s” is not a web address.", url=url[:200])
        scheme = "http" if f"http://{parts.netloc}" in self._allowed else parts.scheme
        if scheme == "http" and f"http://{parts.netloc}" not in self._allowed:
            raise CannotFetch("%(url)s is not on https.", url=url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return scheme, host, port or (443 if scheme == "https" else 80), target

    def _address(self, url: str, scheme: str, host: str, port: int) -> str:
        """The one checked IP address to connect to. A name with any private address is refused."""
        found = self._resolve(host, port)
        origin = f"{scheme}://{urlsplit(url).netloc}"
        if not found or (origin not in self._allowed and not all(map(_is_public, found))):
            raise CannotFetch("%(url)s is not at a public address.", url=url)
        return found[0]

    def _connection(self, scheme: str, host: str, port: int, address: str) -> HTTPConnection:
        if scheme == "http":
            return HTTPConnection(address, port, timeout=self._timeout)
        return HTTPSConnection(
            address,
            port,
            timeout=self._timeout,
            cert_reqs="CERT_REQUIRED",
            ca_certs=self._ca_file,
            server_hostname=host,
            assert_hostname=host,
        )

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


def _hang_up(connection: HTTPConnection, sockets: list[socket.socket]) -> None:
    """End a connection whose time is over, in whatever it is doing (a slow header, say).

    While it connects the connection has the socket; later it may have handed it to the response.
    """
    for held in [*sockets, connection.sock]:
        with contextlib.suppress(OSError, AttributeError):
            held.shutdown(socket.SHUT_RDWR)


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in _GATEWAYS):
            return False
        ip = ip.ipv4_mapped or ip
    return ip.is_global and not ip.is_multicast
