//! Whole queries: SELECT in its forms, set operations, common table expressions, order and limit.

use super::join::From;
use super::{Column, Dialect, Kind, Relation, Scope, Writer};

const SET_OPERATORS: [&str; 6] = [
    "UNION",
    "UNION ALL",
    "INTERSECT",
    "EXCEPT",
    "INTERSECT ALL",
    "EXCEPT ALL",
];

/// What a SELECT makes of its rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Distinct,
    Windows,
    Grouped,
    /// One row.
    Aggregated,
}

impl Writer {
    /// The outermost query.
    pub(super) fn statement(&mut self, depth: u32) -> String {
        let (query, columns) = match self.percent(8) {
            true => self.everything(depth),
            false => self.unordered(depth),
        };
        match self.between(0, 99) {
            0..10 => self.ordered_by_subquery(&query, columns),
            10..50 => self.limited(query, columns.len()),
            _ => query,
        }
    }

    pub(super) fn query(&mut self, depth: u32) -> (String, Scope) {
        let (query, columns) = self.unordered(depth);
        match self.percent(20) {
            true => (self.limited(query, columns.len()), columns),
            false => (query, columns),
        }
    }

    /// By every column: else a limit would leave open which rows it means.
    pub(super) fn limited(&mut self, query: String, columns: usize) -> String {
        let mut query = format!("{query}{}", self.order_by_places(columns));
        if self.percent(70) {
            query = format!("{query} LIMIT {}", self.one_of(&[0, 1, 3, 10, 50]));
        }
        if self.percent(25) {
            query = format!("{query} OFFSET {}", self.one_of(&[0, 1, 5]));
        }
        query
    }

    fn ordered_by_subquery(&mut self, query: &str, columns: Scope) -> String {
        let names: Vec<String> = (0..columns.len()).map(|_| self.name()).collect();
        let alias = self.name();
        let renamed = names.iter().zip(&columns).map(|(name, column)| Column {
            name: format!("{alias}.{name}"),
            kind: column.kind,
        });
        let scope: Scope = renamed.collect();
        let first = self.scalar_subquery(&scope, Kind::Big);
        let first = self.order_key(&first);
        let rest = self.order_by_all(&scope).replacen(" ORDER BY ", "", 1);
        let limit = self.one_of(&[1, 3, 10]);
        let names = names.join(", ");
        format!("SELECT * FROM ({query}) AS {alias}({names}) ORDER BY {first}, {rest} LIMIT {limit}")
    }

    /// All columns of a FROM, in its order.
    fn everything(&mut self, depth: u32) -> (String, Scope) {
        let from = self.from(depth);
        let condition = self.condition(&from, depth);
        let names: Vec<&str> = from.scope.iter().map(|column| column.name.as_str()).collect();
        // Merged columns come first in the standard; DuckDB leaves them where the left side has them.
        let list = match self.dialect {
            Dialect::DuckDb => names.join(", "),
            Dialect::Mayfly | Dialect::Postgres => "*".to_owned(),
        };
        (format!("SELECT {list} FROM {}{condition}", from.text), from.scope)
    }

    fn unordered(&mut self, depth: u32) -> (String, Scope) {
        match self.between(0, 99) {
            0..14 if depth > 0 => self.set_operation(depth - 1),
            14..22 if depth > 0 => self.common_table(depth - 1),
            _ => self.select(depth, None),
        }
    }

    fn set_operation(&mut self, depth: u32) -> (String, Scope) {
        let (left, columns) = self.select(depth, None);
        let kinds: Vec<Kind> = columns.iter().map(|column| column.kind).collect();
        let right = self.operand(depth, &kinds);
        let mut query = format!("{left} {} {right}", self.set_operator());
        if self.percent(25) {
            let third = self.operand(depth, &kinds);
            query = format!("({query}) {} {third}", self.set_operator());
        }
        (query, columns)
    }

