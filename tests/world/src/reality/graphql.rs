//! Judges one exchange of the GraphQL interface: the document and its variables, and whether what
//! was answered has the types of what was selected.

use super::{Judgement, schema};
use crate::wire::{Answer, Call};
use apollo_compiler::{
    ExecutableDocument, Schema,
    executable::{Field, Operation, Selection, SelectionSet},
    request::coerce_variable_values,
    schema::{ExtendedType, Type},
    validation::Valid,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Reads GitHub's schema.
///
/// # Panics
/// If the file cannot be read or is no schema.
pub(crate) fn read(path: &str) -> Valid<Schema> {
    let text = std::fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("{} {path}: {error}", super::GRAPHQL_SCHEMA));
    match Schema::parse_and_validate(text, path) {
        Ok(schema) => schema,
        Err(why) => {
            // GitHub publishes a few fields twice, word for word. The first one counts.
            let other = why.errors.iter().map(|error| error.error.to_string());
            let other: Vec<String> =
                other.filter(|error| !error.starts_with("duplicate definitions")).collect();
            assert!(other.is_empty(), "{path} is no schema: {other:?}");
            Valid::assume_valid(why.partial)
        }
    }
}

/// Holds a request and its answer to the schema, if there is one.
pub(crate) fn judge(call: &Call, answer: &Answer) -> Judgement {
    let Some(schema) = schema().filter(|_| answer.status == 200) else {
        return Judgement::default();
    };
    let wish = call.json();
    let text = wish["query"].as_str().unwrap_or_default();
    let document = match ExecutableDocument::parse_and_validate(schema, text, "query") {
        Ok(document) => document,
        Err(why) => {
            let errors = why.errors.iter().map(|error| error.unstable_to_json_compat().message);
            let mismatches =
                errors.map(|why| format!("GitHub's GraphQL does not take this: {why}"));
            return Judgement { judged: None, mismatches: mismatches.collect() };
        }
    };
    let Ok(operation) = document.operations.get(wish["operationName"].as_str()) else {
        return Judgement::default();
    };
    let fields = operation.selection_set.fields().map(|field| field.name.as_str());
    let fields: Vec<&str> = fields.collect();
    let name = format!("{} {}", operation.operation_type, fields.join(" "));
    let mut mismatches = Vec::new();
    let variables = serde_json::from_value(wish["variables"].clone()).unwrap_or_default();
    if let Err(why) = coerce_variable_values(schema, operation, &variables) {
        mismatches.push(format!("the variables: {}", why.message()));
    }
    let response = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    mismatches.extend(answered(schema, &document, operation, &response));
    let mismatches = mismatches.into_iter().map(|why| format!("{name}: {why}")).collect();
    Judgement { judged: Some((name, answer.status)), mismatches }
}

/// What is wrong with a response.
fn answered(
    schema: &Valid<Schema>,
    document: &ExecutableDocument,
    operation: &Operation,
    response: &Value,
) -> Vec<String> {
    let mut reading = Reading { schema, document, mismatches: Vec::new() };
    for error in response["errors"].as_array().into_iter().flatten() {
        reading.error(error);
    }
    if response.get("errors").is_some_and(|errors| errors.as_array().is_none_or(Vec::is_empty)) {
        reading.wrong("errors", "where there is none, nothing is said of errors");
    }
    let other = response.as_object().into_iter().flatten();
    let other = other.filter(|(key, _)| !["data", "errors", "extensions"].contains(&key.as_str()));
    let other: Vec<String> = other.map(|(key, _)| format!("a response has no `{key}`")).collect();
    reading.mismatches.extend(other);
    match &response["data"] {
        Value::Null if response["errors"].is_array() => {}
        Value::Null => reading.wrong("data", "there is neither data nor an error"),
        data => reading.object("data", &operation.selection_set, data),
    }
    reading.mismatches
}

struct Reading<'a> {
    schema: &'a Valid<Schema>,
    document: &'a ExecutableDocument,
    mismatches: Vec<String>,
}

