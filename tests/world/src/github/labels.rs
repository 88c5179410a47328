//! Labels, of the repository and of its issues.

use super::{Ask, error, invalid, page, shape};
use crate::state::Label;
use crate::wire::Answer;
use serde_json::Value;

/// Answers below `/labels` and `/issues/{number}/labels`.
pub(crate) fn route(ask: &mut Ask<'_>, method: &str, rest: &[&str]) -> Option<Answer> {
    let answer = match (method, rest) {
        ("GET", ["labels"]) => list(ask),
        ("POST", ["labels"]) => create(ask),
        ("GET", ["labels", name]) => show(ask, name),
        ("GET", ["issues", n, "labels"]) => list_of_issue(ask, n),
        ("POST", ["issues", n, "labels"]) => of_issue(ask, n, |mine, wish| {
            for name in wish {
                if !mine.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                    mine.push(name);
                }
            }
        }),
        ("PUT", ["issues", n, "labels"]) => of_issue(ask, n, |mine, wish| *mine = wish),
        ("DELETE", ["issues", n, "labels"]) => {
            let answer = of_issue(ask, n, |mine, _| mine.clear());
            if answer.status == 200 { Answer::empty(204) } else { answer }
        }
        ("DELETE", ["issues", n, "labels", name]) => remove(ask, n, name),
        _ => return None,
    };
    Some(answer)
}

/// Label names out of `["a"]`, `[{"name": "a"}]` or `{"labels": …}` of either.
pub(crate) fn names(wish: &Value) -> Vec<String> {
    let list = wish.get("labels").unwrap_or(wish);
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|label| label.as_str().or_else(|| label["name"].as_str()))
        .map(str::to_owned)
        .collect()
}

fn list(ask: &mut Ask<'_>) -> Answer {
    let lags = ask.list_lags();
    let labels = ask.repo_ref().listed(lags).labels.values();
    let items: Vec<Value> = labels.map(|label| shape::label(ask.state, &ask.name, label)).collect();
    page(ask, &items)
}

fn show(ask: &Ask<'_>, name: &str) -> Answer {
    let label = ask.repo_ref().labels.get(&name.to_lowercase());
    label.map_or_else(
        || error(404, "Not Found"),
        |label| Answer::json(200, &shape::label(ask.state, &ask.name, label)),
    )
}

fn create(ask: &mut Ask<'_>) -> Answer {
    let wish = ask.call.json();
    let Some(name) = wish["name"].as_str().map(str::to_owned) else {
        return invalid("Label", "name", "missing_field", None);
    };
    if ask.repo_ref().labels.contains_key(&name.to_lowercase()) {
        return invalid("Label", "name", "already_exists", None);
    }
    let label = Label {
        id: ask.state.id(),
        name: name.clone(),
        color: wish["color"].as_str().unwrap_or("ededed").to_owned(),
        description: wish["description"].as_str().map(str::to_owned),
    };
    let shape = shape::label(ask.state, &ask.name, &label);
    ask.repo().before_change();
    ask.repo().labels.insert(name.to_lowercase(), label);
    Answer::json(201, &shape)
}

fn list_of_issue(ask: &mut Ask<'_>, number: &str) -> Answer {
    let number = number.parse().unwrap_or(0);
    if !ask.repo_ref().issues.contains_key(&number) {
        return error(404, "Not Found");
    }
    let lags = ask.list_lags();
    let issue = ask.repo_ref().listed(lags).issues.get(&number);
    let labels = issue.map_or_else(Vec::new, |issue| issue.labels.clone());
    let shapes = shape::labels(ask.state, &ask.name, &labels);
    page(ask, shapes.as_array().map_or(&[], Vec::as_slice))
}

/// Changes an issue's labels and shows what it has then. A label that was unknown is made.
fn of_issue(
    ask: &mut Ask<'_>,
    number: &str,
    change: impl FnOnce(&mut Vec<String>, Vec<String>),
) -> Answer {
    let number = number.parse().unwrap_or(0);
    let Some(issue) = ask.repo_ref().issues.get(&number) else {
        return error(404, "Not Found");
    };
    let mut labels = issue.labels.clone();
    change(&mut labels, names(&ask.call.json()));
    let (name, login) = (ask.name.clone(), ask.login.clone());
    if labels != issue.labels {
        let before = ask.state.set_labels(&name, number, &Value::from(labels.clone()));
        ask.state.emit_labels(&name, number, &before, &login);
    }
    Answer::json(200, &shape::labels(ask.state, &name, &labels))
}

fn remove(ask: &mut Ask<'_>, number: &str, name: &str) -> Answer {
    let id = number.parse().unwrap_or(0);
    let issue = ask.repo_ref().issues.get(&id);
    let has = issue.is_some_and(|issue| {
        let mut labels = issue.labels.iter();
        labels.any(|label| label.eq_ignore_ascii_case(name))
    });
    if !has {
        return error(404, "Label does not exist");
    }
    of_issue(ask, number, |mine, _| {
        mine.retain(|label| !label.eq_ignore_ascii_case(name));
    })
}
