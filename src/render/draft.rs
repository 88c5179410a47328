//! The draft pull request that waits for the downstream's own checks.

use super::{
    changes::{self, Changes},
    companion::CompanionImage,
    evidence::{Evidence, evidence_table},
    marker::{marker, without_marker},
    notes::safe_url,
};
use crate::domain::{HowToAsk, Marker, Pin, Timestamp, Wish};
use crate::edit::cell;
use std::{collections::BTreeMap, fmt::Write as _};

/// How the first line begins while the draft waits. Earlier versions began it so as well when they
/// held or offered one.
const WAITS: &str = "**Not to be merged yet: ";
/// How it begins when the draft is held.
const HELD: &str = "**Do not merge: ";
/// How it begins when nothing is missing but that somebody asks.
const OFFERED: &str = "**Ready on request: ";

/// What comes of a draft that waits.
const THEN: &str = "Once every check has passed, the bot marks this as ready, with the whole \
                    evidence; or, where another pull request of the bot's is ready, that one is \
                    given this commit, and this one is closed. Until then it stays a draft.";

/// Everything that the body of a draft says.
#[derive(Debug)]
pub struct DraftBody<'a> {
    /// What is pinned now.
    pub from: &'a Pin,
    /// What is to be proved.
    pub to: &'a Pin,
    /// The checks that are waited for.
    pub names: &'a [String],
    /// The release's companion images.
    pub companions: &'a [CompanionImage],
    /// When the release was published.
    pub published_at: Timestamp,
    /// The release's page.
    pub release_url: &'a str,
    /// The other checks with their answers.
    pub evidence: &'a [Evidence],
    /// What changes.
    pub changes: Changes<'a>,
    /// How its reader asks the bot.
    pub how: &'a HowToAsk,
    /// What the bot writes for itself.
    pub marker: &'a Marker,
}

/// The body in Markdown.
#[must_use]
pub fn draft_body(draft: &DraftBody<'_>) -> String {
    let (image, from, to) = (draft.from.image.short(), &draft.from.version, &draft.to.version);
    let names: Vec<String> = draft.names.iter().map(|name| cell(name)).collect();
    let mut pins = String::from("| | pinned | to be proved |\n| --- | --- | --- |\n");
    let link = format!("[{to}]({})", safe_url(draft.release_url));
    let _ = writeln!(pins, "| version | {from} | {link} |");
    let _ = writeln!(pins, "| index digest | `{}` | `{}` |", draft.from.digest, draft.to.digest);
    for pin in draft.companions.iter().filter_map(|companion| companion.pin.as_ref()) {
        let _ = writeln!(pins, "| {} | | `{}` |", pin.image.short(), pin.digest);
    }
    let _ = write!(pins, "| published | | {} |", draft.published_at);
    let sections = [
        format!(
            "{WAITS}{image} {from} → {to} waits for this repository's own checks on its commit: \
             {}.**",
            names.join(", ")
        ),
        THEN.to_owned(),
        pins,
        format!("### Evidence so far\n\n{}", evidence_table(draft.evidence, draft.companions)),
        changes::section(&draft.changes),
        format!(
            "<sub>The next candidate may take the place of this one. A commit by anybody else on the \
             branch makes the bot keep its hands off it. Closing it declines the release.{}</sub>",
            draft
                .how
                .help()
                .map(|help| format!(" Comment {help} for all commands."))
                .unwrap_or_default()
        ),
        marker(draft.marker),
    ];
    sections.join("\n\n")
}

/// A draft for which nothing is waited any more.
#[derive(Debug, Clone, Copy)]
pub struct HeldDraft<'a> {
    /// Why it is held, in one line. Foreign text.
    pub why: &'a str,
    /// Whether nothing is missing but that somebody asks.
    pub offered: bool,
    /// The pages of the checks, by their names. Foreign texts.
    pub pages: &'a BTreeMap<String, String>,
    /// What the bot writes for itself.
    pub marker: &'a Marker,
    /// How its reader asks the bot.
    pub how: &'a HowToAsk,
}

/// `body` with the reason for which its draft is held in place of what it waits for. What a person
/// wrote into it stays.
#[must_use]
pub fn held_body(draft: &HeldDraft<'_>, body: &str) -> String {
    // GitHub's editor ends lines with both.
    let body = without_marker(body).replace("\r\n", "\n");
    let first = first(draft);
    let (mut rest, mut told) = (Vec::new(), false);
    for paragraph in body.trim().split("\n\n").filter(|paragraph| *paragraph != THEN) {
        if !told && [WAITS, HELD, OFFERED].iter().any(|begin| paragraph.starts_with(begin)) {
            rest.push(first.as_str());
            told = true;
        } else {
            rest.push(paragraph);
        }
    }
    if !told {
        rest.insert(0, &first);
    }
    format!("{}\n\n{}", rest.join("\n\n"), marker(draft.marker))
}

