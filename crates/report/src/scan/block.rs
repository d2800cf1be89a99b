//! Many bytes at a time, in whole numbers or in loops that become vectors: where a value ends, and whether it reads as it stands.
//!
//! The trick of [`quote_end`] is that of <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>: of the bits that it sets
//! the lowest is right, and only those above one that is right may be wrong.

/// A one in each byte.
const ONES: u128 = u128::MAX / 255;
/// The highest bit of each byte.
const HIGHEST: u128 = ONES << 7;

/// Finds the next `"`.
#[inline]
pub(crate) fn quote_end(rest: &[u8]) -> Option<usize> {
    const QUOTES: u128 = ONES * b'"' as u128;
    let (blocks, tail) = rest.as_chunks();
    for (index, block) in blocks.iter().enumerate() {
        let zero = u128::from_le_bytes(*block) ^ QUOTES;
        let found = zero.wrapping_sub(ONES) & !zero & HIGHEST;
        if found != 0 {
            return Some(index * size_of::<u128>() + (found.trailing_zeros() / 8) as usize);
        }
    }
    let place = tail.iter().position(|&byte| byte == b'"')?;
    Some(rest.len() - tail.len() + place)
}

/// Reports whether there is a `<`, a `&`, or a byte below the blank in a text.
#[inline]
pub(crate) fn has_special(text: &[u8]) -> bool {
    let (blocks, mut tail) = text.as_chunks();
    let mut seen = Seen { marks: [0; BLOCK], least: [u8::MAX; BLOCK] };
    for block in blocks {
        seen.add(block);
    }
    // the last block again, with as much of the one before it as makes it whole
    if let Some(last) = text.last_chunk() {
        seen.add(last);
        tail = &[];
    }
    let is_special = |byte: u8| byte < b' ' || byte == b'<' || byte == b'&';
    seen.marks != [0; BLOCK]
        || seen.least.iter().fold(false, |any, &least| any | (least < b' '))
        || tail.iter().any(|&byte| is_special(byte))
}

/// 32: two vectors of any machine of 64 bits.
const BLOCK: usize = 32;

/// What was seen at each place of the blocks so far.
struct Seen {
    /// Not 0 where a `<` or a `&` was.
    marks: [u8; BLOCK],
    least: [u8; BLOCK],
}

impl Seen {
    /// Adds a block: without an end before its last byte, so that it becomes a few vector operations.
    #[inline]
    fn add(&mut self, block: &[u8; BLOCK]) {
        for ((marks, least), &byte) in self.marks.iter_mut().zip(&mut self.least).zip(block) {
            *marks |= if (byte == b'<') | (byte == b'&') { u8::MAX } else { 0 };
            *least = (*least).min(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_agree_with_their_slow_twins(bytes in prop::collection::vec(prop_oneof![
            20 => Just(b'a'), 1 => any::<u8>(), 1 => prop::sample::select(b"\"'<&\t\x1f \x20\x7f\x80\xff".to_vec())
        ], 0..150), start in 0_usize..20) {
            let rest = bytes.get(start..).unwrap_or_default();
            prop_assert_eq!(quote_end(rest), rest.iter().position(|&byte| byte == b'"'));
            let special = rest.iter().any(|&byte| byte < 0x20 || byte == b'<' || byte == b'&');
            prop_assert_eq!(has_special(rest), special);
        }
    }

    #[test]
    fn each_byte_is_told_at_each_place() {
        for byte in 0..=u8::MAX {
            for place in 0..100 {
                let mut bytes = [b'a'; 101];
                bytes[place] = byte;
                bytes[100] = b'"';
                assert_eq!(
                    quote_end(&bytes),
                    Some(if byte == b'"' { place } else { 100 }),
                    "{byte} at {place}"
                );
                assert_eq!(has_special(&bytes), byte < 0x20 || b"<&".contains(&byte), "{byte} at {place}");
            }
        }
    }
}
