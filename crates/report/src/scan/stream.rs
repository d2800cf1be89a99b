//! Bytes that come in chunks → UTF-8, and the offsets that they had.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use memchr::memmem;

use super::encoding::{Charset, detect, forbidden_characters};
use crate::finding::{Finding, FindingCode};

/// Bytes that are enough to tell the encoding.
const HEAD_BYTES: usize = 1024;
const REPLACEMENT: &str = "\u{FFFD}";

/// Decodes a report that comes in chunks. The offsets of its findings are those of the report as it came.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    state: Option<StreamState>,
    /// The first bytes, until there are enough to tell the encoding.
    head: Vec<u8>,
    pub(crate) offsets: StreamOffsets,
}

enum StreamState {
    /// With the begin of a character whose end has not come.
    Utf8(Vec<u8>),
    Latin1,
    Other(Box<Other>),
}

struct Other {
    decoder: encoding_rs::Decoder,
    encoding: &'static Encoding,
    /// Where the first U+FFFD came to stand.
    replacement: Option<u64>,
    is_told: bool,
}

impl std::fmt::Debug for StreamState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Utf8(_) => "Utf8",
            Self::Latin1 => "Latin1",
            Self::Other(other) => other.encoding.name(),
        })
    }
}

impl StreamDecoder {
    /// Makes a decoder for one report.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes the next chunk and adds its text.
    pub fn decode(&mut self, chunk: &[u8], into: &mut Vec<u8>, mut findings: impl FnMut(Finding)) {
        if self.state.is_some() {
            self.convert(chunk, false, into, &mut findings);
            return;
        }
        self.head.extend_from_slice(chunk);
        if self.head.len() >= HEAD_BYTES {
            self.begin(into, &mut findings);
        }
    }

    /// Ends the report: adds what is left of its text.
    pub fn finish(&mut self, into: &mut Vec<u8>, mut findings: impl FnMut(Finding)) {
        if self.state.is_none() {
            self.begin(into, &mut findings);
        }
        self.convert(&[], true, into, &mut findings);
    }

    fn begin(&mut self, into: &mut Vec<u8>, findings: &mut impl FnMut(Finding)) {
        let head = std::mem::take(&mut self.head);
        let detected = detect(head.get(..head.len().min(HEAD_BYTES)).unwrap_or_default());
        if detected.is_declaration_wrong {
            findings(Finding { code: FindingCode::WrongEncoding, offset: 0 });
        }
        self.state = Some(match detected.charset {
            Charset::Utf8 => StreamState::Utf8(Vec::new()),
            Charset::Latin1 => StreamState::Latin1,
            Charset::Other(encoding) => StreamState::Other(Box::new(Other {
                decoder: encoding.new_decoder_without_bom_handling(),
                encoding,
                replacement: None,
                is_told: false,
            })),
        });
        self.offsets.raw = detected.mark as u64;
        self.convert(head.get(detected.mark..).unwrap_or_default(), false, into, findings);
    }

    fn convert(&mut self, raw: &[u8], is_last: bool, into: &mut Vec<u8>, findings: &mut impl FnMut(Finding)) {
        let begin = into.len();
        let place = self.offsets.text;
        match &mut self.state {
            None => {}
            Some(StreamState::Utf8(pending)) => {
                let joined;
                let bytes = if pending.is_empty() {
                    raw
                } else {
                    joined = [std::mem::take(pending).as_slice(), raw].concat();
                    &joined
                };
                *pending = decode_utf8(bytes, is_last, into, &mut self.offsets, findings).to_vec();
            }
            Some(StreamState::Latin1) => {
                into.extend_from_slice(encoding_rs::mem::decode_latin1(raw).as_bytes());
                self.offsets.add_text(into.get(begin..).unwrap_or_default(), |_| 1);
            }
            Some(StreamState::Other(other)) => other.convert(raw, is_last, into, &mut self.offsets, findings),
        }
        let text = into.get(begin..).unwrap_or_default();
        forbidden_characters(text, &mut |found| {
            let offset = self.offsets.offset(place + found as u64);
            findings(Finding { code: FindingCode::ForbiddenCharacter, offset });
        });
    }
}

