"""Digital Bazaar's Node libraries on a document of ours: their rates, measured in this same run."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from credentials.contexts import DID as DID_CONTEXT
from credentials.contexts import pinned_contexts
from credentials.documents import JsonObject
from credentials.keys import PrivateKey, public_multibase, seed_of
from credentials.multibase import to_base58

ROOT = Path(__file__).parents[1]
_ED25519_SECRET = b"\x80\x26"


@dataclass(frozen=True)
class NodeRates:
    """Per second, on one core."""

    sign: float
    verify: float


def node_rates(
    unsigned: JsonObject, signed: JsonObject, did_document: JsonObject, key: PrivateKey, method: str
) -> NodeRates | None:
    """What Node comes to with this document; None where Node or the libraries are not there."""
    if shutil.which("node") is None or not (ROOT / "node_modules/@digitalbazaar/vc").is_dir():
        return None
    did = str(did_document["id"])
    asked = {
        "contexts": {**pinned_contexts(), DID_CONTEXT: {"@context": {}}},
        "documents": {did: did_document},
        "unsigned": unsigned,
        "signed": signed,
        "key": {
            "id": method,
            "controller": did,
            "publicKeyMultibase": public_multibase(key),
            "secretKeyMultibase": to_base58(_ED25519_SECRET + seed_of(key)),
        },
        "seconds": 3,
    }
    answer = subprocess.run(
        ["node", "bench/node_rates.mjs"],
        cwd=ROOT,
        input=json.dumps(asked).encode(),
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return NodeRates(**json.loads(answer.stdout))
