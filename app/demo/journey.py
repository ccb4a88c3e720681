"""One whole case, walked over HTTP as all of its people: from the first click to the verdict."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from app.demo.files import Made
from app.demo.person import Person, WentWrong
from app.demo.uploading import sha256_of_file, upload

CREDENTIAL = "MC-CNC-TECH"
SUPERVISOR = ("Rita Marsh", "rita.marsh@halton-precision.example")
ENDORSER = ("Paul Lindgren", "paul.lindgren@halton-precision.example")
ASSESSORS = ("Priya Nair", "Tom Becker")
PATIENCE_SECONDS = 180
ID = r"[0-9a-f-]{36}"
LEVELS = {"Priya Nair": {}, "Tom Becker": {"CNC1.a": "4"}}
REASON = "Seen from the first minute of the video and in the report; measured values agree."

Tell = Callable[[str], None]
Act = tuple[str, Callable[[], None]]


@dataclass
class Journey:
    """The case as it grows. `acts` are its steps in order, each with who does what."""

    site: str
    files: Sequence[Made]
    tell: Tell
    case_id: str = ""
    credential_id: str = ""
    digests: dict[str, str] = field(default_factory=dict)

    def acts(self) -> list[Act]:
        """The steps of the case, in order."""
        return [
            (
                "Ana Souza reads what the credential asks for, opens a case and rates herself",
                self.open,
            ),
            ("Ana uploads her evidence, straight to the store, four parts at a time", self.upload),
            ("the workers seal each file: digest, type, malware", self.wait_for_seals),
            ("Ana says what she did herself, and which outcomes each file shows", self.describe),
            ("Ana asks her supervisor for a word", self.ask_supervisor),
            ("the supervisor answers by a mailed link, without an account", self.attest),
            ("Ana signs the declaration and submits", self.submit),
            ("the coordinator screens the case and asks two assessors", self.screen),
            ("two assessors declare, read, and score blind of each other", self.score),
            ("the decider decides per outcome", self.decide),
            ("the registrar turns the second key", self.release),
            ("the credential is signed and published", self.wait_for_credential),
            ("Ana opens one file to the world and asks her employer to endorse", self.share),
            ("the employer endorses by a mailed link; Ana accepts", self.endorse),
        ]

    def open(self) -> None:
        """Open the case."""
        ana = self._ana(f"/catalogue/{CREDENTIAL}")
        form = next(form for form in ana.page.forms if "/cases/open/" in (form.action or ""))
        ana.fill(form.action)
        self.case_id = _id_in(ana.address, "cases")
        ana.fill("/rating", {f"rating-CNC{number}": "3" for number in range(1, 6)})

    def upload(self) -> None:
        """Send every file."""
        ana = self._ana()
        for made in self.files:
            self.digests[made.path.name] = sha256_of_file(made.path)
            size = made.path.stat().st_size / 1_000_000
            began = time.monotonic()
            upload(ana, self.case_id, made.path, partial(self._tell_parts, made.path.name))
            took = max(time.monotonic() - began, 0.001)
            self.tell(f"{made.path.name}: {size:.1f} MB in {took:.1f} s ({size / took:.0f} MB/s)")

    def _tell_parts(self, name: str, done: int, parts: int) -> None:
        self.tell(f"{name}: part {done} of {parts}")

    def wait_for_seals(self) -> None:
        """Wait until every receipt shows the digest of the file on our disk."""
        ana = self._ana()
        for made in self.files:
            expected = self.digests[made.path.name]

            def sealed(expected: str = expected) -> bool:
                self._ana_at_case(ana)
                return any(
                    expected in "".join(ana.open(link).text().split())
                    for link in ana.links(rf"/evidence/{ID}$")
                )

            self._wait(sealed, f"the seal of {made.path.name}")
            self.tell(f"{made.path.name}: sealed, SHA-256 {expected[:16]}… as on disk")

    def describe(self) -> None:
        """Describe and map every item."""
        ana = self._ana()
        for link in self._ana_at_case(ana).links(rf"/evidence/{ID}$"):
            ana.open(link)
            made = next(made for made in self.files if made.path.name in ana.text())
            ana.fill(
                "/describe",
                {
                    "title": made.title,
                    "kind": made.kind,
                    "own_part": made.own_part,
                    "work_from": made.worked,
                    "work_to": made.worked,
                    "outcomes": made.outcomes,
                    "people": "nobody",
                    "ai": "none",
                    "disclosure": "digest_only",
                },
            )

    def ask_supervisor(self) -> None:
        """Ask for an attestation."""
        ana = self._ana(f"/cases/{self.case_id}/attestations")
        name, email = SUPERVISOR
        outcomes = ["CNC2", "CNC3", "CNC5"]
        ana.fill(
            f"/cases/{self.case_id}/attestations",
            {"name": name, "email": email, "outcomes": outcomes, "message": "Thank you, Rita."},
        )

    def attest(self) -> None:
        """Answer as the supervisor, with the code from the second mail."""
        rita = Person(self.site, SUPERVISOR[0])
        link = self._mailed(SUPERVISOR[1], r"/attest/")
        rita.open(link).fill("/accept")
        rita.fill(
            "/form",
            {
                "relation": "supervisor",
                "role": "Shift lead, machining",
                "organisation": "Halton Precision Ltd",
                "since": "2021-05",
                "frequency": "daily",
                "rating-CNC2": "4",
                "rating-CNC3": "3",
                "rating-CNC5": "not_observed",
                "example_high": "She proved out the housing program alone on VM-3 and taught the "
                "night shift to single-block the first part.",
                "example_low": "She edits programs at the control and logs each revision.",
                "public": "yes",
            },
            button="preview",
        )
        rita.fill("/code")
        code = self._mailed_code(SUPERVISOR[1])
        rita.open(f"{link}/preview?sent=yes")
        rita.fill("/sign", {"typed_name": SUPERVISOR[0], "code": code})
        self._wait(lambda: self._kinds().count("attestation") == 1, "the statement's seal")

    def submit(self) -> None:
        """Sign and submit."""
        ana = self._ana(f"/cases/{self.case_id}/submit")
        for line in re.findall(r"CNC\d [^.]*\. ", ana.text())[:5]:
            self.tell(line.strip())
        ana.fill("/submit", {"agreed": "yes", "signed_name": "Ana Souza"})
        if "does not change" not in ana.text() and "Submitted" not in ana.text():
            raise WentWrong(f"The case was not submitted: {ana.text()[:300]}")

    def screen(self) -> None:
        """Screen, accept, allocate."""
        omar = Person(self.site, "Omar Haddad").sign_in()
        omar.open(f"/staff/cases/{self.case_id}/screening").fill("/screening/begin")
        omar.open(f"/staff/cases/{self.case_id}/screening").fill("/screening/accept")
        omar.open(f"/staff/cases/{self.case_id}/allocation")
        omar.fill("/allocation", {"assessors": [_choice(omar, name) for name in ASSESSORS]})

    def score(self) -> None:
        """Score as both assessors; one differs by a level above the standard."""
        for name in ASSESSORS:
            assessor = Person(self.site, name).sign_in().open("/assessor")
            assessor.open(assessor.link(rf"/assignments/{ID}$"))
            if "Ana Souza" not in assessor.text():
                raise WentWrong(f"{name} does not see whose case it is.")
            assessor.fill("/declare", {"answer": "none"})
            sheet = _id_in(assessor.address, "sheets")
            self._score_sheet(assessor, sheet, LEVELS[name])
            assessor.open(f"/assessor/sheets/{sheet}/check").fill("/final")

    def decide(self) -> None:
        """Wait for the agreement, then decide."""
        daniel = Person(self.site, "Daniel Roy").sign_in()
        address = f"/staff/cases/{self.case_id}/decision"

        def ready() -> bool:
            return daniel.open(f"/staff/cases/{self.case_id}").links(r"/decision$") != []

        self._wait(ready, "the agreement of the two sheets")
        daniel.open(address).fill(
            "/decision",
            {"summary": "All five outcomes are shown by direct, recent evidence and a witness."},
        )

    def release(self) -> None:
        """Release."""
        helen = Person(self.site, "Helen Cho").sign_in()
        helen.open(f"/staff/cases/{self.case_id}/release").fill("/release")

    def wait_for_credential(self) -> None:
        """Wait until it is published."""
        ana = self._ana()

        def published() -> bool:
            found = self._ana_at_case(ana).links(rf"/credentials/{ID}$")
            self.credential_id = _id_in(found[0], "credentials") if found else ""
            return bool(found)

        self._wait(published, "the credential")
        self.tell(f"{self.site}/credentials/{self.credential_id}")

    def share(self) -> None:
        """Open one item, and ask for an endorsement."""
        ana = self._ana(f"/credentials/{self.credential_id}")
        form = next(form for form in ana.page.forms if "/disclosure" in (form.action or ""))
        ana.fill(form.action, {"disclosure": "open_link"})
        ana.open(f"/credentials/{self.credential_id}/endorsements")
        name, email = ENDORSER
        ana.fill(
            f"/credentials/{self.credential_id}/endorsements",
            {
                "organisation_id": _option(ana, "organisation_id", "Halton Precision"),
                "name": name,
                "email": email,
                "outcomes": ["CNC2", "CNC4"],
            },
        )

    def endorse(self) -> None:
        """Endorse as the employer, accept as the learner."""
        paul = Person(self.site, ENDORSER[0])
        link = self._mailed(ENDORSER[1], r"/endorse/")
        paul.open(link).open(f"{link}/form").fill(
            "/form",
            {
                "outcomes": ["CNC2", "CNC4"],
                "relation": "employs",
                "title": "Plant manager",
                "since": "2017-03",
                "comment": "We rely on her set-ups every day.",
                "visibility": "counted",
            },
        )
        paul.fill("/code")
        code = self._mailed_code(ENDORSER[1])
        paul.open(f"{link}/preview?sent=yes")
        paul.fill("/sign", {"typed_name": ENDORSER[0], "code": code})
        ana = self._ana()

        def offered() -> bool:
            return ana.open("/my/credentials").has_form("/answer")

        self._wait(offered, "the endorsement's signature")
        ana.fill("/answer", {"answer": "accepted"})

    def _score_sheet(self, assessor: Person, sheet: str, levels: dict[str, str]) -> None:
        pages = assessor.open(f"/assessor/sheets/{sheet}").links(r"outcome=")
        for page in pages:
            assessor.open(page)
            names = [
                str(name) for name in assessor.page.xpath("//textarea/@name") if ".reason" in name
            ]
            codes = [name.removesuffix(".reason") for name in names]
            answers = {f"{code}.level": levels.get(code, "3") for code in codes}
            answers |= {f"{code}.reason": REASON for code in codes}
            assessor.fill(f"/sheets/{sheet}", answers, button="stay")

    def _ana(self, path: str = "/my") -> Person:
        return Person(self.site, "Ana Souza").sign_in().open(path)

    def _ana_at_case(self, ana: Person) -> Person:
        return ana.open(f"/cases/{self.case_id}")

    def _kinds(self) -> list[str]:
        text = self._ana_at_case(self._ana()).text()
        return (
            ["attestation"] if "Word of a supervisor" in text.split("How your outcomes")[0] else []
        )

    def _mailed(self, email: str, pattern: str) -> str:
        found: list[str] = []

        def arrived() -> bool:
            for mail in self._mails(email):
                found[:] = mail.links(pattern)
                if found:
                    return True
            return False

        self._wait(arrived, f"the mail to {email}")
        return found[0]

    def _mailed_code(self, email: str) -> str:
        found: list[str] = []

        def arrived() -> bool:
            for mail in self._mails(email):
                found[:] = re.findall(r"(?<!\d)\d{6}(?!\d)", mail.text())
                if found:
                    return True
            return False

        self._wait(arrived, f"the code for {email}")
        return found[0]

    def _mails(self, email: str) -> Iterator[Person]:
        reader = Person(self.site, "the mailbox")
        for link in reader.open(f"/mailbox?to={email}").links(rf"/mailbox/{ID}$"):
            yield reader.open(link)

    def _wait(self, happened: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            if time.monotonic() > deadline:
                raise WentWrong(f"Waited {PATIENCE_SECONDS} s in vain for {what}.")
            time.sleep(0.4)


@contextmanager
def step(number: int, total: int, words: str, say: Tell) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    say(f"[{number:2}/{total}] {words}")
    began = time.monotonic()
    yield
    say(f"        done in {time.monotonic() - began:.1f} s")


def _id_in(address: str, kind: str) -> str:
    found = re.search(rf"/{kind}/({ID})", address)
    if found is None:
        raise WentWrong(f"There is no id of {kind} in {address}.")
    return found[1]


def _choice(person: Person, words: str) -> str:
    for label in person.page.xpath("//label[.//input]"):
        if words in " ".join(label.itertext()):
            return str(label.xpath("string(.//input/@value)"))
    raise WentWrong(f"{words} is not offered on {person.address}.")


def _option(person: Person, name: str, words: str) -> str:
    for option in person.page.xpath(f"//select[@name='{name}']/option"):
        if words in " ".join(option.itertext()):
            return str(option.get("value"))
    raise WentWrong(f"{words} is not offered on {person.address}.")
