//! Aggregate expressions whose value does not depend on the order of rows.

use super::{Column, Kind, Writer};

impl Writer {
    pub(super) fn aggregate(&mut self, scope: &[Column]) -> (String, Kind) {
        let (call, kind) = self.call(scope);
        let filter = match self.percent(20) {
            true => format!(" FILTER (WHERE {})", self.predicate(scope, 1)),
            false => String::new(),
        };
        // A deviation's last digits depend on how rows were grouped on the way.
        match call.strip_prefix("round ") {
            Some(call) => (format!("round({call}{filter}, 6)"), kind),
            None => (format!("{call}{filter}"), kind),
        }
    }

    /// Without its filter.
    fn call(&mut self, scope: &[Column]) -> (String, Kind) {
        let any = self.kind(scope);
        let column = self.leaf(scope, any);
        match self.between(0, 12) {
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
            9 => {
                let name = *self.one_of(&["stddev", "var_pop", "var_samp"]);
                let call = format!("round {name}({})", self.value(scope, Kind::Int, 1));
                (call, Kind::Double)
            }
            10 => {
                let name = *self.one_of(&["first_value", "last_value"]);
                (format!("{name}({column} ORDER BY {column})"), any)
            }
            11 => {
                let text = self.leaf(scope, Kind::Text);
                (format!("string_agg({text}, ',' ORDER BY {text})"), Kind::Text)
            }
            _ => (format!("median({})", self.leaf(scope, Kind::Int)), Kind::Int),
        }
    }
}
