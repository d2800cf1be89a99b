//! Finds the last block of a deflate stream by decoding it without keeping what it says (RFC 1951).
//!
//! The inner loop reads one word and looks up two tables for each literal or match, and has no branch that
//! depends on which of them it is. Codewords longer than a table's index are decoded bit by bit, which is rare by
//! what a Huffman code is.
//!
//! Every function is total: a stream that is broken gives `None`.

/// Bytes that must follow a stream in its buffer, so that a word can be read at its end.
pub(super) const PADDING_BYTES: usize = 8;

/// Where the last block of a stream lies, in bits from the stream's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastBlock {
    /// The bit that says that it is the last.
    pub(super) header_bit: usize,
    /// The bit after its end.
    pub(super) end_bit: usize,
}

/// Walks streams. Holds the tables of the block under way, 8 KiB.
#[derive(Debug)]
pub(super) struct Walker {
    litlen: Table<LITLEN_ENTRIES>,
    offset: Table<OFFSET_ENTRIES>,
}

/// 2^11 and 2^10: the tables stay in the first cache, and few codewords are longer.
const LITLEN_ENTRIES: usize = 1 << 11;
const OFFSET_ENTRIES: usize = 1 << 10;

const MAX_CODEWORD_BITS: usize = 15;
const END_OF_BLOCK: usize = 256;
const LITLEN_SYMBOLS: usize = 288;
const OFFSET_SYMBOLS: usize = 32;

/// Extra bits of the symbols from 257 on, each a range of lengths of a match.
const LENGTH_EXTRA_BITS: [u16; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// Extra bits of the symbols that say how far back a match lies.
const OFFSET_EXTRA_BITS: [u16; 30] =
    [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];

/// The order in which a dynamic block gives the lengths of the code of its codes.
const PRECODE_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

impl Walker {
    pub(super) fn new() -> Self {
        Self { litlen: Table::new(), offset: Table::new() }
    }

    /// Finds the last block of the stream that is the first `len` bytes of `padded`, [`PADDING_BYTES`] or more
    /// bytes before its end. `None` where the stream is broken, or ends elsewhere.
    pub(super) fn last_block(&mut self, padded: &[u8], len: usize) -> Option<LastBlock> {
        let mut bits = Bits { padded, at: 0, end: len.checked_mul(8)? };
        loop {
            let header_bit = bits.at;
            let is_last = bits.take(1)? == 1;
            match bits.take(2)? {
                0 => bits.skip_stored()?,
                1 => {
                    self.set_fixed_codes()?;
                    self.skip_symbols(&mut bits)?;
                }
                2 => {
                    self.read_codes(&mut bits)?;
                    self.skip_symbols(&mut bits)?;
                }
                _ => return None,
            }
            if is_last {
                let end_bit = bits.at;
                return (end_bit.div_ceil(8) == len).then_some(LastBlock { header_bit, end_bit });
            }
        }
    }

    /// Goes past the symbols of a block, its end included.
    fn skip_symbols(&self, bits: &mut Bits<'_>) -> Option<()> {
        loop {
            let word = bits.word()?;
            let litlen = self.litlen.entry(word);
            // All ones after a length, which an offset follows; else zeros.
            let followed = 0_u16.wrapping_sub((litlen >> FOLLOWED_SHIFT) & 1);
            let offset = self.offset.entry(word >> (litlen & BITS)) & followed;
            if (litlen | offset) & SLOW == 0 {
                bits.at += usize::from(litlen & BITS) + usize::from(offset & BITS);
            } else if self.skip_slowly(word, bits)? == END_OF_BLOCK {
                return Some(());
            }
        }
    }

    /// Goes past one literal, match or end of a block, and returns its symbol.
    fn skip_slowly(&self, word: u64, bits: &mut Bits<'_>) -> Option<usize> {
        let (symbol, mut used) = self.litlen.code.decode(word)?;
        if symbol > END_OF_BLOCK {
            used += usize::from(*LENGTH_EXTRA_BITS.get(symbol - END_OF_BLOCK - 1)?);
            let (symbol, more) = self.offset.code.decode(word >> used)?;
            used += more + usize::from(*OFFSET_EXTRA_BITS.get(symbol)?);
        }
        bits.skip(used)?;
        Some(symbol)
    }

    /// Sets the codes of a block that names none.
    fn set_fixed_codes(&mut self) -> Option<()> {
        let mut lengths = [8; LITLEN_SYMBOLS];
        lengths.get_mut(144..256)?.fill(9);
        lengths.get_mut(256..280)?.fill(7);
        self.litlen.set(&lengths, litlen_entry)?;
        self.offset.set(&[5; OFFSET_SYMBOLS], offset_entry)
    }

    /// Reads the codes of a block that names its own.
    fn read_codes(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let litlen_count = 257 + bits.take(5)?;
        let count = litlen_count + 1 + bits.take(5)?;
        let precode_count = 4 + bits.take(4)?;
        let mut precode_lengths = [0; 19];
        for symbol in PRECODE_ORDER.iter().take(precode_count) {
            *precode_lengths.get_mut(*symbol)? = u8::try_from(bits.take(3)?).ok()?;
        }
        let mut precode = Code::new();
        precode.set(&precode_lengths)?;

        let mut lengths = [0; LITLEN_SYMBOLS + OFFSET_SYMBOLS];
        let lengths = lengths.get_mut(..count)?;
        let (mut at, mut previous) = (0, 0);
        while at < count {
            let (symbol, used) = precode.decode(bits.word()?)?;
            bits.skip(used)?;
            let (length, repeats) = match symbol {
                0..=15 => (u8::try_from(symbol).ok()?, 1),
                16 if at > 0 => (previous, 3 + bits.take(2)?),
                17 => (0, 3 + bits.take(3)?),
                18 => (0, 11 + bits.take(7)?),
                _ => return None,
            };
            lengths.get_mut(at..at + repeats)?.fill(length);
            at += repeats;
            previous = length;
        }
        let (litlen_lengths, offset_lengths) = lengths.split_at_checked(litlen_count)?;
        self.litlen.set(litlen_lengths, litlen_entry)?;
        self.offset.set(offset_lengths, offset_entry)
    }
}

/// A stream and a place in it.
#[derive(Debug)]
struct Bits<'a> {
    padded: &'a [u8],
    /// The next bit.
    at: usize,
    /// The bit after the stream's last.
    end: usize,
}

