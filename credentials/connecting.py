"""Connections to addresses that strangers name, and what keeps them from reaching our own house.

An address is resolved once, every address behind the name must be public, and the connection goes
to what was resolved and checked, so a name cannot change its mind between. A connection ends when
its time is over, whatever it is doing. What is asked over it is the caller's to say.
"""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection

_PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
"""All that is given out to the public internet (RFC 4291, section 2.4). What lies outside leads to
an IPv4 address (`::10.0.0.7`, `64:ff9b::a00:7`), to one's own site (`fec0::1`), or nowhere."""
_GATEWAY = ipaddress.IPv6Network("2002::/16")
"""Behind it any IPv4 address, a private one too, may stand."""

Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True)
class Place:
    """A web address in its parts; `netloc` is host and port as they were written."""

    scheme: str
    host: str
    port: int
    netloc: str
    target: str

    @property
    def origin(self) -> str:
        """Scheme, host and port as they were written."""
        return f"{self.scheme}://{self.netloc}"


def read_place(url: str) -> Place | None:
    """The parts of an http or https address without a user's name in it; None for all else."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.scheme not in ("http", "https") or parts.username is not None:
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, host, port or default_port(parts.scheme), parts.netloc, target)


def default_port(scheme: str) -> int:
    """The port of a scheme where the address names none."""
    return 443 if scheme == "https" else 80


def resolve_host(host: str, port: int) -> list[str]:
    """The IP addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, and nothing else can stand behind it."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return ip in _PUBLIC_IPV6 and ip not in _GATEWAY and ip.is_global
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast


def is_loopback(address: str) -> bool:
    """Whether an IP address is this machine itself."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def connection_to(
    place: Place, address: str, *, timeout: float, ca_file: str | None = None
) -> HTTPConnection:
    """A connection, not yet opened, to one checked IP address, for the host that the place names.

    Over https the certificate must be the host's.
    """
    if place.scheme == "http":
        return HTTPConnection(address, place.port, timeout=timeout)
    return HTTPSConnection(
        address,
        place.port,
        timeout=timeout,
        cert_reqs="CERT_REQUIRED",
        ca_certs=ca_file or certifi.where(),
        server_hostname=place.host,
        assert_hostname=place.host,
    )


@contextlib.contextmanager
def opened(connection: HTTPConnection, seconds: float) -> Iterator[threading.Event]:
    """The connection, open for so long at most and closed at the end. The event says that its time
    was over. Raises what connecting raises."""
    over = threading.Event()
    sockets: list[socket.socket] = []
    watchdog = threading.Timer(seconds, _hang_up, [connection, sockets, over])
    watchdog.daemon = True
    watchdog.start()
    try:
        connection.connect()
        sockets.append(connection.sock)
        yield over
    finally:
        watchdog.cancel()
        connection.close()


def _hang_up(
    connection: HTTPConnection, sockets: list[socket.socket], over: threading.Event
) -> None:
    """End a connection whose time is over, in whatever it is doing (a slow header, say).

    While it connects the connection has the socket; later it may have handed it to the response.
    """
    over.set()
    for held in [*sockets, connection.sock]:
        with contextlib.suppress(OSError, AttributeError):
            held.shutdown(socket.SHUT_RDWR)
