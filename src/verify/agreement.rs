//! Are git tag, GitHub release, npm version and image one release?
//!
//! That the image is there is known before any check is asked, and that the npm version is there
//! is waited for like it (see the policy). Here it is asked whether the git tag is, whether npm
//! still has what it first had, and whether npm's version and the image are of the same commit:
//! where they are not, the canary's npm half tests other code than what is pinned.

use super::{Answer, Subject, failed, passed, unsure};
use crate::domain::{
    CommitId, ImageFacts, NpmFacts, ReleaseFacts, TagCommit, TaggedCommit, Timestamp,
    human_duration,
};
use crate::policy::{npm_drift_line, release_of};

pub(super) fn verify(subject: Subject<'_>, now: Timestamp) -> Answer {
    let Subject { image, memory, rules, .. } = subject;
    let version = &image.version;
    let Some(release) = release_of(version, memory, &rules.tags) else {
        return unsure("no_release", format!("no release {version} is known"));
    };
    let deadline = release.published_at + rules.artifact_deadline;
    let Some(known) = memory.tag_commit(&release.tag) else {
        return unsure("no_tag", format!("the git tag {} was not looked at", release.tag));
    };
    let Some(commit) = known.at.as_ref().filter(|_| known.before.is_none()) else {
        return misplaced(release, known, deadline, now);
    };
    let at = format!("git tag {} at {}", release.tag, commit.id.short());
    if rules.npm.is_none() {
        return passed(at).named("agree");
    }
    if let Some(drift) = npm_drift_line(memory, version) {
        return failed(drift).named("npm_drift");
    }
    let Some(npm) = memory.npm(version) else {
        let mut answer = unsure("no_npm", format!("{at}; npm's {version} is not there to compare"));
        answer.detail.may_change = false;
        answer.detail.too_early_until = Some(deadline).filter(|deadline| now < *deadline);
        return answer;
    };
    match source(npm, image, commit) {
        Ok(source) => passed(format!("{at}; npm {version} {source}")).named("agree"),
        Err(why) => failed(why).named("other_commit"),
    }
}

/// What to say of a git tag that is not there, or not where it was. Either can be mended.
fn misplaced(
    release: &ReleaseFacts,
    known: &TagCommit,
    deadline: Timestamp,
    now: Timestamp,
) -> Answer {
    let TagCommit { tag, at, before } = known;
    let mut answer = match (at, before) {
        (Some(commit), before) => {
            let from = before.as_ref().map_or("nowhere", CommitId::short);
            let to = commit.id.short();
            failed(format!("the git tag {tag} was moved from {from} to {to}")).named("tag_moved")
        }
        (None, Some(before)) => {
            let was = before.short();
            failed(format!("the git tag {tag} is gone; it was at {was}")).named("tag_gone")
        }
        (None, None) if now < deadline => {
            let mut answer = unsure("no_tag", format!("the git tag {tag} is not there yet"));
            answer.detail.too_early_until = Some(deadline);
            answer
        }
        (None, None) => {
            let late = human_duration(deadline.since(release.published_at));
            let why = format!("torn release: the git tag {tag} did not appear within {late}");
            failed(why).named("no_tag")
        }
    };
    answer.detail.may_change = true;
    answer
}

/// How npm's version and the image go together, in words that follow the version.
fn source(npm: &NpmFacts, image: &ImageFacts, commit: &TaggedCommit) -> Result<String, String> {
    let Some(head) = npm.git_head.as_deref().filter(|head| !head.is_empty()) else {
        return Ok("does not say which commit it is of".to_owned());
    };
    let clean = |id: &str| id.parse::<CommitId>().is_ok_and(|id| commit.is_or_follows(&id));
    let revisions: Vec<&str> = image
        .platforms
        .iter()
        .filter_map(|part| part.revision())
        .filter(|label| !label.is_empty())
        .collect();
    let other = revisions.iter().find(|label| **label != head);
    match other {
        None if !revisions.is_empty() => {
            Ok(format!("and the image are both of {}", shortened(head)))
        }
        None if clean(head) => Ok(format!("is of {}, as the tag is", shortened(head))),
        Some(_) if clean(head) && revisions.iter().all(|label| clean(label)) => {
            Ok(format!("is of {}, and the image of the same release", shortened(head)))
        }
        other => {
            let version = &npm.version;
            let image = other.map_or_else(
                || format!("the git tag is at {}", commit.id.short()),
                |label| format!("the image of {}", shortened(label)),
            );
            Err(format!(
                "npm's {version} is of {}, {image}: the canary's npm half would test other code",
                shortened(head)
            ))
        }
    }
}

