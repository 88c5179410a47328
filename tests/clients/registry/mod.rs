//! The registry client: what it makes of any honest registry, and of one that lies.

mod content;
mod contract;
mod docker;
mod lies;
mod place;
mod tokens;

use digest_bump::clients::registry::Registry;
use digest_bump::clients::wire::Http;
use digest_bump::domain::{ImageName, Version};
use std::collections::BTreeMap;

/// The repository in every registry here.
const REPOSITORY: &str = "toon-protocol/connector";
const RELEASE: Version = Version::new(3, 10, 0);

fn image() -> ImageName {
    format!("registry.example/{REPOSITORY}").parse().unwrap()
}

/// A client for which the images' registry is at `url`.
fn registry_at(http: &Http, url: &str) -> Registry {
    let origins = BTreeMap::from([(image().host().to_owned(), url.to_owned())]);
    Registry::new(http, &origins).unwrap()
}
