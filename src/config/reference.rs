//! Writes `docs/configuration.md` and its JSON Schema from the types of the config file, and holds
//! the committed files to them. What the doc comments say of defaults has to be true as well.
//! Compiled for tests alone.

use super::{Environment, raw};
use serde_json::{Map, Value as Json};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const INTRODUCTION: &str = "\
# Configuration

<!-- Written by `UPDATE=1 cargo test --lib config::reference` from src/config/; changes by hand are lost. -->

The file is TOML, `/etc/digest-bump.toml` unless `--config` or `DIGEST_BUMP_CONFIG` names another. An unknown key is an
error. Problems are reported together, each with its key; a value of the wrong type, or a key that is missing, first and alone.
[`config/digest-bump.toml`](../config/digest-bump.toml) is
a whole one. Durations are a number with a unit, such as `45s`, `20m`, `24h` or `7d`, or `0`. URLs are `https://`;
plain `http://` is for a server on loopback alone. Regular expressions are those of
[the regex crate](https://docs.rs/regex/latest/regex/#syntax). The path of a file on this machine, such as `known_issues`
or `tls.ca_file`, is best absolute: one that is relative is looked for below the directory in which the program is started.

[`configuration.schema.json`](configuration.schema.json) says the same to an editor. For Taplo, and what is built on it,
the first line of a config is then `#:schema` and the path of that file.
";
const VARIABLES: &str = "
## Environment

Secrets are never in the file.

| variable | meaning |
| --- | --- |
| `DIGEST_BUMP_CONFIG` | the config file, where `--config` does not name it. |
";

/// One key of one table.
struct Key<'a> {
    name: &'a str,
    schema: &'a Json,
    required: bool,
}

#[test]
fn the_reference_is_as_the_types_are() {
    let schema = schema();
    held("docs/configuration.schema.json", serde_json::to_string_pretty(&schema).unwrap() + "\n");
    held("docs/configuration.md", document(&schema));
}

#[test]
fn what_comments_say_of_defaults_is_checked() {
    let said = |required, schema| {
        let key = Key { name: "x", schema: &schema, required };
        key.default().unwrap_or_else(|fault| fault)
    };
    let text = |text: &str, default: Json| serde_json::json!({ "type": "string", "description": text, "default": default });
    assert_eq!(said(false, text("A. Default: `b`.", "b".into())), "`b`");
    assert_eq!(said(false, text("A. Default: none.", Json::Array(Vec::new()))), "none");
    assert_eq!(said(true, serde_json::json!({ "description": "A. Required." })), "required");
    let untrue = said(false, text("A. Default: `b`.", "c".into()));
    assert_eq!(untrue, "`x` is documented as `A. Default: `b`.`, but its default is `c`");
    let silent = said(false, text("A.", "c".into()));
    assert_eq!(silent, "`x` is documented as `A.`, but its default is `c`");
    let silent = said(true, serde_json::json!({ "description": "A." }));
    assert_eq!(silent, "`x` is documented as `A.`, but it is required");
    let silent = said(false, serde_json::json!({ "type": "string", "description": "A." }));
    assert_eq!(silent, "`x` is documented as `A.`, without its default");
}

#[test]
fn every_variable_of_the_program_is_documented() {
    let document = document(&schema());
    let mut names = BTreeSet::new();
    for file in rust_files(&root().join("src")) {
        let text = fs::read_to_string(file).unwrap();
        for found in text.split("DIGEST_BUMP_").skip(1) {
            let end = found.find(|c: char| !(c.is_ascii_uppercase() || c == '_'));
            names.insert(format!("DIGEST_BUMP_{}", &found[..end.unwrap_or(found.len())]));
        }
    }
    names.remove("DIGEST_BUMP_");
    assert!(names.contains("DIGEST_BUMP_GITHUB_TOKEN"), "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !document.contains(*name)).collect();
    assert!(missing.is_empty(), "not in docs/configuration.md: {missing:?}");
}

/// Compares a committed file, or writes it where `UPDATE` is set.
#[expect(clippy::disallowed_methods, reason = "for whoever runs the test, not for the program")]
fn held(name: &str, expected: String) {
    let file = root().join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, expected).unwrap();
        return;
    }
    let committed = fs::read_to_string(file).unwrap_or_default();
    let hint = "is not as the types are; run `UPDATE=1 cargo test --lib config::reference`";
    assert!(committed == expected, "{name} {hint}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.into_iter().chain(folders.iter().flat_map(|folder| rust_files(folder))).collect()
}

fn schema() -> Json {
    let mut schema = serde_json::to_value(schemars::schema_for!(raw::Config)).unwrap();
    without_null(&mut schema);
    schema
}

/// TOML has no null: what may be absent is only not required.
fn without_null(schema: &mut Json) {
    if let Some(kinds) = schema.get_mut("type").and_then(Json::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        schema["type"] = schema["type"][0].take();
    }
    if let Some(mut choices) = schema.get("anyOf").and_then(Json::as_array).cloned() {
        choices.retain(|choice| choice["type"] != "null");
        if let [Json::Object(only)] = choices.as_slice() {
            let own = schema.as_object_mut().unwrap();
            own.remove("anyOf");
            own.extend(only.clone());
        }
    }
    match schema {
        Json::Object(object) => object.values_mut().for_each(without_null),
        Json::Array(array) => array.iter_mut().for_each(without_null),
        _ => {}
    }
}

