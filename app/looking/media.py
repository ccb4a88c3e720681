"""Sound and film by FFmpeg: what it is, how long, whether browsers play it, and one picture of it.

Files are read by ranges: of a recording of gigabytes only its index and the place of the picture.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import BinaryIO

import av
from av.container import InputContainer
from PIL import Image

from app.looking.days import day
from app.looking.pictures import keep_picture, keep_thumbnail, waves
from app.looking.report import DAMAGED, Report
from app.looking.sources import head_of, size_of, tail_of

MOST_DOTS = 40_000_000
MOST_PACKETS = 2_000
MOST_FRAMES = 300
POSTER_AT = 0.1
WAVES = 160
LONGEST_WAVES = 45 * 60
MICROSECONDS = 1_000_000
EXACTLY_BELOW = 128 * 1024**2
TAIL = 8 * 1024**2

NO_FILM = frozenset({""})
PLAYED: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "mp4": (frozenset({"h264", "av1", ""}), frozenset({"aac", "mp3", "opus", "flac", ""})),
    "webm": (frozenset({"vp8", "vp9", "av1", ""}), frozenset({"opus", "vorbis", ""})),
    "ogg": (NO_FILM, frozenset({"opus", "vorbis", "flac"})),
    "wav": (NO_FILM, frozenset({"pcm_s16le", "pcm_u8", "pcm_f32le", "pcm_s24le"})),
    "mp3": (NO_FILM, frozenset({"mp3"})),
    "flac": (NO_FILM, frozenset({"flac"})),
    "aac": (NO_FILM, frozenset({"aac"})),
}
"""What today's browsers play: by container, the codecs of film and of sound."""
PLAIN_DOTS = frozenset({"yuv420p", "yuvj420p", ""})
CLUSTER = re.compile(rb"\x1f\x43\xb6\x75(?:[\x80-\xff]|[\x40-\x7f].|[\x20-\x3f]..|[\x10-\x1f].{3}"
                     rb"|\x01.{7})\xe7([\x81-\x88])", re.DOTALL)  # fmt: skip
POSITIONS = ("location", "com.apple.quicktime.location.iso6709", "location-eng")
ENCODERS = ("com.apple.quicktime.software", "encoder", "encoded_by", "com.android.version")
CAMERAS = ("com.apple.quicktime.make", "com.apple.quicktime.model", "make", "model")


def facts(source: BinaryIO, report: Report) -> None:
    """Duration, codecs, size, when and with what it was recorded, whether browsers play it."""
    with _tolerant(report), _opened(source) as container:
        tags = _tags(container)
        video, audio = _codecs(container)
        duration = _duration_ms(container, source)
        if container.streams.video:
            film = container.streams.video[0]
            report.know(width=film.codec_context.width, height=film.codec_context.height)
        plays = _plays(container, video, audio)
        report.know(
            duration_ms=duration,
            video_codec=video,
            audio_codec=audio,
            plays=plays,
            created_on=day(tags.get("creation_time") or tags.get("date")),
            made_with=next((tags[name] for name in ENCODERS if tags.get(name)), ""),
            camera=" ".join(tags[name] for name in CAMERAS if tags.get(name)),
        )
        if any(tags.get(name) for name in POSITIONS):
            report.know(has_position=True)
            report.signal("has_position")
        if not plays and (video or audio):
            report.renders = True
            report.know(rendition="waiting")


def draw(source: BinaryIO, report: Report) -> None:
    """A poster from a tenth of the way and a thumbnail; of sound alone its loudness over time."""
    with _tolerant(report), _opened(source) as container:
        frame = _frame(container)
        if frame is not None:
            picture = upright(frame)
            report.know(
                width=picture.width, height=picture.height, rotation=round(frame.rotation) % 360
            )
            keep_picture(report, "poster", 0, picture)
            keep_thumbnail(report, picture)
        elif container.streams.audio:
            _draw_waves(container, report)


@contextmanager
def _tolerant(report: Report) -> Iterator[None]:
    """What breaks within is the file's trouble, and what was found before stays."""
    try:
        yield
    except (av.FFmpegError, ValueError, EOFError, IndexError, OverflowError):
        report.trouble = report.trouble or DAMAGED


def _opened(source: BinaryIO) -> "closing[InputContainer]":
    container = av.open(source, mode="r", metadata_errors="replace")
    for stream in (*container.streams.video, *container.streams.audio):
        stream.codec_context.thread_count = 1
    return closing(container)


def _codecs(container: InputContainer) -> tuple[str, str]:
    """The names of the codecs of film and sound, '' where there is none. A cover is no film."""
    films = [one for one in container.streams.video if not _is_cover(one)]
    video = films[0].codec_context.name if films else ""
    audio = container.streams.audio[0].codec_context.name if container.streams.audio else ""
    return _codec(video), _codec(audio)


