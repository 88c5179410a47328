//! Whether the downstream's copy of upstream's contract document is one. It informs and no more:
//! what is proposed does not depend on it.

use super::stream::admit;
use crate::domain::{ContractFound, Digest, MIRROR_HEADER, Memory, TagRule, Version};

/// How many releases are named.
const NAMED: usize = 3;

/// That the copy is no copy of the contract at any release from the pinned one on, if so. A release
/// whose contract was not read says nothing.
#[must_use]
pub fn mirror_drift(memory: &Memory, tags: &TagRule, pinned: Option<&Version>) -> Option<String> {
    let (mirror, pinned) = (memory.mirror()?, pinned?);
    let mut known: Vec<(Version, &Digest)> = memory
        .releases()
        .filter_map(|release| {
            let version = admit(release, tags).ok()?;
            match memory.contract(&release.tag)? {
                ContractFound::Document { digest, .. } => Some((version, digest)),
                ContractFound::Absent | ContractFound::Unreadable { .. } => None,
            }
        })
        .filter(|(version, _)| version.cmp_precedence(pinned).is_ge())
        .collect();
    known.sort_by(|(a, _), (b, _)| b.cmp_precedence(a));
    if known.is_empty() || known.iter().any(|(_, digest)| mirror.digest.as_ref() == Some(digest)) {
        return None;
    }
    let names: Vec<String> = known.iter().map(|(version, _)| version.to_string()).collect();
    let more = names.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" or {more} more") };
    let names = names[..names.len().min(NAMED)].join(", ");
    Some(format!(
        "{} is no copy of upstream's contract document as it is at {names}{more}, below \
         {MIRROR_HEADER} lines of header",
        mirror.path
    ))
}
