//! From what is remembered to what the decision sees.

use crate::case::{digest, looks_at_the_image, minutes_ago, request, version};
use crate::orders::{rules, site};
use digest_bump::domain::{
    CanaryReport, CanaryRun, Check, CommitId, CorruptTag, Detail, Digest, Fact, Finding, Held,
    ImageFacts, KnownIssues, MigrationRule, NpmFacts, NpmRule, PinFacts, Platform, ReleaseFacts,
    Request, RequestId, Rules, RunId, RunState, SiteReading, SiteState, Verdict, Version,
};
use digest_bump::domain::{Memory, PinSite, Timestamp};
use digest_bump::policy::{
    Answer, Candidate, Look, Migration, Running, Snapshot, Unavailable, View, inputs_of,
};
use std::collections::BTreeMap;

const RELEASED: &str = "3.10.0";

/// A watch that pins 3.9.3, and what a pass has to go by.
pub(super) struct Told {
    pub(super) memory: Memory,
    pub(super) rules: Rules,
    looks: BTreeMap<Version, Look>,
    npm_trouble: Option<&'static str>,
    live: bool,
}

impl Told {
    pub(super) fn new() -> Self {
        let mut told = Self {
            memory: Memory::default(),
            rules: rules(),
            looks: BTreeMap::new(),
            npm_trouble: None,
            live: true,
        };
        let of = version("3.9.3");
        told.pinned(SiteState::Spelled {
            version: Some(of.clone()),
            digest: Some(digest(&of)),
            line: 1,
        });
        told.released(RELEASED);
        told
    }

    pub(super) fn observe(&mut self, fact: Fact) {
        self.memory.observe(fact, minutes_ago(10));
    }

    pub(super) fn pinned(&mut self, state: SiteState) {
        let reading = SiteReading { path: site().path, site: site().name, companion: None, state };
        self.observe(Fact::Pin(PinFacts {
            sites: vec![reading],
            migrated: Vec::new(),
            migrated_to: Vec::new(),
            migration_fault: None,
            harness: String::new(),
        }));
    }

    pub(super) fn released(&mut self, text: &str) {
        self.noted(text, "");
    }

    pub(super) fn noted(&mut self, text: &str, notes: &str) {
        self.observe(Fact::Release(ReleaseFacts {
            tag: format!("v{text}"),
            draft: false,
            prerelease: false,
            published_at: minutes_ago(60),
            url: String::new(),
            notes: notes.to_owned(),
            withdrawn: false,
        }));
    }

    /// The release's image, and nothing found about it yet.
    fn with_image() -> Self {
        let mut told = Self::new();
        let of = version(RELEASED);
        let facts = ImageFacts { digest: digest(&of), version: of, platforms: Vec::new() };
        told.observe(Fact::Image(facts));
        told
    }

    fn asked(&mut self, of: &str, at: Timestamp) {
        self.memory.requests.push(Request { at, ..request(&version(of), false) });
    }

    /// What the answer to `check` depends on, as long as nothing changes.
    fn inputs(&self, check: Check) -> String {
        let pinned = digest(&version("3.9.3"));
        inputs_of(check, &version(RELEASED), &self.rules, &self.memory, Some(pinned.digest()))
    }

    fn found(&mut self, check: Check, verdict: Verdict, at: Timestamp) {
        let of = version(RELEASED);
        self.memory.findings.push(Finding {
            check,
            verdict,
            subject: digest(&of),
            version: of,
            inputs: self.inputs(check),
            summary: format!("{verdict}"),
            detail: Detail::default(),
            at,
        });
    }

