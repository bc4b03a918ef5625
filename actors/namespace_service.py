"""NamespaceService: HBase's RPCs about namespaces. Source: MasterRpcServices.java."""

from __future__ import annotations

from ..rpc import schema
from ..rpc.call import Call, Reply
from ..rpc.proto import hbase_pb2 as pb
from .assignment import Assignment
from .master_calls import MasterCalls
from .observers import Action
from .procedures.namespaces import (
    CreateNamespaceProcedure,
    DeleteNamespaceProcedure,
    ModifyNamespaceProcedure,
    existing_namespace,
)


class NamespaceService(MasterCalls):
    """The part of MasterService that is about namespaces."""

    async def create_namespace(self, call: Call) -> Reply:
        self.authorize(call, Action.ADMIN)
        namespace = schema.namespace_from_pb(call.request.namespaceDescriptor)
        proc_id = await self.submit(call, CreateNamespaceProcedure(namespace=namespace))
        return Reply(pb.CreateNamespaceResponse(proc_id=proc_id))

    async def modify_namespace(self, call: Call) -> Reply:
        self.authorize(call, Action.ADMIN)
        namespace = schema.namespace_from_pb(call.request.namespaceDescriptor)
        proc_id = await self.submit(call, ModifyNamespaceProcedure(namespace=namespace))
        return Reply(pb.ModifyNamespaceResponse(proc_id=proc_id))

    async def delete_namespace(self, call: Call) -> Reply:
        self.authorize(call, Action.ADMIN)
        procedure = DeleteNamespaceProcedure(name=call.request.namespaceName)
        return Reply(pb.DeleteNamespaceResponse(proc_id=await self.submit(call, procedure)))

    def get_namespace_descriptor(self, call: Call) -> Reply:
        self.authorize(call, Action.READ)
        namespace = existing_namespace(self._assignment, call.request.namespaceName)
        message = schema.namespace_to_pb(namespace)
        return Reply(pb.GetNamespaceDescriptorResponse(namespaceDescriptor=message))

    def list_namespace_descriptors(self, call: Call) -> Reply:
        self.authorize(call, Action.READ)
        found = [schema.namespace_to_pb(one) for one in self._assignment.namespaces()]
        return Reply(pb.ListNamespaceDescriptorsResponse(namespaceDescriptor=found))

    def list_namespaces(self, call: Call) -> Reply:
        self.authorize(call, Action.READ)
        names = [one.name for one in self._assignment.namespaces()]
        return Reply(pb.ListNamespacesResponse(namespaceName=names))

    def list_table_descriptors_by_namespace(self, call: Call) -> Reply:
        self.authorize(call, Action.READ)
        name = existing_namespace(self._assignment, call.request.namespaceName).name
        found = [schema.table_to_pb(one.descriptor) for one in self._assignment.tables_of(name)]
        return Reply(pb.ListTableDescriptorsByNamespaceResponse(tableSchema=found))

    def list_table_names_by_namespace(self, call: Call) -> Reply:
        self.authorize(call, Action.READ)
        name = existing_namespace(self._assignment, call.request.namespaceName).name
        tables = self._assignment.tables_of(name)
        found = [schema.table_name_to_pb(one.descriptor.name) for one in tables]
        return Reply(pb.ListTableNamesByNamespaceResponse(tableName=found))

    @property
    def _assignment(self) -> Assignment:
        return self.master.term.assignment
