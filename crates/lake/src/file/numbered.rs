//! Columns of Parquet made of numbers that stand for texts.
//!
//! While a run is taken in, its texts have numbers already: a column of those becomes the pages of a dictionary as it is,
//! where the usual writer would look each row's text up again, and compare it.

use bytes::Bytes;
use datafusion::arrow::array::{Array, AsArray, DictionaryArray, Int32Array, StringArray};
use datafusion::arrow::datatypes::Int32Type;
use parquet::basic::{Compression, Encoding, PageType, Type};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnDescPtr, ColumnPath};
use zstd::bulk::Compressor;

use super::statistics::{lower_bound, upper_bound};

/// Stands for a value that no row has.
const UNUSED: u32 = u32::MAX;
/// Equal numbers in a row from which on they are written as one, which the format asks for in eights.
const RUN: usize = 8;

/// Makes the chunks of such columns.
pub(super) struct NumberedWriter<'a> {
    properties: &'a WriterProperties,
    page_rows: usize,
    dictionary_bytes: usize,
    compression: Compression,
    compressor: Compressor<'static>,
}

/// The values of a dictionary that rows have, in the order in which they come.
struct Used<'a> {
    values: Vec<&'a str>,
    bytes: usize,
    /// The number of each row's value among them; absent where it has none.
    rows: Vec<Option<u32>>,
    nulls: usize,
}

impl<'a> Used<'a> {
    fn new(keys: &Int32Array, texts: &'a StringArray) -> Option<Self> {
        let mut places = vec![UNUSED; texts.len()];
        let mut used = Self { values: Vec::new(), bytes: 0, rows: Vec::with_capacity(keys.len()), nulls: 0 };
        for key in keys {
            let Some(key) = key else {
                used.rows.push(None);
                used.nulls += 1;
                continue;
            };
            let key = usize::try_from(key).ok()?;
            let place = places.get_mut(key)?;
            if *place == UNUSED {
                *place = u32::try_from(used.values.len()).ok()?;
                let text = texts.value(key);
                used.bytes += text.len() + 4;
                used.values.push(text);
            }
            used.rows.push(Some(*place));
        }
        Some(used)
    }

    /// Returns the bits that a number takes.
    fn width(&self) -> u32 {
        let greatest = u32::try_from(self.values.len().saturating_sub(1)).unwrap_or(u32::MAX);
        u32::BITS - greatest.leading_zeros()
    }

    /// Returns the bounds of a page's rows. `seen` has for each value the page that had it last.
    fn bounds(&self, rows: &[Option<u32>], page: usize, seen: &mut [usize]) -> Bounds<'a> {
        let mut bounds = Bounds::default();
        for row in rows.iter().flatten() {
            let row = usize::try_from(*row).unwrap_or(usize::MAX);
            if let (Some(seen), Some(text)) = (seen.get_mut(row), self.values.get(row))
                && *seen != page
            {
                *seen = page;
                bounds.add(text);
            }
        }
        bounds
    }

    fn dictionary(&self) -> Vec<u8> {
        let mut page = Vec::with_capacity(self.bytes);
        for text in &self.values {
            page.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
            page.extend_from_slice(text.as_bytes());
        }
        page
    }
}

/// The least and the greatest text of some rows.
#[derive(Debug, Clone, Copy, Default)]
struct Bounds<'a>(Option<(&'a str, &'a str)>);

impl<'a> Bounds<'a> {
    fn add(&mut self, text: &'a str) {
        self.0 = Some(self.0.map_or((text, text), |(low, high)| (low.min(text), high.max(text))));
    }
}

impl<'a> NumberedWriter<'a> {
    /// Makes the writer; nothing where the properties ask for another compression.
    pub(super) fn new(
        properties: &'a WriterProperties,
        page_rows: usize,
        dictionary_bytes: usize,
    ) -> Option<Self> {
        let compression = properties.compression(&ColumnPath::new(Vec::new()));
        let Compression::ZSTD(level) = compression else { return None };
        let compressor = Compressor::new(level.compression_level()).ok()?;
        Some(Self { properties, page_rows, dictionary_bytes, compression, compressor })
    }

    /// Makes the chunk of a column; nothing where it is no such column, or better written as another.
    pub(super) fn chunk(
        &mut self,
        descriptor: &ColumnDescPtr,
        column: &dyn Array,
    ) -> Option<Result<(Bytes, ColumnCloseResult)>> {
        let column: &DictionaryArray<Int32Type> = column.as_dictionary_opt()?;
        let texts: &StringArray = column.values().as_string_opt()?;
        let is_flat = descriptor.max_rep_level() == 0 && descriptor.max_def_level() <= 1;
        if !is_flat || texts.null_count() > 0 {
            return None;
        }
        let used = Used::new(column.keys(), texts)?;
        let is_nullable = descriptor.max_def_level() == 1;
        if used.values.is_empty() || used.bytes > self.dictionary_bytes || (used.nulls > 0 && !is_nullable) {
            return None;
        }
        Some(self.write(descriptor, &used))
    }