/// The beginning of a commit's id. Foreign text.
fn shortened(id: &str) -> &str {
    let end = id.char_indices().nth(8).map(|(at, _)| at);
    &id[..end.unwrap_or(id.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Digest, Fact, IndexDigest, Memory, NpmDrift, NpmRule, Platform, PlatformDigest,
        PlatformFacts, Rules, Verdict,
    };
    use std::time::Duration;

    const TAG: &str = "v3.10.0";

    fn id(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    fn commit(digit: char) -> TaggedCommit {
        let first_parent = Some(id('a').parse().unwrap());
        TaggedCommit { id: id(digit).parse().unwrap(), first_parent }
    }

    /// Image and memory of a release on `b…`, made on `a…`: the image's labels, and npm's commit.
    fn told(labels: &str, head: Option<char>) -> (ImageFacts, Memory) {
        let name = "org.opencontainers.image.revision".to_owned();
        let part = |digit| PlatformFacts {
            platform: Platform("linux/amd64".to_owned()),
            digest: PlatformDigest::new(Digest::of(b"x")),
            labels: std::iter::once((name.clone(), id(digit))).collect(),
        };
        let image = ImageFacts {
            version: "3.10.0".parse().unwrap(),
            digest: IndexDigest::new(Digest::of(b"index")),
            platforms: labels.chars().map(part).collect(),
        };
        let now = Timestamp::from_millis(0);
        let mut memory = Memory::default();
        memory.observe(
            Fact::Release(ReleaseFacts {
                tag: TAG.to_owned(),
                draft: false,
                prerelease: false,
                published_at: now,
                url: String::new(),
                notes: String::new(),
                withdrawn: false,
            }),
            now,
        );
        let tag = TagCommit::seen(TAG.to_owned(), Some(commit('b')), None);
        memory.observe(Fact::TagCommit(tag), now);
        memory.observe(
            Fact::Npm(NpmFacts {
                version: image.version.clone(),
                integrity: Some("sha512-0123456789".to_owned()),
                git_head: head.map(id),
                product: None,
                published_at: None,
            }),
            now,
        );
        (image, memory)
    }

    fn judge(image: &ImageFacts, memory: &Memory, hours: u64) -> (Verdict, String, Answer) {
        let npm = Some(NpmRule { package: "@o/p".to_owned(), guard: None });
        let rules = Rules { npm, ..Rules::plain() };
        let now = Timestamp::from_millis(0) + Duration::from_hours(hours);
        let answer = verify(Subject { image, memory, rules: &rules, pinned: None }, now);
        (answer.verdict, answer.summary.clone(), answer)
    }

    #[test]
    fn npm_and_the_image_have_to_be_of_one_commit() {
        let begin = "git tag v3.10.0 at bbbbbbbb; npm 3.10.0 ";
        let other = ": the canary's npm half would test other code";
        for (labels, head, verdict, text) in [
            ("aa", Some('a'), Verdict::Passed, "and the image are both of aaaaaaaa"),
            ("ff", Some('f'), Verdict::Passed, "and the image are both of ffffffff"),
            ("aa", Some('b'), Verdict::Passed, "is of bbbbbbbb, and the image of the same release"),
            ("", Some('a'), Verdict::Passed, "is of aaaaaaaa, as the tag is"),
            ("ff", None, Verdict::Passed, "does not say which commit it is of"),
            (
                "aa",
                Some('c'),
                Verdict::Failed,
                "npm's 3.10.0 is of cccccccc, the image of aaaaaaaa",
            ),
            (
                "ac",
                Some('a'),
                Verdict::Failed,
                "npm's 3.10.0 is of aaaaaaaa, the image of cccccccc",
            ),
            (
                "",
                Some('c'),
                Verdict::Failed,
                "npm's 3.10.0 is of cccccccc, the git tag is at bbbbbbbb",
            ),
        ] {
            let (image, memory) = told(labels, head);
            let (found, summary, answer) = judge(&image, &memory, 0);
            let (text, outcome) = match verdict {
                Verdict::Passed => (format!("{begin}{text}"), "agree"),
                _ => (format!("{text}{other}"), "other_commit"),
            };
            assert_eq!((found, summary), (verdict, text));
            assert_eq!(answer.detail.outcome.as_deref(), Some(outcome));
        }
    }

    #[test]
    fn a_tag_that_is_not_there_is_waited_for_and_one_that_left_is_not() {
        let tag = |memory: &mut Memory, at| {
            let seen = TagCommit::seen(TAG.to_owned(), at, memory.tag_commit(TAG));
            memory.observe(Fact::TagCommit(seen), Timestamp::from_millis(0));
        };
        let (image, mut memory) = told("aa", Some('a'));
        tag(&mut memory, Some(commit('c')));
        let (verdict, summary, _) = judge(&image, &memory, 0);
        let moved = "the git tag v3.10.0 was moved from bbbbbbbb to cccccccc";
        assert_eq!((verdict, summary.as_str()), (Verdict::Failed, moved));
        tag(&mut memory, None);
        let (verdict, summary, answer) = judge(&image, &memory, 0);
        let gone = "the git tag v3.10.0 is gone; it was at bbbbbbbb";
        assert_eq!((verdict, summary.as_str()), (Verdict::Failed, gone));
        assert!(answer.detail.may_change, "it may come back");
        let (_, mut memory) = told("aa", Some('a'));
        let never = TagCommit::seen(TAG.to_owned(), None, None);
        memory.observe(Fact::TagCommit(never), Timestamp::from_millis(0));
        let (verdict, summary, answer) = judge(&image, &memory, 23);
        let yet = "the git tag v3.10.0 is not there yet";
        assert_eq!((verdict, summary.as_str()), (Verdict::Inconclusive, yet));
        assert!(answer.detail.too_early_until.is_some());
        let (verdict, summary, answer) = judge(&image, &memory, 24);
        let torn = "torn release: the git tag v3.10.0 did not appear within 1 d";
        assert_eq!((verdict, summary.as_str()), (Verdict::Failed, torn));
        assert!(answer.detail.may_change);
    }

    #[test]
    fn what_npm_exchanged_or_withdrew_is_told_before_and_after() {
        let (image, mut memory) = told("aa", Some('a'));
        for (after, text) in [
            (
                Some("sha512-zyxwvutsrq"),
                "npm's 3.10.0 is not what it was: from 1970-01-01T00:00:00Z on it was \
                 sha512-01234567, at 1970-01-01T00:00:07Z it was sha512-zyxwvuts",
            ),
            (
                None,
                "npm has withdrawn 3.10.0: from 1970-01-01T00:00:00Z on it was \
                 sha512-01234567, at 1970-01-01T00:00:07Z it was gone",
            ),
        ] {
            let drift = NpmDrift {
                version: image.version.clone(),
                before: Some("sha512-0123456789".to_owned()),
                since: Timestamp::from_millis(0),
                after: after.map(str::to_owned),
            };
            memory.observe(Fact::NpmDrift(drift), Timestamp::from_millis(7_000));
            let (verdict, summary, _) = judge(&image, &memory, 0);
            assert_eq!((verdict, summary.as_str()), (Verdict::Failed, text));
        }
    }
}
