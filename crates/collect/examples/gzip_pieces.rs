//! Measures compressing a file in pieces: `scripts/bench gzip` runs it.
//!
//! Prints a line for each level and size of a piece: the level, the size in KiB, MB/s of one thread, the bytes that came out.

#![expect(clippy::print_stdout, reason = "it is a program")]

use std::time::Instant;

use testlake_collect::output::gzip::{Level, Member, PieceCompressor};

const REPEATS: u32 = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("no file is named")?;
    let data = std::fs::read(path)?;
    for level in [1, 3, 4, 5, 6, 9] {
        for piece_kib in [256, 1024, 2048] {
            let mut compressor = PieceCompressor::new(Level::new(level).ok_or("no such level")?);
            let (mut seconds, mut len) = (f64::MAX, 0);
            for _ in 0..REPEATS {
                let start = Instant::now();
                let mut member = Member::new();
                len = member.header().len();
                for piece in data.chunks(piece_kib << 10) {
                    let piece = compressor.compress(piece);
                    member.add(&piece);
                    len += piece.bytes.len();
                }
                len += member.trailer().len();
                seconds = seconds.min(start.elapsed().as_secs_f64());
            }
            #[expect(clippy::cast_precision_loss, reason = "a speed")]
            let speed = data.len() as f64 / seconds / 1e6;
            println!("{level} {piece_kib} {speed:.0} {len}");
        }
    }
    Ok(())
}
