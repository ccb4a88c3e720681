"""`assay relay`: hand promised work to the queue."""

import argparse

from app.cli.part import run_part


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`assay relay` takes none: settings are in the environment."""
    del parser


def run(args: argparse.Namespace) -> int:
    """Run until told to stop."""
    del args
    from app.jobs import relay

    return run_part(relay.run_forever)
