//! The order in which things were observed is nothing to the decision.

use crate::case::{NOW, digest, minutes_ago, version};
use digest_bump::domain::{
    BranchPrefix, Check, CommitId, CorruptTag, Detail, DraftMark, Fact, Finding, Held,
    IdentityPattern, ImageFacts, KnownIssues, Marker, Memory, PatchPolicy, PinFacts, PinSite,
    Platform, PlatformDigest, PlatformFacts, Presence, ProposalKind, PullFacts, PullNumber,
    PullState, ReleaseFacts, RetryRule, RevisionPolicy, Rules, SignatureRule, SiteReading,
    SiteShape, SiteState, TagRule, UnexpectedRef, Verdict, Version,
};
use digest_bump::policy::{Decision, Snapshot, View, decide, inputs_of};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

pub(super) fn rules() -> Rules {
    Rules {
        reversal: digest_bump::domain::ReversalPolicy::Ask,
        workflow_sites: false,
        tags: TagRule { pattern: regex::Regex::new("^v(?P<version>.+)$").unwrap() },
        patches: PatchPolicy::Offer,
        npm: None,
        platforms: vec![Platform("linux/amd64".to_owned())],
        signature: Some(SignatureRule {
            identity: IdentityPattern::new("https://.*").unwrap(),
            issuer: "https://issuer.example".to_owned(),
            expected: Vec::new(),
            unexpected: UnexpectedRef::Deny,
            required_from: None,
            grace: Duration::from_hours(1),
        }),
        contract: None,
        companions: Vec::new(),
        revision: RevisionPolicy::Warn,
        known_issues: known_issues(),
        artifact_deadline: Duration::from_hours(2),
        minimum_release_age: Duration::ZERO,
        retry: RetryRule { pauses: vec![Duration::from_mins(10)] },
        canary: "true".to_owned(),
        checks: None,
        workflow: None,
        harness: Vec::new(),
        branches: BranchPrefix::default(),
        migration: None,
        ci_starts_within: None,
    }
}

/// An older tag that holds something else, so that the check is asked.
fn known_issues() -> KnownIssues {
    let holds = Held::Something("something else".to_owned());
    let corrupt = vec![CorruptTag { tag: version("3.0.0"), revision: None, holds }];
    KnownIssues { corrupt, missing: Vec::new() }
}

pub(super) fn site() -> PinSite {
    PinSite {
        name: "manifest".to_owned(),
        path: "manifest.json".parse().unwrap(),
        companion: None,
        shape: SiteShape::Manifest { pointer: "/images/connector".to_owned() },
        presence: Presence::Required,
        authority: true,
    }
}

fn pin(of: &Version) -> PinFacts {
    PinFacts {
        sites: vec![SiteReading {
            path: site().path,
            site: site().name,
            companion: None,
            state: SiteState::Spelled {
                version: Some(of.clone()),
                digest: Some(digest(of)),
                line: 1,
            },
        }],
        migrated: Vec::new(),
        migrated_to: Vec::new(),
        migration_fault: None,
        harness: String::new(),
    }
}

fn commit(number: u64) -> CommitId {
    format!("{number:040}").parse().unwrap()
}

fn pull(number: u64, of: &Version, state: PullState) -> Fact {
    Fact::Pull(PullFacts {
        number: PullNumber(number),
        branch: format!("digest-bump/connector-{of}").parse().unwrap(),
        head: commit(number),
        state,
        draft: false,
        title: String::new(),
        url: String::new(),
        updated_at: None,
        marker: Some(Marker {
            kind: ProposalKind::PinBump,
            version: of.clone(),
            digest: digest(of),
            commit: commit(number),
            requested: false,
            from: None,
            whole: None,
            draft: DraftMark::None,
            held: None,
            companions: BTreeMap::new(),
        }),
    })
}

/// Five releases with their images, the pin and two pull requests.
fn facts() -> Vec<Fact> {
    let mut facts = vec![
        Fact::Pin(pin(&version("3.9.3"))),
        pull(4, &version("3.10.0"), PullState::Open),
        pull(2, &version("3.9.4"), PullState::Closed),
    ];
    for (age, text) in ["3.12.0", "3.11.0", "3.10.0", "3.9.4", "3.9.3"].into_iter().enumerate() {
        let of = version(text);
        facts.push(Fact::Release(ReleaseFacts {
            tag: format!("v{of}"),
            draft: false,
            prerelease: false,
            published_at: minutes_ago(60 + i64::try_from(age).unwrap()),
            url: String::new(),
            notes: String::new(),
            withdrawn: false,
        }));
        facts.push(Fact::Image(ImageFacts {
            version: of.clone(),
            digest: digest(&of),
            platforms: vec![PlatformFacts {
                platform: Platform("linux/amd64".to_owned()),
                digest: PlatformDigest::new(digest(&of).digest().clone()),
                labels: BTreeMap::new(),
            }],
        }));
    }
    facts
}

/// Each question once for each release, so that any order of them is a true history.
fn findings(rules: &Rules) -> Vec<Finding> {
    let mut memory = Memory::default();
    for fact in facts() {
        memory.observe(fact, minutes_ago(10));
    }
    memory.observe(Fact::Pin(pin(&version("3.9.3"))), minutes_ago(10));
    let pinned = digest(&version("3.9.3"));
    let mut findings = Vec::new();
    let told = [
        ("3.12.0", Verdict::Failed),
        ("3.11.0", Verdict::Passed),
        // What the failure is compared with.
        ("3.9.3", Verdict::Passed),
    ];
    for (text, canary) in told {
        for check in Check::ALL {
            let of = version(text);
            findings.push(Finding {
                check,
                verdict: if check == Check::Canary { canary } else { Verdict::Passed },
                subject: digest(&of),
                inputs: inputs_of(check, &of, rules, &memory, Some(pinned.digest())),
                version: of,
                summary: String::new(),
                detail: Detail::default(),
                at: minutes_ago(20),
            });
        }
    }
    findings
}

fn decide_on(facts: &[Fact], findings: &[Finding], rules: &Rules) -> Decision {
    let mut memory = Memory { findings: findings.to_vec(), ..Memory::default() };
    for fact in facts {
        memory.observe(fact.clone(), minutes_ago(10));
    }
    let snapshot = Snapshot::of(View {
        memory: &memory,
        rules,
        image: &"ghcr.io/toon-protocol/connector".parse().unwrap(),
        sites: &[site()],
        looks: &BTreeMap::new(),
        npm_trouble: None,
        live: true,
    });
    decide(&snapshot, NOW)
}

#[test]
fn the_history_says_something() {
    let decision = decide_on(&facts(), &findings(&rules()), &rules());
    let words: Vec<&str> = decision.stages.iter().map(|(_, s)| crate::case::word_of(s)).collect();
    assert_eq!(words, ["held", "ready", "covered", "declined", "pinned"]);
    assert_eq!(decision.due.len(), 1, "{:?}", decision.due);
}

proptest! {
    #[test]
    fn any_order_of_observations_gives_the_same_decision(
        facts in Just(facts()).prop_shuffle(),
        findings in Just(findings(&rules())).prop_shuffle(),
    ) {
        let in_order = decide_on(&self::facts(), &self::findings(&rules()), &rules());
        prop_assert_eq!(decide_on(&facts, &findings, &rules()), in_order);
    }
}
