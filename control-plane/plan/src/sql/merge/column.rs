//! A column of a FROM clause: its name, how the query can say which one it means, and whether `*` shows it. And what a join makes of
//! the columns of its sides.

use super::syntax;
use datafusion::sql::sqlparser::ast::{Expr, Ident, JoinConstraint, JoinOperator, ObjectName};
use mayfly_protocol::{ErrorCode, QueryError};

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: String,
    /// What stands before the dot. Empty for a merged column, and one of a relation without a name.
    pub relation: Vec<String>,
    /// Names this column and no other.
    pub value: Expr,
    /// Merged columns show what they are made of no more.
    pub shown: bool,
    pub merged: bool,
}

impl Column {
    /// A column of the relation that the query calls by `relation`.
    pub(super) fn of(relation: &[Ident], name: &str) -> Column {
        let ident = Ident::with_quote('"', name);
        let value = match relation {
            [] => Expr::Identifier(ident),
            relation => Expr::CompoundIdentifier(relation.iter().cloned().chain([ident]).collect()),
        };
        Column {
            name: name.to_owned(),
            relation: relation.iter().map(syntax::lower).collect(),
            value,
            shown: true,
            merged: false,
        }
    }

    fn merged(name: &str, value: Expr) -> Column {
        Column {
            value,
            merged: true,
            ..Column::of(&[], name)
        }
    }

    /// `t` also means `s.t`.
    pub(super) fn is_of(&self, relation: &[String]) -> bool {
        !relation.is_empty() && self.relation.ends_with(relation)
    }
}

/// Whose rows a join keeps, which decides whose value a merged column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Matches,
    Left,
    Right,
    Both,
    /// Semi and anti joins: the columns of one side are gone.
    OnlyLeft,
    OnlyRight,
}

/// `None` for what is no join of two relations side by side.
pub(super) fn kept(operator: &JoinOperator) -> Option<(Kept, &JoinConstraint)> {
    use JoinOperator as Op;
    match operator {
        Op::Join(constraint) | Op::Inner(constraint) | Op::CrossJoin(constraint) | Op::StraightJoin(constraint) => {
            Some((Kept::Matches, constraint))
        }
        Op::Left(constraint) | Op::LeftOuter(constraint) => Some((Kept::Left, constraint)),
        Op::Right(constraint) | Op::RightOuter(constraint) => Some((Kept::Right, constraint)),
        Op::FullOuter(constraint) => Some((Kept::Both, constraint)),
        Op::Semi(constraint) | Op::LeftSemi(constraint) | Op::Anti(constraint) | Op::LeftAnti(constraint) => {
            Some((Kept::OnlyLeft, constraint))
        }
        Op::RightSemi(constraint) | Op::RightAnti(constraint) => Some((Kept::OnlyRight, constraint)),
        Op::CrossApply | Op::OuterApply | Op::AsOf { .. } | Op::ArrayJoin | Op::LeftArrayJoin | Op::InnerArrayJoin => {
            None
        }
    }
}

/// The columns that USING or NATURAL names; `None` for other joins.
pub(super) fn keys(constraint: &JoinConstraint, left: &[Column], right: &[Column]) -> Option<Vec<String>> {
    match constraint {
        JoinConstraint::Using(names) => Some(names.iter().map(key).collect()),
        JoinConstraint::Natural => {
            let shown =
                |columns: &[Column], name: &str| columns.iter().any(|column| column.shown && column.name == name);
            let common = left.iter().filter(|column| column.shown && shown(right, &column.name));
            let mut names: Vec<String> = Vec::new();
            for column in common {
                if !names.contains(&column.name) {
                    names.push(column.name.clone());
                }
            }
            Some(names)
        }
        JoinConstraint::On(_) | JoinConstraint::None => None,
    }
}

fn key(name: &ObjectName) -> String {
    let ident = name.0.last().and_then(|part| part.as_ident());
    ident.map(syntax::lower).unwrap_or_default()
}

/// What a join with these merged columns is: its condition, and its columns, the merged ones first.
pub(super) fn join(
    kept: Kept,
    keys: &[String],
    mut left: Vec<Column>,
    mut right: Vec<Column>,
) -> Result<(Option<Expr>, Vec<Column>), QueryError> {
    let (whole_left, whole_right) = (left.clone(), right.clone());
    let mut condition = None;
    let mut columns = Vec::new();
    for name in keys {
        let (of_left, of_right) = (take(&mut left, name)?, take(&mut right, name)?);
        let equal = syntax::equal(of_left.clone(), of_right.clone());
        condition = Some(match condition {
            None => equal,
            Some(before) => syntax::and(before, equal),
        });
        let value = match kept {
            Kept::Matches | Kept::Left => of_left,
            Kept::Right => of_right,
            Kept::Both => syntax::coalesce(of_left, of_right),
            Kept::OnlyLeft | Kept::OnlyRight => continue,
        };
        columns.push(Column::merged(name, value));
    }
    let sides = match kept {
        Kept::OnlyLeft => return Ok((condition, whole_left)),
        Kept::OnlyRight => return Ok((condition, whole_right)),
        _ => left.into_iter().chain(right),
    };
    columns.extend(sides);
    Ok((condition, columns))
}

/// The value of the one shown column of that name, which `*` shows no more.
fn take(columns: &mut [Column], name: &str) -> Result<Expr, QueryError> {
    let mut found = columns.iter_mut().filter(|column| column.shown && column.name == name);
    let Some(column) = found.next() else {
        let message = format!("Column '{name}' of JOIN … USING is missing from one of its sides");
        return Err(QueryError::new(ErrorCode::ColumnNotFound, message));
    };
    if found.next().is_some() {
        let message = format!("Column '{name}' is ambiguous");
        return Err(QueryError::new(ErrorCode::AmbiguousName, message).hint("a side of JOIN … USING has it twice"));
    }
    column.shown = false;
    Ok(column.value.clone())
}
