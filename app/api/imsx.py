"""How the Open Badges API says no: Imsx_StatusInfo of 1EdTech, one shape for every refusal."""

import json
from collections.abc import Mapping

from flask import Response

UNDER = "/ims/ob/"
_CODES: Mapping[int, str] = {
    304: "not_modified",
    400: "invalid_data",
    401: "unauthorizedrequest",
    403: "forbidden",
    404: "unknown",
    405: "not_allowed",
    406: "not_acceptable",
    413: "invalid_data",
    415: "not_acceptable",
    421: "misdirected_request",
    429: "server_busy",
    500: "internal_server_error",
    503: "server_busy",
}
QUERY = frozenset({"limit", "offset", "since"})


def refusal(status: int, words: str, problems: Mapping[str, str]) -> Response:
    """The answer. What cannot be used is a 400 here, as the specification's tables have it."""
    status = 400 if status == 422 else status
    code = _CODES.get(status, "unknown")
    if status == 400 and problems.keys() & QUERY:
        code = "invalid_query_parameter"
    told = [words, *(f"{field}: {said}" for field, said in problems.items() if field)]
    body = {
        "imsx_codeMajor": "unsupported" if status in {405, 415} else "failure",
        "imsx_severity": "error",
        "imsx_description": " ".join(told),
        "imsx_codeMinor": {
            "imsx_codeMinorField": [
                {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": code}
            ]
        },
    }
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")
