"""The evidence vault: bytes in an S3 store, and the only place that speaks to it.

Others use `Vault`, the plan of an upload, the keys and the typed errors; nothing of boto3 leaves
this room. The vault knows no case and no person: who may do what is asked before it is called.
"""

from storage.vault.errors import (
    AlreadyThere,
    BytesDiffer,
    ObjectChanged,
    ObjectMissing,
    StoreAway,
    UploadGone,
)
from storage.vault.keys import INCOMING, SEALED, incoming_key, sealed_key
from storage.vault.plan import PartPlan, plan_parts
from storage.vault.values import (
    KeptPart,
    ObjectFacts,
    OpenUpload,
    SignedRequest,
    StoreAddress,
)
from storage.vault.vault import Vault

__all__ = [
    "INCOMING",
    "SEALED",
    "AlreadyThere",
    "BytesDiffer",
    "KeptPart",
    "ObjectChanged",
    "ObjectFacts",
    "ObjectMissing",
    "OpenUpload",
    "PartPlan",
    "SignedRequest",
    "StoreAddress",
    "StoreAway",
    "UploadGone",
    "Vault",
    "incoming_key",
    "plan_parts",
    "sealed_key",
]
