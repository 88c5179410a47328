//! The pull request that moves the pin. The first screen is enough to decide.

use super::{
    canary::{CanaryShown, before, printed, section, steps},
    changes::{self, Changes, what_a_merge_releases},
    companion::CompanionImage,
    contract,
    evidence::{self, Evidence},
    fit::{Part, fit},
    happens,
    left_out::{self, LeftOut},
    marker::marker,
    notes::{NotedRelease, brief, folded},
    pins::{Source, pins},
};
use crate::domain::{Bump, FilePath, HowToAsk, Marker, Pin, Platform, Version};
use crate::edit::cell;
use crate::policy::{Break, Contract, Touched};

/// With more points than these the first ones are enough to begin with.
const MAX_POINTS: usize = 8;

/// Everything that the body of a pin bump says.
#[derive(Debug)]
pub struct PinBump<'a> {
    /// The title, which says what a merge releases.
    pub title: &'a str,
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
    /// The contract document and what the notes touch in it, if it is known.
    pub touched: Option<(&'a FilePath, &'a Touched)>,
    /// Where the pinned image comes from, as far as it is known.
    pub pinned_source: Source<'a>,
    /// Where the proposed image comes from.
    pub source: Source<'a>,
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
    /// What changes.
    pub changes: Changes<'a>,
    /// Sites that a person has to edit, one sentence fragment each.
    pub by_hand: &'a [String],
    /// What is left to a person, because the token may not edit it.
    pub withheld: Option<LeftOut<'a>>,
    /// Why what is pinned has to be left, where this leads back to an older release.
    pub retreat: Option<&'a str>,
    /// Newer releases that are not proposed, and why.
    pub passed_over: &'a [(Version, String)],
    /// The releases from the pin to the proposed one, newest first.
    pub releases: &'a [NotedRelease<'a>],
    /// How readers ask the bot for something.
    pub how: &'a HowToAsk,
    /// What the bot writes for itself.
    pub marker: &'a Marker,
}

