//! What goes over the wire: fetch, look, push.

use super::{
    GitError, Inner, Objects,
    objects::{find_commit, tree_of},
    packs,
    transport::within_deadline,
    wire::Wire,
};
use crate::clients::credential::Credential;
use crate::clients::wire::Trust;
use crate::domain::{BranchName, CommitId};
use git2::{
    AutotagOption, Direction, FetchOptions, Oid, PushOptions, PushUpdate, RemoteCallbacks,
    RemoteHead, Repository,
};
use std::{cell::RefCell, collections::BTreeSet, path::Path, sync::Arc, time::Duration};

/// A first clone of a large repository over a slow line.
const FETCH_LIMIT: Duration = Duration::from_mins(10);
const LOOK_LIMIT: Duration = Duration::from_mins(1);
const PUSH_LIMIT: Duration = Duration::from_mins(2);
/// So many packs are replaced by one.
const PACKS_LIMIT: usize = 200;
/// The server's reason is shown to people.
const MESSAGE_LIMIT: usize = 300;

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The branch was created.
    Created,
    /// The branch was moved from another commit of the bot.
    Moved,
    /// The branch was at the commit already; nothing was sent.
    AlreadyThere,
}

/// A bare cache of one remote repository.
#[derive(Debug, Clone)]
pub struct GitCache {
    objects: Objects,
    wire: Arc<Wire>,
}

impl GitCache {
    /// The cache of `url` in the folder `dir`, which is created if it is absent. Nothing is
    /// fetched yet. The credential's token goes into a header of each request, and nowhere else.
    ///
    /// # Errors
    /// If the URL is not `https://` (or loopback), or the folder cannot be written.
    pub fn open(
        dir: &Path,
        url: &str,
        credential: impl Into<Credential>,
        trust: &Trust,
    ) -> Result<Self, GitError> {
        let wire = Wire::new(url, credential.into(), trust)?;
        Ok(Self { objects: Objects::open(dir)?, wire: Arc::new(wire) })
    }

    /// A cache that vanishes with its last clone, for a run that must write nothing. It uses the
    /// objects of the cache in the folder `borrow_from`, if there is one, without changing it.
    ///
    /// # Errors
    /// If the URL is not `https://` (or loopback), or no temporary folder can be written.
    pub fn scratch(
        url: &str,
        credential: impl Into<Credential>,
        trust: &Trust,
        borrow_from: Option<&Path>,
    ) -> Result<Self, GitError> {
        let wire = Wire::new(url, credential.into(), trust)?;
        Ok(Self { objects: Objects::scratch(borrow_from)?, wire: Arc::new(wire) })
    }

