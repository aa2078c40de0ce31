//! SQL at random: a seed gives a query over four small tables, of all that the planner has a rule for, so that what nobody thought of
//! is asked too. A query has one answer: whatever depends on the order of rows is given a total order. Nothing here knows answers.

mod aggregate;
mod expression;
mod query;
mod source;
mod subquery;
pub mod tables;
mod window;

use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use tables::TABLES;

/// The query of a seed.
pub fn query(seed: u64) -> String {
    let mut writer = Writer {
        chance: SmallRng::seed_from_u64(seed),
        names: 0,
        tables: TABLES.iter().map(|table| table.relation()).collect(),
    };
    let depth = *writer.one_of(&[1, 2, 2, 3]);
    writer.statement(depth)
}

/// Types that columns have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int,
    Big,
    Text,
    Double,
    Decimal,
    Date,
    Time,
    Bool,
}

impl Kind {
    pub fn sql(self) -> &'static str {
        match self {
            Kind::Int => "INT",
            Kind::Big => "BIGINT",
            Kind::Text => "VARCHAR",
            Kind::Double => "DOUBLE",
            Kind::Decimal => "DECIMAL(10,2)",
            Kind::Date => "DATE",
            Kind::Time => "TIMESTAMP",
            Kind::Bool => "BOOLEAN",
        }
    }
}

/// A column as expressions name it.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: Kind,
}

/// What a place in a query sees. Never empty.
type Scope = Vec<Column>;

/// A relation by the name under which FROM finds it.
#[derive(Clone, Debug)]
struct Relation {
    name: String,
    columns: Scope,
}

struct Writer {
    chance: SmallRng,
    names: u32,
    /// Tables, and the common table expressions around this place.
    tables: Vec<Relation>,
}

impl Writer {
    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        choices.choose(&mut self.chance).expect("there is a choice")
    }

    /// True in so many of a hundred throws.
    fn percent(&mut self, likely: u32) -> bool {
        self.chance.random_range(0..100) < likely
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        self.chance.random_range(low..=high)
    }

    fn shuffled<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        let mut items = items.to_vec();
        items.shuffle(&mut self.chance);
        items
    }

    /// A name that no other thing in the query has.
    fn name(&mut self) -> String {
        self.names += 1;
        format!("c{}", self.names)
    }

    /// Some column's type.
    fn kind(&mut self, scope: &[Column]) -> Kind {
        self.one_of(scope).kind
    }

    /// A relation under a new name, and its columns by it.
    fn renamed(&mut self, relation: &Relation) -> (String, Scope) {
        let alias = self.name();
        let columns = qualified(&alias, &relation.columns);
        (format!("{} AS {alias}", relation.name), columns)
    }

    /// Any relation under a new name.
    fn any_relation(&mut self) -> (String, Scope) {
        let relation = self.tables.choose(&mut self.chance).cloned();
        self.renamed(&relation.expect("there are tables"))
    }
}

fn qualified(alias: &str, columns: &[Column]) -> Scope {
    let column = |column: &Column| Column {
        name: format!("{alias}.{}", column.name),
        kind: column.kind,
    };
    columns.iter().map(column).collect()
}

/// Pairs of columns of one type, one of each scope.
fn pairs(left: &[Column], right: &[Column]) -> Vec<(String, String)> {
    let of = |one: &Column| {
        let alike = right.iter().filter(|other| other.kind == one.kind);
        let name = one.name.clone();
        alike
            .map(|other| (name.clone(), other.name.clone()))
            .collect::<Vec<_>>()
    };
    left.iter().flat_map(of).collect()
}
