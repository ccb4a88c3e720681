"""What people see and do: the web, the jobs, the command line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.container import Container


def create_app(container: "Container") -> "Flask":
    """The web over these parts. What it is made of is loaded only now: commands start faster."""
    from app.web.application import assemble

    return assemble(container)
