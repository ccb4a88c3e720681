"""Copies what browsers need from node_modules to app/static/vendor, which is not committed."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "app" / "static" / "vendor"
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
}


def main() -> None:
    """Build the folder afresh, so that nothing of an older version stays."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for source, target in FILES.items():
        shutil.copyfile(ROOT / "node_modules" / source, VENDOR / target)
    print(f"Built {', '.join(FILES.values())} in {VENDOR.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
