//! Types of SQL that DataFusion gives another meaning: a timestamp without precision has microseconds, which reach from year 1 to 9999
//! and beyond where nanoseconds end in 2262, and one with a zone always has one.

use datafusion::arrow::datatypes::{DataType, FieldRef, TimeUnit};
use datafusion::common::Result;
use datafusion::common::datatype::DataTypeExt;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{DataType as SqlType, TimezoneInfo};

/// `zone` is the session's.
#[derive(Debug)]
pub(super) struct Types {
    pub zone: String,
}

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        let SqlType::Timestamp(precision, zone) = sql_type else {
            return Ok(None);
        };
        let unit = match precision {
            Some(0) => TimeUnit::Second,
            Some(3) => TimeUnit::Millisecond,
            None | Some(6) => TimeUnit::Microsecond,
            Some(9) => TimeUnit::Nanosecond,
            Some(_) => return Ok(None),
        };
        let zone = match zone {
            TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => Some(self.zone.as_str().into()),
            TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => None,
        };
        Ok(Some(DataType::Timestamp(unit, zone).into_nullable_field_ref()))
    }
}
