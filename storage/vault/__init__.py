"""The evidence vault: bytes in an S3 store, and the only place that speaks to it.

Others use `Vault`, the plan of an upload, the keys and the typed errors; nothing of boto3 leaves
this room. The vault knows no case and no person: who may do what is asked before it is called.
"""

from storage.vault.errors import (
    AlreadyThere,
    BytesDiffer,
    ObjectChanged,
    ObjectMissing,
    StillLocked,
    StoreAway,
    UploadGone,
)
from storage.vault.keys import (
    INCOMING,
    PREVIEWS,
    SEALED,
    arrival_key,
    incoming_key,
    previews_of,
    sealed_key,
)
from storage.vault.plan import SMALLEST_PART, PartPlan, plan_open_ended, plan_parts
from storage.vault.values import (
    KeptPart,
    ObjectFacts,
    OpenUpload,
    SignedRequest,
    StoreAddress,
    Version,
)
from storage.vault.vault import Vault

__all__ = [
    "INCOMING",
    "PREVIEWS",
    "SEALED",
    "SMALLEST_PART",
    "AlreadyThere",
    "BytesDiffer",
    "KeptPart",
    "ObjectChanged",
    "ObjectFacts",
    "ObjectMissing",
    "OpenUpload",
    "PartPlan",
    "SignedRequest",
    "StillLocked",
    "StoreAddress",
    "StoreAway",
    "UploadGone",
    "Vault",
    "Version",
    "arrival_key",
    "incoming_key",
    "plan_open_ended",
    "plan_parts",
    "previews_of",
    "sealed_key",
]
