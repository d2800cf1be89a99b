//! The tables, column by column: what is stored, since which version.
//!
//! `docs/format.md` is held to this list by a test. A column is never renamed or given another meaning; a new one may
//! be absent from old files, and is then null.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use deltalake_core::kernel::{
    ArrayType, DataType as DeltaType, MapType, PrimitiveType, StructField, StructType,
};

/// The version of the form that this program writes, and the highest that it reads.
pub const VERSION: u32 = 1;
/// The property of each table that holds the version.
pub const VERSION_PROPERTY: &str = "testlake.version";
/// The column that results are partitioned by. It is in the log, not in the files.
pub const PARTITION: &str = "date";

/// A table of a lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableKind {
    /// An attempt of a run in a row.
    Runs,
    /// A case on a job in a row.
    Results,
    /// Something wrong with the input in a row.
    Findings,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text in UTF-8.
    Text,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// A floating-point number of 64 bits.
    Double,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// A point in time, UTC, in microseconds.
    Time,
    /// Texts in order.
    Texts,
    /// Texts by name.
    Tags,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether a row may have nothing there.
    pub nullable: bool,
    /// The version of the form that it came with.
    pub since: u32,
    /// What it says, in one sentence; units included.
    pub text: &'static str,
}

const fn column(name: &'static str, kind: Kind, nullable: bool, text: &'static str) -> Column {
    Column { name, kind, nullable, since: 1, text }
}

const REPO: Column = column("repo", Kind::Text, true, "The repository, `owner/name`.");
const RUN_ID: Column = column("run_id", Kind::Text, false, "The provider's id of the run; some use UUIDs.");
const ATTEMPT: Column = column("attempt", Kind::Int, false, "The attempt of the run, counted from 1.");

const RUNS: &[Column] = &[
    REPO,
    RUN_ID,
    ATTEMPT,
    column("provider", Kind::Text, true, "Whose run it is, in one word: `github`, `circleci`."),
    column("workflow", Kind::Text, true, "The workflow's name."),
    column("event", Kind::Text, true, "What made the run begin, in the provider's word."),
    column("branch", Kind::Text, true, "The branch that was tested."),
    column(
        "head_repo",
        Kind::Text,
        true,
        "The repository that the branch lies in; a fork's for a pull request from one.",
    ),
    column("commit", Kind::Text, true, "The commit that was tested; of a pull request its last."),
    column("merge_base", Kind::Text, true, "The last commit in common with the branch that it is for."),
    column("pull_request", Kind::Long, true, "The number of the pull request."),
    column("started", Kind::Time, true, "When the attempt began."),
    column("ended", Kind::Time, true, "When the attempt ended."),
    column("taken_in", Kind::Time, false, "When the row was written."),
    column(
        "verdict",
        Kind::Text,
        true,
        "`complete`, `partial` or `empty`, as in the ledger; null where no ledger was made (`upload`).",
    ),
    column("artifacts", Kind::Long, true, "Artifacts that were listed and wanted."),
    column("artifacts_read", Kind::Long, true, "Those of which all was read."),
    column("reports", Kind::Long, true, "Reports that were found."),
    column("reports_read", Kind::Long, true, "Those that were read whole."),
    column(
        "cases",
        Kind::Long,
        true,
        "Cases: rows of `results` that were taken in with the ledger. The next four are the same by outcome.",
    ),
    column("passed", Kind::Long, true, "Cases that passed."),
    column("failed", Kind::Long, true, "Cases that failed."),
    column("errored", Kind::Long, true, "Cases that ended in an error."),
    column("skipped", Kind::Long, true, "Cases that were skipped."),
    column("flaky", Kind::Long, true, "Cases whose tries differ in outcome."),
    column("findings", Kind::Long, true, "Findings in the ledger."),
    column("jobs_without_report", Kind::Long, true, "Jobs that left no report."),
    column("tags", Kind::Tags, true, "Names and values given on taking in."),
];

const RESULTS: &[Column] = &[
    REPO,
    RUN_ID,
    ATTEMPT,
    column("artifact", Kind::Text, false, "The artifact that the report lay in."),
    column("report", Kind::Text, false, "The report's path in the artifact."),
    column("ordinal", Kind::Long, false, "The number of the case in its report, from 0."),
    column("job", Kind::Text, true, "The provider's id of the job."),
    column("job_name", Kind::Text, true, "The job's name."),
    column("variant", Kind::Text, true, "The build and configuration that the job ran."),
    column("commit", Kind::Text, true, "The commit that was tested, as in `runs`."),
    column("branch", Kind::Text, true, "The branch that was tested, as in `runs`."),
    column("file", Kind::Text, true, "The source file, as the runner writes it."),
    column("suite", Kind::Texts, false, "The names of the suites around the case, the outermost first."),
    column("class", Kind::Text, true, "The class or module that the runner gives beside the suite."),
    column("name", Kind::Text, true, "The case's name."),
    column("line", Kind::Long, true, "The line in the source file."),
    column(
        "outcome",
        Kind::Text,
        false,
        "`passed`, `failed`, `errored` or `skipped`: how the last try ended.",
    ),
    column("flaky", Kind::Boolean, false, "Whether its tries differ in outcome."),
    column("tries", Kind::Int, false, "How often it was tried; 1 where the report names no tries."),
    column("seconds", Kind::Double, true, "How long it took, in seconds, as the report says."),
    column(
        "started",
        Kind::Time,
        true,
        "When it began, as the report says; read as UTC where it names no zone.",
    ),
    column("kind", Kind::Text, true, "The class of the failure: `AssertionError`."),
    column(
        "message",
        Kind::Text,
        true,
        "What went wrong, or why it was skipped, in a sentence of the runner's.",
    ),
    column("detail", Kind::Text, true, "The long text of a failure: a stack trace, a difference."),
    column("tags", Kind::Tags, true, "Names and values given on taking in."),
    column(
        PARTITION,
        Kind::Date,
        false,
        "The day (UTC) that the run began; where that is not known, that the first case with a time of its report began; else that it was taken in.",
    ),
];

