//! Copies keep their promise: a query with stragglers takes hardly longer than one without, for hardly more money.

use mayfly_schedule::Speculation;
use mayfly_simulation::stragglers::Comparison;

#[test]
fn stragglers_cost_three_tenths_of_the_time_and_a_twentieth_of_the_money_at_most() {
    let comparison = Comparison::run(400, Speculation::default());
    assert!(comparison.p99_ratio() <= 1.3, "{comparison}");
    assert!(comparison.billed_ratio() <= 1.05, "{comparison}");
    // Without copies the slowest queries take several times as long; where nothing straggles copies cost next to nothing.
    assert!(comparison.straggling.quantile_ms(990) > 3 * comparison.clean.quantile_ms(990));
    let needless = comparison.clean_speculated.billed_ms as f64 / comparison.clean.billed_ms as f64;
    assert!(needless <= 1.03, "{comparison}");
}