    fn run(&self, id: i64) -> CanaryRun {
        let of = version(RELEASED);
        CanaryRun {
            remembered_by: String::new(),
            id: RunId(id),
            subject: digest(&of),
            version: of,
            inputs: self.inputs(Check::Canary),
            base: "1".repeat(40).parse::<CommitId>().unwrap(),
            tree: "2".repeat(40).parse().unwrap(),
            checked: None,
            dispatched: None,
            started_at: minutes_ago(5),
            state: RunState::Running { alive_until: minutes_ago(-1), prepared: Vec::new() },
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.snapshot_of(&[site()])
    }

    fn snapshot_of(&self, sites: &[PinSite]) -> Snapshot {
        let (image, looks) = looks_at_the_image(&self.looks);
        Snapshot::of(View {
            memory: &self.memory,
            rules: &self.rules,
            image: &image,
            sites,
            looks: &looks,
            npm_trouble: self.npm_trouble,
            live: self.live,
        })
    }

    fn candidate(&self) -> Candidate {
        self.snapshot().candidates.remove(0)
    }
}

#[test]
fn a_missing_image_is_what_this_pass_saw_and_for_a_page_what_was_seen_last() {
    let mut told = Told::new();
    assert_eq!(told.candidate().look, None);
    told.observe(Fact::NoImage {
        version: version(RELEASED),
        look: Look::Absent,
        attempts: 0,
        limited_until: None,
    });
    assert_eq!(told.candidate().look, None, "a pass looks again");
    told.live = false;
    assert_eq!(told.candidate().look, Some(Look::Absent));
    let now = Look::Unusable("it is no index".to_owned());
    told.looks.insert(version(RELEASED), now.clone());
    for live in [true, false] {
        told.live = live;
        assert_eq!(told.candidate().look, Some(now.clone()));
    }
}

#[test]
fn a_look_that_found_out_nothing_counts_until_somebody_asks() {
    let mut told = Told::new();
    told.observe(Fact::NoImage {
        version: version(RELEASED),
        look: Look::Absent,
        attempts: 0,
        limited_until: None,
    });
    assert_eq!(told.candidate().unavailable, None);
    let look = Look::Unavailable("it is down".to_owned());
    told.observe(Fact::NoImage {
        version: version(RELEASED),
        look,
        attempts: 2,
        limited_until: None,
    });
    let counted = Unavailable {
        why: "it is down".to_owned(),
        at: minutes_ago(10),
        attempts: 2,
        limited_until: None,
    };
    assert_eq!(told.candidate().unavailable, Some(counted.clone()));
    told.asked("3.9.3", minutes_ago(1));
    told.asked(RELEASED, minutes_ago(11));
    assert_eq!(told.candidate().unavailable, Some(counted));
    told.asked(RELEASED, minutes_ago(10));
    assert_eq!(told.candidate().unavailable, None, "whoever asks now asks for another look");
    told.asked(RELEASED, minutes_ago(12));
    assert_eq!(told.candidate().unavailable, None, "the latest wish counts");
}

#[test]
fn the_npm_half_is_there_or_says_why_it_is_not() {
    let trouble = |why: &str| Some(Look::Unavailable(why.to_owned()));
    let mut told = Told::new();
    told.npm_trouble = Some("npm is down");
    assert_eq!(told.candidate().npm, None, "the watch has none");
    told.rules.npm = Some(NpmRule { package: "@o/p".to_owned(), guard: None });
    assert_eq!(told.candidate().npm, trouble("npm is down"));
    told.npm_trouble = None;
    assert_eq!(told.candidate().npm, Some(Look::Absent));
    told.observe(Fact::NpmTrouble { why: Some("npm was down".to_owned()) });
    assert_eq!(told.candidate().npm, Some(Look::Absent), "this pass asked, and was answered");
    told.live = false;
    assert_eq!(told.candidate().npm, trouble("npm was down"));
    let (integrity, git_head, product) = (None, None, None);
    let npm =
        NpmFacts { version: version(RELEASED), integrity, git_head, product, published_at: None };
    told.observe(Fact::Npm(npm));
    assert_eq!(told.candidate().npm, None);
}

#[test]
fn what_told_nothing_is_counted_back_to_the_last_answer_or_wish() {
    use Verdict::{Failed, Inconclusive, Passed};
    for (verdicts, asked, expected) in [
        (vec![], None, None),
        (vec![Passed], None, Some((Passed, 0))),
        (vec![Passed], Some(1), Some((Passed, 0))),
        (vec![Inconclusive], None, Some((Inconclusive, 1))),
        (vec![Inconclusive, Inconclusive, Inconclusive], None, Some((Inconclusive, 3))),
        (vec![Inconclusive, Failed, Inconclusive, Inconclusive], None, Some((Inconclusive, 2))),
        (vec![Inconclusive, Inconclusive, Passed], None, Some((Passed, 0))),
        // The last one is ten minutes old, the one before it twenty.
        (vec![Inconclusive, Inconclusive], Some(15), Some((Inconclusive, 1))),
        (vec![Inconclusive, Inconclusive], Some(10), Some((Inconclusive, 1))),
        (vec![Inconclusive, Inconclusive], Some(9), None),
        (vec![Inconclusive, Failed], Some(9), Some((Failed, 0))),
    ] {
        let mut told = Told::with_image();
        for (age, verdict) in (1..).zip(verdicts.iter().rev()).collect::<Vec<_>>().iter().rev() {
            told.found(Check::Platforms, **verdict, minutes_ago(10 * age));
        }
        if let Some(asked) = asked {
            told.asked("3.9.3", minutes_ago(0));
            told.asked(RELEASED, minutes_ago(asked));
        }
        let answer = expected.map(|(verdict, attempts)| Answer {
            verdict,
            summary: format!("{verdict}"),
            at: minutes_ago(10),
            attempts,
            too_early_until: None,
            may_change: false,
        });
        let got = told.candidate().answers.remove(&Check::Platforms);
        assert_eq!(got, answer, "{verdicts:?} {asked:?}");
    }
}

#[test]
fn an_answer_is_about_one_check_of_one_release_at_one_digest_and_its_inputs() {
    let mut told = Told::with_image();
    told.found(Check::Platforms, Verdict::Passed, minutes_ago(10));
    let good = told.memory.findings[0].clone();
    let checks = |told: &Told| told.candidate().answers.into_keys().collect::<Vec<_>>();
    assert_eq!(checks(&told), [Check::Platforms]);
    for other in [
        Finding { subject: digest(&version("3.9.3")), ..good.clone() },
        Finding { inputs: "linux/arm64".to_owned(), ..good.clone() },
        Finding { version: version("3.9.3"), ..good.clone() },
    ] {
        told.memory.findings = vec![other.clone()];
        assert_eq!(checks(&told), [], "{other:?}");
    }
    told.memory.findings = vec![Finding { check: Check::VersionLabel, ..good }];
    assert_eq!(checks(&told), [], "the label does not depend on the platforms");
}

#[test]
fn a_run_is_under_way_if_its_result_will_be_current() {
    let mut told = Told::with_image();
    let run = told.run(7);
    let running = Running {
        run: RunId(7),
        since: minutes_ago(5),
        alive_until: minutes_ago(-1),
        checks: None,
    };
    told.memory.runs = vec![run.clone()];
    assert_eq!(told.candidate().running, Some(running.clone()));
    let underway = vec![running.clone()];
    assert_eq!(told.snapshot().runs, underway);
    told.memory.runs = vec![told.run(6), run.clone()];
    assert_eq!(told.candidate().running, Some(running.clone()), "the latest");
    for stale in [
        CanaryRun { subject: digest(&version("3.9.3")), ..run.clone() },
        CanaryRun { inputs: "another command".to_owned(), ..run.clone() },
    ] {
        told.memory.runs = vec![stale];
        assert_eq!(told.candidate().running, None);
        assert_eq!(told.snapshot().runs, underway, "it may have to be buried");
    }
    let (summary, output) = (String::new(), String::new());
    let state = RunState::Ended {
        at: minutes_ago(1),
        verdict: Verdict::Passed,
        summary,
        output,
        report: CanaryReport::NOTHING,
    };
    told.memory.runs = vec![CanaryRun { state, ..run }];
    assert_eq!((told.candidate().running, told.snapshot().runs), (None, vec![]));
}

#[test]
fn releases_are_sorted_by_precedence_each_once_and_the_others_say_why_not() {
    let mut told = Told::new();
    told.rules.tags.pattern = regex::Regex::new("^v?(?P<version>.+)$").unwrap();
    for text in ["3.9.3", "3.9.10", "4.0.0", "3.10.0-rc.1"] {
        told.released(text);
    }
    let twice = ReleaseFacts {
        tag: RELEASED.to_owned(),
        draft: false,
        prerelease: false,
        published_at: minutes_ago(50),
        url: String::new(),
        notes: String::new(),
        withdrawn: false,
    };
    told.observe(Fact::Release(twice));
    let guard = ("/repository/url".to_owned(), regex::Regex::new("o/p").unwrap());
    told.rules.npm = Some(NpmRule { package: "@o/p".to_owned(), guard: Some(guard) });
    let other = NpmFacts {
        version: version("4.0.0"),
        integrity: None,
        git_head: None,
        product: Some("o/q".to_owned()),
        published_at: None,
    };
    told.observe(Fact::Npm(other));
    let snapshot = told.snapshot();
    let versions: Vec<String> = snapshot.candidates.iter().map(|c| c.version.to_string()).collect();
    assert_eq!(versions, ["3.10.0", "3.9.10", "3.9.3"]);
    let ignored: Vec<String> =
        snapshot.ignored.iter().map(|it| format!("{}: {}", it.tag, it.why)).collect();
    assert_eq!(
        ignored,
        [
            "v3.10.0-rc.1: it is a pre-release",
            "v4.0.0: npm @o/p@4.0.0 is another product: `/repository/url` says o/q, not `o/p`",
        ]
    );
}

#[test]
fn a_fault_of_a_site_makes_the_tree_uneditable_and_old_answers_stale() {
    let mut told = Told::with_image();
    assert!(told.snapshot().editable);
    let good = told.inputs(Check::Sites);
    told.pinned(SiteState::Absent);
    assert_eq!((told.snapshot().editable, told.inputs(Check::Sites)), (true, good.clone()));
    told.pinned(SiteState::Faulty { why: "it is no JSON".to_owned() });
    assert!(!told.snapshot().editable);
    let text = Digest::of(b"manifest.json: it is no JSON");
    assert_eq!(told.inputs(Check::Sites), text.short());
    assert_eq!(good, Digest::of(b"").short());
    assert_eq!(
        inputs_of(Check::Sites, &version(RELEASED), &told.rules, &Memory::default(), None),
        good
    );
}

#[test]
fn the_inputs_name_what_an_answer_depends_on() {
    let mut told = Told::new();
    told.rules.platforms = ["linux/amd64", "linux/arm64"].map(|it| Platform(it.to_owned())).into();
    let pinned = Digest::of(b"pinned");
    let of = version(RELEASED);
    let inputs = |check, pinned| inputs_of(check, &of, &told.rules, &told.memory, pinned);
    assert_eq!(inputs(Check::Platforms, None), "linux/amd64,linux/arm64");
    assert_eq!(inputs(Check::VersionLabel, Some(&pinned)), "");
    let command = Digest::of(b"true");
    let on_pin = format!("{} on {}", command.short(), pinned.short());
    assert_eq!(inputs(Check::Canary, Some(&pinned)), on_pin);
    assert_eq!(inputs(Check::Canary, None), format!("{} on no pin", command.short()));
}

#[test]
fn a_migration_document_is_unset_faulty_or_ready() {
    let mut told = Told::new();
    assert_eq!(told.snapshot().migration, Migration::Unset);
    told.rules.migration = Some(MigrationRule { path: "M.md".parse().unwrap(), draft: true });
    let ready = |majors, targets| Migration::Ready { majors, targets };
    assert_eq!(told.snapshot().migration, ready(vec![], vec![]));
    let sites = Vec::new();
    let (migrated, fault) = (vec![4, 3], Some("it is not there".to_owned()));
    let migrated_to = vec![version("3.10.0")];
    let facts =
        PinFacts { sites, migrated, migrated_to, migration_fault: None, harness: String::new() };
    told.observe(Fact::Pin(facts.clone()));
    assert_eq!(told.snapshot().migration, ready(vec![4, 3], vec![version("3.10.0")]));
    told.observe(Fact::Pin(PinFacts { migration_fault: fault, ..facts }));
    assert_eq!(told.snapshot().migration, Migration::Faulty("it is not there".to_owned()));
}

#[test]
fn what_people_asked_for_is_kept_in_its_order() {
    let mut told = Told::new();
    told.asked("3.9.4", minutes_ago(3));
    told.asked(RELEASED, minutes_ago(2));
    told.memory.requests[1].id = RequestId(2);
    assert_eq!(told.snapshot().requests, told.memory.requests);
}

/// A watch that knows of a release without a tag of its own.
fn told_of_a_missing_release() -> Told {
    let mut told = Told::new();
    let (tag, revision) = (version("3.9.2"), None);
    told.rules.known_issues = KnownIssues {
        corrupt: vec![CorruptTag { tag, revision, holds: Held::Release(version(RELEASED)) }],
        missing: vec![version(RELEASED)],
    };
    told
}

#[test]
fn a_tag_that_is_known_to_be_missing_is_not_waited_for() {
    let mut told = told_of_a_missing_release();
    assert_eq!(told.candidate().look, None, "nobody looked yet");
    told.looks.insert(version(RELEASED), Look::Absent);
    let why = "there is no image 3.10.0: its content is under the tag 3.9.2";
    assert_eq!(told.candidate().look, Some(Look::Unusable(why.to_owned())));
    let away = Look::Unavailable("status 503".to_owned());
    told.looks.insert(version(RELEASED), away.clone());
    assert_eq!(told.candidate().look, Some(away));
}

#[test]
fn the_tag_that_holds_it_is_looked_at_once() {
    let mut told = told_of_a_missing_release();
    let holder = version("3.9.2");
    assert_eq!(told.snapshot().unresolved, std::slice::from_ref(&holder));
    told.live = false;
    assert_eq!(told.snapshot().unresolved, [], "a status page cannot look");
    told.live = true;
    told.looks.insert(holder.clone(), Look::Absent);
    assert_eq!(told.snapshot().unresolved, [], "this pass did");
    told.looks.clear();
    let (look, attempts, limited_until) = (Look::Absent, 0, None);
    told.observe(Fact::NoImage { version: holder.clone(), look, attempts, limited_until });
    assert_eq!(told.snapshot().unresolved, [], "an earlier one did");
    for (attempts, again) in [(1, true), (2, false)] {
        let (version, look) = (holder.clone(), Look::Unavailable("status 503".to_owned()));
        told.observe(Fact::NoImage { version, look, attempts, limited_until });
        assert_eq!(told.snapshot().unresolved.len(), usize::from(again), "{attempts}, of 2");
    }
    let (digest, platforms) = (digest(&holder), Vec::new());
    told.observe(Fact::Image(ImageFacts { version: holder, digest, platforms }));
    assert_eq!(told.snapshot().unresolved, []);
}
