//! Changes of inputs by pieces: elements, members, lines.

use libfuzzer_sys::fuzzer_mutate;

/// What a piece begins or ends with.
const MARKS: &[u8] = b"<>{}[],\n\"";
/// How often a piece is repeated at most.
const REPEATED: usize = 64;

/// Changes an input: one time in two as libFuzzer does, else a piece is taken out, repeated, moved or put elsewhere, too.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(u64::from(seed) | 1 << 32);
    let places: Vec<usize> = (0..size).filter(|&at| MARKS.contains(&data[at])).collect();
    if places.len() < 4 || random.below(2) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let piece = |random: &mut Random| {
        let first = random.below(places.len() - 1);
        let most = (places.len() - 1 - first).min([4, 16, 200, usize::MAX][random.below(4)]);
        let last = first + 1 + random.below(most);
        // with or without the mark at its end
        places[first]..places[last] + random.below(2)
    };
    let range = piece(&mut random);
    let old = data[..size].to_vec();
    let (before, own, behind) = (&old[..range.start], &old[range.clone()], &old[range.end..]);
    let new = match random.below(4) {
        0 => [before, behind].concat(),
        1 => [before, &own.repeat(2 + random.below(REPEATED)), behind].concat(),
        2 => {
            let place = places[random.below(places.len())];
            [&old[..place], own, &old[place..]].concat()
        }
        _ => {
            let other = piece(&mut random);
            [before, &old[other], behind].concat()
        }
    };
    let size = new.len().min(max_size);
    data[..size].copy_from_slice(&new[..size]);
    size
}

/// Numbers that look random (xorshift).
pub struct Random(pub u64);

impl Random {
    /// Returns a number below another, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end
    }
}