impl Reading<'_> {
    fn wrong(&mut self, place: &str, what: &str) {
        self.mismatches.push(format!("{place}: {what}"));
    }

    /// An error has a sentence, and mostly a place in the document, a path in the data and a kind.
    fn error(&mut self, error: &Value) {
        let optional = |key: &str, is: fn(&Value) -> bool| error.get(key).is_none_or(is);
        let located = |place: &Value| place["line"].is_u64() && place["column"].is_u64();
        let locations = error["locations"].as_array();
        let is_fine = error["message"].is_string()
            && optional("type", Value::is_string)
            && optional("path", Value::is_array)
            && optional("extensions", Value::is_object)
            && locations.is_none_or(|places| places.iter().all(located));
        if !is_fine {
            self.wrong("errors", &format!("this is no error: {error}"));
        }
    }

    fn object(&mut self, place: &str, selected: &SelectionSet, value: &Value) {
        let Some(fields) = value.as_object() else {
            return self.wrong(place, &format!("{} is an object, not {value}", selected.ty));
        };
        let mut wanted = Vec::new();
        self.collect(selected, &mut wanted, false);
        let keys: BTreeSet<&str> =
            wanted.iter().map(|(field, _)| field.response_key().as_str()).collect();
        for key in fields.keys().filter(|key| !keys.contains(key.as_str())) {
            self.wrong(place, &format!("`{key}` was not selected"));
        }
        for (field, optional) in wanted {
            let key = field.response_key().as_str();
            let below = format!("{place}.{key}");
            match fields.get(key) {
                Some(value) => self.value(&below, &field, field.ty(), value),
                None if optional => {}
                None => self.wrong(&below, "it was selected, and is not there"),
            }
        }
    }

    /// The selected fields. Those of a fragment and those with a condition may be missing.
    fn collect(&self, selected: &SelectionSet, wanted: &mut Vec<(Field, bool)>, optional: bool) {
        for selection in &selected.selections {
            match selection {
                Selection::Field(field) => {
                    let optional = optional || !field.directives.is_empty();
                    wanted.push((Field::clone(field), optional));
                }
                Selection::InlineFragment(inline) => {
                    self.collect(&inline.selection_set, wanted, true);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = spread.fragment_def(self.document) {
                        self.collect(&fragment.selection_set, wanted, true);
                    }
                }
            }
        }
    }

    fn value(&mut self, place: &str, field: &Field, ty: &Type, value: &Value) {
        match (ty, value) {
            (Type::NonNullNamed(_) | Type::NonNullList(_), Value::Null) => {
                self.wrong(place, &format!("{ty} is never null"));
            }
            (_, Value::Null) => {}
            (Type::List(item) | Type::NonNullList(item), Value::Array(items)) => {
                for (at, value) in items.iter().enumerate() {
                    self.value(&format!("{place}.{at}"), field, item, value);
                }
            }
            (Type::List(_) | Type::NonNullList(_), _) => {
                self.wrong(place, &format!("{ty} is a list, not {value}"));
            }
            (Type::Named(name) | Type::NonNullNamed(name), value) => {
                match self.schema.types.get(name) {
                    Some(ExtendedType::Enum(words)) => {
                        let word = value.as_str().unwrap_or_default();
                        if !words.values.contains_key(word) {
                            self.wrong(place, &format!("{value} is none of {name}"));
                        }
                    }
                    Some(ExtendedType::Scalar(_)) if !is_scalar(name, value) => {
                        self.wrong(place, &format!("{value} is no {name}"));
                    }
                    Some(ExtendedType::Scalar(_)) => {}
                    _ => self.object(place, &field.selection_set, value),
                }
            }
        }
    }
}

