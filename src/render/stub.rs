//! The pull request that opens a section in the migration document for a MAJOR.

use super::{
    canary::{CanaryShown, printed},
    evidence::Evidence,
    fit::{Part, fit},
    marker::marker,
    notes::{NotedRelease, brief, folded, item, safe_url},
};
use crate::domain::{
    Bump, Check, FilePath, HowToAsk, ImageName, Marker, Mention, Pin, Platform, Verdict, Version,
    Wish,
};
use crate::policy::{Break, Companion};
use std::fmt::Write as _;

/// Everything that the body of a migration stub says.
#[derive(Debug)]
pub struct StubBody<'a> {
    /// What is pinned now, and stays pinned.
    pub from: &'a Pin,
    /// The MAJOR.
    pub to: &'a Pin,
    /// What its version says that it is.
    pub declared: Bump,
    /// Why it is treated as a MAJOR, if its version says less.
    pub understated: &'a [Break],
    /// The platforms that it lacks and the pinned image has.
    pub lost: &'a [Platform],
    /// Its companion images, each with what it lacks and the pinned one has.
    pub companions: &'a [Companion],
    /// The release's page.
    pub release_url: &'a str,
    /// The migration document.
    pub document: &'a FilePath,
    /// Whether it is opened as a draft.
    pub draft: bool,
    /// How many rows the new section has.
    pub rows: usize,
    /// Where the downstream uses the names that the rows are about; `None` if nobody looked.
    pub uses: Option<&'a [Mention]>,
    /// The checks with their answers; the canary's is news, not a gate.
    pub evidence: &'a [Evidence],
    /// The canary at the release, if it ran.
    pub canary: Option<CanaryShown<'a>>,
    /// The canary at the pinned digest, if it ran.
    pub at_pin: Option<CanaryShown<'a>>,
    /// The releases from the pin to the MAJOR, newest first.
    pub releases: &'a [NotedRelease<'a>],
    /// How readers ask the bot for something.
    pub how: &'a HowToAsk,
    /// What the bot writes for itself.
    pub marker: &'a Marker,
}

/// The title.
#[must_use]
pub fn stub_title(from: &Pin, to: &Version) -> String {
    format!("docs({}): migration stub for {} → {to}", from.image.short(), from.version)
}

/// The body in Markdown.
#[must_use]
pub fn stub_body(stub: &StubBody<'_>) -> String {
    let (from, to) = (&stub.from.version, &stub.to.version);
    let rows = match stub.rows {
        1 => "1 row".to_owned(),
        n => format!("{n} rows"),
    };
    let honest = stub.understated.is_empty();
    let what = if honest {
        "is a MAJOR".to_owned()
    } else {
        format!("calls itself a {}, and is treated as a MAJOR", stub.declared)
    };
    let [source, unknown] = if honest {
        ["taken from the breaking notes of", "What the notes do not say"]
    } else {
        ["for what breaks on the way to", "What is not known"]
    };
    let head = format!(
        "**{} {to} {what}. The pin stays at {from}; merging this changes no running code.**\n\n{}\
         This opens a section with {rows} in `{}`, {source} [{to}]({}). {unknown} is marked TODO, \
         for a person to fill in here.",
        stub.from.image.short(),
        reasons(stub),
        stub.document,
        safe_url(stub.release_url),
    );
    let tests = "More tests failed than there is room for here.";
    let mut sections = fit(vec![
        Part::fixed(head),
        Part::fixed(canary(stub)),
        Part::spare(failed_tests(stub), tests),
        Part::spare(
            stub.canary.as_ref().map(printed).unwrap_or_default(),
            "What it printed has no room here.",
        ),
        Part::spare(uses(stub), ""),
        Part::fixed(cycle(stub)),
        Part::fixed(marker(stub.marker)),
    ]);
    let taken = sections.iter().map(|text| text.len() + "\n\n".len()).sum();
    sections.insert(sections.len() - 1, folded(stub.releases, taken));
    sections.join("\n\n")
}

/// What a person has to do, in its order.
fn cycle(stub: &StubBody<'_>) -> String {
    let to = &stub.to.version;
    let merge = if stub.draft { "Mark this draft as ready, and merge it" } else { "Merge this" };
    let ask = match stub.how {
        HowToAsk::CommandLine => "Ask for the pin, where the bot runs",
        HowToAsk::Comment { .. } => "Ask for the pin, by a comment here",
    };
    let bump = stub.how.say(Wish::Bump, to);
    let help = stub.how.help().map(|help| format!("Comment {help} for all commands.\n\n"));
    format!(
        "### The migration cycle\n\n\
         - [ ] Fill in the TODO cells of the new section\n\
         - [ ] Adapt the code that uses what changed\n{}\
         - [ ] {merge}\n\
         - [ ] {ask}: {bump}\n\n{}\
         What is committed to this branch is left alone, and so is the section once it is merged: \
         there is one such pull request for each migration. Closing it declines the migration.\n\n\
         The image is `{}@{}`.",
        promise(stub),
        help.unwrap_or_default(),
        stub.to.image,
        stub.to.digest,
    )
}

/// Where the names in question are used.
fn uses(stub: &StubBody<'_>) -> String {
    let heading = "### Where this repository uses these names";
    let Some(uses) = stub.uses else {
        return format!(
            "{heading}\n\nThe bot did not look: it clones nothing here, and there are too many files \
             to read one by one."
        );
    };
    if uses.is_empty() {
        return String::new();
    }
    let lines =
        uses.iter().map(|mention| item(&brief(&format!("`{}`: {}", mention.name, mention.told()))));
    let lines: Vec<String> = lines.collect();
    format!("{heading}\n\n{}", lines.join("\n"))
}

