//! `digest-bump` watches a container image's releases and keeps a downstream repository's digest
//! pin current. `docs/architecture.md` is the map; every module uses only lower floors.

pub mod clock;
pub mod domain;
