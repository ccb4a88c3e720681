"""Ways out of the house for mail: SMTP, and staying in the database for the demo's mailbox page."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from storage.clock import Clock
from storage.errors import InvalidInput, Unavailable
from workflows.ports import Mailer, Message

TIMEOUT_SECONDS = 20
AWAY = "The mail server does not answer. The mail waits and is tried again."
REFUSED = "The mail server refuses this mail for good."


class KeptMailer:
    """Sends nothing: the mail stays in the database, where the demo's mailbox page shows it."""

    keeps = True

    def send(self, message: Message) -> None:
        """The mail is where it should be already."""


class SmtpMailer:
    """Sends by SMTP. `url` is `smtp://user:password@host:port`, or `smtps://…` for TLS at once."""

    keeps = False

    def __init__(self, url: str, sender: str, clock: Clock) -> None:
        self._url = urlsplit(url)
        self._sender = sender
        self._clock = clock

    def send(self, message: Message) -> None:
        """Send it. Raises Unavailable (server away or busy) and InvalidInput (refused for good)."""
        try:
            with self._connection() as server:
                server.send_message(self._letter(message))
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _refusal(max(codes, default=0)) from error
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            raise _refusal(error.smtp_code) from error
        except smtplib.SMTPNotSupportedError as error:
            raise InvalidInput(REFUSED) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(AWAY) from error

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = self._sender
        letter["To"] = message.recipient
        letter["Subject"] = message.subject
        letter["Date"] = format_datetime(self._clock.now())
        letter["Message-ID"] = f"<{message.message_id}@{_domain(self._sender)}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.body)
        return letter

    def _connection(self) -> smtplib.SMTP:
        host, context = self._url.hostname or "localhost", ssl.create_default_context()
        if self._url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, self._url.port or 465, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(host, self._url.port or 587, timeout=TIMEOUT_SECONDS)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
        if self._url.username:
            server.login(unquote(self._url.username), unquote(self._url.password or ""))
        return server


def mailer_for(smtp_url: str, sender: str, clock: Clock) -> Mailer:
    """The mailer that the settings ask for: SMTP where there is an address, else the mailbox."""
    return SmtpMailer(smtp_url, sender, clock) if smtp_url else KeptMailer()


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _refusal(code: int) -> Unavailable | InvalidInput:
    """5xx is for good, anything else may pass."""
    return InvalidInput(REFUSED) if 500 <= code < 600 else Unavailable(AWAY)
