"""`assay web`: the web process. One process with threads; its requests mostly wait for engines.

Waitress reads a request whole before a thread begins with it, so slow clients hold up nobody.
"""

import argparse
import signal
import sys
from types import FrameType

from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from app import create_app, logs
from app.cli.bodies import refuse_in_own_words
from app.cli.surroundings import settings_of_a_part
from app.container import build
from app.settings import Settings
from workflows.evidence.small_files import SMALL_FILE

SILENCE_SECONDS = 20
"""How long a client may say nothing in the middle of a request, or between two."""
MOST_CONNECTIONS = 1000
LARGEST_HEAD = 32 * 1024
LARGEST_BODY = SMALL_FILE + 5_000_000
"""More than any page takes; most take far less, and say so themselves."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`assay web` takes none: settings are in the environment."""
    del parser


def run(args: argparse.Namespace) -> int:
    """Answer requests until told to stop; those that have begun are finished first."""
    del args
    settings = settings_of_a_part()
    logs.configure(settings.log_level)
    signal.signal(signal.SIGTERM, _leave)
    _server(settings).run()
    return 0


def _leave(number: int, frame: FrameType | None) -> None:
    """What waitress takes for a wish to end."""
    del number, frame
    sys.exit(0)


def _server(settings: Settings) -> BaseWSGIServer | MultiSocketServer:
    refuse_in_own_words()
    return create_server(
        create_app(build(settings)),
        host=settings.host,
        port=settings.port,
        threads=settings.web_threads,
        connection_limit=MOST_CONNECTIONS,
        channel_timeout=SILENCE_SECONDS,
        cleanup_interval=5,
        max_request_header_size=LARGEST_HEAD,
        max_request_body_size=LARGEST_BODY,
        asyncore_use_poll=True,
        # nothing to tell strangers of what runs here
        ident=None,
        # read by werkzeug's ProxyFix where proxies are trusted, and by nobody else
        clear_untrusted_proxy_headers=settings.trusted_proxies == 0,
    )
