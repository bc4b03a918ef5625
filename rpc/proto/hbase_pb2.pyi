# mypy: ignore-errors
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CellType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MINIMUM: _ClassVar[CellType]
    PUT: _ClassVar[CellType]
    DELETE: _ClassVar[CellType]
    DELETE_FAMILY_VERSION: _ClassVar[CellType]
    DELETE_COLUMN: _ClassVar[CellType]
    DELETE_FAMILY: _ClassVar[CellType]
    MAXIMUM: _ClassVar[CellType]

class Consistency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STRONG: _ClassVar[Consistency]
    TIMELINE: _ClassVar[Consistency]

class CompareType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LESS: _ClassVar[CompareType]
    LESS_OR_EQUAL: _ClassVar[CompareType]
    EQUAL: _ClassVar[CompareType]
    NOT_EQUAL: _ClassVar[CompareType]
    GREATER_OR_EQUAL: _ClassVar[CompareType]
    GREATER: _ClassVar[CompareType]
    NO_OP: _ClassVar[CompareType]

class ProcedureState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INITIALIZING: _ClassVar[ProcedureState]
    RUNNABLE: _ClassVar[ProcedureState]
    WAITING: _ClassVar[ProcedureState]
    WAITING_TIMEOUT: _ClassVar[ProcedureState]
    ROLLEDBACK: _ClassVar[ProcedureState]
    SUCCESS: _ClassVar[ProcedureState]
    FAILED: _ClassVar[ProcedureState]

class LockType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXCLUSIVE: _ClassVar[LockType]
    SHARED: _ClassVar[LockType]

class LockedResourceType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVER: _ClassVar[LockedResourceType]
    NAMESPACE: _ClassVar[LockedResourceType]
    TABLE: _ClassVar[LockedResourceType]
    REGION: _ClassVar[LockedResourceType]
    PEER: _ClassVar[LockedResourceType]
    META: _ClassVar[LockedResourceType]

