"""What VC-API signs for programs: in whose name, and with what added. Pure."""

from dataclasses import dataclass, field

from credentials.contexts import DATA_INTEGRITY
from credentials.data_model import check_credential, is_version_1
from credentials.documents import JsonObject, as_list, id_of
from credentials.errors import Malformed
from credentials.proofs import CRYPTOSUITE, CRYPTOSUITES
from storage.vocabulary import StatusPurpose


@dataclass(frozen=True)
class Order:
    """How a credential is to be signed. `status` None: it gets no place in a status list.

    `enveloped`: it comes as a token in an envelope, and not with an embedded proof.
    `renames`: a credential that names another issuer is signed all the same, in our name.
    """

    cryptosuite: str = CRYPTOSUITE
    status: StatusPurpose | None = StatusPurpose.REVOCATION
    previous: tuple[str, ...] = ()
    proof_id: str | None = None
    enveloped: bool = False
    renames: bool = False


@dataclass(frozen=True)
class Names:
    """The names under which the institution's live key is known: its own, and the institution's."""

    did_key: str
    did_web: str
    web_method: str
    key_method: str = field(default="")

    @property
    def told(self) -> str:
        """Both names, in a sentence."""
        return f"{self.did_key} or {self.did_web}"

    def method(self, issuer: str) -> str:
        """The name of the key under this issuer."""
        return self.web_method if issuer == self.did_web else self.key_method


def fit_to_sign(credential: JsonObject, order: Order, names: Names) -> JsonObject:
    """The credential as it will be signed, but for its status. Raises Malformed, BadStatus."""
    if order.cryptosuite not in CRYPTOSUITES:
        raise Malformed("Assay does not sign with “%(name)s”.", name=order.cryptosuite[:80])
    if "issuer" not in credential:
        raise Malformed(
            "The document names no issuer. This service signs as %(ours)s.", ours=names.told
        )
    check_credential(credential)
    document = _in_our_name(credential, order, names)
    return _with_terms_of_proofs(document)


def wants_place(document: JsonObject, order: Order) -> bool:
    """Whether the credential gets a place in a list of ours: version 1 has no words for it, and
    what names a status of its own, or is a status list, keeps what it says.
    """
    kinds = as_list(document.get("type"))
    settled = "credentialStatus" in document or "BitstringStatusListCredential" in kinds
    return order.status is not None and not settled and not is_version_1(document)


def _in_our_name(document: JsonObject, order: Order, names: Names) -> JsonObject:
    issuer = document["issuer"]
    if id_of(issuer) in (names.did_key, names.did_web):
        return document
    if not order.renames:
        raise Malformed(
            "This service signs as %(ours)s, not as %(theirs)s.",
            ours=names.told,
            theirs=str(id_of(issuer))[:200],
        )
    ours = {**issuer, "id": names.did_key} if isinstance(issuer, dict) else names.did_key
    return {**document, "issuer": ours}


def _with_terms_of_proofs(document: JsonObject) -> JsonObject:
    """Version 1 has no words for our proofs: the context that has them is added."""
    contexts = as_list(document.get("@context"))
    if not is_version_1(document) or DATA_INTEGRITY in contexts:
        return document
    return {**document, "@context": [*contexts, DATA_INTEGRITY]}
