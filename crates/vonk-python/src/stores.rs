//! Files of stores other than the local disk, for RDDs: listed, read in ranges, published.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Mutex;

use pyo3::exceptions::{PyFileExistsError, PyFileNotFoundError, PyOSError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use vonk::{Condition, blocking};

use crate::sql;

/// Bytes asked for at once: few requests, and little that is read in vain.
const RANGE_BYTES: u64 = 4 << 20;

/// The session through which this process asks stores, with the settings of its Spark context.
static SESSION: Mutex<Option<blocking::Session>> = Mutex::new(None);

fn session() -> PyResult<blocking::Session> {
    let mut session = SESSION.lock().map_err(|_| PyOSError::new_err("the stores are broken"))?;
    if let Some(session) = session.as_ref() {
        return Ok(session.clone());
    }
    let made = sql::session(Vec::new())?;
    *session = Some(made.clone());
    Ok(made)
}

fn told(error: vonk::Error) -> PyErr {
    let text = error.to_string();
    match error.condition() {
        Condition::PATH_NOT_FOUND => PyFileNotFoundError::new_err(text),
        Condition::PATH_ALREADY_EXISTS => PyFileExistsError::new_err(text),
        _ => PyOSError::new_err(text),
    }
}

/// Takes the settings of a Spark context, which say where stores are and who asks them.
#[pyfunction]
pub(crate) fn set_stores(settings: Vec<(String, String)>) -> PyResult<()> {
    let made = sql::session(settings)?;
    let mut session = SESSION.lock().map_err(|_| PyOSError::new_err("the stores are broken"))?;
    *session = Some(made);
    Ok(())
}

/// The files at a path, a glob or a directory of a store, with their sizes.
#[pyfunction]
pub(crate) fn list_files(py: Python<'_>, path: &str) -> PyResult<Vec<(String, u64)>> {
    let session = session()?;
    py.detach(|| session.list_files([path])).map_err(told)
}

/// The bytes of a file of a store from one offset to before another.
#[pyfunction]
pub(crate) fn read_bytes<'py>(
    py: Python<'py>,
    path: &str,
    start: u64,
    end: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    let session = session()?;
    let bytes = py.detach(|| session.read_bytes(path, start..end)).map_err(told)?;
    Ok(PyBytes::new(py, &bytes))
}

/// Makes a new directory in a store of the files of a local one.
#[pyfunction]
pub(crate) fn publish_files(py: Python<'_>, from: PathBuf, to: &str) -> PyResult<()> {
    let session = session()?;
    py.detach(|| session.publish_files(&from, to)).map_err(told)
}

/// A file of a store as a reader that can seek.
pub(crate) struct RemoteFile {
    session: blocking::Session,
    path: String,
    size: u64,
    at: u64,
    /// What was read ahead, which begins at this offset.
    ahead: (u64, bytes::Bytes),
}

impl RemoteFile {
    pub(crate) fn open(path: &str) -> io::Result<Self> {
        let session = session().map_err(io::Error::other)?;
        let files = session.list_files([path]).map_err(io::Error::other)?;
        let size = files.first().map_or(0, |(_, size)| *size);
        Ok(Self { session, path: path.to_owned(), size, at: 0, ahead: Default::default() })
    }
}

impl Read for RemoteFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let (start, bytes) = &self.ahead;
        if self.at < *start || self.at >= start + bytes.len() as u64 {
            let end = self.size.min(self.at + RANGE_BYTES);
            let bytes = self.session.read_bytes(&self.path, self.at..end);
            self.ahead = (self.at, bytes.map_err(io::Error::other)?);
        }
        let (start, bytes) = &self.ahead;
        let left = &bytes[(self.at - start) as usize..];
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for RemoteFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
