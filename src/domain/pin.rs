//! The pin, and the places that spell it.

use super::{FilePath, ImageName, IndexDigest, Invalid, Version};
use regex::Regex;
use std::fmt;

/// The downstream's pin: image, version and the digest that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The image, without tag and digest.
    pub image: ImageName,
    /// The version, without a leading `v`.
    pub version: Version,
    /// The digest of the index.
    pub digest: IndexDigest,
}

/// One place in one file that spells the pin.
#[derive(Debug, Clone)]
pub struct PinSite {
    /// How people call it; the config's `name`, or the path.
    pub name: String,
    /// The file.
    pub path: FilePath,
    /// The companion image whose pin stands there; `None` for the watched image's own.
    pub companion: Option<ImageName>,
    /// How the pin stands there.
    pub shape: SiteShape,
    /// What its absence means.
    pub presence: Presence,
    /// Whether the pin is read from here. The first authority that is present wins.
    pub authority: bool,
}

/// How a pin stands in a file.
#[derive(Debug, Clone)]
pub enum SiteShape {
    /// An object with `name`, `tag` and `digest` at a JSON pointer (RFC 6901).
    Manifest {
        /// The pointer, such as `/images/connector`.
        pointer: String,
    },
    /// Lines that match a pattern.
    Line {
        /// The pattern.
        pattern: LinePattern,
        /// How many matches there must be, no more and no fewer.
        count: usize,
    },
}

/// What it means when a site's file or line is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing may be proposed.
    Required,
    /// It is skipped, and the proposal says so. A file that is there but spells the pin more often
    /// than expected is a fault all the same.
    IfPresent,
    /// It is read, but the bot has no permission to edit it: the proposal leaves it to a person. It
    /// may be absent.
    ByHand,
}

/// A multi-line regular expression with `{{version}}` or `{{digest}}` in it, each at most once,
/// at least one of them. Only what these two matched is ever replaced.
#[derive(Clone)]
pub struct LinePattern {
    source: String,
    regex: Regex,
}

impl LinePattern {
    /// Compiles `source`: a regular expression of the crate `regex`, in which `^` and `$` match at
    /// lines, with the placeholders. A line may end with LF or CRLF: `$` stands before either.
    ///
    /// # Errors
    /// If there is no placeholder, one of them twice, or the rest is no regular expression.
    pub fn new(source: &str) -> Result<Self, Invalid> {
        let bad = || {
            Invalid::new("a pattern with `{{version}}` or `{{digest}}`, each at most once", source)
        };
        let (versions, digests) =
            (source.matches("{{version}}").count(), source.matches("{{digest}}").count());
        if versions > 1 || digests > 1 || versions + digests == 0 {
            return Err(bad());
        }
        let text = source
            .replace("{{version}}", r"(?P<version>(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*))")
            .replace("{{digest}}", "(?P<digest>sha256:[0-9a-f]{64})");
        let regex = Regex::new(&format!("(?mR){text}")).map_err(|_| bad())?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// The compiled expression, with the groups `version` and `digest`.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        &self.regex
    }
}

impl fmt::Debug for LinePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "LinePattern({:?})", self.source)
    }
}

impl fmt::Display for LinePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_needs_a_placeholder_and_a_sound_expression() {
        assert!(LinePattern::new(r"^TAG = '{{version}}';$").is_ok());
        for bad in ["TAG = '1.2.3'", "{{version}} {{version}}", "({{digest}}"] {
            assert!(LinePattern::new(bad).is_err(), "{bad}");
        }
    }
}