    fn set_operator(&mut self) -> &'static str {
        let operator: &&str = self.one_of(&SET_OPERATORS);
        operator
    }

    fn operand(&mut self, depth: u32, kinds: &[Kind]) -> String {
        let (query, columns) = self.select(depth, Some(kinds));
        match self.percent(15) {
            true => format!("({})", self.limited(query, columns.len())),
            false => query,
        }
    }

    /// A common table expression and a query that may read it, also more than once.
    fn common_table(&mut self, depth: u32) -> (String, Scope) {
        let (inner, columns) = self.alone(|writer| writer.query(depth));
        let (name, around_all) = (self.name(), self.name());
        let relation = Relation {
            name: name.clone(),
            columns,
        };
        let around = std::mem::replace(&mut self.tables, vec![relation]);
        let small = around.iter().find(|table| table.name == "v").cloned();
        self.tables.extend(small);
        let (query, columns) = self.select(depth.max(1), None);
        self.tables = around;
        let query = format!("SELECT * FROM (WITH {name} AS ({inner}) {query}) AS {around_all}");
        (query, columns)
    }

    /// Without order. `kinds`: of its columns, if they are given.
    pub(super) fn select(&mut self, depth: u32, kinds: Option<&[Kind]>) -> (String, Scope) {
        let from = self.from(depth);
        let condition = self.condition(&from, depth);
        let From { text: from, scope, .. } = from;
        let form = match kinds {
            Some(_) => *self.one_of(&[Form::Plain, Form::Plain, Form::Distinct]),
            None => *self.one_of(&[
                Form::Plain,
                Form::Plain,
                Form::Distinct,
                Form::Windows,
                Form::Windows,
                Form::Grouped,
                Form::Grouped,
                Form::Grouped,
                Form::Aggregated,
            ]),
        };
        let mut items = Items::default();
        let mut tail = String::new();
        match form {
            Form::Grouped => tail = self.grouped(&scope, &mut items),
            Form::Aggregated => self.aggregates(&scope, &mut items),
            Form::Plain | Form::Distinct | Form::Windows => self.values_of(&scope, kinds, &mut items),
        }
        if form == Form::Windows {
            for _ in 0..self.between(1, 2) {
                let window = self.window(&scope);
                items.push(self.name(), window);
            }
        } else if form == Form::Plain && kinds.is_none() && depth > 0 && self.nests(20) {
            let kind = self.kind_to_compare(&scope);
            let value = self.scalar_subquery(&scope, kind);
            items.push(self.name(), (value, kind));
        }
        let distinct = if form == Form::Distinct { "DISTINCT " } else { "" };
        let list = items.texts.join(", ");
        (
            format!("SELECT {distinct}{list} FROM {from}{condition}{tail}"),
            items.columns,
        )
    }

    pub(super) fn condition(&mut self, from: &From, depth: u32) -> String {
        let scope = &from.scope;
        let mut parts: Vec<String> = from.condition.iter().cloned().collect();
        parts.extend(self.correlation(scope));
        if self.percent(50) {
            parts.push(self.predicate(scope, 2));
        }
        if depth > 0 && self.nests(35) {
            parts.push(self.subquery_predicate(scope));
        }
        if depth > 0 && self.nests(15) {
            let either = self.subquery_predicate(scope);
            parts.push(format!("({either} OR {})", self.predicate(scope, 1)));
        }
        match parts.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", parts.join(" AND ")),
        }
    }

    fn values_of(&mut self, scope: &[Column], kinds: Option<&[Kind]>, items: &mut Items) {
        let kinds = match kinds {
            Some(kinds) => kinds.to_vec(),
            None => (0..self.between(1, 4)).map(|_| self.kind(scope)).collect(),
        };
        for kind in kinds {
            let value = self.value(scope, kind, 2);
            items.push(self.name(), (value, kind));
        }
    }

    fn aggregates(&mut self, scope: &[Column], items: &mut Items) {
        for _ in 0..self.between(1, 3) {
            let aggregate = self.aggregate(scope);
            items.push(self.name(), aggregate);
        }
    }

    /// Keys and aggregates into the list; what comes after WHERE as the result.
    fn grouped(&mut self, scope: &[Column], items: &mut Items) -> String {
        let (mut keys, mut columns) = (Vec::new(), Vec::new());
        for _ in 0..self.between(1, 3) {
            let column = self.one_of(scope).clone();
            // A key is a column, or made of one: a literal would be taken for a place in the list.
            let key = match self.percent(25) {
                true => format!("COALESCE({}, {})", column.name, self.key_value(scope, column.kind)),
                false => column.name.clone(),
            };
            if !keys.contains(&key) {
                items.push(self.name(), (key.clone(), column.kind));
                columns.extend((key == column.name).then_some(column));
                keys.push(key);
            }
        }
        self.aggregates(scope, items);
        let list = keys.join(", ");
        let groups = match self.between(0, 9) {
            0 => format!("ROLLUP({list})"),
            1 => format!("CUBE({list})"),
            2 => format!("GROUPING SETS (({list}), ({}), ())", keys[0]),
            _ => list,
        };
        format!(" GROUP BY {groups}{}", self.having(scope, &columns))
    }

    /// Without subqueries, and without columns from around.
    fn key_value(&mut self, scope: &[Column], kind: Kind) -> String {
        let subqueries = std::mem::take(&mut self.subqueries);
        let value = self.alone(|writer| writer.value(scope, kind, 1));
        self.subqueries = subqueries;
        value
    }

    /// `keys`: what a subquery may see here.
    fn having(&mut self, scope: &[Column], keys: &[Column]) -> String {
        if !self.percent(25) {
            return String::new();
        }
        let (aggregate, _) = self.aggregate(scope);
        match self.nests(40) {
            true => {
                let operator = *self.one_of(&["<=", ">", "<>"]);
                format!(" HAVING count(*) {operator} {}", self.scalar_subquery(keys, Kind::Big))
            }
            false => format!(" HAVING {aggregate} IS NOT NULL AND count(*) > 1"),
        }
    }
}

/// A SELECT list as it grows.
#[derive(Default)]
struct Items {
    texts: Vec<String>,
    columns: Scope,
}

impl Items {
    fn push(&mut self, name: String, (text, kind): (String, Kind)) {
        self.texts.push(format!("{text} AS {name}"));
        self.columns.push(Column { name, kind });
    }
}
