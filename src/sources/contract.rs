//! The contract document at one of upstream's tags → a fact.

use super::Sources;
use crate::clients::github::GithubError;
use crate::config::Watch;
use crate::domain::{ContractFacts, ContractFound, ContractTerms, Digest, FilePath};
use anyhow::{Context as _, Result};

/// No contract that people read comes near this.
const MAX_BYTES: usize = 1024 * 1024;

pub(super) async fn fetch(
    sources: &Sources,
    watch: &Watch,
    path: &FilePath,
    tag: &str,
) -> Result<ContractFacts> {
    let bytes = fetch_bytes(sources, watch, path, tag).await?;
    let found = bytes.map_or(ContractFound::Absent, |bytes| read(&bytes));
    Ok(ContractFacts { tag: tag.to_owned(), found })
}

/// The document itself; `None` if there is none.
pub(super) async fn fetch_bytes(
    sources: &Sources,
    watch: &Watch,
    path: &FilePath,
    tag: &str,
) -> Result<Option<Vec<u8>>> {
    match sources.github.fetch_file(&watch.upstream.repository, path, tag).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(GithubError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{path} at {tag}")),
    }
}

fn read(bytes: &[u8]) -> ContractFound {
    if bytes.len() > MAX_BYTES {
        return ContractFound::Unreadable { why: "it is larger than 1 MiB".to_owned() };
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let terms = ContractTerms::parse(text);
            ContractFound::Document { digest: Digest::of(bytes), terms }
        }
        Err(_) => ContractFound::Unreadable { why: "it is not UTF-8".to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_document_says_why() {
        let why = |bytes: &[u8]| match read(bytes) {
            ContractFound::Unreadable { why } => why,
            found => panic!("{found:?}"),
        };
        assert_eq!(why(b"\xff"), "it is not UTF-8");
        assert_eq!(why(&vec![b'a'; MAX_BYTES + 1]), "it is larger than 1 MiB");
        assert!(matches!(read(b"# Contract"), ContractFound::Document { .. }));
        assert!(matches!(read(&vec![b'a'; MAX_BYTES]), ContractFound::Document { .. }));
    }
}
