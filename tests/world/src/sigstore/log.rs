//! The log of signatures: entries, the promise to take each in, and the proof that it was.

use super::canonical::canonical;
use super::forgery::Forgery;
use super::key::Key;
use super::merkle;
use super::signing::Signing;
use crate::wire::hex;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// The log is the successor of one with so many entries: an entry's number in the whole and its
/// place in the tree are different things.
const BEFORE: usize = 4_163_431;
/// Entries of others, so that a tree is never a single leaf.
const STRANGERS: usize = 5;

/// A log, its entries in a Merkle tree.
#[derive(Debug)]
pub(super) struct Log {
    host: &'static str,
    key: Key,
    /// Not the log's own.
    wrong: Key,
    leaves: Mutex<Vec<merkle::Hash>>,
}

/// One entry as the log answers it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    kind: &'static str,
    body: String,
    /// Seconds since 1970.
    at: i64,
    index: usize,
    log_id: Vec<u8>,
    promise: Option<Vec<u8>>,
    proof: Option<Proof>,
}

#[derive(Debug, Clone)]
struct Proof {
    place: usize,
    size: usize,
    root: merkle::Hash,
    hashes: Vec<merkle::Hash>,
    checkpoint: String,
}

impl Log {
    pub(super) fn new(host: &'static str) -> Self {
        let strangers =
            (0..STRANGERS).map(|number| merkle::leaf(&[u8::try_from(number).unwrap_or(0)]));
        Self { host, key: Key::new(), wrong: Key::new(), leaves: Mutex::new(strangers.collect()) }
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn url(&self) -> String {
        format!("https://{}", self.host)
    }

    /// Takes in an entry: a kind of version 0.0.1, with what that kind specifies.
    pub(super) fn record(
        &self,
        kind: &'static str,
        spec: &Value,
        at: DateTime<Utc>,
        signing: &Signing,
    ) -> Entry {
        let body = canonical(&json!({ "apiVersion": "0.0.1", "kind": kind, "spec": spec }));
        let leaves = {
            let mut leaves = self.leaves.lock().unwrap_or_else(PoisonError::into_inner);
            leaves.push(merkle::leaf(body.as_bytes()));
            leaves.clone()
        };
        let place = leaves.len() - 1;
        let (at, index) = (at.timestamp(), BEFORE + place);
        let promised = if signing.has(Forgery::PromiseOverOtherBytes) { at + 1 } else { at };
        let promise = canonical(&json!({
            "body": STANDARD.encode(&body),
            "integratedTime": promised,
            "logID": hex(&self.key.id()),
            "logIndex": index,
        }));
        let key = self.signer(signing.has(Forgery::PromiseByWrongKey));
        Entry {
            kind,
            body,
            at,
            index,
            log_id: self.key.id(),
            promise: Some(key.sign(promise.as_bytes())),
            proof: Some(self.prove(place, &leaves, signing)),
        }
    }

    fn prove(&self, place: usize, leaves: &[merkle::Hash], signing: &Signing) -> Proof {
        let root = merkle::root(leaves);
        let mut hashes = merkle::path(place, leaves);
        if signing.has(Forgery::WrongProof) {
            hashes[0][0] ^= 1;
        }
        let (host, size) = (self.host, leaves.len());
        // A signed note, as the checksum database of Go invented it.
        let note = format!("{host} - 1193050959916656506\n{size}\n{}\n", STANDARD.encode(&root));
        let key = self.signer(signing.has(Forgery::CheckpointByWrongKey));
        let signature = [&self.key.id()[..4], &key.sign(note.as_bytes())].concat();
        let checkpoint = format!("{note}\n\u{2014} {host} {}\n", STANDARD.encode(signature));
        Proof { place, size, root, hashes, checkpoint }
    }

    fn signer(&self, wrong: bool) -> &Key {
        if wrong { &self.wrong } else { &self.key }
    }
}

impl Entry {
    /// The entry as cosign 2 keeps it beside a signature.
    pub(super) fn annotation(&self) -> Value {
        json!({
            "SignedEntryTimestamp": STANDARD.encode(self.promise.as_deref().unwrap_or_default()),
            "Payload": {
                "body": STANDARD.encode(&self.body),
                "integratedTime": self.at,
                "logIndex": self.index,
                "logID": hex(&self.log_id),
            },
        })
    }

    /// The entry as bundles keep it, where they are of a version that has proofs.
    pub(super) fn in_bundle(&self, proofs: bool) -> Value {
        let mut entry = json!({
            "logIndex": self.index.to_string(),
            "logId": { "keyId": STANDARD.encode(&self.log_id) },
            "kindVersion": { "kind": self.kind, "version": "0.0.1" },
            "integratedTime": self.at.to_string(),
            "canonicalizedBody": STANDARD.encode(&self.body),
        });
        if let Some(promise) = &self.promise {
            entry["inclusionPromise"] = json!({ "signedEntryTimestamp": STANDARD.encode(promise) });
        }
        if let Some(proof) = self.proof.as_ref().filter(|_| proofs) {
            let hashes: Vec<String> =
                proof.hashes.iter().map(|hash| STANDARD.encode(hash)).collect();
            entry["inclusionProof"] = json!({
                "logIndex": proof.place.to_string(),
                "rootHash": STANDARD.encode(&proof.root),
                "treeSize": proof.size.to_string(),
                "hashes": hashes,
                "checkpoint": { "envelope": proof.checkpoint },
            });
        }
        entry
    }

    /// The entry without what is asked to be missing.
    pub(super) fn without(mut self, promise: bool, proof: bool) -> Self {
        if promise {
            self.promise = None;
        }
        if proof {
            self.proof = None;
        }
        self
    }
}
