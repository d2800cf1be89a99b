//! What the fuzz targets have in common: what must hold of any input, whatever it is.
//!
//! - [`report`]: a report is read, and all that is told of it makes sense.
//! - [`chunks`]: a report in pieces is read as it is read whole.
//! - [`archive`]: an archive is opened, and its entries are the same however they are read.
//! - [`heap`]: how much memory that took.
//! - [`mutate`]: inputs are changed by pieces that mean something, not by bytes alone.

pub mod archive;
pub mod chunks;
pub mod heap;
pub mod mutate;
pub mod report;

/// Defines a target of the reports of a family of formats. What is of another family is kept out of its corpus.
#[macro_export]
macro_rules! report_target {
    ($family:expr) => {
        libfuzzer_sys::fuzz_target!(|raw: &[u8]| -> libfuzzer_sys::Corpus {
            $crate::report::check(raw, $family)
        });
        $crate::mutated!();
    };
}

/// Changes inputs by [`mutate`].
#[macro_export]
macro_rules! mutated {
    () => {
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate::mutate(data, size, max_size, seed)
        });
    };
}
