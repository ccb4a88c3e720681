"""The one tree of errors that leaves this room.

CredentialError
├── Malformed       the bytes or the document are not what they should be
├── BadProof        the proof is missing, of another kind, or does not hold
├── BadKey          a key, its seal or its name cannot be used
├── BadStatus       a status list or an entry of one cannot be relied on
├── CannotFetch     something remote could not be had; says nothing against the credential
└── NotYetReadable  sound perhaps, but of a kind that this version does not read
"""


class CredentialError(Exception):
    """Something about a document is not right; `reason` is a sentence for people.

    `message` is an English gettext message id with `%(name)s` places that `params` fill.
    """

    def __init__(self, message: str, **params: str) -> None:
        super().__init__(message)
        self.message = message
        self.params: dict[str, str] = params

    @property
    def reason(self) -> str:
        """The sentence, in English, with its places filled."""
        return self.message % self.params if self.params else self.message

    def __str__(self) -> str:
        return self.reason


class Malformed(CredentialError):
    """The bytes, or the document in them, are not what they should be."""


class BadProof(CredentialError):
    """The proof is missing, of a kind that does not count, or does not hold."""


class BadKey(CredentialError):
    """A key, its seal or its name cannot be used."""


class BadStatus(CredentialError):
    """A status list, or an entry that points to one, cannot be relied on."""


class CannotFetch(CredentialError):
    """Something remote could not be had. It says nothing against the credential."""


class NotYetReadable(CredentialError):
    """The document may be sound, but it is of a kind that this version does not read."""
