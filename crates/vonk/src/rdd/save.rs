//! Saving as text: one part file per partition, published as a whole directory.

use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::job::Task;
use super::{Rdd, Rows};
use crate::error::Result;
use crate::policy::Access;
use crate::write::{
    Existing, Layout, Place, Stage, WriteOptions, already_exists, success_marker, write_error,
};

impl<T: Display + Send + 'static> Rdd<T> {
    /// Writes every element as a line to a new directory, one file `part-00000`, `part-00001`, …
    /// per partition.
    ///
    /// The directory appears when everything is written; an action that fails or is dropped leaves
    /// nothing behind.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("numbers");
    /// # let path = path.to_str().unwrap();
    /// let context = Session::new().context();
    /// context.range(0, 3).save_as_text_file(path).await?;
    /// assert_eq!(context.text_file(path).collect().await?, ["0", "1", "2"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Rdd::collect`], `PATH_ALREADY_EXISTS` if something is there, and those of writing.
    pub async fn save_as_text_file(&self, path: &str) -> Result<()> {
        let (state, options) = (self.context().session().state(), WriteOptions::default());
        let target = Place::find(&state, Access::Write, path, &options).await?;
        if target.exists() {
            return Err(already_exists(target.name().as_ref()));
        }
        let marker: Vec<_> = success_marker(&state, &options)?.into_iter().collect();
        let stage = Arc::new(Stage::begin(&state, &target, Layout::Directory, &marker).await?);
        let staged = Arc::clone(&stage);
        let written = self.run(move |task, rows| write_part(task, rows, &staged)).await?;
        for part in written {
            if let Err(error) = stage.send(&part).await {
                stage.abandon().await;
                return Err(error);
            }
        }
        Stage::publish(stage, Layout::Directory, Existing::Refuse, (None, marker)).await
    }
}

/// Writes the lines of a partition and gives the path of their file.
fn write_part<T: Display>(task: &Task, rows: Rows<T>, stage: &Stage) -> Result<PathBuf> {
    let path = stage.new_path().join(format!("part-{:05}", task.partition));
    let failed = |cause| write_error(stage.target(), "write", cause);
    let mut file = BufWriter::new(File::create(&path).map_err(failed)?);
    for row in rows {
        writeln!(file, "{row}").map_err(failed)?;
    }
    let file = file.into_inner().map_err(|cause| failed(cause.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(path)
}
