//! Whether the downstream's copy of upstream's contract document is one. It informs and no more:
//! what is proposed does not depend on it.

use super::stream::admit;
use crate::domain::{
    ContractFound, Digest, MIRROR_HEADER, Memory, MirrorHunks, ReleaseFacts, TagRule, Version,
};

/// How many releases are named.
const NAMED: usize = 3;

/// What is wrong with the copy, a line each: with its header; and that it is no copy of the contract
/// at any release from the pinned one on. A release whose contract was not read says nothing.
#[must_use]
pub fn mirror_drift(memory: &Memory, tags: &TagRule, pinned: Option<&Version>) -> Vec<String> {
    let Some(mirror) = memory.mirror() else { return Vec::new() };
    let header = mirror.header_fault.as_ref().map(|fault| format!("{}: {fault}", mirror.path));
    let body = pinned.and_then(|pinned| body_drift(memory, tags, pinned));
    header.into_iter().chain(body).collect()
}

fn body_drift(memory: &Memory, tags: &TagRule, pinned: &Version) -> Option<String> {
    let mirror = memory.mirror()?;
    let known = documents(memory, tags, pinned);
    if known.is_empty() || known.iter().any(|it| mirror.digest.as_ref() == Some(it.digest)) {
        return None;
    }
    let names: Vec<String> = known.iter().map(|it| it.version.to_string()).collect();
    let more = names.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" or {more} more") };
    let names = names[..names.len().min(NAMED)].join(", ");
    Some(format!(
        "{} is no copy of upstream's contract document as it is at {names}{more}, below \
         {MIRROR_HEADER} lines of header",
        mirror.path
    ))
}

/// A contract document that was read.
struct Document<'a> {
    version: Version,
    tag: &'a str,
    digest: &'a Digest,
}

/// Those of the releases from the pinned one on, the newest first.
fn documents<'a>(memory: &'a Memory, tags: &TagRule, pinned: &Version) -> Vec<Document<'a>> {
    let read = |release: &'a ReleaseFacts| match memory.contract(&release.tag)? {
        ContractFound::Document { digest, .. } => {
            Some(Document { version: admit(release, tags).ok()?, tag: &release.tag, digest })
        }
        ContractFound::Absent | ContractFound::Unreadable { .. } => None,
    };
    let mut known: Vec<Document<'a>> = memory
        .releases()
        .filter_map(read)
        .filter(|it| it.version.cmp_precedence(pinned).is_ge())
        .collect();
    known.sort_by(|a, b| b.version.cmp_precedence(&a.version));
    known
}

/// The git tag of the newest release from the pinned one on whose contract nobody has read: what a
/// copy is held to, whether or not anybody looks at that release.
#[must_use]
pub fn contract_to_read(memory: &Memory, tags: &TagRule, pinned: &Version) -> Option<String> {
    let newest = memory
        .releases()
        .filter_map(|release| Some((admit(release, tags).ok()?, release)))
        .filter(|(version, _)| version.cmp_precedence(pinned).is_ge())
        .max_by(|(a, _), (b, _)| a.cmp_precedence(b))?;
    let (_, release) = newest;
    memory.contract(&release.tag).is_none().then(|| release.tag.clone())
}

/// The document that the copy differs from, where its hunks are not known yet: digest and git tag.
#[must_use]
pub fn hunks_to_find(
    memory: &Memory,
    tags: &TagRule,
    pinned: &Version,
) -> Option<(Digest, String)> {
    body_drift(memory, tags, pinned)?;
    let mirror = memory.mirror()?.digest.as_ref()?;
    let newest = documents(memory, tags, pinned).into_iter().next()?;
    let known = |it: &MirrorHunks| it.mirror == *mirror && it.document == *newest.digest;
    let found = memory.mirror_hunks().is_some_and(known);
    (!found).then(|| (newest.digest.clone(), newest.tag.to_owned()))
}

/// Where the copy differs, while it does.
#[must_use]
pub fn hunks_of_drift<'a>(
    memory: &'a Memory,
    tags: &TagRule,
    pinned: Option<&Version>,
) -> Option<&'a MirrorHunks> {
    body_drift(memory, tags, pinned?)?;
    let hunks = memory.mirror_hunks()?;
    (memory.mirror()?.digest.as_ref() == Some(&hunks.mirror)).then_some(hunks)
}
