//! Subqueries in the condition of a join.
//!
//! ```text
//! L ⋈ R on c(L,R)    →  σ c (L ⋈ R)
//! L ⟕ R on c(R)      →  L ⟕ R', where R' has the subquery's value as a column
//! L ⟕ R on c(L,R)    →  L ⟕ (R ⋈ M) on M's columns of L, where M holds the pairs for which c is true
//! ```

use super::Unnester;
use super::full::reads_both;
use super::join::{Pair, join};
use super::push::{Need, repeatable};
use super::scope::{self, Scope};
use super::site::Site;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result, internal_err};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, Join, JoinType, LogicalPlan, LogicalPlanBuilder};
use std::sync::Arc;

impl Unnester {
    pub(super) fn condition(&self, node: Join) -> Result<LogicalPlan> {
        let conjuncts = node.filter.clone().map(split_conjunction_owned).unwrap_or_default();
        let (subqueries, plain): (Vec<_>, Vec<_>) = conjuncts.into_iter().partition(scope::is_subquery_within);
        if node.join_type == JoinType::Inner {
            let joined = LogicalPlan::Join(Join {
                filter: conjunction(plain),
                ..node
            });
            let predicate = conjunction(subqueries).expect("a conjunct has a subquery");
            return self.filter(Filter::try_new(predicate, Arc::new(joined))?);
        }
        let outer = Arc::new(node.left.schema().join(node.right.schema())?);
        let inside = subqueries.into_iter().map(|conjunct| self.inside(conjunct, &outer));
        let conjuncts = inside.collect::<Result<Vec<_>>>()?;
        if node.join_type == JoinType::Full && reads_both(&conjuncts, &node)? {
            return self.full(&node);
        }
        let shown: Vec<Expr> = node.schema.columns().into_iter().map(Expr::Column).collect();
        let mut sides = Sides::of(self, node, plain);
        for conjunct in conjuncts {
            sides.add(conjunct)?;
        }
        LogicalPlanBuilder::from(sides.joined()?).project(shown)?.build()
    }
}

/// An outer, semi or anti join on its way.
struct Sides<'a> {
    unnester: &'a Unnester,
    node: Join,
    left: Site<'a>,
    right: Site<'a>,
    pairs: Vec<Pair>,
    filter: Vec<Expr>,
}

