//! The evidence of a proposal: two lines of marks, and below them, folded, what was seen and how a
//! reader finds the same.

use super::{
    companion::CompanionImage,
    notes::brief,
    reproduce::{commands, documents},
};
use crate::domain::{Check, Judged, Timestamp, Verdict};
use std::fmt::Write as _;

/// One line of evidence.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The question.
    pub check: Check,
    /// The answer.
    pub verdict: Verdict,
    /// Whether it counts as passed only because nothing was required.
    pub not_required: bool,
    /// What was seen.
    pub summary: String,
    /// When it was seen.
    pub at: Timestamp,
    /// What a reviewer should look at although it passed.
    pub points: Vec<String>,
    /// The documents that the answer rests on.
    pub judged: Vec<Judged>,
    /// How a reader finds the same, for a shell.
    pub command: Option<String>,
}

impl Evidence {
    const fn mark(&self) -> &'static str {
        if self.not_required { "➖ not required" } else { mark(self.verdict) }
    }

    const fn sign(&self) -> &'static str {
        if self.not_required { "➖" } else { sign(self.verdict) }
    }
}

/// The section: the marks, and the fold with the rest. `resolved` says where the digest comes from.
pub(super) fn section(
    own: &[Evidence],
    companions: &[CompanionImage],
    resolved: &str,
) -> (String, String) {
    let table = evidence_table(own, companions);
    let (commands, documents) = (commands(own, companions), documents(own, companions));
    let parts = [resolved, &table, &commands, &documents];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let seen = format!(
        "<details>\n<summary>What each check saw, and how to check it yourself</summary>\n\n{}\n\n\
         </details>",
        parts.join("\n\n")
    );
    (format!("### Evidence\n\n{}", marks(own, companions)), seen)
}

/// One line about the image, one about the release and the downstream.
fn marks(own: &[Evidence], companions: &[CompanionImage]) -> String {
    let line = |image: bool| {
        let about = own.iter().filter(move |line| is_of_image(line.check) == image);
        about.map(|line| format!("{} {}", line.sign(), line.check.label()))
    };
    let beside = companions.iter().filter(|it| !it.evidence.is_empty()).map(|companion| {
        let answers = companion.evidence.iter().map(|line| line.verdict);
        let (name, count) = (companion.image.short(), companion.evidence.len());
        format!("{} {name} ({count} checks)", sign(worst(answers)))
    });
    let image: Vec<String> = line(true).chain(beside).collect();
    let rest: Vec<String> = line(false).collect();
    let lines = [("Image", image), ("Release and downstream", rest)];
    let lines = lines.iter().filter(|(_, marks)| !marks.is_empty());
    let lines: Vec<String> =
        lines.map(|(name, marks)| format!("- {name}: {}", marks.join(" · "))).collect();
    lines.join("\n")
}

/// Whether the image itself answers the question.
const fn is_of_image(check: Check) -> bool {
    match check {
        Check::Signature
        | Check::Platforms
        | Check::VersionLabel
        | Check::Revision
        | Check::TagStability
        | Check::KnownIssue => true,
        Check::Agreement | Check::Sites | Check::Canary => false,
    }
}

/// The answer that counts most: a failure before what could not be found out.
fn worst(answers: impl Iterator<Item = Verdict>) -> Verdict {
    answers.fold(Verdict::Passed, |worst, verdict| match (worst, verdict) {
        (Verdict::Failed, _) | (_, Verdict::Failed) => Verdict::Failed,
        (Verdict::Inconclusive, _) | (_, Verdict::Inconclusive) => Verdict::Inconclusive,
        (Verdict::Passed, Verdict::Passed) => Verdict::Passed,
    })
}

/// All answers, those about companion images behind the others.
pub(super) fn evidence_table(own: &[Evidence], companions: &[CompanionImage]) -> String {
    let mut out = String::from("| check | verdict | what was seen |\n| --- | --- | --- |");
    for (image, line) in all(own, companions) {
        let (mark, question) = (line.mark(), line.check.question());
        let _ = write!(out, "\n| {image}{question} | {mark} | {} |", brief(&line.summary));
    }
    out
}

/// Every answer with the prefix that names its image, which the watched one does not have.
pub(super) fn all<'a>(
    own: &'a [Evidence],
    companions: &'a [CompanionImage],
) -> impl Iterator<Item = (String, &'a Evidence)> {
    let own = own.iter().map(|line| (String::new(), line));
    let of_companions = companions.iter().flat_map(|companion| {
        let name = format!("{}: ", companion.image.short());
        companion.evidence.iter().map(move |line| (name.clone(), line))
    });
    own.chain(of_companions)
}

/// An answer on one line of plain text: the check by its label, as the marks have it.
pub(super) fn answer_line(check: Check, verdict: Verdict, summary: &str) -> String {
    format!("{}: {verdict}, {summary}", check.label())
}

/// A verdict that is seen at a glance.
pub(super) const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✅ passed",
        Verdict::Failed => "❌ failed",
        Verdict::Inconclusive => "❔ inconclusive",
    }
}

const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "✅",
        Verdict::Failed => "❌",
        Verdict::Inconclusive => "❔",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marks_are_two_lines_whatever_was_asked() {
        let answer = |check, verdict| Evidence {
            check,
            verdict,
            not_required: false,
            summary: String::new(),
            at: Timestamp::from_millis(0),
            points: Vec::new(),
            judged: Vec::new(),
            command: None,
        };
        let own: Vec<Evidence> =
            Check::ALL.into_iter().map(|check| answer(check, Verdict::Passed)).collect();
        let of = |verdicts: &[Verdict]| CompanionImage {
            image: "ghcr.io/o/sidecar".parse().unwrap(),
            version: "3.10.0".parse().unwrap(),
            needed: true,
            from: None,
            added: Vec::new(),
            pin: None,
            evidence: verdicts.iter().map(|it| answer(Check::Platforms, *it)).collect(),
        };
        let companions = [of(&[]), of(&[Verdict::Passed, Verdict::Inconclusive])];
        insta::assert_snapshot!(marks(&own, &companions), @"
        - Image: ✅ signature · ✅ platforms · ✅ version label · ✅ source commit · ✅ no known issue · ✅ tag unmoved · ❔ sidecar (2 checks)
        - Release and downstream: ✅ tag, package and image agree · ✅ pin sites · ✅ canary
        ");
        assert_eq!(marks(&own[..1], &[]).lines().count(), 1);
        let unsigned = Evidence { not_required: true, ..own[0].clone() };
        assert_eq!(marks(std::slice::from_ref(&unsigned), &[]), "- Image: ➖ signature");
        assert!(evidence_table(&[unsigned], &[]).contains("signed it | ➖ not required |"));
        assert_eq!(
            worst(
                [Verdict::Passed, Verdict::Inconclusive, Verdict::Failed, Verdict::Passed]
                    .into_iter()
            ),
            Verdict::Failed
        );
        assert_eq!(
            worst([Verdict::Inconclusive, Verdict::Passed].into_iter()),
            Verdict::Inconclusive
        );
        assert_eq!(worst([].into_iter()), Verdict::Passed);
    }
}
