//! Publishing in a store: which files appear, and from when on they count.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use object_store::path::Path as StorePath;
use object_store::{ObjectMeta, ObjectStoreExt, PutPayload};

use super::{Address, Found, Hidden, RemoteStage, Sent, below, take_back};
use crate::error::{Condition, Error, Result};
use crate::sources::ledger::{self, Ledger, Phase, Removed};
use crate::write::staging::already_exists;
use crate::write::{Existing, Guard};

/// Files that are made visible at the same time.
const SHOWN_AT_ONCE: usize = 8;

/// How often a writer that publishes says that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_millis(if cfg!(test) { 500 } else { 5_000 });

/// After so long without such a sign a writer is taken for dead.
const DEAD_AFTER: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 30 });

/// How often others look for that sign.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often a write tries to be the next one.
const ATTEMPTS_MAX: usize = 100;

type Beside<'a> = (Option<&'a Guard>, &'a [(String, Vec<u8>)]);

/// Publishes files as a directory.
pub(super) async fn directory(
    stage: &RemoteStage,
    sent: Vec<Sent>,
    existing: Existing,
    (guard, companions): Beside<'_>,
) -> Result<()> {
    let address = &stage.address;
    let is_companion = |file: &Sent| companions.iter().any(|(name, _)| *name == file.path);
    let (beside, data): (Vec<Sent>, Vec<Sent>) = sent.into_iter().partition(is_companion);
    if let Err(error) = check(guard) {
        let all = data.into_iter().chain(beside).collect();
        stage.take_back(all).await;
        return Err(error);
    }
    let has_files = !data.is_empty() || !beside.is_empty();
    let is_new = address.renames && address.found == Found::Nothing && has_files;
    if is_new && rename_whole(stage).await? {
        return Ok(());
    }
    let mut publication = Publication { stage, number: 0, void: Vec::new(), guard };
    publication.publish(data, existing).await?;
    for (name, bytes) in companions {
        let target = below(&address.path, name);
        let put = address.store.put(&target, PutPayload::from(bytes.clone()));
        // The data is there; a marker that is not is no reason to say that it is not.
        if let Err(error) = put.await {
            log::warn!("`{name}` of `{}` cannot be written: {error}", address.text);
        }
    }
    Ok(())
}

fn check(guard: Option<&Guard>) -> Result<()> {
    if guard.is_some_and(Guard::is_broken) {
        let message = "cannot publish: the table was changed or dropped in the meantime";
        return Err(Error::new(Condition::WRITE_FAILED, message).hint("run the statement again"));
    }
    Ok(())
}

/// Gives the whole hidden directory the target's name; false if that is taken.
async fn rename_whole(stage: &RemoteStage) -> Result<bool> {
    let address = &stage.address;
    let new = stage.hidden.clone().join("new");
    match address.store.rename_if_not_exists(&new, &address.path).await {
        Ok(()) => Ok(true),
        Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
        Err(error) => Err(address.failed(error)),
    }
}

/// Makes one file visible under its name.
pub(super) async fn show(
    address: &Address,
    file: Sent,
    target: &StorePath,
    existing: Existing,
) -> Result<()> {
    let shown = match file.state {
        Hidden::Open(mut upload) => upload.complete().await.map(drop),
        Hidden::Named(from) if existing == Existing::Refuse => {
            address.store.rename_if_not_exists(&from, target).await
        }
        Hidden::Named(from) => address.store.rename(&from, target).await,
    };
    match shown {
        Err(object_store::Error::AlreadyExists { .. }) => {
            Err(already_exists(std::path::Path::new(&address.text)))
        }
        other => other.map_err(|error| address.failed(error)),
    }
}

/// One write that changes a directory's ledger.
struct Publication<'a> {
    stage: &'a RemoteStage,
    /// The number of the newest state, which is this write's own once it is staged.
    number: u64,
    void: Vec<String>,
    guard: Option<&'a Guard>,
}

