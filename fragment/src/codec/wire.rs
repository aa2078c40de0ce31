//! The messages of our plan nodes. Tags are never reused: a new meaning gets a new tag and a new `PLAN_VERSION`.

use datafusion_proto::protobuf::{PhysicalExprNode, PhysicalPlanNode, PhysicalSortExprNode, Schema, WindowFrame};

/// Everything after the header of an encoded plan.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Plan {
    #[prost(message, optional, tag = "1")]
    pub schema: Option<Schema>,
    #[prost(message, optional, tag = "2")]
    pub root: Option<PhysicalPlanNode>,
}

/// A node of ours, inside a `PhysicalExtensionNode`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Node {
    #[prost(oneof = "NodeKind", tags = "1, 2, 3, 4, 5, 6, 7, 8")]
    pub kind: Option<NodeKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum NodeKind {
    #[prost(message, tag = "1")]
    SplitScan(SplitScan),
    #[prost(message, tag = "2")]
    ShuffleRead(ShuffleRead),
    #[prost(message, tag = "3")]
    ShuffleWrite(ShuffleWrite),
    #[prost(message, tag = "4")]
    RecursiveQuery(RecursiveQuery),
    #[prost(message, tag = "5")]
    WorkTable(WorkTable),
    #[prost(message, tag = "6")]
    NoRows(NoRows),
    /// A whole `PhysicalPlanNode`, so that it counts its nesting anew.
    #[prost(bytes, tag = "7")]
    Nested(Vec<u8>),
    #[prost(message, tag = "8")]
    Fence(Fence),
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct SplitScan {
    #[prost(uint32, tag = "1")]
    pub scan: u32,
    #[prost(string, tag = "2")]
    pub table: String,
    #[prost(message, optional, tag = "3")]
    pub table_schema: Option<Schema>,
    #[prost(uint32, repeated, tag = "4")]
    pub projection: Vec<u32>,
    #[prost(message, optional, tag = "5")]
    pub predicate: Option<PhysicalExprNode>,
    #[prost(uint64, optional, tag = "6")]
    pub limit: Option<u64>,
    #[prost(uint32, tag = "7")]
    pub partitions: u32,
    /// The file format as the catalog writes it, in JSON; empty for Parquet.
    #[prost(string, tag = "8")]
    pub format: String,
    #[prost(uint32, tag = "9")]
    pub partition_columns: u32,
    #[prost(bool, tag = "10")]
    pub late: bool,
    #[prost(message, optional, tag = "11")]
    pub sample: Option<Sample>,
}

/// What of a table is scanned.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Sample {
    /// Row groups, or blocks of text, instead of rows.
    #[prost(bool, tag = "1")]
    pub blocks: bool,
    #[prost(double, tag = "2")]
    pub share: f64,
    #[prost(uint64, tag = "3")]
    pub seed: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ShuffleRead {
    #[prost(uint32, tag = "1")]
    pub input: u32,
    #[prost(message, optional, tag = "2")]
    pub schema: Option<Schema>,
    #[prost(enumeration = "Read", tag = "3")]
    pub read: i32,
    #[prost(uint32, tag = "4")]
    pub partitions: u32,
    #[prost(message, repeated, tag = "5")]
    pub hash_keys: Vec<PhysicalExprNode>,
    /// Empty: in no order.
    #[prost(message, repeated, tag = "6")]
    pub ordering: Vec<PhysicalSortExprNode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Read {
    Unspecified = 0,
    Partitions = 1,
    All = 2,
    Merge = 3,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ShuffleWrite {
    #[prost(enumeration = "Scheme", tag = "1")]
    pub scheme: i32,
    #[prost(message, repeated, tag = "2")]
    pub hash_keys: Vec<PhysicalExprNode>,
    #[prost(uint32, tag = "3")]
    pub partitions: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Scheme {
    Unspecified = 0,
    Hash = 1,
    RoundRobin = 2,
    Single = 3,
}

/// Inputs: the static term, the recursive term.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RecursiveQuery {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub schema: Option<Schema>,
    #[prost(bool, tag = "3")]
    pub distinct: bool,
}

/// The rows of the last iteration, in the recursive query of this name.
#[derive(Clone, PartialEq, prost::Message)]
pub struct WorkTable {
    #[prost(string, tag = "1")]
    pub name: String,
    /// Columns of the query's that are read.
    #[prost(message, optional, tag = "2")]
    pub schema: Option<Schema>,
}

/// Input: what has no rows.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NoRows {
    #[prost(message, optional, tag = "1")]
    pub schema: Option<Schema>,
}

/// Input: whose rows it passes on.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Fence {}

/// A window function and the flags that belong to it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DirectedFunction {
    #[prost(bool, tag = "1")]
    pub ignore_nulls: bool,
    #[prost(bool, tag = "2")]
    pub reversed: bool,
}

/// An aggregate over the rows that pass a condition.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FilteredFunction {
    #[prost(string, tag = "1")]
    pub inner: String,
}

/// A window function over frames that leave rows out.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExcludingFunction {
    #[prost(string, tag = "1")]
    pub inner: String,
    /// Of an aggregate of ours.
    #[prost(bytes, tag = "2")]
    pub definition: Vec<u8>,
    /// The inner one is no aggregate: it gives the value of one row.
    #[prost(bool, tag = "3")]
    pub picks: bool,
    #[prost(bool, tag = "4")]
    pub distinct: bool,
    #[prost(bool, tag = "5")]
    pub ignore_nulls: bool,
    #[prost(message, optional, tag = "6")]
    pub frame: Option<WindowFrame>,
    #[prost(enumeration = "Exclusion", tag = "7")]
    pub exclusion: i32,
    #[prost(message, repeated, tag = "8")]
    pub order: Vec<SortKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Exclusion {
    Unspecified = 0,
    CurrentRow = 1,
    Group = 2,
    Ties = 3,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct SortKey {
    #[prost(bool, tag = "1")]
    pub descending: bool,
    #[prost(bool, tag = "2")]
    pub nulls_first: bool,
}
