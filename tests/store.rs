//! The store, against real databases: everything comes back as it went in, and nobody writes who
//! lost the right to. On SQLite, and on PostgreSQL where there is a server (see `database`).
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

#[path = "database/mod.rs"]
mod database;
#[path = "store/heard.rs"]
mod heard;
#[path = "store/lease.rs"]
mod lease;
#[path = "store/opening.rs"]
mod opening;

use database::OnServer;
use digest_bump::{
    clock::Clock,
    config::{Database, PostgresServer},
    domain::{
        BranchName, Cached, CanaryReport, CanaryRun, Check, CommitId, Content, Detail, Digest,
        Effect, EffectKey, EffectState, Fact, FailedTest, Finding, ImageFacts, IndexDigest, Judged,
        Learned, NpmFacts, Observation, PullNumber, ReleaseFacts, RequestOutcome, RunId, RunState,
        StepResult, TestCounts, Timestamp, TreeId, Verdict, Version, WatchName, Wish,
    },
    store::{Lease, NewRun, Prepared, Shown, Store, StoreError},
};
use sqlx::Connection as _;
use std::{collections::BTreeMap, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};
use tempfile::TempDir;

const TTL: Duration = Duration::from_mins(1);

fn clock() -> Clock {
    Clock::manual(at(1_000_000))
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn watch() -> WatchName {
    "townhouse".parse().unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn digest(seed: &str) -> IndexDigest {
    IndexDigest::new(Digest::of(seed.as_bytes()))
}

fn commit(digit: char) -> CommitId {
    String::from(digit).repeat(40).parse().unwrap()
}

/// A store with a database of its own.
async fn store(clock: &Clock) -> Store {
    match OnServer::fresh().await {
        Some(server) => Store::open(&on(&server), clock).await.unwrap(),
        None => Store::memory(clock).await.unwrap(),
    }
}

async fn with_lease() -> (Store, Lease) {
    let store = store(&clock()).await;
    let lease = store.acquire("pass", "one", TTL).await.unwrap().unwrap();
    (store, lease)
}

fn on(server: &OnServer) -> Database {
    let password = Some(server.password().into());
    Database::Postgres(PostgresServer::new(&server.url(), password).unwrap())
}

fn file(path: &Path) -> Database {
    Database::Sqlite(path.to_owned())
}

/// A fresh database that can be opened again and again, and the folder of the one that is a file.
async fn shared() -> (Database, TempDir) {
    let folder = TempDir::new().unwrap();
    let database = match OnServer::fresh().await {
        Some(server) => on(&server),
        None => file(&folder.path().join("new folder/100%? #1.db")),
    };
    (database, folder)
}

fn image(content: &str, seen: i64) -> Observation {
    Observation {
        fact: Fact::Image(ImageFacts {
            version: version("3.10.0"),
            digest: digest(content),
            platforms: Vec::new(),
        }),
        at: at(seen),
    }
}

fn release(notes: &str) -> Observation {
    Observation {
        fact: Fact::Release(ReleaseFacts {
            tag: "v3.10.0".to_owned(),
            draft: false,
            prerelease: false,
            published_at: at(5),
            url: "https://example.test/v3.10.0".to_owned(),
            notes: notes.to_owned(),
            withdrawn: false,
        }),
        at: at(6),
    }
}

fn finding(verdict: Verdict, found: i64) -> Finding {
    Finding {
        check: Check::Canary,
        verdict,
        version: version("3.10.0"),
        subject: digest("image"),
        inputs: "base 1111".to_owned(),
        summary: "14 passed; \"quotes\", 'quotes', umlauts: äöü, emoji: 🦀".to_owned(),
        detail: Detail {
            outcome: Some("verified".to_owned()),
            too_early_until: Some(at(9)),
            signed_at: Some(at(8)),
            may_change: true,
            points: vec!["\0 and \"quotes\"".to_owned()],
            judged: vec![Judged { role: "index".to_owned(), digest: Digest::of(b"index") }],
        },
        at: at(found),
    }
}

fn new_run() -> NewRun {
    let tree: TreeId = "2".repeat(40).parse().unwrap();
    NewRun {
        version: version("3.10.0"),
        subject: digest("image"),
        inputs: "base 1111".to_owned(),
        base: commit('1'),
        tree,
        remembered_by: "steps in harness".to_owned(),
        checked: Some(commit('5')),
        dispatched: Some("0123456789ab-1".to_owned()),
        started_at: at(100),
        alive_until: at(200),
    }
}

fn report() -> CanaryReport {
    let step = StepResult {
        name: "contract".to_owned(),
        sees_digest: true,
        verdict: Verdict::Failed,
        summary: "1 of 2 failed: \0".to_owned(),
        tests: Some(TestCounts { executed: 2, passed: 1, skipped: 3 }),
        failed: vec![FailedTest {
            file: None,
            name: "GET /health".to_owned(),
            message: "\"404\"".to_owned(),
        }],
        took: 7,
    };
    CanaryReport {
        pages: BTreeMap::from([("contract".to_owned(), "https://example.com/1".to_owned())]),
        executor: "on the bot's host".to_owned(),
        of: Some(RunId(3)),
        prepared: vec!["pnpm-lock.yaml".to_owned()],
        setup: Vec::new(),
        attempts: vec![vec![step]],
    }
}

fn push_effect() -> Effect {
    let branch: BranchName = "digest-bump/connector-3.10.0".parse().unwrap();
    Effect::PushBranch { branch, commit: commit('3') }
}

#[tokio::test]
async fn the_latest_observation_counts_and_all_of_them_stay() {
    let (store, lease) = with_lease().await;
    let npm = Observation {
        fact: Fact::Npm(NpmFacts {
            version: version("3.10.0"),
            integrity: None,
            git_head: Some("1111".to_owned()),
            product: None,
            published_at: None,
        }),
        at: at(7),
    };
    let notes = "# Notes\n\n* `'; DROP TABLE observation; --`\n\0";
    let first = [image("one", 8), npm.clone(), release(notes)];
    let watch = watch();
    store.record_observations(&lease, &watch, &first, &[], at(1)).await.unwrap();
    let second = [image("two", 9)];
    store.record_observations(&lease, &watch, &second, &[], at(1)).await.unwrap();

    let memory = store.load_memory(&watch).await.unwrap();
    let expected = [image("two", 9), npm, release(notes)];
    assert_eq!(memory.observations.len(), 3);
    for observation in &expected {
        assert_eq!(memory.observations.get(&observation.fact.key()), Some(observation));
    }
    let history = store.history(&watch, &image("one", 8).fact.key()).await.unwrap();
    assert_eq!(history, [image("one", 8), image("two", 9)]);

    let other: WatchName = "elsewhere".parse().unwrap();
    let empty = store.load_memory(&other).await.unwrap();
    assert!(empty.observations.is_empty());
}

#[tokio::test]
async fn findings_come_back_in_their_order() {
    let (store, lease) = with_lease().await;
    let findings: Vec<Finding> = [Verdict::Inconclusive, Verdict::Failed, Verdict::Passed]
        .into_iter()
        .zip([30, 20, 10])
        .map(|(verdict, found)| finding(verdict, found))
        .collect();
    for finding in &findings {
        let learned = Learned { finding: Some(finding.clone()), ..Learned::default() };
        store.record_learned(&lease, &watch(), &learned, at(9)).await.unwrap();
    }
    assert_eq!(store.load_memory(&watch()).await.unwrap().findings, findings);
}

#[tokio::test]
async fn a_run_ends_once_and_its_finding_comes_with_it() {
    let (store, lease) = with_lease().await;
    let watch = watch();
    let new = new_run();
    let id = store.start_run(&lease, &watch, &new).await.unwrap();
    assert!(store.keep_run_alive(id, at(300)).await.unwrap());
    let running = store.load_memory(&watch).await.unwrap().runs;
    let expected = CanaryRun {
        id,
        version: new.version,
        subject: new.subject,
        inputs: new.inputs,
        base: new.base,
        tree: new.tree,
        remembered_by: new.remembered_by,
        checked: new.checked,
        dispatched: new.dispatched,
        started_at: new.started_at,
        state: RunState::Running { alive_until: at(300), prepared: Vec::new() },
    };
    assert_eq!(running, [expected]);

    // The orphan's end and its supervisor's own: the first one counts.
    let first = finding(Verdict::Inconclusive, 400);
    assert!(
        store
            .end_run(
                &watch,
                id,
                Shown { output: "out", log: "all", report: &report(), tree: None },
                &first
            )
            .await
            .unwrap()
    );
    let late = finding(Verdict::Passed, 500);
    assert!(
        !store
            .end_run(
                &watch,
                id,
                Shown { output: "late", log: "", report: &CanaryReport::NOTHING, tree: None },
                &late
            )
            .await
            .unwrap()
    );
    assert!(!store.keep_run_alive(id, at(900)).await.unwrap());

    let memory = store.load_memory(&watch).await.unwrap();
    assert_eq!(memory.findings, std::slice::from_ref(&first));
    let ended = RunState::Ended {
        at: at(400),
        verdict: Verdict::Inconclusive,
        summary: first.summary,
        output: "out".to_owned(),
        report: report(),
    };
    assert_eq!(memory.runs[0].state, ended);
    // All that it printed is kept beside, for as long as somebody wants it.
    let log = async || store.canary_log(id).await.unwrap();
    assert_eq!(log().await.as_deref(), Some("all"));
    assert_eq!(store.forget_logs(&lease, &watch, at(400)).await.unwrap(), 0);
    assert_eq!(log().await.as_deref(), Some("all"));
    let other = "elsewhere".parse().unwrap();
    assert_eq!(store.forget_logs(&lease, &other, at(401)).await.unwrap(), 0);
    assert_eq!(store.forget_logs(&lease, &watch, at(401)).await.unwrap(), 1);
    assert_eq!(log().await, None);
    let next = store.start_run(&lease, &watch, &new_run()).await.unwrap();
    assert!(next > id);
}

#[tokio::test]
async fn only_a_silent_run_is_buried_and_only_under_the_lease() {
    let clock = clock();
    let store = store(&clock).await;
    let lease = store.acquire("pass", "one", TTL).await.unwrap().unwrap();
    let watch = watch();
    let id = store.start_run(&lease, &watch, &new_run()).await.unwrap();
    // Whoever wants to bury it saw an older row.
    store.keep_run_alive(id, at(500)).await.unwrap();
    let early = finding(Verdict::Inconclusive, 499);
    assert!(!store.bury_run(&lease, &watch, id, &early).await.unwrap());
    let alive = store.load_memory(&watch).await.unwrap();
    let expected = RunState::Running { alive_until: at(500), prepared: Vec::new() };
    assert_eq!((&alive.runs[0].state, alive.findings.len()), (&expected, 0));
    assert!(store.keep_run_alive(id, at(600)).await.unwrap());

    let silent = finding(Verdict::Inconclusive, 600);
    assert!(store.bury_run(&lease, &watch, id, &silent).await.unwrap());
    assert!(!store.bury_run(&lease, &watch, id, &finding(Verdict::Failed, 700)).await.unwrap());
    assert_eq!(store.load_memory(&watch).await.unwrap().findings, [silent]);
    assert!(!store.keep_run_alive(id, at(900)).await.unwrap());

    let next = store.start_run(&lease, &watch, &new_run()).await.unwrap();
    clock.advance(TTL);
    let _new = store.acquire("pass", "two", TTL).await.unwrap().unwrap();
    let late = finding(Verdict::Inconclusive, 1_000_000);
    let lost = store.bury_run(&lease, &watch, next, &late).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost { .. })), "{lost:?}");
}

