//! The repository's documents, and how the next ones are made.

use super::forgery::TufForgery;
use super::metadata::{NamedKey, document, end, sign};
use crate::wire::hex_sha256;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The name of the only target.
const TARGET: &str = "trusted_root.json";
/// How many of the keys of people have to sign.
const THRESHOLD: usize = 2;
/// How many days each document lives.
const ROOT_DAYS: i64 = 180;
const TARGETS_DAYS: i64 = 180;
const SNAPSHOT_DAYS: i64 = 21;
const TIMESTAMP_DAYS: i64 = 7;
/// How many days old each is when it is signed anew.
const SNAPSHOT_ANEW: i64 = 7;
const TIMESTAMP_ANEW: i64 = 1;

/// A document that is signed again and again.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    version: u64,
    signed: DateTime<Utc>,
}

impl Turn {
    fn next(&mut self, now: DateTime<Utc>) -> u64 {
        *self = Self { version: self.version + 1, signed: now };
        self.version
    }

    fn is_due(self, now: DateTime<Utc>, days: i64) -> bool {
        now - self.signed >= TimeDelta::days(days)
    }
}

/// A repository with everything that it takes to go on.
#[derive(Debug, Clone)]
pub(super) struct Mirror {
    /// The keys of people: they sign the root and the list of targets.
    people: Vec<NamedKey>,
    /// The key of a machine: it signs snapshot and timestamp.
    machine: NamedKey,
    root: Turn,
    root_expired: bool,
    targets: Turn,
    snapshot: Turn,
    timestamp: Turn,
    /// What is served, by path.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

impl Mirror {
    /// A repository with its first root, and nothing in it yet.
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        let mut mirror = Self {
            people: [(); 3].map(|()| NamedKey::new()).into(),
            machine: NamedKey::new(),
            root: Turn::default(),
            root_expired: false,
            targets: Turn::default(),
            snapshot: Turn::default(),
            timestamp: Turn::default(),
            files: BTreeMap::new(),
        };
        mirror.sign_root(now, None);
        mirror
    }

    /// Publishes a target.
    pub(super) fn publish(&mut self, target: &[u8], now: DateTime<Utc>, how: Option<TufForgery>) {
        use TufForgery::{RootByWrongKeys, RootSkipsOne, UselessTarget};
        match how {
            Some(RootByWrongKeys) => {
                self.people = [(); 3].map(|()| NamedKey::new()).into();
                self.machine = NamedKey::new();
                self.sign_root(now, how);
            }
            Some(RootSkipsOne) => self.sign_root(now, how),
            None if self.root_expired => self.sign_root(now, how),
            _ => {}
        }
        let target: &[u8] = if how == Some(UselessTarget) { b"{\"tlogs\":7}" } else { target };
        self.sign_targets(target, now, how);
        self.sign_snapshot(now, how);
        self.sign_timestamp(now, how);
    }

    /// The people sign a root that has expired already. It stays until they sign another one.
    pub(super) fn sign_expired_root(&mut self, now: DateTime<Utc>) {
        self.sign_root(now, Some(TufForgery::ExpiredRoot));
    }

    /// Exchanges a key of the people and that of the machine.
    pub(super) fn rotate(&mut self, target: &[u8], now: DateTime<Utc>) {
        // Those who stay sign the new root, by the old one's word and by its own.
        self.people.rotate_left(1);
        if let Some(last) = self.people.last_mut() {
            *last = NamedKey::new();
        }
        self.machine = NamedKey::new();
        self.sign_root(now, None);
        self.publish(target, now, None);
    }

    /// What the machine does all day: signs anew what would expire.
    pub(super) fn keep_alive(&mut self, now: DateTime<Utc>) {
        if self.snapshot.is_due(now, SNAPSHOT_ANEW) {
            self.sign_snapshot(now, None);
            self.sign_timestamp(now, None);
        } else if self.timestamp.is_due(now, TIMESTAMP_ANEW) {
            self.sign_timestamp(now, None);
        }
    }

    /// Goes on counting after another one's documents.
    pub(super) fn count_on_from(&mut self, other: &Self) {
        self.targets.version = other.targets.version;
        self.snapshot.version = other.snapshot.version;
        self.timestamp.version = other.timestamp.version;
    }

