//! Many bytes at a time: where a value ends, if it reads as it stands.
//!
//! By SSE2, which every machine of `x86_64` has; elsewhere in whole numbers.

/// Bytes that are looked at together.
const BLOCK: usize = size_of::<u128>();

/// Finds the `"` that ends the value from `start` on; nothing where the value does not read as it stands: where a `<`, a `&` or a byte below the
/// blank comes before, or where no block of bytes holds its end.
#[inline]
pub(crate) fn plain_end(window: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let block = window.get(at..)?.first_chunk()?;
        if let Some(place) = first_marked(block) {
            let end = at + place;
            return (window.get(end) == Some(&b'"')).then_some(end);
        }
        at += BLOCK;
    }
}

/// Finds the first `"`, `<`, `&` or byte below the blank.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline]
#[expect(unsafe_code, reason = "the compiler asks for it where vectors are used, however safe they are")]
fn first_marked(block: &[u8; BLOCK]) -> Option<usize> {
    // SAFETY: the function is safe but for that the machine must have SSE2, and this is compiled only for machines that do.
    unsafe { vectors::first_marked(block) }
}

/// Finds the first `"`, `<`, `&` or byte below the blank.
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
#[inline]
fn first_marked(block: &[u8; BLOCK]) -> Option<usize> {
    first_marked_in_number(block)
}

/// No pointers: what goes into vectors and comes out of them are numbers.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
mod vectors {
    use std::arch::x86_64::{
        _mm_and_si128, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8,
    };

    use super::BLOCK;

    #[target_feature(enable = "sse2")]
    #[inline]
    pub(super) fn first_marked(block: &[u8; BLOCK]) -> Option<usize> {
        let &[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = block;
        let low = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let high = i64::from_le_bytes([i, j, k, l, m, n, o, p]);
        let bytes = _mm_set_epi64x(high, low);
        // `"` and `&` differ in one bit
        let without = _mm_and_si128(bytes, _mm_set1_epi8((!(b'"' ^ b'&')).cast_signed()));
        let quote_or_and = _mm_cmpeq_epi8(without, _mm_set1_epi8(b'"'.cast_signed()));
        let less_than = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'<'.cast_signed()));
        let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        let mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote_or_and, less_than), control));
        (mask != 0).then(|| mask.trailing_zeros() as usize)
    }
}

/// Does so in a whole number, by the trick of <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>: of the bits that
/// are set the lowest is right, and only those above one that is right may be wrong.
#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "sse2"))))]
#[inline]
fn first_marked_in_number(block: &[u8; BLOCK]) -> Option<usize> {
    /// A one in each byte.
    const ONES: u128 = u128::MAX / 255;
    let number = u128::from_le_bytes(*block);
    let below = |number: u128, limit: u8| number.wrapping_sub(ONES * u128::from(limit)) & !number;
    let is = |byte: u8| below(number ^ (ONES * u128::from(byte)), 1);
    let marks = (is(b'"') | is(b'<') | is(b'&') | below(number, b' ')) & (ONES << 7);
    (marks != 0).then(|| (marks.trailing_zeros() / 8) as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slow(rest: &[u8]) -> Option<usize> {
        let place = rest.iter().position(|&byte| byte < b' ' || b"\"<&".contains(&byte))?;
        // in a block that is whole
        (rest[place] == b'"' && place / BLOCK * BLOCK + BLOCK <= rest.len()).then_some(place)
    }

    proptest! {
        #[test]
        fn they_agree_with_their_slow_twins(bytes in prop::collection::vec(prop_oneof![
            20 => Just(b'a'), 1 => any::<u8>(), 1 => prop::sample::select(b"\"'<&\t\x1f \x20\x7f\x80\xff".to_vec())
        ], 0..150), start in 0_usize..20) {
            let rest = bytes.get(start..).unwrap_or_default();
            prop_assert_eq!(plain_end(&bytes, start), slow(rest).map(|place| start + place));
            for block in rest.as_chunks().0 {
                prop_assert_eq!(first_marked(block), first_marked_in_number(block));
            }
        }
    }

    #[test]
    fn each_byte_is_told_at_each_place() {
        for byte in 0..=u8::MAX {
            for place in 0..100 {
                let mut bytes = [b'a'; 112];
                bytes[place] = byte;
                bytes[100] = b'"';
                assert_eq!(plain_end(&bytes, 0), slow(&bytes), "{byte} at {place}");
            }
            for place in 0..BLOCK {
                let mut block = [b'a'; BLOCK];
                block[place] = byte;
                let found = (byte < b' ' || b"\"<&".contains(&byte)).then_some(place);
                assert_eq!(first_marked(&block), found, "{byte} at {place}");
                assert_eq!(first_marked_in_number(&block), found, "{byte} at {place}");
            }
        }
    }
}
