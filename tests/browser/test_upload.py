"""Uploads as a person makes them: large files, bad lines, a reload in the middle, another file."""

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route

from storage.vault import SMALLEST_PART
from tests.browser.acts import open_case
from tests.browser.visitor import Street, Visitor

pytestmark = pytest.mark.browser

LEARNER = "Joy Adeyemi"
CREDENTIAL = "Cook (toward Red Seal): kitchen safety, stocks-soups-sauces and line service"
MIB = 1024**2
PART = SMALLEST_PART
PUT = re.compile(r"partNumber=(\d+)")
FLIP = """
(() => {
  const send = XMLHttpRequest.prototype.send;
  let flipped = false;
  XMLHttpRequest.prototype.send = function (body) {
    if (flipped || !(body instanceof Blob) || !body.size) return send.call(this, body);
    flipped = true;
    body.slice(0, 1).arrayBuffer().then((first) => {
      const byte = new Uint8Array(first);
      byte[0] ^= 1;
      send.call(this, new Blob([byte, body.slice(1)]));
    });
  };
})();
"""


# a file of the browser's own, which is remembered as one from the disk would be
REMEMBERED = """
globalThis.showOpenFilePicker = async () => {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle('kept.txt', { create: true });
  const writer = await handle.createWritable();
  await writer.write('a line of text\\n'.repeat(SIZE).slice(0, SIZE));
  await writer.close();
  return [handle];
};
"""


