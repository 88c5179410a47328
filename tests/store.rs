//! The store, against real databases: everything comes back as it went in, and nobody writes who
//! lost the right to. On SQLite, and on PostgreSQL where there is a server (see `database`).
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

#[path = "database/mod.rs"]
mod database;

use database::OnServer;
use digest_bump::{
    clock::Clock,
    config::{Database, PostgresServer},
    domain::Wish,
    domain::{
        BranchName, Cached, CanaryReport, CanaryRun, Check, CommitId, Content, Detail, Digest,
        Effect, EffectKey, EffectState, Fact, FailedTest, Finding, ImageFacts, IndexDigest, Judged,
        Learned, NpmFacts, Observation, PullNumber, ReleaseFacts, RequestOutcome, RunId, RunState,
        StepResult, TestCounts, Timestamp, TreeId, Verdict, Version, WatchName,
    },
    store::{Lease, NewRun, Shown, Store, StoreError},
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
async fn one_wish_is_open_for_each_version() {
    let (store, lease) = with_lease().await;
    let (watch, wanted) = (watch(), version("3.10.4"));
    assert_eq!(store.newest_request().await.unwrap(), 0);
    let id = store.record_request(&watch, Wish::Bump, &wanted, "ada", at(1)).await.unwrap();
    let again = store.record_request(&watch, Wish::Bump, &wanted, "bob", at(2)).await.unwrap();
    assert_eq!(again, id);
    let other =
        store.record_request(&watch, Wish::Bump, &version("3.10.5"), "bob", at(3)).await.unwrap();
    assert_eq!(store.newest_request().await.unwrap(), other.0);

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

    let labels =
        Effect::LabelPull { number: PullNumber(7), labels: vec!["dependencies".to_owned()] };
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
async fn a_lease_is_one_owners_until_it_ends() {
    let clock = clock();
    let store = store(&clock).await;
    let first = store.acquire("pass", "one", TTL).await.unwrap().unwrap();
    assert!(store.acquire("pass", "two", TTL).await.unwrap().is_none());
    assert!(store.acquire("pass", "one", TTL).await.unwrap().is_none());
    let other = store.acquire("other", "two", TTL).await.unwrap().unwrap();
    assert_eq!((other.name(), other.owner(), other.token()), ("other", "two", 1));

    clock.advance(TTL / 2);
    store.renew(&first, TTL).await.unwrap();
    clock.advance(TTL / 2);
    assert!(store.acquire("pass", "two", TTL).await.unwrap().is_none());
    clock.advance(TTL / 2);
    let second = store.acquire("pass", "two", TTL).await.unwrap().unwrap();
    assert!(second.token() > first.token());
    store.release(second).await.unwrap();
    let third = store.acquire("pass", "one", TTL).await.unwrap().unwrap();
    assert_eq!(third.token(), 3);
}

#[tokio::test]
async fn who_lost_the_lease_writes_nothing() {
    let clock = clock();
    let store = store(&clock).await;
    let lost = store.acquire("pass", "one", TTL).await.unwrap().unwrap();
    let watch = watch();
    let id =
        store.record_request(&watch, Wish::Bump, &version("3.10.0"), "ada", at(1)).await.unwrap();
    clock.advance(TTL);
    // Expired, but nobody took it: still a safe owner.
    store.record_observations(&lost, &watch, &[image("one", 1)], &[], at(1)).await.unwrap();
    let _new = store.acquire("pass", "two", TTL).await.unwrap().unwrap();

    let effect = push_effect();
    let cached = Cached {
        url: "u".to_owned(),
        etag: None,
        last_modified: None,
        next: None,
        body: Vec::new(),
    };
    let finding = finding(Verdict::Passed, 2);
    let learned = Learned { finding: Some(finding), ..Learned::default() };
    let refused = [
        store.record_observations(&lost, &watch, &[image("two", 2)], &[], at(2)).await.err(),
        store.record_learned(&lost, &watch, &learned, at(9)).await.err(),
        store.start_run(&lost, &watch, &new_run()).await.err(),
        store.answer_request(&lost, id, true, "yes", at(2)).await.err(),
        store.intend(&lost, &watch, &effect, at(2)).await.err(),
        store.effect_done(&lost, &effect.key(&watch), None, at(2)).await.err(),
        store.record_observations(&lost, &watch, &[], &[cached], at(2)).await.err(),
        store.renew(&lost, TTL).await.err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(StoreError::LeaseLost { .. })), "{error:?}");
    }
    let memory = store.load_memory(&watch).await.unwrap();
    assert_eq!(memory.observations.len(), 1);
    assert!(memory.findings.is_empty() && memory.runs.is_empty() && memory.effects.is_empty());
    assert_eq!(memory.requests[0].outcome, None);
    // Giving back what was lost is no error, and takes nothing from its new owner.
    store.release(lost).await.unwrap();
    assert!(store.acquire("pass", "three", TTL).await.unwrap().is_none());
}