    /// What was fetched, and what was made here.
    #[must_use]
    pub const fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Runs `work` alone on the objects, with the wire.
    async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner, &Wire) -> Result<T, GitError> + Send + 'static,
    ) -> Result<T, GitError> {
        let wire = Arc::clone(&self.wire);
        self.objects.alone(move |inner| work(inner, &wire)).await
    }

    /// Fetches what is new on `branch`, and returns the commit at its head. No other branch and no
    /// tag is fetched. A damaged cache is set aside and cloned again; one of too many packs is
    /// fetched anew, and keeps what was made here.
    ///
    /// # Errors
    /// [`GitError::NotFound`] if there is no such branch or repository; or whatever went wrong on
    /// the way.
    pub async fn fetch_branch(&self, branch: &BranchName) -> Result<CommitId, GitError> {
        let branch = branch.clone();
        self.alone(move |inner, wire| {
            if inner.is_damaged() {
                inner.set_aside()?;
            }
            // What broke off is begun again: the branch may be at a commit that was made here, below
            // which nothing would be asked for.
            let path = inner.path();
            let fetched = if packs::count(&path) > PACKS_LIMIT || packs::is_removed(&path) {
                fetch_anew(inner, wire, &branch)
            } else {
                fetch(inner, wire, &branch)
            };
            match fetched {
                Err(GitError::Corrupt(_)) => {
                    inner.set_aside()?;
                    fetch(inner, wire, &branch)
                }
                result => result,
            }
        })
        .await
    }

    /// The commit at the head of `branch` at the remote; `None` if there is no such branch.
    ///
    /// # Errors
    /// Whatever went wrong on the way.
    pub async fn remote_head(&self, branch: &BranchName) -> Result<Option<CommitId>, GitError> {
        let branch = branch.clone();
        self.alone(move |inner, wire| {
            let repository = inner.repository()?;
            let mut remote = anonymous(&repository, wire)?;
            let head = wire.exchange(LOOK_LIMIT, || {
                let connection = remote.connect_auth(Direction::Fetch, None, None)?;
                Ok(advertised(connection.list()?, &branch))
            })?;
            head.map(commit_id).transpose()
        })
        .await
    }

    /// Moves `branch` at the remote to `commit`, in one exchange: the head that the server
    /// advertises decides, and the server is asked to move the branch from that head alone.
    ///
    /// A branch that is absent is created. One whose head is in `ours` is moved, forwards or not.
    ///
    /// # Errors
    /// [`GitError::Foreign`] if another head is there; [`GitError::Rejected`] if the server
    /// refuses, also because the branch moved meanwhile; [`GitError::Denied`] if the token may
    /// not push. After [`GitError::Transient`] it is unknown whether the branch moved.
    pub async fn push(
        &self,
        branch: &BranchName,
        commit: &CommitId,
        ours: &BTreeSet<CommitId>,
    ) -> Result<Pushed, GitError> {
        let (branch, commit, ours) = (branch.clone(), commit.clone(), ours.clone());
        self.alone(move |inner, wire| push(inner, wire, &branch, &commit, &ours)).await
    }
}

impl GitCache {
    /// Deletes `branch` at the remote, if it is at `commit`; the server compares once more. A branch
    /// that is gone already is as good.
    ///
    /// # Errors
    /// As of [`GitCache::push`].
    pub async fn delete_branch(
        &self,
        branch: &BranchName,
        commit: &CommitId,
    ) -> Result<(), GitError> {
        let (branch, commit) = (branch.clone(), commit.clone());
        self.alone(move |inner, wire| {
            let judge = |head: Oid| {
                if head.is_zero() {
                    return Ok(Pushed::AlreadyThere);
                }
                let head = commit_id(head)?;
                if head == commit { Ok(Pushed::Moved) } else { Err(GitError::Foreign { head }) }
            };
            send(inner, wire, &format!(":refs/heads/{branch}"), judge).map(drop)
        })
        .await
    }
}

/// A remote without a name: no URL is written into the repository's configuration.
fn anonymous<'repo>(
    repository: &'repo Repository,
    wire: &Wire,
) -> Result<git2::Remote<'repo>, GitError> {
    repository.remote_anonymous(wire.url()).map_err(GitError::local)
}

