//! Keeping a lake: what it is made of, proof that it is whole, fewer and better files, and none that nobody needs.

mod check;
mod files;
mod laid;
mod optimize;
mod vacuum;

pub use check::{Checked, Problem};
pub use files::{File, Files, Info, TableInfo};
pub use optimize::{OptimizeOptions, Optimized};
pub use vacuum::{RETENTION, VacuumOptions, Vacuumed};
