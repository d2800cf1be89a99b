//! `testlake upload-test-stats`: a collection whose places are given.

use std::num::NonZeroUsize;

use crate::args::UploadTestStatsArgs;
use crate::config::Layers;
use crate::exit::{Exit, Failure};
use crate::plan;

/// Resolves the words and collects.
pub(crate) fn run(args: UploadTestStatsArgs, layers: &Layers, cores: NonZeroUsize) -> Result<Exit, Failure> {
    let talk = plan::talk(&args.common.talk, layers)?;
    let collecting = plan::upload_test_stats(args, layers, cores)?;
    super::collect::carry_out(&collecting, talk, layers.environment())
}