/// Whether a value is of a scalar type; of those that the world does not use, any text is.
fn is_scalar(name: &str, value: &Value) -> bool {
    let text = value.as_str();
    match name {
        "Boolean" => value.is_boolean(),
        "Int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "Float" => value.is_number(),
        "GitObjectID" => text.is_some_and(|text| {
            text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        }),
        "GitRefname" => text.is_some_and(|text| text.starts_with("refs/")),
        _ => text.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GRAPHQL_SCHEMA, World, github, log::Service, published};
    use apollo_compiler::ast;
    use serde_json::json;

    type Spoil = fn(&mut Value);

    fn wish(query: &str, variables: &Value) -> Call {
        Call {
            service: Service::GitHub,
            method: "POST".to_owned(),
            path: github::GRAPHQL.to_owned(),
            query: String::new(),
            headers: [(
                http::header::AUTHORIZATION,
                http::HeaderValue::from_static("Bearer ghs_worldBotToken0123456789abcdefghijkl"),
            )]
            .into_iter()
            .collect(),
            body: json!({ "query": query, "variables": variables }).to_string().into_bytes(),
            after: 0,
        }
    }

    #[tokio::test]
    async fn a_wrong_answer_is_caught_whatever_is_wrong_with_it() {
        if published(GRAPHQL_SCHEMA).is_none() {
            return;
        }
        let world = World::start().await;
        let query = "query($owner: String!, $name: String!) {
            repository(owner: $owner, name: $name) {
                id
                main: ref(qualifiedName: \"refs/heads/main\") { name target { oid } }
            }
        }";
        let call = wish(query, &json!({ "owner": "toon-protocol", "name": "town" }));
        let right = github::answer(&world.inner, &call);
        let said = |answer: &Answer| judge(&call, answer).mismatches.join("; ");
        assert_eq!(said(&right), "");
        let spoils: [(Spoil, &str); 8] = [
            (|all| all["errors"] = json!([]), "nothing is said of errors"),
            (|all| all["data"] = json!(null), "neither data nor an error"),
            (|all| all["status"] = json!(200), "a response has no `status`"),
            (|all| all["data"]["repository"]["id"] = json!(null), "ID! is never null"),
            (|all| all["data"]["repository"]["id"] = json!(1), "1 is no ID"),
            (|all| all["data"]["repository"]["mood"] = json!(1), "`mood` was not selected"),
            (|all| all["data"]["repository"]["main"]["target"] = json!({}), "is not there"),
            (
                |all| all["data"]["repository"]["main"]["target"]["oid"] = json!("main"),
                "\"main\" is no GitObjectID",
            ),
        ];
        for (spoil, expected) in spoils {
            let mut value: Value = serde_json::from_slice(&right.body).unwrap();
            spoil(&mut value);
            let wrong = Answer { body: value.to_string().into_bytes(), ..right.clone() };
            let said = said(&wrong);
            assert!(said.contains(expected), "{expected}: {said}");
        }
        for (query, variables, expected) in [
            ("{ repository { id } }", json!({}), "does not take this"),
            ("{ viewer { mood } }", json!({}), "does not take this"),
            (query, json!({ "owner": 1, "name": "town" }), "the variables: "),
        ] {
            let said = judge(&wish(query, &variables), &right).mismatches.join("; ");
            assert!(said.contains(expected), "{expected}: {said}");
        }
    }

    /// Each line of a schema that defines something, as `Type.field(argument: …): Type`.
    fn lines(text: &str, path: &str) -> BTreeSet<String> {
        let document = ast::Document::parse(text, path).unwrap();
        let mut lines = BTreeSet::new();
        let plain = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for definition in &document.definitions {
            let fields = match definition {
                ast::Definition::ObjectTypeDefinition(kind) => &kind.fields,
                ast::Definition::InterfaceTypeDefinition(kind) => &kind.fields,
                ast::Definition::InputObjectTypeDefinition(kind) => {
                    for field in &kind.fields {
                        let mut field = ast::InputValueDefinition::clone(field);
                        (field.description, field.directives) = Default::default();
                        lines.insert(plain(format!("{}.{field}", kind.name)));
                    }
                    continue;
                }
                ast::Definition::EnumTypeDefinition(kind) => {
                    let words = kind.values.iter().map(|word| &word.value);
                    lines.extend(words.map(|word| format!("{}.{word}", kind.name)));
                    continue;
                }
                ast::Definition::ScalarTypeDefinition(kind) => {
                    lines.insert(kind.name.to_string());
                    continue;
                }
                _ => continue,
            };
            let name = definition.name().unwrap();
            for field in fields {
                lines.insert(format!("{name}.{}: {}", field.name, field.ty));
                for argument in &field.arguments {
                    let (asked, ty) = (&argument.name, &argument.ty);
                    lines.insert(format!("{name}.{}({asked}: {ty})", field.name));
                }
            }
        }
        lines
    }

    #[test]
    fn what_the_world_knows_is_in_github_s_schema() {
        let Some(path) = published(GRAPHQL_SCHEMA) else {
            return;
        };
        let github = lines(&std::fs::read_to_string(&path).unwrap(), &path);
        let known = lines(include_str!("../github/graphql/known.graphql"), "known.graphql");
        assert!(known.len() > 30, "{known:#?}");
        let invented: Vec<_> = known.difference(&github).collect();
        assert!(invented.is_empty(), "GitHub has no {invented:#?}");
    }
}