#[tokio::test]
async fn many_open_one_fresh_database_at_once_and_all_write() {
    let (database, _folder) = shared().await;
    let openings: Vec<_> = (0..8_u32)
        .map(|number| {
            let database = database.clone();
            tokio::spawn(async move {
                let store = Store::open(&database, &clock()).await.unwrap();
                for patch in 0..10 {
                    let wanted = Version::new(3, u64::from(number), patch);
                    store
                        .record_request(&watch(), Wish::Bump, &wanted, "ada", at(1))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for opening in openings {
        opening.await.unwrap();
    }
    let store = Store::open(&database, &clock()).await.unwrap();
    assert_eq!(store.newest_request().await.unwrap(), 80);
    assert_eq!(store.load_memory(&watch()).await.unwrap().requests.len(), 80);
}

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    let store = Store::open(&file(&path), &clock()).await.unwrap();
    store.record_request(&watch(), Wish::Bump, &version("1.0.0"), "ada", at(1)).await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", file.path());
    }
}

#[tokio::test]
async fn a_reader_sees_what_a_writer_wrote_and_writes_nothing() {
    let (database, _folder) = shared().await;
    assert!(Store::open_readonly(&database).await.unwrap().is_none());
    if let Database::Sqlite(path) = &database {
        assert!(!path.exists());
    }

    let writer = Store::open(&database, &clock()).await.unwrap();
    let reader = Store::open_readonly(&database).await.unwrap().unwrap();
    writer.record_request(&watch(), Wish::Bump, &version("1.0.0"), "ada", at(1)).await.unwrap();
    assert_eq!(reader.newest_request().await.unwrap(), 1);
    let refused =
        reader.record_request(&watch(), Wish::Bump, &version("2.0.0"), "ada", at(1)).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    assert_eq!(writer.newest_request().await.unwrap(), 1);

    // After a clean end, which leaves SQLite's file without a log beside it.
    reader.close().await;
    writer.close().await;
    let reader = Store::open_readonly(&database).await.unwrap().unwrap();
    assert_eq!(reader.newest_request().await.unwrap(), 1);
}

/// A database with the schema, and a way to change it behind the store's back.
struct Tampered {
    database: Database,
    server: Option<OnServer>,
    folder: TempDir,
}

impl Tampered {
    async fn new() -> Self {
        let (folder, server) = (TempDir::new().unwrap(), OnServer::fresh().await);
        let database = match &server {
            Some(server) => on(server),
            None => file(&folder.path().join("state.db")),
        };
        Store::open(&database, &clock()).await.unwrap().close().await;
        Self { database, server, folder }
    }

    async fn run(&self, sql: &'static str) {
        sqlx::any::install_default_drivers();
        let mut connection = if let Some(server) = &self.server {
            server.connect_to(&server.name).await
        } else {
            let path = self.folder.path().join("state.db");
            let url = format!("sqlite://{}?mode=rw", path.display());
            sqlx::AnyConnection::connect(&url).await.unwrap()
        };
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn open(&self) -> Result<Store, StoreError> {
        Store::open(&self.database, &clock()).await
    }

    async fn look(&self) -> Result<Option<Store>, StoreError> {
        Store::open_readonly(&self.database).await
    }
}

#[tokio::test]
async fn another_versions_database_is_refused_with_its_number() {
    let database = Tampered::new().await;
    database.run("UPDATE _sqlx_migrations SET checksum = 'other'").await;
    let error = database.open().await.unwrap_err();
    assert!(matches!(error, StoreError::Altered { version: 1 }), "{error:?}");

    database
        .run(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
             execution_time) VALUES (999, 'later', TRUE, 'other', 0)",
        )
        .await;
    for error in [database.open().await.unwrap_err(), database.look().await.unwrap_err()] {
        assert!(matches!(error, StoreError::Newer { found: 999, .. }), "{error:?}");
    }

    database.run("DELETE FROM _sqlx_migrations").await;
    let error = database.look().await.unwrap_err();
    assert!(matches!(error, StoreError::Older { found: 0, .. }), "{error:?}");
    database.run("DROP TABLE _sqlx_migrations").await;
    match database.look().await {
        // On a server, whoever made the empty database was about to start the first pass.
        Ok(None) if database.server.is_some() => {}
        Err(StoreError::Older { found: 0, .. }) if database.server.is_none() => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_database_is_called_corrupt() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.db");
    std::fs::write(&path, "x".repeat(8192)).unwrap();
    let error = Store::open(&file(&path), &clock()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    let error = Store::open_readonly(&file(&path)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn a_row_that_nobody_can_have_written_is_named() {
    let database = Tampered::new().await;
    let store = database.open().await.unwrap();
    store.record_request(&watch(), Wish::Bump, &version("1.0.0"), "ada", at(1)).await.unwrap();
    database.run("UPDATE request SET version = 'newest'").await;
    let error = store.load_memory(&watch()).await.unwrap_err();
    assert_eq!(error.to_string(), "the database is corrupt: column version");
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
