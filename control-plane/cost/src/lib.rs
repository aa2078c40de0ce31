//! Meter × PriceBook → Bill, in whole pico-dollars.
//!
//! Nothing here counts: meters come from executors, driver and scheduler. Nothing here decides: `server` shows the amounts, and no limit
//! is in dollars yet. A tariff change touches `prices/` and no function.
//!
//! **Rounding.** A line's amount is `quantity × price ÷ units`, rounded up to the next pico-dollar once for the whole line. The total is
//! the sum of the lines as printed; [`bill`] asserts it.

pub mod bill;
pub mod book;
pub mod compare;
pub mod price;

mod table;

pub use bill::{Bill, BillLine, Resource, bill};
pub use book::{Architecture, PriceBook, PriceBookError};
pub use compare::Comparison;
pub use price::{Price, Unit};

#[cfg(test)]
mod tests;
