//! The world's routing table, read out of its source: what it answers, as its `match` arms say.

use std::path::Path;

/// One arm of a routing function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    method: String,
    parts: Vec<Part>,
    /// The arm as it is written, for people.
    pub(crate) text: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    One,
    Rest,
}

impl Route {
    /// How many parts of the path are literally the route's; `None` if it does not fit. Routes of a
    /// repository are written without their beginning.
    pub(crate) fn fit(&self, method: &str, path: &str) -> Option<usize> {
        let path = path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let inside = match parts.as_slice() {
            ["repos", _, _, inside @ ..] => inside,
            all => all,
        };
        if self.method == method { fit(&self.parts, inside) } else { None }
    }

    /// How many parts it is written with.
    pub(crate) fn length(&self) -> usize {
        self.parts.len()
    }
}

fn fit(route: &[Part], path: &[&str]) -> Option<usize> {
    match (route.split_first(), path.split_first()) {
        (None, None) => Some(0),
        (Some((Part::Rest, rest)), _) => {
            (0..=path.len()).rev().find_map(|taken| fit(rest, &path[taken..]))
        }
        (Some((Part::One, rest)), Some((_, left))) => fit(rest, left),
        (Some((Part::Literal(text), rest)), Some((part, left))) if text == part => {
            fit(rest, left).map(|more| more + 1)
        }
        _ => None,
    }
}

/// Every route of the REST interface.
pub(crate) fn routes() -> Vec<Route> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/github");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.is_file());
    files.flat_map(|file| routes_of(&std::fs::read_to_string(file).unwrap())).collect()
}

/// The arms of the form `("GET", ["git", "ref", name @ ..])`, those that give up apart.
fn routes_of(source: &str) -> Vec<Route> {
    let arms = source.lines().map(str::trim).filter(|line| line.starts_with("(\""));
    arms.filter(|arm| !arm.ends_with("=> None,"))
        .filter_map(|arm| {
            let (method, rest) = arm.strip_prefix("(\"")?.split_once("\", [")?;
            let (list, _) = rest.split_once("])")?;
            let parts = list.split(", ").filter(|part| !part.is_empty());
            let parts = parts.map(|part| match part.trim_matches('"') {
                text if text.len() < part.len() => Part::Literal(text.to_owned()),
                name if name.ends_with("..") => Part::Rest,
                _ => Part::One,
            });
            Some(Route {
                method: method.to_owned(),
                parts: parts.collect(),
                text: format!("{method} [{list}]"),
            })
        })
        .collect()
}
