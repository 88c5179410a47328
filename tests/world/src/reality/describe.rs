//! What a validator found, in sentences that fit on a line.

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;

/// So many differences of one body are told.
const TOLD: usize = 5;
/// So much of a wrong value is shown.
const SHOWN: usize = 80;

/// What is wrong with a value, the first few differences.
pub(crate) fn differences(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).flat_map(|error| sentences(&error)).take(TOLD).collect()
}

/// Of alternatives that all failed, the one that failed least tells the most.
fn sentences(error: &ValidationError<'_>) -> Vec<String> {
    let alternatives = match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context.as_slice()
        }
        _ => &[],
    };
    let told = alternatives
        .iter()
        .map(|errors| errors.iter().flat_map(sentences).collect::<Vec<_>>())
        .filter(|told| !told.iter().any(|sentence| sentence.contains("not of type \"null\"")))
        .min_by_key(Vec::len);
    told.unwrap_or_else(|| {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { "the whole".to_owned() } else { place };
        let mut value = error.instance().to_string();
        if value.len() > SHOWN {
            value = value.chars().take(SHOWN).chain("…".chars()).collect();
        }
        vec![format!("{place}: {} ({value})", error.masked())]
    })
}