impl Bits<'_> {
    /// Returns the next 57 bits or more, the first one lowest. What lies beyond the stream's end is padding.
    fn word(&self) -> Option<u64> {
        if self.at > self.end {
            return None;
        }
        let bytes = self.padded.get(self.at / 8..)?.first_chunk::<8>()?;
        Some(u64::from_le_bytes(*bytes) >> (self.at % 8))
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at = self.at.checked_add(count).filter(|at| *at <= self.end)?;
        Some(())
    }

    /// Takes up to 16 bits as a number.
    fn take(&mut self, count: usize) -> Option<usize> {
        let word = self.word()?;
        self.skip(count)?;
        Some(low_bits(word, count))
    }

    /// Goes past the rest of a stored block.
    fn skip_stored(&mut self) -> Option<()> {
        self.at = self.at.next_multiple_of(8);
        let len = self.take(16)?;
        let inverted = self.take(16)?;
        (len ^ inverted == 0xffff).then(|| self.skip(len * 8))?
    }
}

/// The lowest `count` bits, up to 16.
fn low_bits(word: u64, count: usize) -> usize {
    usize::try_from(word & ((1 << count) - 1)).unwrap_or(0)
}

/// A canonical Huffman code, in the form that decodes bit by bit.
#[derive(Debug)]
struct Code {
    /// How many codewords there are of each length.
    counts: [usize; MAX_CODEWORD_BITS + 1],
    /// The symbols by their codewords.
    symbols: [u16; LITLEN_SYMBOLS],
}

impl Code {
    fn new() -> Self {
        Self { counts: [0; MAX_CODEWORD_BITS + 1], symbols: [0; LITLEN_SYMBOLS] }
    }

