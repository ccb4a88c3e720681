"""A case with evidence of several sorts, made through the house's own commands, for the viewer."""

import io
import math
import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image
from sqlmodel import col, select

from app.container import Container, build
from app.engines import stack
from app.settings import Settings
from storage.ids import CaseId, ItemId, OutcomeCode
from storage.tables import Account, DefinitionVersion, EvidenceItem, Inspection, RoleGrant
from storage.vocabulary import AiUse, EvidenceKind, EvidenceState, PeopleShown, Role
from tests.browser.installation import Installation
from workflows.access.rules import Actor
from workflows.cases.commands import open_case
from workflows.evidence.describing import describe_evidence
from workflows.evidence.rules import Announcement, Description
from workflows.evidence.small_files import upload_small

PATIENCE_SECONDS = 120
RUNS = "document.title = 'it ran'; window.ran = true"


@dataclass(frozen=True)
class Things:
    """A learner's case and its items, by what they are."""

    parts: Container
    learner: Actor
    case_id: CaseId
    items: Mapping[str, ItemId]


def actor_named(parts: Container, name: str) -> Actor:
    """One of the demo's people."""
    with parts.db.reading() as tx:
        account = tx.session.exec(select(Account).where(Account.name == name)).one()
        grants = tx.session.exec(select(RoleGrant).where(RoleGrant.account_id == account.id)).all()
    roles = frozenset(Role(grant.role) for grant in grants)
    return Actor(account.id, grants[0].institution_id, roles, account.name, account.email)


def at_hand(house: Installation) -> Container:
    """The parts of the running installation."""
    addresses = stack.attach(house.home) or {}
    return build(
        Settings.from_env({"ASSAY_ENV": "demo", "ASSAY_HOME": str(house.home), **addresses})
    )


def gathered(parts: Container, learner: Actor, title: str, folder: Path) -> Things:
    """A new case, looked into: film, picture, sound, and files that a browser would run."""
    with parts.db.reading() as tx:
        definition = tx.session.exec(
            select(DefinitionVersion).where(col(DefinitionVersion.title).startswith(title))
        ).one()
    codes = [OutcomeCode(one["code"]) for one in definition.body["outcomes"]]
    case_id = open_case(parts.db, learner, definition.id)
    files: Mapping[str, tuple[EvidenceKind, bytes]] = {
        "service.webm": (EvidenceKind.VIDEO, film(folder / "service.webm")),
        "plate.jpg": (EvidenceKind.PHOTO, picture()),
        "talk.ogg": (EvidenceKind.AUDIO, sound(folder / "talk.ogg")),
        "plan.svg": (EvidenceKind.WORK_PRODUCT, svg()),
        "menu.html": (EvidenceKind.WORK_PRODUCT, f"<script>{RUNS}</script>".encode()),
    }
    items = {}
    for name, (_kind, body) in files.items():
        items[name] = upload_small(
            parts.db,
            parts.vault,
            learner,
            case_id,
            io.BytesIO(body),
            announced=Announcement(name, 0),
            limits=parts.limits,
        )
    wait_for(lambda: len(sealed(parts, case_id)) == len(files), "the files are sealed")
    for name, (kind, _body) in files.items():
        said = Description(
            title=name,
            kind=kind,
            own_part="I did all of it alone.",
            work_from=date(2026, 1, 10),
            work_to=date(2026, 1, 10),
            outcomes=frozenset(codes),
            ai=AiUse.NONE,
            people=PeopleShown.NOBODY,
        )
        describe_evidence(parts.db, learner, items[name], said)
    wait_for(lambda: looked_into(parts, items) == len(files), "the files are looked into")
    return Things(parts, learner, case_id, items)


def wait_for(happened: Callable[[], bool], what: str) -> None:
    """Wait until it has happened."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.3)


def sealed(parts: Container, case_id: CaseId) -> list[str]:
    """The items of the case that are sealed."""
    with parts.db.reading() as tx:
        return list(
            tx.session.exec(
                select(EvidenceItem.file_name).where(
                    EvidenceItem.case_id == case_id,
                    EvidenceItem.state == EvidenceState.SEALED.value,
                )
            ).all()
        )


def looked_into(parts: Container, items: Mapping[str, ItemId]) -> int:
    """How many of the items were looked into."""
    with parts.db.reading() as tx:
        found = tx.session.exec(
            select(Inspection.item_id).where(col(Inspection.item_id).in_(items.values()))
        ).all()
    return len(found)


def film(path: Path, seconds: int = 24) -> bytes:
    """A film in which each second has a grey of its own."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(seconds * 10):
            grey = Image.new("RGB", (320, 180), (number // 10 * 9 % 255,) * 3)
            container.mux(stream.encode(av.VideoFrame.from_image(grey)))
        container.mux(stream.encode())
    return path.read_bytes()


def sound(path: Path, seconds: int = 8) -> bytes:
    """A tone."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libopus", rate=48000, layout="mono")
        for number in range(seconds * 50):
            frame = av.AudioFrame(format="s16", layout="mono", samples=960)
            wave = (int(9000 * math.sin(at / 20)) for at in range(960))
            frame.planes[0].update(array("h", wave).tobytes())
            frame.sample_rate, frame.pts, frame.time_base = 48000, number * 960, Fraction(1, 48000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


def picture() -> bytes:
    """A picture of one colour."""
    body = io.BytesIO()
    Image.new("RGB", (800, 600), (180, 140, 90)).save(body, "JPEG")
    return body.getvalue()


def svg() -> bytes:
    """A drawing with a script in it."""
    return f'<svg xmlns="http://www.w3.org/2000/svg"><script>{RUNS}</script></svg>'.encode()
