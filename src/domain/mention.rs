//! Where the downstream's files mention a name.

use std::fmt::Write as _;

/// Of more places than these the first are shown, and the others counted.
const MAX_SHOWN: usize = 5;
/// A file's path may be of any length.
const MAX_PATH: usize = 120;

/// A name, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The name.
    pub name: String,
    /// The places, in the order of their paths. Foreign text.
    pub places: Vec<Place>,
    /// Whether there may be more, in files that nobody had the time to read.
    pub cut: bool,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: String,
    /// Its line, counted from 1.
    pub line: usize,
}

impl Mention {
    /// The places as prose: `a.ts:3`, `b.ts:7` and 4 more.
    #[must_use]
    pub fn told(&self) -> String {
        let shown = self.places.iter().take(MAX_SHOWN).map(|place| {
            let path: String = place.path.chars().take(MAX_PATH).collect();
            format!("`{}:{}`", path.replace('`', "'"), place.line)
        });
        let mut out = shown.collect::<Vec<_>>().join(", ");
        if let Some(more @ 1..) = self.places.len().checked_sub(MAX_SHOWN) {
            let _ = write!(out, " and {more} more");
        }
        if self.cut {
            out.push_str(", or more");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_places_are_told_and_the_others_counted() {
        let told = |count: usize, cut| {
            let places = (1..=count).map(|line| Place { path: "a`b".to_owned(), line });
            Mention { name: "x".to_owned(), places: places.collect(), cut }.told()
        };
        assert_eq!(told(1, false), "`a'b:1`");
        assert_eq!(
            told(7, true),
            "`a'b:1`, `a'b:2`, `a'b:3`, `a'b:4`, `a'b:5` and 2 more, or more"
        );
    }
}