def file_of(folder: Path, name: str, size: int, seed: str = "x") -> Path:
    """A PDF by its first bytes, of this size, whose parts all differ."""
    path = folder / name
    with path.open("wb") as file:
        file.write(b"%PDF-1.7\n")
        for number in range(size // MIB + 1):
            file.write(hashlib.shake_256(f"{seed}{number}".encode()).digest(MIB))
        file.truncate(size)
    return path


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Parts:
    """Which parts a page has sent, and how each was answered."""

    def __init__(self, page: Page) -> None:
        self.taken: list[int] = []
        self.refused: list[int] = []
        self.recorded = 0
        page.on("requestfinished", self._answered)

    def _answered(self, request: Request) -> None:
        self.recorded += request.method == "PUT" and request.url.endswith("/parts")
        number = PUT.search(request.url)
        answer = request.response()
        if number and request.method == "PUT" and answer:
            (self.taken if answer.status == 200 else self.refused).append(int(number[1]))


class Line:
    """A line to the store that takes so many parts and holds all others, until it is mended."""

    def __init__(self, page: Page, parts: int) -> None:
        self.page = page
        self.left = parts
        self.held: list[Route] = []
        page.route(PUT, self._carry)

    def _carry(self, route: Route) -> None:
        if route.request.method == "PUT" and self.left <= 0:
            self.held.append(route)
            return
        self.left -= route.request.method == "PUT"
        route.continue_()

    def mend(self) -> None:
        """Let everything through again."""
        self.page.unroute(PUT)
        for route in self.held:
            with suppress(Exception):  # the page that asked may be gone
                route.abort()


def choose(learner: Visitor, *paths: Path) -> None:
    learner.page.locator("[data-upload-form] input[type=file]").set_input_files(list(paths))


def wait(learner: Visitor, happened: Callable[[], bool], what: str) -> None:
    learner.wait_until(happened, what, reload=False)


def line_of(learner: Visitor, name: str) -> str:
    """The words of an item's line in the list of the case."""
    found = learner.page.locator("[data-item]", has_text=name)
    return str(found.first.inner_text()) if found.count() else ""


def sealed(learner: Visitor, path: Path) -> bool:
    return digest_of(path)[:8] in line_of(learner, path.stem)


@pytest.fixture(scope="module")
def case(whole_street: Street) -> str:
    """The path of a case that takes evidence."""
    return open_case(whole_street.person(LEARNER), CREDENTIAL)


@pytest.fixture
def joy(street: Street, case: str) -> Visitor:
    """The learner on her case's page."""
    return street.person(LEARNER).open(case)


def test_after_a_reload_only_the_missing_parts_travel(
    joy: Visitor, case: str, tmp_path: Path
) -> None:
    path = file_of(tmp_path, "thirteen parts.pdf", 12 * PART + 1000)
    line, parts = Line(joy.page, 4), Parts(joy.page)
    choose(joy, path)
    wait(joy, lambda: parts.recorded == 4, "four parts are there")
    before = set(parts.taken)
    joy.page.goto("about:blank")
    line.mend()
    joy.open(case)
    assert "4 of 13 parts are here" in line_of(joy, "thirteen parts")
    choose(joy, path)
    wait(joy, lambda: sealed(joy, path), "the file is sealed")
    assert sorted(parts.taken) == list(range(1, 14))
    assert len(before) == 4
    assert parts.refused == []


def test_a_part_with_a_flipped_byte_is_refused_and_sent_again(
    street: Street, joy: Visitor, case: str, tmp_path: Path
) -> None:
    path = file_of(tmp_path, "flipped.pdf", 2 * PART + 1000, "f")
    joy.page.add_init_script(FLIP)
    joy.open(case)
    parts = Parts(joy.page)
    with street.watch.expecting(400):
        choose(joy, path)
        wait(joy, lambda: sealed(joy, path), "the file is sealed")
    assert len(parts.refused) == 1
    assert sorted(parts.taken) == [1, 2, 3]


def test_another_file_of_the_same_name_and_size_is_refused_in_words(
    street: Street, joy: Visitor, case: str, tmp_path: Path
) -> None:
    first = file_of(tmp_path, "same name.pdf", 3 * PART, "one")
    (tmp_path / "other").mkdir()
    other = file_of(tmp_path / "other", "same name.pdf", 3 * PART, "two")
    line, parts = Line(joy.page, 1), Parts(joy.page)
    choose(joy, first)
    wait(joy, lambda: parts.recorded == 1, "one part is there")
    joy.page.goto("about:blank")
    line.mend()
    joy.open(case)
    with street.watch.expecting(409):
        choose(joy, other)
        joy.says("This is not the file that was begun")
    joy.tap("Dismiss")
    choose(joy, first)
    wait(joy, lambda: sealed(joy, first), "the first file is sealed")


def test_the_same_file_goes_on_under_another_name_and_on_another_device(
    street: Street, joy: Visitor, case: str, tmp_path: Path
) -> None:
    first = file_of(tmp_path, "IMG 0042.pdf", 4 * PART, "device")
    renamed = tmp_path / "phone" / "Film of the shift.pdf"
    renamed.parent.mkdir()
    renamed.write_bytes(first.read_bytes())
    line, parts = Line(joy.page, 2), Parts(joy.page)
    choose(joy, first)
    wait(joy, lambda: parts.recorded == 2, "two parts are there")
    joy.page.goto("about:blank")
    line.mend()
    phone = street.person(LEARNER, phone=True).open(case)
    assert "2 of 4 parts are here" in line_of(phone, "IMG 0042")
    rest = Parts(phone.page)
    choose(phone, renamed)
    wait(phone, lambda: sealed(phone, first), "the file is sealed")
    assert sorted([*parts.taken, *rest.taken]) == [1, 2, 3, 4]
    assert line_of(phone, "Film of the shift") == ""


def test_go_on_takes_only_the_file_that_was_begun(joy: Visitor, case: str, tmp_path: Path) -> None:
    first = file_of(tmp_path, "begun.pdf", 2 * PART, "begun")
    shorter = file_of(tmp_path, "shorter.pdf", PART, "begun")
    other = file_of(tmp_path, "as long.pdf", 2 * PART, "as long")
    line, parts = Line(joy.page, 1), Parts(joy.page)
    choose(joy, first)
    wait(joy, lambda: parts.recorded == 1, "one part is there")
    joy.page.goto("about:blank")
    line.mend()
    joy.page.add_init_script("delete globalThis.showOpenFilePicker")
    go_on = joy.open(case).page.locator("[data-item]", has_text="begun").get_by_role("button")
    for wrong, words in ((shorter, "the file of 10.5 MB that was begun"), (other, "some of its")):
        with joy.page.expect_file_chooser() as chooser:
            go_on.click()
        chooser.value.set_files(wrong)
        joy.says(words)
    joy.tap("Dismiss")
    choose(joy, first)
    wait(joy, lambda: sealed(joy, first), "the first file is sealed")


def test_after_a_restart_one_press_goes_on_with_a_file_that_the_browser_remembers(
    joy: Visitor, case: str
) -> None:
    joy.page.add_init_script(f"const SIZE = {2 * PART}; {REMEMBERED}")
    line, parts = Line(joy.page, 1), Parts(joy.page)
    joy.open(case).page.locator("[data-upload-form] input[type=file]").click()
    wait(joy, lambda: parts.recorded == 1, "one part is there")
    joy.page.goto("about:blank")
    line.mend()
    joy.open(case).says("This browser still knows where “kept.txt” is")
    joy.page.locator("[data-item]", has_text="kept").get_by_role("button").click()
    wait(joy, lambda: "Sealed" in line_of(joy, "kept"), "the file is sealed")
    assert sorted(parts.taken) == [1, 2]


def test_a_file_on_its_way_can_be_taken_back(joy: Visitor, tmp_path: Path) -> None:
    path = file_of(tmp_path, "taken back.pdf", 3 * PART, "back")
    line, parts = Line(joy.page, 1), Parts(joy.page)
    choose(joy, path)
    wait(joy, lambda: parts.recorded == 1, "one part is there")
    joy.tap("Cancel")
    joy.tap("Keep it").tap("Cancel").tap("Remove it")
    rows = joy.page.locator("[data-upload-list] > li, [data-item]", has_text="taken back")
    wait(joy, lambda: rows.count() == 0, "it is gone")
    line.mend()
    joy.page.reload()
    assert line_of(joy, "taken back") == ""


def test_an_empty_file_is_said_to_be_empty_and_nothing_else_is_offered(
    street: Street, joy: Visitor, tmp_path: Path
) -> None:
    good = file_of(tmp_path, "beside the empty one.pdf", 1000, "g")
    with street.watch.expecting(422):
        choose(joy, file_of(tmp_path, "empty.pdf", 0), good)
        joy.says("The file is empty.")
    wait(joy, lambda: sealed(joy, good), "the other file is sealed")
    told = joy.page.locator("[data-upload-say]").inner_text()
    assert told == "1 of 2 files are here"
    row = joy.page.locator("[data-upload-list] > li", has_text="empty.pdf")
    assert row.get_by_role("button").filter(visible=True).all_inner_texts() == ["Dismiss"]
    joy.tap("Dismiss")


def test_all_can_be_paused_and_go_on_together_and_what_is_next_follows(
    joy: Visitor, tmp_path: Path
) -> None:
    paths = [file_of(tmp_path, f"together {number}.pdf", PART, f"t{number}") for number in "123"]
    asked: list[str] = []
    joy.page.on("response", lambda answer: asked.append(answer.url))
    line = Line(joy.page, 0)
    choose(joy, *paths)
    wait(joy, lambda: len(line.held) > 0, "they are on their way")
    joy.says("0 of 3 files are here")
    joy.tap("Pause all")
    wait(joy, lambda: joy.main().count("Paused") == 3, "all are paused")
    line.mend()
    joy.tap("Go on with all")
    for path in paths:
        wait(joy, lambda path=path: sealed(joy, path), f"{path.name} is sealed")
    told = joy.page.locator("[data-upload-say]").inner_text()
    assert told == "All 3 files have arrived and are being checked"
    wait(joy, lambda: any(url.endswith("/next") for url in asked), "what is next was asked anew")


def test_a_file_that_differs_only_in_the_middle_is_found_out(
    joy: Visitor, case: str, tmp_path: Path
) -> None:
    # larger than what is hashed whole before it is announced
    first = file_of(tmp_path, "middle.pdf", 7 * PART, "m")
    other = tmp_path / "other" / "middle.pdf"
    other.parent.mkdir()
    data = bytearray(first.read_bytes())
    # parts may overtake each other: of two that differ, one is there
    for place in (PART + 5, 2 * PART + 5):
        data[place] ^= 1
    other.write_bytes(data)
    line, parts = Line(joy.page, 3), Parts(joy.page)
    choose(joy, first)
    wait(joy, lambda: parts.recorded == 3, "three parts are there")
    joy.page.goto("about:blank")
    line.mend()
    joy.open(case)
    choose(joy, other)
    joy.says("some of its bytes are different")
    joy.tap("Dismiss")
    choose(joy, first)
    wait(joy, lambda: sealed(joy, first), "the first file is sealed")


def test_an_upload_can_be_paused_and_goes_on_with_what_is_missing(
    joy: Visitor, tmp_path: Path
) -> None:
    path = file_of(tmp_path, "paused.pdf", 6 * PART, "p")
    line, parts = Line(joy.page, 2), Parts(joy.page)
    choose(joy, path)
    wait(joy, lambda: parts.recorded == 2, "two parts are there")
    joy.tap("Pause")
    joy.says("Paused")
    line.mend()
    joy.tap("Go on")
    wait(joy, lambda: sealed(joy, path), "the file is sealed")
    assert sorted(parts.taken) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("fault", [500, 503, 403, 0])
def test_a_store_that_stumbles_is_asked_again_until_it_takes_the_part(
    street: Street, joy: Visitor, tmp_path: Path, fault: int
) -> None:
    """0 is a line that breaks; 403 is what a link that has run out is answered."""
    path = file_of(tmp_path, f"stumbling {fault}.pdf", 2 * PART, f"s{fault}")
    stumbled: list[str] = []

    def stumble_once(route: Route) -> None:
        if route.request.method != "PUT" or len(stumbled) == 2:
            route.continue_()
            return
        stumbled.append(route.request.url)
        headers = {"Access-Control-Allow-Origin": joy.site}
        if fault:
            route.fulfill(status=fault, body="", headers=headers)
        else:
            route.abort("connectionreset")

    joy.page.route(PUT, stumble_once)
    with street.watch.expecting(fault):
        choose(joy, path)
        wait(joy, lambda: sealed(joy, path), "the file is sealed")
    assert len(stumbled) == 2
    street.watch.faults = [each for each in street.watch.faults if "PUT" not in each]


def test_several_files_travel_together_and_each_gets_its_receipt(
    joy: Visitor, tmp_path: Path
) -> None:
    paths = [file_of(tmp_path, f"of many {number}.pdf", 300_000, f"{number}") for number in "1234"]
    choose(joy, *paths)
    for path in paths:
        wait(joy, lambda path=path: sealed(joy, path), f"{path.name} is sealed")
    assert joy.page.locator("[data-upload-list] > li").count() == 0
    joy.press(f"Describe “{paths[0].stem}”")
    shown = joy.page.locator(".receipt .digest").inner_text()
    assert "".join(shown.split()) == digest_of(paths[0])


def test_what_is_not_what_its_name_says_comes_back_with_the_reason(
    joy: Visitor, tmp_path: Path
) -> None:
    path = tmp_path / "report of work.pdf"
    path.write_bytes(b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0d\x86" + bytes(500))
    choose(joy, path)
    wait(joy, lambda: "is a program" in line_of(joy, "report of work"), "it is refused")
    joy.press("Remove “report of work”").press("Remove it")
    assert line_of(joy, "report of work") == ""


def test_an_uploaded_page_never_runs_with_our_origin(joy: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "script.html"
    path.write_text("<!doctype html><script>document.title = 'it ran'</script>hello")
    choose(joy, path)
    wait(joy, lambda: sealed(joy, path), "it is sealed")
    joy.press("Describe “script”")
    with joy.page.expect_download() as download:
        joy.tap("Open the file")
    assert download.value.suggested_filename == "script.html"
    assert Path(download.value.path()).read_bytes() == path.read_bytes()
    assert "it ran" not in joy.page.title()
