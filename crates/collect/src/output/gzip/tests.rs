//! Whatever the pieces, every reader gives them back whole, and takes them for one member.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use proptest::collection::vec;
use proptest::prelude::*;

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
    fn all_pieces_come_back_from_the_first_member(level in 1..=9_u8, pieces in vec(piece(), 0..5)) {
        let file = gzip(level, &pieces);
        let (data, used) = first_member(&file);
        prop_assert!(data == pieces.concat());
        prop_assert_eq!(used, file.len());
    }
}

#[test]
fn programs_read_all_pieces() {
    let pieces = [lines(5 << 20), Vec::new(), noise(300_000), b"\n".to_vec(), noise(5 << 20), lines(1 << 20)];
    let expected = pieces.concat();
    for level in [1, 5, 6, 9] {
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
    assert!(PieceCompressor::new(Level::default()).deflate(&data).is_ok());
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
fn levels_are_from_1_to_9() {
    assert_eq!(Level::new(0), None);
    assert_eq!(Level::new(10), None);
    assert_eq!(Level::new(5), Some(Level::default()));
}
