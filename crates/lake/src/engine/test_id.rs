//! The function `test_id(repo, file, suite, class, name)`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray, StringBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use testlake_report::identity::TestId;
use testlake_report::{Case, Fold, Outcome};

use crate::schema::texts_item;

/// Computes test ids, as `docs/identity.md` defines them, with nothing folded.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TestIdOf {
    signature: Signature,
}

impl TestIdOf {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for TestIdOf {
    fn name(&self) -> &'static str {
        "test_id"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if types.len() != 5 {
            return plan_err!("test_id takes a repository, a file, a list of suites, a class and a name");
        }
        let suites = DataType::List(texts_item());
        Ok(vec![DataType::Utf8, DataType::Utf8, suites, DataType::Utf8, DataType::Utf8])
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [repo, file, suite, class, name] = columns.as_slice() else {
            return exec_err!("test_id takes five arguments");
        };
        let texts = |column: &ArrayRef| -> Result<StringArray> {
            Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
        };
        let (repo, file, class, name) = (texts(repo)?, texts(file)?, texts(class)?, texts(name)?);
        let suites = match suite.as_list_opt::<i32>() {
            Some(suites) => suites.clone(),
            None => return exec_err!("test_id takes a list of suites"),
        };
        let mut ids = StringBuilder::with_capacity(args.number_rows, 32 * args.number_rows);
        let mut last: Option<(usize, TestId)> = None;
        for row in 0..name.len() {
            let same = |column: &StringArray, other: usize| text(column, row) == text(column, other);
            let id = match last {
                // After `optimize` the rows of a test lie together.
                Some((other, id))
                    if [&name, &class, &file, &repo].into_iter().all(|column| same(column, other))
                        && suites_of(&suites, row)? == suites_of(&suites, other)? =>
                {
                    id
                }
                _ => {
                    let mut case = Case::new(Outcome::Passed, 0);
                    case.file = text(&file, row).map(Into::into);
                    case.class = text(&class, row).map(Into::into);
                    case.name = text(&name, row).map(Into::into);
                    case.suite = suites_of(&suites, row)?.into_iter().map(Into::into).collect();
                    TestId::of(text(&repo, row).unwrap_or_default(), &case, Fold::NOTHING)
                }
            };
            last = Some((row, id));
            ids.append_value(id.to_string());
        }
        Ok(ColumnarValue::Array(Arc::new(ids.finish())))
    }
}

fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn suites_of(suites: &ListArray, row: usize) -> Result<Vec<String>> {
    if suites.is_null(row) {
        return Ok(Vec::new());
    }
    let names = cast(&suites.value(row), &DataType::Utf8)?;
    Ok(names.as_string::<i32>().iter().map(|name| name.unwrap_or_default().to_owned()).collect())
}