#[tokio::test]
async fn one_wish_is_open_for_each_version() {
    let (store, lease) = with_lease().await;
    let (watch, wanted) = (watch(), version("3.10.4"));
    assert_eq!(store.newest_wish().await.unwrap(), 0);
    let id = store.record_request(&watch, Wish::Bump, &wanted, "ada", at(1)).await.unwrap();
    let again = store.record_request(&watch, Wish::Bump, &wanted, "bob", at(2)).await.unwrap();
    assert_eq!(again, id);
    let other =
        store.record_request(&watch, Wish::Bump, &version("3.10.5"), "bob", at(3)).await.unwrap();
    assert_eq!(store.newest_wish().await.unwrap(), other.0);

    store.answer_request(&lease, id, false, "it failed", at(4)).await.unwrap();
    store.answer_request(&lease, id, true, "too late", at(5)).await.unwrap();
    let requests = store.load_memory(&watch).await.unwrap().requests;
    assert_eq!((requests[0].actor.as_str(), requests[0].at), ("ada", at(1)));
    let outcome = RequestOutcome { granted: false, answer: "it failed".to_owned(), at: at(4) };
    assert_eq!(requests[0].outcome, Some(outcome));
    assert_eq!(requests[1].outcome, None);

    let anew = store.record_request(&watch, Wish::Bump, &wanted, "ada", at(6)).await.unwrap();
    assert!(anew > other);
}

