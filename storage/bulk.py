"""Very many rows at once: read by their ids in one parameter, written by COPY.

A statement with a thousand parameters costs more to read than to answer, and a statement for each
row costs a turn for each; COPY writes ten rows in the time of one. Guards and constraints hold as
ever.
"""

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import ColumnElement, Uuid, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlmodel import SQLModel

from storage.database import Transaction
from storage.tables import METADATA

IdColumn = SQLCoreOperations[UUID] | SQLCoreOperations[UUID | None]


@dataclass(frozen=True, slots=True)
class JsonText:
    """A JSON document that is text already, as `write_rows` takes one."""

    text: str


@contextmanager
def kept_to_the_end() -> Iterator[None]:
    """For work that makes hundreds of thousands of values and needs them until it ends: nothing is
    looked through for cycles meanwhile, which takes a tenth of its time and finds none."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def among(column: IdColumn, ids: Collection[UUID]) -> ColumnElement[bool]:
    """That a column holds one of very many ids, or of none."""
    return column == any_(literal(list(ids), ARRAY(Uuid())))


def write_rows(
    tx: Transaction, table: type[SQLModel], rows: Sequence[Mapping[str, object]]
) -> None:
    """Insert rows that all have the same columns, in the same order; what they leave out gets the
    database's default.

    Raises what an INSERT would.
    """
    if not rows:
        return
    tx.session.flush()
    name = str(table.__tablename__)
    columns = [METADATA.tables[name].columns[column] for column in rows[0]]
    documents = [isinstance(column.type, JSONB) for column in columns]
    dialect = tx.session.connection().dialect
    types = [column.type.compile(dialect=dialect).lower() for column in columns]
    # as text, every letter of a long document would be looked at for what must be escaped, twice
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(name), sql.SQL(", ").join(sql.Identifier(one.name) for one in columns)
    )
    connection = cast(
        "psycopg.Connection[tuple[object, ...]]",
        tx.session.connection().connection.driver_connection,
    )
    try:
        with connection.cursor().copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(
                    [
                        _json(value) if is_document else value
                        for value, is_document in zip(row.values(), documents, strict=True)
                    ]
                )
    except psycopg.Error as error:
        raise DBAPIError.instance("COPY", None, error, psycopg.Error) from error


def _json(value: object) -> Jsonb | None:
    if isinstance(value, JsonText):
        return Jsonb(value.text, dumps=str)
    return None if value is None else Jsonb(value)
