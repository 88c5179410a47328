//! The trusted root by The Update Framework: kept current, proved, and never worse than before.

use crate::http_at;
use digest_bump::{
    clients::{
        sigstore::{RootError, Source, Trust, TrustedRoot},
        wire::Http,
    },
    clock::Clock,
    domain::Timestamp,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use world::{Fault, Service, TufForgery, World};

const START: &str = "2026-06-12T08:00:00Z";
/// Until when a root is used that cannot be refreshed.
const MAX_AGE: Duration = Duration::from_hours(7 * 24);

/// A world, and who keeps its trusted root.
struct Stand {
    world: World,
    clock: Clock,
    http: Http,
    state: TempDir,
}

impl Stand {
    async fn new() -> Self {
        let world = World::builder().now(START).start().await;
        let clock = Clock::manual(START.parse().unwrap());
        let http = http_at(&clock);
        Self { world, clock, http, state: tempfile::tempdir().unwrap() }
    }

    fn cache(&self) -> PathBuf {
        self.state.path().join("tuf")
    }

    /// As after a start: nothing is in memory, and the cache is where it was.
    fn trust(&self) -> Trust {
        self.trust_at(&self.clock, MAX_AGE, true)
    }

    fn trust_at(&self, clock: &Clock, max_age: Duration, writes: bool) -> Trust {
        let (url, root) = (self.world.tuf_url(), self.world.tuf_root_file());
        let source = Source::tuf(Some((&url, &root)), self.cache(), writes, max_age).unwrap();
        Trust::new(source, &self.http, clock.clone())
    }

    /// Turns both clocks.
    fn wait(&self, time: Duration) {
        self.clock.advance(time);
        self.world.set_now(&self.clock.now().to_string());
    }

    fn wait_hours(&self, hours: u64) {
        self.wait(Duration::from_hours(hours));
    }

    /// Whether this is what the world's Sigstore has now.
    fn is_current(&self, root: &TrustedRoot) -> bool {
        root.content.bytes == self.world.trusted_root().into_bytes()
    }

    fn down(&self) {
        self.world.fault(Fault::on(Service::Tuf).close_connection().always());
    }

    /// What was asked since the last time.
    fn asked(&self) -> Vec<String> {
        let asked = self.world.requests();
        self.world.clear_requests();
        asked.iter().map(|it| redact(&format!("{} {}", it.path, it.status))).collect()
    }

    /// What a maintainer is told.
    fn told(&self, error: &RootError) -> String {
        redact(&error.to_string().replace(&self.world.tuf_url(), "http://tuf"))
    }
}

fn redact(text: &str) -> String {
    regex::Regex::new("[0-9a-f]{64}").unwrap().replace_all(text, "<hash>").into_owned()
}

fn age(root: &TrustedRoot, clock: &Clock) -> Duration {
    clock.now().since(root.refreshed_at.unwrap())
}

/// All files below a directory, with their content.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let entries = std::fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap());
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_fetched_once_and_then_daily() {
    let stand = Stand::new().await;
    let trust = stand.trust();
    let root = trust.root().await.unwrap();
    assert!(stand.is_current(&root));
    assert_eq!(root.source, stand.world.tuf_url());
    assert_eq!(root.refreshed_at, Some(stand.clock.now()));
    insta::assert_snapshot!(stand.asked().join("\n"), @"
    /2.root.json 404
    /timestamp.json 200
    /1.snapshot.json 200
    /1.targets.json 200
    /targets/<hash>.trusted_root.json 200
    ");

    stand.wait_hours(23);
    let same = trust.root().await.unwrap();
    assert!(Arc::ptr_eq(&root, &same));
    assert_eq!(stand.asked(), [""; 0]);

    stand.wait_hours(1);
    let refreshed = trust.root().await.unwrap();
    assert_eq!(refreshed.refreshed_at, Some(stand.clock.now()));
    insta::assert_snapshot!(stand.asked().join("\n"), @"
    /2.root.json 404
    /timestamp.json 200
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_one_is_there_within_a_day() {
    let stand = Stand::new().await;
    let trust = stand.trust();
    let old = trust.root().await.unwrap();
    stand.world.rotate_sigstore();
    stand.world.publish_trusted_root();
    assert!(!stand.is_current(&old));
    stand.wait_hours(24);
    assert!(stand.is_current(&trust.root().await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kept_one_is_used_until_it_is_too_old() {
    let stand = Stand::new().await;
    let trust = stand.trust();
    trust.root().await.unwrap();
    stand.down();
    for _ in 0..7 {
        stand.wait_hours(24);
        let kept = trust.root().await.unwrap();
        assert_eq!(kept.refreshed_at, Some(START.parse::<Timestamp>().unwrap()));
        assert_eq!(age(&kept, &stand.clock), stand.clock.now().since(START.parse().unwrap()));
    }
    stand.wait(Duration::from_millis(1));
    let error = trust.root().await.unwrap_err();
    assert!(matches!(error, RootError::Stale { .. }));
    insta::assert_snapshot!(stand.told(&error), @"the trusted root of http://tuf was last refreshed 7 d ago, the limit is 7 d, and now it cannot be: transport error: GET http://tuf/2.root.json failed: error sending request for url (http://tuf/2.root.json): client error (SendRequest): connection closed before message completed");
    // A process that starts now knows no better.
    insta::assert_snapshot!(stand.told(&stand.trust().root().await.unwrap_err()), @"the trusted root of http://tuf was last refreshed 7 d ago, the limit is 7 d, and now it cannot be: transport error: GET http://tuf/2.root.json failed: error sending request for url (http://tuf/2.root.json): client error (SendRequest): connection closed before message completed");

    stand.world.clear_faults();
    assert!(trust.root().await.is_err(), "it was asked for a moment ago");
    stand.wait(Duration::from_mins(10));
    assert!(stand.is_current(&trust.root().await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_age_below_a_day_is_an_age_too() {
    let stand = Stand::new().await;
    let trust = stand.trust_at(&stand.clock, Duration::from_hours(1), true);
    trust.root().await.unwrap();
    stand.wait_hours(2);
    let refreshed = trust.root().await.unwrap();
    assert_eq!(refreshed.refreshed_at, Some(stand.clock.now()));
    stand.down();
    stand.wait_hours(2);
    insta::assert_snapshot!(stand.told(&trust.root().await.unwrap_err()), @"the trusted root of http://tuf was last refreshed 2 h ago, the limit is 1 h, and now it cannot be: transport error: GET http://tuf/2.root.json failed: error sending request for url (http://tuf/2.root.json): client error (SendRequest): connection closed before message completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_stays_shut_is_not_knocked_at_all_the_time() {
    let stand = Stand::new().await;
    let trust = stand.trust();
    stand.down();
    for _ in 0..5 {
        let error = trust.root().await.unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(stand.told(&error), @"the trusted root of http://tuf was never refreshed, and now it cannot be: transport error: GET http://tuf/2.root.json failed: error sending request for url (http://tuf/2.root.json): client error (SendRequest): connection closed before message completed");
        }
    }
    assert_eq!(stand.asked().len(), 1);
    stand.wait(Duration::from_mins(10));
    trust.root().await.unwrap_err();
    assert_eq!(stand.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_start_the_cache_is_proved_and_nobody_asked() {
    let stand = Stand::new().await;
    stand.trust().root().await.unwrap();
    stand.asked();
    stand.wait_hours(23);
    let kept = stand.trust().root().await.unwrap();
    assert!(stand.is_current(&kept));
    assert_eq!(age(&kept, &stand.clock), Duration::from_hours(23));
    assert_eq!(stand.asked(), [""; 0]);

    // Offline it serves until it is too old, though the timestamp in it has expired by then.
    stand.down();
    stand.wait_hours(6 * 24);
    assert!(stand.is_current(&stand.trust().root().await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_tampered_with_in_the_cache_is_refused_and_fetched_anew() {
    let (other, stand) = (Stand::new().await, Stand::new().await);
    other.trust().root().await.unwrap();
    let others = files(&other.cache());
    let names = ["targets/trusted_root.json", "timestamp.json", "snapshot.json", "targets.json"];
    for name in names.into_iter().chain(["root.json", "root_history/1.root.json", "refreshed"]) {
        let garbage = b"<html>".to_vec();
        let of_somebody_else = others[&other.cache().join(name)].clone();
        for content in [Some(garbage), Some(of_somebody_else), None] {
            stand.trust().root().await.unwrap();
            let path = stand.cache().join(name);
            match &content {
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
                None => std::fs::remove_file(&path).unwrap(),
            }
            let root = stand.trust().root().await.unwrap();
            assert!(stand.is_current(&root), "{name}");
            // And the cache is whole again.
            stand.down();
            assert!(stand.is_current(&stand.trust().root().await.unwrap()), "{name}");
            stand.world.clear_faults();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_know_a_signer_is_refreshed_at_once_but_not_all_the_time() {
    let stand = Stand::new().await;
    let trust = stand.trust();
    let old = trust.root().await.unwrap();
    stand.wait_hours(1);
    assert!(trust.newer(&old).await.is_none(), "nothing new was published");
    stand.world.rotate_sigstore();
    stand.world.publish_trusted_root();
    stand.asked();
    stand.wait(Duration::from_mins(9));
    assert!(trust.newer(&old).await.is_none());
    assert_eq!(stand.asked(), [""; 0], "it was asked for nine minutes ago");
    stand.wait(Duration::from_mins(1));
    let new = trust.newer(&old).await.unwrap();
    assert!(stand.is_current(&new));
    assert!(Arc::ptr_eq(&new, &trust.root().await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_wrong_with_a_repository_replaces_a_good_root() {
    let mut stand = Stand::new().await;
    let mut told = Vec::new();
    for forgery in TufForgery::ALL {
        stand.world.publish_trusted_root();
        stand.world.publish_trusted_root();
        let trust = stand.trust();
        let good = trust.root().await.unwrap();
        assert!(stand.is_current(&good), "{forgery:?}");
        stand.world.rotate_sigstore();
        stand.world.forge_tuf(*forgery);
        stand.wait_hours(24);
        let kept = trust.root().await.unwrap();
        assert!(Arc::ptr_eq(&good, &kept), "{forgery:?}");
        assert_eq!(age(&kept, &stand.clock), Duration::from_hours(24), "{forgery:?}");

        // The cache has not suffered either.
        let restarted = stand.trust().root().await.unwrap();
        assert_eq!(restarted.content.digest, good.content.digest, "{forgery:?}");
        assert_eq!(restarted.refreshed_at, good.refreshed_at, "{forgery:?}");

        // Who has a cache and no good root in it is told why there is none.
        std::fs::remove_file(stand.cache().join("refreshed")).unwrap();
        let error = stand.trust().root().await.unwrap_err();
        let error = stand.told(&error);
        let error = error.split(", and now it cannot be: ").nth(1).unwrap();
        told.push(format!("{forgery:?}: {error}"));

        // What is in order again is believed again, with the same cache and without one.
        stand.world.publish_trusted_root();
        assert!(stand.is_current(&stand.trust().root().await.unwrap()), "{forgery:?}");
        stand.state = tempfile::tempdir().unwrap();
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    TimestampByWrongKey: signature threshold not met for role timestamp: 0/1 valid signatures
    SnapshotByWrongKey: signature threshold not met for role snapshot: 0/1 valid signatures
    TargetsByWrongKey: signature threshold not met for role targets: 0/2 valid signatures
    RootByWrongKeys: signature threshold not met for role root: 0/2 valid signatures
    TooFewSignatures: signature threshold not met for role targets: 1/2 valid signatures
    OneKeyTwice: duplicate signature key id <hash> for role targets
    ExpiredTimestamp: timestamp metadata expired at 2026-06-18T07:00:00Z
    ExpiredSnapshot: snapshot metadata expired at 2026-06-19T07:00:00Z
    ExpiredTargets: targets metadata expired at 2026-06-20T07:00:00Z
    ExpiredRoot: root metadata expired at 2026-06-21T07:00:00Z
    TimestampRolledBack: rollback detected for timestamp: trusted version 43 > new version 42
    SnapshotRolledBack: rollback detected for snapshot (via timestamp): trusted version 47 > new version 46
    TargetsRolledBack: rollback detected for targets.json (via snapshot): trusted version 51 > new version 50
    RootSkipsOne: root version must increment by one: trusted 3, got 5
    SnapshotExchanged: integrity check failed: snapshot.json: sha256 mismatch
    TargetExchanged: integrity check failed: trusted_root.json: sha256 mismatch
    NoTarget: target "trusted_root.json" is not listed by any trusted targets role
    UselessTarget: http://tuf is not a trusted root that can be used: failed to parse JSON: invalid type: integer `7`, expected a sequence at line 1 column 10
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_wrong_with_an_answer_replaces_a_good_root() {
    let long = "x".repeat(600_000);
    for path in [".root.json", "timestamp.json", ".snapshot.json", ".targets.json", "/targets/"] {
        let stand = Stand::new().await;
        let fault = || Fault::on(Service::Tuf).path_contains(path).always();
        let faults = [
            fault().html(),
            fault().body(""),
            fault().body("{}"),
            fault().body("[]"),
            fault().body(&long),
            fault().cut_body(),
            fault().corrupt_body(),
            fault().status(429),
            fault().status(503),
            fault().redirect("http://127.0.0.1:9/"),
            fault().close_connection(),
        ];
        let trust = stand.trust();
        for (number, fault) in faults.into_iter().enumerate() {
            let good = trust.root().await.unwrap();
            assert!(stand.is_current(&good), "{path}, fault {number}");
            stand.world.rotate_sigstore();
            stand.world.rotate_tuf_root();
            stand.world.fault(fault);
            stand.wait_hours(24);
            let kept = trust.root().await.unwrap();
            assert!(Arc::ptr_eq(&good, &kept), "{path}, fault {number}");
            let restarted = stand.trust().root().await.unwrap();
            assert_eq!(restarted.content.digest, good.content.digest, "{path}, fault {number}");
            assert_eq!(restarted.refreshed_at, good.refreshed_at, "{path}, fault {number}");
            stand.world.clear_faults();
            stand.wait(Duration::from_mins(10));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_nobody_looks_after_expires() {
    let stand = Stand::new().await;
    let long = Duration::from_hours(30 * 24);
    let trust = stand.trust_at(&stand.clock, long, true);
    trust.root().await.unwrap();
    stand.world.neglect_tuf();
    stand.wait_hours(6 * 24);
    assert_eq!(trust.root().await.unwrap().refreshed_at, Some(stand.clock.now()));
    stand.wait_hours(2 * 24);
    let kept = trust.root().await.unwrap();
    assert_eq!(age(&kept, &stand.clock), Duration::from_hours(2 * 24));
    stand.wait_hours(30 * 24);
    insta::assert_snapshot!(stand.told(&trust.root().await.unwrap_err()), @"the trusted root of http://tuf was last refreshed 32 d ago, the limit is 30 d, and now it cannot be: timestamp metadata expired at 2026-06-19T08:00:00Z");
    stand.world.publish_trusted_root();
    stand.wait(Duration::from_mins(10));
    assert!(stand.is_current(&trust.root().await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_own_keys_may_change_over_and_over() {
    let stand = Stand::new().await;
    let trust = stand.trust();
    trust.root().await.unwrap();
    for _ in 0..3 {
        stand.world.rotate_tuf_root();
        stand.wait_hours(24);
        assert_eq!(trust.root().await.unwrap().refreshed_at, Some(stand.clock.now()));
    }
    // From the first root to the last in one go, and again from the cache.
    let fresh = Stand { state: tempfile::tempdir().unwrap(), ..stand };
    fresh.trust().root().await.unwrap();
    fresh.down();
    assert!(fresh.is_current(&fresh.trust().root().await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_leaves_the_cache_as_it_is() {
    let stand = Stand::new().await;
    let dry = || stand.trust_at(&stand.clock, MAX_AGE, false);
    assert!(stand.is_current(&dry().root().await.unwrap()));
    assert_eq!(files(stand.state.path()), BTreeMap::new());
    assert!(!stand.cache().exists());

    stand.trust().root().await.unwrap();
    let before = files(stand.state.path());
    assert!(before.len() > 4, "{:?}", before.keys());
    stand.asked();
    assert!(stand.is_current(&dry().root().await.unwrap()));
    assert_eq!(stand.asked(), [""; 0]);
    stand.world.rotate_sigstore();
    stand.world.rotate_tuf_root();
    stand.wait_hours(24);
    assert!(stand.is_current(&dry().root().await.unwrap()));
    assert_eq!(files(stand.state.path()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_cannot_be_written_is_no_reason_to_have_no_root() {
    let stand = Stand::new().await;
    std::fs::write(stand.cache(), "a file where the directory should be").unwrap();
    let trust = stand.trust();
    assert!(stand.is_current(&trust.root().await.unwrap()));
    stand.asked();
    trust.root().await.unwrap();
    assert_eq!(stand.asked(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_may_share_a_cache() {
    let stand = Stand::new().await;
    for round in 0..10 {
        if round % 3 == 1 {
            stand.world.rotate_tuf_root();
        }
        stand.world.rotate_sigstore();
        stand.world.publish_trusted_root();
        stand.wait_hours(24);
        let all: Vec<_> = (0..4).map(|_| stand.trust()).collect();
        let asking = all.into_iter().map(|trust| tokio::spawn(async move { trust.root().await }));
        for asked in asking.collect::<Vec<_>>() {
            assert!(stand.is_current(&asked.await.unwrap().unwrap()), "round {round}");
        }
    }
    // What they left behind is whole.
    stand.down();
    assert!(stand.is_current(&stand.trust().root().await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_wrong_for_a_while_does_no_lasting_harm() {
    let stand = Stand::new().await;
    // Three days ahead, as far as the repository's documents reach.
    let ahead = Clock::manual(stand.clock.now() + Duration::from_hours(72));
    stand.trust_at(&ahead, MAX_AGE, true).root().await.unwrap();
    let trust = stand.trust();
    let root = trust.root().await.unwrap();
    assert_eq!(root.refreshed_at, Some(stand.clock.now()), "it is not taken for fresh");

    // The same without an answer: it is used, but not for ever.
    stand.trust_at(&ahead, MAX_AGE, true).root().await.unwrap();
    stand.down();
    let trust = stand.trust();
    assert!(stand.is_current(&trust.root().await.unwrap()));
    stand.wait_hours(10 * 24);
    assert!(stand.is_current(&trust.root().await.unwrap()));
    stand.wait_hours(1);
    assert!(matches!(trust.root().await.unwrap_err(), RootError::Stale { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_does_not_keep_it_from_asking() {
    let stand = Stand::new().await;
    let trust = stand.trust();
    trust.root().await.unwrap();
    // An hour back is no matter, a year back is.
    stand.clock.turn_to(stand.clock.now() + Duration::from_hours(25));
    stand.down();
    trust.root().await.unwrap();
    stand.asked();
    stand.clock.turn_to(START.parse().unwrap());
    trust.root().await.unwrap();
    assert_eq!(stand.asked(), [""; 0], "it is fresh again");
    stand.clock.turn_to("2025-06-12T08:00:00Z".parse().unwrap());
    stand.world.set_now(&stand.clock.now().to_string());
    stand.world.clear_faults();
    stand.world.publish_trusted_root();
    let root = trust.root().await.unwrap();
    assert_eq!(root.refreshed_at, Some(stand.clock.now()));
}
