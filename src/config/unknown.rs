//! Keys that mean nothing: each is an error, with its place, beside whatever else is wrong.

use serde_ignored::Path;
use std::borrow::Cow;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// One step on the way to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// The way from the top of the file to an ignored key.
pub(super) fn steps(path: &Path<'_>) -> Vec<Step> {
    let (parent, step) = match path {
        Path::Root => return Vec::new(),
        Path::Seq { parent, index } => (parent, Some(Step::Index(*index))),
        Path::Map { parent, key } => (parent, Some(Step::Key(key.clone()))),
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => (parent, None),
    };
    let mut all = steps(parent);
    all.extend(step);
    all
}

/// What is wrong with an unknown key: its place as all problems have it, and its line.
pub(super) fn problem(way: &[Step], text: &str) -> String {
    let steps = way.iter().map(|step| match step {
        Step::Key(key) => format!(".{key}"),
        Step::Index(index) => format!("[{index}]"),
    });
    let place: String = steps.collect();
    let place = place.trim_start_matches('.');
    let line = DeTable::parse(text).ok().and_then(|table| key_at(table.get_ref(), way)).map(|at| {
        let before = text.get(..at).unwrap_or_default();
        format!(" (line {})", before.matches('\n').count() + 1)
    });
    format!("{place}{}: there is no such key", line.unwrap_or_default())
}

/// Where a key begins, in bytes.
fn key_at(table: &DeTable<'_>, way: &[Step]) -> Option<usize> {
    let (Step::Key(key), rest) = way.split_first()? else {
        return None;
    };
    let (name, value) = table.iter().find(|(name, _)| Cow::as_ref(name.get_ref()) == key)?;
    if rest.is_empty() { Some(name.span().start) } else { value_at(value, rest) }
}

fn value_at(value: &Spanned<DeValue<'_>>, way: &[Step]) -> Option<usize> {
    match (value.get_ref(), way.split_first()?) {
        (DeValue::Table(table), _) => key_at(table, way),
        (DeValue::Array(array), (Step::Index(index), rest)) => value_at(array.get(*index)?, rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_its_table_and_on_its_line() {
        let text = "a = 1\n[[watch]]\nname = \"x\"\n[[watch]]\nup = { image = 1, label = 2 }\n";
        let key = |text: &str| Step::Key(text.to_owned());
        let way = [key("watch"), Step::Index(1), key("up"), key("label")];
        assert_eq!(problem(&way, text), "watch[1].up.label (line 5): there is no such key");
        assert_eq!(problem(&[key("a")], text), "a (line 1): there is no such key");
        assert_eq!(problem(&[key("b")], text), "b: there is no such key");
    }
}
