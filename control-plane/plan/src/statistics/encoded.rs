//! How many different texts a column of Parquet files holds, from how they are encoded: footers do not say. A dictionary of n texts makes
//! indexes of log2(n) bits, so the bytes of a chunk over its values tell n. Nothing is read for it.

use arrow::datatypes::DataType;
use mayfly_catalog::Table;
use parquet::file::metadata::ColumnChunkMetaData;

/// Row groups that are looked at. The others are taken to be alike.
const ROW_GROUPS_MAX: usize = 64;

/// Wider than that, a chunk does not hold indexes of a dictionary but texts, or a dictionary as long as the chunk.
const INDEX_BITS_MAX: f64 = 16.0;

/// An index of n bits stands for more than 2^(n-1) texts and at most 2^n.
const MIDDLE: f64 = 0.75;

/// About how many different values the column of that name has; `None` if it has no texts, or its chunks do not tell.
pub(super) fn distinct(table: &Table, column: usize) -> Option<usize> {
    let field = table.schema.field(column);
    if !matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8) {
        return None;
    }
    let footers = table.files.iter().filter_map(|file| file.footer.as_ref());
    let groups = footers.flat_map(|footer| footer.metadata.row_groups());
    let chunks = groups.take(ROW_GROUPS_MAX).map(|group| {
        let mut chunks = group.columns().iter();
        chunks.find(|chunk| matches!(chunk.column_path().parts(), [name] if name.eq_ignore_ascii_case(field.name())))
    });
    let distinct: Option<Vec<f64>> = chunks.map(|chunk| indexed(chunk?)).collect();
    distinct?
        .into_iter()
        .reduce(f64::max)
        .map(|distinct| distinct.ceil() as usize)
}

fn indexed(chunk: &ColumnChunkMetaData) -> Option<f64> {
    // Encoded bytes of the dictionary itself: what its texts take at least.
    let dictionary = chunk.data_page_offset() - chunk.dictionary_page_offset()?;
    let values = chunk.num_values().max(1) as f64;
    let bits = (chunk.uncompressed_size() - dictionary) as f64 * 8.0 / values;
    (bits <= INDEX_BITS_MAX).then(|| (bits.exp2() * MIDDLE).clamp(1.0, values))
}
