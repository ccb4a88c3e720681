"""A gunicorn worker whose threads begin a request only when it is there.

Gunicorn gives a connection a thread at its first byte, and the thread waits for the others: as many
clients as there are threads, each silent after a letter, would stop the site. Here the main loop
waits for the whole head, and for a small body too, by looking at what has arrived without taking
it. Large bodies are read in threads, in at most half of them at a time.
"""

import re
import selectors
import socket
import struct
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_SECONDS = 10.0
"""How long a request's head and small body may take to arrive."""
SILENCE_SECONDS = 20
"""How long a thread waits for the next bytes, or for the client to take some."""
LARGEST_HEAD = 32 * 1024
SMALL_BODY = 16 * 1024
LOOK = LARGEST_HEAD + SMALL_BODY
END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
UNTOLD = re.compile(rb"\r\n(transfer-encoding|expect):", re.IGNORECASE)
"""A body whose size nobody knows, or that comes only when it is asked for."""
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def awaited(arrived: bytes) -> int:
    """How many bytes must have arrived before a thread begins; no more than `arrived`: now."""
    end = arrived.find(END)
    if end < 0:
        return len(arrived) + 1 if len(arrived) < LARGEST_HEAD else 0
    length = LENGTH.search(arrived, 0, end + 2)
    if length is None or is_large(arrived):
        return 0
    return end + len(END) + int(length[1])


def is_large(arrived: bytes) -> bool:
    """Whether a thread will have to wait for this request's body."""
    end = arrived.find(END)
    if end < 0:
        return False
    length = LENGTH.search(arrived, 0, end + 2)
    untold = UNTOLD.search(arrived, 0, end + 2) is not None
    return untold or (length is not None and int(length[1]) > SMALL_BODY)


class Arriving(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A connection on which a request is about to arrive."""

    seen = 0
    large = False

    def init(self) -> None:
        """Let no thread wait for this client for long."""
        super().init()
        patience = struct.pack("ll", SILENCE_SECONDS, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """The thread worker of gunicorn, which waits for slow clients in its main loop."""

    def init_process(self) -> None:
        """Begin with nobody waiting."""
        self.arriving: dict[Arriving, None] = {}
        self.queued: deque[Arriving] = deque()
        self.reading = 0
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and wait for its request."""
        with suppress(BlockingIOError, ConnectionAbortedError):
            client, address = listener.accept()
            self.nr_conns += 1
            self._wait_for(Arriving(self.cfg, client, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Arriving, client: socket.socket) -> None:
        """The next request of a connection that was kept begins to arrive."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._wait_for(conn)

    def finish_request(self, conn: Arriving, fs: "Future[object]") -> None:
        """A thread is free again: for a large request, if one waits."""
        if conn.large:
            conn.large = False
            self.reading -= 1
        super().finish_request(conn, fs)
        self._begin_queued()

    def murder_pending(self) -> None:
        """Let go of those who took too long."""
        super().murder_pending()
        now = time.monotonic()
        for conn in [one for one in self.arriving if one.timeout <= now]:
            self._stop_waiting(conn)
            if conn.seen:
                with suppress(OSError):
                    conn.sock.send(TOO_SLOW)
            self._let_go(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """A worker that ends waits no longer for those either."""
        super()._cap_keepalive(deadline)
        for conn in self.arriving:
            conn.timeout = min(conn.timeout, deadline)

    def _wait_for(self, conn: Arriving) -> None:
        conn.sock.setblocking(False)
        conn.seen = 0
        conn.timeout = time.monotonic() + HEAD_SECONDS
        self.arriving[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._look, conn))

    def _look(self, conn: Arriving, _client: socket.socket) -> None:
        """See what has arrived, and leave it where it is."""
        try:
            arrived = conn.sock.recv(LOOK, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            arrived = b""
        needed = awaited(arrived)
        # readable without anything new: the client has said its last word
        if arrived and needed > len(arrived) > conn.seen:
            conn.seen = len(arrived)
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, needed)
            return
        self._stop_waiting(conn)
        if not arrived:
            self._let_go(conn)
            return
        conn.data_ready = True
        conn.large = is_large(arrived)
        if conn.large:
            self.queued.append(conn)
            self._begin_queued()
        else:
            self.enqueue_req(conn)

    def _begin_queued(self) -> None:
        """Give threads to requests with large bodies, as long as half of them stay free."""
        while self.queued and self.reading < max(1, self.cfg.threads // 2):
            self.reading += 1
            self.enqueue_req(self.queued.popleft())

    def _stop_waiting(self, conn: Arriving) -> None:
        del self.arriving[conn]
        self.poller.unregister(conn.sock)
        with suppress(OSError):
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)

    def _let_go(self, conn: Arriving) -> None:
        self.nr_conns -= 1
        conn.close()
