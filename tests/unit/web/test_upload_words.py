"""Figures beside an upload: sizes and the time that is left, as the page's own modules say them."""

import shutil
import subprocess

import pytest

from tests.fixtures.shared import ROOT

UPLOAD = ROOT / "app/static/js/upload"
SIZES = """
globalThis.document = { documentElement: { lang: "en" } };
const { size } = await import("./words.js");
console.log([0, 1, 999, 1500].map(size).join("; "));
"""
SPEED = """
const { Speed } = await import("./speed.js");
let now = 0;
performance.now = () => now;
const speed = new Speed();
const seen = (at, sent) => { now = at; speed.seen(sent); };
seen(0, 0);
seen(3000, 30);
const before = speed.secondsFor(70);
speed.rest();
seen(6000, 30);
const unsure = speed.secondsFor(70);
seen(9000, 60);
console.log(before, unsure, speed.secondsFor(40));
"""


def said(script: str) -> str:
    """What a script beside the modules of the upload prints."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    command = [node, "--input-type=module", "--eval", script]
    return subprocess.run(command, cwd=UPLOAD, capture_output=True, text=True, check=True).stdout


def test_sizes_are_said_in_units_of_people() -> None:
    assert said(SIZES) == "0 bytes; 1 byte; 999 bytes; 1.5 kB\n"


def test_a_pause_does_not_count_for_the_time_that_is_left() -> None:
    assert said(SPEED) == "7 null 4\n"