/// Why it is a MAJOR, where that is news: a list.
fn reasons(stub: &StubBody<'_>) -> String {
    let lost = Platform::list(stub.lost);
    let mut out = String::new();
    for broken in stub.understated {
        let _ = writeln!(out, "- {}", brief(&broken.why));
    }
    if stub.understated.is_empty() && !lost.is_empty() {
        let _ = writeln!(out, "- its image has no {}, which the pinned one has", brief(&lost));
    }
    let lacking = stub.companions.iter().filter(|it| !it.lost.is_empty());
    for companion in lacking.filter(|_| stub.understated.is_empty()) {
        let (name, lost) = (companion.image.short(), Platform::list(&companion.lost));
        let _ = writeln!(out, "- its {name} has no {}, which the pinned one has", brief(&lost));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// What there is to do in the config about platforms that are lost.
fn promise(stub: &StubBody<'_>) -> String {
    let mut out = String::new();
    let mut take = |lost: &[Platform], key: &str| {
        if !lost.is_empty() {
            let lost = brief(&Platform::list(lost));
            let _ =
                writeln!(out, "- [ ] Take {lost} out of {key} in the bot's config, if it is there");
        }
    };
    take(stub.lost, "`upstream.platforms`");
    for companion in stub.companions {
        take(&companion.lost, &promise_of(&companion.image));
    }
    out
}

/// Where a companion image's promise stands in the config.
fn promise_of(companion: &ImageName) -> String {
    format!("the `platforms` of {} (`upstream.companion`)", companion.short())
}

fn canary(stub: &StubBody<'_>) -> String {
    let answer = stub.evidence.iter().find(|line| line.check == Check::Canary);
    let Some(answer) = answer else {
        return "The contract canary did not run.".to_owned();
    };
    let news = match answer.verdict {
        Verdict::Passed => "passes at this release as the code stands",
        Verdict::Failed => "fails at this release, so there is something to migrate",
        Verdict::Inconclusive => "gave no answer at this release",
    };
    let before = match (answer.verdict, &stub.at_pin) {
        (Verdict::Failed, Some(before)) => at_pin(before, &stub.from.version),
        (Verdict::Failed, None) => {
            format!(" Whether it passes at the pinned {} is not known.", stub.from.version)
        }
        (Verdict::Passed | Verdict::Inconclusive, _) => String::new(),
    };
    format!("The contract canary {news}: {}.{before}", brief(&answer.summary))
}

/// What the pinned release is to a failure at this one.
fn at_pin(before: &CanaryShown<'_>, pinned: &Version) -> String {
    match before.verdict {
        Verdict::Passed => format!(" It passes at the pinned {pinned}."),
        Verdict::Failed => {
            let why = brief(before.summary);
            format!(" It fails at the pinned {pinned} as well, so mend that first: {why}.")
        }
        Verdict::Inconclusive => format!(" At the pinned {pinned} it gave no answer."),
    }
}

/// The tests that failed, one line each.
fn failed_tests(stub: &StubBody<'_>) -> String {
    let Some(shown) = &stub.canary else { return String::new() };
    let telling = shown.report.telling(shown.verdict);
    let failed = telling.iter().flat_map(|step| &step.failed);
    let lines = failed.map(|test| item(&brief(&format!("{}: {}", test.name, test.message))));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Digest, DraftMark, IndexDigest, ProposalKind};
    use std::collections::BTreeMap;

    fn body(how: &HowToAsk) -> String {
        let pin = |version: &str| Pin {
            image: "ghcr.io/o/connector".parse().unwrap(),
            version: version.parse().unwrap(),
            digest: IndexDigest::new(Digest::of(version.as_bytes())),
        };
        let (from, to) = (pin("3.9.3"), pin("4.0.0"));
        let marker = Marker {
            kind: ProposalKind::MigrationStub,
            version: to.version.clone(),
            digest: to.digest.clone(),
            commit: "a".repeat(40).parse().unwrap(),
            requested: false,
            from: None,
            companions: BTreeMap::new(),
            whole: None,
            draft: DraftMark::None,
            held: None,
        };
        stub_body(&StubBody {
            from: &from,
            to: &to,
            declared: Bump::Major,
            understated: &[],
            lost: &[],
            companions: &[],
            release_url: "https://e.test/r",
            document: &"MIGRATION.md".parse().unwrap(),
            draft: true,
            rows: 1,
            uses: Some(&[]),
            evidence: &[],
            canary: None,
            at_pin: None,
            releases: &[],
            how,
            marker: &marker,
        })
    }

    #[test]
    fn the_last_step_is_one_that_its_reader_can_take() {
        let (_, cycle) = body(&HowToAsk::Comment { prefix: "/pin".to_owned() })
            .split_once("### ")
            .map(|(head, rest)| (head.to_owned(), rest.to_owned()))
            .unwrap();
        let (cycle, _) = cycle.split_once("What is committed").unwrap();
        insta::assert_snapshot!(cycle, @"
        The migration cycle

        - [ ] Fill in the TODO cells of the new section
        - [ ] Adapt the code that uses what changed
        - [ ] Mark this draft as ready, and merge it
        - [ ] Ask for the pin, by a comment here: `/pin 4.0.0`

        Comment `/pin help` for all commands.
        ");
        let shell = body(&HowToAsk::CommandLine);
        assert!(shell.contains(
            "- [ ] Ask for the pin, where the bot runs: `digest-bump request bump 4.0.0`\n\nWhat is"
        ));
    }
}