/// The body in Markdown.
#[must_use]
pub fn pin_bump_body(bump: &PinBump<'_>) -> String {
    let (marks, seen) = evidence::section(bump.evidence, bump.companions, &resolved(bump.to));
    let changed = "### Changed files, in lockstep\n\nMore than there is room for here: see the \
                   changed files of this pull request.";
    let log = "What it printed has no room here.";
    let no_room =
        format!("What each check saw has no room here; {} tells it.", bump.how.explain(""));
    let fixed = [verdict(bump), look_at(bump), pins(bump)];
    let mut parts: Vec<Part> = fixed.into_iter().map(Part::fixed).collect();
    parts.extend([
        Part::fixed(section(&bump.canary)),
        Part::spare(steps(bump.canary.report), "It had more steps than there is room for here."),
        Part::spare(printed(&bump.canary), log),
        Part::fixed(bump.before.as_ref().map(|it| before(it, bump.from)).unwrap_or_default()),
        Part::spare(bump.before.as_ref().map(printed).unwrap_or_default(), log),
        Part::fixed(marks),
        Part::spare(seen, &no_room),
        Part::spare(contract::section(bump.touched, &bump.from.version), ""),
        Part::spare(changes::section(&bump.changes), changed),
        Part::fixed(bump.withheld.as_ref().map(left_out::section).unwrap_or_default()),
        Part::fixed(what_a_merge_releases(bump.title, bump.changes.changeset)),
        Part::fixed(happens::folded(&bump.to.version, bump.how)),
        Part::fixed(marker(bump.marker)),
    ]);
    let mut sections = fit(parts);
    let taken = sections.iter().map(|text| text.len() + "\n\n".len()).sum();
    sections.insert(sections.len() - 2, folded(bump.releases, taken));
    sections.join("\n\n")
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
    let what = if bump.to.version == bump.from.version {
        "stays: the pin sites that spell something else are brought in line".to_owned()
    } else if let Some(why) = bump.retreat {
        format!("takes the pin back: {}", brief(why))
    } else if bump.understated.is_empty() {
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
    let (from, to) = (&bump.from.version, &bump.to.version);
    let step = if from == to { to.to_string() } else { format!("{from} → {to}") };
    format!(
        "**{} {step} {what}. Every required check passed; {person}.{unseen}{rescue}**{asked}",
        bump.from.image.short(),
    )
}

/// What a reviewer should not miss.
fn points(bump: &PinBump<'_>) -> Vec<String> {
    let mut points = Vec::new();
    if bump.retreat.is_some() {
        points.push("what was new in the pinned release is gone with this".to_owned());
    }
    if bump.declared == Bump::Major {
        points.push("this is a MAJOR: see its section in the migration document".to_owned());
    }
    for broken in bump.understated {
        let why = brief(&broken.why);
        points.push(format!("a MAJOR, see its section in the migration document: {why}"));
    }
    if let Contract::Uncompared(why) = bump.contract {
        let why = brief(why);
        points.push(format!("the contract is not compared with the pinned release's: {why}"));
    }
    points.extend(bump.withheld.iter().flat_map(left_out::points));
    for site in bump.by_hand {
        points.push(format!("the bot may not edit this site: {}", brief(site)));
    }
    for drift in bump.changes.drift {
        points.push(format!("drift that this repairs: {}", brief(&drift.to_string())));
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
    points.extend(changes::points(&bump.changes));
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
    lines.join("\n")
}

/// Where the digest comes from.
fn resolved(to: &Pin) -> String {
    format!(
        "The tag `{}:{}` gave this digest, which is sha256 over the bytes of the index. All checks, \
         the canary and the edit speak of this digest.",
        to.image, to.version
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        CanaryReport, Check, Digest, DraftMark, IndexDigest, ProposalKind, StepResult, Timestamp,
        Verdict,
    };
    use crate::edit::{SiteLine, SiteOutcome};
    use crate::policy::{RowChange, TouchedRow};
    use crate::render::parse_marker;
    use std::collections::BTreeMap;

    fn pin(version: &str) -> Pin {
        Pin {
            image: "ghcr.io/o/connector".parse().unwrap(),
            version: version.parse().unwrap(),
            digest: IndexDigest::new(Digest::of(version.as_bytes())),
        }
    }

    fn own() -> Marker {
        Marker {
            kind: ProposalKind::PinBump,
            version: "3.10.0".parse().unwrap(),
            digest: pin("3.10.0").digest,
            commit: "a".repeat(40).parse().unwrap(),
            requested: false,
            from: None,
            companions: BTreeMap::new(),
            whole: None,
            draft: DraftMark::None,
            held: None,
        }
    }

    /// A body in which there are so many of everything, and each says `text`.
    fn body(many: usize, text: &str) -> String {
        let (from, to) = (pin("3.9.3"), pin("3.10.0"));
        let answer = Evidence {
            check: Check::Signature,
            verdict: Verdict::Passed,
            not_required: false,
            summary: text.to_owned(),
            at: Timestamp::from_millis(0),
            points: vec![text.to_owned(); many],
            judged: Vec::new(),
            command: Some(text.to_owned()),
        };
        let step = StepResult {
            name: text.to_owned(),
            sees_digest: true,
            verdict: Verdict::Passed,
            summary: text.to_owned(),
            tests: None,
            failed: Vec::new(),
            took: 1,
        };
        let report = CanaryReport { attempts: vec![vec![step; many]], ..CanaryReport::NOTHING };
        let shown = CanaryShown {
            verdict: Verdict::Passed,
            summary: text,
            report: &report,
            output: text,
            log: None,
            tree: &"1".repeat(40).parse().unwrap(),
            base: &"2".repeat(40).parse().unwrap(),
            checked: false,
        };
        let site = SiteLine {
            site: text.to_owned(),
            path: "a.yml".parse().unwrap(),
            outcome: SiteOutcome::Edited { line: 1, from: text.to_owned(), to: text.to_owned() },
        };
        let notes = vec![(to.version.clone(), text.to_owned()); many];
        let row = TouchedRow { row: text.to_owned(), change: RowChange::Kept, notes };
        let touched = Touched { rows: many, kept: true, touched: vec![row; many] };
        let texts = vec![text.to_owned(); many];
        let version = to.version.clone();
        let release = NotedRelease { version: &version, url: "https://e.test/a", notes: text };
        let source = Source { tag: Some("v3.10.0"), ..Source::default() };
        pin_bump_body(&PinBump {
            title: "chore: bump",
            from: &from,
            to: &to,
            declared: Bump::Minor,
            understated: &[],
            added: &[],
            contract: &Contract::Compared,
            touched: Some((&"CONTRACT.md".parse().unwrap(), &touched)),
            pinned_source: Source::default(),
            source,
            release_url: "https://e.test/o/r/releases/tag/v3.10.0",
            requested_by: Some(text),
            evidence: &vec![answer; many],
            companions: &[],
            canary: shown.clone(),
            before: Some(shown),
            changes: Changes {
                sites: &vec![site; many],
                prepared: &texts,
                changeset: None,
                drift: &[],
                left: &texts,
            },
            by_hand: &texts,
            withheld: None,
            retreat: None,
            passed_over: &vec![(version.clone(), text.to_owned()); many],
            releases: &vec![release; many],
            how: &HowToAsk::CommandLine,
            marker: &own(),
        })
    }

    #[test]
    fn whatever_there_is_to_say_is_no_more_than_github_takes_and_is_cut_between_parts() {
        let hostile = "x </details> ``` ```` | @a #1 <!-- digest-bump:1 {} --> ".repeat(40);
        for (many, text) in [(1, "plain"), (3, &*hostile), (60, &*hostile), (2_000, "plain")] {
            let body = body(many, text);
            assert!(body.len() < 65_536, "{many}: {}", body.len());
            assert_eq!(parse_marker(&body), Some(own()), "{many}");
            assert_eq!(body.matches("<details>").count(), body.matches("\n</details>").count());
            // A fence that is open would swallow what follows.
            let after = body.lines().skip_while(|line| !line.starts_with("### Evidence"));
            let mut fence: Option<&str> = None;
            for line in after.filter(|line| line.starts_with("```")) {
                let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
                match fence {
                    None => fence = Some(ticks),
                    Some(open) if line == open => fence = None,
                    Some(_) => {}
                }
            }
            assert_eq!(fence, None, "{many}");
            let first: Vec<&str> = body.lines().take(25).collect();
            assert!(first[0].starts_with("**connector 3.9.3 → 3.10.0 is a MINOR."), "{}", first[0]);
        }
        assert!(body(60, &hostile).contains("has no room here"));
        assert!(!body(1, "plain").contains("room"));
    }
}
