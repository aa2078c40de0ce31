//! Reads one Parquet footer: one ranged GET when it fits the file's last 64 KiB, two otherwise. Page indexes, which lie before it, are
//! taken along where these bytes hold them. Trusts nothing that it reads.

use crate::{Location, TableFile, error};
use arrow::datatypes::Schema;
use bytes::Bytes;
use mayfly_protocol::QueryError;
use mayfly_store::{Listed, Store};
use parquet::errors::ParquetError;
use parquet::file::FOOTER_SIZE;
use parquet::file::metadata::{FooterTail, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;

/// How much of a file's end the first GET asks for.
const TAIL_BYTES: u64 = 64 * 1024;

/// Longest footer that is read.
const FOOTER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Magic at both ends, and the footer's length.
const FILE_BYTES_MIN: u64 = 12;

/// A file's footer as bytes.
pub(crate) struct RawFooter {
    pub key: String,
    pub etag: String,
    pub size_bytes: u64,
    /// The end of the file, or of what was persisted in its place; the footer is within.
    pub bytes: Bytes,
    /// Size of what these bytes end.
    pub ends_at: u64,
    pub pages: PageIndexPolicy,
}

/// Reads the footer of a listed object at exactly the listed version.
pub(crate) async fn read(store: &Store, location: &Location, listed: &Listed) -> Result<RawFooter, QueryError> {
    let file = location.file(&listed.key);
    let size = listed.size_bytes;
    if size < FILE_BYTES_MIN {
        return Err(error::bad_file(&file, format!("it has only {size} bytes")));
    }
    let get = async |range: std::ops::Range<u64>| {
        store
            .get_range(&location.bucket, &listed.key, range, Some(&listed.etag))
            .await
            .map_err(|cause| error::store(&file, &cause))
    };
    let tail_start = size.saturating_sub(TAIL_BYTES);
    let tail = get(tail_start..size).await?;
    let length = footer_length(&tail).map_err(|why| error::bad_file(&file, why))?;
    let end = size - FOOTER_SIZE as u64;
    if length > FOOTER_BYTES_MAX || length > end {
        return Err(error::bad_file(
            &file,
            format!("its footer claims {length} bytes of {size}"),
        ));
    }
    let start = end - length;
    let bytes = if start >= tail_start {
        tail
    } else {
        get(start..size).await?
    };
    Ok(RawFooter {
        key: listed.key.clone(),
        etag: listed.etag.clone(),
        size_bytes: size,
        bytes,
        ends_at: size,
        pages: PageIndexPolicy::Optional,
    })
}

fn footer_length(tail: &[u8]) -> Result<u64, ParquetError> {
    let last: &[u8; FOOTER_SIZE] = tail
        .last_chunk()
        .ok_or_else(|| ParquetError::General("it ends within its footer".to_owned()))?;
    let footer = FooterTail::try_new(last)?;
    if footer.is_encrypted_footer() {
        return Err(ParquetError::NYI("its footer is encrypted".to_owned()));
    }
    Ok(footer.metadata_length() as u64)
}

/// Decodes off the async threads: a hostile footer may take long, and a panic inside the decoder is the file's fault.
pub(crate) async fn decode(location: &Location, raw: RawFooter) -> Result<TableFile, QueryError> {
    let file = location.file(&raw.key);
    let decoded = tokio::task::spawn_blocking(move || decode_checked(&raw).map(|decoded| (raw, decoded))).await;
    match decoded {
        Ok(Ok((raw, (schema, metadata)))) => Ok(TableFile::parquet(raw, schema, metadata)),
        Ok(Err(cause)) => Err(error::bad_file(&file, cause)),
        Err(_) => Err(error::bad_file(&file, "its footer breaks the decoder")),
    }
}

fn decode_checked(raw: &RawFooter) -> Result<(Schema, ParquetMetaData), ParquetError> {
    let (metadata, size_bytes) = (metadata(raw)?, raw.size_bytes);
    let counts = |number: i64| number >= 0;
    for group in metadata.row_groups() {
        let whole = counts(group.num_rows())
            && group.columns().iter().all(|column| {
                // The size counts from the dictionary page, which comes first where there is one.
                let start = column
                    .dictionary_page_offset()
                    .unwrap_or_else(|| column.data_page_offset());
                let end = start.checked_add(column.compressed_size());
                counts(column.compressed_size())
                    && counts(start)
                    && end.is_some_and(|end| u64::try_from(end).is_ok_and(|end| end <= size_bytes))
            });
        if !whole {
            return Err(ParquetError::General("a column chunk lies outside the file".to_owned()));
        }
    }
    let metadata = mayfly_files::trusted(metadata)?;
    Ok((mayfly_files::schema(&metadata)?, metadata))
}

/// The footer, with page indexes where they are in the bytes and of use.
fn metadata(raw: &RawFooter) -> Result<ParquetMetaData, ParquetError> {
    let parse = |pages: PageIndexPolicy| {
        let mut reader = ParquetMetaDataReader::new().with_page_index_policy(pages);
        match reader.try_parse_sized(&raw.bytes, raw.ends_at) {
            // What is missing is but the indexes.
            Err(ParquetError::NeedMoreData(_)) if reader.has_metadata() => reader.finish(),
            parsed => parsed.and_then(|()| reader.finish()),
        }
    };
    match parse(raw.pages) {
        Ok(metadata) if has_sound_pages(&metadata) => Ok(metadata),
        _ => parse(PageIndexPolicy::Skip),
    }
}

/// Whether both indexes are there, or neither, and every page lies within its row group.
fn has_sound_pages(metadata: &ParquetMetaData) -> bool {
    let (offsets, columns) = match (metadata.offset_index(), metadata.column_index()) {
        (None, None) => return true,
        (Some(offsets), Some(columns)) => (offsets, columns),
        _ => return false,
    };
    let groups = metadata.row_groups();
    let mut pages = groups.iter().zip(offsets).zip(columns);
    offsets.len() == groups.len()
        && columns.len() == groups.len()
        && pages.all(|((group, offsets), columns)| are_sound(group, offsets, columns))
}

fn are_sound(group: &RowGroupMetaData, offsets: &[OffsetIndexMetaData], columns: &[ColumnIndexMetaData]) -> bool {
    let is_sound = |(offsets, column): (&OffsetIndexMetaData, &ColumnIndexMetaData)| {
        // A column whose values have no order, or of which no statistics were kept, has an index of none.
        let known = match column {
            ColumnIndexMetaData::NONE => 0,
            known => known.num_pages() as usize,
        };
        in_order(offsets, group.num_rows()) && [0, offsets.page_locations().len()].contains(&known)
    };
    let columns_held = group.num_columns();
    offsets.len() == columns_held && columns.len() == columns_held && offsets.iter().zip(columns).all(is_sound)
}

fn in_order(offsets: &OffsetIndexMetaData, rows: i64) -> bool {
    let pages = offsets.page_locations();
    let rising = pages.is_sorted_by(|one, next| one.first_row_index < next.first_row_index);
    let first = pages.first().is_none_or(|page| page.first_row_index == 0);
    rising && first && pages.last().is_none_or(|page| page.first_row_index < rows)
}
