//! Whatever the pieces, every reader gives them back whole, and takes them for one member.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use proptest::collection::vec;
use proptest::prelude::*;

use super::walk::{LastBlock, PADDING_BYTES, Walker};
use super::{Level, Member, PieceCompressor};

/// Compresses pieces into a file.
fn gzip(level: u8, pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut compressor = PieceCompressor::new(Level::new(level).unwrap());
    let mut member = Member::new();
    let mut file = member.header().to_vec();
    for data in pieces {
        let piece = compressor.compress(data);
        member.add(&piece);
        file.extend_from_slice(&piece.bytes);
    }
    file.extend_from_slice(&member.trailer());
    file
}

fn all_of(mut reader: impl Read) -> Vec<u8> {
    let mut data = Vec::new();
    std::io::copy(&mut reader, &mut data).unwrap();
    data
}

/// Reads the first member, and says how many bytes of the file it took.
fn first_member(file: &[u8]) -> (Vec<u8>, usize) {
    let mut rest = file;
    let data = all_of(flate2::bufread::GzDecoder::new(&mut rest));
    (data, file.len() - rest.len())
}

/// Passes the file through a program, and returns what it prints.
fn through(program: &str, arguments: &[&str], file: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(file).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{program}: {:?}", output.status);
    output.stdout
}

/// A number that looks random, the next for a state.
fn next_random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    (0..len).map(|_| next_random(&mut state).to_le_bytes()[3]).collect()
}

/// Lines as the collections have them, of about `len` bytes.
fn lines(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d;
    let mut text = Vec::with_capacity(len + 256);
    while text.len() < len {
        let random = next_random(&mut state);
        writeln!(
            text,
            r#"{{"classname": "Test{}CPU", "name": "test_{}_{}_float32", "time": {}.{:03}, "workflow_id": "9871234567", "job_id": 27000{:06}}}"#,
            random % 17,
            ["add", "matmul", "conv", "stack"][usize::try_from(random >> 8 & 3).unwrap()],
            random >> 16 & 0xfff,
            random >> 32 & 3,
            random >> 40 & 0x3ff,
            random % 7,
        )
        .unwrap();
    }
    text
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..2000),
        (0..300_000_usize).prop_map(noise),
        (0..600_000_usize).prop_map(lines),
        // Little that is not a match, and blocks that end where the input changes its kind.
        (any::<u8>(), 0..400_000_usize).prop_map(|(byte, len)| std::vec![byte; len]),
        (0..100_000_usize, 0..100_000_usize).prop_map(|(a, b)| [lines(a), noise(b), lines(b)].concat()),
        vec(prop_oneof![Just("{\"name\": \"test_"), Just("a"), Just("\"}\n"), Just("0.001")], 0..3000)
            .prop_map(|words| words.concat().into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn all_pieces_come_back_from_the_first_member(level in 1..=12_u8, pieces in vec(piece(), 0..5)) {
        let file = gzip(level, &pieces);
        let (data, used) = first_member(&file);
        prop_assert!(data == pieces.concat());
        prop_assert_eq!(used, file.len());
    }

    #[test]
    fn a_piece_is_never_stored_for_want_of_understanding(level in 1..=12_u8, data in piece()) {
        prop_assume!(!data.is_empty());
        prop_assert!(PieceCompressor::new(Level::new(level).unwrap()).deflate(&data).is_some());
    }

    #[test]
    fn a_broken_stream_is_no_panic(level in 1..=12_u8, data in piece(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut stream = raw_stream(level, &data);
        let len = stream.len() - PADDING_BYTES;
        for (place, value) in changes {
            stream[place.index(len)] ^= value;
        }
        let last = Walker::new().last_block(&stream, len);
        prop_assert!(last.is_none_or(|last| last.header_bit < last.end_bit && last.end_bit.div_ceil(8) == len));
    }

    #[test]
    fn noise_is_no_panic(data in vec(any::<u8>(), PADDING_BYTES..400)) {
        let len = data.len() - PADDING_BYTES;
        let last = Walker::new().last_block(&data, len);
        prop_assert!(last.is_none_or(|last| last.end_bit.div_ceil(8) == len));
    }
}

/// A stream of libdeflate's, with its padding.
fn raw_stream(level: u8, data: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(Level::new(level).unwrap().0);
    let mut stream = vec![0; compressor.deflate_compress_bound(data.len()) + PADDING_BYTES];
    let len = compressor.deflate_compress(data, &mut stream).unwrap();
    stream.truncate(len);
    stream.resize(len + PADDING_BYTES, 0);
    stream
}

#[test]
fn every_cut_of_a_stream_is_refused() {
    let stream = raw_stream(6, &lines(20_000));
    let len = stream.len() - PADDING_BYTES;
    assert!(Walker::new().last_block(&stream, len).is_some());
    for cut in 0..len {
        assert_eq!(Walker::new().last_block(&stream, cut), None, "cut after {cut} of {len} bytes");
    }
}

#[test]
fn the_last_of_two_blocks_is_found() {
    // A stored block of one byte, then one with the fixed code that holds nothing.
    let mut stream = vec![0x00, 1, 0, 0xfe, 0xff, b'x', 0x03, 0x00];
    let len = stream.len();
    stream.extend_from_slice(&[0; PADDING_BYTES]);
    let last = Walker::new().last_block(&stream, len);
    assert_eq!(last, Some(LastBlock { header_bit: 48, end_bit: 58 }));
}

#[test]
fn other_encoders_streams_are_understood_too() {
    for data in [lines(3_000_000), noise(200_000), Vec::new()] {
        for level in 0..=9 {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(level));
            encoder.write_all(&data).unwrap();
            let mut stream = encoder.finish().unwrap();
            let len = stream.len();
            stream.extend_from_slice(&[0; PADDING_BYTES]);
            assert!(Walker::new().last_block(&stream, len).is_some(), "level {level}");
        }
    }
}

