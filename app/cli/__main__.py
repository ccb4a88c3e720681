"""`python -m app.cli` is `assay`."""

import sys

from app.cli import main

sys.exit(main())
