"""Real files for the demo's case, made on the spot: a video, a PDF, photos, a spreadsheet."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter
from typst import compile as typeset

from storage.errors import Unavailable

Tell = Callable[[str], None]

VIDEO_SECONDS = 16

REPORT = """
#set page(width: 210mm, height: 297mm, margin: 22mm)
#set text(size: 11pt)
= 8D report: bore out of tolerance
*Part:* 40-1187 bearing housing · *Machine:* VM-3 · *Date:* 2026-03-14
== What was seen
Five of forty parts measured 0.02 mm over the upper limit of the H7 bore.
== Containment
All parts of the shift were put aside and measured; five were scrapped.
== Cause
The wear offset had been taken from the roughing tool after a change of inserts.
== Correction
#table(columns: 3, [*Check*], [*Before*], [*After*],
  [Bore, mean of 3], [40.027], [40.011], [Offset T12], [−0.012], [−0.028])
== Prevention
The set-up sheet now asks for the finishing tool's offset to be verified after each change.
"""


@dataclass(frozen=True)
class Made:
    """A file on disk, with what a learner says of it."""

    path: Path
    kind: str
    title: str
    own_part: str
    worked: str
    outcomes: tuple[str, ...]


def make_files(folder: Path, tell: Tell, video_seconds: int = VIDEO_SECONDS) -> list[Made]:
    """Make the learner's evidence in a folder. Raises Unavailable when a tool is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    tell("a video of the set-up (a few hundred megabytes)")
    video = _video(folder / "set-up and first part.mp4", video_seconds)
    tell("an 8D report as PDF")
    report = _report(folder / "8D report 40-1187.pdf")
    tell("two photos and an inspection sheet")
    photos = [_photo(folder / f"part {number}.jpg", number) for number in (1, 2)]
    sheet = _spreadsheet(folder / "first article inspection.xlsx")
    return [
        Made(
            video,
            "video",
            "Setting up and proving out the bearing housing",
            "I did the set-up, the dry run and the first part. A colleague held the camera.",
            "2026-03-12",
            ("CNC1", "CNC2", "CNC3", "CNC4"),
        ),
        Made(
            report,
            "document",
            "8D report: bore out of tolerance",
            "I found the cause, wrote the report and changed the set-up sheet.",
            "2026-03-14",
            ("CNC1", "CNC3", "CNC4", "CNC5"),
        ),
        Made(
            photos[0],
            "photo",
            "The first part on the height gauge",
            "I measured it; the photo is mine.",
            "2026-03-12",
            ("CNC1", "CNC4"),
        ),
        Made(
            photos[1],
            "photo",
            "The five parts that were put aside",
            "I sorted and tagged them.",
            "2026-03-14",
            ("CNC4",),
        ),
        Made(
            sheet,
            "document",
            "First-article inspection sheet",
            "I measured every dimension three times and filled in the sheet.",
            "2026-03-12",
            ("CNC4", "CNC5"),
        ),
    ]


def _video(path: Path, seconds: int) -> Path:
    """Moving noise, so that it does not compress away: about 19 MB a second."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        return _video_without_ffmpeg(path, seconds)
    picture = "testsrc2=size=1280x720:rate=25,noise=alls=24:allf=t"
    subprocess.run(
        [
            *(ffmpeg, "-hide_banner", "-loglevel", "error", "-y"),
            *("-f", "lavfi", "-i", picture),
            *("-f", "lavfi", "-i", "sine=frequency=220:sample_rate=44100"),
            *("-t", str(seconds), "-c:v", "mpeg4", "-q:v", "2", "-c:a", "aac"),
            *("-movflags", "+faststart", str(path)),
        ],
        check=True,
    )
    return path


def _video_without_ffmpeg(path: Path, seconds: int) -> Path:
    try:
        import av
    except ImportError:
        raise Unavailable(
            "The demo needs ffmpeg to make its video. Install it (apt-get install ffmpeg) "
            "and try again."
        ) from None
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.bit_rate = 1280, 720, 150_000_000
        stream.pix_fmt = "yuv420p"
        for _ in range(seconds * 25):
            frame = av.VideoFrame(1280, 720, "yuv420p")
            for plane in frame.planes:
                plane.update(os.urandom(plane.buffer_size))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _report(path: Path) -> Path:
    path.write_bytes(typeset(REPORT.encode()))
    return path


def _photo(path: Path, number: int) -> Path:
    image = Image.effect_noise((1600, 1200), 60).convert("RGB").filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(image)
    draw.ellipse((500, 300, 1100, 900), outline=(200, 205, 210), width=60)
    draw.ellipse((680, 480, 920, 720), fill=(40, 44, 52))
    draw.text((60, 1120), f"40-1187 / {number}", fill=(240, 240, 240), font_size=48)
    image.save(path, quality=92)
    return path


def _spreadsheet(path: Path) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "First article"
    sheet.append(["Dimension", "Nominal", "Lower", "Upper", "1", "2", "3"])
    for row in (
        ["Bore", 40.0, 40.0, 40.025, 40.011, 40.012, 40.011],
        ["Length", 120.0, 119.95, 120.05, 120.01, 120.0, 120.01],
        ["Flatness", 0.0, 0.0, 0.02, 0.008, 0.008, 0.009],
    ):
        sheet.append(row)
    book.save(path)
    return path
