//! The downstream's copy of upstream's contract document.

use super::{Digest, FilePath};
use serde::{Deserialize, Serialize};

/// How many lines of its own a copy has above the copied bytes.
pub const MIRROR_HEADER: usize = 3;

/// The copy at the head of the downstream's base branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorFacts {
    /// The file.
    pub path: FilePath,
    /// sha256 over its bytes below the header; `None` if there is no such file, or no line below.
    pub digest: Option<Digest>,
    /// What is wrong with the lines above the copied bytes, for a maintainer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_fault: Option<String>,
}

/// Where the copy differs from the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorHunks {
    /// sha256 over what the copy has below its header.
    pub mirror: Digest,
    /// sha256 over the document.
    pub document: Digest,
    /// The git tag at which the document was read.
    pub tag: String,
    /// The hunks of a unified diff that makes the document of the copy, cut where they are many.
    /// Foreign text.
    pub hunks: String,
}

impl MirrorFacts {
    /// What a file with this content is, or with none, if there is no such file.
    #[must_use]
    pub fn of(path: FilePath, content: Option<&[u8]>) -> Self {
        let rest = content.and_then(Self::below_header);
        let header = content.zip(rest).map(|(all, rest)| &all[..all.len() - rest.len()]);
        let header_fault = match (content, header) {
            (None, _) => None,
            (Some(_), None) => {
                Some(format!("it is shorter than its {MIRROR_HEADER} lines of header"))
            }
            (Some(_), Some(header)) => (!is_comment(header))
                .then(|| format!("its first {MIRROR_HEADER} lines are no comment (`<!-- … -->`)")),
        };
        Self { path, digest: rest.map(Digest::of), header_fault }
    }

    /// What a copy has below its header; `None` if it is too short for one.
    #[must_use]
    pub fn below_header(content: &[u8]) -> Option<&[u8]> {
        (0..MIRROR_HEADER).try_fold(content, |text, _| {
            let end = text.iter().position(|byte| *byte == b'\n')?;
            Some(&text[end + 1..])
        })
    }
}

/// Whether these lines are comments and nothing else: one, or one in each line.
fn is_comment(header: &[u8]) -> bool {
    let text = String::from_utf8_lossy(header);
    let mut rest = text.trim();
    while !rest.is_empty() {
        let Some(end) = rest.strip_prefix("<!--").and_then(|inner| inner.find("-->")) else {
            return false;
        };
        rest = rest["<!--".len() + end + "-->".len()..].trim_start();
    }
    !text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_begins_below_three_lines() {
        let of =
            |text: &str| MirrorFacts::of("a.md".parse().unwrap(), Some(text.as_bytes())).digest;
        assert_eq!(of("1\n2\n3\n# A\n"), Some(Digest::of(b"# A\n")));
        assert_eq!(of("1\r\n2\n\n"), Some(Digest::of(b"")));
        assert_eq!((of("1\n2\n3"), of("")), (None, None));
        assert_eq!(MirrorFacts::of("a.md".parse().unwrap(), None).digest, None);
    }

    #[test]
    fn a_header_is_comments_alone() {
        let fault = |text: &str| {
            MirrorFacts::of("a.md".parse().unwrap(), Some(text.as_bytes())).header_fault.is_some()
        };
        for good in ["<!-- 1 -->\n<!-- 2 -->\n<!-- 3 -->\n# A\n", "<!--\n2\n-->\n# A\n"] {
            assert!(!fault(good), "{good}");
        }
        for bad in
            ["# A\n\n\n", "<!-- 1 -->\n# A\n\n", "<!--\n2\n3\n-->\n", "\n\n\n", "<!-- 1 -->\n"]
        {
            assert!(fault(bad), "{bad}");
        }
        assert_eq!(MirrorFacts::of("a.md".parse().unwrap(), None).header_fault, None);
    }
}
