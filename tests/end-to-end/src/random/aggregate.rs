//! Aggregate expressions whose value does not depend on the order of rows.

use super::dialect::Words;
use super::{Column, Kind, Writer};

impl Writer {
    /// Of nothing but the rows of its own query: a call over columns from around would be one of the query around.
    pub(super) fn aggregate(&mut self, scope: &[Column]) -> (String, Kind) {
        self.alone(|writer| writer.aggregate_alone(scope))
    }

    fn aggregate_alone(&mut self, scope: &[Column]) -> (String, Kind) {
        let (Call { open, close }, kind) = self.call(scope);
        let filter = match self.percent(20) {
            true => format!(" FILTER (WHERE {})", self.predicate(scope, 1)),
            false => String::new(),
        };
        (format!("{open}{filter}{close}"), kind)
    }

    /// Without its filter.
    fn call(&mut self, scope: &[Column]) -> (Call, Kind) {
        let any = self.kind(scope);
        let (call, kind) = match self.between(0, 11) {
            0 => ("count(*)".to_owned(), Kind::Big),
            1 => (format!("count({})", self.value(scope, any, 1)), Kind::Big),
            2 => (format!("count(DISTINCT {})", self.value(scope, any, 1)), Kind::Big),
            3 => (format!("sum({})", self.value(scope, Kind::Int, 1)), Kind::Big),
            4 => (format!("sum(DISTINCT {})", self.value(scope, Kind::Int, 1)), Kind::Big),
            5 => (format!("min({})", self.value(scope, any, 1)), any),
            6 => (format!("max({})", self.value(scope, any, 1)), any),
            7 => (format!("avg({})", self.value(scope, Kind::Double, 1)), Kind::Double),
            8 => {
                let name = *self.one_of(&["bool_and", "bool_or"]);
                (format!("{name}({})", self.value(scope, Kind::Bool, 1)), Kind::Bool)
            }
            9 => return (self.deviation(scope), Kind::Double),
            10 => return (self.at_one_end(scope, any), any),
            _ => {
                let text = self.leaf(scope, Kind::Text);
                (format!("string_agg({text}, ',' ORDER BY {text})"), Kind::Text)
            }
        };
        let close = String::new();
        (Call { open: call, close }, kind)
    }

    /// Rounded: its last digits depend on how rows were grouped on the way.
    fn deviation(&mut self, scope: &[Column]) -> Call {
        let name = *self.one_of(&["stddev", "var_pop", "var_samp"]);
        let value = self.value(scope, Kind::Int, 1);
        let (open, close) = ("round(CAST(", " AS DECIMAL(30,8)), 4)");
        Call {
            open: format!("CAST({open}{name}({value})"),
            close: format!("{close} AS {})", Kind::Double.sql(self.dialect)),
        }
    }

    /// The first or last value in its own order.
    fn at_one_end(&mut self, scope: &[Column], kind: Kind) -> Call {
        let column = self.leaf(scope, kind);
        let first = Words {
            mayfly: "first_value(",
            duckdb: "first(",
            postgres: "(array_agg(",
        };
        let last = Words {
            mayfly: "last_value(",
            duckdb: "last(",
            postgres: "(array_agg(",
        };
        let is_first = self.percent(50);
        let name = self.say(if is_first { first } else { last });
        let (order, close) = match (self.dialect, is_first) {
            (super::Dialect::Postgres, true) => ("", ")[1]"),
            (super::Dialect::Postgres, false) => (" DESC NULLS FIRST", ")[1]"),
            _ => ("", ""),
        };
        Call {
            open: format!("{name}{column} ORDER BY {column}{order})"),
            close: close.to_owned(),
        }
    }
}

/// What stands before and after a filter.
struct Call {
    open: String,
    close: String,
}
