//! The demo province: real names, codes, seats and outlines; everything else made up from a seed,
//! so that it looks and counts like Guangdong on 2020-10-31. See demo/NOTICE.md.
//!
//! `quota` says how many of what, `county` makes one county after the other (`places`, `roads`,
//! `fates`, `works`, `sectors`, `story`, `services`), `county_rows` turns it into rows, `load`
//! copies them.

mod accounts;
mod calendar;
mod codes;
mod county;
mod county_rows;
mod dice;
mod fates;
mod framework;
mod ground;
mod load;
mod names;
mod places;
mod planted;
mod project;
mod quota;
mod roads;
mod rows;
mod seats;
mod sectors;
mod services;
mod sheets;
mod story;
mod works;

pub use accounts::{OFFERED as DEMO_ACCOUNTS, PASSWORD as DEMO_PASSWORD};
pub use load::{DEFAULT_SEED, DemoOptions, DemoSummary, Scale, is_loaded, load, rehearse};
pub use planted::Planted;

#[cfg(test)]
mod tests;
