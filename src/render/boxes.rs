//! What the bot reads in the text of a dashboard issue: whose it is, which boxes a person ticked,
//! and whether it says anything else than it would say now.

use crate::domain::{Version, WatchName};
use std::collections::BTreeSet;

const OPEN: &str = "<!-- digest-bump:dashboard:1 ";
const CLOSE: &str = " -->";
/// What stands behind a box, and what a reader does not see.
const WISH: &str = "<!-- request ";
/// How the one line begins that changes with the time alone.
pub(super) const AS_OF: &str = "As of ";

/// The hidden line by which the bot finds the dashboard issue of `watch` again.
#[must_use]
pub(super) fn dashboard_marker(watch: &str) -> String {
    format!("{OPEN}{watch}{CLOSE}")
}

/// The watch whose dashboard an issue with this body is, if it is one. The last marker counts:
/// text of others stands above it.
#[must_use]
pub fn dashboard_of(body: &str) -> Option<WatchName> {
    let (_, rest) = body.rsplit_once(OPEN)?;
    let (name, _) = rest.split_once(CLOSE)?;
    name.parse().ok()
}

/// A box that asks for `version`.
pub(super) fn open_box(version: &Version) -> String {
    format!("[ ] {WISH}{version}{CLOSE}")
}

/// The versions whose boxes are ticked. Whoever may edit the issue may tick, and may write such a
/// line by hand as well.
#[must_use]
pub fn ticked(body: &str) -> BTreeSet<Version> {
    let wishes = body.lines().filter_map(|line| {
        let item = line.trim_start().strip_prefix(['-', '*'])?.trim_start();
        let ticked = item.strip_prefix("[x] ").or_else(|| item.strip_prefix("[X] "))?;
        let (version, _) = ticked.trim_start().strip_prefix(WISH)?.split_once(CLOSE)?;
        version.parse().ok()
    });
    wishes.collect()
}

/// Whether two bodies say the same, whenever they were written.
#[must_use]
pub fn says_the_same(a: &str, b: &str) -> bool {
    let lasting = |text: &str| {
        // GitHub stores line ends as they were sent, and browsers send `\r\n`.
        let lines = text.lines().map(str::trim_end).filter(|line| !line.starts_with(AS_OF));
        lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
    };
    lasting(a) == lasting(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_dashboard_is_known_by_its_last_marker() {
        let text = format!("{}\nwords\n{}\n", dashboard_marker("x"), dashboard_marker("town-2"));
        assert_eq!(dashboard_of(&text).unwrap().as_str(), "town-2");
        for none in ["", OPEN, "<!-- digest-bump:dashboard:1 A B -->", "<!-- digest-bump:1 x -->"] {
            assert_eq!(dashboard_of(none), None, "{none}");
        }
    }

    #[test]
    fn a_tick_is_told_from_a_box_and_from_prose() {
        let version: Version = "3.9.4".parse().unwrap();
        let open = format!("- {} **3.9.4**", open_box(&version));
        assert_eq!(ticked(&open), BTreeSet::new());
        let done = open.replace("[ ]", "[x]");
        for body in [done.clone(), format!("a\r\n  {done}\r\nb"), done.replace("[x]", "[X]")] {
            assert_eq!(ticked(&body), BTreeSet::from([version.clone()]), "{body}");
        }
        for body in [
            "- [x] 3.9.4",
            "- [x] <!-- request 3.9 -->",
            "[x] <!-- request 3.9.4 -->",
            "> - [x] <!-- request 3.9.4 -->",
            "- [x] <!-- request 3.9.4",
        ] {
            assert_eq!(ticked(body), BTreeSet::new(), "{body}");
        }
    }

    #[test]
    fn time_and_line_ends_say_nothing() {
        let at = |time: &str| format!("a\n\n{AS_OF}{time}, b\n\nc");
        assert!(says_the_same(&at("1"), &at("2")));
        assert!(says_the_same(&at("1"), &at("1").replace('\n', "\r\n")));
        assert!(!says_the_same(&at("1"), &at("1").replace('c', "d")));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(body: String) {
            let _ = (dashboard_of(&body), ticked(&body), says_the_same(&body, &body));
        }
    }
}
