//! The passes that turn DataFusion's plan for one process into one that can be cut. Each leaves a plan that still runs on one node.
//!
//! ```text
//! dependencies
//!             all keys of a grouping determine its columns, and no fewer do (on the logical plan)
//! cross_joins keys over several relations outlive the ordering of cross joins (on the logical plan)
//! join_keys   equalities and IS NOT DISTINCT FROM become keys of joins, never both of one (on the logical plan)
//! join_order  inner joins in the order that promises the fewest rows (on the logical plan)
//! multiset    INTERSECT and EXCEPT count rows and know types (on the bound plan)
//! sample      a part of a table is scanned where a sample is asked for (on the bound plan)
//! aggregate_order
//!             aggregates have only orders that count, as DataFusion takes them (on the logical plan)
//! empty_branches
//!             a union of which one branch has rows is that branch (on the logical plan)
//! nested_unions
//!             branches of a union within a union have its names (on the logical plan)
//! push_down_filter
//!             a filter stays above an aggregation that has a row for no rows (on the logical plan)
//! offsets     an OFFSET without LIMIT counts the rows of its own order (on the logical plan)
//! empty_sets  grouping sets without any column are no grouping (on the logical plan)
//! unnest      subqueries become joins (on the logical plan)
//! window      flags of window functions that DataFusion's protobuf drops become part of the function (on the logical plan)
//! broadcast   a join's small build side goes to every task instead of both sides being repartitioned
//! distinct_names, top_groups
//!             where DataFusion looks a column up by a name that two have, it finds the right one
//! grouping_sets
//!             below several grouping sets a fence hides what holds of columns and not of keys
//! window_keys a fence below window functions hides which columns are the same
//! padded      below outer joins a fence hides which columns are constant
//! orders      what needs an order that no rule left there is given a sort
//! own_equal   a filter t = f(t) says nothing of orders
//! nested_top  the first rows in an order by nested values are cut off a whole sort
//! exchange    where data must cross tasks, an ExchangeExec says so
//! ```

pub(crate) mod aggregate_order;
pub(crate) mod broadcast;
pub(crate) mod cross_joins;
pub(crate) mod dependencies;
pub(crate) mod distinct_names;
pub(crate) mod empty_branches;
pub(crate) mod empty_sets;
pub(crate) mod exchange;
pub(crate) mod grouping_sets;
pub(crate) mod join;
pub(crate) mod join_keys;
pub(crate) mod join_order;
pub(crate) mod mark;
pub(crate) mod multiset;
pub(crate) mod nested_top;
pub(crate) mod nested_unions;
pub(crate) mod offsets;
pub(crate) mod orders;
pub(crate) mod own_equal;
pub(crate) mod padded;
pub(crate) mod push_down_filter;
pub(crate) mod sample;
pub(crate) mod top_groups;
pub(crate) mod unnest;
pub(crate) mod window;
pub(crate) mod window_keys;
