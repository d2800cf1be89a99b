//! Columns for people.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::value::Column;
use crate::render::{Paint, Tone, for_terminal};

/// Rows that are held until the columns' widths are known. What comes later and is wider stands out.
const HELD: usize = 1000;
/// The widest that a value is shown.
const WIDEST: usize = 80;

pub(super) struct Table {
    names: Vec<String>,
    is_number: Vec<bool>,
    /// The first rows, until they are shown.
    held: Vec<Vec<Option<String>>>,
    /// How wide the columns are; known when the first rows are shown.
    widths: Option<Vec<usize>>,
    paint: Paint,
}

impl Table {
    pub(super) fn new(schema: &SchemaRef, paint: Paint) -> Self {
        Self {
            names: schema.fields().iter().map(|field| cell(field.name())).collect(),
            is_number: schema.fields().iter().map(|field| field.data_type().is_numeric()).collect(),
            held: Vec::new(),
            widths: None,
            paint,
        }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch, to: &mut impl Write) -> io::Result<()> {
        let columns = batch.columns().iter().map(Column::new).collect::<io::Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            let cells = columns
                .iter()
                .map(|column| Ok(column.text(row)?.as_deref().map(cell)))
                .collect::<io::Result<Vec<_>>>()?;
            match &self.widths {
                Some(widths) => self.row(&cells, widths, to)?,
                None => self.held.push(cells),
            }
            if self.held.len() >= HELD {
                self.show_held(to)?;
            }
        }
        Ok(())
    }

    pub(super) fn end(mut self, to: &mut impl Write) -> io::Result<()> {
        if self.widths.is_none() { self.show_held(to) } else { Ok(()) }
    }

    fn show_held(&mut self, to: &mut impl Write) -> io::Result<()> {
        let mut widths: Vec<usize> = self.names.iter().map(|name| name.width()).collect();
        for row in &self.held {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.as_deref().unwrap_or(NULL).width());
            }
        }
        let names: Vec<_> = self.names.iter().cloned().map(Some).collect();
        self.line(&names, &widths, Tone::Strong, to)?;
        for row in std::mem::take(&mut self.held) {
            self.row(&row, &widths, to)?;
        }
        self.widths = Some(widths);
        Ok(())
    }

    fn row(&self, cells: &[Option<String>], widths: &[usize], to: &mut impl Write) -> io::Result<()> {
        self.line(cells, widths, Tone::Plain, to)
    }

    fn line(
        &self,
        cells: &[Option<String>],
        widths: &[usize],
        tone: Tone,
        to: &mut impl Write,
    ) -> io::Result<()> {
        let last = cells.len().saturating_sub(1);
        for (number, ((cell, width), is_number)) in cells.iter().zip(widths).zip(&self.is_number).enumerate()
        {
            let text = cell.as_deref().unwrap_or(NULL);
            let tone = if cell.is_none() { Tone::Faint } else { tone };
            let painted = self.paint.text(tone, text);
            let gap = " ".repeat(width.saturating_sub(text.width()));
            let between = if number > 0 { "  " } else { "" };
            match (is_number, number == last) {
                (true, _) => write!(to, "{between}{gap}{painted}")?,
                // Nothing behind the last.
                (false, true) => write!(to, "{between}{painted}")?,
                (false, false) => write!(to, "{between}{painted}{gap}")?,
            }
        }
        to.write_all(b"\n")
    }
}

/// What stands where there is no value. Nothing at all would be an empty text.
const NULL: &str = "NULL";

/// Makes a text safe, of one line, and not too wide.
fn cell(text: &str) -> String {
    // More is not looked at: a detail may be megabytes.
    let head: String = text.chars().take(WIDEST + 1).collect();
    let safe = for_terminal(&head.replace('\n', "⏎").replace('\t', " ")).into_owned();
    if safe.width() <= WIDEST && head.len() == text.len() {
        return safe;
    }
    let mut cut = String::new();
    let mut width = 0;
    for c in safe.chars() {
        width += c.width().unwrap_or(0);
        if width >= WIDEST {
            break;
        }
        cut.push(c);
    }
    cut.push('…');
    cut
}
