"""The `assay` command. Each subcommand is a module here with `add_arguments` and `run`.

Only the module of the command that was asked for is loaded, so that `assay verify` is quick.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from app.settings import SettingsError
from storage.errors import AssayError

COMMANDS = {
    "up": "start everything: engines, web, relay, sweeper and workers",
    "web": "answer requests",
    "relay": "hand promised work to the queue",
    "sweeper": "watch over what is due",
    "worker": "do the work of one queue",
    "init": "set up the institution and its first administrator",
    "migrate": "bring the database to this version",
    "doctor": "say how everything is, and what to do about what is not well",
    "demo": "walk one whole case, as all of its people, on real files",
    "verify": "check a credential and the evidence it names",
    "export": "write a credential with all that is needed to check it offline",
    "keys": "list, rotate and reseal the signing keys, or sign everything anew",
    "vault": "copy the kept files to another store, verifying as it goes",
    "fsck": "compare what is written with what is stored, both ways",
}
WRONG_USE = 2


class Subcommand(Protocol):
    """What a module in this folder offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's own arguments."""
        ...

    def run(self, args: argparse.Namespace) -> int:
        """Do it; the exit code."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code. What went wrong is told in one line or a list."""
    words = list(sys.argv[1:] if argv is None else argv)
    args = _parser(words).parse_args(words)
    try:
        return load(args.command).run(args)
    except (AssayError, SettingsError) as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        return 130


def load(command: str) -> Subcommand:
    """The module of a command."""
    return cast(Subcommand, import_module(f"app.cli.{command}"))


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="assay", description="Recognition of prior learning, from the file to the credential."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = next((word for word in words if not word.startswith("-")), "")
    for name, meaning in COMMANDS.items():
        each = commands.add_parser(name, help=meaning, description=meaning.capitalize() + ".")
        if name == chosen:
            load(name).add_arguments(each)
    return parser