def _codec(name: str) -> str:
    """The codec's own name, and not that of the decoder at hand."""
    known = {"libdav1d": "av1", "libvpx": "vp8", "libvpx-vp9": "vp9", "libopus": "opus",
             "mp3float": "mp3", "libaom-av1": "av1"}  # fmt: skip
    return known.get(name, name)


def _is_cover(stream: "av.VideoStream") -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _tags(container: InputContainer) -> dict[str, str]:
    """What the file and its tracks are labelled with, names in lower case; the file's own wins."""
    tags: dict[str, str] = {}
    for stream in (*container.streams.audio, *container.streams.video):
        tags.update({name.lower(): value for name, value in stream.metadata.items()})
    tags.update({name.lower(): value for name, value in container.metadata.items()})
    return tags


def _plays(container: InputContainer, video: str, audio: str) -> bool:
    """Whether today's browsers play it as it is."""
    formats = set(container.format.name.split(","))
    if video and (container.streams.video[0].codec_context.pix_fmt or "") not in PLAIN_DOTS:
        return False
    return any(
        name in formats and video in films and audio in sounds
        for name, (films, sounds) in PLAYED.items()
    )


def _duration_ms(container: InputContainer, source: BinaryIO) -> int | None:
    """How long it is. What a browser records does not say so in its head: then by its end."""
    if container.duration and container.duration > 0:
        return round(container.duration / 1000)
    if size_of(source) <= EXACTLY_BELOW:
        return _by_reading(source)
    return _by_last_cluster(source)


def _by_reading(source: BinaryIO) -> int | None:
    """By going through all packets."""
    last = 0.0
    source.seek(0)
    with closing(av.open(source, mode="r", metadata_errors="replace")) as container:
        try:
            for packet in container.demux():
                if packet.pts is not None and packet.time_base is not None:
                    end = packet.pts + (packet.duration or 0)
                    last = max(last, float(end * packet.time_base))
        except av.FFmpegError:
            pass  # cut off: as far as it goes
    return round(last * 1000) or None


def _by_last_cluster(source: BinaryIO) -> int | None:
    """By the time that the last piece of a WebM says it begins at, in its usual milliseconds."""
    if head_of(source, 4) != b"\x1a\x45\xdf\xa3":
        return None
    tail = tail_of(source, TAIL)
    pieces = list(CLUSTER.finditer(tail))
    if not pieces:
        return None
    found = pieces[-1]
    length = found[1][0] & 0x0F
    return int.from_bytes(tail[found.end() : found.end() + length], "big") or None


def _frame(container: InputContainer) -> av.VideoFrame | None:
    """A picture that decodes, from a tenth of the way or, where one cannot go there, the start."""
    films = [one for one in container.streams.video if not _is_cover(one)]
    films = films or list(container.streams.video)
    if not films:
        return None
    film = films[0]
    if film.codec_context.width * film.codec_context.height > MOST_DOTS:
        return None
    film.codec_context.thread_count = 1
    if container.duration:
        try:
            container.seek(int(container.duration * POSTER_AT))
        except av.FFmpegError:
            container.seek(0)
    return _first_picture(container, film)


def _first_picture(container: InputContainer, film: "av.VideoStream") -> av.VideoFrame | None:
    for number, packet in enumerate(container.demux(film)):
        if number > MOST_PACKETS:
            return None
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        for frame in frames:
            if isinstance(frame, av.VideoFrame) and frame.width * frame.height <= MOST_DOTS:
                return frame
    return None


def upright(frame: av.VideoFrame) -> Image.Image:
    """The frame as it is meant to be seen."""
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    return picture.rotate(frame.rotation, expand=True)


def _draw_waves(container: InputContainer, report: Report) -> None:
    """The loudest sample of each of so many stretches, for sound that is not too long."""
    duration = container.duration or 0
    if not 0 < duration <= LONGEST_WAVES * MICROSECONDS:
        return
    peaks = [0.0] * WAVES
    resampler = av.AudioResampler(format="s16", layout="mono", rate=8000)
    sound = container.streams.audio[0]
    for packet in container.demux(sound):
        try:
            frames = [each for one in packet.decode() for each in resampler.resample(one)]
        except (av.FFmpegError, ValueError):
            continue
        for frame in frames:
            place = min(WAVES - 1, int((frame.time or 0) * MICROSECONDS * WAVES / duration))
            samples = memoryview(bytes(frame.planes[0])[: frame.samples * 2]).cast("h")
            loudest = max((abs(one) for one in samples[::8]), default=0) / 32768
            peaks[max(0, place)] = max(peaks[max(0, place)], loudest)
    keep_thumbnail(report, waves(peaks))
    keep_picture(report, "poster", 0, waves(peaks))
