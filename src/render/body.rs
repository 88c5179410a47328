//! The pull request that moves the pin. The first screen is enough to decide.

use super::{
    canary::{CanaryShown, printed, section},
    companion::CompanionImage,
    marker::marker,
    notes::{brief, folded, item, safe_url},
};
use crate::domain::{Bump, Check, Judged, Marker, Pin, Platform, Timestamp, Verdict, Version};
use crate::edit::{SiteLine, SiteOutcome, cell};
use crate::policy::{Break, Contract};
use std::fmt::Write as _;

pub use super::notes::NotedRelease;

/// With more points than these the first ones are enough to begin with.
const MAX_POINTS: usize = 8;
/// What is shown of a canary's output, in bytes: its lines may be long.
const MAX_OUTPUT: usize = 6_000;

/// One line of evidence.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The question.
    pub check: Check,
    /// The answer.
    pub verdict: Verdict,
    /// What was seen.
    pub summary: String,
    /// What a reviewer should look at although it passed.
    pub points: Vec<String>,
    /// The documents that the answer rests on.
    pub judged: Vec<Judged>,
    /// How a reader finds the same, for a shell.
    pub command: Option<String>,
}

/// Everything that the body of a pin bump says.
#[derive(Debug)]
pub struct PinBump<'a> {
    /// What is pinned now.
    pub from: &'a Pin,
    /// What is proposed.
    pub to: &'a Pin,
    /// How far the two are apart by their versions.
    pub declared: Bump,
    /// Why it is treated as a MAJOR, if its version says less.
    pub understated: &'a [Break],
    /// The platforms that are new since the pin.
    pub added: &'a [Platform],
    /// Whether upstream's contract was compared with the one at the pin.
    pub contract: &'a Contract,
    /// When the proposed release was published.
    pub published_at: Timestamp,
    /// The release's page.
    pub release_url: &'a str,
    /// Who asked for it, if somebody did.
    pub requested_by: Option<&'a str>,
    /// All required checks with their answers.
    pub evidence: &'a [Evidence],
    /// The release's companion images.
    pub companions: &'a [CompanionImage],
    /// The canary at the proposed digest.
    pub canary: CanaryShown<'a>,
    /// The canary at the pinned digest, if it fails there.
    pub before: Option<CanaryShown<'a>>,
    /// What happens to each site.
    pub sites: &'a [SiteLine],
    /// The files that a tool of the downstream's own added to the edit.
    pub prepared: &'a [String],
    /// Sites that disagreed with the pin before the edit.
    pub drift: &'a [String],
    /// Newer releases that are not proposed, and why.
    pub passed_over: &'a [(Version, String)],
    /// The releases from the pin to the proposed one, newest first.
    pub releases: &'a [NotedRelease<'a>],
    /// What the bot writes for itself.
    pub marker: &'a Marker,
}

/// The title, from the config's template with `{image}`, `{from}` and `{to}`.
#[must_use]
pub fn title(template: &str, from: &Pin, to: &Version) -> String {
    template
        .replace("{image}", from.image.short())
        .replace("{from}", &from.version.to_string())
        .replace("{to}", &to.to_string())
}

/// The body in Markdown.
#[must_use]
pub fn pin_bump_body(bump: &PinBump<'_>) -> String {
    let mut sections = vec![
        verdict(bump),
        look_at(bump),
        pins(bump),
        section(&bump.canary),
        before(bump),
        evidence(bump),
        super::reproduce::folded(bump),
        changes(bump.sites, bump.prepared),
        footer(bump),
        marker(bump.marker),
    ];
    let taken = sections.iter().map(String::len).sum();
    sections.insert(sections.len() - 2, folded(bump.releases, taken));
    sections.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join("\n\n")
}

fn verdict(bump: &PinBump<'_>) -> String {
    let points = points(bump).len();
    let person = match points {
        0 => "nothing needs a person but the review".to_owned(),
        1 => "one point needs a person".to_owned(),
        n => format!("{n} points need a person"),
    };
    let asked =
        bump.requested_by.map_or_else(String::new, |who| format!(" Asked for by {}.", cell(who)));
    let what = if bump.understated.is_empty() {
        format!("is a {}", bump.declared)
    } else {
        format!("calls itself a {}, and is treated as a MAJOR", bump.declared)
    };
    let unseen = if bump.canary.report.saw_digest() {
        ""
    } else {
        " The canary never saw this digest: it tested only what is around the image."
    };
    let rescue = bump.before.as_ref().map_or_else(String::new, |_| {
        let pinned = &bump.from.version;
        format!(" The canary fails at the pinned {pinned}, and passes with this.")
    });
    format!(
        "**{} {} → {} {what}. Every required check passed; {person}.{unseen}{rescue}**{asked}",
        bump.from.image.short(),
        bump.from.version,
        bump.to.version,
    )
}

/// What a reviewer should not miss.
fn points(bump: &PinBump<'_>) -> Vec<String> {
    let mut points = Vec::new();
    if bump.declared == Bump::Major {
        points.push("this is a MAJOR: see its section in the migration document".to_owned());
    }
    for broken in bump.understated {
        let why = brief(&broken.why);
        points.push(format!("a MAJOR, see its section in the migration document: {why}"));
    }
    for line in bump.drift {
        points.push(format!("drift that this repairs: {}", brief(line)));
    }
    if !bump.canary.report.saw_digest() {
        let text =
            "no step of the canary tested the image itself; somebody or something else has to";
        points.push(text.to_owned());
    }
    points.extend(bump.evidence.iter().flat_map(|line| &line.points).map(|it| brief(it)));
    for companion in bump.companions {
        let name = companion.image.short();
        let own = companion.evidence.iter().flat_map(|line| &line.points);
        points.extend(own.map(|point| format!("{name}: {}", brief(point))));
        if companion.needed && companion.pin.is_none() {
            let version = &companion.version;
            points.push(format!("there is no {name} {version}, so its pin stays as it is"));
        }
    }
    for (version, why) in bump.passed_over {
        points.push(format!("{version} is newer, but not proposed: {}", brief(why)));
    }
    points
}