#[tokio::test]
async fn an_effect_is_intended_once_and_then_done() {
    let (store, lease) = with_lease().await;
    let (watch, effect) = (watch(), push_effect());
    let record = store.intend(&lease, &watch, &effect, at(1)).await.unwrap();
    assert_eq!(record.key, effect.key(&watch));
    assert_eq!((&record.effect, record.state), (&effect, EffectState::Intended));
    let again = store.intend(&lease, &watch, &effect, at(2)).await.unwrap();
    assert_eq!(again, record);

    store.effect_done(&lease, &record.key, Some("3333"), at(3)).await.unwrap();
    let done = store.intend(&lease, &watch, &effect, at(4)).await.unwrap();
    assert_eq!((done.state, done.done_at), (EffectState::Done, Some(at(3))));
    assert_eq!((done.intended_at, done.remote_id.as_deref()), (at(1), Some("3333")));

    let labels = Effect::LabelPull {
        number: PullNumber(7),
        labels: vec!["dependencies".to_owned()],
        since: None,
    };
    store.intend(&lease, &watch, &labels, at(5)).await.unwrap();
    let effects = store.load_memory(&watch).await.unwrap().effects;
    assert_eq!(effects.len(), 2);
    assert_eq!(effects[0], done);

    let unknown = EffectKey("never intended".to_owned());
    let error = store.effect_done(&lease, &unknown, None, at(6)).await.unwrap_err();
    assert!(matches!(error, StoreError::Absent { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_is_cached_whole_and_replaced_whole() {
    let (store, lease) = with_lease().await;
    let mut cached = Cached {
        url: "https://api.example.test/releases?page=1".to_owned(),
        etag: Some("W/\"abc\"".to_owned()),
        last_modified: None,
        next: Some("https://api.example.test/releases?page=2".to_owned()),
        body: vec![0, 255, b'x', 0],
    };
    assert_eq!(store.cached(&cached.url).await.unwrap(), None);
    let watch = watch();
    let answers = [cached.clone()];
    store.record_observations(&lease, &watch, &[], &answers, at(1)).await.unwrap();
    assert_eq!(store.cached(&cached.url).await.unwrap().as_ref(), Some(&cached));
    cached.etag = None;
    cached.next = None;
    cached.body.clear();
    let answers = [cached.clone()];
    store.record_observations(&lease, &watch, &[], &answers, at(2)).await.unwrap();
    assert_eq!(store.cached(&cached.url).await.unwrap(), Some(cached));
}

#[tokio::test]
async fn a_nul_in_a_text_keeps_nothing_from_being_recorded() {
    let (store, lease) = with_lease().await;
    let watch = watch();
    let run = store.start_run(&lease, &watch, &new_run()).await.unwrap();
    let told = Finding { summary: "a\0b".to_owned(), ..finding(Verdict::Failed, 1) };
    assert!(
        store
            .end_run(
                &watch,
                run,
                Shown { output: "\0", log: "", report: &CanaryReport::NOTHING, tree: None },
                &told
            )
            .await
            .unwrap()
    );
    let id =
        store.record_request(&watch, Wish::Bump, &version("3.10.0"), "a\0da", at(1)).await.unwrap();
    store.answer_request(&lease, id, false, "\0", at(2)).await.unwrap();
    let memory = store.load_memory(&watch).await.unwrap();
    assert_eq!(memory.findings[0].summary, "a\u{fffd}b");
    assert_eq!(memory.requests[0].actor, "a\u{fffd}da");
}

#[tokio::test]
async fn what_was_learned_comes_back_and_a_document_is_kept_once() {
    let store = store(&clock()).await;
    let lease = store.acquire("pass", "one", TTL).await.unwrap().unwrap();
    let document = Content::new("application/json", b"{}\0\xff".to_vec());
    let learned = Learned {
        news: vec![image("one", 1)],
        finding: Some(finding(Verdict::Failed, 2)),
        contents: vec![document.clone(), document.clone()],
    };
    for _ in 0..2 {
        store.record_learned(&lease, &watch(), &learned, at(3)).await.unwrap();
    }
    assert_eq!(store.content(&document.digest).await.unwrap(), Some(document));
    assert_eq!(store.content(&Digest::of(b"nothing")).await.unwrap(), None);
    let memory = store.load_memory(&watch()).await.unwrap();
    assert_eq!(memory.findings.len(), 2, "findings are appended");
}

#[tokio::test]
async fn a_prepared_run_waits_for_another_commit_and_keeps_what_was_added() {
    let (store, lease) = with_lease().await;
    let id = store.start_run(&lease, &watch(), &new_run()).await.unwrap();
    let (tree, commit) = ("7".repeat(40).parse().unwrap(), commit('8'));
    let files = ["pnpm-lock.yaml".to_owned()];
    let prepared = Prepared { tree: &tree, files: &files, commit: &commit };
    assert!(store.advance_run(&lease, id, &prepared, at(900)).await.unwrap());
    let run = store.load_memory(&watch()).await.unwrap().runs.remove(0);
    assert_eq!((&run.tree, run.checked.as_ref(), &run.dispatched), (&tree, Some(&commit), &None));
    assert_eq!(run.prepared(), files);
    let prepared_until = |run: &CanaryRun| match run.state {
        RunState::Running { alive_until, .. } => Some(alive_until),
        RunState::Ended { .. } => None,
    };
    assert_eq!(prepared_until(&run), Some(at(900)));
    // One that has ended stays as it is.
    let shown = Shown { report: &report(), ..Shown::NOTHING };
    assert!(store.end_run(&watch(), id, shown, &finding(Verdict::Failed, 950)).await.unwrap());
    assert!(!store.advance_run(&lease, id, &prepared, at(999)).await.unwrap());
}
