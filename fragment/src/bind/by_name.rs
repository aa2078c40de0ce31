//! Reads a file by its own columns: found by name (see `mayfly_files::read_as`), cast to the table's types, NULL where it lacks one.
//!
//! DataFusion's adapter does all but names that differ in case; it is shown the file's columns under the table's spelling, and what it
//! makes of them gets the file's own names back, by which statistics are looked up.

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_adapter::{
    DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory,
};
use datafusion::physical_plan::expressions::Column;
use std::sync::Arc;

/// Restates expressions over a table's columns as ones over a file's.
#[derive(Clone, Copy, Debug)]
pub struct ByName;

impl PhysicalExprAdapterFactory for ByName {
    fn create(&self, table: SchemaRef, file: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let places = mayfly_files::read_as(&table, &file).map_err(DataFusionError::Plan)?;
        let mut shown: Vec<Field> = file.fields().iter().map(|field| field.as_ref().clone()).collect();
        for (wanted, place) in table.fields().iter().zip(places) {
            let Some(at) = place else { continue };
            let field = shown[at].clone().with_name(wanted.name());
            // Only what is within a column makes another type of it.
            let is_same = field.data_type() == wanted.data_type();
            shown[at] = if is_same { wanted.as_ref().clone() } else { field };
        }
        let shown = Arc::new(Schema::new_with_metadata(shown, file.metadata().clone()));
        let default = DefaultPhysicalExprAdapterFactory.create(table, shown)?;
        Ok(Arc::new(Respelled { default, file }))
    }
}

#[derive(Debug)]
struct Respelled {
    default: Arc<dyn PhysicalExprAdapter>,
    file: SchemaRef,
}

impl PhysicalExprAdapter for Respelled {
    fn rewrite(&self, expression: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let rewritten = self.default.rewrite(expression)?;
        let respelled = rewritten.transform(|part| {
            let Some(column) = part.downcast_ref::<Column>() else {
                return Ok(Transformed::no(part));
            };
            match self.file.fields().get(column.index()) {
                Some(field) if field.name() != column.name() => Ok(Transformed::yes(Arc::new(Column::new(
                    field.name(),
                    column.index(),
                )) as _)),
                _ => Ok(Transformed::no(part)),
            }
        });
        respelled.data()
    }
}
