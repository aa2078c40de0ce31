//! Error codes as clients know them: Trino's names and numbers, and a block of our own.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Who can do something about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorType {
    UserError,
    InternalError,
    InsufficientResources,
    External,
}

impl ErrorType {
    pub const fn name(self) -> &'static str {
        match self {
            ErrorType::UserError => "USER_ERROR",
            ErrorType::InternalError => "INTERNAL_ERROR",
            ErrorType::InsufficientResources => "INSUFFICIENT_RESOURCES",
            ErrorType::External => "EXTERNAL",
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $number:literal, $name:literal, $type:ident;)*) => {
        /// A stable name and number for what went wrong. Numbers below 2^24 are Trino's; the block `0x4D41_0000` is Mayfly's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ErrorCode { $(#[serde(rename = $name)] $variant,)* }

        impl ErrorCode {
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant,)*];

            pub const fn number(self) -> u32 {
                match self { $(ErrorCode::$variant => $number,)* }
            }

            pub const fn name(self) -> &'static str {
                match self { $(ErrorCode::$variant => $name,)* }
            }

            pub const fn error_type(self) -> ErrorType {
                match self { $(ErrorCode::$variant => ErrorType::$type,)* }
            }
        }
    };
}

codes! {
    GenericUserError = 0, "GENERIC_USER_ERROR", UserError;
    SyntaxError = 1, "SYNTAX_ERROR", UserError;
    AbandonedQuery = 2, "ABANDONED_QUERY", UserError;
    UserCanceled = 3, "USER_CANCELED", UserError;
    PermissionDenied = 4, "PERMISSION_DENIED", UserError;
    NotFound = 5, "NOT_FOUND", UserError;
    FunctionNotFound = 6, "FUNCTION_NOT_FOUND", UserError;
    InvalidFunctionArgument = 7, "INVALID_FUNCTION_ARGUMENT", UserError;
    DivisionByZero = 8, "DIVISION_BY_ZERO", UserError;
    InvalidCastArgument = 9, "INVALID_CAST_ARGUMENT", UserError;
    NotSupported = 13, "NOT_SUPPORTED", UserError;
    InvalidSessionProperty = 14, "INVALID_SESSION_PROPERTY", UserError;
    InvalidTableProperty = 18, "INVALID_TABLE_PROPERTY", UserError;
    NumericValueOutOfRange = 19, "NUMERIC_VALUE_OUT_OF_RANGE", UserError;
    SubqueryMultipleRows = 28, "SUBQUERY_MULTIPLE_ROWS", UserError;
    QueryTextTooLarge = 35, "QUERY_TEXT_TOO_LARGE", UserError;
    QueryHasTooManyStages = 40, "QUERY_HAS_TOO_MANY_STAGES", UserError;
    CatalogNotFound = 44, "CATALOG_NOT_FOUND", UserError;
    SchemaNotFound = 45, "SCHEMA_NOT_FOUND", UserError;
    TableNotFound = 46, "TABLE_NOT_FOUND", UserError;
    ColumnNotFound = 47, "COLUMN_NOT_FOUND", UserError;
    SchemaAlreadyExists = 49, "SCHEMA_ALREADY_EXISTS", UserError;
    TableAlreadyExists = 50, "TABLE_ALREADY_EXISTS", UserError;
    TypeMismatch = 58, "TYPE_MISMATCH", UserError;
    InvalidLiteral = 59, "INVALID_LITERAL", UserError;
    AmbiguousName = 62, "AMBIGUOUS_NAME", UserError;
    MissingGroupBy = 64, "EXPRESSION_NOT_AGGREGATE", UserError;
    InvalidArguments = 76, "INVALID_ARGUMENTS", UserError;
    GenericInternalError = 65536, "GENERIC_INTERNAL_ERROR", InternalError;
    NoNodesAvailable = 65541, "NO_NODES_AVAILABLE", InternalError;
    RemoteTaskError = 65542, "REMOTE_TASK_ERROR", InternalError;
    ServerShuttingDown = 65545, "SERVER_SHUTTING_DOWN", InternalError;
    ExceededTimeLimit = 131_075, "EXCEEDED_TIME_LIMIT", InsufficientResources;
    ExceededSpillLimit = 131_078, "EXCEEDED_SPILL_LIMIT", InsufficientResources;
    ExceededLocalMemoryLimit = 131_079, "EXCEEDED_LOCAL_MEMORY_LIMIT", InsufficientResources;
    ExceededScanLimit = 131_081, "EXCEEDED_SCAN_LIMIT", InsufficientResources;
    QueryQueueFull = 131_074, "QUERY_QUEUE_FULL", InsufficientResources;
    BadFile = 0x4D41_0001, "MAYFLY_BAD_FILE", External;
    SourceChanged = 0x4D41_0002, "MAYFLY_SOURCE_CHANGED", External;
    SchemaMismatch = 0x4D41_0003, "MAYFLY_SCHEMA_MISMATCH", External;
    LocationNotAllowed = 0x4D41_0004, "MAYFLY_LOCATION_NOT_ALLOWED", UserError;
    TooComplex = 0x4D41_0005, "MAYFLY_TOO_COMPLEX", UserError;
    TooManyTasks = 0x4D41_0006, "MAYFLY_TOO_MANY_TASKS", InsufficientResources;
    S3Error = 0x4D41_0007, "MAYFLY_S3_ERROR", External;
    LambdaThrottled = 0x4D41_0008, "MAYFLY_LAMBDA_THROTTLED", External;
    BudgetExceeded = 0x4D41_0009, "MAYFLY_BUDGET_EXCEEDED", InsufficientResources;
    RowTooLarge = 0x4D41_000A, "MAYFLY_ROW_TOO_LARGE", UserError;
    TaskPoisoned = 0x4D41_000B, "MAYFLY_TASK_POISONED", External;
    ExecutorMismatch = 0x4D41_000C, "MAYFLY_EXECUTOR_MISMATCH", InternalError;
    ExceededRowLimit = 0x4D41_000D, "MAYFLY_EXCEEDED_ROW_LIMIT", InsufficientResources;
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
