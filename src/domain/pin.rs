//! The pin, and the places that spell it.

use super::{FilePath, ImageName, IndexDigest, Version};
use regex::{Regex, RegexBuilder};
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

/// Where the version stands in a pattern.
const VERSION: &str = "{{version}}";
/// Where the digest stands in it.
const DIGEST: &str = "{{digest}}";

/// Why a text is no [`LinePattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// It would match what is no pin.
    #[error("`{0}` has neither `{{{{version}}}}` nor `{{{{digest}}}}`")]
    NoPlaceholder(String),
    /// The two might match different things.
    #[error("`{0}` has `{1}` more than once")]
    Repeated(String, &'static str),
    /// What is wrong with it as a regular expression, with a picture of several lines.
    #[error("{0}")]
    Regex(String),
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
    pub fn new(source: &str) -> Result<Self, BadPattern> {
        let count = |placeholder: &str| source.matches(placeholder).count();
        if let Some(twice) = [VERSION, DIGEST].into_iter().find(|it| count(it) > 1) {
            return Err(BadPattern::Repeated(source.to_owned(), twice));
        }
        if count(VERSION) + count(DIGEST) == 0 {
            return Err(BadPattern::NoPlaceholder(source.to_owned()));
        }
        let text = source
            .replace(VERSION, r"(?P<version>(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*))")
            .replace(DIGEST, "(?P<digest>sha256:[0-9a-f]{64})");
        let compiled = Regex::new(&format!("(?mR){text}"));
        let regex = compiled.map_err(|error| BadPattern::Regex(explain(source, &error)))?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// The compiled expression, with the groups `version` and `digest`.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        &self.regex
    }
}

/// `error` as it would be if the placeholders were plain words, so that its picture shows `source`.
fn explain(source: &str, error: &regex::Error) -> String {
    let words = [(VERSION, "<<version>>"), (DIGEST, "<<digest>>")];
    let plain = words.iter().fold(source.to_owned(), |text, (of, word)| text.replace(of, word));
    let told = RegexBuilder::new(&plain).multi_line(true).crlf(true).build().err();
    // Where that compiles, what the placeholders stand for makes it wrong.
    let told = told.as_ref().unwrap_or(error).to_string();
    words.iter().fold(told, |text, (of, word)| text.replace(word, of))
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
        let told = |bad: &str| LinePattern::new(bad).unwrap_err().to_string();
        let neither = "`TAG = '1.2.3'` has neither `{{version}}` nor `{{digest}}`";
        assert_eq!(told("TAG = '1.2.3'"), neither);
        let twice = "`{{version}} {{version}}` has `{{version}}` more than once";
        assert_eq!(told("{{version}} {{version}}"), twice);
        let picture = told("TAG=({{version}}");
        assert!(picture.contains("    TAG=({{version}}\n        ^\n"), "{picture}");
        assert!(picture.ends_with("error: unclosed group"), "{picture}");
        let named = told("(?P<version>x) {{version}}");
        assert!(named.contains("duplicate capture group name"), "{named}");
    }
}
