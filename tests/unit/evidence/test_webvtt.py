"""Captions are read strictly and written anew: times and plain text, and nothing that could act."""

import pytest

from storage.errors import InvalidInput
from storage.vocabulary import CaptionKind
from tests.fixtures.bounded import bounded_work
from workflows.evidence.captions import clean_words
from workflows.evidence.webvtt import LARGEST, Cue, decoded, read_captions, write_captions

VTT = """WEBVTT - kitchen

STYLE
::cue { background: url(https://elsewhere.example/) }

NOTE made by hand

1
00:01.000 --> 00:04.500 align:start position:10%
<v Joy>I strain <b>the stock</b></v>
and let it rest

01:00:05,000 --> 01:00:09,250
a &lt;b&gt; &amp; c --> d
"""


def test_cues_keep_times_and_plain_words_and_lose_everything_else() -> None:
    assert read_captions(VTT) == (
        Cue(1000, 4500, "Joy: I strain the stock\nand let it rest"),
        Cue(3605000, 3609250, "a <b> & c --> d"),
    )


def test_what_is_written_is_read_as_the_same_and_holds_no_markup() -> None:
    written = write_captions(read_captions(VTT))
    assert read_captions(written) == read_captions(VTT)
    assert written.startswith("WEBVTT\n\n00:00:01.000 --> 00:00:04.500\n")
    assert "<" not in written and "::cue" not in written and "align" not in written
    assert written.count("-->") == 2


def test_subrip_becomes_webvtt() -> None:
    srt = "1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>Yes</i>{\\an8}, chef\r\n\r\n2\r\n"
    srt += "00:00:03,000 --> 00:00:04,000\r\nBehind!\r\n"
    assert [cue.text for cue in read_captions("\ufeff" + srt)] == ["Yes, chef", "Behind!"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("WEBVTT\n\n00:01 --> 00:02\nHi", 3, "write times"),
        ("WEBVTT\n\n00:05.000 --> 00:05.000\nHi", 3, "end after it begins"),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n\n<script>x</script>", 6, "neither a caption"),
        ("WEBVTT\n\na\nb\n00:01.000 --> 00:02.000\nHi", 3, "at its head"),
        ("WEBVTT\n\n00:61.000 --> 00:62.000\nHi", 3, "write times"),
        ("WEBVTT\n\n200:00:01.000 --> 200:00:02.000\nHi", 3, "end after it begins"),
    ],
)
def test_what_cannot_be_used_is_named_by_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(InvalidInput, match=rf"Line {line}: .*{words}"):
        read_captions(text)


@pytest.mark.parametrize("text", ["", "WEBVTT", "WEBVTT\n\nNOTE nothing", "\n\n"])
def test_without_a_caption_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no captions"):
        read_captions(text)


def test_too_many_bytes_and_too_many_cues_are_refused() -> None:
    with pytest.raises(InvalidInput, match="1 MB"):
        read_captions("x" * (LARGEST + 1))
    many = "\n".join("00:01.000 --> 00:02.000\nA\n" for _ in range(20_001))
    with pytest.raises(InvalidInput, match="too many"):
        read_captions("WEBVTT\n\n" + many)


def test_a_cue_that_is_nothing_but_tags_is_left_out() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n<c></c>\n\n00:03.000 --> 00:04.000\nHi"
    assert [cue.text for cue in read_captions(text)] == ["Hi"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_are_read_in_the_encodings_that_tell_themselves(encoding: str) -> None:
    assert decoded("Grüße".encode(encoding)) == "Grüße"


@pytest.mark.parametrize(
    "body", ["Grüße".encode("latin-1"), b"MZ\x00\x01\x02", b"\xff\xfe\x00", b"x" * (LARGEST + 1)]
)
def test_what_is_no_text_or_too_much_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        decoded(body)


def _captioned(words: str) -> str:
    return f"WEBVTT\n\n00:01.000 --> 00:04.000\n{words}\n"


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("Hi&#13;&#13;NOTES", "Hi NOTES"),
        ("Hi&#10;&#10;STYLE", "Hi STYLE"),
        ("a&#x2028;b\u0085c&#x0b;d", "a b cd"),
        ("Hi &#13;&#13;00:05.000 --&gt; 00:06.000", "Hi 00:05.000 --> 00:06.000"),
        ("<v  Ana>Yes", "Ana: Yes"),
        ("x&#" + "9" * 5000 + ";y", "xy"),
    ],
)
def test_no_letter_ends_a_caption_when_it_is_read_again(words: str, read: str) -> None:
    kept = clean_words(CaptionKind.CAPTIONS, "en", _captioned(words))
    assert read_captions(kept) == (Cue(1000, 4000, read),)


def test_what_would_be_too_long_written_anew_is_refused_before_it_is_kept() -> None:
    with pytest.raises(InvalidInput, match="1 MB"):
        clean_words(CaptionKind.CAPTIONS, "en", _captioned("&" * (LARGEST // 4)))


@pytest.mark.parametrize("beginning", ["<v.", "<v ", "<v\t", "{\\", "&#", "<"])
def test_a_line_of_nothing_but_beginnings_is_read_as_quickly_as_any(beginning: str) -> None:
    with bounded_work():
        read_captions(_captioned(beginning * (LARGEST // 4)))
