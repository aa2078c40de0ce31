//! Which joins may run with a build side that every task holds whole.

use datafusion::common::JoinType;

/// Whether a join whose build side is its left is right when each task holds the whole left and a part of the right.
///
/// Types that yield unmatched rows of the left need to know what no task matched, which no task knows: they would yield such rows
/// once per task.
pub(crate) fn build_may_be_everywhere(join: JoinType) -> bool {
    matches!(
        join,
        JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark
    )
}
