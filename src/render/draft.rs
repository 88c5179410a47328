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

/// How the first line begins, as long as the draft waits or is held.
const OPEN: &str = "**Not to be merged yet: ";

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
            "{OPEN}{image} {from} → {to} waits for this repository's own checks on its commit: \
             {}.**",
            names.join(", ")
        ),
        "Once every check has passed, the bot marks this as ready, with the whole evidence; or, \
         where another pull request of the bot's is ready, that one is given this commit, and this \
         one is closed. Until then it stays a draft."
            .to_owned(),
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

/// `body` with the reason for which its draft is held in place of what it waits for. `pages` are
/// those of the checks, by their names. Foreign texts. `how` its reader asks the bot.
#[must_use]
pub fn held_body(
    why: &str,
    pages: &BTreeMap<String, String>,
    held: &Marker,
    how: &HowToAsk,
    body: &str,
) -> String {
    let body = without_marker(body);
    let rest = match body.strip_prefix(OPEN) {
        Some(begun) => begun.split_once("\n\n").map_or("", |(_, rest)| rest),
        None => &body,
    };
    let pages = pages.iter().map(|(name, page)| (cell(name), safe_url(page)));
    let pages = pages.filter(|(_, page)| *page != "#");
    let links: Vec<String> = pages.map(|(name, page)| format!(" See [{name}]({page}).")).collect();
    format!(
        "{OPEN}{}.**{} A check that was run again on this commit is looked at once somebody \
         asks: {}.\n\n{}\n\n{}",
        cell(why),
        links.concat(),
        how.say(Wish::Bump, &held.version),
        rest.trim_end(),
        marker(held)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, DraftMark, IndexDigest, ProposalKind};
    use crate::render::parse_marker;

    #[test]
    fn the_reason_takes_the_place_of_what_is_waited_for() {
        let own = Marker {
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
        };
        let held = Marker { held: Some("because".to_owned()), ..own.clone() };
        let body = format!("{OPEN}it waits.**\n\nmore\n\n{}", marker(&own));
        let pages = BTreeMap::from([("a".to_owned(), "https://example.com/1".to_owned())]);
        let shell = HowToAsk::CommandLine;
        let told = held_body("it | failed", &pages, &held, &shell, &body);
        let begin = "**Not to be merged yet: it &#124; failed.** See [a](https://example.com/1). ";
        assert!(told.starts_with(begin), "{told}");
        assert!(told.contains("bump 3.10.0`.\n\nmore\n\n<!--"), "{told}");
        assert_eq!(held_body("it | failed", &pages, &held, &shell, &told), told);
        assert_eq!(parse_marker(&told), Some(held.clone()));
        assert!(!told.contains("it waits"));
        let comment = HowToAsk::Comment { prefix: "/pin".to_owned() };
        let told = held_body("it | failed", &pages, &held, &comment, &told);
        assert!(told.contains("somebody asks: `/pin 3.10.0`.\n\nmore\n\n<!--"), "{told}");
        // What a person wrote above stays.
        let by_hand = format!("Wait for maya.\n\n{body}");
        assert!(held_body("it failed", &pages, &held, &shell, &by_hand).contains("Wait for maya."));
    }
}