#[test]
fn programs_read_all_pieces() {
    let pieces = [lines(5 << 20), Vec::new(), noise(300_000), b"\n".to_vec(), noise(5 << 20), lines(1 << 20)];
    let expected = pieces.concat();
    for level in [1, 6] {
        let file = gzip(level, &pieces);
        for (program, arguments) in [
            ("zcat", &[][..]),
            (
                "python3",
                &[
                    "-c",
                    "import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))",
                ],
            ),
        ] {
            assert!(through(program, arguments, &file) == expected, "{program}, level {level}");
        }
        let data = all_of(flate2::read::MultiGzDecoder::new(&file[..]));
        assert!(data == expected, "level {level}");
        assert_eq!(first_member(&file), (data, file.len()));
    }
}

#[test]
fn nothing_is_an_empty_gzip() {
    for pieces in [&[][..], &[Vec::new()]] {
        let file = gzip(6, pieces);
        assert_eq!(file, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(first_member(&file), (Vec::new(), 20));
        assert_eq!(through("zcat", &[], &file), b"");
    }
}

#[test]
fn a_piece_does_not_depend_on_those_before_it() {
    let data = lines(700_000);
    let mut used = PieceCompressor::new(Level::default());
    used.compress(&noise(2_000_000));
    used.compress(&lines(10));
    assert_eq!(used.compress(&data), PieceCompressor::new(Level::default()).compress(&data));
}

#[test]
fn what_cannot_be_compressed_grows_little() {
    let data = noise(1 << 20);
    let piece = PieceCompressor::new(Level::default()).compress(&data);
    assert!(piece.bytes.len() < data.len() + data.len() / 1000, "{} bytes", piece.bytes.len());
}

#[test]
fn stored_pieces_are_read() {
    let data = noise(200_000);
    let mut stream = super::piece::store(&data);
    stream.extend_from_slice(&[3, 0]);
    assert!(all_of(flate2::read::DeflateDecoder::new(&stream[..])) == data);
}

#[test]
fn levels_are_from_1_to_12() {
    assert_eq!(Level::new(0), None);
    assert_eq!(Level::new(13), None);
    assert_eq!(Level::new(6), Some(Level::default()));
}
