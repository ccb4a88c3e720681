"""Whether a store that was just started takes writes: one signed PUT, standard library only.

The evidence vault (storage/vault) is how the house talks to its store. This is for the moment
before there is a bucket, where only the answer to a first write tells that the store is ready.
"""

import hashlib
import hmac
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from storage.clock import SystemClock

BUCKET = "assay-canary"
_open = build_opener(ProxyHandler({})).open


def try_write(endpoint: str, region: str, access_key: str, secret_key: str) -> None:
    """Write a small object to a bucket of its own; raises OSError while that does not work."""
    for path, accepted, body in (
        (f"/{BUCKET}", {200, 409}, b""),
        (f"/{BUCKET}/ready", {200}, b"!"),
    ):
        request = Request(endpoint + path, data=body or None, method="PUT")  # noqa: S310
        for name, value in _signed(request, region, access_key, secret_key, body).items():
            request.add_header(name, value)
        status = _status(request)
        if status not in accepted:
            raise OSError(f"the store answers {status} to a first write")


def _status(request: Request) -> int:
    try:
        with _open(request, timeout=3) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def _signed(
    request: Request, region: str, access_key: str, secret_key: str, body: bytes
) -> dict[str, str]:
    """The headers of AWS Signature Version 4 for a request without a query."""
    at = SystemClock().now().strftime("%Y%m%dT%H%M%SZ")
    address = urlsplit(request.full_url)
    digest = hashlib.sha256(body).hexdigest()
    named = {"host": address.netloc, "x-amz-content-sha256": digest, "x-amz-date": at}
    names = ";".join(named)
    lines = "".join(f"{name}:{value}\n" for name, value in named.items())
    canonical = f"{request.method}\n{address.path}\n\n{lines}\n{names}\n{digest}"
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret_key}".encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"Credential={access_key}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    return named | {"Authorization": f"AWS4-HMAC-SHA256 {credential}"}
