"""`assay worker QUEUE`: do the work of one queue, one job at a time."""

import argparse

from app.cli.part import run_part
from app.jobs.queues import QUEUES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the queue."""
    parser.add_argument("queue", choices=QUEUES)


def run(args: argparse.Namespace) -> int:
    """Run until told to stop; a job that is under way is finished first."""
    from app.jobs import worker

    return run_part(lambda container: worker.run_forever(container, str(args.queue)))
