"""Pictures and paper: drawn from the values, readable, checkable, and the same every time."""

import copy
import json
import re
import zlib
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import pikepdf
import pytest
from PIL import Image, ImageChops

from credentials import fonts
from credentials.badge import BadgeFace, badge_png, draw_badge
from credentials.baking import bake_png, bake_svg
from credentials.certificate import LABELS, certificate_face, make_certificate
from credentials.documents import JsonObject, dump_json
from credentials.errors import Malformed
from credentials.fonts import has_font
from credentials.lettering import is_right_to_left, mark_of, pieces, shortened
from credentials.reading import read_credential
from tests.fixtures.badges import signed_credential

FACE = BadgeFace("CNC set-up & inspection", "Riverside <Poly>", "Proficient", place=3, places=4)
SVG = draw_badge(FACE)
CREDENTIAL = signed_credential()
COLOURS = ("#17324d", "#b8893b")


def test_the_badge_is_an_svg_that_says_what_it_is() -> None:
    root = ElementTree.fromstring(SVG)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("width") == root.get("height") == "512"
    assert root.get("role") == "img"
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == "CNC set-up & inspection, Proficient. Riverside <Poly>"


def test_the_badge_needs_no_fonts() -> None:
    assert b"<text" not in SVG


def test_the_same_values_draw_the_same_badge_and_others_another() -> None:
    assert draw_badge(FACE) == SVG
    others = [replace(FACE, title="Welding"), replace(FACE, level="Expert"), replace(FACE, place=2)]
    assert len({SVG, *map(draw_badge, others)}) == 4


def test_the_badge_without_a_level_is_drawn() -> None:
    assert b"Riverside" in draw_badge(BadgeFace("Welding", "Riverside"))


