//! Judges one exchange of the REST interface: what was asked, and what the world answered.

use super::{
    Judgement,
    amendments::{REFUSALS, UNDESCRIBED},
    describe::differences,
    description,
    openapi::{Description, Operation, fits},
};
use crate::wire::{Answer, Call};
use serde_json::Value;

/// Holds a request and its answer to the description, if there is one.
pub(crate) fn judge(call: &Call, answer: &Answer) -> Judgement {
    let Some(description) = description() else {
        return Judgement::default();
    };
    // One of another shape may be described that fits as well: a number of a pull request, say.
    if is_undescribed(call) {
        return Judgement::default();
    }
    let method = if call.method == "HEAD" { "GET" } else { &call.method };
    let Some(operation) = description.operation(method, &by_name(&call.path)) else {
        return unknown(call, answer);
    };
    let exchange = Exchange { description, operation, call, answer };
    let mut mismatches = exchange.answered();
    // A bad token is refused before anything else of the request is looked at.
    if answer.status != 401 {
        mismatches.extend(exchange.asked());
    }
    let name = format!("{} {}", operation.method, operation.template);
    for mismatch in &mut mismatches {
        *mismatch = format!("{name} → {}: {mismatch}", answer.status);
    }
    Judgement { judged: Some((name, answer.status)), mismatches }
}

/// Whether GitHub has this operation, and the description at hand leaves it out.
fn is_undescribed(call: &Call) -> bool {
    let path = by_name(&call.path);
    let parts: Vec<&str> = path.split('/').collect();
    UNDESCRIBED.iter().any(|(method, template, _)| {
        let template: Vec<&str> = template.split('/').collect();
        call.method == *method && fits(&template, &parts).is_some()
    })
}

/// An operation that is not published must not work here. A refusal claims nothing.
fn unknown(call: &Call, answer: &Answer) -> Judgement {
    let what = format!("GitHub describes no {} {}", call.method, call.path);
    let mismatches = if answer.status < 400 { vec![what] } else { Vec::new() };
    Judgement { judged: None, mismatches }
}

/// The links of lists go by a repository's number, which is not described, but is the same.
fn by_name(path: &str) -> String {
    let rest = path.strip_prefix("/repositories/").map(|rest| rest.split_once('/'));
    match rest {
        None => path.to_owned(),
        Some(None) => "/repos/by/number".to_owned(),
        Some(Some((_, rest))) => format!("/repos/by/number/{rest}"),
    }
}

struct Exchange<'a> {
    description: &'a Description,
    operation: &'a Operation,
    call: &'a Call,
    answer: &'a Answer,
}

