//! Functions of lists and maps whose answers are others in Trino than in DataFusion, under DataFusion's names: `array_remove` removes each
//! equal element, `array_position` is 0 where there is none, `array_sort` has NULLs last, `reverse` and `concat_ws` take lists,
//! `element_at` is a value. Each calls functions of DataFusion's. Left out: Trino's functions that DataFusion has no name for.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::nullif;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, UInt64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::functions::string::concat_ws;
use datafusion::functions::unicode::reverse;
use datafusion::functions_nested::extract::array_element_udf;
use datafusion::functions_nested::map_extract::map_extract_udf;
use datafusion::functions_nested::position::array_position_udf;
use datafusion::functions_nested::remove::array_remove_all_udf;
use datafusion::functions_nested::reverse::array_reverse_udf;
use datafusion::functions_nested::sort::array_sort_udf;
use datafusion::functions_nested::string::array_to_string_udf;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Remove,
    Position,
    Sort,
    Reverse,
    ConcatWs,
    ElementAt,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OfList {
    kind: Kind,
    signature: Signature,
}

pub fn all() -> Vec<Arc<ScalarUDF>> {
    use Kind as K;
    let function = |kind| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(OfList { kind, signature }))
    };
    [K::Remove, K::Position, K::Sort, K::Reverse, K::ConcatWs, K::ElementAt]
        .map(function)
        .into()
}

fn is_list(data_type: Option<&DataType>) -> bool {
    use DataType as T;
    matches!(data_type, Some(T::List(_) | T::LargeList(_) | T::FixedSizeList(..)))
}

impl OfList {
    /// DataFusion's function that computes it.
    fn inner(&self, types: &[DataType]) -> Arc<ScalarUDF> {
        match self.kind {
            Kind::Remove => array_remove_all_udf(),
            Kind::Position => array_position_udf(),
            Kind::Sort => array_sort_udf(),
            Kind::Reverse if is_list(types.first()) => array_reverse_udf(),
            Kind::Reverse => reverse(),
            Kind::ConcatWs if self.joins_list(types) => array_to_string_udf(),
            Kind::ConcatWs => concat_ws(),
            Kind::ElementAt if is_list(types.first()) => array_element_udf(),
            Kind::ElementAt => map_extract_udf(),
        }
    }

    fn joins_list(&self, types: &[DataType]) -> bool {
        self.kind == Kind::ConcatWs && types.len() == 2 && is_list(types.get(1))
    }

    fn is_of_map(&self, types: &[DataType]) -> bool {
        self.kind == Kind::ElementAt && matches!(types.first(), Some(DataType::Map(..)))
    }

    /// In the order of DataFusion's function.
    fn ordered<T>(&self, types: &[DataType], mut args: Vec<T>) -> Vec<T> {
        if self.joins_list(types) {
            args.swap(0, 1);
        }
        args
    }

    fn call(&self, inner: &Arc<ScalarUDF>, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types = types(&args.arg_fields);
        args.args = self.ordered(&types, args.args);
        args.arg_fields = self.ordered(&types, args.arg_fields);
        if self.kind == Kind::Sort && args.args.len() == 1 {
            for word in ["ASC", "NULLS LAST"] {
                let word = ScalarValue::from(word);
                args.arg_fields
                    .push(Arc::new(Field::new("word", word.data_type(), false)));
                args.args.push(ColumnarValue::Scalar(word));
            }
        }
        call(inner, args)
    }
}

impl ScalarUDFImpl for OfList {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Remove => "array_remove",
            Kind::Position => "array_position",
            Kind::Sort => "array_sort",
            Kind::Reverse => "reverse",
            Kind::ConcatWs => "concat_ws",
            Kind::ElementAt => "element_at",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let field = |data_type: &DataType| Arc::new(Field::new("argument", data_type.clone(), true));
        let fields: Vec<FieldRef> = types.iter().map(field).collect();
        let inner = self.inner(types);
        let coerced = fields_with_udf(&self.ordered(types, fields), inner.as_ref())?;
        let coerced = coerced.iter().map(|field| field.data_type().clone()).collect();
        Ok(self.ordered(types, coerced))
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match (self.kind, types.first()) {
            (Kind::Position, _) => Ok(DataType::Int64),
            (Kind::Remove, Some(list)) => Ok(list.clone()),
            (Kind::ElementAt, Some(DataType::List(element) | DataType::LargeList(element))) => {
                Ok(element.data_type().clone())
            }
            (Kind::ElementAt, Some(DataType::FixedSizeList(element, _))) => Ok(element.data_type().clone()),
            (Kind::ElementAt, Some(DataType::Map(entries, _))) => match entries.data_type() {
                DataType::Struct(pair) if pair.len() == 2 => Ok(pair[1].data_type().clone()),
                other => plan_err!("a map of {other}"),
            },
            _ => self.inner(types).return_type(&self.ordered(types, types.to_vec())),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let data_type = self.return_type(&types(args.arg_fields))?;
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let types = types(&args.arg_fields);
        let (given, rows) = (args.args.clone(), args.number_rows);
        let config = Arc::clone(&args.config_options);
        let found = self.call(&self.inner(&types), args)?;
        match self.kind {
            Kind::Remove => where_no_null(&given, &found.to_array(rows)?),
            Kind::Position => where_no_null(&given, &or_zero(&found.to_array(rows)?)),
            Kind::ElementAt if self.is_of_map(&types) => {
                let list = Field::new("list", found.data_type(), true);
                let first = ColumnarValue::Scalar(ScalarValue::Int64(Some(1)));
                call(
                    &array_element_udf(),
                    ScalarFunctionArgs {
                        args: vec![found, first],
                        arg_fields: vec![Arc::new(list), Arc::new(Field::new("index", DataType::Int64, false))],
                        number_rows: rows,
                        return_field: Arc::new(Field::new("value", DataType::Null, true)),
                        config_options: config,
                    },
                )
            }
            _ => Ok(found),
        }
    }
}

fn types(fields: &[FieldRef]) -> Vec<DataType> {
    fields.iter().map(|field| field.data_type().clone()).collect()
}

/// With the return field that the function itself gives.
fn call(function: &ScalarUDF, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
    let scalars: Vec<Option<&ScalarValue>> = args
        .args
        .iter()
        .map(|arg| match arg {
            ColumnarValue::Scalar(scalar) => Some(scalar),
            ColumnarValue::Array(_) => None,
        })
        .collect();
    let return_field = function.return_field_from_args(ReturnFieldArgs {
        arg_fields: &args.arg_fields,
        scalar_arguments: &scalars,
    })?;
    function.invoke_with_args(ScalarFunctionArgs { return_field, ..args })
}

/// Positions, 0 where there is none.
fn or_zero(positions: &ArrayRef) -> ArrayRef {
    let positions = positions.as_primitive::<UInt64Type>().iter();
    let positions = positions.map(|position| i64::try_from(position.unwrap_or_default()).ok());
    Arc::new(positions.collect::<Int64Array>())
}

/// NULL where an argument is.
fn where_no_null(args: &[ColumnarValue], computed: &ArrayRef) -> Result<ColumnarValue> {
    let rows = computed.len();
    let mut nulls = None;
    for arg in args {
        nulls = NullBuffer::union(nulls.as_ref(), arg.to_array(rows)?.logical_nulls().as_ref());
    }
    let Some(nulls) = nulls else {
        return Ok(ColumnarValue::Array(Arc::clone(computed)));
    };
    let is_null = BooleanArray::new(!nulls.inner(), None);
    Ok(ColumnarValue::Array(nullif(computed, &is_null)?))
}
