//! Deliveries on their way into the store. Those that come together are recorded together: writers
//! come one at a time, and a burst must not wait for as many commits.

use crate::clock::Clock;
use crate::config::Watch;
use crate::domain::{Fact, FactKey, Said, Timestamp};
use crate::panics::catch_panic;
use crate::store::{Received, Store};
use anyhow::{Result, anyhow};
use std::{fmt, sync::Arc};
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::warn;

/// So many are recorded at once.
const TOGETHER: usize = 100;
/// So many may wait; whoever comes then waits for a place.
const WAITING: usize = 1_000;

type Waiting = (Received, oneshot::Sender<Result<bool>>);

/// Where deliveries are put. Clones are one.
#[derive(Debug, Clone)]
pub struct Inbox {
    store: Store,
    clock: Clock,
    queue: mpsc::Sender<Waiting>,
}

impl Inbox {
    /// Opens it, with a task that records, and notifies `wake` whenever something new is recorded,
    /// also of a delivery whose sender went away. Must be called inside a tokio runtime.
    #[must_use]
    pub fn open(store: Store, clock: Clock, wake: Arc<Notify>) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        tokio::spawn(record(store.clone(), waiting, wake));
        Self { store, clock, queue }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Records a delivery; whether it is new.
    pub(super) async fn put(&self, received: Received) -> Result<bool> {
        let (answer, told) = oneshot::channel();
        let closed = || anyhow!("nobody records any more");
        self.queue.send((received, answer)).await.map_err(|_| closed())?;
        told.await.map_err(|_| closed())?
    }

    /// What was said, with the place of the pull request's branch as the bot knows it, where the
    /// delivery does not tell.
    pub(super) async fn bound(&self, said: Option<Said>, watches: &[&Watch]) -> Option<Said> {
        let mut said = said?;
        if said.head.is_some() {
            return Some(said);
        }
        let key = FactKey { aspect: "pull", subject: said.number.to_string() };
        for watch in watches {
            match self.store.latest(&watch.name, &key).await {
                Ok(Some(seen)) => {
                    if let Fact::Pull(pull) = seen.fact {
                        said.head = Some(pull.head);
                    }
                }
                Ok(None) => {}
                Err(error) => warn!(%error, "the branch of a pull request could not be looked up"),
            }
        }
        Some(said)
    }
}

async fn record(store: Store, mut waiting: mpsc::Receiver<Waiting>, wake: Arc<Notify>) {
    let mut together = Vec::with_capacity(TOGETHER);
    while waiting.recv_many(&mut together, TOGETHER).await > 0 {
        let (received, answers): (Vec<_>, Vec<_>) = together.drain(..).unzip();
        let store = store.clone();
        // A panic costs these deliveries alone: they are refused, and GitHub shows that.
        match catch_panic(async move { store.record_deliveries(&received).await }).await {
            Ok(Ok(news)) => {
                if news.contains(&true) {
                    wake.notify_one();
                }
                for (answer, new) in answers.into_iter().zip(news) {
                    // Whoever went away is told nothing.
                    let _ = answer.send(Ok(new));
                }
            }
            Ok(Err(error)) => refuse(answers, &error),
            Err(panicked) => refuse(answers, &panicked),
        }
    }
}

fn refuse(answers: Vec<oneshot::Sender<Result<bool>>>, error: &dyn fmt::Display) {
    for answer in answers {
        let _ = answer.send(Err(anyhow!("{error}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::time::Duration;

    #[tokio::test]
    async fn a_delivery_whose_sender_went_away_wakes_the_loop_once() {
        let clock = Clock::manual(Timestamp::from_millis(1_000));
        let store = Store::memory(&clock).await.unwrap();
        let wake = Arc::new(Notify::new());
        let inbox = Inbox::open(store, clock.clone(), wake.clone());
        let received = Received {
            id: "delivery-1".to_owned(),
            event: "push".to_owned(),
            said: None,
            at: clock.now(),
        };
        // It is in the queue, and nobody waits for the answer, as after the page's time limit.
        assert!(inbox.put(received.clone()).now_or_never().is_none());
        let woken = tokio::time::timeout(Duration::from_secs(20), wake.notified()).await;
        assert!(woken.is_ok(), "it was recorded, and nobody was told");

        assert!(!inbox.put(received).await.unwrap(), "a redelivery");
        assert!(wake.notified().now_or_never().is_none());
    }
}