class Option(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HBASE_VERSION: _ClassVar[Option]
    CLUSTER_ID: _ClassVar[Option]
    LIVE_SERVERS: _ClassVar[Option]
    DEAD_SERVERS: _ClassVar[Option]
    MASTER: _ClassVar[Option]
    BACKUP_MASTERS: _ClassVar[Option]
    MASTER_COPROCESSORS: _ClassVar[Option]
    REGIONS_IN_TRANSITION: _ClassVar[Option]
    BALANCER_ON: _ClassVar[Option]
    MASTER_INFO_PORT: _ClassVar[Option]
    SERVERS_NAME: _ClassVar[Option]
    TABLE_TO_REGIONS_COUNT: _ClassVar[Option]
    TASKS: _ClassVar[Option]
    UNKNOWN_SERVERS: _ClassVar[Option]
MINIMUM: CellType
PUT: CellType
DELETE: CellType
DELETE_FAMILY_VERSION: CellType
DELETE_COLUMN: CellType
DELETE_FAMILY: CellType
MAXIMUM: CellType
STRONG: Consistency
TIMELINE: Consistency
LESS: CompareType
LESS_OR_EQUAL: CompareType
EQUAL: CompareType
NOT_EQUAL: CompareType
GREATER_OR_EQUAL: CompareType
GREATER: CompareType
NO_OP: CompareType
INITIALIZING: ProcedureState
RUNNABLE: ProcedureState
WAITING: ProcedureState
WAITING_TIMEOUT: ProcedureState
ROLLEDBACK: ProcedureState
SUCCESS: ProcedureState
FAILED: ProcedureState
EXCLUSIVE: LockType
SHARED: LockType
SERVER: LockedResourceType
NAMESPACE: LockedResourceType
TABLE: LockedResourceType
REGION: LockedResourceType
PEER: LockedResourceType
META: LockedResourceType
HBASE_VERSION: Option
CLUSTER_ID: Option
LIVE_SERVERS: Option
DEAD_SERVERS: Option
MASTER: Option
BACKUP_MASTERS: Option
MASTER_COPROCESSORS: Option
REGIONS_IN_TRANSITION: Option
BALANCER_ON: Option
MASTER_INFO_PORT: Option
SERVERS_NAME: Option
TABLE_TO_REGIONS_COUNT: Option
TASKS: Option
UNKNOWN_SERVERS: Option

class NameBytesPair(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: bytes
    def __init__(self, name: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class NameStringPair(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class BytesBytesPair(_message.Message):
    __slots__ = ("first", "second")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    first: bytes
    second: bytes
    def __init__(self, first: _Optional[bytes] = ..., second: _Optional[bytes] = ...) -> None: ...

class NameInt64Pair(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: int
    def __init__(self, name: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...

class TableName(_message.Message):
    __slots__ = ("namespace", "qualifier")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    namespace: bytes
    qualifier: bytes
    def __init__(self, namespace: _Optional[bytes] = ..., qualifier: _Optional[bytes] = ...) -> None: ...

class ServerName(_message.Message):
    __slots__ = ("host_name", "port", "start_code")
    HOST_NAME_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    START_CODE_FIELD_NUMBER: _ClassVar[int]
    host_name: str
    port: int
    start_code: int
    def __init__(self, host_name: _Optional[str] = ..., port: _Optional[int] = ..., start_code: _Optional[int] = ...) -> None: ...

class ConnectionHeader(_message.Message):
    __slots__ = ("user_info", "service_name", "cell_block_codec_class", "cell_block_compressor_class", "version_info", "rpc_crypto_cipher_transformation", "attribute")
    USER_INFO_FIELD_NUMBER: _ClassVar[int]
    SERVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    CELL_BLOCK_CODEC_CLASS_FIELD_NUMBER: _ClassVar[int]
    CELL_BLOCK_COMPRESSOR_CLASS_FIELD_NUMBER: _ClassVar[int]
    VERSION_INFO_FIELD_NUMBER: _ClassVar[int]
    RPC_CRYPTO_CIPHER_TRANSFORMATION_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    user_info: UserInformation
    service_name: str
    cell_block_codec_class: str
    cell_block_compressor_class: str
    version_info: VersionInfo
    rpc_crypto_cipher_transformation: str
    attribute: _containers.RepeatedCompositeFieldContainer[NameBytesPair]
    def __init__(self, user_info: _Optional[_Union[UserInformation, _Mapping]] = ..., service_name: _Optional[str] = ..., cell_block_codec_class: _Optional[str] = ..., cell_block_compressor_class: _Optional[str] = ..., version_info: _Optional[_Union[VersionInfo, _Mapping]] = ..., rpc_crypto_cipher_transformation: _Optional[str] = ..., attribute: _Optional[_Iterable[_Union[NameBytesPair, _Mapping]]] = ...) -> None: ...

class UserInformation(_message.Message):
    __slots__ = ("effective_user", "real_user")
    EFFECTIVE_USER_FIELD_NUMBER: _ClassVar[int]
    REAL_USER_FIELD_NUMBER: _ClassVar[int]
    effective_user: str
    real_user: str
    def __init__(self, effective_user: _Optional[str] = ..., real_user: _Optional[str] = ...) -> None: ...

class VersionInfo(_message.Message):
    __slots__ = ("version", "url", "revision", "user", "date", "src_checksum", "version_major", "version_minor")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    SRC_CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    VERSION_MAJOR_FIELD_NUMBER: _ClassVar[int]
    VERSION_MINOR_FIELD_NUMBER: _ClassVar[int]
    version: str
    url: str
    revision: str
    user: str
    date: str
    src_checksum: str
    version_major: int
    version_minor: int
    def __init__(self, version: _Optional[str] = ..., url: _Optional[str] = ..., revision: _Optional[str] = ..., user: _Optional[str] = ..., date: _Optional[str] = ..., src_checksum: _Optional[str] = ..., version_major: _Optional[int] = ..., version_minor: _Optional[int] = ...) -> None: ...

class GetConnectionRegistryRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetConnectionRegistryResponse(_message.Message):
    __slots__ = ("cluster_id",)
    CLUSTER_ID_FIELD_NUMBER: _ClassVar[int]
    cluster_id: str
    def __init__(self, cluster_id: _Optional[str] = ...) -> None: ...

class RequestHeader(_message.Message):
    __slots__ = ("call_id", "trace_info", "method_name", "request_param", "cell_block_meta", "priority", "timeout", "attribute")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_INFO_FIELD_NUMBER: _ClassVar[int]
    METHOD_NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_PARAM_FIELD_NUMBER: _ClassVar[int]
    CELL_BLOCK_META_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    call_id: int
    trace_info: RPCTInfo
    method_name: str
    request_param: bool
    cell_block_meta: CellBlockMeta
    priority: int
    timeout: int
    attribute: _containers.RepeatedCompositeFieldContainer[NameBytesPair]
    def __init__(self, call_id: _Optional[int] = ..., trace_info: _Optional[_Union[RPCTInfo, _Mapping]] = ..., method_name: _Optional[str] = ..., request_param: bool = ..., cell_block_meta: _Optional[_Union[CellBlockMeta, _Mapping]] = ..., priority: _Optional[int] = ..., timeout: _Optional[int] = ..., attribute: _Optional[_Iterable[_Union[NameBytesPair, _Mapping]]] = ...) -> None: ...

class RPCTInfo(_message.Message):
    __slots__ = ("trace_id", "parent_id", "headers")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    trace_id: int
    parent_id: int
    headers: _containers.RepeatedCompositeFieldContainer[RPCTInfo.HeadersEntry]
    def __init__(self, trace_id: _Optional[int] = ..., parent_id: _Optional[int] = ..., headers: _Optional[_Iterable[_Union[RPCTInfo.HeadersEntry, _Mapping]]] = ...) -> None: ...

class CellBlockMeta(_message.Message):
    __slots__ = ("length",)
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    length: int
    def __init__(self, length: _Optional[int] = ...) -> None: ...

class ResponseHeader(_message.Message):
    __slots__ = ("call_id", "exception", "cell_block_meta")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    CELL_BLOCK_META_FIELD_NUMBER: _ClassVar[int]
    call_id: int
    exception: ExceptionResponse
    cell_block_meta: CellBlockMeta
    def __init__(self, call_id: _Optional[int] = ..., exception: _Optional[_Union[ExceptionResponse, _Mapping]] = ..., cell_block_meta: _Optional[_Union[CellBlockMeta, _Mapping]] = ...) -> None: ...

class ExceptionResponse(_message.Message):
    __slots__ = ("exception_class_name", "stack_trace", "hostname", "port", "do_not_retry", "server_overloaded")
    EXCEPTION_CLASS_NAME_FIELD_NUMBER: _ClassVar[int]
    STACK_TRACE_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    DO_NOT_RETRY_FIELD_NUMBER: _ClassVar[int]
    SERVER_OVERLOADED_FIELD_NUMBER: _ClassVar[int]
    exception_class_name: str
    stack_trace: str
    hostname: str
    port: int
    do_not_retry: bool
    server_overloaded: bool
    def __init__(self, exception_class_name: _Optional[str] = ..., stack_trace: _Optional[str] = ..., hostname: _Optional[str] = ..., port: _Optional[int] = ..., do_not_retry: bool = ..., server_overloaded: bool = ...) -> None: ...

class RegionSpecifier(_message.Message):
    __slots__ = ("type", "value")
    class RegionSpecifierType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REGION_NAME: _ClassVar[RegionSpecifier.RegionSpecifierType]
        ENCODED_REGION_NAME: _ClassVar[RegionSpecifier.RegionSpecifierType]
    REGION_NAME: RegionSpecifier.RegionSpecifierType
    ENCODED_REGION_NAME: RegionSpecifier.RegionSpecifierType
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    type: RegionSpecifier.RegionSpecifierType
    value: bytes
    def __init__(self, type: _Optional[_Union[RegionSpecifier.RegionSpecifierType, str]] = ..., value: _Optional[bytes] = ...) -> None: ...

class RegionInfo(_message.Message):
    __slots__ = ("region_id", "table_name", "start_key", "end_key", "offline", "split", "replica_id")
    REGION_ID_FIELD_NUMBER: _ClassVar[int]
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    START_KEY_FIELD_NUMBER: _ClassVar[int]
    END_KEY_FIELD_NUMBER: _ClassVar[int]
    OFFLINE_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    REPLICA_ID_FIELD_NUMBER: _ClassVar[int]
    region_id: int
    table_name: TableName
    start_key: bytes
    end_key: bytes
    offline: bool
    split: bool
    replica_id: int
    def __init__(self, region_id: _Optional[int] = ..., table_name: _Optional[_Union[TableName, _Mapping]] = ..., start_key: _Optional[bytes] = ..., end_key: _Optional[bytes] = ..., offline: bool = ..., split: bool = ..., replica_id: _Optional[int] = ...) -> None: ...

class RegionLocation(_message.Message):
    __slots__ = ("region_info", "server_name", "seq_num")
    REGION_INFO_FIELD_NUMBER: _ClassVar[int]
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    SEQ_NUM_FIELD_NUMBER: _ClassVar[int]
    region_info: RegionInfo
    server_name: ServerName
    seq_num: int
    def __init__(self, region_info: _Optional[_Union[RegionInfo, _Mapping]] = ..., server_name: _Optional[_Union[ServerName, _Mapping]] = ..., seq_num: _Optional[int] = ...) -> None: ...

class Cell(_message.Message):
    __slots__ = ("row", "family", "qualifier", "timestamp", "cell_type", "value", "tags")
    ROW_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CELL_TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    row: bytes
    family: bytes
    qualifier: bytes
    timestamp: int
    cell_type: CellType
    value: bytes
    tags: bytes
    def __init__(self, row: _Optional[bytes] = ..., family: _Optional[bytes] = ..., qualifier: _Optional[bytes] = ..., timestamp: _Optional[int] = ..., cell_type: _Optional[_Union[CellType, str]] = ..., value: _Optional[bytes] = ..., tags: _Optional[bytes] = ...) -> None: ...

class Column(_message.Message):
    __slots__ = ("family", "qualifier")
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    family: bytes
    qualifier: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, family: _Optional[bytes] = ..., qualifier: _Optional[_Iterable[bytes]] = ...) -> None: ...

class TimeRange(_message.Message):
    __slots__ = ("to",)
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    to: int
    def __init__(self, to: _Optional[int] = ..., **kwargs) -> None: ...

class ColumnFamilyTimeRange(_message.Message):
    __slots__ = ("column_family", "time_range")
    COLUMN_FAMILY_FIELD_NUMBER: _ClassVar[int]
    TIME_RANGE_FIELD_NUMBER: _ClassVar[int]
    column_family: bytes
    time_range: TimeRange
    def __init__(self, column_family: _Optional[bytes] = ..., time_range: _Optional[_Union[TimeRange, _Mapping]] = ...) -> None: ...

class Filter(_message.Message):
    __slots__ = ("name", "serialized_filter")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SERIALIZED_FILTER_FIELD_NUMBER: _ClassVar[int]
    name: str
    serialized_filter: bytes
    def __init__(self, name: _Optional[str] = ..., serialized_filter: _Optional[bytes] = ...) -> None: ...

class Comparator(_message.Message):
    __slots__ = ("name", "serialized_comparator")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SERIALIZED_COMPARATOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    serialized_comparator: bytes
    def __init__(self, name: _Optional[str] = ..., serialized_comparator: _Optional[bytes] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("cell", "associated_cell_count", "exists", "stale", "partial", "metrics")
    CELL_FIELD_NUMBER: _ClassVar[int]
    ASSOCIATED_CELL_COUNT_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    cell: _containers.RepeatedCompositeFieldContainer[Cell]
    associated_cell_count: int
    exists: bool
    stale: bool
    partial: bool
    metrics: QueryMetrics
    def __init__(self, cell: _Optional[_Iterable[_Union[Cell, _Mapping]]] = ..., associated_cell_count: _Optional[int] = ..., exists: bool = ..., stale: bool = ..., partial: bool = ..., metrics: _Optional[_Union[QueryMetrics, _Mapping]] = ...) -> None: ...

class QueryMetrics(_message.Message):
    __slots__ = ("block_bytes_scanned",)
    BLOCK_BYTES_SCANNED_FIELD_NUMBER: _ClassVar[int]
    block_bytes_scanned: int
    def __init__(self, block_bytes_scanned: _Optional[int] = ...) -> None: ...

class Get(_message.Message):
    __slots__ = ("row", "column", "attribute", "filter", "time_range", "max_versions", "cache_blocks", "store_limit", "store_offset", "existence_only", "closest_row_before", "consistency", "cf_time_range", "load_column_families_on_demand", "query_metrics_enabled")
    ROW_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    TIME_RANGE_FIELD_NUMBER: _ClassVar[int]
    MAX_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    CACHE_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    STORE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    STORE_OFFSET_FIELD_NUMBER: _ClassVar[int]
    EXISTENCE_ONLY_FIELD_NUMBER: _ClassVar[int]
    CLOSEST_ROW_BEFORE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    CF_TIME_RANGE_FIELD_NUMBER: _ClassVar[int]
    LOAD_COLUMN_FAMILIES_ON_DEMAND_FIELD_NUMBER: _ClassVar[int]
    QUERY_METRICS_ENABLED_FIELD_NUMBER: _ClassVar[int]
    row: bytes
    column: _containers.RepeatedCompositeFieldContainer[Column]
    attribute: _containers.RepeatedCompositeFieldContainer[NameBytesPair]
    filter: Filter
    time_range: TimeRange
    max_versions: int
    cache_blocks: bool
    store_limit: int
    store_offset: int
    existence_only: bool
    closest_row_before: bool
    consistency: Consistency
    cf_time_range: _containers.RepeatedCompositeFieldContainer[ColumnFamilyTimeRange]
    load_column_families_on_demand: bool
    query_metrics_enabled: bool
    def __init__(self, row: _Optional[bytes] = ..., column: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., attribute: _Optional[_Iterable[_Union[NameBytesPair, _Mapping]]] = ..., filter: _Optional[_Union[Filter, _Mapping]] = ..., time_range: _Optional[_Union[TimeRange, _Mapping]] = ..., max_versions: _Optional[int] = ..., cache_blocks: bool = ..., store_limit: _Optional[int] = ..., store_offset: _Optional[int] = ..., existence_only: bool = ..., closest_row_before: bool = ..., consistency: _Optional[_Union[Consistency, str]] = ..., cf_time_range: _Optional[_Iterable[_Union[ColumnFamilyTimeRange, _Mapping]]] = ..., load_column_families_on_demand: bool = ..., query_metrics_enabled: bool = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ("region", "get")
    REGION_FIELD_NUMBER: _ClassVar[int]
    GET_FIELD_NUMBER: _ClassVar[int]
    region: RegionSpecifier
    get: Get
    def __init__(self, region: _Optional[_Union[RegionSpecifier, _Mapping]] = ..., get: _Optional[_Union[Get, _Mapping]] = ...) -> None: ...

class GetResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: Result
    def __init__(self, result: _Optional[_Union[Result, _Mapping]] = ...) -> None: ...

class MutationProto(_message.Message):
    __slots__ = ("row", "mutate_type", "column_value", "timestamp", "attribute", "durability", "time_range", "associated_cell_count", "nonce", "row_count")
    class MutationType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        APPEND: _ClassVar[MutationProto.MutationType]
        INCREMENT: _ClassVar[MutationProto.MutationType]
        PUT: _ClassVar[MutationProto.MutationType]
        DELETE: _ClassVar[MutationProto.MutationType]
    APPEND: MutationProto.MutationType
    INCREMENT: MutationProto.MutationType
    PUT: MutationProto.MutationType
    DELETE: MutationProto.MutationType
    class Durability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        USE_DEFAULT: _ClassVar[MutationProto.Durability]
        SKIP_WAL: _ClassVar[MutationProto.Durability]
        ASYNC_WAL: _ClassVar[MutationProto.Durability]
        SYNC_WAL: _ClassVar[MutationProto.Durability]
        FSYNC_WAL: _ClassVar[MutationProto.Durability]
    USE_DEFAULT: MutationProto.Durability
    SKIP_WAL: MutationProto.Durability
    ASYNC_WAL: MutationProto.Durability
    SYNC_WAL: MutationProto.Durability
    FSYNC_WAL: MutationProto.Durability
    class DeleteType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DELETE_ONE_VERSION: _ClassVar[MutationProto.DeleteType]
        DELETE_MULTIPLE_VERSIONS: _ClassVar[MutationProto.DeleteType]
        DELETE_FAMILY: _ClassVar[MutationProto.DeleteType]
        DELETE_FAMILY_VERSION: _ClassVar[MutationProto.DeleteType]
    DELETE_ONE_VERSION: MutationProto.DeleteType
    DELETE_MULTIPLE_VERSIONS: MutationProto.DeleteType
    DELETE_FAMILY: MutationProto.DeleteType
    DELETE_FAMILY_VERSION: MutationProto.DeleteType
    class ColumnValue(_message.Message):
        __slots__ = ("family", "qualifier_value")
        class QualifierValue(_message.Message):
            __slots__ = ("qualifier", "value", "timestamp", "delete_type", "tags")
            QUALIFIER_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
            DELETE_TYPE_FIELD_NUMBER: _ClassVar[int]
            TAGS_FIELD_NUMBER: _ClassVar[int]
            qualifier: bytes
            value: bytes
            timestamp: int
            delete_type: MutationProto.DeleteType
            tags: bytes
            def __init__(self, qualifier: _Optional[bytes] = ..., value: _Optional[bytes] = ..., timestamp: _Optional[int] = ..., delete_type: _Optional[_Union[MutationProto.DeleteType, str]] = ..., tags: _Optional[bytes] = ...) -> None: ...
        FAMILY_FIELD_NUMBER: _ClassVar[int]
        QUALIFIER_VALUE_FIELD_NUMBER: _ClassVar[int]
        family: bytes
        qualifier_value: _containers.RepeatedCompositeFieldContainer[MutationProto.ColumnValue.QualifierValue]
        def __init__(self, family: _Optional[bytes] = ..., qualifier_value: _Optional[_Iterable[_Union[MutationProto.ColumnValue.QualifierValue, _Mapping]]] = ...) -> None: ...
    ROW_FIELD_NUMBER: _ClassVar[int]
    MUTATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_VALUE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    TIME_RANGE_FIELD_NUMBER: _ClassVar[int]
    ASSOCIATED_CELL_COUNT_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    row: bytes
    mutate_type: MutationProto.MutationType
    column_value: _containers.RepeatedCompositeFieldContainer[MutationProto.ColumnValue]
    timestamp: int
    attribute: _containers.RepeatedCompositeFieldContainer[NameBytesPair]
    durability: MutationProto.Durability
    time_range: TimeRange
    associated_cell_count: int
    nonce: int
    row_count: int
    def __init__(self, row: _Optional[bytes] = ..., mutate_type: _Optional[_Union[MutationProto.MutationType, str]] = ..., column_value: _Optional[_Iterable[_Union[MutationProto.ColumnValue, _Mapping]]] = ..., timestamp: _Optional[int] = ..., attribute: _Optional[_Iterable[_Union[NameBytesPair, _Mapping]]] = ..., durability: _Optional[_Union[MutationProto.Durability, str]] = ..., time_range: _Optional[_Union[TimeRange, _Mapping]] = ..., associated_cell_count: _Optional[int] = ..., nonce: _Optional[int] = ..., row_count: _Optional[int] = ...) -> None: ...

class Condition(_message.Message):
    __slots__ = ("row", "family", "qualifier", "compare_type", "comparator", "time_range", "filter", "queryMetricsEnabled")
    ROW_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    COMPARE_TYPE_FIELD_NUMBER: _ClassVar[int]
    COMPARATOR_FIELD_NUMBER: _ClassVar[int]
    TIME_RANGE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    QUERYMETRICSENABLED_FIELD_NUMBER: _ClassVar[int]
    row: bytes
    family: bytes
    qualifier: bytes
    compare_type: CompareType
    comparator: Comparator
    time_range: TimeRange
    filter: Filter
    queryMetricsEnabled: bool
    def __init__(self, row: _Optional[bytes] = ..., family: _Optional[bytes] = ..., qualifier: _Optional[bytes] = ..., compare_type: _Optional[_Union[CompareType, str]] = ..., comparator: _Optional[_Union[Comparator, _Mapping]] = ..., time_range: _Optional[_Union[TimeRange, _Mapping]] = ..., filter: _Optional[_Union[Filter, _Mapping]] = ..., queryMetricsEnabled: bool = ...) -> None: ...

class MutateRequest(_message.Message):
    __slots__ = ("region", "mutation", "condition", "nonce_group")
    REGION_FIELD_NUMBER: _ClassVar[int]
    MUTATION_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    region: RegionSpecifier
    mutation: MutationProto
    condition: Condition
    nonce_group: int
    def __init__(self, region: _Optional[_Union[RegionSpecifier, _Mapping]] = ..., mutation: _Optional[_Union[MutationProto, _Mapping]] = ..., condition: _Optional[_Union[Condition, _Mapping]] = ..., nonce_group: _Optional[int] = ...) -> None: ...

class MutateResponse(_message.Message):
    __slots__ = ("result", "processed", "metrics")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    result: Result
    processed: bool
    metrics: QueryMetrics
    def __init__(self, result: _Optional[_Union[Result, _Mapping]] = ..., processed: bool = ..., metrics: _Optional[_Union[QueryMetrics, _Mapping]] = ...) -> None: ...

class Action(_message.Message):
    __slots__ = ("index", "mutation", "get", "service_call")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    MUTATION_FIELD_NUMBER: _ClassVar[int]
    GET_FIELD_NUMBER: _ClassVar[int]
    SERVICE_CALL_FIELD_NUMBER: _ClassVar[int]
    index: int
    mutation: MutationProto
    get: Get
    service_call: CoprocessorServiceCall
    def __init__(self, index: _Optional[int] = ..., mutation: _Optional[_Union[MutationProto, _Mapping]] = ..., get: _Optional[_Union[Get, _Mapping]] = ..., service_call: _Optional[_Union[CoprocessorServiceCall, _Mapping]] = ...) -> None: ...

class RegionAction(_message.Message):
    __slots__ = ("region", "atomic", "action", "condition")
    REGION_FIELD_NUMBER: _ClassVar[int]
    ATOMIC_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    region: RegionSpecifier
    atomic: bool
    action: _containers.RepeatedCompositeFieldContainer[Action]
    condition: Condition
    def __init__(self, region: _Optional[_Union[RegionSpecifier, _Mapping]] = ..., atomic: bool = ..., action: _Optional[_Iterable[_Union[Action, _Mapping]]] = ..., condition: _Optional[_Union[Condition, _Mapping]] = ...) -> None: ...

class MultiRequest(_message.Message):
    __slots__ = ("regionAction", "nonceGroup", "condition")
    REGIONACTION_FIELD_NUMBER: _ClassVar[int]
    NONCEGROUP_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    regionAction: _containers.RepeatedCompositeFieldContainer[RegionAction]
    nonceGroup: int
    condition: Condition
    def __init__(self, regionAction: _Optional[_Iterable[_Union[RegionAction, _Mapping]]] = ..., nonceGroup: _Optional[int] = ..., condition: _Optional[_Union[Condition, _Mapping]] = ...) -> None: ...

class ResultOrException(_message.Message):
    __slots__ = ("index", "result", "exception", "service_result", "loadStats", "metrics", "row_count")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    SERVICE_RESULT_FIELD_NUMBER: _ClassVar[int]
    LOADSTATS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    index: int
    result: Result
    exception: NameBytesPair
    service_result: CoprocessorServiceResult
    loadStats: RegionLoadStats
    metrics: QueryMetrics
    row_count: int
    def __init__(self, index: _Optional[int] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., exception: _Optional[_Union[NameBytesPair, _Mapping]] = ..., service_result: _Optional[_Union[CoprocessorServiceResult, _Mapping]] = ..., loadStats: _Optional[_Union[RegionLoadStats, _Mapping]] = ..., metrics: _Optional[_Union[QueryMetrics, _Mapping]] = ..., row_count: _Optional[int] = ...) -> None: ...

class RegionActionResult(_message.Message):
    __slots__ = ("resultOrException", "exception", "processed")
    RESULTOREXCEPTION_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_FIELD_NUMBER: _ClassVar[int]
    resultOrException: _containers.RepeatedCompositeFieldContainer[ResultOrException]
    exception: NameBytesPair
    processed: bool
    def __init__(self, resultOrException: _Optional[_Iterable[_Union[ResultOrException, _Mapping]]] = ..., exception: _Optional[_Union[NameBytesPair, _Mapping]] = ..., processed: bool = ...) -> None: ...

class MultiResponse(_message.Message):
    __slots__ = ("regionActionResult", "processed", "regionStatistics")
    REGIONACTIONRESULT_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_FIELD_NUMBER: _ClassVar[int]
    REGIONSTATISTICS_FIELD_NUMBER: _ClassVar[int]
    regionActionResult: _containers.RepeatedCompositeFieldContainer[RegionActionResult]
    processed: bool
    regionStatistics: MultiRegionLoadStats
    def __init__(self, regionActionResult: _Optional[_Iterable[_Union[RegionActionResult, _Mapping]]] = ..., processed: bool = ..., regionStatistics: _Optional[_Union[MultiRegionLoadStats, _Mapping]] = ...) -> None: ...

class RegionLoadStats(_message.Message):
    __slots__ = ("memStoreLoad", "heapOccupancy", "compactionPressure")
    MEMSTORELOAD_FIELD_NUMBER: _ClassVar[int]
    HEAPOCCUPANCY_FIELD_NUMBER: _ClassVar[int]
    COMPACTIONPRESSURE_FIELD_NUMBER: _ClassVar[int]
    memStoreLoad: int
    heapOccupancy: int
    compactionPressure: int
    def __init__(self, memStoreLoad: _Optional[int] = ..., heapOccupancy: _Optional[int] = ..., compactionPressure: _Optional[int] = ...) -> None: ...

class MultiRegionLoadStats(_message.Message):
    __slots__ = ("region", "stat")
    REGION_FIELD_NUMBER: _ClassVar[int]
    STAT_FIELD_NUMBER: _ClassVar[int]
    region: _containers.RepeatedCompositeFieldContainer[RegionSpecifier]
    stat: _containers.RepeatedCompositeFieldContainer[RegionLoadStats]
    def __init__(self, region: _Optional[_Iterable[_Union[RegionSpecifier, _Mapping]]] = ..., stat: _Optional[_Iterable[_Union[RegionLoadStats, _Mapping]]] = ...) -> None: ...

class CoprocessorServiceCall(_message.Message):
    __slots__ = ("row", "service_name", "method_name", "request")
    ROW_FIELD_NUMBER: _ClassVar[int]
    SERVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    METHOD_NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    row: bytes
    service_name: str
    method_name: str
    request: bytes
    def __init__(self, row: _Optional[bytes] = ..., service_name: _Optional[str] = ..., method_name: _Optional[str] = ..., request: _Optional[bytes] = ...) -> None: ...

class CoprocessorServiceResult(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: NameBytesPair
    def __init__(self, value: _Optional[_Union[NameBytesPair, _Mapping]] = ...) -> None: ...

class Scan(_message.Message):
    __slots__ = ("column", "attribute", "start_row", "stop_row", "filter", "time_range", "max_versions", "cache_blocks", "batch_size", "max_result_size", "store_limit", "store_offset", "load_column_families_on_demand", "small", "reversed", "consistency", "caching", "allow_partial_results", "cf_time_range", "mvcc_read_point", "include_start_row", "include_stop_row", "readType", "need_cursor_result", "query_metrics_enabled")
    class ReadType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DEFAULT: _ClassVar[Scan.ReadType]
        STREAM: _ClassVar[Scan.ReadType]
        PREAD: _ClassVar[Scan.ReadType]
    DEFAULT: Scan.ReadType
    STREAM: Scan.ReadType
    PREAD: Scan.ReadType
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    START_ROW_FIELD_NUMBER: _ClassVar[int]
    STOP_ROW_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    TIME_RANGE_FIELD_NUMBER: _ClassVar[int]
    MAX_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    CACHE_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_RESULT_SIZE_FIELD_NUMBER: _ClassVar[int]
    STORE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    STORE_OFFSET_FIELD_NUMBER: _ClassVar[int]
    LOAD_COLUMN_FAMILIES_ON_DEMAND_FIELD_NUMBER: _ClassVar[int]
    SMALL_FIELD_NUMBER: _ClassVar[int]
    REVERSED_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    CACHING_FIELD_NUMBER: _ClassVar[int]
    ALLOW_PARTIAL_RESULTS_FIELD_NUMBER: _ClassVar[int]
    CF_TIME_RANGE_FIELD_NUMBER: _ClassVar[int]
    MVCC_READ_POINT_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_START_ROW_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_STOP_ROW_FIELD_NUMBER: _ClassVar[int]
    READTYPE_FIELD_NUMBER: _ClassVar[int]
    NEED_CURSOR_RESULT_FIELD_NUMBER: _ClassVar[int]
    QUERY_METRICS_ENABLED_FIELD_NUMBER: _ClassVar[int]
    column: _containers.RepeatedCompositeFieldContainer[Column]
    attribute: _containers.RepeatedCompositeFieldContainer[NameBytesPair]
    start_row: bytes
    stop_row: bytes
    filter: Filter
    time_range: TimeRange
    max_versions: int
    cache_blocks: bool
    batch_size: int
    max_result_size: int
    store_limit: int
    store_offset: int
    load_column_families_on_demand: bool
    small: bool
    reversed: bool
    consistency: Consistency
    caching: int
    allow_partial_results: bool
    cf_time_range: _containers.RepeatedCompositeFieldContainer[ColumnFamilyTimeRange]
    mvcc_read_point: int
    include_start_row: bool
    include_stop_row: bool
    readType: Scan.ReadType
    need_cursor_result: bool
    query_metrics_enabled: bool
    def __init__(self, column: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., attribute: _Optional[_Iterable[_Union[NameBytesPair, _Mapping]]] = ..., start_row: _Optional[bytes] = ..., stop_row: _Optional[bytes] = ..., filter: _Optional[_Union[Filter, _Mapping]] = ..., time_range: _Optional[_Union[TimeRange, _Mapping]] = ..., max_versions: _Optional[int] = ..., cache_blocks: bool = ..., batch_size: _Optional[int] = ..., max_result_size: _Optional[int] = ..., store_limit: _Optional[int] = ..., store_offset: _Optional[int] = ..., load_column_families_on_demand: bool = ..., small: bool = ..., reversed: bool = ..., consistency: _Optional[_Union[Consistency, str]] = ..., caching: _Optional[int] = ..., allow_partial_results: bool = ..., cf_time_range: _Optional[_Iterable[_Union[ColumnFamilyTimeRange, _Mapping]]] = ..., mvcc_read_point: _Optional[int] = ..., include_start_row: bool = ..., include_stop_row: bool = ..., readType: _Optional[_Union[Scan.ReadType, str]] = ..., need_cursor_result: bool = ..., query_metrics_enabled: bool = ...) -> None: ...

class ScanRequest(_message.Message):
    __slots__ = ("region", "scan", "scanner_id", "number_of_rows", "close_scanner", "next_call_seq", "client_handles_partials", "client_handles_heartbeats", "track_scan_metrics", "renew", "limit_of_rows")
    REGION_FIELD_NUMBER: _ClassVar[int]
    SCAN_FIELD_NUMBER: _ClassVar[int]
    SCANNER_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_OF_ROWS_FIELD_NUMBER: _ClassVar[int]
    CLOSE_SCANNER_FIELD_NUMBER: _ClassVar[int]
    NEXT_CALL_SEQ_FIELD_NUMBER: _ClassVar[int]
    CLIENT_HANDLES_PARTIALS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_HANDLES_HEARTBEATS_FIELD_NUMBER: _ClassVar[int]
    TRACK_SCAN_METRICS_FIELD_NUMBER: _ClassVar[int]
    RENEW_FIELD_NUMBER: _ClassVar[int]
    LIMIT_OF_ROWS_FIELD_NUMBER: _ClassVar[int]
    region: RegionSpecifier
    scan: Scan
    scanner_id: int
    number_of_rows: int
    close_scanner: bool
    next_call_seq: int
    client_handles_partials: bool
    client_handles_heartbeats: bool
    track_scan_metrics: bool
    renew: bool
    limit_of_rows: int
    def __init__(self, region: _Optional[_Union[RegionSpecifier, _Mapping]] = ..., scan: _Optional[_Union[Scan, _Mapping]] = ..., scanner_id: _Optional[int] = ..., number_of_rows: _Optional[int] = ..., close_scanner: bool = ..., next_call_seq: _Optional[int] = ..., client_handles_partials: bool = ..., client_handles_heartbeats: bool = ..., track_scan_metrics: bool = ..., renew: bool = ..., limit_of_rows: _Optional[int] = ...) -> None: ...

class ScanResponse(_message.Message):
    __slots__ = ("cells_per_result", "scanner_id", "more_results", "ttl", "results", "stale", "partial_flag_per_result", "more_results_in_region", "heartbeat_message", "scan_metrics", "mvcc_read_point", "cursor", "query_metrics")
    CELLS_PER_RESULT_FIELD_NUMBER: _ClassVar[int]
    SCANNER_ID_FIELD_NUMBER: _ClassVar[int]
    MORE_RESULTS_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FLAG_PER_RESULT_FIELD_NUMBER: _ClassVar[int]
    MORE_RESULTS_IN_REGION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SCAN_METRICS_FIELD_NUMBER: _ClassVar[int]
    MVCC_READ_POINT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    QUERY_METRICS_FIELD_NUMBER: _ClassVar[int]
    cells_per_result: _containers.RepeatedScalarFieldContainer[int]
    scanner_id: int
    more_results: bool
    ttl: int
    results: _containers.RepeatedCompositeFieldContainer[Result]
    stale: bool
    partial_flag_per_result: _containers.RepeatedScalarFieldContainer[bool]
    more_results_in_region: bool
    heartbeat_message: bool
    scan_metrics: ScanMetrics
    mvcc_read_point: int
    cursor: Cursor
    query_metrics: _containers.RepeatedCompositeFieldContainer[QueryMetrics]
    def __init__(self, cells_per_result: _Optional[_Iterable[int]] = ..., scanner_id: _Optional[int] = ..., more_results: bool = ..., ttl: _Optional[int] = ..., results: _Optional[_Iterable[_Union[Result, _Mapping]]] = ..., stale: bool = ..., partial_flag_per_result: _Optional[_Iterable[bool]] = ..., more_results_in_region: bool = ..., heartbeat_message: bool = ..., scan_metrics: _Optional[_Union[ScanMetrics, _Mapping]] = ..., mvcc_read_point: _Optional[int] = ..., cursor: _Optional[_Union[Cursor, _Mapping]] = ..., query_metrics: _Optional[_Iterable[_Union[QueryMetrics, _Mapping]]] = ...) -> None: ...

class ScanMetrics(_message.Message):
    __slots__ = ("metrics",)
    METRICS_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[NameInt64Pair]
    def __init__(self, metrics: _Optional[_Iterable[_Union[NameInt64Pair, _Mapping]]] = ...) -> None: ...

class Cursor(_message.Message):
    __slots__ = ("row",)
    ROW_FIELD_NUMBER: _ClassVar[int]
    row: bytes
    def __init__(self, row: _Optional[bytes] = ...) -> None: ...

class GetClusterIdRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetClusterIdResponse(_message.Message):
    __slots__ = ("cluster_id",)
    CLUSTER_ID_FIELD_NUMBER: _ClassVar[int]
    cluster_id: str
    def __init__(self, cluster_id: _Optional[str] = ...) -> None: ...

class GetActiveMasterRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetActiveMasterResponse(_message.Message):
    __slots__ = ("server_name",)
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    server_name: ServerName
    def __init__(self, server_name: _Optional[_Union[ServerName, _Mapping]] = ...) -> None: ...

class GetMetaRegionLocationsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetMetaRegionLocationsResponse(_message.Message):
    __slots__ = ("meta_locations",)
    META_LOCATIONS_FIELD_NUMBER: _ClassVar[int]
    meta_locations: _containers.RepeatedCompositeFieldContainer[RegionLocation]
    def __init__(self, meta_locations: _Optional[_Iterable[_Union[RegionLocation, _Mapping]]] = ...) -> None: ...

class GetBootstrapNodesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetBootstrapNodesResponse(_message.Message):
    __slots__ = ("server_name",)
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    server_name: _containers.RepeatedCompositeFieldContainer[ServerName]
    def __init__(self, server_name: _Optional[_Iterable[_Union[ServerName, _Mapping]]] = ...) -> None: ...

class GetMastersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetMastersResponse(_message.Message):
    __slots__ = ("master_servers",)
    MASTER_SERVERS_FIELD_NUMBER: _ClassVar[int]
    master_servers: _containers.RepeatedCompositeFieldContainer[GetMastersResponseEntry]
    def __init__(self, master_servers: _Optional[_Iterable[_Union[GetMastersResponseEntry, _Mapping]]] = ...) -> None: ...

class GetMastersResponseEntry(_message.Message):
    __slots__ = ("server_name", "is_active")
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    IS_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    server_name: ServerName
    is_active: bool
    def __init__(self, server_name: _Optional[_Union[ServerName, _Mapping]] = ..., is_active: bool = ...) -> None: ...

class TableSchema(_message.Message):
    __slots__ = ("table_name", "attributes", "column_families", "configuration")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FAMILIES_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    attributes: _containers.RepeatedCompositeFieldContainer[BytesBytesPair]
    column_families: _containers.RepeatedCompositeFieldContainer[ColumnFamilySchema]
    configuration: _containers.RepeatedCompositeFieldContainer[NameStringPair]
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[BytesBytesPair, _Mapping]]] = ..., column_families: _Optional[_Iterable[_Union[ColumnFamilySchema, _Mapping]]] = ..., configuration: _Optional[_Iterable[_Union[NameStringPair, _Mapping]]] = ...) -> None: ...

class ColumnFamilySchema(_message.Message):
    __slots__ = ("name", "attributes", "configuration")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    name: bytes
    attributes: _containers.RepeatedCompositeFieldContainer[BytesBytesPair]
    configuration: _containers.RepeatedCompositeFieldContainer[NameStringPair]
    def __init__(self, name: _Optional[bytes] = ..., attributes: _Optional[_Iterable[_Union[BytesBytesPair, _Mapping]]] = ..., configuration: _Optional[_Iterable[_Union[NameStringPair, _Mapping]]] = ...) -> None: ...

class TableState(_message.Message):
    __slots__ = ("state",)
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ENABLED: _ClassVar[TableState.State]
        DISABLED: _ClassVar[TableState.State]
        DISABLING: _ClassVar[TableState.State]
        ENABLING: _ClassVar[TableState.State]
    ENABLED: TableState.State
    DISABLED: TableState.State
    DISABLING: TableState.State
    ENABLING: TableState.State
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: TableState.State
    def __init__(self, state: _Optional[_Union[TableState.State, str]] = ...) -> None: ...

class NamespaceDescriptor(_message.Message):
    __slots__ = ("name", "configuration")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    name: bytes
    configuration: _containers.RepeatedCompositeFieldContainer[NameStringPair]
    def __init__(self, name: _Optional[bytes] = ..., configuration: _Optional[_Iterable[_Union[NameStringPair, _Mapping]]] = ...) -> None: ...

class IsMasterRunningRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class IsMasterRunningResponse(_message.Message):
    __slots__ = ("is_master_running",)
    IS_MASTER_RUNNING_FIELD_NUMBER: _ClassVar[int]
    is_master_running: bool
    def __init__(self, is_master_running: bool = ...) -> None: ...

class CreateTableRequest(_message.Message):
    __slots__ = ("table_schema", "split_keys", "nonce_group", "nonce")
    TABLE_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    SPLIT_KEYS_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    table_schema: TableSchema
    split_keys: _containers.RepeatedScalarFieldContainer[bytes]
    nonce_group: int
    nonce: int
    def __init__(self, table_schema: _Optional[_Union[TableSchema, _Mapping]] = ..., split_keys: _Optional[_Iterable[bytes]] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class CreateTableResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class DeleteTableRequest(_message.Message):
    __slots__ = ("table_name", "nonce_group", "nonce")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    nonce_group: int
    nonce: int
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class DeleteTableResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class EnableTableRequest(_message.Message):
    __slots__ = ("table_name", "nonce_group", "nonce")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    nonce_group: int
    nonce: int
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class EnableTableResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class DisableTableRequest(_message.Message):
    __slots__ = ("table_name", "nonce_group", "nonce")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    nonce_group: int
    nonce: int
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class DisableTableResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class TruncateTableRequest(_message.Message):
    __slots__ = ("tableName", "preserveSplits", "nonce_group", "nonce")
    TABLENAME_FIELD_NUMBER: _ClassVar[int]
    PRESERVESPLITS_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    tableName: TableName
    preserveSplits: bool
    nonce_group: int
    nonce: int
    def __init__(self, tableName: _Optional[_Union[TableName, _Mapping]] = ..., preserveSplits: bool = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class TruncateTableResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class ModifyTableRequest(_message.Message):
    __slots__ = ("table_name", "table_schema", "nonce_group", "nonce", "reopen_regions")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    TABLE_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    REOPEN_REGIONS_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    table_schema: TableSchema
    nonce_group: int
    nonce: int
    reopen_regions: bool
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ..., table_schema: _Optional[_Union[TableSchema, _Mapping]] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ..., reopen_regions: bool = ...) -> None: ...

class ModifyTableResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class AddColumnRequest(_message.Message):
    __slots__ = ("table_name", "column_families", "nonce_group", "nonce")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FAMILIES_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    column_families: ColumnFamilySchema
    nonce_group: int
    nonce: int
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ..., column_families: _Optional[_Union[ColumnFamilySchema, _Mapping]] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class AddColumnResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class DeleteColumnRequest(_message.Message):
    __slots__ = ("table_name", "column_name", "nonce_group", "nonce")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    COLUMN_NAME_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    column_name: bytes
    nonce_group: int
    nonce: int
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ..., column_name: _Optional[bytes] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class DeleteColumnResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class ModifyColumnRequest(_message.Message):
    __slots__ = ("table_name", "column_families", "nonce_group", "nonce")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FAMILIES_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    column_families: ColumnFamilySchema
    nonce_group: int
    nonce: int
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ..., column_families: _Optional[_Union[ColumnFamilySchema, _Mapping]] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class ModifyColumnResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class FlushTableRequest(_message.Message):
    __slots__ = ("table_name", "column_family", "nonce_group", "nonce")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FAMILY_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    column_family: _containers.RepeatedScalarFieldContainer[bytes]
    nonce_group: int
    nonce: int
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ..., column_family: _Optional[_Iterable[bytes]] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class FlushTableResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class GetTableDescriptorsRequest(_message.Message):
    __slots__ = ("table_names", "regex", "include_sys_tables", "namespace")
    TABLE_NAMES_FIELD_NUMBER: _ClassVar[int]
    REGEX_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SYS_TABLES_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    table_names: _containers.RepeatedCompositeFieldContainer[TableName]
    regex: str
    include_sys_tables: bool
    namespace: str
    def __init__(self, table_names: _Optional[_Iterable[_Union[TableName, _Mapping]]] = ..., regex: _Optional[str] = ..., include_sys_tables: bool = ..., namespace: _Optional[str] = ...) -> None: ...

class GetTableDescriptorsResponse(_message.Message):
    __slots__ = ("table_schema",)
    TABLE_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    table_schema: _containers.RepeatedCompositeFieldContainer[TableSchema]
    def __init__(self, table_schema: _Optional[_Iterable[_Union[TableSchema, _Mapping]]] = ...) -> None: ...

class GetTableNamesRequest(_message.Message):
    __slots__ = ("regex", "include_sys_tables", "namespace")
    REGEX_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SYS_TABLES_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    regex: str
    include_sys_tables: bool
    namespace: str
    def __init__(self, regex: _Optional[str] = ..., include_sys_tables: bool = ..., namespace: _Optional[str] = ...) -> None: ...

class GetTableNamesResponse(_message.Message):
    __slots__ = ("table_names",)
    TABLE_NAMES_FIELD_NUMBER: _ClassVar[int]
    table_names: _containers.RepeatedCompositeFieldContainer[TableName]
    def __init__(self, table_names: _Optional[_Iterable[_Union[TableName, _Mapping]]] = ...) -> None: ...

class GetTableStateRequest(_message.Message):
    __slots__ = ("table_name",)
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ...) -> None: ...

class GetTableStateResponse(_message.Message):
    __slots__ = ("table_state",)
    TABLE_STATE_FIELD_NUMBER: _ClassVar[int]
    table_state: TableState
    def __init__(self, table_state: _Optional[_Union[TableState, _Mapping]] = ...) -> None: ...

class GetSchemaAlterStatusRequest(_message.Message):
    __slots__ = ("table_name",)
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ...) -> None: ...

class GetSchemaAlterStatusResponse(_message.Message):
    __slots__ = ("yet_to_update_regions", "total_regions")
    YET_TO_UPDATE_REGIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_REGIONS_FIELD_NUMBER: _ClassVar[int]
    yet_to_update_regions: int
    total_regions: int
    def __init__(self, yet_to_update_regions: _Optional[int] = ..., total_regions: _Optional[int] = ...) -> None: ...

class GetProcedureResultRequest(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class GetProcedureResultResponse(_message.Message):
    __slots__ = ("state", "submitted_time", "last_update", "result", "exception")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NOT_FOUND: _ClassVar[GetProcedureResultResponse.State]
        RUNNING: _ClassVar[GetProcedureResultResponse.State]
        FINISHED: _ClassVar[GetProcedureResultResponse.State]
    NOT_FOUND: GetProcedureResultResponse.State
    RUNNING: GetProcedureResultResponse.State
    FINISHED: GetProcedureResultResponse.State
    STATE_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    state: GetProcedureResultResponse.State
    submitted_time: int
    last_update: int
    result: bytes
    exception: ForeignExceptionMessage
    def __init__(self, state: _Optional[_Union[GetProcedureResultResponse.State, str]] = ..., submitted_time: _Optional[int] = ..., last_update: _Optional[int] = ..., result: _Optional[bytes] = ..., exception: _Optional[_Union[ForeignExceptionMessage, _Mapping]] = ...) -> None: ...

class ForeignExceptionMessage(_message.Message):
    __slots__ = ("source", "generic_exception")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    GENERIC_EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    source: str
    generic_exception: GenericExceptionMessage
    def __init__(self, source: _Optional[str] = ..., generic_exception: _Optional[_Union[GenericExceptionMessage, _Mapping]] = ...) -> None: ...

class GenericExceptionMessage(_message.Message):
    __slots__ = ("class_name", "message", "error_info", "trace")
    CLASS_NAME_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_INFO_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    class_name: str
    message: str
    error_info: bytes
    trace: _containers.RepeatedCompositeFieldContainer[StackTraceElementMessage]
    def __init__(self, class_name: _Optional[str] = ..., message: _Optional[str] = ..., error_info: _Optional[bytes] = ..., trace: _Optional[_Iterable[_Union[StackTraceElementMessage, _Mapping]]] = ...) -> None: ...

class StackTraceElementMessage(_message.Message):
    __slots__ = ("declaring_class", "method_name", "file_name", "line_number")
    DECLARING_CLASS_FIELD_NUMBER: _ClassVar[int]
    METHOD_NAME_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    LINE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    declaring_class: str
    method_name: str
    file_name: str
    line_number: int
    def __init__(self, declaring_class: _Optional[str] = ..., method_name: _Optional[str] = ..., file_name: _Optional[str] = ..., line_number: _Optional[int] = ...) -> None: ...

class GetNamespaceDescriptorRequest(_message.Message):
    __slots__ = ("namespaceName",)
    NAMESPACENAME_FIELD_NUMBER: _ClassVar[int]
    namespaceName: str
    def __init__(self, namespaceName: _Optional[str] = ...) -> None: ...

class GetNamespaceDescriptorResponse(_message.Message):
    __slots__ = ("namespaceDescriptor",)
    NAMESPACEDESCRIPTOR_FIELD_NUMBER: _ClassVar[int]
    namespaceDescriptor: NamespaceDescriptor
    def __init__(self, namespaceDescriptor: _Optional[_Union[NamespaceDescriptor, _Mapping]] = ...) -> None: ...

class ListNamespaceDescriptorsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListNamespaceDescriptorsResponse(_message.Message):
    __slots__ = ("namespaceDescriptor",)
    NAMESPACEDESCRIPTOR_FIELD_NUMBER: _ClassVar[int]
    namespaceDescriptor: _containers.RepeatedCompositeFieldContainer[NamespaceDescriptor]
    def __init__(self, namespaceDescriptor: _Optional[_Iterable[_Union[NamespaceDescriptor, _Mapping]]] = ...) -> None: ...

class CreateNamespaceRequest(_message.Message):
    __slots__ = ("namespaceDescriptor", "nonce_group", "nonce")
    NAMESPACEDESCRIPTOR_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    namespaceDescriptor: NamespaceDescriptor
    nonce_group: int
    nonce: int
    def __init__(self, namespaceDescriptor: _Optional[_Union[NamespaceDescriptor, _Mapping]] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class CreateNamespaceResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class ModifyNamespaceRequest(_message.Message):
    __slots__ = ("namespaceDescriptor", "nonce_group", "nonce")
    NAMESPACEDESCRIPTOR_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    namespaceDescriptor: NamespaceDescriptor
    nonce_group: int
    nonce: int
    def __init__(self, namespaceDescriptor: _Optional[_Union[NamespaceDescriptor, _Mapping]] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class ModifyNamespaceResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class DeleteNamespaceRequest(_message.Message):
    __slots__ = ("namespaceName", "nonce_group", "nonce")
    NAMESPACENAME_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    namespaceName: str
    nonce_group: int
    nonce: int
    def __init__(self, namespaceName: _Optional[str] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class DeleteNamespaceResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class ListNamespacesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListNamespacesResponse(_message.Message):
    __slots__ = ("namespaceName",)
    NAMESPACENAME_FIELD_NUMBER: _ClassVar[int]
    namespaceName: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, namespaceName: _Optional[_Iterable[str]] = ...) -> None: ...

class ListTableDescriptorsByNamespaceRequest(_message.Message):
    __slots__ = ("namespaceName",)
    NAMESPACENAME_FIELD_NUMBER: _ClassVar[int]
    namespaceName: str
    def __init__(self, namespaceName: _Optional[str] = ...) -> None: ...

class ListTableDescriptorsByNamespaceResponse(_message.Message):
    __slots__ = ("tableSchema",)
    TABLESCHEMA_FIELD_NUMBER: _ClassVar[int]
    tableSchema: _containers.RepeatedCompositeFieldContainer[TableSchema]
    def __init__(self, tableSchema: _Optional[_Iterable[_Union[TableSchema, _Mapping]]] = ...) -> None: ...

class ListTableNamesByNamespaceRequest(_message.Message):
    __slots__ = ("namespaceName",)
    NAMESPACENAME_FIELD_NUMBER: _ClassVar[int]
    namespaceName: str
    def __init__(self, namespaceName: _Optional[str] = ...) -> None: ...

class ListTableNamesByNamespaceResponse(_message.Message):
    __slots__ = ("tableName",)
    TABLENAME_FIELD_NUMBER: _ClassVar[int]
    tableName: _containers.RepeatedCompositeFieldContainer[TableName]
    def __init__(self, tableName: _Optional[_Iterable[_Union[TableName, _Mapping]]] = ...) -> None: ...

class Procedure(_message.Message):
    __slots__ = ("class_name", "parent_id", "proc_id", "submitted_time", "owner", "state", "last_update", "exception", "description", "step", "reason")
    CLASS_NAME_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_TIME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LAST_UPDATE_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    class_name: str
    parent_id: int
    proc_id: int
    submitted_time: int
    owner: str
    state: ProcedureState
    last_update: int
    exception: ForeignExceptionMessage
    description: str
    step: str
    reason: str
    def __init__(self, class_name: _Optional[str] = ..., parent_id: _Optional[int] = ..., proc_id: _Optional[int] = ..., submitted_time: _Optional[int] = ..., owner: _Optional[str] = ..., state: _Optional[_Union[ProcedureState, str]] = ..., last_update: _Optional[int] = ..., exception: _Optional[_Union[ForeignExceptionMessage, _Mapping]] = ..., description: _Optional[str] = ..., step: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class AbortProcedureRequest(_message.Message):
    __slots__ = ("proc_id", "mayInterruptIfRunning")
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    MAYINTERRUPTIFRUNNING_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    mayInterruptIfRunning: bool
    def __init__(self, proc_id: _Optional[int] = ..., mayInterruptIfRunning: bool = ...) -> None: ...

class AbortProcedureResponse(_message.Message):
    __slots__ = ("is_procedure_aborted",)
    IS_PROCEDURE_ABORTED_FIELD_NUMBER: _ClassVar[int]
    is_procedure_aborted: bool
    def __init__(self, is_procedure_aborted: bool = ...) -> None: ...

class GetProceduresRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetProceduresResponse(_message.Message):
    __slots__ = ("procedure",)
    PROCEDURE_FIELD_NUMBER: _ClassVar[int]
    procedure: _containers.RepeatedCompositeFieldContainer[Procedure]
    def __init__(self, procedure: _Optional[_Iterable[_Union[Procedure, _Mapping]]] = ...) -> None: ...

class LockedResource(_message.Message):
    __slots__ = ("resource_type", "resource_name", "lock_type", "exclusive_lock_owner_procedure", "shared_lock_count", "waitingProcedures")
    RESOURCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_NAME_FIELD_NUMBER: _ClassVar[int]
    LOCK_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_LOCK_OWNER_PROCEDURE_FIELD_NUMBER: _ClassVar[int]
    SHARED_LOCK_COUNT_FIELD_NUMBER: _ClassVar[int]
    WAITINGPROCEDURES_FIELD_NUMBER: _ClassVar[int]
    resource_type: LockedResourceType
    resource_name: str
    lock_type: LockType
    exclusive_lock_owner_procedure: Procedure
    shared_lock_count: int
    waitingProcedures: _containers.RepeatedCompositeFieldContainer[Procedure]
    def __init__(self, resource_type: _Optional[_Union[LockedResourceType, str]] = ..., resource_name: _Optional[str] = ..., lock_type: _Optional[_Union[LockType, str]] = ..., exclusive_lock_owner_procedure: _Optional[_Union[Procedure, _Mapping]] = ..., shared_lock_count: _Optional[int] = ..., waitingProcedures: _Optional[_Iterable[_Union[Procedure, _Mapping]]] = ...) -> None: ...

class GetLocksRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetLocksResponse(_message.Message):
    __slots__ = ("lock",)
    LOCK_FIELD_NUMBER: _ClassVar[int]
    lock: _containers.RepeatedCompositeFieldContainer[LockedResource]
    def __init__(self, lock: _Optional[_Iterable[_Union[LockedResource, _Mapping]]] = ...) -> None: ...

class MoveRegionRequest(_message.Message):
    __slots__ = ("region", "dest_server_name")
    REGION_FIELD_NUMBER: _ClassVar[int]
    DEST_SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    region: RegionSpecifier
    dest_server_name: ServerName
    def __init__(self, region: _Optional[_Union[RegionSpecifier, _Mapping]] = ..., dest_server_name: _Optional[_Union[ServerName, _Mapping]] = ...) -> None: ...

class MoveRegionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SplitTableRegionRequest(_message.Message):
    __slots__ = ("region_info", "split_row", "nonce_group", "nonce")
    REGION_INFO_FIELD_NUMBER: _ClassVar[int]
    SPLIT_ROW_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    region_info: RegionInfo
    split_row: bytes
    nonce_group: int
    nonce: int
    def __init__(self, region_info: _Optional[_Union[RegionInfo, _Mapping]] = ..., split_row: _Optional[bytes] = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class SplitTableRegionResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class MergeTableRegionsRequest(_message.Message):
    __slots__ = ("region", "forcible", "nonce_group", "nonce")
    REGION_FIELD_NUMBER: _ClassVar[int]
    FORCIBLE_FIELD_NUMBER: _ClassVar[int]
    NONCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    region: _containers.RepeatedCompositeFieldContainer[RegionSpecifier]
    forcible: bool
    nonce_group: int
    nonce: int
    def __init__(self, region: _Optional[_Iterable[_Union[RegionSpecifier, _Mapping]]] = ..., forcible: bool = ..., nonce_group: _Optional[int] = ..., nonce: _Optional[int] = ...) -> None: ...

class MergeTableRegionsResponse(_message.Message):
    __slots__ = ("proc_id",)
    PROC_ID_FIELD_NUMBER: _ClassVar[int]
    proc_id: int
    def __init__(self, proc_id: _Optional[int] = ...) -> None: ...

class SetBalancerRunningRequest(_message.Message):
    __slots__ = ("on", "synchronous")
    ON_FIELD_NUMBER: _ClassVar[int]
    SYNCHRONOUS_FIELD_NUMBER: _ClassVar[int]
    on: bool
    synchronous: bool
    def __init__(self, on: bool = ..., synchronous: bool = ...) -> None: ...

class SetBalancerRunningResponse(_message.Message):
    __slots__ = ("prev_balance_value",)
    PREV_BALANCE_VALUE_FIELD_NUMBER: _ClassVar[int]
    prev_balance_value: bool
    def __init__(self, prev_balance_value: bool = ...) -> None: ...

class BalanceRequest(_message.Message):
    __slots__ = ("ignore_rit", "dry_run")
    IGNORE_RIT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    ignore_rit: bool
    dry_run: bool
    def __init__(self, ignore_rit: bool = ..., dry_run: bool = ...) -> None: ...

class BalanceResponse(_message.Message):
    __slots__ = ("balancer_ran", "moves_calculated", "moves_executed")
    BALANCER_RAN_FIELD_NUMBER: _ClassVar[int]
    MOVES_CALCULATED_FIELD_NUMBER: _ClassVar[int]
    MOVES_EXECUTED_FIELD_NUMBER: _ClassVar[int]
    balancer_ran: bool
    moves_calculated: int
    moves_executed: int
    def __init__(self, balancer_ran: bool = ..., moves_calculated: _Optional[int] = ..., moves_executed: _Optional[int] = ...) -> None: ...

class IsBalancerEnabledRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class IsBalancerEnabledResponse(_message.Message):
    __slots__ = ("enabled",)
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    def __init__(self, enabled: bool = ...) -> None: ...

class NormalizeRequest(_message.Message):
    __slots__ = ("table_names", "regex", "namespace")
    TABLE_NAMES_FIELD_NUMBER: _ClassVar[int]
    REGEX_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    table_names: _containers.RepeatedCompositeFieldContainer[TableName]
    regex: str
    namespace: str
    def __init__(self, table_names: _Optional[_Iterable[_Union[TableName, _Mapping]]] = ..., regex: _Optional[str] = ..., namespace: _Optional[str] = ...) -> None: ...

class NormalizeResponse(_message.Message):
    __slots__ = ("normalizer_ran",)
    NORMALIZER_RAN_FIELD_NUMBER: _ClassVar[int]
    normalizer_ran: bool
    def __init__(self, normalizer_ran: bool = ...) -> None: ...

class SetNormalizerRunningRequest(_message.Message):
    __slots__ = ("on",)
    ON_FIELD_NUMBER: _ClassVar[int]
    on: bool
    def __init__(self, on: bool = ...) -> None: ...

class SetNormalizerRunningResponse(_message.Message):
    __slots__ = ("prev_normalizer_value",)
    PREV_NORMALIZER_VALUE_FIELD_NUMBER: _ClassVar[int]
    prev_normalizer_value: bool
    def __init__(self, prev_normalizer_value: bool = ...) -> None: ...

class IsNormalizerEnabledRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class IsNormalizerEnabledResponse(_message.Message):
    __slots__ = ("enabled",)
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    def __init__(self, enabled: bool = ...) -> None: ...

class LogRequest(_message.Message):
    __slots__ = ("log_class_name", "log_message")
    LOG_CLASS_NAME_FIELD_NUMBER: _ClassVar[int]
    LOG_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    log_class_name: str
    log_message: bytes
    def __init__(self, log_class_name: _Optional[str] = ..., log_message: _Optional[bytes] = ...) -> None: ...

class LogEntry(_message.Message):
    __slots__ = ("log_class_name", "log_message")
    LOG_CLASS_NAME_FIELD_NUMBER: _ClassVar[int]
    LOG_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    log_class_name: str
    log_message: bytes
    def __init__(self, log_class_name: _Optional[str] = ..., log_message: _Optional[bytes] = ...) -> None: ...

class BalancerDecisionsRequest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class BalancerDecision(_message.Message):
    __slots__ = ("initial_function_costs", "final_function_costs", "init_total_cost", "computed_total_cost", "computed_steps", "region_plans")
    INITIAL_FUNCTION_COSTS_FIELD_NUMBER: _ClassVar[int]
    FINAL_FUNCTION_COSTS_FIELD_NUMBER: _ClassVar[int]
    INIT_TOTAL_COST_FIELD_NUMBER: _ClassVar[int]
    COMPUTED_TOTAL_COST_FIELD_NUMBER: _ClassVar[int]
    COMPUTED_STEPS_FIELD_NUMBER: _ClassVar[int]
    REGION_PLANS_FIELD_NUMBER: _ClassVar[int]
    initial_function_costs: str
    final_function_costs: str
    init_total_cost: float
    computed_total_cost: float
    computed_steps: int
    region_plans: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, initial_function_costs: _Optional[str] = ..., final_function_costs: _Optional[str] = ..., init_total_cost: _Optional[float] = ..., computed_total_cost: _Optional[float] = ..., computed_steps: _Optional[int] = ..., region_plans: _Optional[_Iterable[str]] = ...) -> None: ...

class BalancerDecisionsResponse(_message.Message):
    __slots__ = ("balancer_decision",)
    BALANCER_DECISION_FIELD_NUMBER: _ClassVar[int]
    balancer_decision: _containers.RepeatedCompositeFieldContainer[BalancerDecision]
    def __init__(self, balancer_decision: _Optional[_Iterable[_Union[BalancerDecision, _Mapping]]] = ...) -> None: ...

class ListDecommissionedRegionServersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDecommissionedRegionServersResponse(_message.Message):
    __slots__ = ("server_name",)
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    server_name: _containers.RepeatedCompositeFieldContainer[ServerName]
    def __init__(self, server_name: _Optional[_Iterable[_Union[ServerName, _Mapping]]] = ...) -> None: ...

class DecommissionRegionServersRequest(_message.Message):
    __slots__ = ("server_name", "offload")
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    OFFLOAD_FIELD_NUMBER: _ClassVar[int]
    server_name: _containers.RepeatedCompositeFieldContainer[ServerName]
    offload: bool
    def __init__(self, server_name: _Optional[_Iterable[_Union[ServerName, _Mapping]]] = ..., offload: bool = ...) -> None: ...

class DecommissionRegionServersResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RecommissionRegionServerRequest(_message.Message):
    __slots__ = ("server_name", "region")
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    server_name: ServerName
    region: _containers.RepeatedCompositeFieldContainer[RegionSpecifier]
    def __init__(self, server_name: _Optional[_Union[ServerName, _Mapping]] = ..., region: _Optional[_Iterable[_Union[RegionSpecifier, _Mapping]]] = ...) -> None: ...

class RecommissionRegionServerResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetClusterStatusRequest(_message.Message):
    __slots__ = ("options",)
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    options: _containers.RepeatedScalarFieldContainer[Option]
    def __init__(self, options: _Optional[_Iterable[_Union[Option, str]]] = ...) -> None: ...

class GetClusterStatusResponse(_message.Message):
    __slots__ = ("cluster_status",)
    CLUSTER_STATUS_FIELD_NUMBER: _ClassVar[int]
    cluster_status: ClusterStatus
    def __init__(self, cluster_status: _Optional[_Union[ClusterStatus, _Mapping]] = ...) -> None: ...

class ClusterStatus(_message.Message):
    __slots__ = ("hbase_version", "live_servers", "dead_servers", "regions_in_transition", "cluster_id", "master", "backup_masters", "balancer_on", "master_info_port", "servers_name", "table_region_states_count", "unknown_servers")
    HBASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    LIVE_SERVERS_FIELD_NUMBER: _ClassVar[int]
    DEAD_SERVERS_FIELD_NUMBER: _ClassVar[int]
    REGIONS_IN_TRANSITION_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_ID_FIELD_NUMBER: _ClassVar[int]
    MASTER_FIELD_NUMBER: _ClassVar[int]
    BACKUP_MASTERS_FIELD_NUMBER: _ClassVar[int]
    BALANCER_ON_FIELD_NUMBER: _ClassVar[int]
    MASTER_INFO_PORT_FIELD_NUMBER: _ClassVar[int]
    SERVERS_NAME_FIELD_NUMBER: _ClassVar[int]
    TABLE_REGION_STATES_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_SERVERS_FIELD_NUMBER: _ClassVar[int]
    hbase_version: HBaseVersionFileContent
    live_servers: _containers.RepeatedCompositeFieldContainer[LiveServerInfo]
    dead_servers: _containers.RepeatedCompositeFieldContainer[ServerName]
    regions_in_transition: _containers.RepeatedCompositeFieldContainer[RegionInTransition]
    cluster_id: ClusterId
    master: ServerName
    backup_masters: _containers.RepeatedCompositeFieldContainer[ServerName]
    balancer_on: bool
    master_info_port: int
    servers_name: _containers.RepeatedCompositeFieldContainer[ServerName]
    table_region_states_count: _containers.RepeatedCompositeFieldContainer[TableRegionStatesCount]
    unknown_servers: _containers.RepeatedCompositeFieldContainer[ServerName]
    def __init__(self, hbase_version: _Optional[_Union[HBaseVersionFileContent, _Mapping]] = ..., live_servers: _Optional[_Iterable[_Union[LiveServerInfo, _Mapping]]] = ..., dead_servers: _Optional[_Iterable[_Union[ServerName, _Mapping]]] = ..., regions_in_transition: _Optional[_Iterable[_Union[RegionInTransition, _Mapping]]] = ..., cluster_id: _Optional[_Union[ClusterId, _Mapping]] = ..., master: _Optional[_Union[ServerName, _Mapping]] = ..., backup_masters: _Optional[_Iterable[_Union[ServerName, _Mapping]]] = ..., balancer_on: bool = ..., master_info_port: _Optional[int] = ..., servers_name: _Optional[_Iterable[_Union[ServerName, _Mapping]]] = ..., table_region_states_count: _Optional[_Iterable[_Union[TableRegionStatesCount, _Mapping]]] = ..., unknown_servers: _Optional[_Iterable[_Union[ServerName, _Mapping]]] = ...) -> None: ...

class HBaseVersionFileContent(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class ClusterId(_message.Message):
    __slots__ = ("cluster_id",)
    CLUSTER_ID_FIELD_NUMBER: _ClassVar[int]
    cluster_id: str
    def __init__(self, cluster_id: _Optional[str] = ...) -> None: ...

class LiveServerInfo(_message.Message):
    __slots__ = ("server", "server_load")
    SERVER_FIELD_NUMBER: _ClassVar[int]
    SERVER_LOAD_FIELD_NUMBER: _ClassVar[int]
    server: ServerName
    server_load: ServerLoad
    def __init__(self, server: _Optional[_Union[ServerName, _Mapping]] = ..., server_load: _Optional[_Union[ServerLoad, _Mapping]] = ...) -> None: ...

class ServerLoad(_message.Message):
    __slots__ = ("number_of_requests", "total_number_of_requests", "used_heap_MB", "max_heap_MB", "region_loads", "report_start_time", "report_end_time", "info_server_port", "read_requests_count", "write_requests_count")
    NUMBER_OF_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_NUMBER_OF_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    USED_HEAP_MB_FIELD_NUMBER: _ClassVar[int]
    MAX_HEAP_MB_FIELD_NUMBER: _ClassVar[int]
    REGION_LOADS_FIELD_NUMBER: _ClassVar[int]
    REPORT_START_TIME_FIELD_NUMBER: _ClassVar[int]
    REPORT_END_TIME_FIELD_NUMBER: _ClassVar[int]
    INFO_SERVER_PORT_FIELD_NUMBER: _ClassVar[int]
    READ_REQUESTS_COUNT_FIELD_NUMBER: _ClassVar[int]
    WRITE_REQUESTS_COUNT_FIELD_NUMBER: _ClassVar[int]
    number_of_requests: int
    total_number_of_requests: int
    used_heap_MB: int
    max_heap_MB: int
    region_loads: _containers.RepeatedCompositeFieldContainer[RegionLoad]
    report_start_time: int
    report_end_time: int
    info_server_port: int
    read_requests_count: int
    write_requests_count: int
    def __init__(self, number_of_requests: _Optional[int] = ..., total_number_of_requests: _Optional[int] = ..., used_heap_MB: _Optional[int] = ..., max_heap_MB: _Optional[int] = ..., region_loads: _Optional[_Iterable[_Union[RegionLoad, _Mapping]]] = ..., report_start_time: _Optional[int] = ..., report_end_time: _Optional[int] = ..., info_server_port: _Optional[int] = ..., read_requests_count: _Optional[int] = ..., write_requests_count: _Optional[int] = ...) -> None: ...

class RegionLoad(_message.Message):
    __slots__ = ("region_specifier", "stores", "storefiles", "store_uncompressed_size_MB", "storefile_size_MB", "mem_store_size_MB", "read_requests_count", "write_requests_count", "complete_sequence_id")
    REGION_SPECIFIER_FIELD_NUMBER: _ClassVar[int]
    STORES_FIELD_NUMBER: _ClassVar[int]
    STOREFILES_FIELD_NUMBER: _ClassVar[int]
    STORE_UNCOMPRESSED_SIZE_MB_FIELD_NUMBER: _ClassVar[int]
    STOREFILE_SIZE_MB_FIELD_NUMBER: _ClassVar[int]
    MEM_STORE_SIZE_MB_FIELD_NUMBER: _ClassVar[int]
    READ_REQUESTS_COUNT_FIELD_NUMBER: _ClassVar[int]
    WRITE_REQUESTS_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_SEQUENCE_ID_FIELD_NUMBER: _ClassVar[int]
    region_specifier: RegionSpecifier
    stores: int
    storefiles: int
    store_uncompressed_size_MB: int
    storefile_size_MB: int
    mem_store_size_MB: int
    read_requests_count: int
    write_requests_count: int
    complete_sequence_id: int
    def __init__(self, region_specifier: _Optional[_Union[RegionSpecifier, _Mapping]] = ..., stores: _Optional[int] = ..., storefiles: _Optional[int] = ..., store_uncompressed_size_MB: _Optional[int] = ..., storefile_size_MB: _Optional[int] = ..., mem_store_size_MB: _Optional[int] = ..., read_requests_count: _Optional[int] = ..., write_requests_count: _Optional[int] = ..., complete_sequence_id: _Optional[int] = ...) -> None: ...

class RegionState(_message.Message):
    __slots__ = ("region_info", "state", "stamp", "server", "reason")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OFFLINE: _ClassVar[RegionState.State]
        PENDING_OPEN: _ClassVar[RegionState.State]
        OPENING: _ClassVar[RegionState.State]
        OPEN: _ClassVar[RegionState.State]
        PENDING_CLOSE: _ClassVar[RegionState.State]
        CLOSING: _ClassVar[RegionState.State]
        CLOSED: _ClassVar[RegionState.State]
        SPLITTING: _ClassVar[RegionState.State]
        SPLIT: _ClassVar[RegionState.State]
        FAILED_OPEN: _ClassVar[RegionState.State]
        FAILED_CLOSE: _ClassVar[RegionState.State]
        MERGING: _ClassVar[RegionState.State]
        MERGED: _ClassVar[RegionState.State]
        SPLITTING_NEW: _ClassVar[RegionState.State]
        MERGING_NEW: _ClassVar[RegionState.State]
        ABNORMALLY_CLOSED: _ClassVar[RegionState.State]
    OFFLINE: RegionState.State
    PENDING_OPEN: RegionState.State
    OPENING: RegionState.State
    OPEN: RegionState.State
    PENDING_CLOSE: RegionState.State
    CLOSING: RegionState.State
    CLOSED: RegionState.State
    SPLITTING: RegionState.State
    SPLIT: RegionState.State
    FAILED_OPEN: RegionState.State
    FAILED_CLOSE: RegionState.State
    MERGING: RegionState.State
    MERGED: RegionState.State
    SPLITTING_NEW: RegionState.State
    MERGING_NEW: RegionState.State
    ABNORMALLY_CLOSED: RegionState.State
    REGION_INFO_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAMP_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    region_info: RegionInfo
    state: RegionState.State
    stamp: int
    server: str
    reason: str
    def __init__(self, region_info: _Optional[_Union[RegionInfo, _Mapping]] = ..., state: _Optional[_Union[RegionState.State, str]] = ..., stamp: _Optional[int] = ..., server: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RegionInTransition(_message.Message):
    __slots__ = ("spec", "region_state")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    REGION_STATE_FIELD_NUMBER: _ClassVar[int]
    spec: RegionSpecifier
    region_state: RegionState
    def __init__(self, spec: _Optional[_Union[RegionSpecifier, _Mapping]] = ..., region_state: _Optional[_Union[RegionState, _Mapping]] = ...) -> None: ...

class TableRegionStatesCount(_message.Message):
    __slots__ = ("table_name", "region_states_count")
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    REGION_STATES_COUNT_FIELD_NUMBER: _ClassVar[int]
    table_name: TableName
    region_states_count: RegionStatesCount
    def __init__(self, table_name: _Optional[_Union[TableName, _Mapping]] = ..., region_states_count: _Optional[_Union[RegionStatesCount, _Mapping]] = ...) -> None: ...

class RegionStatesCount(_message.Message):
    __slots__ = ("open_regions", "split_regions", "closed_regions", "regions_in_transition", "total_regions")
    OPEN_REGIONS_FIELD_NUMBER: _ClassVar[int]
    SPLIT_REGIONS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_REGIONS_FIELD_NUMBER: _ClassVar[int]
    REGIONS_IN_TRANSITION_FIELD_NUMBER: _ClassVar[int]
    TOTAL_REGIONS_FIELD_NUMBER: _ClassVar[int]
    open_regions: int
    split_regions: int
    closed_regions: int
    regions_in_transition: int
    total_regions: int
    def __init__(self, open_regions: _Optional[int] = ..., split_regions: _Optional[int] = ..., closed_regions: _Optional[int] = ..., regions_in_transition: _Optional[int] = ..., total_regions: _Optional[int] = ...) -> None: ...

class GetRegionInfoRequest(_message.Message):
    __slots__ = ("region", "compaction_state", "best_split_row")
    REGION_FIELD_NUMBER: _ClassVar[int]
    COMPACTION_STATE_FIELD_NUMBER: _ClassVar[int]
    BEST_SPLIT_ROW_FIELD_NUMBER: _ClassVar[int]
    region: RegionSpecifier
    compaction_state: bool
    best_split_row: bool
    def __init__(self, region: _Optional[_Union[RegionSpecifier, _Mapping]] = ..., compaction_state: bool = ..., best_split_row: bool = ...) -> None: ...

class GetRegionInfoResponse(_message.Message):
    __slots__ = ("region_info", "compaction_state", "splittable", "mergeable", "best_split_row")
    class CompactionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NONE: _ClassVar[GetRegionInfoResponse.CompactionState]
        MINOR: _ClassVar[GetRegionInfoResponse.CompactionState]
        MAJOR: _ClassVar[GetRegionInfoResponse.CompactionState]
        MAJOR_AND_MINOR: _ClassVar[GetRegionInfoResponse.CompactionState]
    NONE: GetRegionInfoResponse.CompactionState
    MINOR: GetRegionInfoResponse.CompactionState
    MAJOR: GetRegionInfoResponse.CompactionState
    MAJOR_AND_MINOR: GetRegionInfoResponse.CompactionState
    REGION_INFO_FIELD_NUMBER: _ClassVar[int]
    COMPACTION_STATE_FIELD_NUMBER: _ClassVar[int]
    SPLITTABLE_FIELD_NUMBER: _ClassVar[int]
    MERGEABLE_FIELD_NUMBER: _ClassVar[int]
    BEST_SPLIT_ROW_FIELD_NUMBER: _ClassVar[int]
    region_info: RegionInfo
    compaction_state: GetRegionInfoResponse.CompactionState
    splittable: bool
    mergeable: bool
    best_split_row: bytes
    def __init__(self, region_info: _Optional[_Union[RegionInfo, _Mapping]] = ..., compaction_state: _Optional[_Union[GetRegionInfoResponse.CompactionState, str]] = ..., splittable: bool = ..., mergeable: bool = ..., best_split_row: _Optional[bytes] = ...) -> None: ...

class GetOnlineRegionRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetOnlineRegionResponse(_message.Message):
    __slots__ = ("region_info",)
    REGION_INFO_FIELD_NUMBER: _ClassVar[int]
    region_info: _containers.RepeatedCompositeFieldContainer[RegionInfo]
    def __init__(self, region_info: _Optional[_Iterable[_Union[RegionInfo, _Mapping]]] = ...) -> None: ...

class FlushRegionRequest(_message.Message):
    __slots__ = ("region", "if_older_than_ts", "write_flush_wal_marker", "family")
    REGION_FIELD_NUMBER: _ClassVar[int]
    IF_OLDER_THAN_TS_FIELD_NUMBER: _ClassVar[int]
    WRITE_FLUSH_WAL_MARKER_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    region: RegionSpecifier
    if_older_than_ts: int
    write_flush_wal_marker: bool
    family: bytes
    def __init__(self, region: _Optional[_Union[RegionSpecifier, _Mapping]] = ..., if_older_than_ts: _Optional[int] = ..., write_flush_wal_marker: bool = ..., family: _Optional[bytes] = ...) -> None: ...

class FlushRegionResponse(_message.Message):
    __slots__ = ("last_flush_time", "flushed", "wrote_flush_wal_marker")
    LAST_FLUSH_TIME_FIELD_NUMBER: _ClassVar[int]
    FLUSHED_FIELD_NUMBER: _ClassVar[int]
    WROTE_FLUSH_WAL_MARKER_FIELD_NUMBER: _ClassVar[int]
    last_flush_time: int
    flushed: bool
    wrote_flush_wal_marker: bool
    def __init__(self, last_flush_time: _Optional[int] = ..., flushed: bool = ..., wrote_flush_wal_marker: bool = ...) -> None: ...

class CompactRegionRequest(_message.Message):
    __slots__ = ("region", "major", "family")
    REGION_FIELD_NUMBER: _ClassVar[int]
    MAJOR_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    region: RegionSpecifier
    major: bool
    family: bytes
    def __init__(self, region: _Optional[_Union[RegionSpecifier, _Mapping]] = ..., major: bool = ..., family: _Optional[bytes] = ...) -> None: ...

class CompactRegionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MetaRegionServer(_message.Message):
    __slots__ = ("server", "rpc_version", "state")
    SERVER_FIELD_NUMBER: _ClassVar[int]
    RPC_VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    server: ServerName
    rpc_version: int
    state: RegionState.State
    def __init__(self, server: _Optional[_Union[ServerName, _Mapping]] = ..., rpc_version: _Optional[int] = ..., state: _Optional[_Union[RegionState.State, str]] = ...) -> None: ...

class Master(_message.Message):
    __slots__ = ("master", "rpc_version", "info_port")
    MASTER_FIELD_NUMBER: _ClassVar[int]
    RPC_VERSION_FIELD_NUMBER: _ClassVar[int]
    INFO_PORT_FIELD_NUMBER: _ClassVar[int]
    master: ServerName
    rpc_version: int
    info_port: int
    def __init__(self, master: _Optional[_Union[ServerName, _Mapping]] = ..., rpc_version: _Optional[int] = ..., info_port: _Optional[int] = ...) -> None: ...

class ColumnCountGetFilter(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class ColumnPaginationFilter(_message.Message):
    __slots__ = ("limit", "offset", "column_offset")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    COLUMN_OFFSET_FIELD_NUMBER: _ClassVar[int]
    limit: int
    offset: int
    column_offset: bytes
    def __init__(self, limit: _Optional[int] = ..., offset: _Optional[int] = ..., column_offset: _Optional[bytes] = ...) -> None: ...

class ColumnPrefixFilter(_message.Message):
    __slots__ = ("prefix",)
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    prefix: bytes
    def __init__(self, prefix: _Optional[bytes] = ...) -> None: ...

class ColumnRangeFilter(_message.Message):
    __slots__ = ("min_column", "min_column_inclusive", "max_column", "max_column_inclusive")
    MIN_COLUMN_FIELD_NUMBER: _ClassVar[int]
    MIN_COLUMN_INCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    MAX_COLUMN_FIELD_NUMBER: _ClassVar[int]
    MAX_COLUMN_INCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    min_column: bytes
    min_column_inclusive: bool
    max_column: bytes
    max_column_inclusive: bool
    def __init__(self, min_column: _Optional[bytes] = ..., min_column_inclusive: bool = ..., max_column: _Optional[bytes] = ..., max_column_inclusive: bool = ...) -> None: ...

class CompareFilter(_message.Message):
    __slots__ = ("compare_op", "comparator")
    COMPARE_OP_FIELD_NUMBER: _ClassVar[int]
    COMPARATOR_FIELD_NUMBER: _ClassVar[int]
    compare_op: CompareType
    comparator: Comparator
    def __init__(self, compare_op: _Optional[_Union[CompareType, str]] = ..., comparator: _Optional[_Union[Comparator, _Mapping]] = ...) -> None: ...

class DependentColumnFilter(_message.Message):
    __slots__ = ("compare_filter", "column_family", "column_qualifier", "drop_dependent_column")
    COMPARE_FILTER_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FAMILY_FIELD_NUMBER: _ClassVar[int]
    COLUMN_QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    DROP_DEPENDENT_COLUMN_FIELD_NUMBER: _ClassVar[int]
    compare_filter: CompareFilter
    column_family: bytes
    column_qualifier: bytes
    drop_dependent_column: bool
    def __init__(self, compare_filter: _Optional[_Union[CompareFilter, _Mapping]] = ..., column_family: _Optional[bytes] = ..., column_qualifier: _Optional[bytes] = ..., drop_dependent_column: bool = ...) -> None: ...

class FamilyFilter(_message.Message):
    __slots__ = ("compare_filter",)
    COMPARE_FILTER_FIELD_NUMBER: _ClassVar[int]
    compare_filter: CompareFilter
    def __init__(self, compare_filter: _Optional[_Union[CompareFilter, _Mapping]] = ...) -> None: ...

class FilterList(_message.Message):
    __slots__ = ("operator", "filters")
    class Operator(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MUST_PASS_ALL: _ClassVar[FilterList.Operator]
        MUST_PASS_ONE: _ClassVar[FilterList.Operator]
    MUST_PASS_ALL: FilterList.Operator
    MUST_PASS_ONE: FilterList.Operator
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    operator: FilterList.Operator
    filters: _containers.RepeatedCompositeFieldContainer[Filter]
    def __init__(self, operator: _Optional[_Union[FilterList.Operator, str]] = ..., filters: _Optional[_Iterable[_Union[Filter, _Mapping]]] = ...) -> None: ...

class FilterWrapper(_message.Message):
    __slots__ = ("filter",)
    FILTER_FIELD_NUMBER: _ClassVar[int]
    filter: Filter
    def __init__(self, filter: _Optional[_Union[Filter, _Mapping]] = ...) -> None: ...

class FirstKeyOnlyFilter(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FirstKeyValueMatchingQualifiersFilter(_message.Message):
    __slots__ = ("qualifiers",)
    QUALIFIERS_FIELD_NUMBER: _ClassVar[int]
    qualifiers: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, qualifiers: _Optional[_Iterable[bytes]] = ...) -> None: ...

class FuzzyRowFilter(_message.Message):
    __slots__ = ("fuzzy_keys_data", "is_mask_v2")
    FUZZY_KEYS_DATA_FIELD_NUMBER: _ClassVar[int]
    IS_MASK_V2_FIELD_NUMBER: _ClassVar[int]
    fuzzy_keys_data: _containers.RepeatedCompositeFieldContainer[BytesBytesPair]
    is_mask_v2: bool
    def __init__(self, fuzzy_keys_data: _Optional[_Iterable[_Union[BytesBytesPair, _Mapping]]] = ..., is_mask_v2: bool = ...) -> None: ...

class InclusiveStopFilter(_message.Message):
    __slots__ = ("stop_row_key",)
    STOP_ROW_KEY_FIELD_NUMBER: _ClassVar[int]
    stop_row_key: bytes
    def __init__(self, stop_row_key: _Optional[bytes] = ...) -> None: ...

class KeyOnlyFilter(_message.Message):
    __slots__ = ("len_as_val",)
    LEN_AS_VAL_FIELD_NUMBER: _ClassVar[int]
    len_as_val: bool
    def __init__(self, len_as_val: bool = ...) -> None: ...

class MultipleColumnPrefixFilter(_message.Message):
    __slots__ = ("sorted_prefixes",)
    SORTED_PREFIXES_FIELD_NUMBER: _ClassVar[int]
    sorted_prefixes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, sorted_prefixes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class PageFilter(_message.Message):
    __slots__ = ("page_size",)
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    def __init__(self, page_size: _Optional[int] = ...) -> None: ...

class PrefixFilter(_message.Message):
    __slots__ = ("prefix",)
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    prefix: bytes
    def __init__(self, prefix: _Optional[bytes] = ...) -> None: ...

class QualifierFilter(_message.Message):
    __slots__ = ("compare_filter",)
    COMPARE_FILTER_FIELD_NUMBER: _ClassVar[int]
    compare_filter: CompareFilter
    def __init__(self, compare_filter: _Optional[_Union[CompareFilter, _Mapping]] = ...) -> None: ...

class RandomRowFilter(_message.Message):
    __slots__ = ("chance",)
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    chance: float
    def __init__(self, chance: _Optional[float] = ...) -> None: ...

class RowFilter(_message.Message):
    __slots__ = ("compare_filter",)
    COMPARE_FILTER_FIELD_NUMBER: _ClassVar[int]
    compare_filter: CompareFilter
    def __init__(self, compare_filter: _Optional[_Union[CompareFilter, _Mapping]] = ...) -> None: ...

class SingleColumnValueExcludeFilter(_message.Message):
    __slots__ = ("single_column_value_filter",)
    SINGLE_COLUMN_VALUE_FILTER_FIELD_NUMBER: _ClassVar[int]
    single_column_value_filter: SingleColumnValueFilter
    def __init__(self, single_column_value_filter: _Optional[_Union[SingleColumnValueFilter, _Mapping]] = ...) -> None: ...

class SingleColumnValueFilter(_message.Message):
    __slots__ = ("column_family", "column_qualifier", "compare_op", "comparator", "filter_if_missing", "latest_version_only")
    COLUMN_FAMILY_FIELD_NUMBER: _ClassVar[int]
    COLUMN_QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    COMPARE_OP_FIELD_NUMBER: _ClassVar[int]
    COMPARATOR_FIELD_NUMBER: _ClassVar[int]
    FILTER_IF_MISSING_FIELD_NUMBER: _ClassVar[int]
    LATEST_VERSION_ONLY_FIELD_NUMBER: _ClassVar[int]
    column_family: bytes
    column_qualifier: bytes
    compare_op: CompareType
    comparator: Comparator
    filter_if_missing: bool
    latest_version_only: bool
    def __init__(self, column_family: _Optional[bytes] = ..., column_qualifier: _Optional[bytes] = ..., compare_op: _Optional[_Union[CompareType, str]] = ..., comparator: _Optional[_Union[Comparator, _Mapping]] = ..., filter_if_missing: bool = ..., latest_version_only: bool = ...) -> None: ...

class SkipFilter(_message.Message):
    __slots__ = ("filter",)
    FILTER_FIELD_NUMBER: _ClassVar[int]
    filter: Filter
    def __init__(self, filter: _Optional[_Union[Filter, _Mapping]] = ...) -> None: ...

class TimestampsFilter(_message.Message):
    __slots__ = ("timestamps", "can_hint")
    TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    CAN_HINT_FIELD_NUMBER: _ClassVar[int]
    timestamps: _containers.RepeatedScalarFieldContainer[int]
    can_hint: bool
    def __init__(self, timestamps: _Optional[_Iterable[int]] = ..., can_hint: bool = ...) -> None: ...

class ValueFilter(_message.Message):
    __slots__ = ("compare_filter",)
    COMPARE_FILTER_FIELD_NUMBER: _ClassVar[int]
    compare_filter: CompareFilter
    def __init__(self, compare_filter: _Optional[_Union[CompareFilter, _Mapping]] = ...) -> None: ...

class WhileMatchFilter(_message.Message):
    __slots__ = ("filter",)
    FILTER_FIELD_NUMBER: _ClassVar[int]
    filter: Filter
    def __init__(self, filter: _Optional[_Union[Filter, _Mapping]] = ...) -> None: ...

class FilterAllFilter(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RowRange(_message.Message):
    __slots__ = ("start_row", "start_row_inclusive", "stop_row", "stop_row_inclusive")
    START_ROW_FIELD_NUMBER: _ClassVar[int]
    START_ROW_INCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    STOP_ROW_FIELD_NUMBER: _ClassVar[int]
    STOP_ROW_INCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    start_row: bytes
    start_row_inclusive: bool
    stop_row: bytes
    stop_row_inclusive: bool
    def __init__(self, start_row: _Optional[bytes] = ..., start_row_inclusive: bool = ..., stop_row: _Optional[bytes] = ..., stop_row_inclusive: bool = ...) -> None: ...

class MultiRowRangeFilter(_message.Message):
    __slots__ = ("row_range_list",)
    ROW_RANGE_LIST_FIELD_NUMBER: _ClassVar[int]
    row_range_list: _containers.RepeatedCompositeFieldContainer[RowRange]
    def __init__(self, row_range_list: _Optional[_Iterable[_Union[RowRange, _Mapping]]] = ...) -> None: ...

class ColumnValueFilter(_message.Message):
    __slots__ = ("family", "qualifier", "compare_op", "comparator")
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    QUALIFIER_FIELD_NUMBER: _ClassVar[int]
    COMPARE_OP_FIELD_NUMBER: _ClassVar[int]
    COMPARATOR_FIELD_NUMBER: _ClassVar[int]
    family: bytes
    qualifier: bytes
    compare_op: CompareType
    comparator: Comparator
    def __init__(self, family: _Optional[bytes] = ..., qualifier: _Optional[bytes] = ..., compare_op: _Optional[_Union[CompareType, str]] = ..., comparator: _Optional[_Union[Comparator, _Mapping]] = ...) -> None: ...

class ByteArrayComparable(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: bytes
    def __init__(self, value: _Optional[bytes] = ...) -> None: ...

class BinaryComparator(_message.Message):
    __slots__ = ("comparable",)
    COMPARABLE_FIELD_NUMBER: _ClassVar[int]
    comparable: ByteArrayComparable
    def __init__(self, comparable: _Optional[_Union[ByteArrayComparable, _Mapping]] = ...) -> None: ...

class LongComparator(_message.Message):
    __slots__ = ("comparable",)
    COMPARABLE_FIELD_NUMBER: _ClassVar[int]
    comparable: ByteArrayComparable
    def __init__(self, comparable: _Optional[_Union[ByteArrayComparable, _Mapping]] = ...) -> None: ...

class BinaryPrefixComparator(_message.Message):
    __slots__ = ("comparable",)
    COMPARABLE_FIELD_NUMBER: _ClassVar[int]
    comparable: ByteArrayComparable
    def __init__(self, comparable: _Optional[_Union[ByteArrayComparable, _Mapping]] = ...) -> None: ...

class BitComparator(_message.Message):
    __slots__ = ("comparable", "bitwise_op")
    class BitwiseOp(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        AND: _ClassVar[BitComparator.BitwiseOp]
        OR: _ClassVar[BitComparator.BitwiseOp]
        XOR: _ClassVar[BitComparator.BitwiseOp]
    AND: BitComparator.BitwiseOp
    OR: BitComparator.BitwiseOp
    XOR: BitComparator.BitwiseOp
    COMPARABLE_FIELD_NUMBER: _ClassVar[int]
    BITWISE_OP_FIELD_NUMBER: _ClassVar[int]
    comparable: ByteArrayComparable
    bitwise_op: BitComparator.BitwiseOp
    def __init__(self, comparable: _Optional[_Union[ByteArrayComparable, _Mapping]] = ..., bitwise_op: _Optional[_Union[BitComparator.BitwiseOp, str]] = ...) -> None: ...

class NullComparator(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RegexStringComparator(_message.Message):
    __slots__ = ("pattern", "pattern_flags", "charset", "engine")
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FLAGS_FIELD_NUMBER: _ClassVar[int]
    CHARSET_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    pattern: str
    pattern_flags: int
    charset: str
    engine: str
    def __init__(self, pattern: _Optional[str] = ..., pattern_flags: _Optional[int] = ..., charset: _Optional[str] = ..., engine: _Optional[str] = ...) -> None: ...

class SubstringComparator(_message.Message):
    __slots__ = ("substr",)
    SUBSTR_FIELD_NUMBER: _ClassVar[int]
    substr: str
    def __init__(self, substr: _Optional[str] = ...) -> None: ...

class BigDecimalComparator(_message.Message):
    __slots__ = ("comparable",)
    COMPARABLE_FIELD_NUMBER: _ClassVar[int]
    comparable: ByteArrayComparable
    def __init__(self, comparable: _Optional[_Union[ByteArrayComparable, _Mapping]] = ...) -> None: ...

class BinaryComponentComparator(_message.Message):
    __slots__ = ("value", "offset")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    value: bytes
    offset: int
    def __init__(self, value: _Optional[bytes] = ..., offset: _Optional[int] = ...) -> None: ...
