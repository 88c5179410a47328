//! What a pass may ask of the world, in counts: the same on every machine.

use crate::stand::{Stand, run_test};
use std::time::Duration;
use world::{Fault, Request, Service};

/// From a release's publication to its pull request, without git.
const MOST_REQUESTS: usize = 32;
/// As many of them may have to wait for each other.
const MOST_ROUND_TRIPS: usize = 15;

/// What GitHub makes and moves, git would do by itself: a look for the commit, its tree, itself, and a
/// look for the branch before it is moved.
const MORE_THROUGH_API: usize = 5;

/// Method and path of each, in the order of their answers.
fn lines(requests: &[Request]) -> Vec<String> {
    requests.iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect()
}

/// The longest chain of requests of which each came after the answer to the one before; git's own
/// do not count. Every answer takes its time, so that what is asked side by side is seen to be.
fn serial(requests: &[Request]) -> usize {
    let mut chains: Vec<usize> = Vec::new();
    for request in requests {
        let before = chains.iter().take(request.after).max().copied().unwrap_or(0);
        chains.push(before + usize::from(request.service != Service::Git));
    }
    chains.into_iter().max().unwrap_or(0)
}

/// Lets every answer but git's take a moment.
fn slow(stand: &Stand) {
    for service in [Service::GitHub, Service::Npm, Service::Registry] {
        stand.world.fault(Fault::on(service).delay(Duration::from_millis(400)).always());
    }
}

/// The documented list (`docs/architecture.md`, "Budgets"): one conditional request each, and
/// git's, which has no condition to ask with. A process that has just begun asks the registry for a
/// token besides, in two requests more.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_costs_one_conditional_request_for_each_of_a_few_urls() {
    run_test(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("4.0.0").publish().await;
        stand.settle().await;
        let app = stand.app().await;
        stand.pass(&app).await;
        stand.world.clear_requests();
        slow(stand);
        stand.pass(&app).await;
        app.store.close().await;
        let requests = stand.world.requests();
        let mut asked = lines(&requests);
        asked.sort();
        insta::assert_snapshot!(asked.join("\n"), @"
        GET /@toon-protocol%2fconnector
        GET /repos/toon-protocol/connector/releases?per_page=100
        GET /repos/toon-protocol/town/pulls?state=all&head=toon-protocol%3Adigest-bump%2Fconnector&per_page=100
        GET /repos/toon-protocol/town/pulls?state=all&head=toon-protocol%3Adigest-bump%2Fconnector-4-migration&per_page=100
        GET /toon-protocol/town.git/info/refs?service=git-upload-pack
        GET /v2/toon-protocol/connector/manifests/3.10.0
        GET /v2/toon-protocol/connector/manifests/3.9.3
        GET /v2/toon-protocol/connector/manifests/4.0.0
        ");
        for asked in &requests {
            let conditional = asked.if_none_match && asked.status == 304;
            assert!(conditional || asked.service == Service::Git, "{asked:?}");
        }
        assert_eq!(serial(&requests), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_becomes_a_pull_request_in_few_requests_and_fewer_round_trips() {
    run_test(async |stand| {
        // The canary's own requests are its own.
        stand.canary_script("exit 0");
        stand.settle().await;
        stand.world.release("3.10.0").publish().await;
        stand.world.clear_requests();
        slow(stand);
        stand.settle().await;
        let mut requests = stand.world.requests();
        let opened = |asked: &Request| asked.method == "POST" && asked.path.ends_with("/pulls");
        requests.truncate(requests.iter().position(opened).unwrap() + 1);
        let trips = serial(&requests);
        let in_all = requests.len();
        requests.retain(|asked| asked.service != Service::Git);
        let count = requests.len();
        eprintln!(
            "a release to its pull request: {count} requests, {trips} in a row, and {} of git",
            in_all - count
        );
        let more = if stand.through_api() { MORE_THROUGH_API } else { 0 };
        assert!(requests.len() <= MOST_REQUESTS + more, "{}", lines(&requests).join("\n"));
        assert!(trips <= MOST_ROUND_TRIPS + more, "{trips}: {}", lines(&requests).join("\n"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_side_by_side_is_recorded_in_the_order_in_which_it_was_due() {
    for service in [Service::GitHub, Service::Registry] {
        run_test(async |stand| {
            stand.canary_script("exit 0");
            stand.world.release("3.10.0").publish().await;
            let slow = Fault::on(service).path_contains("/connector/");
            stand.world.fault(slow.delay(Duration::from_millis(200)).always());
            stand.settle().await;
            let memory = stand.memory().await;
            let checks: Vec<&str> =
                memory.findings.iter().map(|found| found.check.name()).collect();
            insta::allow_duplicates! {
                insta::assert_snapshot!(checks.join(" "), @"signature platforms version_label revision tag_stability agreement known_issue sites canary");
            }
        })
        .await;
    }
}