/// Why it is held, where to look, and what its reader can do.
fn first(draft: &HeldDraft<'_>) -> String {
    let HeldDraft { why, offered, pages, marker, how } = draft;
    let linked = pages.iter().filter(|(_, page)| safe_url(page) != "#");
    let links: Vec<String> =
        linked.clone().map(|(name, page)| format!(" See [{}]({page}).", cell(name))).collect();
    // Of each check its page comes last, and need not stand here where it is linked.
    let without_page = |part: &str| {
        let cut = linked
            .clone()
            .find_map(|(_, page)| part.strip_suffix(page.as_str())?.strip_suffix(", "));
        cut.unwrap_or(part).to_owned()
    };
    let why: Vec<String> = why.split("; ").map(without_page).collect();
    let (why, links) = (cell(&why.join("; ")), links.concat());
    let ask = how.say(Wish::Bump, &marker.version);
    if *offered {
        format!("{OFFERED}{why}.**{links} Ask for it: {ask}. The bot then marks this as ready.")
    } else {
        format!(
            "{HELD}{why}.**{links} A check that was run again on this commit is looked at once \
             somebody asks: {ask}."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, DraftMark, IndexDigest, ProposalKind};
    use crate::render::parse_marker;

    fn own() -> Marker {
        Marker {
            kind: ProposalKind::PinBump,
            version: "3.10.0".parse().unwrap(),
            digest: IndexDigest::new(Digest::of(b"x")),
            commit: "a".repeat(40).parse().unwrap(),
            requested: false,
            from: None,
            companions: BTreeMap::new(),
            whole: None,
            draft: DraftMark::Waits,
            held: None,
        }
    }

    #[test]
    fn the_reason_takes_the_place_of_what_is_waited_for() {
        let own = own();
        let held = Marker { held: Some("because".to_owned()), ..own.clone() };
        let body = format!("{WAITS}it waits.**\n\n{THEN}\n\nmore\n\n{}", marker(&own));
        let pages = BTreeMap::from([("a".to_owned(), "https://example.com/1".to_owned())]);
        let shell = HowToAsk::CommandLine;
        let why = "a: it | failed, https://example.com/1; it passes at the pin";
        let draft = HeldDraft { why, offered: false, pages: &pages, marker: &held, how: &shell };
        let told = held_body(&draft, &body);
        let begin = "**Do not merge: a: it &#124; failed; it passes at the pin.** See \
                     [a](https://example.com/1). ";
        assert!(told.starts_with(begin), "{told}");
        assert!(told.contains("bump 3.10.0`.\n\nmore\n\n<!--"), "{told}");
        assert_eq!(held_body(&draft, &told), told);
        assert_eq!(held_body(&draft, &told.replace('\n', "\r\n")), told);
        assert_eq!(parse_marker(&told), Some(held.clone()));
        let comment = HowToAsk::Comment { prefix: "/pin".to_owned() };
        let asked = held_body(&HeldDraft { how: &comment, ..draft }, &told);
        assert!(asked.contains("somebody asks: `/pin 3.10.0`.\n\nmore\n\n<!--"), "{asked}");
        // What was held may be offered later, and the other way round.
        let offer = HeldDraft { why: "it passed", offered: true, ..draft };
        let offered = held_body(&offer, &told);
        let begin = "**Ready on request: it passed.** See [a](https://example.com/1). Ask for it: \
                     `digest-bump request bump 3.10.0`. The bot then marks this as ready.\n\nmore\n\n<!--";
        assert!(offered.starts_with(begin), "{offered}");
        assert_eq!(held_body(&draft, &offered), told);
        // An earlier version left in what is only so while it waits.
        let earlier = body.replace("it waits.**", "it failed.** See it. Ask for it.");
        assert_eq!(held_body(&draft, &earlier), told);
        // What a person wrote above stays where it is.
        let by_hand = held_body(&draft, &format!("Wait for maya.\n\n{body}"));
        assert_eq!(by_hand, format!("Wait for maya.\n\n{told}"));
        assert!(
            held_body(&draft, "All by hand.")
                .ends_with(&format!("All by hand.\n\n{}", marker(&held)))
        );
    }

    #[test]
    fn only_the_page_that_is_linked_is_left_out_of_the_reason() {
        let own = own();
        let pages = BTreeMap::from([("a".to_owned(), "https://example.com/1".to_owned())]);
        let why = "a: no, https://example.com/12; b: no, javascript:x";
        let how = HowToAsk::CommandLine;
        let draft = HeldDraft { why, offered: false, pages: &pages, marker: &own, how: &how };
        let told = held_body(&draft, "");
        assert!(told.contains("//example.com/12; b: no, javascript"), "{told}");
    }
}
