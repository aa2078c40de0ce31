//! A planned scan of text over a task's splits becomes DataFusion's own scan of CSV or JSON, whose errors name the file.

use super::reader::{ScanMeter, SplitError};
use datafusion::common::config::CsvOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::physical_plan::{CsvSource, FileSource, JsonSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::{StreamExt, TryStreamExt};
use mayfly_protocol::{Compression, CsvFormat, FileFormat};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The reader of the format; none for Parquet, which has its own.
pub fn source(format: &FileFormat, schema: TableSchema) -> Option<Arc<dyn FileSource>> {
    match format {
        FileFormat::Parquet => None,
        FileFormat::Csv(csv) => Some(Arc::new(CsvSource::new(schema).with_csv_options(csv_options(csv)))),
        FileFormat::Json(_) => Some(Arc::new(JsonSource::new(schema))),
    }
}

/// The catalog lets only ASCII through.
fn csv_options(csv: &CsvFormat) -> CsvOptions {
    CsvOptions {
        has_header: Some(csv.has_header),
        delimiter: csv.delimiter as u8,
        quote: csv.quote as u8,
        escape: csv.escape.map(|escape| escape as u8),
        comment: csv.comment.map(|comment| comment as u8),
        newlines_in_values: Some(csv.newlines_in_values),
        ..CsvOptions::default()
    }
}

pub fn compression(compression: Compression) -> FileCompressionType {
    match compression {
        Compression::None => FileCompressionType::UNCOMPRESSED,
        Compression::Gzip => FileCompressionType::GZIP,
        Compression::Bzip2 => FileCompressionType::BZIP2,
        Compression::Xz => FileCompressionType::XZ,
        Compression::Zstd => FileCompressionType::ZSTD,
    }
}

/// A scan of text: what goes wrong in it is its files' fault. One scan for each compression of its files; a partition reads its files of
/// the first, then those of the next.
#[derive(Debug)]
pub struct TextScanExec {
    pub scans: Vec<Arc<dyn ExecutionPlan>>,
    pub meter: Arc<ScanMeter>,
}

impl DisplayAs for TextScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextScanExec")
    }
}

impl ExecutionPlan for TextScanExec {
    fn name(&self) -> &'static str {
        "TextScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.scans[0].properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.scans.iter().collect()
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.len() != self.scans.len() {
            return internal_err!("TextScanExec keeps its {} scans", self.scans.len());
        }
        let meter = Arc::clone(&self.meter);
        Ok(Arc::new(TextScanExec { scans: children, meter }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (schema, meter) = (self.schema(), Arc::clone(&self.meter));
        let scans = futures::stream::iter(self.scans.clone());
        let batches = scans
            .map(move |scan| scan.execute(partition, Arc::clone(&context)))
            .try_flatten();
        let blamed = batches.map(move |batch| batch.map_err(|cause| blame(cause, &meter)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, blamed)))
    }
}

/// Errors of the store and of memory are what they are; all others are the text's.
fn blame(cause: DataFusionError, meter: &ScanMeter) -> DataFusionError {
    let first: &(dyn Error + 'static) = &cause;
    let mut layers = std::iter::successors(Some(first), |error: &&(dyn Error + 'static)| (*error).source());
    let known = layers.any(|layer| {
        layer.is::<SplitError>()
            || matches!(
                layer.downcast_ref::<DataFusionError>(),
                Some(DataFusionError::ResourcesExhausted(_))
            )
    });
    if known {
        return cause;
    }
    DataFusionError::External(Box::new(SplitError::BadText {
        files: meter.open_files(),
        cause: Box::new(cause),
    }))
}
