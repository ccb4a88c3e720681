"""Whether a store that was just started takes writes: one signed PUT, standard library only.

The evidence vault (storage/vault) is how the house talks to its store. This is for the moment
before there is a bucket, where only the answer to a first write tells that the store is ready.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from storage.clock import SystemClock

BUCKET = "assay-canary"
_open = build_opener(ProxyHandler({})).open


@dataclass(frozen=True)
class Store:
    """The address of a store and a key to it."""

    endpoint: str
    region: str
    access_key: str
    secret_key: str

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> "Store":
        """The store that the S3_* settings lead to."""
        names = ("S3_ENDPOINT_URL", "S3_REGION", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
        return cls(*(settings[name] for name in names))

    def status(self, method: str, path: str, body: bytes = b"") -> int:
        """The store's answer to one signed request. Raises OSError when there is none."""
        request = Request(self.endpoint + path, data=body or None, method=method)  # noqa: S310
        for name, value in _signed(request, self, body).items():
            request.add_header(name, value)
        try:
            with _open(request, timeout=2) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code


def try_write(store: Store) -> None:
    """Write a small object to a bucket of its own; raises OSError while that does not work."""
    made = store.status("PUT", f"/{BUCKET}")
    kept = store.status("PUT", f"/{BUCKET}/ready", b"!")
    if made not in {200, 409} or kept != 200:
        raise OSError(f"the store answers {made} and {kept} to a first bucket and write")


def _signed(request: Request, store: Store, body: bytes) -> dict[str, str]:
    """The headers of AWS Signature Version 4 for a request without a query."""
    at = SystemClock().now().strftime("%Y%m%dT%H%M%SZ")
    address = urlsplit(request.full_url)
    digest = hashlib.sha256(body).hexdigest()
    named = {"host": address.netloc, "x-amz-content-sha256": digest, "x-amz-date": at}
    names = ";".join(named)
    lines = "".join(f"{name}:{value}\n" for name, value in named.items())
    canonical = f"{request.method}\n{address.path}\n\n{lines}\n{names}\n{digest}"
    scope = f"{at[:8]}/{store.region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{store.secret_key}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = (
        f"Credential={store.access_key}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return named | {"Authorization": f"AWS4-HMAC-SHA256 {credential}"}
