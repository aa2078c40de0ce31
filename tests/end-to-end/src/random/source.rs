//! One thing that stands in FROM: a table, a subquery, rows out of nothing. What joins them is in `join`.

use super::tables::LISTS;
use super::{Column, Kind, Scope, Writer, qualified};

impl Writer {
    pub(super) fn small(&mut self) -> (String, Scope) {
        let small = self.tables.iter().find(|table| table.name == "v").cloned();
        self.renamed(&small.expect("a table of that name"))
    }

    pub(super) fn source(&mut self, depth: u32) -> (String, Scope) {
        match self.between(0, 99) {
            0..5 => self.values(),
            5..9 => self.series(),
            9..13 => self.unnested(),
            13..21 if depth > 0 => self.first_of_each(),
            21..50 if depth > 0 => {
                let (query, columns) = self.query(depth - 1);
                self.derived(&query, columns)
            }
            _ => self.any_relation(),
        }
    }

    pub(super) fn derived(&mut self, query: &str, columns: Scope) -> (String, Scope) {
        let alias = self.name();
        (format!("({query}) AS {alias}"), qualified(&alias, &columns))
    }

    fn values(&mut self) -> (String, Scope) {
        let kinds: Vec<Kind> = (0..self.between(1, 3))
            .map(|_| *self.one_of(&[Kind::Int, Kind::Text, Kind::Big]))
            .collect();
        let rows = (0..self.between(1, 6)).map(|_| {
            let values: Vec<String> = kinds.iter().map(|kind| self.typed(*kind)).collect();
            format!("({})", values.join(", "))
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        let columns = self.columns(&kinds);
        let alias = self.name();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let text = format!("(VALUES {rows}) AS {alias}({})", names.join(", "));
        (text, qualified(&alias, &columns))
    }

    fn columns(&mut self, kinds: &[Kind]) -> Scope {
        let column = |kind: &Kind| Column {
            name: self.name(),
            kind: *kind,
        };
        kinds.iter().map(column).collect()
    }

    fn series(&mut self) -> (String, Scope) {
        let (first, name, alias) = (self.between(-3, 3), self.name(), self.name());
        let last = first + self.between(0, 20);
        let query =
            format!("SELECT CAST({name} AS BIGINT) AS {name} FROM generate_series({first}, {last}) AS {alias}({name})");
        self.derived(&query, vec![Column { name, kind: Kind::Big }])
    }

    /// The elements of a column of lists.
    fn unnested(&mut self) -> (String, Scope) {
        let (table, list, element) = (self.name(), self.name(), self.name());
        let columns = self.columns(&[Kind::Text, Kind::Big]);
        let (text, number) = (&columns[0].name, &columns[1].name);
        let unnest = format!("{LISTS} AS {table} CROSS JOIN UNNEST({table}.l) AS {list}({element})");
        let query = format!("SELECT {table}.name AS {text}, {element} AS {number} FROM {unnest}");
        self.derived(&query, columns)
    }

    /// The first rows of each group, by a rank.
    fn first_of_each(&mut self) -> (String, Scope) {
        let (relation, scope) = self.any_relation();
        let (rank, ranks, rows) = (self.name(), self.name(), self.between(1, 3));
        let kinds: Vec<Kind> = scope.iter().map(|column| column.kind).collect();
        let columns = self.columns(&kinds);
        let items = scope.iter().zip(&columns);
        let items = items.map(|(from, to)| format!("{} AS {}", from.name, to.name));
        let items = items.collect::<Vec<_>>().join(", ");
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let key = self.one_of(&scope).name.clone();
        let order = self.order_by_all(&scope);
        let function = *self.one_of(&["row_number", "rank", "dense_rank"]);
        let ranked = format!("SELECT {items}, {function}() OVER (PARTITION BY {key}{order}) AS {rank} FROM {relation}");
        let query = format!(
            "SELECT {} FROM ({ranked}) AS {ranks} WHERE {rank} <= {rows}",
            names.join(", ")
        );
        self.derived(&query, columns)
    }
}
