//! Each client against a server that speaks real HTTP: what it sends, and what it makes of every
//! answer that a service, a proxy or a broken line can give.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

mod github;
mod npm;
mod registry;
mod server;
mod trust;

use digest_bump::clients::wire::{Http, Timeouts, Trust};
use digest_bump::clock::Clock;
use digest_bump::domain::{Cached, Fetched, Timestamp};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn http_at(clock: &Clock) -> Http {
    digest_bump::clients::install_tls_provider();
    let timeouts = Timeouts { total: Duration::from_secs(5), ..Timeouts::default() };
    Http::new(&timeouts, &Trust::default(), clock.clone()).unwrap()
}

fn http() -> Http {
    http_at(&Clock::manual(NOW))
}

/// A pool that gives up soon, for servers that never answer.
fn impatient() -> Http {
    let timeouts = Timeouts { total: Duration::from_millis(200), ..Timeouts::default() };
    Http::new(&timeouts, &Trust::default(), Clock::manual(NOW)).unwrap()
}

fn fresh(fetched: Fetched) -> Cached {
    match fetched {
        Fetched::Fresh(cached) => cached,
        Fetched::NotModified => panic!("nothing new, but something new was expected"),
    }
}

/// An error as it is logged: the whole chain, and everything that `Debug` shows.
fn whole(error: &(dyn std::error::Error + 'static)) -> String {
    let chain: Vec<String> = std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    format!("{} {error:?}", chain.join(": "))
}
