"""Request bodies that are larger than any page takes: refused in the application's own words.

Waitress alone would answer them with three bare words. Here such a body is read to its end and
forgotten as it comes, so that it costs neither memory nor disk and the browser is ready to read
the answer; then the application is asked, which sees the length and refuses it before it reads.
"""

from io import BytesIO
from typing import Final

from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import RequestEntityTooLarge

MOST_FORGOTTEN: Final = 150_000_000
"""So much is read to be forgotten; what is longer is answered at once, whoever listens then."""


def refuse_in_own_words() -> None:
    """Have waitress, in this process, leave bodies that are too large to the application."""
    HTTPChannel.parser_class = PatientParser


class PatientParser(HTTPRequestParser):
    """Reads a request; of a body that is too large it keeps nothing but its length."""

    too_large = False

    def received(self, data: bytes) -> int:
        """Take so many bytes of what came."""
        consumed = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            self.error = None
            self._begin_to_forget()
        if self.too_large:
            self.completed = self.error is not None or self._is_over()
        return consumed

    def _begin_to_forget(self) -> None:
        if self.too_large or self.body_rcv is None:
            return
        self.too_large = True
        self.body_rcv.buf.close()
        self.body_rcv.buf = _Nothing(0)
        self.headers = {**self.headers, "CONNECTION": "close"}

    def _is_over(self) -> bool:
        length = max(self.content_length, self.body_bytes_received)
        asks_first = self.expect_continue and not self.body_bytes_received
        ended = self.body_rcv is None or self.body_rcv.completed
        over = asks_first or ended or length > MOST_FORGOTTEN
        if over:
            self.expect_continue = False
            told = max(length, self.adj.max_request_body_size)
            self.headers = {**self.headers, "CONTENT_LENGTH": str(told)}
        return over


class _Nothing(OverflowableBuffer):
    """Keeps nothing of what is put into it."""

    def append(self, s: bytes) -> None:
        """Forget it."""

    def getfile(self) -> BytesIO:
        """A file without anything in it."""
        return BytesIO()
