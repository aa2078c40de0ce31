//! Tests of `settings`.

use super::*;

/// One machine of two vCPUs, with memory for the largest function.
fn machine() -> PlannerSettings {
    PlannerSettings {
        size_max: FunctionSize::Two,
        size_for_memory: FunctionSize::Six,
        ..PlannerSettings::for_size(FunctionSize::One, 1, 2)
    }
}

#[test]
fn a_query_that_holds_much_gets_a_function_with_room() {
    let size = |read, held| machine().size_for(read, held);
    assert_eq!(size(1_000_000, 0), FunctionSize::One);
    assert_eq!(size(2_000_000_000, 1_000_000_000), FunctionSize::Two);
    assert_eq!(size(2_000_000_000, 2_000_000_000), FunctionSize::Four);
    assert_eq!(size(2_000_000_000, 3_000_000_000), FunctionSize::Six);
    assert_eq!(machine().held_bytes_max(), 3_072_000_000);
}

#[test]
fn where_memory_is_not_known_the_function_is_as_large_as_the_work() {
    let narrow = PlannerSettings {
        size_for_memory: FunctionSize::One,
        ..machine()
    };
    assert_eq!(narrow.size_for(2_000_000_000, 2_000_000_000), FunctionSize::Two);
    assert_eq!(narrow.held_bytes_max(), 1_061_400_000);
}