impl Publication<'_> {
    fn address(&self) -> &Address {
        &self.stage.address
    }

    async fn publish(&mut self, data: Vec<Sent>, existing: Existing) -> Result<()> {
        let added: Vec<String> = data.iter().map(|file| file.path.clone()).collect();
        let removed = match self.stage_ledger(&added, existing).await {
            Ok(removed) => removed,
            Err(error) => {
                self.stage.take_back(data).await;
                return Err(error);
            }
        };
        let Some(removed) = removed else {
            // One file more appears at once by itself.
            let address = self.address();
            for file in data {
                let target = below(&address.path, &file.path);
                show(address, file, &target, Existing::Append).await?;
            }
            return Ok(());
        };
        let shown = match self.show_all(data, &added).await {
            Ok(()) => check(self.guard),
            failed => failed,
        };
        if let Err(error) = shown {
            self.undo(&added).await;
            return Err(error);
        }
        let published =
            Ledger { phase: Phase::Published, added: Vec::new(), removed, void: self.void.clone() };
        if !self.append(&published).await? {
            self.undo(&added).await;
            return Err(self.lost());
        }
        self.settle(published).await;
        Ok(())
    }

    /// Notes as the only writer what is added and what goes; `None` if no ledger is needed.
    async fn stage_ledger(
        &mut self,
        added: &[String],
        existing: Existing,
    ) -> Result<Option<Vec<Removed>>> {
        for _ in 0..ATTEMPTS_MAX {
            let address = self.address();
            let store = address.store.as_ref();
            let failed = |error| address.failed(error);
            let (number, ledger) = ledger::current(store, &address.path).await.map_err(failed)?;
            if ledger.phase == Phase::Staged {
                wait_for(address, number, ledger).await?;
                continue;
            }
            if !ledger.removed.is_empty() {
                // A writer died, or is about to remove these itself.
                (self.number, self.void) = (number, ledger.void.clone());
                self.settle(ledger).await;
                continue;
            }
            if existing == Existing::Append && added.len() <= 1 {
                return Ok(None);
            }
            let there = match existing {
                Existing::Append => Vec::new(),
                _ => ledger::files(store, &address.path, &ledger).await.map_err(failed)?,
            };
            if existing == Existing::Refuse && !there.is_empty() {
                return Err(already_exists(std::path::Path::new(&address.text)));
            }
            let removed = goes(existing, there, added);
            let staged = Ledger {
                phase: Phase::Staged,
                added: added.to_vec(),
                removed: removed.clone(),
                void: ledger.void.clone(),
            };
            if ledger::append(store, &address.path, number + 1, &staged).await.map_err(failed)? {
                (self.number, self.void) = (number + 1, ledger.void);
                return Ok(Some(removed));
            }
        }
        let message =
            "other writers publish again and again, or what they replaced cannot be removed";
        Err(Error::new(Condition::WRITE_FAILED, message)
            .hint("run the statement again when fewer writes are made, and check who may delete")
            .file(&self.address().text))
    }

    /// Makes all files visible, and says now and then that this writer lives.
    async fn show_all(&mut self, data: Vec<Sent>, added: &[String]) -> Result<()> {
        let address = self.stage.address.clone();
        let failing = AtomicBool::new(false);
        let shown = futures::stream::iter(data.into_iter().map(|file| {
            let (address, failing) = (&address, &failing);
            let target = below(&address.path, &file.path);
            async move {
                if failing.load(Ordering::Relaxed) {
                    let store = Arc::clone(&address.store);
                    take_back(store, None, vec![file]).await;
                    return Ok(());
                }
                show(address, file, &target, Existing::Append).await
            }
        }));
        let mut shown = shown.buffer_unordered(SHOWN_AT_ONCE);
        let mut signs = tokio::time::interval(SIGN_OF_LIFE);
        signs.tick().await;
        let staged = Ledger {
            phase: Phase::Staged,
            added: added.to_vec(),
            removed: Vec::new(),
            void: self.void.clone(),
        };
        let mut outcome = Ok(());
        loop {
            // After an error the rest is not shown but taken back.
            let done = tokio::select! {
                next = shown.next() => match next {
                    None => return outcome,
                    Some(done) => done,
                },
                _ = signs.tick() => match self.append(&staged).await {
                    Ok(false) => Err(self.lost()),
                    other => other.map(drop),
                },
            };
            if let Err(error) = done
                && outcome.is_ok()
            {
                failing.store(true, Ordering::Relaxed);
                outcome = Err(error);
            }
        }
    }

    /// Makes a state the newest one, if this write's is it still.
    async fn append(&mut self, ledger: &Ledger) -> Result<bool> {
        let address = self.address();
        let done = ledger::append(address.store.as_ref(), &address.path, self.number + 1, ledger);
        let done = done.await.map_err(|error| address.failed(error))?;
        self.number += u64::from(done);
        Ok(done)
    }

    /// Removes the files of a write that failed; those that stay never count.
    async fn undo(&mut self, added: &[String]) {
        self.void.extend_from_slice(added);
        let given_up = Ledger { void: self.void.clone(), ..Ledger::default() };
        if let Err(error) = self.append(&given_up).await {
            log::warn!("`{}` keeps the note of a write that failed: {error}", self.address().text);
        }
        remove(self.address(), added.iter().map(String::as_str)).await;
    }

    /// Removes what a published write replaces, and notes that it is gone.
    async fn settle(&mut self, published: Ledger) {
        let address = self.address();
        if remove(address, published.removed.iter().map(|file| file.path.as_str())).await {
            let settled = Ledger { void: published.void, ..Ledger::default() };
            let store = address.store.as_ref();
            let number = self.number + 1;
            let noted = ledger::append(store, &address.path, number, &settled).await;
            if matches!(noted, Ok(true)) {
                drop(ledger::forget(store, &address.path, number).await);
            }
        }
    }

    fn lost(&self) -> Error {
        let message = "another writer took this one for dead and published its own files";
        Error::new(Condition::WRITE_FAILED, message)
            .hint("run the statement again")
            .file(&self.address().text)
    }
}

