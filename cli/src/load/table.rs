//! The eight tables of TPC-H: names, sizes and generators.

use super::Scale;
use arrow::record_batch::RecordBatchReader;
use tpchgen::generators as rows;
use tpchgen_arrow as batches;

/// Where a file of one of them should end. Smaller files give a small load some parallelism, larger ones fewer requests.
const FILE_BYTES_TARGET: u64 = 96 * 1_000_000;
/// Rows of a generated batch.
const BATCH_ROWS: usize = 8_192;

/// Small tables first, so that a reader of the progress sees something end soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Region,
    Nation,
    Supplier,
    Customer,
    Part,
    Partsupp,
    Orders,
    Lineitem,
}

/// One of `parts` pieces of a table; `part` counts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub part: u32,
    pub parts: u32,
}

impl Table {
    pub const ALL: [Table; 8] = [
        Table::Region,
        Table::Nation,
        Table::Supplier,
        Table::Customer,
        Table::Part,
        Table::Partsupp,
        Table::Orders,
        Table::Lineitem,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Table::Region => "region",
            Table::Nation => "nation",
            Table::Supplier => "supplier",
            Table::Customer => "customer",
            Table::Part => "part",
            Table::Partsupp => "partsupp",
            Table::Orders => "orders",
            Table::Lineitem => "lineitem",
        }
    }

    /// Rows at a scale. Exact but for `lineitem`, whose orders have one to seven lines each.
    pub fn rows(self, scale: Scale) -> u64 {
        let scaled = |rows_at_1: u32| (f64::from(rows_at_1) * scale.factor()) as u64;
        match self {
            Table::Region => 5,
            Table::Nation => 25,
            Table::Supplier => scaled(10_000),
            Table::Customer => scaled(150_000),
            Table::Part => scaled(200_000),
            Table::Partsupp => scaled(200_000) * 4,
            Table::Orders => scaled(1_500_000),
            Table::Lineitem => scaled(1_500_000) * 4,
        }
    }

    /// Bytes that a row takes in a file, about: at scale 0.01 `lineitem` took 26, `orders` 29, `partsupp` 43. Only decides how many files.
    const fn row_bytes(self) -> u64 {
        match self {
            Table::Region | Table::Nation => 100,
            Table::Supplier => 75,
            Table::Customer => 75,
            Table::Part => 30,
            Table::Partsupp => 50,
            Table::Orders => 35,
            Table::Lineitem => 28,
        }
    }

    /// Files that the table is written to. Follows from the scale alone, so that a second load finds the files of the first.
    pub fn pieces(self, scale: Scale) -> impl Iterator<Item = Piece> {
        let bytes = self.rows(scale) * self.row_bytes();
        let parts = bytes.div_ceil(FILE_BYTES_TARGET).clamp(1, i32::MAX as u64) as u32;
        (0..parts).map(move |part| Piece { part, parts })
    }

    /// Generates a piece. The pieces of a table in order are the table.
    pub fn batches(self, scale: Scale, piece: Piece) -> Box<dyn RecordBatchReader + Send> {
        let (scale, part, parts) = (scale.factor(), piece.part as i32 + 1, piece.parts as i32);
        macro_rules! generate {
            ($rows:ident, $batches:ident) => {
                Box::new(batches::$batches::new(rows::$rows::new(scale, part, parts)).with_batch_size(BATCH_ROWS))
            };
        }
        match self {
            Table::Region => generate!(RegionGenerator, RegionArrow),
            Table::Nation => generate!(NationGenerator, NationArrow),
            Table::Supplier => generate!(SupplierGenerator, SupplierArrow),
            Table::Customer => generate!(CustomerGenerator, CustomerArrow),
            Table::Part => generate!(PartGenerator, PartArrow),
            Table::Partsupp => generate!(PartSuppGenerator, PartSuppArrow),
            Table::Orders => generate!(OrderGenerator, OrderArrow),
            Table::Lineitem => generate!(LineItemGenerator, LineItemArrow),
        }
    }
}
