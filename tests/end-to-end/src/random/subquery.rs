//! Subqueries in expressions: EXISTS, IN, scalar, correlated or not.

use super::{Column, Kind, Writer, pairs};

impl Writer {
    /// In parentheses.
    pub(super) fn subquery_predicate(&mut self, scope: &[Column], depth: u32) -> String {
        let not = *self.one_of(&["", "", "NOT "]);
        let text = match self.between(0, 99) {
            0..35 => {
                let kind = self.kind(scope);
                let (query, _) = self.select(depth.saturating_sub(1), Some(&[kind]));
                format!("{} {not}IN ({query})", self.value(scope, kind, 1))
            }
            35..75 => {
                let (relation, inner) = self.any_relation();
                let on = self.correlation(&inner, scope);
                format!("{not}EXISTS (SELECT 1 FROM {relation} WHERE {on})")
            }
            _ => {
                let (query, kind) = self.scalar_subquery(scope);
                let operator = *self.one_of(&["=", "<", ">", "<="]);
                format!("{} {operator} {query}", self.value(scope, kind, 1))
            }
        };
        format!("({text})")
    }

    pub(super) fn scalar_subquery(&mut self, scope: &[Column]) -> (String, Kind) {
        let (relation, inner) = self.any_relation();
        let on = self.correlation(&inner, scope);
        let comparable: Vec<Column> = inner.into_iter().filter(|column| column.kind != Kind::Bool).collect();
        let column = self.one_of(&comparable).clone();
        let (call, kind) = match self.between(0, 2) {
            0 => ("count(*)".to_owned(), Kind::Big),
            1 => (format!("min({})", column.name), column.kind),
            _ => (format!("max({})", column.name), column.kind),
        };
        (format!("(SELECT {call} FROM {relation} WHERE {on})"), kind)
    }

    /// What ties rows of a subquery to those around it.
    fn correlation(&mut self, inner: &[Column], outer: &[Column]) -> String {
        let pairs = pairs(inner, outer);
        let mut on = match pairs.is_empty() || self.percent(15) {
            true => "true".to_owned(),
            false => {
                let (inside, outside) = self.one_of(&pairs);
                format!("{inside} = {outside}")
            }
        };
        if self.percent(35) {
            on = format!("{on} AND {}", self.predicate(inner, 1));
        }
        on
    }
}
