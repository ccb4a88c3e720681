"""The API's description as a page for people who write programs: the same facts, readable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, render_template

from app.api.openapi import address_of, describe, routes
from app.api.operations import Operation
from app.web.access import parts, public

blueprint = Blueprint("api_page", __name__)


@dataclass(frozen=True)
class FieldRow:
    """A field of what is sent or answered, in words."""

    name: str
    kind: str
    required: bool
    words: str


@dataclass(frozen=True)
class OperationRow:
    """An operation as the page shows it."""

    name: str
    method: str
    address: str
    described: Operation
    takes: tuple[FieldRow, ...]
    gives: tuple[FieldRow, ...]
    status: int
    refusals: tuple[tuple[str, str], ...]


@blueprint.get("/api")
@public
def page() -> str:
    """What programs can do here, and how."""
    whole = describe(current_app)
    site = parts().settings.public_url
    return render_template("api/description.html", operations=list(_rows(whole)), site=site)


def _rows(whole: Mapping[str, Any]) -> Iterator[OperationRow]:
    schemas = whole["components"]["schemas"]
    for rule, method, found in routes(current_app):
        told = whole["paths"][address_of(rule)][method.lower()]
        status, model = found.gives
        refusals = [
            (code, answer["description"])
            for code, answer in told["responses"].items()
            if int(code) >= 400
        ]
        yield OperationRow(
            told["operationId"],
            method,
            address_of(rule),
            found,
            tuple(_fields(schemas, found.takes.__name__ if found.takes else "")),
            tuple(_fields(schemas, model.__name__ if model else "")),
            status,
            tuple(refusals),
        )


def _fields(schemas: Mapping[str, Any], model: str, within: str = "") -> Iterator[FieldRow]:
    """A model's fields, and behind each the fields of what it holds: `parts[].number`."""
    schema = schemas.get(model, {})
    for name, field in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        kind = _kind(schemas, field)
        yield FieldRow(within + name, kind, required, field.get("description", ""))
        held = kind.removeprefix("list of ").removesuffix(" or null")
        step = "[]." if kind.startswith("list of ") else "."
        yield from _fields(schemas, held, f"{within}{name}{step}")


def _kind(schemas: Mapping[str, Any], field: Mapping[str, Any]) -> str:
    """What values a field takes: `integer or null`, `list of WantedPart`, `a | b`."""
    if "anyOf" in field:
        return " or ".join(_kind(schemas, one) for one in field["anyOf"])
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return _kind(schemas, schemas[name]) if "enum" in schemas[name] else name
    if "enum" in field:
        return " | ".join(str(one) for one in field["enum"])
    if field.get("type") == "array":
        return f"list of {_kind(schemas, field['items'])}"
    return str(field.get("format") or field.get("type") or field.get("const", ""))
