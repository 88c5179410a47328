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
}

impl MirrorFacts {
    /// What a file with this content is, or with none, if there is no such file.
    #[must_use]
    pub fn of(path: FilePath, content: Option<&[u8]>) -> Self {
        let mut rest = content;
        for _ in 0..MIRROR_HEADER {
            rest = rest.and_then(|text| {
                let end = text.iter().position(|byte| *byte == b'\n')?;
                Some(&text[end + 1..])
            });
        }
        Self { path, digest: rest.map(Digest::of) }
    }
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
}
