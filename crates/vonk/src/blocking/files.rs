//! Reading and writing files without async.

use super::{DataFrame, Session, wait};
use crate::dataframe::{DataFrameReader, Paths, ReadSchema};
use crate::error::Result;
use crate::write::{self, WriteReport};

/// A [`crate::DataFrameReader`] whose queries are [`DataFrame`]s of this module.
#[derive(Debug, Clone)]
pub struct Reader(DataFrameReader);

/// A [`crate::DataFrameWriter`] that waits until everything is written.
#[derive(Debug)]
pub struct Writer(write::DataFrameWriter);

impl Session {
    /// As [`crate::Session::read`].
    ///
    /// ```
    /// let session = vonk::blocking::Session::new();
    /// assert!(session.read().csv("there is no such file").count().is_err());
    /// ```
    pub fn read(&self) -> Reader {
        Reader(self.0.read())
    }
}

/// Methods that read a path, passed on.
macro_rules! reads {
    ($($name:ident)*) => {
        impl Reader {
            $(#[doc = concat!("As [`crate::DataFrameReader::", stringify!($name), "`].")]
            pub fn $name(self, paths: impl Paths) -> DataFrame {
                DataFrame(self.0.$name(paths))
            })*
        }
    };
}

reads! { parquet csv json text avro arrow binary_file load }

impl Reader {
    /// As [`crate::DataFrameReader::format`].
    #[must_use]
    pub fn format(self, name: &str) -> Self {
        Self(self.0.format(name))
    }

    /// As [`crate::DataFrameReader::option`].
    #[must_use]
    pub fn option(self, name: &str, value: impl ToString) -> Self {
        Self(self.0.option(name, value))
    }

    /// As [`crate::DataFrameReader::schema`].
    #[must_use]
    pub fn schema(self, schema: impl Into<ReadSchema>) -> Self {
        Self(self.0.schema(schema))
    }
}

impl DataFrame {
    /// As [`crate::DataFrame::write`].
    pub fn write(&self) -> Writer {
        Writer(self.0.write())
    }
}

/// Methods that write, each waiting for the end.
macro_rules! writes {
    ($($name:ident)*) => {
        impl Writer {
            $(#[doc = concat!("As [`crate::DataFrameWriter::", stringify!($name), "`], waiting for the end.")]
            ///
            /// # Errors
            /// Those of the same method there.
            pub fn $name(self, target: &str) -> Result<WriteReport> {
                let target = target.to_owned();
                wait(async move { self.0.$name(&target).await })
            })*
        }
    };
}

writes! { parquet csv json text save save_as_table insert_into }

impl Writer {
    /// As [`crate::DataFrameWriter::format`].
    #[must_use]
    pub fn format(self, name: &str) -> Self {
        Self(self.0.format(name))
    }

    /// As [`crate::DataFrameWriter::mode`].
    #[must_use]
    pub fn mode(self, mode: impl TryInto<write::SaveMode, Error: std::fmt::Display>) -> Self {
        Self(self.0.mode(mode))
    }

    /// As [`crate::DataFrameWriter::option`].
    #[must_use]
    pub fn option(self, name: &str, value: impl std::fmt::Display) -> Self {
        Self(self.0.option(name, value))
    }

    /// As [`crate::DataFrameWriter::partition_by`].
    #[must_use]
    pub fn partition_by<S: Into<String>>(self, columns: impl IntoIterator<Item = S>) -> Self {
        Self(self.0.partition_by(columns))
    }
}