const FINDINGS: &[Column] = &[
    REPO,
    RUN_ID,
    ATTEMPT,
    column("artifact", Kind::Text, false, "The artifact."),
    column("report", Kind::Text, true, "The path in the artifact; null where the artifact itself is meant."),
    column("code", Kind::Text, false, "The finding's stable code."),
    column("byte_offset", Kind::Long, true, "The byte that it is at in the report."),
    column("text", Kind::Text, false, "A sentence about it."),
    column("taken_in", Kind::Time, false, "When the row was written."),
];

impl TableKind {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Runs, Self::Results, Self::Findings];

    /// Returns its name, which is that of its folder in the lake and in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Results => "results",
            Self::Findings => "findings",
        }
    }

    /// Returns its columns, in order; that of the partition last.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Runs => RUNS,
            Self::Results => RESULTS,
            Self::Findings => FINDINGS,
        }
    }

    /// Returns the column that it is partitioned by.
    pub const fn partition(self) -> Option<&'static str> {
        match self {
            Self::Results => Some(PARTITION),
            Self::Runs | Self::Findings => None,
        }
    }

    /// Returns the columns that the log has the least and the greatest value of, file by file.
    pub(crate) const fn with_statistics(self) -> &'static [&'static str] {
        match self {
            Self::Runs => &["repo", "run_id", "attempt", "workflow", "branch", "commit", "started"],
            Self::Results => &[
                "repo", "run_id", "attempt", "artifact", "job", "commit", "branch", "file", "class", "name",
                "outcome", "started",
            ],
            Self::Findings => &["repo", "run_id", "attempt", "artifact", "code"],
        }
    }

    /// Returns the columns that rows of a file are sorted by.
    pub(crate) const fn sorted_by(self) -> &'static [&'static str] {
        match self {
            Self::Runs | Self::Findings => &["repo", "run_id", "attempt"],
            Self::Results => &["file", "class", "name"],
        }
    }

    /// Returns the schema of its Parquet files: all columns but that of the partition.
    pub fn file_schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<[SchemaRef; 3]> = LazyLock::new(|| {
            TableKind::ALL.map(|kind| {
                let stored = kind.columns().iter().filter(|column| Some(column.name) != kind.partition());
                Arc::new(Schema::new(stored.map(|column| column.to_arrow()).collect::<Vec<_>>()))
            })
        });
        let [runs, results, findings] = &*SCHEMAS;
        Arc::clone(match self {
            Self::Runs => runs,
            Self::Results => results,
            Self::Findings => findings,
        })
    }

    /// Returns the schema that the Delta log holds.
    pub(crate) fn delta_fields(self) -> Vec<StructField> {
        self.columns().iter().map(|column| column.to_delta()).collect()
    }

    /// Returns the schema that the Delta log holds, whole.
    pub(crate) fn delta_schema(self) -> Result<StructType, deltalake_core::DeltaTableError> {
        Ok(StructType::try_new(self.delta_fields())?)
    }
}

impl Column {
    /// Returns the field of Arrow.
    pub fn to_arrow(self) -> Field {
        Field::new(self.name, self.kind.to_arrow(), self.nullable)
    }

    fn to_delta(self) -> StructField {
        let kind = match self.kind {
            Kind::Text => DeltaType::Primitive(PrimitiveType::String),
            Kind::Int => DeltaType::Primitive(PrimitiveType::Integer),
            Kind::Long => DeltaType::Primitive(PrimitiveType::Long),
            Kind::Double => DeltaType::Primitive(PrimitiveType::Double),
            Kind::Boolean => DeltaType::Primitive(PrimitiveType::Boolean),
            Kind::Date => DeltaType::Primitive(PrimitiveType::Date),
            Kind::Time => DeltaType::Primitive(PrimitiveType::Timestamp),
            Kind::Texts => ArrayType::new(DeltaType::Primitive(PrimitiveType::String), false).into(),
            Kind::Tags => MapType::new(
                DeltaType::Primitive(PrimitiveType::String),
                DeltaType::Primitive(PrimitiveType::String),
                false,
            )
            .into(),
        };
        StructField::new(self.name, kind, self.nullable)
    }
}

impl Kind {
    /// Returns the word for it in the documentation, which is Delta's type.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int => "integer",
            Self::Long => "long",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time => "timestamp",
            Self::Texts => "array of string",
            Self::Tags => "map of string to string",
        }
    }

    fn to_arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Texts => DataType::List(texts_item()),
            Self::Tags => DataType::Map(tags_entries(), false),
        }
    }
}

/// Returns the field of a list's items.
pub(crate) fn texts_item() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, false))
}

/// Returns the field of a map's entries.
pub(crate) fn tags_entries() -> Arc<Field> {
    let fields = vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, false)];
    Arc::new(Field::new("key_value", DataType::Struct(fields.into()), false))
}