/// What goes with a write, of what is there.
fn goes(existing: Existing, there: Vec<(String, ObjectMeta)>, added: &[String]) -> Vec<Removed> {
    let directory = |path: &str| path.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
    let rewritten: BTreeSet<String> = added.iter().map(|path| directory(path)).collect();
    let goes = |path: &str| match existing {
        Existing::Append | Existing::Refuse => false,
        Existing::Replace | Existing::ReplaceData => true,
        Existing::ReplacePartitions => rewritten.contains(&directory(path)),
    };
    let gone = there.into_iter().filter(|(path, _)| goes(path));
    gone.map(|(path, file)| Removed::new(path, &file)).collect()
}

/// Waits until another writer has published, or gives it up when it seems to be dead.
async fn wait_for(address: &Address, number: u64, staged: Ledger) -> Result<()> {
    let (store, mut waited) = (address.store.as_ref(), Duration::ZERO);
    let failed = |error| address.failed(error);
    while waited < DEAD_AFTER {
        tokio::time::sleep(LOOK_EVERY).await;
        waited += LOOK_EVERY;
        if ledger::newest(store, &address.path).await.map_err(failed)? != number {
            return Ok(());
        }
    }
    let void: Vec<String> = staged.void.iter().chain(&staged.added).cloned().collect();
    let given_up = Ledger { void, ..Ledger::default() };
    if ledger::append(store, &address.path, number + 1, &given_up).await.map_err(failed)? {
        remove(address, staged.added.iter().map(String::as_str)).await;
    }
    Ok(())
}

/// Removes files below the target; false if one stays.
async fn remove(address: &Address, paths: impl Iterator<Item = &str>) -> bool {
    let mut is_done = true;
    for path in paths {
        match address.store.delete(&below(&address.path, path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => {
                log::warn!("`{path}` of `{}` cannot be removed: {error}", address.text);
                is_done = false;
            }
        }
    }
    is_done
}
