//! Was the image built from the release's commit?
//!
//! The label `org.opencontainers.image.revision` names the commit that triggered the build: the one
//! that the release's tag is on, or, where the workflow itself made the release's commit, the first
//! parent of that. A younger commit means that the workflow ran again and pushed the same tag with
//! newer content.

use super::{Answer, Subject, failed, passed, unsure};
use crate::domain::{
    CommitId, Memory, PlatformFacts, Relation, RevisionPolicy, TaggedCommit, Timestamp,
};
use crate::policy::release_of;
use std::collections::BTreeSet;

/// What one platform's label comes to. In the order of how much it tells: of several the greatest
/// is the one to report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// The commit that the tag is on.
    TagCommit,
    /// The commit before it.
    FirstParent,
    /// No label.
    Absent,
    /// Neither; what it is instead.
    Unrelated(String),
    /// A descendant of the tag's commit.
    PushedAgain(CommitId),
}

impl Origin {
    const fn name(&self) -> &'static str {
        match self {
            Self::TagCommit => "tag_commit",
            Self::FirstParent => "first_parent",
            Self::Absent => "absent",
            Self::Unrelated(_) => "unrelated",
            Self::PushedAgain(_) => "pushed_again",
        }
    }

    const fn is_clean(&self) -> bool {
        matches!(self, Self::TagCommit | Self::FirstParent)
    }
}

/// The commits whose relation to the tag's commit has to be known before [`verify`] can judge.
pub(super) fn to_compare<'a>(
    platforms: &'a [PlatformFacts],
    commit: &TaggedCommit,
) -> BTreeSet<CommitId> {
    let named = |part: &'a PlatformFacts| part.revision()?.parse().ok();
    let revisions = platforms.iter().filter_map(named);
    revisions.filter(|revision| !commit.is_or_follows(revision)).collect()
}

pub(super) fn verify(subject: Subject<'_>, now: Timestamp) -> Answer {
    let Subject { image, memory, rules, .. } = subject;
    let Some(release) = release_of(&image.version, memory, &rules.tags) else {
        return unsure("no_release", format!("no release {} is known", image.version));
    };
    let tag = &release.tag;
    let Some(commit) = memory.tag_commit(tag).and_then(|known| known.at.as_ref()) else {
        let mut answer =
            unsure("no_tag", format!("the git tag {tag} is not there to compare with"));
        let deadline = release.published_at + rules.artifact_deadline;
        answer.detail.too_early_until = Some(deadline).filter(|deadline| now < *deadline);
        return answer;
    };
    let known = |revision| memory.descent(&commit.id, revision).is_some();
    if let Some(revision) = to_compare(&image.platforms, commit).iter().find(|it| !known(it)) {
        let summary = format!("{} was not compared with {}", revision.short(), commit.id.short());
        return unsure("not_compared", summary);
    }
    let judged = image.platforms.iter().map(|part| (part, origin(part, commit, memory)));
    let judged: Vec<(&PlatformFacts, Origin)> = judged.collect();
    // The first of the worst.
    let Some((part, worst)) = judged.iter().rev().max_by_key(|(_, origin)| origin) else {
        return failed("there is no platform whose label could be read");
    };
    let alike = judged.iter().all(|(_, origin)| origin == worst);
    let who = if alike { "the image" } else { part.platform.0.as_str() };
    let id = commit.id.short();
    let told = match worst {
        Origin::TagCommit => format!("built from {id}, the commit of {tag}"),
        Origin::FirstParent => {
            let parent = part.revision().map_or("", |revision| &revision[..id.len()]);
            format!("built from {parent}, the parent of {tag}'s commit {id}")
        }
        Origin::Absent => format!("{who} does not say which commit it was built from"),
        Origin::Unrelated(what) => {
            format!("{who} {what}; {tag} is at {id}")
        }
        Origin::PushedAgain(revision) => {
            let who = if alike { "it" } else { who };
            let summary = format!(
                "the image's tag was pushed again: {who} was built from {}, which came after \
                 {id}, the commit of {tag}",
                revision.short()
            );
            return failed(summary).named(worst.name());
        }
    };
    if worst.is_clean() && alike {
        return passed(told).named(worst.name());
    }
    let (outcome, told) = if worst.is_clean() {
        let told = format!("its platforms were not built from one commit: {who} was {told}");
        ("platforms_disagree", told)
    } else {
        (worst.name(), told)
    };
    match rules.revision {
        RevisionPolicy::Deny => failed(told).named(outcome),
        RevisionPolicy::Warn => {
            let mut answer = passed(told.clone()).named(outcome);
            answer.detail.points.push(told);
            answer
        }
    }
}

