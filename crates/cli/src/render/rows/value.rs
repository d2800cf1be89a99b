//! A value of a row as text.

use std::io;

use arrow::array::{Array, ArrayRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// The values of a column as text.
pub(super) struct Column<'array> {
    array: &'array dyn Array,
    text: Text<'array>,
}

enum Text<'array> {
    /// As it displays.
    Plain(ArrayFormatter<'array>),
    /// Lists and objects, as JSON.
    Json(Vec<String>),
}

impl<'array> Column<'array> {
    pub(super) fn new(array: &'array ArrayRef) -> io::Result<Self> {
        let text = if array.data_type().is_nested() {
            Text::Json(as_json(array)?)
        } else {
            let formatter = ArrayFormatter::try_new(&**array, &OPTIONS);
            Text::Plain(formatter.map_err(super::unfit)?)
        };
        Ok(Self { array: &**array, text })
    }

    /// Returns the text of a value; nothing for null.
    pub(super) fn text(&self, row: usize) -> io::Result<Option<String>> {
        if self.array.is_null(row) {
            return Ok(None);
        }
        match &self.text {
            Text::Plain(formatter) => formatter.value(row).try_to_string().map(Some).map_err(super::unfit),
            Text::Json(texts) => Ok(texts.get(row).cloned()),
        }
    }
}

const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_display_error(false);

/// Renders each value as JSON: as the only column of objects, whose name is taken off again.
fn as_json(array: &ArrayRef) -> io::Result<Vec<String>> {
    use arrow::array::RecordBatch;
    use arrow_json::writer::LineDelimited;
    let batch = RecordBatch::try_from_iter_with_nullable([("v", ArrayRef::clone(array), true)]);
    let mut writer: arrow_json::Writer<_, LineDelimited> =
        arrow_json::WriterBuilder::new().with_explicit_nulls(true).build(Vec::new());
    let batch = batch.map_err(super::unfit)?;
    writer.write(&batch).and_then(|()| writer.finish()).map_err(super::unfit)?;
    let text = String::from_utf8(writer.into_inner()).map_err(super::unfit)?;
    let value = |line: &str| {
        let value = line.strip_prefix("{\"v\":").and_then(|rest| rest.strip_suffix('}'));
        value.unwrap_or(line).to_owned()
    };
    Ok(text.lines().map(value).collect())
}
