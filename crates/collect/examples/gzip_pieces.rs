//! Measures compressing a file in pieces: `scripts/bench gzip` runs it.
//!
//! Prints a line for each level and size of a piece: the level, the size in KiB, MB/s of one thread, the share in
//! percent of the time beyond libdeflate's own, the bytes that came out.

#![expect(clippy::print_stdout, reason = "it is a program")]

use std::time::Instant;

use testlake_collect::output::gzip::{Level, Member, PieceCompressor};

const REPEATS: u32 = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("no file is named")?;
    let data = std::fs::read(path)?;
    for level in [1, 4, 6, 7, 9] {
        for piece_kib in [256, 1024, 2048] {
            let mut compressor = PieceCompressor::new(Level::new(level).ok_or("no such level")?);
            let lvl = libdeflater::CompressionLvl::new(level.into()).map_err(|_| "no such level")?;
            let mut alone = libdeflater::Compressor::new(lvl);
            let mut room = vec![0; alone.deflate_compress_bound(piece_kib << 10)];
            let (mut seconds, mut seconds_alone, mut len) = (f64::MAX, f64::MAX, 0);
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

                let start = Instant::now();
                for piece in data.chunks(piece_kib << 10) {
                    alone.deflate_compress(piece, &mut room)?;
                }
                seconds_alone = seconds_alone.min(start.elapsed().as_secs_f64());
            }
            #[expect(clippy::cast_precision_loss, reason = "a speed")]
            let speed = data.len() as f64 / seconds / 1e6;
            println!(
                "{level} {piece_kib} {speed:.0} {:.1} {len}",
                (seconds - seconds_alone) / seconds * 100.0
            );
        }
    }
    Ok(())
}
