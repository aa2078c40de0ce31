//! What was put in is found, in order, and nothing else.

use super::ByTask;
use mayfly_protocol::{StageId, TaskId};

fn task(stage: u32, index: u32) -> TaskId {
    let stage = StageId::new(stage);
    TaskId { stage, index }
}

#[test]
fn tasks_are_found_in_the_order_of_their_ids() {
    let mut tasks = ByTask::default();
    for (stage, index) in [(2, 1), (0, 3), (2, 0), (1, 7)] {
        *tasks.entry(task(stage, index)) = Some((stage, index));
    }
    assert_eq!(
        tasks.values().copied().collect::<Vec<_>>(),
        [(0, 3), (1, 7), (2, 0), (2, 1)]
    );
    assert_eq!(
        tasks.in_stage(StageId::new(2)).copied().collect::<Vec<_>>(),
        [(2, 0), (2, 1)]
    );
    assert_eq!(tasks.get(task(1, 7)), Some(&(1, 7)));
    assert_eq!(tasks.get(task(1, 6)), None);
    assert_eq!(tasks.get(task(1, 8)), None);
    assert_eq!(tasks.get(task(3, 0)), None);
    tasks.get_mut(task(0, 3)).expect("it is there").1 = 4;
    assert_eq!(tasks.into_values().next(), Some((0, 4)));
}

#[test]
fn what_is_removed_is_gone() {
    let mut tasks = ByTask::default();
    *tasks.entry(task(0, 1)) = Some('a');
    *tasks.entry(task(1, 0)) = Some('b');
    assert_eq!(tasks.remove(task(0, 0)), None);
    assert_eq!(tasks.remove(task(0, 1)), Some('a'));
    assert!(!tasks.clear(StageId::new(0)), "nothing is left of it");
    assert!(tasks.clear(StageId::new(1)));
    assert!(!tasks.clear(StageId::new(2)));
    assert_eq!(tasks.values().count(), 0);
}
