//! Lists of every layout, as JSON arrays.

use super::{Cell, cell};
use crate::types::Precision;
use arrow::array::{Array, ArrayRef, AsArray, GenericListArray, GenericListViewArray, OffsetSizeTrait};
use arrow::datatypes::{DataType, Field};
use mayfly_protocol::QueryError;
use std::ops::Range;

pub fn list(item: &Field, array: &ArrayRef, precision: Precision) -> Result<Cell, QueryError> {
    match array.data_type() {
        DataType::LargeList(_) => offsets(item, array.as_list::<i64>().clone(), precision),
        DataType::ListView(_) => views(item, array.as_list_view::<i32>().clone(), precision),
        DataType::LargeListView(_) => views(item, array.as_list_view::<i64>().clone(), precision),
        DataType::FixedSizeList(..) => {
            let array = array.as_fixed_size_list().clone();
            let write = cell(item, array.values(), precision)?;
            let length = usize::try_from(array.value_length()).unwrap_or(0);
            Ok(Box::new(move |row, out| {
                write_items(out, &write, row * length..(row + 1) * length)
            }))
        }
        _ => offsets(item, array.as_list::<i32>().clone(), precision),
    }
}

fn offsets<O: OffsetSizeTrait>(
    item: &Field,
    array: GenericListArray<O>,
    precision: Precision,
) -> Result<Cell, QueryError> {
    let write = cell(item, array.values(), precision)?;
    let offsets = array.offsets().clone();
    Ok(Box::new(move |row, out| {
        write_items(out, &write, offsets[row].as_usize()..offsets[row + 1].as_usize())
    }))
}

fn views<O: OffsetSizeTrait>(
    item: &Field,
    array: GenericListViewArray<O>,
    precision: Precision,
) -> Result<Cell, QueryError> {
    let write = cell(item, array.values(), precision)?;
    Ok(Box::new(move |row, out| {
        let start = array.value_offset(row).as_usize();
        write_items(out, &write, start..start + array.value_size(row).as_usize());
    }))
}

fn write_items(out: &mut Vec<u8>, write: &Cell, items: Range<usize>) {
    out.push(b'[');
    for item in items.clone() {
        if item > items.start {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}
