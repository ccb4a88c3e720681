"""What every test may ask for."""

import pytest

pytest_plugins = [
    "tests.fixtures.engines",
    "tests.fixtures.vault",
    "tests.fixtures.clamd",
    "tests.fixtures.recall",
    "tests.fixtures.intake",
    "tests.fixtures.web",
    "tests.fixtures.story",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run in several processes, keep a file in one of them, and all browser tests.

    What a file, or the browser's one installation, sets up once is then set up once.
    """
    for item in items:
        file = item.nodeid.split("::")[0]
        group = "browser" if file.startswith("tests/browser/") else file
        item.add_marker(pytest.mark.xdist_group(group))