impl<'a> Sides<'a> {
    fn of(unnester: &'a Unnester, node: Join, filter: Vec<Expr>) -> Sides<'a> {
        let pairs = node
            .on
            .iter()
            .map(|(left, right)| Pair::plain(left.clone(), right.clone()));
        Sides {
            unnester,
            left: Site::new(unnester, node.left.as_ref().clone()),
            right: Site::new(unnester, node.right.as_ref().clone()),
            pairs: pairs.collect(),
            filter,
            node,
        }
    }

    fn add(&mut self, conjunct: Expr) -> Result<()> {
        let read = scope::columns(&conjunct)?;
        let of_left: Vec<Column> = read
            .iter()
            .filter(|column| Scope(self.node.left.schema()).has(column))
            .cloned()
            .collect();
        let of_right: Vec<Column> = read
            .iter()
            .filter(|column| Scope(self.node.right.schema()).has(column))
            .cloned()
            .collect();
        let conjunct = match (of_left.is_empty(), of_right.is_empty()) {
            (false, false) => return self.add_pairs(conjunct, &of_left, &of_right),
            (false, true) => self.left.value(conjunct)?,
            (true, _) => self.right.value(conjunct)?,
        };
        self.filter.push(conjunct);
        Ok(())
    }

    /// The side whose rows are not kept takes the pairs: its rows may stand there several times.
    fn add_pairs(&mut self, conjunct: Expr, of_left: &[Column], of_right: &[Column]) -> Result<()> {
        use JoinType::{Full, Inner, Left, LeftAnti, LeftMark, LeftSemi, Right, RightAnti, RightMark, RightSemi};
        let is_right = match self.node.join_type {
            Inner | Left | LeftSemi | LeftAnti | LeftMark => true,
            Right | RightSemi | RightAnti | RightMark => false,
            Full => return internal_err!("a full join is two others by now"),
        };
        let (left, left_names) = self.distinct(&self.node.left, of_left)?;
        let (right, right_names) = self.distinct(&self.node.right, of_right)?;
        let all = LogicalPlanBuilder::from(left).cross_join(right)?.build()?;
        let conjunct = renamed(conjunct, of_left, &left_names)?;
        let conjunct = renamed(conjunct, of_right, &right_names)?;
        let pairs = self.unnester.filter(Filter::try_new(conjunct, Arc::new(all))?)?;
        let (site, own, other) = match is_right {
            true => (&mut self.right, (of_right, &right_names), (of_left, &left_names)),
            false => (&mut self.left, (of_left, &left_names), (of_right, &right_names)),
        };
        let plan = std::mem::take(&mut site.plan);
        site.plan = join(plan, pairs, JoinType::Inner, &agreeing(own.0, own.1), Vec::new())?;
        self.pairs
            .extend(agreeing(other.0, other.1).into_iter().map(|pair| match is_right {
                true => pair,
                false => Pair {
                    left: pair.right,
                    right: pair.left,
                    null_safe: pair.null_safe,
                },
            }));
        Ok(())
    }

    fn distinct(&self, plan: &LogicalPlan, columns: &[Column]) -> Result<(LogicalPlan, Vec<Column>)> {
        let names: Vec<String> = columns.iter().map(|_| self.unnester.name("key")).collect();
        let exprs = columns
            .iter()
            .zip(&names)
            .map(|(column, name)| Expr::Column(column.clone()).alias(name));
        let plan = LogicalPlanBuilder::from(repeatable(plan.clone(), Need::Superset)?)
            .project(exprs.collect::<Vec<_>>())?
            .distinct()?
            .build()?;
        Ok((plan, names.into_iter().map(Column::new_unqualified).collect()))
    }

    fn joined(self) -> Result<LogicalPlan> {
        join(
            self.left.plan,
            self.right.plan,
            self.node.join_type,
            &self.pairs,
            self.filter,
        )
    }
}

fn agreeing(columns: &[Column], names: &[Column]) -> Vec<Pair> {
    let pair = |(column, name): (&Column, &Column)| Pair {
        left: Expr::Column(column.clone()),
        right: Expr::Column(name.clone()),
        null_safe: true,
    };
    columns.iter().zip(names).map(pair).collect()
}

/// The expression over columns of other names, also inside its subqueries.
fn renamed(expr: Expr, columns: &[Column], names: &[Column]) -> Result<Expr> {
    let new = |column: &Column| columns.iter().position(|own| own == column).map(|at| names[at].clone());
    let outer = |part: Expr| match part {
        Expr::OuterReferenceColumn(field, column) => match new(&column) {
            Some(name) => Ok(Transformed::yes(Expr::OuterReferenceColumn(field, name))),
            None => Ok(Transformed::no(Expr::OuterReferenceColumn(field, column))),
        },
        part => Ok(Transformed::no(part)),
    };
    let inside = |plan: Arc<LogicalPlan>| {
        let plan = Arc::unwrap_or_clone(plan);
        let plan = plan.transform_up(|node| node.map_expressions(|expr| expr.transform_up(outer)));
        Ok::<_, datafusion::common::DataFusionError>(Arc::new(plan?.data))
    };
    let renamed = expr.transform_up(|part| {
        Ok(match part {
            Expr::Column(column) => match new(&column) {
                Some(name) => Transformed::yes(Expr::Column(name)),
                None => Transformed::no(Expr::Column(column)),
            },
            Expr::Exists(mut exists) => {
                exists.subquery.subquery = inside(exists.subquery.subquery)?;
                Transformed::yes(Expr::Exists(exists))
            }
            Expr::InSubquery(mut member) => {
                member.subquery.subquery = inside(member.subquery.subquery)?;
                Transformed::yes(Expr::InSubquery(member))
            }
            Expr::SetComparison(mut compared) => {
                compared.subquery.subquery = inside(compared.subquery.subquery)?;
                Transformed::yes(Expr::SetComparison(compared))
            }
            Expr::ScalarSubquery(mut subquery) => {
                subquery.subquery = inside(subquery.subquery)?;
                Transformed::yes(Expr::ScalarSubquery(subquery))
            }
            part => Transformed::no(part),
        })
    })?;
    Ok(renamed.data)
}