@pytest.mark.parametrize("size", [64, 512])
def test_the_png_is_a_seal_on_a_transparent_ground(size: int) -> None:
    image = Image.open(BytesIO(badge_png(SVG, size))).convert("RGBA")
    assert image.size == (size, size)
    assert image.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert image.getpixel((size // 2, size // 14))[3] == 255  # type: ignore[index]


def test_a_pale_colour_is_darkened_until_white_letters_show() -> None:
    pale = draw_badge(replace(FACE, colour="#ffee00")).decode()
    assert "#ffee00" not in pale
    assert "#17324d" in SVG.decode()


@pytest.mark.parametrize("colour", ["red", "#fff", "#17324d;", ""])
def test_other_colours_are_refused(colour: str) -> None:
    with pytest.raises(Malformed, match="not a colour"):
        draw_badge(replace(FACE, colour=colour))


def test_text_that_cannot_be_signed_is_not_drawn() -> None:
    with pytest.raises(Malformed, match=r"U\+D800"):
        draw_badge(replace(FACE, title="\ud800"))


@pytest.mark.parametrize(
    ("title", "mark"),
    [
        ("CNC set-up and inspection", "CNC"),
        ("Fraud prevention for bookkeepers", "FPB"),
        ("The art of the loom", "AL"),
        ("of the", "OT"),
        ("Schweißen", "S"),
        ("…", ""),
    ],
)
def test_a_title_has_a_mark(title: str, mark: str) -> None:
    assert mark_of(title) == mark


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Energy", list("Energy")),
        ("Çe\u0301a", ["Ç", "e\u0301", "a"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("جامعة القاهرة", ["القاهرة", "جامعة"]),
        ("दिल्ली विश्व", ["दिल्ली", "विश्व"]),
    ],
)
def test_joined_scripts_stand_around_the_seal_word_by_word(text: str, drawn: list[str]) -> None:
    assert pieces(text) == drawn
    assert is_right_to_left(text) is text.startswith("ج")


def test_long_titles_are_cut_at_a_word() -> None:
    assert shortened("Care of  the\nelderly", 40) == "Care of the elderly"
    assert shortened("Care of the elderly at home, by night", 28) == "Care of the elderly at…"
    assert len(shortened("x" * 500, 96)) == 97


@pytest.mark.parametrize(
    "title",
    [
        "建築物のエネルギー管理と省エネルギー診断の実務",
        "건물 에너지 관리 전문가",
        "إدارة الطاقة في المباني العامة",
        "ניהול אנרגיה במבנים",
        "การจัดการพลังงานในอาคาร",
        "ऊर्जा प्रबंधन",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
        "Gestión energética – Łódź – Çeşme – Ελλάδα – Україна",
    ],
)
def test_titles_of_any_script_are_drawn_with_fonts_of_our_own(title: str) -> None:
    assert set(title) - set(" –") <= set(without_the_machines_fonts(title))
    pictures = [
        Image.open(BytesIO(badge_png(draw_badge(replace(FACE, title=one, mark="M")), 128)))
        for one in (title, ".")
    ]
    written = ImageChops.difference(*(one.convert("L") for one in pictures)).getbbox()
    assert written is not None
    left, top, right, bottom = written
    assert (left >= 26, top >= 60, right <= 102, bottom <= 87) == (True,) * 4, written


def without_the_machines_fonts(text: str) -> str:
    """The letters that the packages' fonts have."""
    return "".join(letter for letter in text if has_font(letter, everything=False))


def test_letters_that_no_font_has_are_left_out() -> None:
    assert shortened("Care \U000f0000 of", 40) == "Care of"
    assert draw_badge(replace(FACE, title="Care \U000f0000", mark="M")) != b""


def test_badges_are_drawn_without_the_packages_of_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "PACKAGES", ())
    for kept in (fonts.has_font, fonts.fonts_at_hand):
        kept.cache_clear()
    try:
        assert b"<svg" in draw_badge(replace(FACE, title="建築 Łódź"))
    finally:
        monkeypatch.undo()
        for kept in (fonts.has_font, fonts.fonts_at_hand):
            kept.cache_clear()


def test_the_mark_and_the_level_can_be_read_at_64_pixels() -> None:
    face = BadgeFace("CNC Technician", "Northbridge College", "EQF 4")
    assert strong_rows(face, (16, 14, 48, 29)) >= 6
    assert strong_rows(face, (18, 44, 46, 55)) >= 6
    dot = Image.new("RGBA", (90, 30))
    out = BytesIO()
    dot.save(out, format="PNG")
    assert strong_rows(replace(face, logo=out.getvalue()), (16, 20, 48, 31)) >= 5


def strong_rows(face: BadgeFace, box: tuple[int, int, int, int]) -> int:
    """In how many rows of a part of the badge, 64 pixels wide, dark stands beside light."""
    part = Image.open(BytesIO(badge_png(draw_badge(face), 64))).convert("L").crop(box)
    rows = [part.crop((0, y, part.width, y + 1)).tobytes() for y in range(part.height)]
    assert max(map(max, rows)) - min(map(min, rows)) > 150
    return sum(max(row) - min(row) > 100 for row in rows)


def test_baked_pictures_verify_as_the_credential() -> None:
    data = dump_json(CREDENTIAL)
    assert read_credential(bake_svg(SVG, data)) == CREDENTIAL
    assert read_credential(bake_png(badge_png(SVG), data)) == CREDENTIAL


def streams(pdf: bytes) -> list[bytes]:
    """Everything packed inside a PDF."""
    found = []
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(match[1]))
        except zlib.error:
            found.append(match[1])
    return found


def test_the_certificate_is_tagged_pdf_a_with_the_signed_json_inside() -> None:
    pdf = make_certificate(CREDENTIAL, SVG, level="Proficient")
    inside = streams(pdf)
    assert dump_json(CREDENTIAL) in inside
    metadata = next(part for part in inside if b"pdfaid:part" in part)
    assert b"<pdfaid:part>3</pdfaid:part>" in metadata
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert b"pdfuaid:part" in metadata
    assert any(b"/StructTreeRoot" in part for part in [pdf, *inside])
    assert make_certificate(CREDENTIAL, SVG, level="Proficient") == pdf


