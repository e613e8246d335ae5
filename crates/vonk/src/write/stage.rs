//! Where a write is prepared until it is published: beside a local target, or for a store.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::execution::SessionState;

use super::options::Layout;
use super::remote::RemoteStage;
use super::staging::{Staging, write_error};
use super::{Existing, Guard, Place, blocking, publish};
use crate::error::Result;
use crate::policy::Policy;

/// A write that is being prepared; what was prepared goes with its last holder.
#[derive(Debug)]
pub(crate) enum Stage {
    Local(Staging),
    Remote(RemoteStage),
}

/// What must not have changed when a write is published, and what is published beside its data.
type Beside = (Option<Guard>, Vec<(String, Vec<u8>)>);

impl Stage {
    /// Stages a target, with its companions when it is a directory.
    ///
    /// # Errors
    /// If the directories cannot be made, or the policy forbids to write the target.
    pub(crate) async fn begin(
        state: &SessionState,
        target: &Place,
        layout: Layout,
        companions: &[(String, Vec<u8>)],
    ) -> Result<Self> {
        match target {
            Place::Local(target) => {
                let (policy, target) = (Policy::of(state), target.path.clone());
                let companions = companions.to_vec();
                let begin = move || begin_local(&policy, &target, layout, &companions);
                blocking(begin).await.map(Self::Local)
            }
            Place::Remote(address) => {
                RemoteStage::begin(state, address, layout, companions).map(Self::Remote)
            }
        }
    }

    /// The local path at which the new file or directory is prepared.
    pub(crate) fn new_path(&self) -> PathBuf {
        match self {
            Self::Local(staging) => staging.new_path(),
            Self::Remote(stage) => stage.new_path(),
        }
    }

    /// Where the write will be published, for messages.
    pub(crate) fn target(&self) -> &Path {
        match self {
            Self::Local(staging) => staging.target(),
            Self::Remote(stage) => stage.target(),
        }
    }

    /// Sends a complete file on its way, if the target is not on this machine; gives its size then.
    pub(crate) async fn send(&self, file: &Path) -> Result<Option<u64>> {
        match self {
            Self::Local(_) => Ok(None),
            Self::Remote(stage) => stage.send(file).await.map(Some),
        }
    }

    /// Takes back at once what was sent.
    pub(crate) async fn abandon(&self) {
        if let Self::Remote(stage) = self {
            stage.abandon().await;
        }
    }

    /// Publishes what was prepared; everything in it is durable already.
    pub(crate) async fn publish(
        stage: Arc<Self>,
        layout: Layout,
        existing: Existing,
        (guard, companions): Beside,
    ) -> Result<()> {
        if let Self::Remote(stage) = stage.as_ref() {
            return match layout {
                Layout::File => stage.publish_file(existing).await,
                Layout::Directory => {
                    stage.publish_directory(existing, guard.as_ref(), &companions).await
                }
            };
        }
        blocking(move || match (stage.as_ref(), layout) {
            (Self::Local(staging), Layout::File) => staging.publish_file(existing),
            (Self::Local(staging), Layout::Directory) => {
                staging.publish_directory(existing, guard.as_ref())
            }
            (Self::Remote(_), _) => Ok(()),
        })
        .await
    }
}

fn begin_local(
    policy: &Policy,
    target: &Path,
    layout: Layout,
    companions: &[(String, Vec<u8>)],
) -> Result<Staging> {
    let staging = Staging::begin(policy, target)?;
    if layout == Layout::Directory {
        let root = staging.new_path();
        let make = || -> io::Result<()> {
            std::fs::create_dir(&root)?;
            companions
                .iter()
                .try_for_each(|(name, bytes)| publish::write_durable(&root.join(name), bytes))
        };
        make().map_err(|error| write_error(target, "write", error))?;
    }
    Ok(staging)
}
