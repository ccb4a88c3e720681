"""Recording as a person does it: with a camera that shows a test picture, over a bad line."""

import re

import pytest

from storage.vault import SMALLEST_PART
from tests.browser.acts import open_case
from tests.browser.test_upload import LEARNER, Line, Parts, line_of, wait
from tests.browser.visitor import Street, Visitor

pytestmark = pytest.mark.browser

CREDENTIAL = "IT support: incident handling, backup and user communication"
MIB = 1024**2
# a recorder that gives a mebibyte at a time, so that parts are full in a moment
QUICK = """
const MAGIC = new Uint8Array([0x1a, 0x45, 0xdf, 0xa3, 0x42, 0x82, 0x84, 0x77, 0x65, 0x62, 0x6d]);
globalThis.MediaRecorder = class extends EventTarget {
  static isTypeSupported(type) { return type === 'video/webm'; }
  state = 'inactive';
  given = 0;
  start() { this.state = 'recording'; this.timer = setInterval(() => this.give(), 100); }
  pause() { this.state = 'paused'; }
  resume() { this.state = 'recording'; }
  give() {
    if (this.state !== 'recording' || this.given >= MOST) return;
    const bytes = new Uint8Array(1024 * 1024).fill(this.given + 1);
    if (!this.given) bytes.set(MAGIC);
    this.given += 1;
    this.dispatchEvent(Object.assign(new Event('dataavailable'), { data: new Blob([bytes]) }));
  }
  stop() {
    clearInterval(this.timer);
    this.state = 'inactive';
    this.dispatchEvent(new Event('stop'));
  }
};
"""
NOT_ALLOWED = """
navigator.mediaDevices.getUserMedia = async () => {
  throw new DOMException('no', 'NotAllowedError');
};
"""


@pytest.fixture(scope="module")
def case(whole_street: Street) -> str:
    """The path of a case that takes evidence."""
    return open_case(whole_street.person(LEARNER), CREDENTIAL)


@pytest.fixture
def joy(street: Street) -> Visitor:
    """The learner."""
    return street.person(LEARNER)


def begin(joy: Visitor, case: str) -> None:
    joy.open(f"{case}/record").tap("Switch on").tap("Start recording")
    joy.says("recorded,")


def arrived(joy: Visitor) -> bool:
    return "Sealed" in line_of(joy, "Recording")


def test_what_the_camera_sees_and_the_microphone_hears_is_recorded_and_sealed(
    joy: Visitor, case: str
) -> None:
    joy.open(f"{case}/record").tap("Switch on")
    level = joy.page.locator("[data-record-level]")
    wait(joy, lambda: float(level.evaluate("meter => meter.value")) > 0, "it hears something")
    assert joy.page.locator("[data-record-preview]").evaluate("video => video.videoWidth") > 0
    joy.look()
    joy.tap("Start recording")
    wait(joy, lambda: "00:02" in joy.main(), "two seconds have passed")
    joy.tap("Pause").says("Paused")
    joy.tap("Go on")
    wait(joy, lambda: "00:03" in joy.main(), "the clock goes on")
    joy.tap("Stop and keep it")
    wait(joy, lambda: arrived(joy), "it is sealed")
    joy.press(re.compile("^Describe “Recording"))
    assert joy.page.locator(".receipt .digest").count() == 1


def test_parts_are_sent_while_it_is_being_taken(joy: Visitor, case: str) -> None:
    joy.page.add_init_script(f"const MOST = 12; {QUICK}")
    parts = Parts(joy.page)
    begin(joy, case)
    wait(joy, lambda: parts.taken == [1, 2], "two parts were sent")
    joy.says("12.6 MB recorded")
    joy.tap("Stop and keep it")
    wait(joy, lambda: arrived(joy), "it is sealed")
    assert parts.taken == [1, 2, 3]
    assert "12.6 MB" in line_of(joy, "Recording")


def test_a_line_that_is_down_loses_nothing_of_it(street: Street, joy: Visitor, case: str) -> None:
    joy.page.add_init_script(f"const MOST = 11; {QUICK}")
    line, parts = Line(joy.page, 0), Parts(joy.page)
    begin(joy, case)
    wait(joy, lambda: len(line.held) == 1, "the first part waits")
    joy.says("11.5 MB recorded")
    joy.tap("Stop and keep it")
    with street.watch.expecting(0):
        line.mend()
        wait(joy, lambda: arrived(joy), "it is sealed")
    assert parts.taken == [1, 2, 3]
    street.watch.faults = [each for each in street.watch.faults if "PUT" not in each]


def test_after_a_crash_of_the_tab_the_recording_is_finished_with_all_that_was_taken(
    joy: Visitor, case: str
) -> None:
    joy.page.add_init_script(f"const MOST = 13; {QUICK}")
    line, parts = Line(joy.page, 1), Parts(joy.page)
    begin(joy, case)
    wait(joy, lambda: parts.recorded == 1, "one part is there")
    joy.says("13.6 MB recorded")
    joy.page.wait_for_timeout(500)
    joy.page.goto("about:blank")
    line.mend()
    assert "was not brought to its end" in joy.open(case).main()
    joy.open(f"{case}/record").says("Begun")
    joy.look()
    joy.tap("Finish this recording")
    wait(joy, lambda: arrived(joy), "it is sealed")
    assert parts.taken == [1, 2, 3]
    assert f"{13 * MIB / 1e6:.1f} MB" in line_of(joy, "Recording")


def test_another_device_finishes_it_with_what_is_there_or_throws_it_away(
    street: Street, joy: Visitor, case: str
) -> None:
    joy.page.add_init_script(f"const MOST = 6; {QUICK}")
    parts = Parts(joy.page)
    for act in ("finish", "throw away"):
        begin(joy, case)
        wait(joy, lambda: parts.recorded == 1, "one part is there")
        joy.page.goto("about:blank")
        phone = street.person(LEARNER, phone=True).open(f"{case}/record")
        phone.says("of it are with us")
        if act == "finish":
            phone.tap("Finish this recording")
            wait(phone, lambda: arrived(phone), "it is sealed")  # noqa: B023
            assert f"{SMALLEST_PART / 1e6:.1f} MB" in line_of(phone, "Recording")
        else:
            phone.tap("Throw away").tap("Throw it away for good")
            wait(phone, lambda: "with us" not in phone.main(), "it is gone")  # noqa: B023
        parts.recorded = 0


def test_what_was_not_allowed_is_said_in_words(joy: Visitor, case: str) -> None:
    joy.page.add_init_script(NOT_ALLOWED)
    joy.open(f"{case}/record").tap("Switch on")
    joy.says("The browser was not allowed to use it")
    assert joy.control("Switch on").is_enabled()


def test_one_is_warned_before_leaving_a_recording(joy: Visitor, case: str) -> None:
    asked: list[str] = []
    joy.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    begin(joy, case)
    joy.page.evaluate("setTimeout(() => location.assign('/my'))")
    wait(joy, lambda: asked == ["beforeunload"], "the browser asks")
    joy.tap("Stop and keep it")
    wait(joy, lambda: arrived(joy), "it is sealed")
