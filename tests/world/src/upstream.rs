//! Upstream's history. Its commits are not in git: they are what its releases and images name, on
//! one line in the order of time, above the one commit that the repository really has.

use crate::World;
use crate::repository::{Commit, Signature};
use crate::state::State;
use crate::wire::invented_sha;
use chrono::{DateTime, Utc};

/// The document with the contract, in upstream's tree.
pub(crate) const CONTRACT_PATH: &str = "CONNECTOR_RELEASE_CONTRACT.md";

/// What it says unless a release says otherwise.
pub(crate) const CONTRACT: &str = "# Connector release contract

What a version number promises to those who pin the connector's image.

## Versions

- A field or an endpoint that is added below `/admin/` is a MINOR, one that goes is a MAJOR.
- A change of the wire format is a MAJOR.

## Admin interface

| method | route | answers with |
| --- | --- | --- |
| GET | `/admin/health` | `status`, `uptime` |
| GET | `/admin/peers` | `id`, `relation`, `connected` |
| POST | `/admin/peers` | `id` |
| GET | `/admin/packets` | `total`, `rejected` |

## Images

`linux/amd64` and `linux/arm64`, under one digest for ever.
";

/// A commit on the line, and the place that it has there: when, in which order, which step.
type Placed = ((DateTime<Utc>, u64, u8), Commit);

impl State {
    /// The commits of upstream's main line, the oldest first; each is the next one's parent.
    pub(crate) fn upstream_line(&self) -> Vec<Commit> {
        let mut placed: Vec<Placed> = Vec::new();
        for release in &self.releases {
            let (at, id) = (release.created_at, release.id);
            let subject = "feat: something new";
            placed.push(((at, id, 0), made(&release.parent, subject, at.timestamp() - 60)));
            let subject = format!("chore(release): {} [skip ci]", release.version);
            placed.push(((at, id, 1), made(&release.sha, &subject, at.timestamp())));
            for (at, id, sha) in &release.later {
                placed.push(((*at, *id, 0), made(sha, "fix: something old", at.timestamp())));
            }
        }
        placed.sort_by_key(|(place, _)| *place);
        let mut line: Vec<Commit> = self.upstream_begin.iter().cloned().collect();
        for (_, mut commit) in placed {
            if line.iter().all(|known| known.sha != commit.sha) {
                commit.parents.extend(line.last().map(|before| before.sha.clone()));
                line.push(commit);
            }
        }
        line
    }

    /// A commit of upstream that is on no line, by its id.
    pub(crate) fn upstream_stray(&self, sha: &str) -> Option<Commit> {
        let mut strays = self.strays.iter();
        let (at, _) = strays.find(|(_, stray)| stray == sha)?;
        let mut commit = made(sha, "feat: something else", at.timestamp());
        commit.parents.extend(self.upstream_begin.iter().map(|begin| begin.sha.clone()));
        Some(commit)
    }

    /// The commit that one of upstream's tags is on.
    pub(crate) fn upstream_tag(&self, tag: &str) -> Option<&str> {
        let mut releases = self.releases.iter();
        let release = releases.find(|release| release.tag == tag && !release.draft)?;
        release.tag_at.as_deref()
    }

    /// The text of the contract as it is at a commit of the main line; empty if there is none.
    pub(crate) fn upstream_contract(&self, sha: &str) -> &str {
        let line = self.upstream_line();
        let place = |sha: &str| line.iter().position(|commit| commit.sha == sha);
        let at = place(sha);
        let before = self.releases.iter().filter(|release| place(&release.sha) <= at);
        let newest = before.max_by_key(|release| place(&release.sha));
        newest.map_or(CONTRACT, |release| release.contract.as_str())
    }
}

fn made(sha: &str, subject: &str, seconds: i64) -> Commit {
    Commit {
        sha: sha.to_owned(),
        tree: invented_sha(&format!("tree of {sha}")),
        parents: Vec::new(),
        author: Signature::maintainer(seconds),
        committer: Signature::maintainer(seconds),
        message: subject.to_owned(),
    }
}

impl World {
    /// Puts the git tag of a release on another, younger commit, whose id it gives. The release
    /// stays.
    ///
    /// # Panics
    /// If no such release was described.
    pub fn move_git_tag(&self, version: &str) -> String {
        let mut state = self.later();
        let (now, id) = (state.now(), state.id());
        let sha = invented_sha(&format!("moved {version} {id}"));
        let release = state.release_mut(version);
        release.later.push((now, id, sha.clone()));
        release.tag_at = Some(sha.clone());
        sha
    }

    /// Removes the git tag of a release. The release stays.
    ///
    /// # Panics
    /// If no such release was described.
    pub fn delete_git_tag(&self, version: &str) {
        self.later().release_mut(version).tag_at = None;
    }

    /// A commit that upstream knows, and that neither comes before nor after any release.
    #[must_use]
    pub fn stray_commit(&self) -> String {
        let mut state = self.inner.state();
        let (now, id) = (state.now(), state.id());
        let sha = invented_sha(&format!("stray {id}"));
        state.strays.push((now, sha.clone()));
        sha
    }
}
