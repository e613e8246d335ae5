//! Saving as text: one part file per partition, published as a whole directory.

use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use super::job::Task;
use super::{Rdd, Rows};
use crate::error::Result;
use crate::policy::Access;
use crate::write::{
    Existing, Staging, Target, WriteOptions, already_exists, success_marker, write_durable,
    write_error,
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
        let target = Target::parse(self.context.session().policy(), Access::Write, path)?;
        if target.exists() {
            return Err(already_exists(&target.path));
        }
        let staging = Arc::new(Staging::begin(self.context.session().policy(), &target.path)?);
        std::fs::create_dir(staging.new_path())
            .map_err(|cause| write_error(&target.path, "write", cause))?;
        let staged = Arc::clone(&staging);
        self.run(move |task, rows| write_part(task, rows, &staged)).await?;
        let state = self.context().session().state();
        if let Some((name, bytes)) = success_marker(&state, &WriteOptions::default())? {
            write_durable(&staging.new_path().join(name), &bytes)
                .map_err(|cause| write_error(&target.path, "write", cause))?;
        }
        staging.publish_directory(Existing::Refuse, None)
    }
}

fn write_part<T: Display>(task: &Task, rows: Rows<T>, staging: &Staging) -> Result<()> {
    let path = staging.new_path().join(format!("part-{:05}", task.partition));
    let failed = |cause| write_error(staging.target(), "write", cause);
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    for row in rows {
        writeln!(file, "{row}").map_err(failed)?;
    }
    let file = file.into_inner().map_err(|cause| failed(cause.into_error()))?;
    file.sync_all().map_err(failed)
}