    fn write(&mut self, descriptor: &ColumnDescPtr, used: &Used<'_>) -> Result<(Bytes, ColumnCloseResult)> {
        let statistics = self.properties.statistics_enabled(descriptor.path());
        let mut sink = TrackedWrite::new(Vec::new());
        let mut pages = SerializedPageWriter::new(&mut sink);
        let mut index = ColumnIndexBuilder::new(Type::BYTE_ARRAY);
        let mut offsets = OffsetIndexBuilder::new();

        let raw = used.dictionary();
        let page = Page::DictionaryPage {
            buf: self.compressed(&raw)?,
            num_values: number(used.values.len())?,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        let written = pages.write_page(CompressedPage::new(page, raw.len()))?;
        let (mut compressed, mut uncompressed) = (written.compressed_size, written.uncompressed_size);
        let mut data_offset = None;
        let mut of_all = Bounds::default();
        let mut seen = vec![usize::MAX; used.values.len()];
        let mut count = 0;
        let mut raw = Vec::new();
        for (place, rows) in used.rows.chunks(self.page_rows).enumerate() {
            let bounds = used.bounds(rows, place, &mut seen);
            let present = data_page(rows, descriptor.max_def_level() == 1, used.width(), &mut raw)?;
            let page = Page::DataPage {
                buf: self.compressed(&raw)?,
                num_values: number(rows.len())?,
                encoding: Encoding::RLE_DICTIONARY,
                def_level_encoding: Encoding::RLE,
                rep_level_encoding: Encoding::RLE,
                statistics: None,
            };
            let written = pages.write_page(CompressedPage::new(page, raw.len()))?;
            data_offset.get_or_insert(written.offset);
            compressed += written.compressed_size;
            uncompressed += written.uncompressed_size;
            count += 1;
            offsets.append_offset_and_size(signed(written.offset)?, number(written.compressed_size)?);
            offsets.append_row_count(number(rows.len())?);
            let nulls = number(rows.len() - present)?;
            match bounds.0 {
                Some((low, high)) => {
                    of_all.add(low);
                    of_all.add(high);
                    index.append(false, lower_bound(low).into(), upper_bound(high).into(), nulls);
                }
                None => index.append(true, Vec::new(), Vec::new(), nulls),
            }
        }
        let stats = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        let mut metadata = ColumnChunkMetaData::builder(descriptor.clone())
            .set_compression(self.compression)
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_page_encoding_stats(vec![
                stats(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1),
                stats(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY, count),
            ])
            .set_total_compressed_size(number(compressed)?)
            .set_total_uncompressed_size(number(uncompressed)?)
            .set_num_values(number(used.rows.len())?)
            .set_dictionary_page_offset(Some(0))
            .set_data_page_offset(signed(data_offset.unwrap_or_default())?);
        if statistics != EnabledStatistics::None {
            metadata = metadata.set_statistics(chunk_statistics(of_all, used.nulls));
        }
        let with_index = statistics == EnabledStatistics::Page;
        let closed = ColumnCloseResult {
            bytes_written: number(compressed)?,
            rows_written: number(used.rows.len())?,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: if with_index { Some(index.build()?) } else { None },
            offset_index: Some(offsets.build()),
        };
        Ok((sink.into_inner()?.into(), closed))
    }

    fn compressed(&mut self, raw: &[u8]) -> Result<Bytes> {
        let compressed = self.compressor.compress(raw);
        Ok(compressed.map_err(|error| ParquetError::External(error.into()))?.into())
    }
}

fn chunk_statistics(bounds: Bounds<'_>, nulls: usize) -> Statistics {
    let (low, high) = bounds.0.unzip();
    let (least, greatest) = (low.map(lower_bound), high.map(upper_bound));
    let exact = (least.as_deref() == low, greatest.as_deref() == high);
    let bytes = |text: Option<String>| text.map(|text| ByteArray::from(text.into_bytes()));
    let statistics =
        ValueStatistics::new(bytes(least), bytes(greatest), None, u64::try_from(nulls).ok(), false);
    statistics.with_min_is_exact(exact.0).with_max_is_exact(exact.1).into()
}

/// Writes a page of rows; returns how many have a value.
fn data_page(rows: &[Option<u32>], is_nullable: bool, width: u32, page: &mut Vec<u8>) -> Result<usize> {
    page.clear();
    let present: Vec<u32> = rows.iter().flatten().copied().collect();
    if is_nullable {
        page.extend_from_slice(&[0; 4]);
        if present.len() == rows.len() {
            run(rows.len(), 1, 1, page);
        } else {
            let levels: Vec<u32> = rows.iter().map(|row| u32::from(row.is_some())).collect();
            hybrid(&levels, 1, page);
        }
        let length: u32 = number(page.len() - 4)?;
        for (byte, of_length) in page.iter_mut().zip(length.to_le_bytes()) {
            *byte = of_length;
        }
    }
    page.push(number(usize::try_from(width).unwrap_or(0))?);
    hybrid(&present, width, page);
    Ok(present.len())
}

/// Writes numbers of so many bits: equal ones as a run, others packed, in eights.
fn hybrid(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    let mut rest = numbers;
    while let Some(first) = rest.first() {
        let equal = rest.iter().take_while(|number| *number == first).count();
        if equal >= RUN || equal == rest.len() {
            run(equal, *first, width, out);
            rest = rest.get(equal..).unwrap_or_default();
            continue;
        }
        let is_run = |at: usize| {
            let next = rest.get(at..at + RUN);
            next.is_some_and(|next| next.iter().all(|number| Some(number) == next.first()))
        };
        let groups = (1..).find(|groups| groups * RUN >= rest.len() || is_run(groups * RUN)).unwrap_or(1);
        let (packed, behind) = rest.split_at((groups * RUN).min(rest.len()));
        varint(groups << 1 | 1, out);
        pack(packed, groups * RUN, width, out);
        rest = behind;
    }
}

fn run(length: usize, number: u32, width: u32, out: &mut Vec<u8>) {
    varint(length << 1, out);
    let bytes = usize::try_from(width.div_ceil(8)).unwrap_or(0);
    out.extend(number.to_le_bytes().into_iter().take(bytes));
}

/// Packs numbers, the first in the lowest bits, with zeros behind them up to so many numbers.
fn pack(numbers: &[u32], count: usize, width: u32, out: &mut Vec<u8>) {
    let (mut bits, mut filled) = (0_u64, 0);
    let zeros = std::iter::repeat_n(&0, count.saturating_sub(numbers.len()));
    for number in numbers.iter().chain(zeros) {
        // Fewer than 8 bits wait, and a number has 32 at most.
        bits |= u64::from(*number) << filled;
        filled += width;
        while filled >= 8 {
            let [lowest, ..] = bits.to_le_bytes();
            out.push(lowest);
            bits >>= 8;
            filled -= 8;
        }
    }
}

fn varint(mut number: usize, out: &mut Vec<u8>) {
    loop {
        let [lowest, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            out.push(lowest);
            return;
        }
        out.push(lowest | 0x80);
    }
}

fn number<T: TryFrom<usize>>(number: usize) -> Result<T> {
    T::try_from(number).map_err(|_| ParquetError::General(format!("{number} is more than a page holds")))
}

fn signed(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|error| ParquetError::External(error.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, StringArray};
    use datafusion::arrow::compute::cast;
    use datafusion::arrow::datatypes::{DataType, Field, Schema};
    use datafusion::arrow::record_batch::RecordBatch;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
    use proptest::prelude::*;

    use super::*;
    use crate::file::{Effort, FileWriter, write_whole};
    use crate::schema::TableKind;

    /// Reads numbers back as the format says, in another way than they were written.
    fn read_back(bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        let mut at = 0;
        while numbers.len() < count {
            let (mut header, mut shift) = (0_usize, 0);
            loop {
                let byte = bytes[at];
                at += 1;
                header |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            if header & 1 == 0 {
                let bytes_of = width.div_ceil(8) as usize;
                let mut value = [0; 4];
                value[..bytes_of].copy_from_slice(&bytes[at..at + bytes_of]);
                at += bytes_of;
                numbers.extend(std::iter::repeat_n(u32::from_le_bytes(value), header >> 1));
            } else {
                for number in 0..(header >> 1) * 8 {
                    let bit = |of: u32| {
                        let bit = number * width as usize + of as usize;
                        u32::from(bytes[at + bit / 8] >> (bit % 8) & 1) << of
                    };
                    numbers.push((0..width).map(bit).sum());
                }
                at += (header >> 1) * width as usize;
            }
        }
        assert_eq!(at, bytes.len());
        numbers.truncate(count);
        numbers
    }

    fn metadata(bytes: &Bytes) -> ParquetMetaData {
        let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
        reader.parse_and_finish(bytes).unwrap()
    }

    /// Returns what a file has in it, and what it says of it.
    fn read(bytes: &Bytes) -> (Vec<ArrayRef>, Vec<String>) {
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
        let batches: Vec<_> =
            reader.with_batch_size(1 << 20).build().unwrap().collect::<Result<_, _>>().unwrap();
        let metadata = metadata(bytes);
        let group = metadata.row_group(0);
        let told = group.columns().iter().enumerate().map(|(place, column)| {
            let index = &metadata.column_index().unwrap()[0][place];
            let rows: Vec<i64> = metadata.offset_index().unwrap()[0][place]
                .page_locations()
                .iter()
                .map(|page| page.first_row_index)
                .collect();
            let nulls: Vec<_> = index.null_counts().cloned().unwrap_or_default();
            let statistics = column.statistics().unwrap();
            let bounds = (statistics.min_bytes_opt(), statistics.max_bytes_opt());
            format!(
                "{} {:?} {rows:?} {nulls:?} {bounds:?} {:?}",
                column.num_values(),
                statistics.null_count_opt(),
                (0..rows.len()).map(|page| index.is_null_page(page)).collect::<Vec<_>>(),
            )
        });
        (batches.first().unwrap().columns().to_vec(), told.collect())
    }

    fn column(numbers: &[Option<i32>], values: &[&str]) -> ArrayRef {
        let keys = Int32Array::from(numbers.to_vec());
        let values: StringArray = values.iter().map(Some).collect();
        Arc::new(DictionaryArray::try_new(keys, Arc::new(values)).unwrap())
    }

    #[test]
    fn a_column_is_read_as_if_the_usual_writer_had_written_it() {
        let rows = 40_000_i32;
        let texts: Vec<String> = (0..3000).map(|number| format!("test_{}", number * 7919 % 3001)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let all = |number: &dyn Fn(i32) -> Option<i32>| (0..rows).map(number).collect::<Vec<_>>();
        let columns = [
            ("same", column(&all(&|_| Some(1)), &texts)),
            ("none", column(&all(&|_| None), &texts)),
            ("runs", column(&all(&|row| Some(row / 37)), &texts)),
            ("mixed", column(&all(&|row| Some(row * 31 % 2999)), &texts)),
            ("holes", column(&all(&|row| (row % 5 > 1).then_some(row / 11 % 300)), &texts)),
            ("late", column(&all(&|row| (row > 20_000).then_some(row % 3)), &texts)),
            ("empty", column(&all(&|row| Some(row % 2)), &["", "ä"])),
        ];
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
            .collect();
        let columns: Vec<ArrayRef> = columns.into_iter().map(|(_, column)| column).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.clone()).unwrap();

        let ours = write_whole(TableKind::Runs, &batch, Effort::Quick).unwrap();
        let mut usual = FileWriter::new(TableKind::Runs, batch.schema(), Effort::Quick).unwrap();
        usual.write(&batch).unwrap();
        let usual = usual.finish().unwrap();
        assert_eq!(ours.statistics, usual.statistics);
        let ((read_ours, told), (read_usual, told_usual)) = (read(&ours.bytes), read(&usual.bytes));
        assert_eq!(told, told_usual);
        for ((ours, usual), given) in read_ours.iter().zip(&read_usual).zip(&columns) {
            assert_eq!(&cast(ours, &DataType::Utf8).unwrap(), &cast(given, &DataType::Utf8).unwrap());
            assert_eq!(ours, usual);
        }
    }

    #[test]
    fn bounds_of_long_texts_are_cut_and_hold() {
        let long = "ä".repeat(100);
        let greatest = format!("{}{}z", "ö".repeat(64), char::MAX);
        let batch = RecordBatch::try_from_iter([(
            "text",
            column(&[Some(0), Some(1)], &[long.as_str(), greatest.as_str()]),
        )]);
        let written = write_whole(TableKind::Runs, &batch.unwrap(), Effort::Quick).unwrap();
        let metadata = metadata(&written.bytes);
        let statistics = metadata.row_group(0).column(0).statistics().unwrap();
        assert_eq!(statistics.min_bytes_opt().unwrap(), "ä".repeat(64).as_bytes());
        assert_eq!(statistics.max_bytes_opt().unwrap(), greatest.as_bytes());
        assert!(!statistics.min_is_exact() && statistics.max_is_exact());
    }

    proptest! {
        #[test]
        fn numbers_are_read_back(
            pieces in proptest::collection::vec((0_u32..1000, 1_usize..40, any::<bool>()), 0..60),
            width in 10_u32..20,
        ) {
            let numbers: Vec<u32> = pieces
                .into_iter()
                .flat_map(|(number, count, is_run)| {
                    (0..u32::try_from(count).unwrap()).map(move |at| if is_run { number } else { (number + at) % 1000 })
                })
                .collect();
            let mut bytes = Vec::new();
            hybrid(&numbers, width, &mut bytes);
            prop_assert_eq!(read_back(&bytes, width, numbers.len()), numbers);
        }
    }
}
