//! Which files a scan's predicate leaves by the values of their folders alone. Exact: the conditions are evaluated, not estimated.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_plan::expressions::Column;
use mayfly_catalog::Table;
use mayfly_fragment::SplitScanExec;
use std::sync::Arc;

/// Which files stay, by their places in the table.
pub(super) struct Kept(Option<Vec<bool>>);

impl Kept {
    pub(super) fn keeps(&self, file: usize) -> bool {
        self.0.as_ref().is_none_or(|kept| kept[file])
    }
}

pub(super) fn kept(scan: &SplitScanExec, table: &Table) -> Kept {
    let held = table.schema.fields().len() - table.partition_columns;
    let Some(predicate) = scan.predicate.as_ref().filter(|_| table.partition_columns > 0) else {
        return Kept(None);
    };
    let mut kept = vec![true; table.files.len()];
    for condition in split_conjunction(predicate) {
        let columns = collect_columns(condition);
        if columns.iter().any(|column| column.index() < held) {
            continue;
        }
        // What cannot be evaluated here is left to the filter above the scan.
        if let Ok(passes) = evaluated(condition, &table.partitions, held) {
            let passing = passes.iter().map(|passes| passes == Some(true));
            kept.iter_mut().zip(passing).for_each(|(kept, passes)| *kept &= passes);
        }
    }
    Kept(Some(kept))
}

/// The condition for each file's folders.
fn evaluated(condition: &Arc<dyn PhysicalExpr>, folders: &RecordBatch, held: usize) -> Result<BooleanArray> {
    let over_folders = Arc::clone(condition).transform(|expression| match expression.downcast_ref::<Column>() {
        Some(column) => {
            let at = column.index() - held;
            Ok(Transformed::yes(
                Arc::new(Column::new(folders.schema().field(at).name(), at)) as _,
            ))
        }
        None => Ok(Transformed::no(expression)),
    });
    let passes = over_folders.data()?.evaluate(folders)?.into_array(folders.num_rows())?;
    match passes.as_boolean_opt() {
        Some(passes) => Ok(passes.clone()),
        None => datafusion::common::internal_err!("a condition yields {}", passes.data_type()),
    }
}
