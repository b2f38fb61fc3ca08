"""Tables of databases as destinations: a new table, which takes the name of the old one when it is whole."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from qgis.core import (
    QgsAbstractDatabaseProviderConnection,
    QgsDataSourceUri,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingOutputLayerDefinition,
    QgsProviderConnectionException,
    QgsProviderRegistry,
    QgsVectorLayer,
)

from .crs import tr

_CAPABILITIES = QgsAbstractDatabaseProviderConnection.Capability


def text_of_destination(value: Any) -> str:
    """The text of a destination's value."""
    raw = getattr(value, "sink", value)
    raw = raw.staticValue() if hasattr(raw, "staticValue") else raw
    return raw.strip() if isinstance(raw, str) else ""


def _split(value: Any) -> tuple[str, QgsDataSourceUri] | None:
    """The provider and the source of a destination in a database; None for any other."""
    provider, colon, source = text_of_destination(value).partition(":")
    # The name in old models.
    provider = "postgres" if provider == "postgis" else provider
    if not colon or provider in ("memory", "ogr") or QgsProviderRegistry.instance().providerMetadata(provider) is None:
        return None
    uri = QgsDataSourceUri(source)
    return (provider, uri) if uri.table() else None


def _connection(provider: str, uri: QgsDataSourceUri) -> Any:
    metadata: Any = QgsProviderRegistry.instance().providerMetadata(provider)
    whole = QgsDataSourceUri(uri)
    whole.setTable("")
    return metadata.createConnection(whole.uri(False), {})


def check_table(value: Any, name: str) -> None:
    """Refuse a table that is there already in a database that cannot replace it whole; before any work.

    Raises
    ------
    QgsProcessingException
    """
    split = _split(value)
    if split is None:
        return
    provider, uri = split
    try:
        connection = _connection(provider, uri)
        there = connection is not None and connection.tableExists(uri.schema(), uri.table())
    except (QgsProviderConnectionException, AttributeError):
        # QGIS says what is wrong with it when it writes.
        return
    able = _CAPABILITIES.RenameVectorTable | _CAPABILITIES.DropVectorTable
    if there and (connection.capabilities() & able) != able:
        raise QgsProcessingException(
            tr(
                "The destination of {name} is the table {table}, which is there already, and a database of this kind "
                "({provider}) cannot replace a table whole. Choose a table of another name, or remove this one first."
            ).format(name=name, table=uri.table(), provider=provider)
        )


def write_whole(
    parameters: dict[str, Any],
    name: str,
    context: QgsProcessingContext,
    fill: Callable[[dict[str, Any]], tuple[int, str]],
) -> str | None:
    """Fill a new table, which then takes the place of the one asked for; returns the layer's id.

    Parameters
    ----------
    fill : callable
        Takes parameters, in which the destination is the new table, and returns how many rows it wrote and the id of
        the layer.

    Returns
    -------
    str or None
        None where the destination is in no database: then nothing was done.
    """
    split = _split(parameters[name])
    if split is None:
        return None
    provider, uri = split
    connection = _connection(provider, uri)
    schema, table = uri.schema(), uri.table()
    interim = f"{table[:40]}_crime_risk_{os.getpid()}"
    beside = QgsDataSourceUri(uri)
    beside.setTable(interim)
    store = context.temporaryLayerStore()
    old = f"{table[:40]}_crime_risk_old_{os.getpid()}"
    try:
        _, layer_id = fill({**parameters, name: QgsProcessingOutputLayerDefinition(f"{provider}:{beside.uri(False)}")})
        store.removeMapLayer(layer_id)
        there = connection.tableExists(schema, table)
        if there:
            connection.renameVectorTable(schema, table, old)
        try:
            connection.renameVectorTable(schema, interim, table)
        except QgsProviderConnectionException:
            if there:
                connection.renameVectorTable(schema, old, table)
            raise
    except QgsProviderConnectionException as error:
        _drop(connection, schema, interim)
        raise QgsProcessingException(
            tr("{name}: the table {table} could not be replaced: {why}. Choose a table of another name.").format(
                name=name, table=table, why=" ".join(str(error).split()).rstrip(".")
            )
        ) from error
    except BaseException:
        _drop(connection, schema, interim)
        raise
    _drop(connection, schema, old)
    layer = QgsVectorLayer(uri.uri(False), table, provider)
    store.addMapLayer(layer)
    return str(layer.id())


def _drop(connection: Any, schema: str, table: str) -> None:
    """Drop a table that is of no use any more; one that cannot be dropped does no harm."""
    with contextlib.suppress(QgsProviderConnectionException):
        if connection.tableExists(schema, table):
            connection.dropVectorTable(schema, table)
