//! Expressions of one row: values of a type, and predicates.

use super::dialect::Words;
use super::tables::literal;
use super::{Column, Kind, Writer};

impl Writer {
    /// A value of the type, of columns in scope where there are any.
    pub(super) fn value(&mut self, scope: &[Column], kind: Kind, depth: u32) -> String {
        if kind.is_plain() && self.nests(5) {
            return self.scalar_subquery(scope, kind);
        }
        if depth == 0 || self.percent(35) {
            return self.leaf(scope, kind);
        }
        match self.between(0, 99) {
            0..12 => {
                let condition = self.predicate(scope, depth - 1);
                let (yes, no) = self.two(scope, kind, depth - 1);
                format!("CASE WHEN {condition} THEN {yes} ELSE {no} END")
            }
            12..20 => self.filled("COALESCE({}, {})", scope, kind, depth),
            20..25 if kind.is_plain() => self.filled("NULLIF({}, {})", scope, kind, depth),
            _ => self.operation(scope, kind, depth),
        }
    }

    fn operation(&mut self, scope: &[Column], kind: Kind, depth: u32) -> String {
        let of_one = |text: &'static str, from: Kind| (text, from);
        let form = match kind {
            // Seldom beyond 32 bits: an error then, in every engine.
            Kind::Int if self.percent(1) => of_one("({} * 190000000)", Kind::Int),
            Kind::Int => *self.one_of(&[
                of_one("({} + {})", Kind::Int),
                of_one("({} - {})", Kind::Int),
                of_one("({} % 7)", Kind::Int),
                of_one("abs({})", Kind::Int),
                of_one("CAST(character_length({}) AS INT)", Kind::Text),
                of_one("CAST(extract(day FROM {}) AS INT)", Kind::Date),
                of_one(
                    "CAST(extract(hour FROM {} AT TIME ZONE 'Asia/Kolkata') AS INT)",
                    Kind::Zoned,
                ),
            ]),
            Kind::Big => *self.one_of(&[
                of_one("({} + CAST({} AS BIGINT))", Kind::Big),
                of_one("({} / 3)", Kind::Big),
                of_one("CAST({} AS BIGINT)", Kind::Int),
            ]),
            Kind::Huge => *self.one_of(&[of_one("({} - 1)", Kind::Huge), of_one("({} / 2)", Kind::Huge)]),
            Kind::Double => {
                let whole = Words {
                    mayfly: "CAST({} AS DOUBLE)",
                    duckdb: "CAST({} AS DOUBLE)",
                    postgres: "CAST({} AS DOUBLE PRECISION)",
                };
                let whole = self.say(whole);
                *self.one_of(&[
                    of_one("({} + {})", Kind::Double),
                    of_one("({} * 0.5)", Kind::Double),
                    of_one(whole, Kind::Int),
                    of_one("abs({})", Kind::Double),
                ])
            }
            Kind::Odd => of_one("abs({})", Kind::Odd),
            Kind::Decimal => of_one("CAST({} - {} AS DECIMAL(10,2))", Kind::Decimal),
            Kind::Text => *self.one_of(&[
                of_one("upper({})", Kind::Text),
                of_one("({} || {})", Kind::Text),
                of_one("substr({}, 1, 2)", Kind::Text),
                of_one("CAST({} AS VARCHAR)", Kind::Int),
                of_one("trim({})", Kind::Text),
            ]),
            Kind::Date => *self.one_of(&[
                of_one("CAST(date_trunc('month', {}) AS DATE)", Kind::Date),
                of_one("CAST({} + INTERVAL '11' DAY AS DATE)", Kind::Date),
            ]),
            Kind::Time => of_one("date_trunc('hour', {})", Kind::Time),
            Kind::Zoned => of_one("({} + INTERVAL '5' HOUR)", Kind::Zoned),
            Kind::List => return self.leaf(scope, kind),
            Kind::Bool => return self.predicate(scope, depth - 1),
        };
        self.filled(form.0, scope, form.1, depth)
    }

