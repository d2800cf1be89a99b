//! Rows of an answer on stdout, in the form that was asked for, as they come.
//!
//! Memory is bounded by a batch; a table for people holds its first rows until it knows how wide they are.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Fields, SchemaRef};
use arrow_json::writer::LineDelimited;
use arrow_json::{Writer, WriterBuilder};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::Paint;
use crate::args::RowsFormat;
use crate::config::Environment;

mod csv;
mod table;
mod value;

use csv::Csv;
use table::Table;

/// Who reads the rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Screen {
    /// Whether a terminal shows them, which they must not drive.
    is_terminal: bool,
    paint: Paint,
}

impl Screen {
    /// Looks at stdout.
    pub(crate) fn of_stdout(environment: &Environment) -> Self {
        Self { is_terminal: io::stdout().is_terminal(), paint: Paint::for_stdout(environment) }
    }
}

/// Writes rows in one form.
pub(crate) struct RowsWriter<W: Write + Send> {
    form: Form<W>,
    rows: u64,
}

enum Form<W: Write + Send> {
    Table(Box<Table>, W),
    Csv(Csv, W),
    /// Whether a list is around the lines.
    Json(W, bool),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> RowsWriter<W> {
    /// Begins.
    ///
    /// # Errors
    /// `InvalidData` where rows of these columns cannot be written in that form.
    pub(crate) fn new(format: RowsFormat, mut to: W, schema: &SchemaRef, screen: Screen) -> io::Result<Self> {
        let form = match format {
            RowsFormat::Table => Form::Table(Box::new(Table::new(schema, screen.paint)), to),
            RowsFormat::Csv => {
                let csv = Csv::new(screen.is_terminal);
                csv.header(schema, &mut to)?;
                Form::Csv(csv, to)
            }
            RowsFormat::Json | RowsFormat::Ndjson => {
                refuse_repeated(schema.fields())?;
                Form::Json(to, format == RowsFormat::Json)
            }
            RowsFormat::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .build();
                let writer = ArrowWriter::try_new(to, SchemaRef::clone(schema), Some(properties));
                Form::Parquet(Box::new(writer.map_err(parquet_failure)?))
            }
        };
        Ok(Self { form, rows: 0 })
    }

    /// Writes some rows.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        match &mut self.form {
            Form::Table(table, to) => table.write(batch, to)?,
            Form::Csv(csv, to) => csv.write(batch, to)?,
            Form::Json(to, is_list) => write_json(batch, is_list.then_some(self.rows), to)?,
            Form::Parquet(writer) => writer.write(batch).map_err(parquet_failure)?,
        }
        self.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Ends, and returns how many rows there were.
    pub(crate) fn end(self) -> io::Result<u64> {
        match self.form {
            Form::Table(table, mut to) => {
                table.end(&mut to)?;
                to.flush()?;
            }
            Form::Csv(_, mut to) => to.flush()?,
            Form::Json(mut to, is_list) => {
                if is_list {
                    to.write_all(if self.rows == 0 { b"[]\n" } else { b"\n]\n" })?;
                }
                to.flush()?;
            }
            Form::Parquet(writer) => writer.into_inner().map_err(parquet_failure)?.flush()?,
        }
        Ok(self.rows)
    }
}

/// Refuses columns of one name, which an object cannot tell apart.
fn refuse_repeated(fields: &Fields) -> io::Result<()> {
    let mut names = HashSet::new();
    match fields.iter().find(|field| !names.insert(field.name())) {
        Some(field) => {
            let name = field.name();
            Err(unfit(format!("two columns have the name `{name}`; give one of them another with `as`")))
        }
        None => Ok(()),
    }
}

/// Writes an object a line; in a list, of which so many rows are written, with commas between.
fn write_json(batch: &RecordBatch, list: Option<u64>, to: &mut impl Write) -> io::Result<()> {
    let mut writer: Writer<_, LineDelimited> =
        WriterBuilder::new().with_explicit_nulls(true).build(Vec::new());
    writer.write(batch).and_then(|()| writer.finish()).map_err(unfit)?;
    let text = String::from_utf8(writer.into_inner()).map_err(unfit)?;
    for (number, line) in (0_u64..).zip(text.lines()) {
        let line = super::json::escaped(line);
        match list {
            None => writeln!(to, "{line}")?,
            Some(before) => {
                let open = if before + number == 0 { "[\n" } else { ",\n" };
                write!(to, "{open}{line}")?;
            }
        }
    }
    Ok(())
}

/// Says that rows cannot be written in a form.
fn unfit(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Tells a failure of the place that a Parquet file goes to from rows that do not fit into one.
fn parquet_failure(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(failure) => *failure,
            Err(source) => unfit(source),
        },
        other => unfit(other),
    }
}

/// Names a type as SQL does.
pub(crate) fn kind(kind: &DataType) -> &'static str {
    match kind {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text",
        DataType::Int8 | DataType::Int16 | DataType::Int32 => "int",
        DataType::Int64 => "bigint",
        DataType::Float32 | DataType::Float64 => "double",
        DataType::Boolean => "boolean",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(..) => "timestamp",
        DataType::List(_) | DataType::LargeList(_) => "list of texts",
        DataType::Map(..) => "texts by name",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
