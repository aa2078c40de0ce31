//! The rows of one split, block by block.

use super::blocks::{Block, Blocks};
use super::failure::{Failed, Place, lines};
use super::{Wanted, csv, json};
use crate::bind::pinned;
use crate::bind::reader::{ScanMeter, SplitError, name};
use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use mayfly_files::text::{BYTE_ORDER_MARK, Records, Unlisted, is_array};
use mayfly_protocol::{Compression, FileFormat, FileRange, Split};
use object_store::{GetOptions, GetRange, ObjectStore};
use std::borrow::Cow;
use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

/// Bytes behind a split that are asked for at a time, until its last record ends.
const BEHIND_BYTES: u64 = 256 * 1024;

/// Bytes of a file's beginning, within which its header should end, and must end.
const HEADER_BYTES: u64 = 16 * 1024;
const HEADER_BYTES_MAX: u64 = 1 << 20;

/// Bytes that tell an array of JSON from records.
const FIRST_BYTES: u64 = 64;

/// Bytes before a split that are counted to tell a line's number. Beyond that, an error tells where the record begins.
const COUNTED_BYTES_MAX: u64 = 256 << 20;

/// The rows of the split, as wanted.
pub fn split(
    wanted: Arc<Wanted>,
    store: Arc<dyn ObjectStore>,
    meter: Arc<ScanMeter>,
    split: Split,
    folders: Vec<ScalarValue>,
) -> BoxStream<'static, Result<RecordBatch>> {
    meter.opened_text(name(&split));
    let file = File {
        store,
        split: Arc::new(split),
    };
    let opened = async move {
        let rows = Rows::open(wanted, file.clone(), folders).await;
        let rows = match rows {
            Ok(rows) => rows,
            Err(cause) => return Err(file.blame(cause, false).await),
        };
        let batches = stream::try_unfold(rows, |mut rows| async move {
            match rows.next().await {
                Ok(Some(batches)) => Ok(Some((stream::iter(batches.into_iter().map(Ok)), rows))),
                Ok(None) => Ok(None),
                Err(cause) => Err(rows.file.blame(cause, rows.is_array).await),
            }
        });
        Ok(batches.try_flatten())
    };
    stream::once(opened).try_flatten().boxed()
}

/// A split's object.
#[derive(Clone)]
struct File {
    store: Arc<dyn ObjectStore>,
    split: Arc<Split>,
}

impl File {
    fn range(&self) -> Range<u64> {
        match self.split.range {
            FileRange::Bytes { start, end } => start..end,
            _ => 0..self.split.size_bytes,
        }
    }

