//! What cannot be avoided: inflates the archives of a run and deflates the documents made of them, and nothing else.
//! No checksum, no reading, no writing: `floor LEVEL THREADS PIECE_BYTES ARCHIVES DOCUMENT...`.
//!
//! The documents are read before the time counts. Prints the seconds and the bytes inflated, given to deflate and
//! deflated as JSON.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use compare::AnyError;
use flate2::{Compress, Compression, FlushCompress};
use libdeflater::Decompressor;
use rawzip::{CompressionMethod, ZipArchive};

/// What one thread does at a time.
enum Task<'document> {
    Inflate(PathBuf),
    Deflate(&'document [u8]),
}

/// Bytes inflated, given to deflate and deflated.
type Sums = [u64; 3];

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [level, threads, piece, archives, documents @ ..] = arguments.as_slice() else {
        return Err("usage: floor LEVEL THREADS PIECE_BYTES ARCHIVES DOCUMENT...".into());
    };
    let level = Compression::new(level.parse()?);
    let (threads, piece): (usize, usize) = (threads.parse()?, piece.parse()?);
    let documents = documents.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;

    let start = Instant::now();
    let mut tasks = VecDeque::new();
    for entry in fs::read_dir(archives)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "zip") {
            tasks.push_back(Task::Inflate(path));
        }
    }
    tasks.extend(documents.iter().flat_map(|document| document.chunks(piece)).map(Task::Deflate));
    let tasks = Mutex::new(tasks);
    let sums = std::thread::scope(|scope| -> Result<Sums, AnyError> {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| work(&tasks, level).map_err(|error| error.to_string())))
            .collect();
        let mut all = Sums::default();
        for worker in workers {
            let sums = worker.join().map_err(|_| "a thread panicked")??;
            all.iter_mut().zip(sums).for_each(|(all, sum)| *all += sum);
        }
        Ok(all)
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let [inflated, documents, deflated] = sums;
    println!(
        "{{\"seconds\": {seconds}, \"inflated\": {inflated}, \"documents\": {documents}, \"deflated\": {deflated}}}"
    );
    Ok(())
}

fn work(tasks: &Mutex<VecDeque<Task<'_>>>, level: Compression) -> Result<Sums, AnyError> {
    let (mut inflate, mut deflate) = (Decompressor::new(), Compress::new(level, false));
    let mut room = Vec::new();
    let mut sums = Sums::default();
    loop {
        let task = tasks.lock().map_err(|_| "a thread panicked")?.pop_front();
        match task {
            None => return Ok(sums),
            Some(Task::Inflate(path)) => {
                let archive = ZipArchive::from_slice(fs::read(path)?)?;
                let mut entries = archive.entries();
                while let Some(entry) = entries.next_entry()? {
                    let length = usize::try_from(entry.uncompressed_size_hint())?;
                    let data = archive.get_entry(entry.wayfinder())?.data();
                    if entry.compression_method() == CompressionMethod::DEFLATE {
                        inflate.deflate_decompress(data, room_of(&mut room, length))?;
                    }
                    sums[0] += length as u64;
                }
            }
            Some(Task::Deflate(piece)) => {
                deflate.reset();
                // more than what cannot be compressed grows to
                let room = room_of(&mut room, piece.len() + piece.len() / 8 + 1024);
                deflate.compress(piece, room, FlushCompress::Sync)?;
                if deflate.total_in() != piece.len() as u64 {
                    return Err("a piece was not taken whole".into());
                }
                sums[1] += piece.len() as u64;
                sums[2] += deflate.total_out();
            }
        }
    }
}

/// Returns that many bytes, of a buffer that is kept.
fn room_of(room: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if room.len() < length {
        room.resize(length, 0);
    }
    &mut room[..length]
}