@pytest.mark.parametrize(
    ("name", "title", "language"),
    [
        ("Mara Lindqvist", "CNC set-up", "en-CA"),
        ("ليلى حسن", "إدارة الطاقة في المباني", "ar"),
        ("山田 花子", "建築物のエネルギー管理", "ja"),
        ("Łukasz 🎉 Żółć", "Gestión energética", "es"),
    ],
)
def test_the_certificate_keeps_both_standards_in_any_script(
    name: str, title: str, language: str
) -> None:
    document = edited(identifier=[named(name)])
    subject = document["credentialSubject"]
    assert isinstance(subject, dict) and isinstance(subject["achievement"], dict)
    subject["achievement"].update(name=title, inLanguage=language)
    data = make_certificate(document, SVG, colour="#ffee88", accent="#ffffff")
    with pikepdf.open(BytesIO(data)) as pdf:
        assert pdf.check_pdf_syntax() == []
        with pdf.open_metadata() as told:
            claims = [told.get(f"pdf{key}") for key in ("aid:part", "aid:conformance", "uaid:part")]
        assert claims == ["3", "A", "1"]
        assert str(pdf.Root.Lang) == language.partition("-")[0]
        assert pdf.Root.MarkInfo.Marked and pdf.Root.StructTreeRoot
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert str(pdf.Root.OutputIntents[0].S) == "/GTS_PDFA1"
        attached = pdf.attachments["credential.json"]
        assert (str(attached.obj.AFRelationship), attached.get_file().mime_type) == (
            "/Source",
            "application/json",
        )
        assert attached.get_file().read_bytes() == dump_json(document)
        faces = [font for page in pdf.pages for font in page.resources.Font.values()]
        assert all(is_embedded(font) for font in faces)


def is_embedded(font: pikepdf.Object) -> bool:
    """Whether the letters of a font are in the file, as PDF/A asks."""
    inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
    kept = inner.FontDescriptor.keys() if "/FontDescriptor" in inner else {"/FontFile3"}
    return bool({"/FontFile2", "/FontFile3"} & set(kept)) or str(inner.Subtype) == "/Type3"


def edited(**subject: object) -> JsonObject:
    """The credential with its subject changed."""
    document = copy.deepcopy(CREDENTIAL)
    document["credentialSubject"].update(subject)  # type: ignore[union-attr]
    return document


def test_the_paper_says_what_the_credential_says() -> None:
    face = certificate_face(CREDENTIAL, LABELS, "", "", COLOURS)
    assert face.learner == "Mara Lindqvist"
    assert face.institution == "Riverside Polytechnic"
    assert face.place == "Ontario, Canada"
    assert face.address == CREDENTIAL["id"]
    assert dict(face.facts)["Awarded"] == "May 4, 2024"
    assert dict(face.facts)["Credits"] == "6"
    assert dict(face.facts)["Aligned with"] == "EQF: Level 4; ESCO: Set up CNC machines"
    assert [(outcome.name, outcome.level) for outcome in face.outcomes] == [
        ("Sets up the machine safely", "Proficient"),
        ("Proves the first article", "Competent"),
    ]
    assert [(outcome.place, outcome.places) for outcome in face.outcomes] == [(3, 4), (2, 4)]
    assert face.evidence[0]["digest"].startswith("a19d018a4b")


def test_the_little_markdown_of_the_criteria_is_set_and_not_printed() -> None:
    document = copy.deepcopy(CREDENTIAL)
    achievement = document["credentialSubject"]["achievement"]  # type: ignore[index, call-overload]
    told = "- CNC1: Reads a drawing.\n- CNC2: Sets up.\n\n**Assessment:** By two.\n\nPlain words."
    achievement["criteria"]["narrative"] = told  # type: ignore[index, call-overload]
    face = certificate_face(document, LABELS, "", "", COLOURS)
    assert face.statements == (("CNC1", "Reads a drawing."), ("CNC2", "Sets up."))
    assert face.assessed == (("Assessment", "By two."),)
    assert face.criteria == "Plain words."
    achievement["achievementType"] = "ext:StatementOfRecognition"  # type: ignore[index, call-overload]
    assert face.whole and not certificate_face(document, LABELS, "", "", COLOURS).whole


def test_a_language_that_runs_from_right_to_left_turns_the_page() -> None:
    document = copy.deepcopy(CREDENTIAL)
    achievement = document["credentialSubject"]["achievement"]  # type: ignore[index, call-overload]
    for language, turned in (("ar", True), ("he-IL", True), ("fr", False)):
        achievement["inLanguage"] = language  # type: ignore[index, call-overload]
        face = certificate_face(document, LABELS, "", "", COLOURS)
        assert face.right_to_left is turned
        assert dict(face.facts)["Awarded"] != "May 4, 2024"


