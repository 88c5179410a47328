//! JSON in the one form that a log signs: keys sorted, no white space.
//!
//! Made here and not left to the order in which a JSON library keeps its maps: a feature that some
//! other package turns on would change that order, and with it every signature.

use serde_json::Value;
use std::collections::BTreeMap;

/// The value's canonical text. Numbers have to be whole ones.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            let fields = sorted.iter().map(|(key, value)| {
                format!("{}:{}", Value::String((*key).clone()), canonical(value))
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let items = items.iter().map(canonical);
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_level_and_nothing_is_between() {
        let text = r#"{ "b": [ { "z": 1, "a": "\u000a\"" } ], "a": null }"#;
        let value: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(canonical(&value), r#"{"a":null,"b":[{"a":"\n\"","z":1}]}"#);
    }
}
