"""What of a hostile drawing becomes a logo, where no wall stands around what draws it."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from app.looking.logo import NAME, draw
from workflows.confining import Place

RED, GREEN = (204, 0, 0, 255), (0, 255, 0, 255)
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' width="200" height="100"><rect width="200" height="100" fill="#c00"/>'
    '<image x="100" width="100" height="100" {name}="{address}"/></svg>'
)


def green() -> bytes:
    """A picture that would be seen at once."""
    out = io.BytesIO()
    Image.new("RGB", (100, 100), GREEN[:3]).save(out, format="PNG")
    return out.getvalue()


def seen(folder: Path, given: str) -> object:
    """The dot of the drawn logo at which the other picture would be."""
    said = draw({}, Place(folder=folder, source=io.BytesIO(given.encode())))
    assert "refused" not in said, said
    picture = Image.open(folder / NAME).convert("RGBA")
    return picture.getpixel((picture.width * 3 // 4, picture.height // 2))


@pytest.mark.parametrize("name", ["href", "xlink:href"])
@pytest.mark.parametrize("before", ["", " ", "file://", "../../../../../../../../.."])
def test_a_drawing_shows_no_file_of_the_machine(tmp_path: Path, name: str, before: str) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(green())
    assert seen(tmp_path, DRAWING.format(name=name, address=f"{before}{secret}")) == RED


def test_an_entity_hides_no_file_of_the_machine(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(green())
    entity = f'<!DOCTYPE svg [<!ENTITY where "{secret}">]>'
    assert seen(tmp_path, entity + DRAWING.format(name="href", address="&where;")) == RED


def test_a_picture_inside_the_drawing_is_drawn(tmp_path: Path) -> None:
    inside = f"data:image/png;base64,{base64.b64encode(green()).decode()}"
    assert seen(tmp_path, DRAWING.format(name="href", address=inside)) == GREEN


def test_entities_that_grow_beyond_measure_are_not_read(tmp_path: Path) -> None:
    grown = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    given = f'<!DOCTYPE svg [<!ENTITY a0 "aaaaaaaaaa">{grown}]><svg><desc>&a9;</desc></svg>'
    said = draw({}, Place(folder=tmp_path, source=io.BytesIO(given.encode())))
    assert said == {"refused": "unreadable"}
