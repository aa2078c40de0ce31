//! Subqueries in expressions, wherever a value or a predicate may stand: EXISTS, IN, ANY, ALL, scalar; tied to the query around them, to one
//! further out, or to none.

use super::{Column, Kind, Scope, Writer, pairs};

/// How deep subqueries nest.
const LEVELS_MAX: u32 = 3;

impl Writer {
    /// Whether a subquery shall stand here: in so many of a hundred places, as far as this query's share goes.
    pub(super) fn nests(&mut self, likely: u32) -> bool {
        let wanted = self.percent(likely) && self.level < LEVELS_MAX && self.subqueries > 0;
        if wanted {
            self.subqueries -= 1;
        }
        wanted
    }

    /// Writes a subquery of a place that sees the scope.
    pub(super) fn inside<T>(&mut self, scope: &[Column], write: impl FnOnce(&mut Writer) -> T) -> T {
        let around = self.outer.len();
        // A name without a table might be another's inside.
        let named = scope.iter().filter(|column| column.name.contains('.'));
        self.outer.extend(named.cloned());
        self.level += 1;
        let written = write(self);
        self.level -= 1;
        self.outer.truncate(around);
        written
    }

    /// Writes what does not look out of its own query.
    pub(super) fn alone<T>(&mut self, write: impl FnOnce(&mut Writer) -> T) -> T {
        let outer = std::mem::take(&mut self.outer);
        let written = write(self);
        self.outer = outer;
        written
    }

    /// In parentheses.
    pub(super) fn subquery_predicate(&mut self, scope: &[Column]) -> String {
        let not = *self.one_of(&["", "", "NOT "]);
        let kind = self.kind_to_compare(scope);
        let text = match self.between(0, 99) {
            0..30 => {
                let value = self.leaf(scope, kind);
                format!("{value} {not}IN ({})", self.inner_rows(scope, kind))
            }
            30..45 => {
                let value = self.leaf(scope, kind);
                let operator = *self.one_of(&["=", "<>", "<", ">", "<=", ">="]);
                let all = *self.one_of(&["ANY", "ALL"]);
                format!("{not}({value} {operator} {all} ({}))", self.inner_rows(scope, kind))
            }
            45..80 => format!("{not}EXISTS ({})", self.existing(scope)),
            _ => {
                let operator = *self.one_of(&["=", "<", ">", "<="]);
                let value = self.leaf(scope, kind);
                format!("{value} {operator} {}", self.scalar_subquery(scope, kind))
            }
        };
        format!("({text})")
    }

    /// Any number of rows of one column.
    fn inner_rows(&mut self, scope: &[Column], kind: Kind) -> String {
        self.inside(scope, |writer| match writer.percent(25) {
            true => {
                let (query, columns) = writer.select(0, Some(&[kind]));
                writer.limited(query, columns.len())
            }
            false => writer.select(0, Some(&[kind])).0,
        })
    }

    fn existing(&mut self, scope: &[Column]) -> String {
        self.inside(scope, |writer| {
            let (from, condition, inner) = writer.tied();
            let list = *writer.one_of(&["1", "*", "1", "count(*)"]);
            let mut query = format!("SELECT {list} FROM {from}{condition}");
            if list == "1" && writer.percent(25) {
                let key = writer.one_of(&inner).name.clone();
                query = format!("{query} GROUP BY {key} HAVING count(*) > 1");
            } else if writer.percent(20) {
                query = format!("{query} OFFSET 1");
            }
            query
        })
    }

    /// One row at most, in parentheses.
    pub(super) fn scalar_subquery(&mut self, scope: &[Column], kind: Kind) -> String {
        self.inside(scope, |writer| {
            let (from, condition, inner) = writer.tied();
            let query = match writer.between(0, 2) {
                0 => {
                    let value = writer.value(&inner, kind, 1);
                    let order = writer.order_key("1");
                    let offset = *writer.one_of(&["", "", " OFFSET 1"]);
                    format!("SELECT {value} FROM {from}{condition} ORDER BY {order} LIMIT 1{offset}")
                }
                1 if kind == Kind::Big => format!("SELECT count(*) FROM {from}{condition}"),
                _ => {
                    let name = *writer.one_of(&["min", "max"]);
                    let value = writer.alone(|writer| writer.value(&inner, kind, 1));
                    format!("SELECT {name}({value}) FROM {from}{condition}")
                }
            };
            format!("({query})")
        })
    }

    /// FROM and WHERE of a subquery, and what it sees.
    fn tied(&mut self) -> (String, String, Scope) {
        let from = self.from(0);
        let condition = self.condition(&from, 0);
        (from.text, condition, from.scope)
    }

    /// What ties rows of a subquery to those around it, at whichever distance.
    pub(super) fn correlation(&mut self, inner: &[Column]) -> Option<String> {
        let pairs = pairs(inner, &self.outer);
        if pairs.is_empty() || self.percent(25) {
            return None;
        }
        let (inside, outside) = self.one_of(&pairs).clone();
        let operator = *self.one_of(&["=", "=", "=", "=", "<", "<>", "IS NOT DISTINCT FROM"]);
        let inside = match operator {
            "=" if self.percent(20) => format!("COALESCE({inside}, {outside})"),
            _ => inside,
        };
        Some(format!("({inside} {operator} {outside})"))
    }
}