impl Exchange<'_> {
    fn asked(&self) -> Vec<String> {
        let mut mismatches = self.query();
        let described = self.description.below(self.operation, &["requestBody"]);
        let body = &self.call.body;
        match described {
            None if body.is_empty() => {}
            None => mismatches.push("it takes no body, and was given one".to_owned()),
            Some((_, described)) if body.is_empty() => {
                if described["required"] == true {
                    mismatches.push("it needs a body, and was given none".to_owned());
                }
            }
            Some(_) => {
                let path = ["requestBody", "content", "application/json", "schema"];
                mismatches.extend(self.body("the request's body", body, &path));
            }
        }
        mismatches
    }

    /// Every parameter of the query is one that is described, with a value that fits.
    fn query(&self) -> Vec<String> {
        let described = self.description.below(self.operation, &["parameters"]);
        let count = described.and_then(|(_, list)| list.as_array()).map_or(0, Vec::len);
        let known: Vec<(String, &Value)> = (0..count)
            .filter_map(|at| {
                self.description.below(self.operation, &["parameters", &at.to_string()])
            })
            .filter(|(_, parameter)| parameter["in"] == "query")
            .collect();
        let mut mismatches = Vec::new();
        for (name, text) in self.call.parameters() {
            let Some((pointer, parameter)) = known.iter().find(|(_, known)| known["name"] == name)
            else {
                mismatches.push(format!("it takes no parameter `{name}`"));
                continue;
            };
            let value = match parameter["schema"]["type"].as_str() {
                Some("integer" | "boolean") => serde_json::from_str(&text).unwrap_or(Value::Null),
                _ => Value::String(text),
            };
            let validator = self.description.validator(&format!("{pointer}/schema"));
            let wrong = differences(&validator, &value);
            mismatches.extend(wrong.iter().map(|why| format!("the parameter `{name}`: {why}")));
        }
        mismatches
    }

    fn answered(&self) -> Vec<String> {
        let answer = self.answer;
        if matches!(answer.status, 204 | 304) && !answer.body.is_empty() {
            return vec!["an answer of this status has no body".to_owned()];
        }
        if answer.status == 304 {
            // Conditional answers are described for some operations, and work for all that are read.
            return Vec::new();
        }
        let status = answer.status.to_string();
        let described = self.description.below(self.operation, &["responses", &status]);
        let content = described.as_ref().and_then(|(_, response)| response.get("content"));
        match (described, content) {
            (Some(_), Some(content)) => self.answered_with(content, &["responses", &status]),
            (Some(_), None) if answer.body.is_empty() => Vec::new(),
            _ => self.refused(),
        }
    }

    /// The body of an answer of which the description says what it holds.
    fn answered_with(&self, content: &Value, at: &[&str]) -> Vec<String> {
        let media = self.media();
        if content.get(media).is_none() {
            return vec![format!("it is not answered as `{media}`")];
        }
        if content[media].get("schema").is_none() {
            return Vec::new();
        }
        let path = [at, &["content", media, "schema"]].concat();
        self.body("the answer's body", &self.answer.body, &path)
    }

    /// A refusal that is described apart from the operations.
    fn refused(&self) -> Vec<String> {
        let status = self.answer.status;
        let Some((_, schema, _)) = REFUSALS.iter().find(|(of, _, _)| *of == status) else {
            return vec!["this status, with a body or without, is not described".to_owned()];
        };
        if self.media() != "application/json" {
            return vec![format!("a refusal is not answered as `{}`", self.media())];
        }
        let pointer = format!("/components/schemas/{schema}");
        self.validated("the answer's body", &self.answer.body, &pointer)
    }

    fn media(&self) -> &str {
        let mut headers = self.answer.headers.iter();
        let found = headers.find(|(name, _)| name == "content-type");
        found.map_or("", |(_, value)| value.split(';').next().unwrap_or_default().trim())
    }

    fn body(&self, what: &str, bytes: &[u8], schema: &[&str]) -> Vec<String> {
        match self.description.below(self.operation, schema) {
            Some((pointer, _)) => self.validated(what, bytes, &pointer),
            None => vec![format!("{what} is not described")],
        }
    }

    fn validated(&self, what: &str, bytes: &[u8], pointer: &str) -> Vec<String> {
        let Ok(value) = serde_json::from_slice(bytes) else {
            return vec![format!("{what} is no JSON")];
        };
        let validator = self.description.validator(pointer);
        let wrong = differences(&validator, &value);
        wrong.iter().map(|why| format!("{what}: {why}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OPENAPI, World, github, log::Service, published};
    use serde_json::json;

    fn ask(path: &str) -> Call {
        Call {
            service: Service::GitHub,
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: http::HeaderMap::new(),
            body: Vec::new(),
            after: 0,
        }
    }

    fn spoilt(answer: &Answer, spoil: impl FnOnce(&mut Value)) -> Answer {
        let mut value = serde_json::from_slice(&answer.body).unwrap();
        spoil(&mut value);
        Answer { body: value.to_string().into_bytes(), ..answer.clone() }
    }

    #[tokio::test]
    async fn a_wrong_answer_is_caught_whatever_is_wrong_with_it() {
        if published(OPENAPI).is_none() {
            return;
        }
        let world = World::start().await;
        let issue = world.open_issue_as("maya", "a", "a");
        let call = ask(&format!("/repos/toon-protocol/town/issues/{issue}"));
        let right = github::answer(&world.inner, &call);
        let said = |answer: &Answer| judge(&call, answer).mismatches.join("; ");
        assert_eq!(said(&right), "");
        for (wrong, expected) in [
            (Answer { status: 203, ..right.clone() }, "is not described"),
            (Answer { status: 304, ..right.clone() }, "has no body"),
            (Answer { headers: Vec::new(), ..right.clone() }, "not answered as ``"),
            (Answer { body: b"<html>".to_vec(), ..right.clone() }, "no JSON"),
            (spoilt(&right, |issue| issue["number"] = json!("one")), "/number: "),
            (spoilt(&right, |issue| issue["state_reason"] = json!("bored")), "/state_reason: "),
            (spoilt(&right, |issue| issue["user"]["login"] = json!(null)), "/user/login: "),
            (spoilt(&right, |issue| issue["closed_at"] = json!("today")), "/closed_at: "),
            (spoilt(&right, |issue| issue["mood"] = json!("fine")), "'mood' was unexpected"),
            (spoilt(&right, |issue| drop(issue.as_object_mut().unwrap().remove("id"))), "\"id\""),
        ] {
            let said = said(&wrong);
            assert!(said.contains(expected), "{expected}: {said}");
        }
        let nowhere = judge(&ask("/repos/a/b/secrets"), &right).mismatches;
        assert_eq!(nowhere, ["GitHub describes no GET /repos/a/b/secrets"]);
    }
}
