//! How many bytes rows take once written out: of a slice its own, not its parent's. An estimate, for bounds; never for answers.

use arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait, RecordBatch};
use arrow::datatypes::{ByteArrayType, DataType};

/// Counted for a batch in any case: a thousand empty ones are not free.
const BATCH_BYTES: usize = 256;

pub(super) fn batch_bytes(batch: &RecordBatch) -> usize {
    BATCH_BYTES + batch.columns().iter().map(array_bytes).sum::<usize>()
}

fn array_bytes(array: &ArrayRef) -> usize {
    let rows = array.len();
    let values = match array.data_type() {
        DataType::Null => 0,
        DataType::Boolean => rows.div_ceil(8),
        DataType::Utf8 => text_bytes(array.as_string::<i32>()),
        DataType::LargeUtf8 => text_bytes(array.as_string::<i64>()),
        DataType::Binary => text_bytes(array.as_binary::<i32>()),
        DataType::LargeBinary => text_bytes(array.as_binary::<i64>()),
        DataType::Utf8View => {
            rows * 4
                + array
                    .as_string_view()
                    .lengths()
                    .map(|length| length as usize)
                    .sum::<usize>()
        }
        DataType::BinaryView => {
            rows * 4
                + array
                    .as_binary_view()
                    .lengths()
                    .map(|length| length as usize)
                    .sum::<usize>()
        }
        DataType::List(_) => list_bytes(array.as_list::<i32>()),
        DataType::LargeList(_) => list_bytes(array.as_list::<i64>()),
        DataType::FixedSizeList(_, size) => {
            let list = array.as_fixed_size_list();
            let start = list.value_offset(0) as usize;
            array_bytes(&list.values().slice(start, rows * *size as usize))
        }
        DataType::Struct(_) => array.as_struct().columns().iter().map(array_bytes).sum(),
        DataType::Map(..) => {
            let map = array.as_map();
            let (start, end) = (map.value_offsets()[0] as usize, map.value_offsets()[rows] as usize);
            let entries: ArrayRef = std::sync::Arc::new(map.entries().slice(start, end - start));
            rows * 4 + array_bytes(&entries)
        }
        DataType::Dictionary(..) => dictionary_bytes(array),
        other => match other.primitive_width() {
            Some(width) => rows * width,
            None => array.to_data().get_slice_memory_size().unwrap_or(0),
        },
    };
    values + if array.nulls().is_some() { rows.div_ceil(8) } else { 0 }
}

fn text_bytes<T: ByteArrayType>(array: &arrow::array::GenericByteArray<T>) -> usize {
    use arrow::datatypes::ArrowNativeType;
    let offsets = array.value_offsets();
    let bytes = offsets[array.len()].as_usize() - offsets[0].as_usize();
    bytes + size_of::<T::Offset>() * array.len()
}

fn list_bytes<O: OffsetSizeTrait>(list: &arrow::array::GenericListArray<O>) -> usize {
    let offsets = list.value_offsets();
    let (start, end) = (offsets[0].as_usize(), offsets[list.len()].as_usize());
    size_of::<O>() * list.len() + array_bytes(&list.values().slice(start, end - start))
}

/// Written out, each row takes what a value takes on average.
fn dictionary_bytes(array: &ArrayRef) -> usize {
    let values = array.as_any_dictionary().values();
    array_bytes(values).div_ceil(values.len().max(1)) * array.len()
}
