//! The GraphQL interface: the little of it that a bot needs, executed as the specification says.

mod mutations;
mod objects;

use super::Ask;
use crate::state::Actor;
use crate::wire::Answer;
use apollo_compiler::{
    ExecutableDocument, Schema,
    resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue},
    response::{ExecutionResponse, GraphQLError, JsonMap},
    validation::Valid,
};
use serde_json::{Value, json};
use std::{
    cell::{Cell, RefCell},
    sync::LazyLock,
};

/// What the world knows of GitHub's schema. A test holds each line of it to the published one.
static KNOWN: LazyLock<Valid<Schema>> = LazyLock::new(|| {
    Schema::parse_and_validate(include_str!("known.graphql"), "known.graphql")
        .expect("what the world knows is a schema")
});

/// The errors that come before execution have no kind, all others have one.
const KIND_ENDS: char = '|';

/// Answers a request. Nobody asks without a token.
pub(crate) fn route(ask: &mut Ask<'_>) -> Answer {
    if ask.actor == Actor::Anonymous {
        return super::error(401, "This endpoint requires you to be authenticated.");
    }
    let wish = ask.call.json();
    let Some(text) = wish["query"].as_str() else {
        return super::error(400, "A query attribute must be specified and must be a string.");
    };
    let document = match ExecutableDocument::parse_and_validate(&KNOWN, text, "query") {
        Ok(document) => document,
        Err(why) => {
            let errors: Vec<GraphQLError> =
                why.errors.iter().map(|error| error.unstable_to_json_compat()).collect();
            let what = errors.first().map_or("nothing", |error| error.message.as_str());
            let what = format!("the world's GraphQL does not know this: {what}");
            ask.state.log.violation(what);
            return refused(&json!(errors));
        }
    };
    let variables = serde_json::from_value(wish["variables"].clone()).unwrap_or_default();
    let root = Root { ask: RefCell::new(ask), changed: Cell::new(false) };
    let executed = root.execute(&document, wish["operationName"].as_str(), &variables);
    let unchanged = !root.changed.get();
    let mut answer = match executed {
        Ok(response) => Answer::json(200, &with_kinds(&response)),
        Err(message) => refused(&json!([{ "message": message }])),
    };
    answer.changed_nothing = unchanged;
    answer
}

fn refused(errors: &Value) -> Answer {
    let mut answer = Answer::json(200, &json!({ "errors": errors }));
    answer.changed_nothing = true;
    answer
}

/// The response as GitHub spells it: each error tells its kind beside its message.
fn with_kinds(response: &ExecutionResponse) -> Value {
    let mut shape = json!(response);
    let errors = shape.get_mut("errors").and_then(Value::as_array_mut);
    for error in errors.into_iter().flatten() {
        let message = error["message"].as_str().unwrap_or_default();
        let message = message.trim_start_matches("resolver error: ").to_owned();
        if let Some((kind, message)) = message.split_once(KIND_ENDS) {
            error["type"] = json!(kind);
            error["message"] = json!(message);
        }
    }
    shape
}

/// A refusal of a field, of one of GitHub's kinds such as `NOT_FOUND`.
fn refusal(kind: &str, message: &str) -> FieldError {
    FieldError { message: format!("{kind}{KIND_ENDS}{message}") }
}

/// Where execution begins: the memory, and who asks.
struct Root<'ask, 'call> {
    ask: RefCell<&'ask mut Ask<'call>>,
    changed: Cell<bool>,
}

impl Root<'_, '_> {
    fn execute(
        &self,
        document: &Valid<ExecutableDocument>,
        name: Option<&str>,
        variables: &JsonMap,
    ) -> Result<ExecutionResponse, String> {
        let execution = Execution::new(&KNOWN, document).raw_variable_values(variables);
        let execution = execution.operation_name(name).map_err(|why| why.message().to_string())?;
        execution.execute_sync(self).map_err(|why| why.message().to_string())
    }
}

impl ObjectValue for Root<'_, '_> {
    fn type_name(&self) -> &'static str {
        "Query"
    }

    fn resolve_field<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "repository" => objects::repository(self, info),
            "viewer" => Ok(ResolvedValue::object(objects::viewer(self))),
            "node" => objects::node(self, info),
            "minimizeComment" => mutations::minimize(self, info),
            "updateRefs" => mutations::update_refs(self, info),
            "markPullRequestReadyForReview" => mutations::set_draft(self, info, false),
            "convertPullRequestToDraft" => mutations::set_draft(self, info, true),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
