//! Names of things in the outside world, each valid by construction, so that none of them can
//! carry a path, a query or a shell word somewhere it does not belong.

use super::invalid::text_type;
use serde::{Deserialize, Serialize};
use std::fmt;

fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text != "."
        && text != ".."
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

text_type! {
    /// `owner/name` of a GitHub repository.
    RepoName, "a repository (`owner/name`)", |text| {
        text.split_once('/').is_some_and(|(owner, name)| is_slug(owner) && is_slug(name))
    }
}

impl RepoName {
    /// The part before the slash.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }
    /// The part after the slash.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }
}

text_type! {
    /// The name of a watch in the config: lower-case letters, digits and dashes.
    WatchName, "a watch name (lower-case letters, digits, dashes)", |text| {
        !text.is_empty()
            && text.len() <= 40
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }
}

text_type! {
    /// An image without tag or digest, registry host included: `ghcr.io/owner/name`.
    ImageName, "an image name with its registry (`host/path`)", |text| {
        text.split_once('/').is_some_and(|(host, path)| {
            (host.contains('.') || host.contains(':') || host == "localhost")
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b))
                && !path.is_empty()
                && path.split('/').all(|part| is_slug(part) && part == part.to_ascii_lowercase())
        })
    }
}

impl ImageName {
    /// The registry's host, with its port if there is one.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.split_once('/').map_or("", |(host, _)| host)
    }
    /// The repository inside the registry: `owner/name`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, path)| path)
    }
    /// The last part of the path: `name`.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

text_type! {
    /// A branch without `refs/heads/`, in the part of git's grammar that needs no quoting anywhere.
    BranchName, "a branch name", |text| {
        !text.is_empty()
            && text.len() <= 200
            && text.strip_suffix(".lock").is_none()
            && text.split('/').all(|part| is_slug(part) && !part.starts_with(['.', '-']))
            && !text.contains("..")
    }
}

text_type! {
    /// A git commit id: 40 lower-case hexadecimal digits.
    CommitId, "a commit id (40 hexadecimal digits)", is_object_id
}

text_type! {
    /// A git tree id: 40 lower-case hexadecimal digits.
    TreeId, "a tree id (40 hexadecimal digits)", is_object_id
}

text_type! {
    /// The id of a git blob: 40 lower-case hexadecimal digits.
    BlobId, "a blob id (40 hexadecimal digits)", is_object_id
}

fn is_object_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

impl CommitId {
    /// The first eight digits, for prose.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

text_type! {
    /// A file's path inside a repository: relative, forward slashes, never upwards.
    FilePath, "a path inside a repository", |text| {
        !text.is_empty()
            && !text.contains(['\\', '\0', '\n'])
            && text.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git"))
    }
}

/// The number of a pull request (GitHub numbers issues and pull requests together, from 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PullNumber(pub u64);

impl fmt::Display for PullNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "#{}", self.0)
    }
}

/// The number of an issue that is no pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IssueNumber(pub u64);

impl fmt::Display for IssueNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "#{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_escape_do_not_parse() {
        for bad in ["a", "a/b/c", "a/..", "/b", "a/b?x", "a b/c", "a/b\n"] {
            assert!(bad.parse::<RepoName>().is_err(), "{bad:?}");
        }
        for bad in ["/etc/passwd", "a/../b", "a//b", ".git/config", "a\\b", ""] {
            assert!(bad.parse::<FilePath>().is_err(), "{bad:?}");
        }
        for bad in ["-x", "a..b", "a/.b", "a.lock", "a b", "a~1", "a/"] {
            assert!(bad.parse::<BranchName>().is_err(), "{bad:?}");
        }
        for bad in ["connector", "ghcr.io/", "ghcr.io/A/b", "ghcr.io/a/b:1", "ghcr.io/a@b"] {
            assert!(bad.parse::<ImageName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_image_name_has_parts() {
        let image: ImageName = "127.0.0.1:5000/toon-protocol/connector".parse().unwrap();
        assert_eq!(
            (image.host(), image.path(), image.short()),
            ("127.0.0.1:5000", "toon-protocol/connector", "connector")
        );
    }
}
