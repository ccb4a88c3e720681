"""`assay verify`: one line per check, and an exit code that a script can trust."""

import json
from pathlib import Path

import pytest

from app.cli import main
from credentials.documents import dump_json
from credentials.fetching import DirectoryFetcher
from tests.fixtures.badges import (
    CREDENTIAL_ID,
    DRAWING,
    ENDORSEMENT_ID,
    INDEX,
    LISTS,
    VIDEO,
    Web,
    signed_credential,
    signed_endorsement,
    status_list,
    web,
)


def bundle(folder: Path, house: Web) -> Path:
    """An offline bundle of everything on a web, with the credential and its files."""
    names = {url: f"{number}.json" for number, url in enumerate(house.documents)}
    for url, name in names.items():
        (folder / name).write_bytes(house.documents[url])
    (folder / "map.json").write_text(json.dumps(names))
    (folder / "credential.json").write_bytes(dump_json(signed_credential()))
    (folder / "video.mp4").write_bytes(VIDEO)
    (folder / "drawing.pdf").write_bytes(DRAWING)
    return folder


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A bundle in good order, with an endorsement beside the credential."""
    house = web()
    house.put(ENDORSEMENT_ID, signed_endorsement())
    house.documents["https://riverside.example/logo.png"] = b"\x89PNG"
    return bundle(tmp_path, house)


def run(folder: Path, *more: str) -> int:
    """Run the command on a bundle's credential."""
    return main(["verify", str(folder / "credential.json"), "--documents", str(folder), *more])


def test_a_good_bundle_is_valid(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(good / "video.mp4"), str(good / "drawing.pdf")]
    assert run(good, "--evidence", *files) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "Valid."
    assert "✓ signature: The signature is good: nothing was changed." in lines
    assert f"✓ endorsement.signature ({ENDORSEMENT_ID}): " in "\n".join(lines)
    assert sum(line.startswith("✓ evidence: ") for line in lines) == 2
    assert not any(line.startswith(("✗", "?")) for line in lines)


def test_another_file_is_not_the_evidence(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (good / "drawing.pdf").write_bytes(DRAWING + b" ")
    assert run(good, "--evidence", str(good / "drawing.pdf")) == 1
    out = capsys.readouterr().out
    assert "✗ evidence: No evidence in this credential has the digest of" in out
    assert out.endswith("Not valid.\n")


def test_a_revoked_credential_is_not_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = web()
    house.put(LISTS["revocation"], status_list("revocation", INDEX))
    assert run(bundle(tmp_path, house)) == 1
    out = capsys.readouterr().out
    assert "✓ signature" in out
    assert "✗ status.revocation: It was revoked by its issuer." in out


def test_a_bundle_without_the_list_cannot_tell_and_asks_no_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = web()
    del house.documents[LISTS["revocation"]]
    assert run(bundle(tmp_path, house)) == 2
    assert "The bundle has no file for" in capsys.readouterr().out


def test_programs_get_json(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(good, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["outcome"] == "valid"
    assert {"code", "subject", "outcome", "message"} == set(found["checks"][0])
    assert [item["name"] for item in found["evidence"]] == [
        "Set-up of the Haas VF-2, 52 minutes",
        "Marked drawing",
    ]


def test_the_badge_may_be_named_by_its_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = web()
    house.put(CREDENTIAL_ID, signed_credential())
    folder = bundle(tmp_path, house)
    assert main(["verify", CREDENTIAL_ID, "--documents", str(folder)]) == 0
    assert DirectoryFetcher(folder)(CREDENTIAL_ID)
    assert "Valid." in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["/nowhere/credential.json"],
        ["http://127.0.0.1:9/credential.json"],
        ["https://127.0.0.1:9/x", "--allow-origin", "https://127.0.0.1:9"],
    ],
)
def test_what_is_not_there_cannot_be_told(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *words]) == 2
    assert capsys.readouterr().err


def test_a_folder_that_is_no_bundle_cannot_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "x.json", "--documents", str(tmp_path)]) == 2
    assert "has no map.json" in capsys.readouterr().err
