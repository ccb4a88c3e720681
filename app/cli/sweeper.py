"""`assay sweeper`: watch over what is due."""

import argparse

from app.cli.part import run_part


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`assay sweeper` takes none: settings are in the environment."""
    del parser


def run(args: argparse.Namespace) -> int:
    """Run until told to stop."""
    del args
    from app.jobs import sweeper

    return run_part(sweeper.run_forever)