    fn sign_root(&mut self, now: DateTime<Utc>, how: Option<TufForgery>) {
        let number = self.root.next(now);
        let skips = u64::from(how == Some(TufForgery::RootSkipsOne));
        let all = self.people.iter().chain([&self.machine]);
        let keys: Map<String, Value> =
            all.map(|key| (key.id.clone(), key.public.clone())).collect();
        let people: Vec<&String> = self.people.iter().map(|key| &key.id).collect();
        let people = json!({ "keyids": people, "threshold": THRESHOLD });
        let machine = json!({ "keyids": [self.machine.id], "threshold": 1 });
        self.root_expired = how == Some(TufForgery::ExpiredRoot);
        let expires = end(now, ROOT_DAYS, self.root_expired);
        let more = json!({
            "consistent_snapshot": true,
            "keys": keys,
            "roles": {
                "root": people, "targets": people, "snapshot": machine, "timestamp": machine,
            },
        });
        let (signers, absent) = self.people.split_at(THRESHOLD);
        let root = sign(&document("root", number + skips, expires, more), signers, absent);
        self.files.insert(format!("{number}.root.json"), root);
    }

    fn sign_targets(&mut self, target: &[u8], now: DateTime<Utc>, how: Option<TufForgery>) {
        use TufForgery::{ExpiredTargets, NoTarget, OneKeyTwice, TargetExchanged};
        use TufForgery::{TargetsByWrongKey, TooFewSignatures};
        let number = self.targets.next(now);
        let hash = hex_sha256(target);
        let mut served = target.to_vec();
        if how == Some(TargetExchanged)
            && let Some(last) = served.last_mut()
        {
            *last ^= 1;
        }
        self.files.insert(format!("targets/{hash}.{TARGET}"), served);
        let mut more = json!({ "targets": {} });
        if how != Some(NoTarget) {
            more["targets"][TARGET] = json!({
                "length": target.len(),
                "hashes": { "sha256": hash },
                "custom": { "sigstore": { "usage": "Unknown" } },
            });
        }
        let document =
            document("targets", number, end(now, TARGETS_DAYS, how == Some(ExpiredTargets)), more);
        let (signers, absent) = self.people.split_at(THRESHOLD);
        let (signers, absent) = match how {
            Some(TargetsByWrongKey) => (signers.iter().map(NamedKey::impostor).collect(), absent),
            Some(TooFewSignatures) => (signers[1..].to_vec(), &signers[..1]),
            Some(OneKeyTwice) => (vec![signers[0].clone(), signers[0].clone()], absent),
            _ => (signers.to_vec(), absent),
        };
        self.files.insert(format!("{number}.targets.json"), sign(&document, &signers, absent));
    }

    fn sign_snapshot(&mut self, now: DateTime<Utc>, how: Option<TufForgery>) {
        use TufForgery::{ExpiredSnapshot, SnapshotByWrongKey, TargetsRolledBack};
        let number = self.snapshot.next(now);
        let back = if how == Some(TargetsRolledBack) { 2 } else { 0 };
        let more =
            json!({ "meta": { "targets.json": { "version": self.targets.version - back } } });
        let expires = end(now, SNAPSHOT_DAYS, how == Some(ExpiredSnapshot));
        let document = document("snapshot", number, expires, more);
        let snapshot = sign(&document, &[self.machine_or(how == Some(SnapshotByWrongKey))], &[]);
        self.files.insert(format!("{number}.snapshot.json"), snapshot);
    }

    fn sign_timestamp(&mut self, now: DateTime<Utc>, how: Option<TufForgery>) {
        use TufForgery::{ExpiredTimestamp, SnapshotExchanged, SnapshotRolledBack};
        use TufForgery::{TimestampByWrongKey, TimestampRolledBack};
        let number = self.timestamp.next(now);
        let back = |it: TufForgery| if how == Some(it) { 2 } else { 0 };
        let snapshot = self.snapshot.version - back(SnapshotRolledBack);
        let bytes = &self.files[&format!("{snapshot}.snapshot.json")];
        let more = json!({ "meta": { "snapshot.json": {
            "version": snapshot,
            "hashes": { "sha256": hex_sha256(bytes) },
        } } });
        let expires = end(now, TIMESTAMP_DAYS, how == Some(ExpiredTimestamp));
        let document = document("timestamp", number - back(TimestampRolledBack), expires, more);
        let timestamp = sign(&document, &[self.machine_or(how == Some(TimestampByWrongKey))], &[]);
        self.files.insert("timestamp.json".to_owned(), timestamp);
        if how == Some(SnapshotExchanged) {
            // As genuine as the one before: signed by the same key, and the same list.
            let expires = end(now, SNAPSHOT_DAYS + 1, false);
            let more = json!({ "meta": { "targets.json": { "version": self.targets.version } } });
            let other = super::metadata::document("snapshot", snapshot, expires, more);
            let other = sign(&other, &[self.machine_or(false)], &[]);
            self.files.insert(format!("{snapshot}.snapshot.json"), other);
        }
    }

    fn machine_or(&self, impostor: bool) -> NamedKey {
        if impostor { self.machine.impostor() } else { self.machine.clone() }
    }
}
