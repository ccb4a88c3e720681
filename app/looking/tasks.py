"""The tasks that run confined: facts, draw, pages, render. Each loads only the tool it needs."""

from collections.abc import Mapping
from pathlib import Path

from app.looking import ambiguous
from app.looking.kinds import Family
from app.looking.report import Report
from app.looking.sources import near
from workflows.confining import Json, JsonObject, Place


def facts(args: Mapping[str, Json], place: Place) -> JsonObject:
    """What a file says of itself."""
    report, source = Report(_folder(place)), near(place)
    sort = Family(str(args["family"]))
    media_type = str(args["media_type"])
    ambiguous.look(source, sort, media_type, report)
    if sort is Family.PDF:
        from app.looking import pdf

        pdf.facts(source, report)
    elif sort is Family.IMAGE:
        from app.looking import images

        images.facts(source, report)
    elif sort is Family.MEDIA:
        from app.looking import media

        media.facts(source, report)
    elif sort is Family.OFFICE:
        from app.looking import office

        office.facts(source, report)
    elif sort in {Family.ZIP, Family.TAR}:
        from app.looking import archives

        archives.listing(source, report, packed=sort is Family.ZIP)
    elif sort is Family.TEXT:
        from app.looking import texts

        texts.facts(media_type, report)
    return report.document()


def draw(args: Mapping[str, Json], place: Place) -> JsonObject:
    """Pictures of a file, or its text."""
    report, source = Report(_folder(place)), near(place)
    sort = Family(str(args["family"]))
    if sort is Family.PDF:
        from app.looking import pdf

        pdf.draw(source, report)
    elif sort is Family.IMAGE:
        from app.looking import images

        images.draw(source, report)
    elif sort is Family.MEDIA:
        from app.looking import media

        media.draw(source, report)
    elif sort is Family.OFFICE:
        from app.looking import office

        office.draw(source, report)
    elif sort is Family.TEXT:
        from app.looking import texts

        texts.draw(source, report)
    return report.document()


def pages(args: Mapping[str, Json], place: Place) -> JsonObject:
    """More pages of a document, from `first`, at most `count`."""
    report, source = Report(_folder(place)), near(place)
    first, count = int(str(args["first"])), int(str(args["count"]))
    if args["family"] == Family.PDF.value:
        from app.looking import pdf

        pdf.pages(source, report, first, count)
    elif args["family"] == Family.IMAGE.value:
        from app.looking import images

        images.pages(source, report, first, count)
    return report.document()


def render(args: Mapping[str, Json], place: Place) -> JsonObject:
    """A rendition of a recording."""
    from app.looking import rendition

    del args
    report = Report(_folder(place))
    rendition.make(near(place), report)
    return report.document()


def _folder(place: Place) -> Path:
    if place.folder is None:
        raise ValueError("a tool needs a folder to draw in")
    return place.folder
