//! Values with commas between (RFC 4180, with a line feed at the end of a line).
//!
//! Null is nothing at all, an empty text is `""`.

use std::borrow::Cow;
use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::value::Column;
use crate::render::for_terminal;

pub(super) struct Csv {
    /// Whether a terminal shows them, which they must not drive: what they hold is then escaped, and no data any more.
    is_shown: bool,
}

impl Csv {
    pub(super) fn new(is_shown: bool) -> Self {
        Self { is_shown }
    }

    pub(super) fn header(&self, schema: &SchemaRef, to: &mut impl Write) -> io::Result<()> {
        for (number, field) in schema.fields().iter().enumerate() {
            self.field(number, Some(field.name()), to)?;
        }
        to.write_all(b"\n")
    }

    pub(super) fn write(&self, batch: &RecordBatch, to: &mut impl Write) -> io::Result<()> {
        let columns = batch.columns().iter().map(Column::new).collect::<io::Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            for (number, column) in columns.iter().enumerate() {
                self.field(number, column.text(row)?.as_deref(), to)?;
            }
            to.write_all(b"\n")?;
        }
        Ok(())
    }

    fn field(&self, number: usize, text: Option<&str>, to: &mut impl Write) -> io::Result<()> {
        if number > 0 {
            to.write_all(b",")?;
        }
        let Some(text) = text else { return Ok(()) };
        let text = if self.is_shown { for_terminal(text) } else { Cow::Borrowed(text) };
        if text.is_empty()
            || text.contains([',', '"', '\n', '\r'])
            || text.starts_with(' ')
            || text.ends_with(' ')
        {
            write!(to, "\"{}\"", text.replace('"', "\"\""))
        } else {
            to.write_all(text.as_bytes())
        }
    }
}
