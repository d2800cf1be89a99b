//! Eight bytes at a time, in a whole number: where a value ends, and whether it reads as it stands.
//!
//! The tricks are those of <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>: of the bits that they set the lowest
//! is right, and only those above one that is right may be wrong.

/// The end of an attribute's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueEnd {
    /// How many bytes stand before the quote.
    pub(crate) length: usize,
    /// Whether there is a `<`, a `&`, or a byte below the blank among them.
    pub(crate) is_special: bool,
}

/// A one in each byte.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bit of each byte.
const HIGHEST: u64 = ONES << 7;

/// Finds the quote that ends a value; nothing where it is not in `rest`.
#[inline]
pub(crate) fn value_end(rest: &[u8], quote: u8) -> Option<ValueEnd> {
    let (words, tail) = rest.as_chunks::<8>();
    let mut is_special = false;
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let special = equal(word, b'<') | equal(word, b'&') | below_blank(word);
        let quotes = equal(word, quote);
        if quotes != 0 {
            // the lowest bit of each is right, and that is all that counts
            let is_special = is_special || special.trailing_zeros() < quotes.trailing_zeros();
            return Some(ValueEnd { length: index * 8 + (quotes.trailing_zeros() / 8) as usize, is_special });
        }
        is_special |= special != 0;
    }
    for (index, &byte) in tail.iter().enumerate() {
        if byte == quote {
            return Some(ValueEnd { length: words.len() * 8 + index, is_special });
        }
        is_special |= byte < b' ' || matches!(byte, b'<' | b'&');
    }
    None
}

/// Sets the highest bit of each byte that is this one.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    let zero = word ^ (ONES * u64::from(byte));
    zero.wrapping_sub(ONES) & !zero & HIGHEST
}

/// Sets the highest bit of each byte below the blank.
#[inline]
fn below_blank(word: u64) -> u64 {
    word.wrapping_sub(ONES * u64::from(b' ')) & !word & HIGHEST
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Byte by byte.
    fn slow(rest: &[u8], quote: u8) -> Option<ValueEnd> {
        let length = rest.iter().position(|&byte| byte == quote)?;
        let is_special = rest.iter().take(length).any(|&byte| byte < 0x20 || byte == b'<' || byte == b'&');
        Some(ValueEnd { length, is_special })
    }

    proptest! {
        #[test]
        fn it_agrees_with_its_slow_twin(bytes in prop::collection::vec(prop_oneof![
            6 => Just(b'a'), 1 => any::<u8>(), 1 => prop::sample::select(b"\"'<&\t\x1f \x20\x7f\x80\xff".to_vec())
        ], 0..80), start in 0_usize..20) {
            let rest = bytes.get(start..).unwrap_or_default();
            for quote in [b'"', b'\''] {
                prop_assert_eq!(value_end(rest, quote), slow(rest, quote));
            }
        }
    }

    #[test]
    fn each_byte_is_told_at_each_place() {
        for byte in 0..=u8::MAX {
            for place in 0..33 {
                let mut bytes = [b'a'; 40];
                bytes[place] = byte;
                bytes[35] = b'"';
                assert_eq!(value_end(&bytes, b'"'), slow(&bytes, b'"'), "{byte} at {place}");
            }
        }
    }
}
