"""`assay web`: the web process. One process with threads; its requests mostly wait for engines."""

import argparse
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from app import logs
from app.cli.surroundings import settings_of_a_part
from app.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`assay web` takes none: settings are in the environment."""
    del parser


def run(args: argparse.Namespace) -> int:
    """Answer requests until told to stop."""
    del args
    settings = settings_of_a_part()
    logs.configure(settings.log_level)
    Server(settings).run()
    return 0


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's own words, in our log."""

    def setup(self, cfg: Any) -> None:
        """Keep gunicorn from writing in a form of its own."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn, configured by our settings and nothing else."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its options."""
        options = {
            "bind": [f"{self.settings.host}:{self.settings.port}"],
            "workers": 1,
            "worker_class": "app.cli.patient.PatientWorker",
            "threads": self.settings.web_threads,
            "timeout": 60,
            "graceful_timeout": 10,
            "keepalive": 5,
            "loglevel": self.settings.log_level,
            "logger_class": JsonLogger,
            "proc_name": "assay-web",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made after the fork so that connections are the worker's own."""
        from app import create_app
        from app.container import build

        return create_app(build(self.settings))