fn advertised(heads: &[RemoteHead<'_>], branch: &BranchName) -> Option<Oid> {
    let name = format!("refs/heads/{branch}");
    heads.iter().find(|head| head.name() == name).map(RemoteHead::oid)
}

fn commit_id(id: Oid) -> Result<CommitId, GitError> {
    Ok(id.to_string().parse()?)
}

/// Fetches all of the branch, in one pack.
fn fetch_anew(inner: &Inner, wire: &Wire, branch: &BranchName) -> Result<CommitId, GitError> {
    let path = inner.path();
    packs::remove_fetched(&path)?;
    let mut head = fetch(inner, wire, branch)?;
    if packs::count(&path) == 0 {
        // The branch is at a commit that was made here, so that libgit2 asked for nothing below it.
        packs::remove_made(&path, &head)?;
        packs::remove_fetched(&path)?;
        head = fetch(inner, wire, branch)?;
    }
    packs::forget_removed(&path)?;
    Ok(head)
}

fn fetch(inner: &Inner, wire: &Wire, branch: &BranchName) -> Result<CommitId, GitError> {
    let repository = inner.repository()?;
    let mut remote = anonymous(&repository, wire)?;
    let head = wire.exchange(FETCH_LIMIT, || {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.transfer_progress(|_| within_deadline());
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(callbacks)
            .download_tags(AutotagOption::None)
            .update_fetchhead(false);
        let refspec = format!("+refs/heads/{branch}:refs/heads/{branch}");
        remote.fetch(&[refspec], Some(&mut options), Some("fetch"))?;
        // A branch that is gone makes no error, and leaves the old reference where it was.
        Ok(advertised(remote.list()?, branch))
    })?;
    let head = head.map(commit_id).transpose()?;
    let head = head.ok_or_else(|| GitError::NotFound { what: format!("branch `{branch}`") })?;
    let commit = find_commit(&repository, &head).map_err(missing_is_damage)?;
    tree_of(&commit)?;
    Ok(head)
}

fn missing_is_damage(error: GitError) -> GitError {
    match error {
        GitError::NotFound { what } => GitError::Corrupt(format!("{what} is missing").into()),
        other => other,
    }
}

fn push(
    inner: &Inner,
    wire: &Wire,
    branch: &BranchName,
    commit: &CommitId,
    ours: &BTreeSet<CommitId>,
) -> Result<Pushed, GitError> {
    find_commit(&inner.repository()?, commit)?;
    // The plus only spares libgit2's own check: what may be moved is decided here, and the server
    // compares the old id.
    let refspec = format!("+{commit}:refs/heads/{branch}");
    send(inner, wire, &refspec, |head| judge(head, commit, ours))
}

/// Sends one change of a ref, if `judge` allows it from the head that the server advertises.
fn send(
    inner: &Inner,
    wire: &Wire,
    refspec: &str,
    judge: impl Fn(Oid) -> Result<Pushed, GitError>,
) -> Result<Pushed, GitError> {
    let repository = inner.repository()?;
    let mut remote = anonymous(&repository, wire)?;
    let decision = RefCell::new(None);
    let rejection = RefCell::new(None);
    let result = wire.exchange(PUSH_LIMIT, || {
        let mut callbacks = RemoteCallbacks::new();
        // Called between the advertisement and the upload, with what is about to be sent.
        callbacks.push_negotiation(|updates| {
            let head = updates.first().map_or(Oid::ZERO_SHA1, PushUpdate::src);
            let judged = judge(head);
            let go_on = matches!(judged, Ok(Pushed::Created | Pushed::Moved));
            decision.replace(Some(judged));
            if go_on { Ok(()) } else { Err(git2::Error::from_str("nothing to push")) }
        });
        callbacks.push_update_reference(|_, reason| {
            rejection.replace(reason.map(shortened));
            Ok(())
        });
        let mut options = PushOptions::new();
        options.remote_callbacks(callbacks);
        remote.push(&[refspec], Some(&mut options))
    });
    match (decision.into_inner(), rejection.into_inner(), result) {
        (Some(Err(foreign)), ..) => Err(foreign),
        (Some(Ok(Pushed::AlreadyThere)), ..) => Ok(Pushed::AlreadyThere),
        (_, Some(message), _) => Err(GitError::Rejected { message }),
        (_, None, Err(error)) => Err(error),
        (Some(Ok(pushed)), None, Ok(())) => Ok(pushed),
        (None, None, Ok(())) => {
            Err(GitError::Malformed { what: "the push ended before it began".to_owned() })
        }
    }
}

fn judge(head: Oid, commit: &CommitId, ours: &BTreeSet<CommitId>) -> Result<Pushed, GitError> {
    if head.is_zero() {
        return Ok(Pushed::Created);
    }
    let head = commit_id(head)?;
    if head == *commit {
        Ok(Pushed::AlreadyThere)
    } else if ours.contains(&head) {
        Ok(Pushed::Moved)
    } else {
        Err(GitError::Foreign { head })
    }
}

/// One line of printable text, however long the server's reason is.
fn shortened(reason: &str) -> String {
    reason
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(MESSAGE_LIMIT)
        .collect()
}
