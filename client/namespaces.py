"""Namespaces, without I/O. Source: RawAsyncHBaseAdmin.java."""

from __future__ import annotations

from ..errors import NamespaceNotFoundError
from ..model import NamespaceDescriptor, TableName
from ..rpc.proto import hbase_pb2 as pb
from . import wire
from .admin_core import AdminCore
from .effects import Operation


def create(admin: AdminCore, namespace: NamespaceDescriptor) -> Operation[None]:
    message = wire.namespace_message(namespace)
    request = pb.CreateNamespaceRequest(namespaceDescriptor=message)
    yield from admin.procedure("CreateNamespace", request, lambda: _is(admin, namespace))


def alter(admin: AdminCore, namespace: NamespaceDescriptor) -> Operation[None]:
    """Replaces what is set for it."""
    message = wire.namespace_message(namespace)
    request = pb.ModifyNamespaceRequest(namespaceDescriptor=message)
    yield from admin.procedure("ModifyNamespace", request, lambda: _is(admin, namespace))


def delete(admin: AdminCore, name: str) -> Operation[None]:
    def is_gone() -> Operation[bool]:
        try:
            yield from describe(admin, name)
        except NamespaceNotFoundError:
            return True
        return False

    request = pb.DeleteNamespaceRequest(namespaceName=name)
    yield from admin.procedure("DeleteNamespace", request, is_gone)


def describe(admin: AdminCore, name: str) -> Operation[NamespaceDescriptor]:
    request = pb.GetNamespaceDescriptorRequest(namespaceName=name)
    answer = yield from admin.core.on_master("GetNamespaceDescriptor", request)
    return wire.parse_namespace(answer.message.namespaceDescriptor)


def list_all(admin: AdminCore) -> Operation[list[NamespaceDescriptor]]:
    """In order of their names."""
    request = pb.ListNamespaceDescriptorsRequest()
    answer = yield from admin.core.on_master("ListNamespaceDescriptors", request)
    found = [wire.parse_namespace(one) for one in answer.message.namespaceDescriptor]
    return sorted(found, key=lambda one: one.name)


def tables(admin: AdminCore, name: str) -> Operation[list[TableName]]:
    """The tables of one namespace, in order."""
    request = pb.ListTableNamesByNamespaceRequest(namespaceName=name)
    answer = yield from admin.core.on_master("ListTableNamesByNamespace", request)
    return sorted(wire.parse_table_name(one) for one in answer.message.tableName)


def _is(admin: AdminCore, namespace: NamespaceDescriptor) -> Operation[bool]:
    return (yield from describe(admin, namespace.name)) == namespace
