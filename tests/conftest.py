"""What every test may ask for."""

pytest_plugins = [
    "tests.fixtures.engines",
    "tests.fixtures.vault",
    "tests.fixtures.store_line",
    "tests.fixtures.clamd",
    "tests.fixtures.recall",
    "tests.fixtures.intake",
    "tests.fixtures.api",
    "tests.fixtures.invariants",
    "tests.fixtures.web",
    "tests.fixtures.story",
]