    /// The form with one value of the type for each `{}`.
    fn filled(&mut self, form: &str, scope: &[Column], kind: Kind, depth: u32) -> String {
        let mut text = String::new();
        for (at, part) in form.split("{}").enumerate() {
            if at > 0 {
                text.push_str(&self.value(scope, kind, depth - 1));
            }
            text.push_str(part);
        }
        text
    }

    fn two(&mut self, scope: &[Column], kind: Kind, depth: u32) -> (String, String) {
        (self.value(scope, kind, depth), self.value(scope, kind, depth))
    }

    /// A column of the type, seldom of a query around this one, or a literal.
    pub(super) fn leaf(&mut self, scope: &[Column], kind: Kind) -> String {
        let around = !self.outer.is_empty() && self.percent(10);
        let seen = if around { self.outer.clone() } else { scope.to_vec() };
        let columns: Vec<&Column> = seen.iter().filter(|column| column.kind == kind).collect();
        if columns.is_empty() || self.percent(15) {
            return self.typed(kind);
        }
        let name = self.one_of(&columns).name.clone();
        match around {
            true => name,
            false => self.bare_or_not(scope, name),
        }
    }

    /// Without its table where no other column in scope has the name: what a query around has of that name is hidden then.
    fn bare_or_not(&mut self, scope: &[Column], name: String) -> String {
        let bare = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        let alone = bare(&name);
        let others = scope.iter().filter(|column| bare(&column.name) == alone).count();
        match self.percent(20) && others == 1 {
            true => alone,
            false => name,
        }
    }

    /// A literal of exactly this type, seldom NULL.
    pub(super) fn typed(&mut self, kind: Kind) -> String {
        let text = match self.percent(5) {
            true => "NULL".to_owned(),
            false => literal(&mut self.chance, kind, self.dialect),
        };
        format!("CAST({text} AS {})", kind.sql(self.dialect))
    }

    /// In parentheses.
    pub(super) fn predicate(&mut self, scope: &[Column], depth: u32) -> String {
        if self.nests(8) {
            return self.subquery_predicate(scope);
        }
        format!("({})", self.bare_predicate(scope, depth))
    }

    fn bare_predicate(&mut self, scope: &[Column], depth: u32) -> String {
        if depth > 0 && self.percent(40) {
            let connective = *self.one_of(&["AND", "AND", "OR", "AND NOT"]);
            let (left, right) = (self.predicate(scope, depth - 1), self.predicate(scope, depth - 1));
            return format!("{left} {connective} {right}");
        }
        let kind = self.kind(scope);
        let below = depth.saturating_sub(1);
        let not = *self.one_of(&["", "NOT "]);
        // NaN is unlike itself in one engine and like itself in another; lists are compared by nobody's common rule.
        if !kind.is_plain() || self.percent(12) {
            return format!("{} IS {not}NULL", self.value(scope, kind, below));
        }
        let value = self.value(scope, kind, below);
        match self.between(0, 99) {
            0..12 => {
                let count = self.between(1, 4);
                let list: Vec<String> = (0..count).map(|_| self.typed(kind)).collect();
                format!("{value} {not}IN ({})", list.join(", "))
            }
            12..20 => format!(
                "{value} {not}BETWEEN {} AND {}",
                self.leaf(scope, kind),
                self.leaf(scope, kind)
            ),
            20..30 => {
                let pattern = *self.one_of(&["a%", "%b%", "_", "%", "Z_d"]);
                format!("{} {not}LIKE '{pattern}'", self.value(scope, Kind::Text, below))
            }
            30..40 => format!("{value} IS {not}DISTINCT FROM {}", self.value(scope, kind, below)),
            _ => {
                let operator = *self.one_of(&["=", "=", "<", ">", "<=", ">=", "<>"]);
                format!("{value} {operator} {}", self.value(scope, kind, below))
            }
        }
    }
}
