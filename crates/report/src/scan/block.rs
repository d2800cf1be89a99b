//! Many bytes at a time: where a value ends, if it reads as it stands.
//!
//! By SSE2, which every machine of `x86_64` has; elsewhere in whole numbers.

/// Bytes that are looked at together: most values are no longer, so that how long each is costs no wrong guess of the machine.
const BLOCK: usize = 2 * HALF;
const HALF: usize = size_of::<u128>();

/// Returns how long the value is that a `"` ends; nothing where it does not read as it stands: where a `<`, a `&` or a byte below
/// the blank comes before, or where no block of bytes holds its end. No text of 4 GiB or more may be given.
#[inline]
pub(crate) fn plain_length(text: &[u8]) -> Option<u32> {
    let mut rest = text;
    let mut length = 0;
    loop {
        let (block, behind) = rest.split_first_chunk()?;
        if let Some(place) = first_marked(block) {
            return (rest.get(place as usize) == Some(&b'"')).then_some(length + place);
        }
        length += BITS;
        rest = behind;
    }
}

/// A bit for each byte of a block.
const BITS: u32 = u32::BITS;

/// Finds the first `"`, `<`, `&` or byte below the blank.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline]
#[expect(unsafe_code, reason = "the compiler asks for it where vectors are used, however safe they are")]
fn first_marked(block: &[u8; BLOCK]) -> Option<u32> {
    // SAFETY: the function is safe but for that the machine must have SSE2, and this is compiled only for machines that do.
    unsafe { vectors::first_marked(block) }
}

/// Finds the first `"`, `<`, `&` or byte below the blank.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
#[inline]
fn first_marked(block: &[u8; BLOCK]) -> Option<u32> {
    first_marked_in_numbers(block)
}

/// No pointers: what goes into vectors and comes out of them are numbers.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod vectors {
    use std::arch::x86_64::{
        _mm_and_si128, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8,
    };

    use super::{BLOCK, HALF};

    #[target_feature(enable = "sse2")]
    #[inline]
    pub(super) fn first_marked(block: &[u8; BLOCK]) -> Option<u32> {
        let low = marks(block.first_chunk()?);
        let high = marks(block.last_chunk()?);
        let mask = low | high << HALF;
        (mask != 0).then(|| mask.trailing_zeros())
    }

    /// Returns a bit for each byte.
    #[target_feature(enable = "sse2")]
    #[inline]
    fn marks(half: &[u8; HALF]) -> u32 {
        let &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = half;
        let low = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let high = i64::from_le_bytes([i, j, k, l, m, n, o, p]);
        let bytes = _mm_set_epi64x(high, low);
        // `"` and `&` differ in one bit
        let without = _mm_and_si128(bytes, _mm_set1_epi8((!(b'"' ^ b'&')).cast_signed()));
        let quote_or_and = _mm_cmpeq_epi8(without, _mm_set1_epi8(b'"'.cast_signed()));
        let less_than = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'<'.cast_signed()));
        let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote_or_and, less_than), control)).cast_unsigned()
    }
}

/// Finds it in whole numbers, by the trick of <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>: of the bits that
/// are set the lowest is right, and only those above one that is right may be wrong.
#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "sse2"))))]
#[inline]
fn first_marked_in_numbers(block: &[u8; BLOCK]) -> Option<u32> {
    /// A one in each byte.
    const ONES: u128 = u128::MAX / 255;
    let first = |half: &[u8; HALF]| {
        let number = u128::from_le_bytes(*half);
        let below = |number: u128, limit: u8| number.wrapping_sub(ONES * u128::from(limit)) & !number;
        let is = |byte: u8| below(number ^ (ONES * u128::from(byte)), 1);
        let marks = (is(b'"') | is(b'<') | is(b'&') | below(number, b' ')) & (ONES << 7);
        (marks != 0).then(|| marks.trailing_zeros() / 8)
    };
    let in_high = || Some(first(block.last_chunk()?)? + BITS / 2);
    block.first_chunk().and_then(first).or_else(in_high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slow(rest: &[u8]) -> Option<u32> {
        let place = rest.iter().position(|&byte| byte < b' ' || b"\"<&".contains(&byte))?;
        // in a block that is whole
        (rest[place] == b'"' && place / BLOCK * BLOCK + BLOCK <= rest.len())
            .then(|| u32::try_from(place).unwrap())
    }

    proptest! {
        #[test]
        fn they_agree_with_their_slow_twins(bytes in prop::collection::vec(prop_oneof![
            20 => Just(b'a'), 1 => any::<u8>(), 1 => prop::sample::select(b"\"'<&\t\x1f \x20\x7f\x80\xff".to_vec())
        ], 0..250)) {
            prop_assert_eq!(plain_length(&bytes), slow(&bytes));
            for block in bytes.as_chunks().0 {
                prop_assert_eq!(first_marked(block), first_marked_in_numbers(block));
            }
        }
    }

    #[test]
    fn each_byte_is_told_at_each_place() {
        for byte in 0..=u8::MAX {
            for place in 0..100 {
                let mut bytes = [b'a'; 150];
                bytes[place] = byte;
                bytes[100] = b'"';
                assert_eq!(plain_length(&bytes), slow(&bytes), "{byte} at {place}");
            }
            for place in 0..BLOCK {
                let mut block = [b'a'; BLOCK];
                block[place] = byte;
                let found = (byte < b' ' || b"\"<&".contains(&byte)).then(|| u32::try_from(place).unwrap());
                assert_eq!(first_marked(&block), found, "{byte} at {place}");
                assert_eq!(first_marked_in_numbers(&block), found, "{byte} at {place}");
            }
        }
    }
}
