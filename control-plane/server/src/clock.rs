//! The driver's clocks: [`now`] counts, [`wall`] names moments, [`named`] and [`counted`] lead from one to the other.

pub use mayfly_driver::clock::{counted, named, now, wall};