/// Adds what bytes read as, each run of those that are not valid as U+FFFD; returns what may be the begin of a character.
fn decode_utf8<'bytes>(
    bytes: &'bytes [u8],
    is_last: bool,
    into: &mut Vec<u8>,
    offsets: &mut StreamOffsets,
    findings: &mut impl FnMut(Finding),
) -> &'bytes [u8] {
    let mut rest = bytes;
    for chunk in bytes.utf8_chunks() {
        let (valid, invalid) = (chunk.valid().as_bytes(), chunk.invalid());
        into.extend_from_slice(valid);
        offsets.add(1, 1, valid.len());
        rest = rest.get(valid.len() + invalid.len()..).unwrap_or_default();
        if invalid.is_empty() {
            continue;
        }
        let may_go_on = std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
        if rest.is_empty() && !is_last && may_go_on {
            return invalid;
        }
        findings(Finding { code: FindingCode::InvalidEncoding, offset: offsets.raw });
        into.extend_from_slice(REPLACEMENT.as_bytes());
        offsets.add(REPLACEMENT.len(), invalid.len(), 1);
    }
    &[]
}

impl Other {
    fn convert(
        &mut self,
        raw: &[u8],
        is_last: bool,
        into: &mut Vec<u8>,
        offsets: &mut StreamOffsets,
        findings: &mut impl FnMut(Finding),
    ) {
        let begin = into.len();
        let place = offsets.text;
        // room for the worst case, so that one call takes all
        let room = self.decoder.max_utf8_buffer_length(raw.len()).unwrap_or(raw.len() * 3 + 16);
        into.resize(begin + room, 0);
        let target = into.get_mut(begin..).unwrap_or_default();
        let (_, _, written, is_wrong) = self.decoder.decode_to_utf8(raw, target, is_last);
        into.truncate(begin + written);
        let text = into.get(begin..).unwrap_or_default();
        let is_utf16 = self.encoding == UTF_16LE || self.encoding == UTF_16BE;
        offsets.add_text(text, |character| match character {
            _ if is_utf16 => character.len_utf16() * 2,
            '\0'..='\x7F' => 1,
            _ => self.encoding.encode(character.encode_utf8(&mut [0; 4])).0.len(),
        });
        if self.replacement.is_none()
            && let Some(found) = memmem::find(text, REPLACEMENT.as_bytes())
        {
            self.replacement = Some(offsets.offset(place + found as u64));
        }
        if is_wrong && !std::mem::replace(&mut self.is_told, true) {
            let offset = self.replacement.unwrap_or_default();
            findings(Finding { code: FindingCode::InvalidEncoding, offset });
        }
    }
}

/// What places in the text were in the report as it came.
#[derive(Debug, Default)]
pub(crate) struct StreamOffsets {
    /// Runs of characters of one length, in order.
    runs: Vec<Run>,
    /// The ends of both.
    text: u64,
    raw: u64,
}

/// Characters that take as many bytes each in the text, and as many in the report.
#[derive(Debug, Clone, Copy)]
struct Run {
    text: u64,
    raw: u64,
    of_text: u8,
    of_raw: u8,
}

/// Runs that are kept: 24 bytes each. Of more, every other of the older half is given up, so that places far back are told
/// less closely.
const MOST_RUNS: usize = 1 << 20;

impl StreamOffsets {
    /// So many characters came that take as many bytes.
    fn add(&mut self, of_text: usize, of_raw: usize, count: usize) {
        if count == 0 {
            return;
        }
        let [of_text, of_raw] = [of_text, of_raw].map(|length| u8::try_from(length).unwrap_or(u8::MAX));
        if self.runs.last().is_none_or(|run| (run.of_text, run.of_raw) != (of_text, of_raw)) {
            if self.runs.len() >= MOST_RUNS {
                let mut index = 0;
                self.runs.retain(|_| {
                    index += 1;
                    index > MOST_RUNS / 2 || index % 2 == 1
                });
            }
            self.runs.push(Run { text: self.text, raw: self.raw, of_text, of_raw });
        }
        self.text += u64::from(of_text) * count as u64;
        self.raw += u64::from(of_raw) * count as u64;
    }

    /// A text came, of which each character took so many bytes in the report.
    fn add_text(&mut self, text: &[u8], mut raw_length: impl FnMut(char) -> usize) {
        let mut run = (1, 1, 0);
        for character in String::from_utf8_lossy(text).chars() {
            let lengths = (character.len_utf8(), raw_length(character));
            if lengths != (run.0, run.1) {
                self.add(run.0, run.1, run.2);
                run = (lengths.0, lengths.1, 0);
            }
            run.2 += 1;
        }
        self.add(run.0, run.1, run.2);
    }

    /// Returns the offset of a place in the text.
    pub(crate) fn offset(&self, place: u64) -> u64 {
        let behind = self.runs.partition_point(|run| run.text <= place);
        let end = self.runs.get(behind).map_or(self.raw, |run| run.raw);
        let Some(run) = behind.checked_sub(1).and_then(|index| self.runs.get(index)) else { return end };
        let count = (place - run.text) / u64::from(run.of_text.max(1));
        end.min(run.raw + count * u64::from(run.of_raw))
    }
}
