//! Recursive queries to and from their messages. DataFusion has none for them, and keeps to itself which columns of the last
//! iteration a work table reads: they are found again by name.

use super::nodes::{schema_from_wire, schema_to_wire};
use super::wire;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err, not_impl_err};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::work_table::WorkTableExec;
use std::collections::BTreeSet;
use std::sync::Arc;

pub fn encode_query(query: &RecursiveQueryExec) -> Result<wire::RecursiveQuery> {
    let schema = query.schema();
    let names: BTreeSet<&String> = schema.fields().iter().map(|field| field.name()).collect();
    if names.len() < schema.fields().len() {
        return not_impl_err!("two columns of the recursive query {} have one name", query.name());
    }
    Ok(wire::RecursiveQuery {
        name: query.name().to_owned(),
        schema: Some(schema_to_wire(&schema)?),
        distinct: query.is_distinct(),
    })
}

pub fn encode_work_table(table: &WorkTableExec) -> Result<wire::WorkTable> {
    Ok(wire::WorkTable {
        name: table.name().to_owned(),
        schema: Some(schema_to_wire(&table.schema())?),
    })
}

pub fn decode_query(
    query: wire::RecursiveQuery,
    static_term: &Arc<dyn ExecutionPlan>,
    recursive_term: &Arc<dyn ExecutionPlan>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = schema_from_wire(query.schema)?;
    let recursive_term = with_columns(Arc::clone(recursive_term), &query.name, &schema)?;
    let (name, static_term) = (query.name, Arc::clone(static_term));
    let built = RecursiveQueryExec::try_new(name, schema, static_term, recursive_term, query.distinct)?;
    Ok(Arc::new(built))
}

pub fn decode_work_table(table: wire::WorkTable) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = schema_from_wire(table.schema)?;
    Ok(Arc::new(WorkTableExec::new(table.name, schema, None)?))
}

/// Tells the query's work table which of the query's columns it reads. A query of the same name inside has its own.
fn with_columns(plan: Arc<dyn ExecutionPlan>, name: &str, schema: &SchemaRef) -> Result<Arc<dyn ExecutionPlan>> {
    let with_columns = plan.transform_down(|node| {
        if let Some(inner) = node.downcast_ref::<RecursiveQueryExec>()
            && inner.name() == name
        {
            return Ok(Transformed::new(node, false, TreeNodeRecursion::Jump));
        }
        match node.downcast_ref::<WorkTableExec>() {
            Some(table) if table.name() == name => {
                let columns = columns(&table.schema(), schema)?;
                let table = WorkTableExec::new(name.to_owned(), Arc::clone(schema), Some(columns))?;
                Ok(Transformed::yes(Arc::new(table) as _))
            }
            _ => Ok(Transformed::no(node)),
        }
    })?;
    Ok(with_columns.data)
}

fn columns(read: &SchemaRef, schema: &SchemaRef) -> Result<Vec<usize>> {
    let at = |name: &String| match schema.index_of(name) {
        Ok(at) => Ok(at),
        Err(_) => internal_err!("a recursive query has no column {name}"),
    };
    read.fields().iter().map(|field| at(field.name())).collect()
}
