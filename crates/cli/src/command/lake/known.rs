//! Which runs a lake has, for `collect` to pass over.

use std::collections::BTreeMap;

use arrow::array::AsArray as _;
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt32Type};
use futures::TryStreamExt as _;
use testlake_lake::Lake;
use testlake_lake::LakeError;
use testlake_lake::engine::{Engine, Parameter, QueryLimits};

use super::{ending, runtime, store_settings};
use crate::config::Environment;
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::Collecting;

/// Returns the runs of the repository that were collected, with the last attempt of each: none where there is no lake yet.
/// What single jobs uploaded of a run does not count.
pub(in crate::command) fn known_runs(
    collecting: &Collecting,
    environment: &Environment,
) -> Result<BTreeMap<String, u32>, Failure> {
    const SQL: &str =
        "select run_id, max(attempt) from runs where repo = $repo and verdict is not null group by 1";
    let (Some(address), Some(repo)) = (&collecting.lake, &collecting.run.repo) else {
        return Ok(BTreeMap::new());
    };
    let settings = store_settings(collecting.limits.retry_for, environment);
    runtime()?.block_on(async {
        let lake = match Lake::open(address, &settings).await {
            Ok(lake) => lake,
            Err(LakeError::NoLake { .. }) => return Ok(BTreeMap::new()),
            Err(error) => return Err(ending::lake_failure(error)),
        };
        let engine = Engine::open(&lake, QueryLimits::default()).await.map_err(ending::query_failure)?;
        let parameters = [("repo".to_owned(), Parameter::Text(repo.clone()))];
        let mut rows = engine.query(SQL, &parameters).await.map_err(ending::query_failure)?;
        let mut known = BTreeMap::new();
        while let Some(batch) = rows.try_next().await.map_err(ending::query_failure)? {
            let column = |index: usize, of: &DataType| cast(batch.column(index), of).or_exit(Exit::Bug);
            let (ids, attempts) = (column(0, &DataType::Utf8)?, column(1, &DataType::UInt32)?);
            let (ids, attempts) = (ids.as_string::<i32>(), attempts.as_primitive::<UInt32Type>());
            let rows = ids.iter().zip(attempts.iter());
            known.extend(rows.filter_map(|(id, attempt)| Some((id?.to_owned(), attempt?))));
        }
        Ok(known)
    })
}
