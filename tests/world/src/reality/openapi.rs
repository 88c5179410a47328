//! GitHub's published description of its REST interface, made fit for a JSON Schema validator.

use super::amendments::{AMENDMENTS, UNDESCRIBED};
use jsonschema::{Draft, Registry, Validator};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// By this name schemas refer to the description.
const NAME: &str = "urn:github-openapi";

/// Parameters that take whatever is left of the path, slashes included.
const GREEDY: [&str; 5] = ["{path}", "{ref}", "{branch}", "{basehead}", "{tag}"];

/// The description, and the validators that were needed so far.
pub(crate) struct Description {
    document: Value,
    registry: Registry<'static>,
    operations: Vec<Operation>,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One method of one path.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: String,
    /// As it is published, such as `/repos/{owner}/{repo}`.
    pub(crate) template: String,
    /// Where the operation stands in the description.
    pointer: String,
}

impl Description {
    /// Reads a description.
    ///
    /// # Panics
    /// If the file cannot be read or is no `OpenAPI` 3.0 description.
    pub(crate) fn read(path: &str) -> Self {
        let bytes = std::fs::read(path);
        let bytes = bytes.unwrap_or_else(|error| panic!("{} {path}: {error}", super::OPENAPI));
        let mut document: Value = serde_json::from_slice(&bytes).expect("the description is JSON");
        let version = document["openapi"].as_str().unwrap_or_default();
        assert!(version.starts_with("3.0."), "OpenAPI {version} has other schemas than 3.0");
        fit(&mut document);
        let apart = document.clone();
        join(&mut document, &apart);
        for amendment in AMENDMENTS {
            amendment.apply(&mut document);
        }
        let operations = operations(&document);
        for (method, template, _) in UNDESCRIBED {
            let described = |it: &&Operation| it.method == *method && it.template == *template;
            let found = operations.iter().find(described);
            assert!(found.is_none(), "{template} is described by now: let it be judged");
        }
        let registry = Registry::new()
            .draft(Draft::Draft7)
            .add(NAME, document.clone())
            .and_then(jsonschema::RegistryBuilder::prepare)
            .expect("the description is one resource");
        Self { document, registry, operations, compiled: Mutex::default() }
    }

    /// The operation that a request asks for: of several that fit, the most literal.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        self.operations
            .iter()
            .filter(|operation| operation.method == method)
            .filter_map(|operation| {
                let template: Vec<&str> = operation.template.split('/').skip(1).collect();
                Some((fits(&template, &parts)?, operation))
            })
            .max_by_key(|(literal, _)| *literal)
            .map(|(_, operation)| operation)
    }

    /// What stands at a pointer below an operation, references followed, with its own pointer.
    pub(crate) fn below(&self, operation: &Operation, path: &[&str]) -> Option<(String, &Value)> {
        path.iter().try_fold(self.at(&operation.pointer)?, |(pointer, _), part| {
            self.at(&format!("{pointer}/{}", escaped(part)))
        })
    }

    /// What stands at a pointer, references followed.
    fn at(&self, pointer: &str) -> Option<(String, &Value)> {
        let mut pointer = pointer.to_owned();
        loop {
            let found = self.document.pointer(&pointer)?;
            match found["$ref"].as_str().and_then(|name| name.strip_prefix('#')) {
                Some(elsewhere) => elsewhere.clone_into(&mut pointer),
                None => return Some((pointer, found)),
            }
        }
    }

    /// The validator of the schema at a pointer. It is made when it is first needed.
    pub(crate) fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = compiled.get(pointer) {
            return known.clone();
        }
        // A reference is a URI, in which braces have no place.
        let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
        let schema = json!({ "$ref": format!("{NAME}#{fragment}") });
        let made = jsonschema::options()
            .with_draft(Draft::Draft7)
            .with_registry(&self.registry)
            .should_validate_formats(true)
            .build(&schema)
            .unwrap_or_else(|error| panic!("the schema at {pointer}: {error}"));
        let made = Arc::new(made);
        compiled.insert(pointer.to_owned(), made.clone());
        made
    }
}

/// How many parts of a template a path has literally; `None` if it does not fit.
pub(crate) fn fits(template: &[&str], path: &[&str]) -> Option<usize> {
    let Some((first, rest)) = template.split_first() else {
        return path.is_empty().then_some(0);
    };
    if GREEDY.contains(first) {
        return (1..=path.len()).rev().find_map(|taken| fits(rest, &path[taken..]));
    }
    let (part, left) = path.split_first()?;
    let literal = first == part;
    let takes = first.starts_with('{') && !part.is_empty();
    (literal || takes).then(|| fits(rest, left)).flatten().map(|more| more + usize::from(literal))
}

fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object();
    let methods = ["get", "put", "post", "patch", "delete"];
    paths
        .into_iter()
        .flatten()
        .flat_map(|(template, item)| {
            let known = methods.into_iter().filter(|method| item.get(*method).is_some());
            known.map(|method| Operation {
                method: method.to_uppercase(),
                template: template.clone(),
                pointer: format!("/paths/{}/{method}", escaped(template)),
            })
        })
        .collect()
}

/// A part of a JSON pointer.
fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

/// Turns what only `OpenAPI` 3.0 knows into JSON Schema, and closes every object that lists its
/// properties: what the description does not name is no part of the answer.
fn fit(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(fit),
        Value::Object(schema) => {
            schema.values_mut().for_each(fit);
            if schema.remove("nullable") == Some(Value::Bool(true)) {
                allow_null(schema);
            }
            if schema.get("properties").is_some_and(Value::is_object) {
                schema.entry("additionalProperties").or_insert(Value::Bool(false));
            }
        }
        _ => {}
    }
}

/// Makes one object of those that are described in parts, each of which is closed by now.
fn join(value: &mut Value, apart: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| join(item, apart)),
        Value::Object(schema) => {
            schema.values_mut().for_each(|value| join(value, apart));
            let Some(Value::Array(parts)) = schema.remove("allOf") else {
                return;
            };
            let (mut properties, mut required) = (Map::new(), Vec::new());
            for part in &parts {
                let name = part["$ref"].as_str().and_then(|name| name.strip_prefix('#'));
                let part = name.and_then(|name| apart.pointer(name)).unwrap_or(part);
                properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
                required.extend(part["required"].as_array().cloned().unwrap_or_default());
            }
            schema.insert("type".to_owned(), json!("object"));
            schema.insert("properties".to_owned(), Value::Object(properties));
            schema.insert("required".to_owned(), Value::Array(required));
            schema.insert("additionalProperties".to_owned(), json!(false));
        }
        _ => {}
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    let Some(kind) = schema.get_mut("type") else {
        let rest = Value::Object(std::mem::take(schema));
        schema.insert("anyOf".to_owned(), json!([rest, { "type": "null" }]));
        return;
    };
    *kind = json!([kind.take(), "null"]);
    if let Some(Value::Array(words)) = schema.get_mut("enum")
        && !words.contains(&Value::Null)
    {
        words.push(Value::Null);
    }
}
