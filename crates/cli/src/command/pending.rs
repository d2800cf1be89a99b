//! Stands where the pipeline will.

use testlake_collect::plan::{Cancel, CollectError, CollectPlan, Collected, Observer};

pub(super) async fn collect(
    _plan: &CollectPlan,
    _observer: &dyn Observer,
    _cancel: &Cancel,
) -> Result<Vec<Collected>, CollectError> {
    Err(CollectError::Internal("the pipeline is not built in yet".into()))
}