fn document(schema: &Json) -> String {
    let mut out = INTRODUCTION.to_owned();
    table(schema, schema, "", &mut out);
    out.push_str(VARIABLES);
    let environment = serde_json::to_value(schemars::schema_for!(Environment)).unwrap();
    for variable in environment["properties"].as_object().unwrap().values() {
        let text = prose(variable);
        let (name, meaning) = text.split_once(": ").expect("a variable's name, then its meaning");
        let _ = writeln!(out, "| {name} | {meaning} |");
    }
    out
}

/// One table of the file, and then the tables in it.
fn table(whole: &Json, schema: &Json, place: &str, out: &mut String) {
    let heading = match place.strip_suffix("[]") {
        None if place.is_empty() => "Top level".to_owned(),
        None => format!("`[{place}]`"),
        Some(_) => format!("`[[{}]]`", place.replace("[]", "")),
    };
    let heading = heading.replace("[].", ".");
    let _ = writeln!(out, "\n## {heading}\n\n{}\n", prose(schema));
    out.push_str("| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
    let keys = keys(schema);
    for key in &keys {
        let kind = kind(whole, key.schema);
        let default = key.default().unwrap_or_else(|fault| panic!("{place}: {fault}"));
        let meaning = key.meaning() + &choices(whole, key.schema);
        let cells = [format!("`{}`", key.name), kind, default, meaning];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    for key in &keys {
        let place =
            if place.is_empty() { key.name.into() } else { format!("{place}.{}", key.name) };
        let (schema, place) = if let Some(items) = key.schema.get("items") {
            (items, format!("{place}[]"))
        } else if let Some(values @ Json::Object(_)) = key.schema.get("additionalProperties") {
            (values, format!("{place}.NAME"))
        } else {
            (key.schema, place)
        };
        let schema = resolved(whole, schema);
        if schema.get("properties").is_some() {
            table(whole, schema, &place, out);
        }
    }
}

/// What must be given first, each half by name.
fn keys(schema: &Json) -> Vec<Key<'_>> {
    let empty = Vec::new();
    let required = schema["required"].as_array().unwrap_or(&empty);
    let properties: &Map<String, Json> = schema["properties"].as_object().unwrap();
    let all = properties.iter().map(|(name, schema)| {
        let required = required.iter().any(|it| it == name.as_str());
        Key { name, schema, required }
    });
    let (first, then): (Vec<_>, Vec<_>) = all.partition(|key| key.required);
    first.into_iter().chain(then).collect()
}

impl Key<'_> {
    /// The column for it, if the doc comment agrees with the code.
    fn default(&self) -> Result<String, String> {
        let text = prose(self.schema);
        let fault = |but: &str| Err(format!("`{}` is documented as `{text}`, {but}", self.name));
        let stated = text.split_once("Default: ").and_then(|(_, rest)| rest.strip_suffix('.'));
        if self.required {
            return if text.contains("Required") {
                Ok("required".to_owned())
            } else {
                fault("but it is required")
            };
        }
        match (self.schema.get("default").map(value), stated) {
            (Some(actual), Some(stated)) if actual == stated => Ok(actual),
            (Some(actual), _) => fault(&format!("but its default is {actual}")),
            (None, Some(stated)) => Ok(stated.to_owned()),
            // A table has the defaults of its keys.
            (None, None) if self.schema.get("type").is_none_or(|kind| kind == "array") => {
                Ok("see below".to_owned())
            }
            (None, None) => fault("without its default"),
        }
    }

    /// The doc comment without what other columns say.
    fn meaning(&self) -> String {
        let text = prose(self.schema);
        let text = text.split_once("Default: ").map_or(text.as_str(), |(text, _)| text);
        text.trim_end().trim_end_matches("Required.").trim_end().to_owned()
    }
}

/// A default as the file would have it.
fn value(default: &Json) -> String {
    match default {
        Json::String(text) => format!("`{text}`"),
        Json::Array(all) if all.is_empty() => "none".to_owned(),
        Json::Object(all) if all.is_empty() => "none".to_owned(),
        Json::Array(all) => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            format!("`[{}]`", all.join(", "))
        }
        other => format!("`{other}`"),
    }
}

fn kind(whole: &Json, schema: &Json) -> String {
    let target = resolved(whole, schema);
    match target["type"].as_str() {
        Some("object") if target.get("properties").is_some() => "table".to_owned(),
        Some("object") => format!("table of {}s", kind(whole, &target["additionalProperties"])),
        Some("array") => format!("list of {}s", kind(whole, &target["items"])),
        Some(other) => other.to_owned(),
        None => "string".to_owned(),
    }
}

/// What each of a few words means.
fn choices(whole: &Json, schema: &Json) -> String {
    let mut out = String::new();
    for choice in resolved(whole, schema)["oneOf"].as_array().into_iter().flatten() {
        let word = choice["const"].as_str().expect("a word");
        let _ = write!(out, " `{word}`: {}", prose(choice));
    }
    out
}

fn resolved<'a>(whole: &'a Json, schema: &'a Json) -> &'a Json {
    match schema["$ref"].as_str() {
        Some(reference) => whole.pointer(reference.trim_start_matches('#')).expect("a definition"),
        None => schema,
    }
}

/// The doc comment, on one line.
fn prose(schema: &Json) -> String {
    schema["description"].as_str().expect("a doc comment").replace('\n', " ")
}