fn look_at(bump: &PinBump<'_>) -> String {
    let points = points(bump);
    let shown = points.iter().take(MAX_POINTS);
    let mut lines: Vec<String> = shown.map(|point| format!("- Look at: {point}")).collect();
    if points.len() > MAX_POINTS {
        lines.push(format!("- and {} more", points.len() - MAX_POINTS));
    }
    if !bump.added.is_empty() {
        lines.push(format!("- New since the pin: {}", brief(&Platform::list(bump.added))));
    }
    for companion in bump.companions.iter().filter(|it| !it.added.is_empty()) {
        let (name, added) = (companion.image.short(), brief(&Platform::list(&companion.added)));
        lines.push(format!("- New since the pin of {name}: {added}"));
    }
    if let Contract::Uncompared(why) = bump.contract {
        lines.push(format!("- Not compared with the pinned release's: {}", brief(why)));
    }
    lines.join("\n")
}

fn pins(bump: &PinBump<'_>) -> String {
    let mut out = String::from("| | pinned | proposed |\n| --- | --- | --- |\n");
    let link = format!("[{}]({})", bump.to.version, safe_url(bump.release_url));
    let _ = writeln!(out, "| version | {} | {link} |", bump.from.version);
    let _ = writeln!(out, "| index digest | `{}` | `{}` |", bump.from.digest, bump.to.digest);
    for companion in bump.companions {
        out.push_str(&companion.rows());
    }
    let _ = write!(out, "| published | | {} |", bump.published_at);
    let _ = write!(
        out,
        "\n\nThe tag `{}:{}` gave this digest, which is sha256 over the bytes of the index. \
         All checks, the canary and the edit speak of this digest.",
        bump.to.image, bump.to.version
    );
    out
}

/// The end of a foreign text in a fence that is longer than any inside it.
#[must_use]
pub(super) fn fenced(text: &str) -> String {
    let text = end_of(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}", text.trim_end())
}

/// The last part of `text`, which says what went wrong.
fn end_of(text: &str) -> &str {
    let start = text.len().saturating_sub(MAX_OUTPUT);
    let start = (start..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    &text[start..]
}

fn evidence(bump: &PinBump<'_>) -> String {
    format!("### Evidence\n\n{}", evidence_table(bump.evidence, bump.companions))
}

/// All answers, those about companion images behind the others.
pub(super) fn evidence_table(own: &[Evidence], companions: &[CompanionImage]) -> String {
    let mut out = String::from("| check | verdict | what was seen |\n| --- | --- | --- |");
    let own = own.iter().map(|line| (None, line));
    let of_companions = companions.iter().flat_map(|companion| {
        companion.evidence.iter().map(|line| (Some(companion.image.short()), line))
    });
    for (image, line) in own.chain(of_companions) {
        let mark = mark(line.verdict);
        let image = image.map(|name| format!("{name}: ")).unwrap_or_default();
        let question = line.check.question();
        let _ = write!(out, "\n| {image}{question} | {mark} | {} |", brief(&line.summary));
    }
    out
}

/// A verdict that is seen at a glance.
pub(super) const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✅ passed",
        Verdict::Failed => "❌ failed",
        Verdict::Inconclusive => "❔ inconclusive",
    }
}

/// The canary at the pinned digest, where it failed there.
fn before(bump: &PinBump<'_>) -> String {
    let Some(before) = &bump.before else { return String::new() };
    let heading = format!("#### At the pinned {}, the canary fails", bump.from.version);
    format!("{heading}\n\n{}.{}", capital(&brief(before.summary)), printed(before))
}

/// What happens to each pin site, and which files a tool of the downstream's own added.
pub(super) fn changes(sites: &[SiteLine], prepared: &[String]) -> String {
    let mut out = String::from("### Changed files, in lockstep\n");
    for line in sites.iter().filter(|line| matches!(line.outcome, SiteOutcome::Edited { .. })) {
        let _ = write!(out, "\n- {}", cell(&line.to_string()));
    }
    for path in prepared {
        let line = item(&format!("{}: as the downstream's own tool writes it", cell(path)));
        let _ = write!(out, "\n{line}");
    }
    let quiet: Vec<String> = sites
        .iter()
        .filter(|line| !matches!(line.outcome, SiteOutcome::Edited { .. }))
        .map(|line| cell(&line.to_string()))
        .collect();
    if !quiet.is_empty() {
        let _ = write!(out, "\n\nLeft alone: {}.", quiet.join("; "));
    }
    out
}

fn footer(bump: &PinBump<'_>) -> String {
    format!(
        "<sub>A newer release with complete evidence rewrites this pull request. A commit by \
         anybody else on the branch makes the bot keep its hands off it. Closing without merging \
         declines {}; merging moves the pin.</sub>",
        bump.to.version
    )
}

pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fenced("a\n"), "```text\na\n```");
        assert_eq!(fenced("x ```` y"), "`````text\nx ```` y\n`````");
    }

    #[test]
    fn only_the_end_of_a_long_output_is_shown() {
        let text = format!("begin{}end", "é".repeat(MAX_OUTPUT));
        assert!(!fenced(&text).contains("begin") && fenced(&text).contains("éend"));
        assert!(fenced(&text).len() <= MAX_OUTPUT + "```text\n\n```".len());
        assert_eq!(end_of(""), "");
        assert_eq!(end_of("é"), "é");
    }
}
