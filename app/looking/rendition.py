"""A rendition: H.264 and AAC in an MP4 that begins to play at once, at most 720 lines high.

Bounded by its own clock: what takes longer than it may is let go, and the player says so.
"""

import time
from contextlib import closing
from fractions import Fraction
from typing import BinaryIO

import av
from av.container import InputContainer, OutputContainer

from app.looking.report import TOO_LARGE, Report

TALLEST, WIDEST = 720, 1280
LONGEST_SECONDS = 2 * 3600
MOST_DOTS = 40_000_000
CPU_SECONDS = 40 * 60
RATE = 30
QUALITY = "27"
SOUND_RATE = 48_000
BIT_RATE = 96_000


class _TooLong(Exception):
    """The rendition would take longer than it may."""


def make(source: BinaryIO, report: Report) -> None:
    """Write the rendition, or say that it is too much."""
    with closing(av.open(source, mode="r", metadata_errors="replace")) as original:
        if (original.duration or 0) > LONGEST_SECONDS * 1_000_000 or _too_large(original):
            report.trouble = TOO_LARGE
            return
        film = bool(original.streams.video)
        ending = "mp4" if film else "m4a"
        unfinished = report.folder / "unfinished.mp4"
        try:
            with closing(
                av.open(str(unfinished), "w", format="mp4", options={"movflags": "+faststart"})
            ) as made:
                size = _Copier(original, made).run()
        except _TooLong:
            report.trouble = TOO_LARGE
            return
        unfinished.rename(report.folder / f"rendition-0.{ending}")
        width, height = size or (None, None)
        report.drawn.append({"file": f"rendition-0.{ending}", "width": width, "height": height})


def _too_large(original: InputContainer) -> bool:
    return any(
        one.codec_context.width * one.codec_context.height > MOST_DOTS
        for one in original.streams.video
    )


class _Copier:
    """Decodes, makes smaller, encodes; one packet after the other."""

    def __init__(self, original: InputContainer, made: OutputContainer) -> None:
        self._original = original
        self._made = made
        self._film = original.streams.video[0] if original.streams.video else None
        self._sound = original.streams.audio[0] if original.streams.audio else None
        self._picture: av.VideoStream | None = None
        self._voice: av.AudioStream | None = None
        self._graph: av.filter.Graph | None = None
        self._last_pts = -1
        self._resampler = av.AudioResampler("fltp", "stereo", SOUND_RATE)

    def run(self) -> tuple[int, int] | None:
        """Copy it all; the size of the picture."""
        ends_at = time.process_time() + CPU_SECONDS
        # both tracks are made before anything is written: the head of the file names them
        self._prepare()
        for packet in self._original.demux(
            [one for one in (self._film, self._sound) if one is not None]
        ):
            if time.process_time() > ends_at:
                raise _TooLong
            self._copy(packet)
        self._flush()
        return (self._picture.width, self._picture.height) if self._picture else None

    def _prepare(self) -> None:
        if self._film is not None:
            self._film.codec_context.thread_count = 2
            self._prepare_picture(self._film)
        if self._sound is not None:
            self._voice = self._made.add_stream("aac", rate=SOUND_RATE)
            self._voice.bit_rate = BIT_RATE
            self._voice.layout = "stereo"

    def _prepare_picture(self, film: "av.VideoStream") -> None:
        first = next(self._original.decode(film), None)
        self._original.seek(0)
        if first is None:
            self._film = None
            return
        turned = first.rotation % 180 != 0
        width, height = (first.height, first.width) if turned else (first.width, first.height)
        scale = min(1.0, TALLEST / min(width, height), WIDEST / max(width, height))
        rate = min(RATE, round(float(film.average_rate or RATE)) or RATE)
        stream = self._made.add_stream("libx264", rate=rate)
        stream.width, stream.height = _even(width * scale), _even(height * scale)
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "veryfast", "crf": QUALITY}
        stream.codec_context.time_base = Fraction(1, 90_000)
        stream.codec_context.thread_count = 2
        self._picture = stream
        self._graph = self._filters(first, stream, rate)

    def _filters(
        self, first: "av.VideoFrame", stream: "av.VideoStream", rate: int
    ) -> "av.filter.Graph":
        """Turned upright, made smaller, at most so many pictures a second."""
        assert self._film is not None
        graph = av.filter.Graph()
        steps = [graph.add_buffer(template=self._film)]
        for _ in range(int(first.rotation % 360) // 90):
            steps.append(graph.add("transpose", "cclock"))
        steps += [
            graph.add("fps", str(rate)),
            graph.add("scale", f"{stream.width}:{stream.height}"),
            graph.add("setsar", "1"),
            graph.add("format", "yuv420p"),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*steps).configure()
        return graph

    def _copy(self, packet: "av.Packet[av.stream.Stream]") -> None:
        try:
            frames = packet.decode()
        except av.FFmpegError:
            return  # what is damaged is left out
        for frame in frames:
            if isinstance(frame, av.VideoFrame):
                self._show(frame)
            elif isinstance(frame, av.AudioFrame):
                self._say(frame)

    def _show(self, frame: "av.VideoFrame | None") -> None:
        if self._graph is None or self._picture is None:
            return
        self._graph.push(frame)
        while True:
            try:
                shown = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            assert isinstance(shown, av.VideoFrame)
            shown.pict_type = av.video.frame.PictureType.NONE
            self._made.mux(self._picture.encode(shown))

    def _say(self, frame: "av.AudioFrame | None") -> None:
        if self._voice is None:
            return
        for said in self._resampler.resample(frame):
            self._made.mux(self._voice.encode(said))

    def _flush(self) -> None:
        self._show(None)
        if self._picture is not None:
            self._made.mux(self._picture.encode(None))
        if self._voice is not None:
            self._say(None)
            self._made.mux(self._voice.encode(None))


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)
