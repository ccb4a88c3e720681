"""The demo's own credential, judged by us and by others, as it is and after mutations."""

import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3.ldp import OB3LdpVerifier

from credentials.contexts import DID as DID_CONTEXT
from credentials.contexts import pinned_contexts
from credentials.errors import CannotFetch
from credentials.fetching import DirectoryFetcher
from credentials.verdict import Finding, Outcome, Verdict
from credentials.verify import verify
from storage.clock import SystemClock

ROOT = Path(__file__).parents[2]
DEMO_SECONDS = 900
Document = dict[str, Any]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `assay demo` leaves; it exits 0 only if the credential verifies and digests agree."""
    out = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "app.cli", "demo", "--out", str(out), "--video-seconds", "1"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=DEMO_SECONDS
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return out


@pytest.fixture
def credential(bundle: Path) -> Document:
    """The demo's credential, to be changed."""
    return cast(Document, json.loads((bundle / "credential.json").read_text("utf-8")))


def ours(document: Document, fetch: Callable[[str], bytes]) -> Verdict:
    return verify(json.dumps(document).encode(), fetch=fetch, now=SystemClock().now())


def test_a_whole_case_ends_in_a_bundle_that_verifies_without_network(bundle: Path) -> None:
    made = {path.name for path in bundle.iterdir()}
    assert {"credential.json", "map.json", "badge.png", "badge.svg", "certificate.pdf"} <= made
    assert list((bundle / "evidence").iterdir()) != []
    command = [sys.executable, "-m", "app.cli", "verify", str(bundle / "badge.png"), "--json"]
    done = subprocess.run(
        [*command, "--documents", str(bundle)], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_openbadgeslib_accepts_it(bundle: Path) -> None:
    document = (bundle / "credential.json").read_bytes()
    OB3LdpVerifier().verify(
        document, check_status=True, download=DirectoryFetcher(bundle), verify_status_list=False
    )


def test_digital_bazaar_accepts_it(bundle: Path, credential: Document) -> None:
    if shutil.which("node") is None or not (ROOT / "node_modules/@digitalbazaar/vc").is_dir():
        pytest.skip("node or node_modules is not there: run make setup")
    verdict = node_verdict(bundle, credential)
    assert verdict["verified"], verdict["errors"]
    assert verdict["status"] == {"verified": True, "set": []}
    assert not node_verdict(bundle, credential | {"name": "Another"})["verified"]


def node_verdict(bundle: Path, document: Document) -> Document:
    places = json.loads((bundle / "map.json").read_text("utf-8"))
    documents = {}
    for url, name in places.items():
        content = json.loads((bundle / name).read_text("utf-8"))
        documents[content["id"] if "did.json" in url else url] = content
    asked = {
        "contexts": {**pinned_contexts(), DID_CONTEXT: {"@context": {}}},
        "cases": [{"name": "demo", "credential": document, "documents": documents}],
    }
    answer = subprocess.run(
        ["node", "tests/conformance/judge.mjs"],
        cwd=ROOT,
        input=json.dumps(asked).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return cast(Document, json.loads(answer.stdout)[0])


def _first_evidence(document: Document) -> Document:
    return cast(Document, document["evidence"][0])


def _change_name(document: Document) -> None:
    document["name"] += "!"


def _change_level(document: Document) -> None:
    result = document["credentialSubject"]["result"][0]
    result["achievedLevel"] = result["achievedLevel"] + "x"


def _change_learner(document: Document) -> None:
    document["credentialSubject"]["identifier"][0]["identityHash"] = "Someone Else"


def _change_digest(document: Document) -> None:
    digest = _first_evidence(document)["digestMultibase"]
    flipped = "A" if digest[-2] != "A" else "B"
    _first_evidence(document)["digestMultibase"] = digest[:-2] + flipped + digest[-1]


def _change_evidence_link(document: Document) -> None:
    _first_evidence(document)["id"] += "x"


def _drop_evidence(document: Document) -> None:
    document["evidence"].pop()


def _move_status_index(document: Document) -> None:
    document["credentialStatus"]["statusListIndex"] = "7"


def _change_dates(document: Document) -> None:
    document["awardedDate"] = "2020-01-01T00:00:00Z"


def _change_issuer_name(document: Document) -> None:
    document["issuer"]["name"] = "Another College"


def _change_proof_time(document: Document) -> None:
    document["proof"][0]["created"] = "2020-01-01T00:00:00Z"


def _change_proof_value(document: Document) -> None:
    value = document["proof"][0]["proofValue"]
    document["proof"][0]["proofValue"] = value[:-1] + ("2" if value[-1] != "2" else "3")


def _swap_purpose(document: Document) -> None:
    document["proof"][0]["proofPurpose"] = "authentication"


def _remove_proof(document: Document) -> None:
    del document["proof"]


def _add_undefined_term(document: Document) -> None:
    document["grandTotal"] = "100"


def _add_unknown_context(document: Document) -> None:
    document["@context"].append("https://unknown.example/context")


MUTATIONS: list[tuple[Callable[[Document], None], str]] = [
    (_change_name, "signature"),
    (_change_level, "signature"),
    (_change_learner, "signature"),
    (_change_digest, "signature"),
    (_change_evidence_link, "signature"),
    (_drop_evidence, "signature"),
    (_move_status_index, "signature"),
    (_change_dates, "signature"),
    (_change_issuer_name, "signature"),
    (_change_proof_time, "signature"),
    (_change_proof_value, "signature"),
    (_swap_purpose, "signature"),
    (_remove_proof, "signature"),
    (_add_undefined_term, "well_formed"),
    (_add_unknown_context, "well_formed"),
]


@pytest.mark.parametrize(
    ("mutate", "code"), MUTATIONS, ids=[mutate.__name__ for mutate, _ in MUTATIONS]
)
def test_a_mutation_is_refused_with_the_right_reason(
    bundle: Path, credential: Document, mutate: Callable[[Document], None], code: str
) -> None:
    changed = copy.deepcopy(credential)
    mutate(changed)
    verdict = ours(changed, DirectoryFetcher(bundle))
    assert verdict.outcome is Outcome.NOT_VALID
    assert Finding.FAILED in [check.outcome for check in verdict.of(code)], verdict.checks
    with pytest.raises(LibOpenBadgesException):
        OB3LdpVerifier().verify(
            json.dumps(changed).encode(),
            check_status=True,
            download=DirectoryFetcher(bundle),
            verify_status_list=False,
        )


def test_what_the_bundle_does_not_hold_makes_the_verdict_cannot_tell(credential: Document) -> None:
    def nothing(url: str) -> bytes:
        raise CannotFetch("%(url)s is not there.", url=url)

    assert ours(credential, nothing).outcome is Outcome.CANNOT_TELL
