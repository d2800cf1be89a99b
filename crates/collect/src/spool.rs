//! The bytes of an artifact: in memory while small, in an unnamed temporary file beyond that.
//!
//! A [`Body`] is readable at any place by any thread, which is what a zip's directory at its end needs.
//! Temporary files have no name (the system removes them when the process ends, however it ends).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use bytes::Bytes;

/// Bytes that can be read at any place, by any thread.
#[derive(Debug, Clone)]
pub enum Body {
    /// In memory.
    Memory(Bytes),
    /// In a file, with its length in bytes as it was when the file was opened.
    File(Arc<File>, u64),
    /// A part of a file: where it begins, and its length in bytes.
    Part(Arc<File>, u64, u64),
}

impl Body {
    /// Opens a file of the user's.
    ///
    /// # Errors
    /// As of [`File::open`].
    pub fn open(path: &std::path::Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self::File(Arc::new(file), len))
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, len) | Self::Part(_, _, len) => *len,
        }
    }

    /// Reports whether there is no byte at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads up to `into.len()` bytes from `offset` on; 0 at the end.
    ///
    /// # Errors
    /// Those of the file.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let mut rest = bytes.get(start..).unwrap_or_default();
                rest.read(into)
            }
            // Systems refuse offsets that no file has.
            Self::File(_, len) if offset >= *len => Ok(0),
            Self::File(file, _) => read_file_at(file, offset, into),
            Self::Part(file, start, len) => {
                let left = usize::try_from(len.saturating_sub(offset)).unwrap_or(usize::MAX);
                let room = into.len().min(left);
                read_file_at(file, start.saturating_add(offset), into.get_mut(..room).unwrap_or_default())
            }
        }
    }

    /// Reads from `offset` on until `into` is full or the bytes end, and returns how many came.
    ///
    /// # Errors
    /// Those of the file.
    pub fn read_full_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(offset.saturating_add(filled as u64), rest) {
                Ok(0) => break,
                Ok(got) => filled += got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Returns up to `len` bytes from `offset` on, without a copy where they are in memory, else by way of
    /// `buffer`, which grows as needed and never shrinks. Fewer where the bytes end.
    ///
    /// # Errors
    /// Those of the file.
    pub fn slice_at<'a>(&'a self, offset: u64, len: usize, buffer: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let end = start.saturating_add(len).min(bytes.len());
                Ok(bytes.get(start..end).unwrap_or_default())
            }
            Self::File(..) | Self::Part(..) => {
                // What a length claims beyond the end asks for no memory.
                let left = usize::try_from(self.len().saturating_sub(offset)).unwrap_or(usize::MAX);
                let len = len.min(left);
                if buffer.len() < len {
                    buffer.resize(len, 0);
                }
                let got = self.read_full_at(offset, buffer.get_mut(..len).unwrap_or_default())?;
                Ok(buffer.get(..got).unwrap_or_default())
            }
        }
    }

    /// Returns a reader of the bytes from `start` up to `end`.
    pub fn reader(&self, start: u64, end: u64) -> BodyReader {
        BodyReader { body: self.clone(), at: start, end: end.min(self.len()) }
    }
}

#[cfg(unix)]
fn read_file_at(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, offset)
}

#[cfg(windows)]
fn read_file_at(file: &File, offset: u64, into: &mut [u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, offset)
}

/// Reads a range of a [`Body`] from its start to its end.
#[derive(Debug)]
pub struct BodyReader {
    body: Body,
    at: u64,
    end: u64,
}

impl BodyReader {
    /// Returns the offset in the [`Body`] of the byte that is read next.
    pub fn position(&self) -> u64 {
        self.at
    }
}

impl Read for BodyReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let room = into.len().min(left);
        let into = into.get_mut(..room).unwrap_or_default();
        loop {
            match self.body.read_at(self.at, into) {
                Ok(got) => {
                    self.at += got as u64;
                    return Ok(got);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Takes bytes as they come in and turns into a [`Body`].
#[derive(Debug)]
pub struct Spool {
    memory: Vec<u8>,
    memory_limit: usize,
    file: Option<File>,
    len: u64,
}

impl Spool {
    /// Makes an empty spool that goes to a file once it holds more than `memory_limit` bytes.
    pub fn new(memory_limit: usize) -> Self {
        Self { memory: Vec::new(), memory_limit, file: None, len: 0 }
    }

    /// Returns how many bytes have come in.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Reports whether no byte has come in.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all that came in, as before a download starts anew.
    ///
    /// # Errors
    /// Those of the temporary file.
    pub fn clear(&mut self) -> io::Result<()> {
        self.memory.clear();
        self.len = 0;
        if let Some(file) = &mut self.file {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
        }
        Ok(())
    }

    /// Ends the spool and makes its bytes readable.
    ///
    /// # Errors
    /// Those of the temporary file.
    pub fn finish(self) -> io::Result<Body> {
        match self.file {
            Some(mut file) => {
                file.flush()?;
                Ok(Body::File(Arc::new(file), self.len))
            }
            None => Ok(Body::Memory(self.memory.into())),
        }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && self.memory.len() + bytes.len() > self.memory_limit {
            let mut file = tempfile::tempfile()?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes)?,
            None => self.memory.extend_from_slice(bytes),
        }
        self.len += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_of(bytes: &[u8], memory_limit: usize) -> Body {
        let mut spool = Spool::new(memory_limit);
        for piece in bytes.chunks(3) {
            spool.write_all(piece).unwrap();
        }
        assert_eq!(spool.len(), bytes.len() as u64);
        spool.finish().unwrap()
    }

    #[test]
    fn a_file_and_memory_read_alike() {
        let bytes = b"0123456789";
        let memory = body_of(bytes, 10);
        let file = body_of(bytes, 9);
        assert!(matches!(memory, Body::Memory(_)));
        assert!(matches!(file, Body::File(..)));
        for body in [memory, file] {
            let mut buffer = Vec::new();
            assert_eq!(body.slice_at(2, 3, &mut buffer).unwrap(), b"234");
            assert_eq!(body.slice_at(8, usize::MAX, &mut buffer).unwrap(), b"89");
            assert_eq!(body.slice_at(u64::MAX, 4, &mut buffer).unwrap(), b"");
            assert!(buffer.len() <= 10, "a claim beyond the end asks for no memory");
            assert_eq!(body.read_at(u64::MAX, &mut [0; 4]).unwrap(), 0);
            let mut text = String::new();
            body.reader(4, 7).take(100).read_to_string(&mut text).unwrap();
            assert_eq!(text, "456");
        }
    }

    #[test]
    fn a_cleared_spool_holds_nothing_of_before() {
        for memory_limit in [4, 100] {
            let mut spool = Spool::new(memory_limit);
            spool.write_all(b"a first try that broke off").unwrap();
            spool.clear().unwrap();
            spool.write_all(b"second").unwrap();
            let body = spool.finish().unwrap();
            let mut buffer = Vec::new();
            assert_eq!(body.slice_at(0, 100, &mut buffer).unwrap(), b"second");
        }
    }
}