    fn get(&self, range: Range<u64>) -> BoxStream<'static, Result<Bytes>> {
        if range.is_empty() {
            return stream::empty().boxed();
        }
        let (store, path) = (Arc::clone(&self.store), pinned::path(&self.split));
        let got = async move {
            let options = GetOptions {
                range: Some(GetRange::Bounded(range)),
                ..GetOptions::default()
            };
            let got = store.get_opts(&path, options).await.map_err(DataFusionError::from)?;
            Ok::<_, DataFusionError>(got.into_stream().map_err(DataFusionError::from))
        };
        stream::once(got).try_flatten().boxed()
    }

    /// From there on: the split's own bytes by one request, what is behind them by small ones, as far as they are wanted.
    fn from(&self, start: u64) -> BoxStream<'static, Result<Bytes>> {
        let (end, size) = (self.range().end, self.split.size_bytes);
        let behind = stream::iter((end..size).step_by(BEHIND_BYTES as usize));
        let file = self.clone();
        let behind = behind.then(move |from| {
            let got = file.get(from..size.min(from + BEHIND_BYTES));
            async move { Ok::<_, DataFusionError>(got) }
        });
        self.get(start..end).chain(behind.try_flatten()).boxed()
    }

    /// Enough to tell what begins there.
    async fn first_bytes(&self) -> Result<Vec<u8>> {
        collected(self.get(0..FIRST_BYTES.min(self.split.size_bytes))).await
    }

    /// The file's first lines.
    async fn beginning(&self) -> Result<Vec<u8>> {
        let mut wanted = HEADER_BYTES;
        loop {
            let end = wanted.min(self.split.size_bytes);
            let bytes = collected(self.get(0..end)).await?;
            if bytes.contains(&b'\n') || end == self.split.size_bytes || wanted >= HEADER_BYTES_MAX {
                return Ok(bytes);
            }
            wanted *= 4;
        }
    }

    /// The error under the file's name. Errors of the store and of memory are what they are; all others are the text's.
    async fn blame(&self, cause: DataFusionError, is_array: bool) -> DataFusionError {
        if let Some(failed) = failed(&cause).cloned() {
            let place = self.shown(failed.place, is_array).await;
            let (file, why) = (name(&self.split), failed.to_string());
            return DataFusionError::External(Box::new(SplitError::Record { file, place, why }));
        }
        let first: &(dyn Error + 'static) = &cause;
        let mut layers = std::iter::successors(Some(first), |error: &&(dyn Error + 'static)| (*error).source());
        let is_known = layers.any(|layer| {
            let is_memory = matches!(
                layer.downcast_ref::<DataFusionError>(),
                Some(DataFusionError::ResourcesExhausted(_))
            );
            layer.is::<SplitError>() || is_memory
        });
        match is_known {
            true => cause,
            false => DataFusionError::External(Box::new(SplitError::BadText {
                files: vec![name(&self.split)],
                cause: Box::new(cause),
            })),
        }
    }

    /// `line 17`, counted from the beginning of the file.
    async fn shown(&self, place: Place, is_array: bool) -> String {
        if is_array {
            return format!("record {} of its array", place.lines + 1);
        }
        let start = self.range().start.saturating_sub(1);
        let before = match start {
            0 => Some(0),
            start if start <= COUNTED_BYTES_MAX => self.lines_before(start).await.ok(),
            _ => None,
        };
        match before {
            Some(before) => format!("line {}", before + place.lines + 1),
            None => format!("the record that begins at byte {}", place.offset),
        }
    }

    async fn lines_before(&self, end: u64) -> Result<u64> {
        let counts = self.get(0..end).map_ok(|bytes| lines(&bytes));
        counts.try_fold(0, async |sum, count| Ok(sum + count)).await
    }
}

async fn collected(bytes: BoxStream<'static, Result<Bytes>>) -> Result<Vec<u8>> {
    let append = async |mut all: Vec<u8>, part: Bytes| {
        all.extend_from_slice(&part);
        Ok(all)
    };
    bytes.try_fold(Vec::new(), append).await
}

fn failed(cause: &DataFusionError) -> Option<&Failed> {
    match cause {
        DataFusionError::External(cause) => cause.downcast_ref(),
        _ => None,
    }
}

enum Decoder {
    Csv(csv::Decoder),
    Json(json::Decoder),
}

/// What is still to be read of a split.
struct Rows {
    wanted: Arc<Wanted>,
    file: File,
    folders: Vec<ScalarValue>,
    blocks: Blocks,
    decoder: Decoder,
    is_array: bool,
    /// Read by others too, at the same time: line ends were taken for records' without a look at quotes before them.
    is_cut: bool,
}

impl Rows {
    async fn open(wanted: Arc<Wanted>, file: File, folders: Vec<ScalarValue>) -> Result<Rows> {
        let is_cut = matches!(file.split.range, FileRange::Bytes { .. });
        match wanted.format.clone() {
            FileFormat::Csv(format) => {
                let mut blocks = Rows::blocks(&wanted, &file, Records::csv(csv::marks(&format)), false).await?;
                let header = match format.has_header {
                    true => Rows::header(&file, &format, &mut blocks).await?,
                    false => None,
                };
                let decoder = csv::Decoder::new(&wanted, &format, header).map_err(first)?;
                let decoder = Decoder::Csv(decoder);
                Ok(Rows {
                    wanted,
                    file,
                    folders,
                    blocks,
                    decoder,
                    is_array: false,
                    is_cut,
                })
            }
            _ => {
                let is_packed = wanted.format.compression_of(&file.split.key) != Compression::None;
                let is_array = !is_packed && is_array(&file.first_bytes().await?);
                let blocks = Rows::blocks(&wanted, &file, Records::json(), is_array).await?;
                let decoder = Decoder::Json(json::Decoder::new(&wanted));
                Ok(Rows {
                    wanted,
                    file,
                    folders,
                    blocks,
                    decoder,
                    is_array,
                    is_cut,
                })
            }
        }
    }

    async fn blocks(wanted: &Wanted, file: &File, records: Records, is_array: bool) -> Result<Blocks> {
        let (range, size) = (file.range(), file.split.size_bytes);
        let compression = wanted.format.compression_of(&file.split.key);
        if is_array {
            // Whoever has its first byte reads all of it.
            let bytes = if range.start == 0 {
                unlisted(file.get(0..size))
            } else {
                stream::empty().boxed()
            };
            return Ok(Blocks::new(bytes, records, Place::default(), None));
        }
        if compression != Compression::None {
            let bytes = unpacked(compression, file.get(0..size))?;
            return Ok(Blocks::new(bytes, records, Place::default(), None));
        }
        // A record begins where the byte before ends a line.
        let start = range.start.saturating_sub(1);
        let place = Place {
            offset: start,
            lines: 0,
        };
        let end = (range.end < size).then_some(range.end);
        let mut blocks = Blocks::new(file.from(start), records, place, end);
        if range.start > 0 {
            blocks.skip_line().await?;
        }
        Ok(blocks)
    }

    /// The names in the file's first line, which is then passed over.
    async fn header(
        file: &File,
        format: &mayfly_protocol::CsvFormat,
        blocks: &mut Blocks,
    ) -> Result<Option<Vec<String>>> {
        if file.range().start > 0 {
            let beginning = file.beginning().await?;
            return Ok(csv::header(&beginning, format).map(|(names, _)| names));
        }
        let Some(block) = blocks.next().await? else {
            return Ok(None);
        };
        let found = csv::header(&block.text, format);
        let end = found.as_ref().map_or(block.text.len(), |(_, end)| *end);
        blocks.put_back(block, end);
        Ok(found.map(|(names, _)| names))
    }

    /// The rows of the next block.
    async fn next(&mut self) -> Result<Option<Vec<RecordBatch>>> {
        let Some(block) = self.blocks.next().await? else {
            return Ok(None);
        };
        let text = match block.place.offset {
            0 => block.text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&block.text),
            _ => &block.text,
        };
        self.check_lines(&block)?;
        let read = self.drawn(text, block.place.offset + (block.text.len() - text.len()) as u64);
        let decoded = match &self.decoder {
            Decoder::Csv(csv) => csv.decode(&read).map_err(|cause| csv.failed(text, block.place, &cause)),
            Decoder::Json(json) => json
                .decode(&read)
                .map_err(|cause| json.failed(text, block.place, &cause)),
        };
        let batches = decoded?.into_iter().map(|batch| self.finished(&batch));
        batches.collect::<Result<Vec<_>>>().map(Some)
    }

    /// The records that are to be read: all, or those of a sample. `offset`: where the text begins in the file, unpacked.
    fn drawn<'a>(&self, text: &'a [u8], offset: u64) -> Cow<'a, [u8]> {
        let Some(sample) = self.wanted.sample else {
            return Cow::Borrowed(text);
        };
        let draw = sample.of_file(&self.file.split);
        let mut records = match &self.wanted.format {
            FileFormat::Csv(format) => Records::csv(csv::marks(format)),
            _ => Records::json(),
        };
        let (mut from, mut drawn) = (0, Vec::new());
        while from < text.len() {
            let end = records.end(&text[from..]).map_or(text.len(), |end| from + end);
            if draw.takes_record(offset + from as u64) {
                drawn.extend_from_slice(&text[from..end]);
            }
            from = end;
        }
        Cow::Owned(drawn)
    }

    /// A file that was cut at line ends must have none within a value.
    fn check_lines(&self, block: &Block) -> Result<()> {
        let FileFormat::Csv(format) = &self.wanted.format else {
            return Ok(());
        };
        let marks = csv::marks(format);
        if !self.is_cut || !block.text.contains(&marks.quote) {
            return Ok(());
        }
        let mut place = block.place;
        for line in block.text.split_inclusive(|byte| *byte == b'\n') {
            let mut records = Records::csv(marks);
            if line.ends_with(b"\n") && records.end(line) != Some(line.len()) && records.is_quoted() {
                let why = "a quoted value holds a line end, and so large a file is read in pieces; \
                           create the table with OPTIONS ('newlines_in_values' 'true')";
                return Err(Failed {
                    place,
                    column: None,
                    why: why.to_owned(),
                }
                .into());
            }
            place = place.behind(line);
        }
        Ok(())
    }

    /// The columns in the order of the scan, those of folders among them.
    fn finished(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let (rows, held) = (batch.num_rows(), self.wanted.held.fields().len());
        let mut read = batch.columns().iter();
        let column = |at: &usize| -> Result<ArrayRef> {
            match at.checked_sub(held) {
                Some(folder) => self.folders[folder].to_array_of_size(rows),
                None => Ok(Arc::clone(read.next().expect("one was read for each that is wanted"))),
            }
        };
        let columns: Vec<ArrayRef> = self.wanted.projection.iter().map(column).collect::<Result<_>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.wanted.schema),
            columns,
            &options,
        )?)
    }
}

/// Of the file's first line.
fn first(why: String) -> DataFusionError {
    let place = Place::default();
    Failed {
        place,
        column: None,
        why,
    }
    .into()
}

fn unlisted(bytes: BoxStream<'static, Result<Bytes>>) -> BoxStream<'static, Result<Bytes>> {
    let mut array = Unlisted::default();
    let mut is_first = true;
    let lines = bytes.map_ok(move |bytes| {
        let text = match std::mem::take(&mut is_first) {
            true => bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes),
            false => &bytes,
        };
        Bytes::from(array.next(text))
    });
    lines.boxed()
}

fn unpacked(
    compression: Compression,
    bytes: BoxStream<'static, Result<Bytes>>,
) -> Result<BoxStream<'static, Result<Bytes>>> {
    let known = match compression {
        Compression::None => FileCompressionType::UNCOMPRESSED,
        Compression::Gzip => FileCompressionType::GZIP,
        Compression::Bzip2 => FileCompressionType::BZIP2,
        Compression::Xz => FileCompressionType::XZ,
        Compression::Zstd => FileCompressionType::ZSTD,
    };
    known.convert_stream(bytes)
}