fn origin(part: &PlatformFacts, commit: &TaggedCommit, memory: &Memory) -> Origin {
    let Some(label) = part.revision().filter(|label| !label.is_empty()) else {
        return Origin::Absent;
    };
    let Ok(revision) = label.parse::<CommitId>() else {
        let shown: String = label.chars().take(80).collect();
        return Origin::Unrelated(format!("names `{shown}`, which is no commit"));
    };
    if revision == commit.id {
        return Origin::TagCommit;
    }
    if commit.first_parent.as_ref() == Some(&revision) {
        return Origin::FirstParent;
    }
    let what = match memory.descent(&commit.id, &revision).map(|known| known.relation) {
        Some(Relation::Ahead) => return Origin::PushedAgain(revision),
        Some(Relation::Identical) => return Origin::TagCommit,
        Some(Relation::Behind) => "an older commit",
        Some(Relation::Diverged) => "a commit of another line",
        Some(Relation::Unknown) | None => "a commit that upstream does not know",
    };
    Origin::Unrelated(format!("was built from {}, {what}", revision.short()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Descent, Digest, Fact, ImageFacts, IndexDigest, Platform, PlatformDigest, ReleaseFacts,
        Rules, TagCommit, Verdict,
    };

    fn id(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    fn image(labels: &[Option<String>]) -> ImageFacts {
        let part = |(name, label): (&str, &Option<String>)| PlatformFacts {
            platform: Platform(format!("linux/{name}")),
            digest: PlatformDigest::new(Digest::of(name.as_bytes())),
            labels: label
                .iter()
                .map(|text| ("org.opencontainers.image.revision".to_owned(), text.clone()))
                .collect(),
        };
        ImageFacts {
            version: "3.10.0".parse().unwrap(),
            digest: IndexDigest::new(Digest::of(b"index")),
            platforms: ["amd64", "arm64"].into_iter().zip(labels).map(part).collect(),
        }
    }

    /// A release on commit `b…`, made on `a…`; `c…` came later, `9…` before, `d…` beside.
    fn memory() -> Memory {
        let now = Timestamp::from_millis(0);
        let mut memory = Memory::default();
        let release = ReleaseFacts {
            tag: "v3.10.0".to_owned(),
            draft: false,
            prerelease: false,
            published_at: now,
            url: String::new(),
            notes: String::new(),
            withdrawn: false,
        };
        memory.observe(Fact::Release(release), now);
        let commit = TaggedCommit {
            id: id('b').parse().unwrap(),
            first_parent: Some(id('a').parse().unwrap()),
        };
        let tag = TagCommit::seen("v3.10.0".to_owned(), Some(commit), None);
        memory.observe(Fact::TagCommit(tag), now);
        for (head, relation) in [
            ('c', Relation::Ahead),
            ('9', Relation::Behind),
            ('d', Relation::Diverged),
            ('e', Relation::Unknown),
        ] {
            let (base, head) = (id('b').parse().unwrap(), id(head).parse().unwrap());
            memory.observe(Fact::Descent(Descent { base, head, relation }), now);
        }
        memory
    }

    fn rules(revision: RevisionPolicy) -> Rules {
        Rules { revision, ..Rules::plain() }
    }

    #[test]
    fn each_label_comes_to_what_a_maintainer_reads() {
        let cases = [
            ("bb", "tag_commit", "built from bbbbbbbb, the commit of v3.10.0"),
            ("cc", "pushed_again", "pushed again: it was built from cccccccc, which"),
            ("aa", "first_parent", "built from aaaaaaaa, the parent of v3.10.0's commit bbbbbbbb"),
            ("ac", "pushed_again", "linux/arm64 was built from cccccccc, which came after"),
            ("ca", "pushed_again", "linux/amd64 was built from cccccccc, which came after"),
            ("ab", "platforms_disagree", "its platforms were not built from one commit"),
            (
                "a9",
                "unrelated",
                "linux/arm64 was built from 99999999, an older commit; v3.10.0 is at bbbbbbbb",
            ),
            ("dd", "unrelated", "the image was built from dddddddd, a commit of another line"),
            ("ee", "unrelated", "a commit that upstream does not know"),
            ("a?", "unrelated", "linux/arm64 names `main`, which is no commit"),
            ("  ", "absent", "the image does not say"),
            ("a ", "absent", "linux/arm64 does not say which commit it was built from"),
            ("-b", "absent", "linux/amd64 does not say"),
        ];
        let memory = memory();
        for (labels, outcome, text) in cases {
            let label = |digit| match digit {
                '-' => None,
                ' ' => Some(String::new()),
                '?' => Some("main".to_owned()),
                digit => Some(id(digit)),
            };
            let image = image(&labels.chars().map(label).collect::<Vec<_>>());
            for policy in [RevisionPolicy::Warn, RevisionPolicy::Deny] {
                let rules = rules(policy);
                let subject =
                    Subject { image: &image, memory: &memory, rules: &rules, pinned: None };
                let answer = verify(subject, Timestamp::from_millis(0));
                assert_eq!(answer.detail.outcome.as_deref(), Some(outcome), "{labels}");
                assert!(answer.summary.contains(text), "{}", answer.summary);
                let clean = matches!(outcome, "tag_commit" | "first_parent");
                let gates = outcome == "pushed_again" || (!clean && policy == RevisionPolicy::Deny);
                let verdict = if gates { Verdict::Failed } else { Verdict::Passed };
                assert_eq!(answer.verdict, verdict, "{labels} {policy:?}");
                let points = usize::from(!clean && !gates);
                assert_eq!(answer.detail.points.len(), points, "{labels} {policy:?}");
            }
        }
    }

    #[test]
    fn what_is_not_known_yet_is_neither_a_pass_nor_a_failure() {
        let image = image(&[Some(id('f')), Some(id('a'))]);
        let rules = rules(RevisionPolicy::Deny);
        let judge = |memory: &Memory, hours| {
            let now = Timestamp::from_millis(0) + std::time::Duration::from_hours(hours);
            verify(Subject { image: &image, memory, rules: &rules, pinned: None }, now)
        };
        let answer = judge(&memory(), 0);
        assert_eq!(answer.verdict, Verdict::Inconclusive);
        assert_eq!(answer.summary, "ffffffff was not compared with bbbbbbbb");
        let mut memory = memory();
        let gone = TagCommit::seen("v3.10.0".to_owned(), None, None);
        memory.observe(Fact::TagCommit(gone), Timestamp::from_millis(0));
        let answer = judge(&memory, 1);
        assert_eq!(answer.verdict, Verdict::Inconclusive);
        assert_eq!(answer.summary, "the git tag v3.10.0 is not there to compare with");
        assert!(answer.detail.too_early_until.is_some());
        assert_eq!(judge(&memory, 24).detail.too_early_until, None);
    }
}
