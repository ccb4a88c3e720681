"""A large file over a line that breaks ten times, with a reload: little of it travels twice.

`ASSAY_UPLOAD_TEST_MB` says how large; what the suite sends keeps it quick. A break costs the same
whatever the file, so what may travel twice is five percent of a gigabyte for any file up to that.
"""

import os
from pathlib import Path

import pytest

from tests.browser.acts import open_case
from tests.browser.test_upload import MIB, choose, file_of, sealed
from tests.browser.visitor import Street

pytestmark = pytest.mark.browser

LEARNER = "Marek Nowak"
CREDENTIAL = "IT support: incident handling, backup and user communication"
SIZE = int(os.environ.get("ASSAY_UPLOAD_TEST_MB", "160")) * MIB
CUTS = 10
# uneven, so that not every break comes at the same place within a part
PLACES = [(number + number * 0.618 % 1 / 2) / (CUTS + 1.5) for number in range(1, CUTS + 1)]
PACE = 8e6
"""Bytes a second, as a good line of a phone: what a break costs is what is on its way then."""
MOST_TWICE = 0.05 * max(SIZE, 1024 * MIB)
ROUNDS = 600


def test_ten_cuts_and_a_reload_cost_less_than_five_percent_of_a_gigabyte(
    street: Street, tmp_path: Path
) -> None:
    path = file_of(tmp_path, "a long video.pdf", SIZE)
    joy = street.person(LEARNER)
    joy.open(case := open_case(joy, CREDENTIAL))
    line = street.house.line
    start, cuts = line.carried, line.cuts
    line.pace = PACE
    line.cut_at = [start + int(SIZE * place) for place in PLACES]
    choose(joy, path)
    reloaded = False
    for _ in range(ROUNDS):
        joy.page.wait_for_timeout(500)
        if not reloaded and line.cuts >= cuts + CUTS // 2:
            reloaded = True
            joy.page.goto("about:blank")
            choose(joy.open(case), path)
        if sealed(joy, path):
            break
    line.pace = None
    street.watch.faults = [each for each in street.watch.faults if "PUT" not in each]
    assert sealed(joy, path), joy.main()
    assert reloaded
    assert line.cuts == cuts + CUTS
    twice = line.carried - start - SIZE
    print(f"{SIZE / MIB:.0f} MiB, {twice / MIB:.1f} MiB twice: {100 * twice / SIZE:.2f} %")
    assert twice < MOST_TWICE
