//! The soak time: how old a release has to be before it is tried and proposed, so that somebody
//! else may find out first what is wrong with it.

use super::stream::release_of;
use crate::domain::{Advisory, Check, Memory, Rules, Timestamp, Verdict, Version, human_duration};
use std::time::Duration;

/// Clocks that are further apart than this are worth a word.
const APART: Duration = Duration::from_hours(1);

/// How long a release has to wait, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soak {
    /// When it is old enough.
    pub until: Timestamp,
    /// What is waited for, for a maintainer.
    pub why: String,
}

/// When a release was published, by whose clock. One that is set wrong, or that somebody turned
/// back, must not shorten the time: the latest counts.
struct Published(Vec<(&'static str, Timestamp)>);

impl Published {
    fn of(version: &Version, memory: &Memory, rules: &Rules) -> Self {
        let release = release_of(version, memory, &rules.tags).map(|it| it.published_at);
        let npm = memory.npm(version).filter(|_| rules.npm.is_some());
        let signed = memory.image(version).and_then(|image| {
            let ours = |found: &&crate::domain::Finding| {
                found.check == Check::Signature
                    && found.verdict == Verdict::Passed
                    && found.version == *version
                    && found.subject == image.digest
            };
            memory.findings.iter().rev().find(ours)?.detail.signed_at
        });
        let all = [
            ("the release's", release),
            ("npm's", npm.and_then(|npm| npm.published_at)),
            ("the transparency log's", signed),
        ];
        Self(all.into_iter().filter_map(|(name, at)| Some((name, at?))).collect())
    }

    fn latest(&self) -> Option<(&'static str, Timestamp)> {
        // Of equal ones the first.
        self.0.iter().rev().copied().max_by_key(|(_, at)| *at)
    }

    /// What they say, if they disagree.
    fn disagreement(&self) -> Option<String> {
        let times = || self.0.iter().map(|(_, at)| *at);
        let (first, last) = (times().min()?, times().max()?);
        (last.since(first) > APART).then(|| {
            let said = self.0.iter().map(|(name, at)| format!("{name} says {at}"));
            format!("the clocks disagree: {}", said.collect::<Vec<_>>().join(", "))
        })
    }
}

/// How long `version` has to wait; `None` if there is no soak time, or if an advisory about what
/// is pinned cuts it short.
pub(super) fn soak(
    version: &Version,
    pinned: Option<&Version>,
    memory: &Memory,
    rules: &Rules,
) -> Option<Soak> {
    let age = Some(rules.minimum_release_age).filter(|age| !age.is_zero())?;
    if urgent(version, pinned, memory, rules).is_some() {
        return None;
    }
    let clocks = Published::of(version, memory, rules);
    let (whose, at) = clocks.latest()?;
    let disagreement = clocks.disagreement().map(|it| format!("; {it}")).unwrap_or_default();
    let wanted = human_duration(age);
    let why = format!("it has to be {wanted} old, and is of {at} by {whose} clock{disagreement}");
    Some(Soak { until: at + age, why })
}

/// What a reviewer should know of the soak time: that clocks disagree, or that it was cut short.
#[must_use]
pub fn soak_points(
    version: &Version,
    pinned: &Version,
    memory: &Memory,
    rules: &Rules,
    now: Timestamp,
) -> Vec<String> {
    let age = rules.minimum_release_age;
    if age.is_zero() {
        return Vec::new();
    }
    let clocks = Published::of(version, memory, rules);
    let young = clocks.latest().is_some_and(|(_, at)| now < at + age);
    let urgent = urgent(version, Some(pinned), memory, rules).filter(|_| young);
    let cut_short = urgent.map(|advisory| {
        let severity = advisory.severity.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        format!(
            "{}{severity} affects the pinned {pinned}, and not {version}: the soak time of {} is \
             cut short",
            advisory.id,
            human_duration(age)
        )
    });
    clocks.disagreement().into_iter().chain(cut_short).collect()
}

/// An advisory that what is pinned is affected by, and `version` is not.
fn urgent<'a>(
    version: &Version,
    pinned: Option<&Version>,
    memory: &'a Memory,
    rules: &Rules,
) -> Option<&'a Advisory> {
    let package = rules.npm.as_ref().map(|rule| rule.package.as_str());
    let cures = |advisory: &&Advisory| {
        pinned.is_some_and(|pinned| advisory.affects(pinned, package))
            && !advisory.affects(version, package)
    };
    memory.advisories().iter().find(cures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Affected, Detail, Digest, Fact, Finding, ImageFacts, IndexDigest, NpmFacts, NpmRule,
        ReleaseFacts,
    };

    const HOUR: u64 = 3_600;

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_millis(0) + Duration::from_secs(hours * HOUR)
    }

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    /// Release, npm and signature of 3.10.0 at these hours, where there is one.
    fn memory(release: u64, npm: Option<u64>, signed: Option<u64>) -> Memory {
        let (mut memory, version) = (Memory::default(), version("3.10.0"));
        let digest = IndexDigest::new(Digest::of(b"index"));
        let mut observe = |fact| drop(memory.observe(fact, at(0)));
        observe(Fact::Release(ReleaseFacts {
            tag: "v3.10.0".to_owned(),
            draft: false,
            prerelease: false,
            published_at: at(release),
            url: String::new(),
            notes: String::new(),
            withdrawn: false,
        }));
        observe(Fact::Npm(NpmFacts {
            version: version.clone(),
            integrity: None,
            git_head: None,
            product: None,
            published_at: npm.map(at),
        }));
        observe(Fact::Image(ImageFacts {
            version: version.clone(),
            digest: digest.clone(),
            platforms: Vec::new(),
        }));
        memory.findings.push(Finding {
            check: Check::Signature,
            verdict: Verdict::Passed,
            version,
            subject: digest,
            inputs: String::new(),
            summary: String::new(),
            detail: Detail { signed_at: signed.map(at), ..Detail::default() },
            at: at(0),
        });
        memory
    }

    fn rules(hours: u64) -> Rules {
        Rules {
            npm: Some(NpmRule { package: "@o/p".to_owned(), guard: None }),
            minimum_release_age: Duration::from_secs(hours * HOUR),
            ..Rules::plain()
        }
    }

    #[test]
    fn the_latest_clock_counts_and_a_disagreement_is_told() {
        let disagree =
            "; the clocks disagree: the release's says 1970-01-01T00:00:00Z, npm's says ";
        for (npm, signed, until, why) in [
            (None, None, 24, "is of 1970-01-01T00:00:00Z by the release's clock".to_owned()),
            (Some(1), None, 25, "is of 1970-01-01T01:00:00Z by npm's clock".to_owned()),
            (
                Some(0),
                Some(2),
                26,
                format!(
                    "is of 1970-01-01T02:00:00Z by the transparency log's clock{disagree}\
                     1970-01-01T00:00:00Z, the transparency log's says 1970-01-01T02:00:00Z"
                ),
            ),
            (
                Some(3),
                Some(1),
                27,
                format!(
                    "is of 1970-01-01T03:00:00Z by npm's clock{disagree}1970-01-01T03:00:00Z, \
                     the transparency log's says 1970-01-01T01:00:00Z"
                ),
            ),
        ] {
            let soak = soak(&version("3.10.0"), None, &memory(0, npm, signed), &rules(24)).unwrap();
            assert_eq!(soak.until, at(until));
            assert_eq!(soak.why, format!("it has to be 1 d old, and {why}"));
        }
        assert_eq!(soak(&version("3.10.0"), None, &memory(0, None, None), &rules(0)), None);
    }

    #[test]
    fn an_advisory_about_what_is_pinned_cuts_it_short_if_the_release_is_free_of_it() {
        let pinned = version("3.9.3");
        for (range, cut_short) in [
            (">= 3.0.0, < 3.10.0", true),
            ("< 4.0.0", false),
            ("< 3.9.0", false),
            ("whatever", false),
        ] {
            let mut memory = memory(0, None, None);
            let affected =
                vec![Affected { ecosystem: None, package: None, range: range.to_owned() }];
            let severity = Some("high".to_owned());
            let advisory = Advisory { id: "GHSA-1".to_owned(), severity, affected };
            memory.observe(Fact::Advisories { list: vec![advisory] }, at(0));
            let soak = soak(&version("3.10.0"), Some(&pinned), &memory, &rules(24));
            assert_eq!(soak.is_none(), cut_short, "{range}");
            let points = |hour| {
                soak_points(&version("3.10.0"), &pinned, &memory, &rules(24), at(hour)).join("; ")
            };
            let told = "GHSA-1 (high) affects the pinned 3.9.3, and not 3.10.0: the soak time of \
                        1 d is cut short";
            assert_eq!(points(1), if cut_short { told } else { "" }, "{range}");
            assert_eq!(points(24), "", "it is old enough by itself");
        }
    }

    #[test]
    fn without_a_soak_time_nobody_cares_for_clocks() {
        let memory = memory(0, Some(9), None);
        let points = |hours| {
            soak_points(&version("3.10.0"), &version("3.9.3"), &memory, &rules(hours), at(99)).len()
        };
        assert_eq!((points(0), points(1)), (0, 1));
    }
}
