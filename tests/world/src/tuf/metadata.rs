//! Metadata as The Update Framework has it: what is signed, and how.

use crate::sigstore::Key;
use crate::wire::{hex, hex_sha256};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

const SPEC: &str = "1.0.31";
const SCHEME: &str = "ecdsa-sha2-nistp256";

/// The text that signatures are made over: OLPC's canonical JSON. Keys are sorted, nothing stands
/// between, and only quotes and backslashes are escaped: a line break in a key is one.
fn canonical(value: &Value) -> String {
    let text = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            let fields =
                sorted.iter().map(|(key, value)| format!("{}:{}", text(key), canonical(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let items = items.iter().map(canonical);
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        }
        Value::String(it) => text(it),
        plain => plain.to_string(),
    }
}

/// A key with the name under which metadata knows it.
#[derive(Debug, Clone)]
pub(super) struct NamedKey {
    key: Arc<Key>,
    pub(super) id: String,
    pub(super) public: Value,
}

impl NamedKey {
    pub(super) fn new() -> Self {
        let key = Key::new();
        let public = json!({
            "keytype": "ecdsa",
            "scheme": SCHEME,
            "keyval": { "public": key.public_pem() },
        });
        Self { id: hex_sha256(canonical(&public).as_bytes()), key: Arc::new(key), public }
    }

    /// Another key under the same name.
    pub(super) fn impostor(&self) -> Self {
        Self { key: Arc::new(Key::new()), ..self.clone() }
    }
}

/// When a document ends that is made at this time and lives for so long; for one that is to be
/// expired, an hour before.
pub(super) fn end(now: DateTime<Utc>, days: i64, expired: bool) -> Value {
    let end = if expired { now - TimeDelta::hours(1) } else { now + TimeDelta::days(days) };
    json!(end.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// A document of a role: what all have, and what this one has.
pub(super) fn document(role: &str, version: u64, expires: Value, more: Value) -> Value {
    let mut document = more;
    document["_type"] = json!(role);
    document["spec_version"] = json!(SPEC);
    document["version"] = json!(version);
    document["expires"] = expires;
    document
}

/// A signed document. Keys that may sign and did not are listed with an empty signature, as the
/// public repository does.
pub(super) fn sign(document: &Value, signers: &[NamedKey], absent: &[NamedKey]) -> Vec<u8> {
    let bytes = canonical(document).into_bytes();
    let signed =
        signers.iter().map(|it| json!({ "keyid": it.id, "sig": hex(&it.key.sign(&bytes)) }));
    let unsigned = absent.iter().map(|it| json!({ "keyid": it.id, "sig": "" }));
    let signatures: Vec<Value> = signed.chain(unsigned).collect();
    json!({ "signatures": signatures, "signed": document }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_is_one_and_only_quotes_and_backslashes_are_escaped() {
        let value = json!({ "b": [1, true, null], "a": "x\ny\"z\\" });
        assert_eq!(canonical(&value), "{\"a\":\"x\ny\\\"z\\\\\",\"b\":[1,true,null]}");
    }
}