    /// Makes the code of symbols that have codewords of these lengths, 0 where a symbol has none. `None` where
    /// there can be no such code. A code may leave words unused.
    fn set(&mut self, lengths: &[u8]) -> Option<()> {
        self.counts.fill(0);
        for length in lengths {
            *self.counts.get_mut(usize::from(*length))? += 1;
        }
        *self.counts.first_mut()? = 0;
        let (mut free, mut place) = (1_usize, 0);
        let mut places = [0; MAX_CODEWORD_BITS + 1];
        for (count, first) in self.counts.iter().zip(&mut places).skip(1) {
            free = (free * 2).checked_sub(*count)?;
            *first = place;
            place += count;
        }
        for (symbol, length) in (0_u16..).zip(lengths) {
            if *length != 0 {
                let place = places.get_mut(usize::from(*length))?;
                *self.symbols.get_mut(*place)? = symbol;
                *place += 1;
            }
        }
        Some(())
    }

    /// Returns the symbol whose codeword the bits of `word` begin with, and the codeword's length in bits.
    fn decode(&self, word: u64) -> Option<(usize, usize)> {
        // `codeword` counts from the first codeword of the length, `place` is that one's symbol.
        let (mut codeword, mut place) = (0, 0);
        for (length, count) in self.counts.iter().enumerate().skip(1) {
            codeword = codeword * 2 + low_bits(word >> (length - 1), 1);
            if codeword < *count {
                return Some((usize::from(*self.symbols.get(place + codeword)?), length));
            }
            codeword -= count;
            place += count;
        }
        None
    }
}

/// A code with a table that is looked up by the next bits.
///
/// An entry holds the bits to go past ([`BITS`]), extra bits included.
#[derive(Debug)]
struct Table<const ENTRIES: usize> {
    code: Code,
    entries: [u16; ENTRIES],
}

/// The part of an entry that says how many bits to go past, at most 15 + 13.
const BITS: u16 = 0x1f;
/// The bit of an entry that says that an offset follows.
const FOLLOWED_SHIFT: u32 = 14;
/// Set where the table does not say it all: a longer codeword, the end of a block, a word that is none.
const SLOW: u16 = 1 << 15;

impl<const ENTRIES: usize> Table<ENTRIES> {
    fn new() -> Self {
        Self { code: Code::new(), entries: [SLOW; ENTRIES] }
    }

    /// Sets the code; `entry` makes the entry of a symbol with the length of its codeword.
    fn set(&mut self, lengths: &[u8], entry: fn(u16, u16) -> u16) -> Option<()> {
        self.code.set(lengths)?;
        self.entries.fill(SLOW);
        let index_bits = ENTRIES.ilog2();
        let mut symbols = self.code.symbols.iter();
        let mut codeword = 0_u16;
        for (length, count) in (0_u16..).zip(&self.code.counts).take(index_bits as usize + 1).skip(1) {
            codeword <<= 1;
            for symbol in symbols.by_ref().take(*count) {
                // Codewords are packed from their first bit on, so the index holds it reversed.
                let index = usize::from(codeword.reverse_bits() >> (16 - length));
                let value = entry(*symbol, length);
                for place in self.entries.get_mut(index..)?.iter_mut().step_by(1 << length) {
                    *place = value;
                }
                codeword += 1;
            }
        }
        Some(())
    }

    fn entry(&self, word: u64) -> u16 {
        self.entries.get(low_bits(word, ENTRIES.ilog2() as usize)).copied().unwrap_or(SLOW)
    }
}

fn litlen_entry(symbol: u16, length: u16) -> u16 {
    match usize::from(symbol).checked_sub(END_OF_BLOCK) {
        None => length,
        Some(0) => SLOW,
        Some(range) => {
            LENGTH_EXTRA_BITS.get(range - 1).map_or(SLOW, |extra| (length + extra) | (1 << FOLLOWED_SHIFT))
        }
    }
}

fn offset_entry(symbol: u16, length: u16) -> u16 {
    OFFSET_EXTRA_BITS.get(usize::from(symbol)).map_or(SLOW, |extra| length + extra)
}