def test_the_logo_stands_on_badge_card_and_certificate() -> None:
    out = BytesIO()
    Image.new("RGBA", (120, 40), "#cc0000").save(out, format="PNG")
    with_logo = draw_badge(replace(FACE, logo=out.getvalue()))
    assert b"data:image" in with_logo and b"data:image" not in SVG
    assert reds(with_logo) and not reds(SVG)
    pdf = make_certificate(CREDENTIAL, with_logo, logo=out.getvalue())
    with pikepdf.open(BytesIO(pdf)) as opened, opened.open_metadata() as told:
        assert (told.get("pdfaid:part"), told.get("pdfuaid:part")) == ("3", "1")
    with pytest.raises(Malformed, match="not a PNG"):
        draw_badge(replace(FACE, logo=b"<svg/>"))


def reds(svg: bytes) -> int:
    """How many dots of a badge are plainly red."""
    image = Image.open(BytesIO(badge_png(svg, 128))).convert("RGB")
    dots = zip(*[iter(image.tobytes())] * 3, strict=True)
    return sum(red > 190 and green < 20 for red, green, _ in dots)


def test_a_certificate_needs_a_name_from_somewhere() -> None:
    nameless = edited(identifier=[])
    with pytest.raises(Malformed, match="name"):
        make_certificate(nameless, SVG)
    assert certificate_face(nameless, LABELS, "Mara L.", "", COLOURS).learner == "Mara L."


def test_the_credentials_language_is_the_papers() -> None:
    document = copy.deepcopy(CREDENTIAL)
    achievement = document["credentialSubject"]["achievement"]  # type: ignore[index, call-overload]
    for tag, language, day in (
        ("fr-CA", "fr", "4 mai 2024"),
        ("zz-nowhere", "zz", "May 4, 2024"),
        ("", "en", "May 4, 2024"),
        ("1x", "en", "May 4, 2024"),
    ):
        achievement["inLanguage"] = tag  # type: ignore[index, call-overload]
        face = certificate_face(document, LABELS, "", "", COLOURS)
        assert (face.language, dict(face.facts)["Awarded"]) == (language, day)


def named(name: str) -> JsonObject:
    """An identity that says a name in plain."""
    return {
        "type": "IdentityObject",
        "hashed": False,
        "identityHash": name,
        "identityType": "name",
    }


def test_letters_without_a_font_still_get_a_certificate() -> None:
    strange = edited(identifier=[named("\U0001f5ff\U00012000")])
    assert make_certificate(strange, SVG).startswith(b"%PDF-")


def test_markup_in_the_values_is_text() -> None:
    name = '#read("/etc/passwd") $x$ *bold*'
    hostile = edited(identifier=[named(name)])
    assert certificate_face(hostile, LABELS, "", "", COLOURS).learner == name
    assert make_certificate(hostile, SVG).startswith(b"%PDF-")


@pytest.mark.parametrize("key", ["credentialSubject", "issuer", "awardedDate"])
def test_a_document_that_is_no_badge_is_not_printed(key: str) -> None:
    document = copy.deepcopy(CREDENTIAL)
    del document[key]
    document.pop("validFrom", None)
    with pytest.raises(Malformed):
        make_certificate(document, SVG)


def test_a_bare_credential_is_printed_with_what_it_has() -> None:
    document = copy.deepcopy(CREDENTIAL)
    for key in ("evidence", "validUntil", "awardedDate"):
        del document[key]
    subject = document["credentialSubject"]
    assert isinstance(subject, dict)
    subject["achievement"] = {
        **subject["achievement"],  # type: ignore[dict-item]
        "resultDescription": ["urn:x:1"],
        "alignment": ["urn:x:2"],
        "creditsAvailable": "six",
        "criteria": {"id": "urn:c:1"},
    }
    document["issuer"] = {"id": "did:web:a.example", "type": ["Profile"]}
    pdf = make_certificate(document, SVG)
    assert json.loads(next(part for part in streams(pdf) if part.startswith(b"{"))) == document


def test_a_picture_that_is_none_is_refused() -> None:
    with pytest.raises(Malformed, match="cannot be set"):
        make_certificate(CREDENTIAL, b"not a picture")
