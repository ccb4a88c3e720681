"""`assay up`: everything on one machine, in the order in which it is needed; ended in reverse."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from app.cli.children import Children
from app.cli.migrate import prepare
from app.cli.surroundings import obstacles, say, whole_environment
from app.engines import stack
from app.engines.engine import EngineFailed
from app.engines.state import make_folder
from app.jobs.queues import QUEUES
from app.settings import Settings

READY_SECONDS = 90.0
LOOK_SECONDS = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`assay up` takes none: settings are in the environment."""
    del parser


def run(args: argparse.Namespace) -> int:
    """Start everything, watch over it, and end it on Ctrl-C or SIGTERM."""
    del args
    env = whole_environment({"ASSAY_ENV": "demo", **os.environ})
    settings = Settings.from_env(env)
    if found := obstacles(settings):
        print("\n".join(map(str, found)), file=sys.stderr)
        return 1
    with _ended_by_signals(), ExitStack() as ending:
        try:
            _start(settings, env, ending)
        except KeyboardInterrupt:
            say("Stopping…")
            # nothing may disturb the end
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
    say("Everything has ended.")
    return 0


def _start(settings: Settings, env: dict[str, str], ending: ExitStack) -> None:
    began = time.monotonic()
    say(f"Starting Assay; its state is in {settings.home}")
    engines = stack.start(settings.home, env, say)
    ending.callback(engines.stop)
    say(f"Engines are ready after {engines.seconds:.1f} s")
    env = env | engines.addresses
    settings = Settings.from_env(env)
    prepare(settings, say)
    if settings.demo:
        load_demo(settings)
    children = Children(make_folder(settings.home / "parts"), env)
    ending.callback(children.stop)
    for name, words in parts().items():
        children.start(name, *words)
    say(f"Started {', '.join(parts())}; their logs are in {children.home}")
    _wait_until_ready(settings, children)
    say(f"Assay is ready at {_address(settings)}")
    say(f"(after {time.monotonic() - began:.1f} s; Ctrl-C ends it)")
    _watch(engines, children)


def parts() -> Mapping[str, tuple[str, ...]]:
    """The processes beside the engines: their names and the words of their commands."""
    workers = {f"worker-{queue}": ("worker", queue) for queue in QUEUES}
    return {"web": ("web",), "relay": ("relay",), "sweeper": ("sweeper",), **workers}


def load_demo(settings: Settings) -> None:
    """Load what is missing of the demo institution."""
    from app.cli import demo_data
    from app.container import build

    say("Looking after the demo institution…")
    container = build(settings)
    try:
        demo_data.load(container)
    finally:
        container.close()


def _watch(engines: stack.Stack, children: Children) -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            engines.revive(say)
        except EngineFailed as error:
            say(str(error))
        children.watch(say)


def _wait_until_ready(settings: Settings, children: Children) -> None:
    """Return when the web says that it is able to work and every other part runs."""
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(f"{_address(settings)}/readyz") or children.down():
        children.watch(say)
        if time.monotonic() > deadline:
            down = ", ".join(children.down()) or "web"
            raise EngineFailed(
                f"Not ready within {READY_SECONDS:.0f} s: {down}. The logs are in "
                f"{children.home}; `assay doctor` may tell more."
            )
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _address(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    return f"http://{host}:{settings.port}"


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the block just as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
