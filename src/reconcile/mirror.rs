//! The downstream's copy of the contract document: what it is held to is read, and where it differs.

use crate::clients::git::hunks;
use crate::config::Watch;
use crate::domain::{Digest, Fact, Memory, MirrorFacts, MirrorHunks, Version};
use crate::policy::{contract_to_read, hunks_to_find};
use crate::sources::Sources;
use anyhow::Result;

/// How much of the hunks is kept: whoever has more to read compares the files.
const MAX_HUNKS: usize = 12 * 1024;

/// Reads the contract of the newest release, if nobody has, and finds the hunks of a copy that
/// differs. `copy` is the file with the copy. Nothing is asked while what is known still holds.
pub(super) async fn look(
    watch: &Watch,
    sources: &Sources,
    memory: &Memory,
    pinned: Option<&Version>,
    copy: Option<&[u8]>,
) -> Result<Vec<Fact>> {
    let (Some(path), Some(_), Some(pinned)) =
        (&watch.rules.contract, &watch.downstream.mirror, pinned)
    else {
        return Ok(Vec::new());
    };
    let tags = &watch.rules.tags;
    if let Some(tag) = contract_to_read(memory, tags, pinned) {
        // Its hunks, if there are any, are the next pass's.
        let read = sources.fetch_contract(watch, path, &tag).await?;
        return Ok(vec![Fact::Contract(read)]);
    }
    let body = copy.and_then(MirrorFacts::below_header);
    let (Some((document, tag)), Some(body)) = (hunks_to_find(memory, tags, pinned), body) else {
        return Ok(Vec::new());
    };
    let text = sources.fetch_contract_bytes(watch, path, &tag).await?;
    // A tag that was moved meanwhile leads to another document: that is another check's business.
    let Some(text) = text.filter(|text| Digest::of(text) == document) else {
        return Ok(Vec::new());
    };
    let hunks = cut(&hunks(body, &text)?);
    Ok(vec![Fact::MirrorHunks(MirrorHunks { mirror: Digest::of(body), document, tag, hunks })])
}

/// The hunks as far as they are kept, whole lines only.
fn cut(hunks: &str) -> String {
    let mut kept = String::new();
    for line in hunks.split_inclusive('\n') {
        if kept.len() + line.len() > MAX_HUNKS {
            kept.push_str("… and more\n");
            break;
        }
        kept.push_str(line);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_between_lines() {
        assert_eq!(cut("@@ -1 +1 @@\n-a\n+b\n"), "@@ -1 +1 @@\n-a\n+b\n");
        let cut = cut(&"+ä\n".repeat(MAX_HUNKS));
        assert!(cut.len() < MAX_HUNKS + 20 && cut.ends_with("+ä\n… and more\n"));
    }
}
