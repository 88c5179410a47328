//! Signs of life beside work that takes its time.

use futures_util::future::{Either, select};
use std::{pin::pin, time::Duration};

/// Carries `work` to its end and calls `beat` every `period` beside it. Both go on at any time: the
/// work may hold what a beat waits for, such as the only transaction that writes. A beat that has
/// begun is never cut off. Dropped, the work ends where it stands.
///
/// # Errors
/// What a beat fails with ends the work.
pub async fn with_heartbeat<T, E, Beat: Future<Output = Result<(), E>>>(
    work: impl Future<Output = T>,
    period: Duration,
    beat: impl Fn() -> Beat,
) -> Result<T, E> {
    let mut work = pin!(work);
    loop {
        if let Either::Left((done, _)) =
            select(work.as_mut(), pin!(tokio::time::sleep(period))).await
        {
            return Ok(done);
        }
        match select(work.as_mut(), pin!(beat())).await {
            Either::Left((done, last)) => {
                // Whoever works next may need what it holds; and what it says is too late.
                let _ = last.await;
                return Ok(done);
            }
            Either::Right((lives, _)) => lives?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::{sync::Mutex, time::sleep};

    const PERIOD: Duration = Duration::from_millis(5);

    #[tokio::test]
    async fn the_work_goes_on_while_a_beat_waits_for_what_it_holds() {
        let (writer, beats) = (Mutex::new(()), AtomicU32::new(0));
        let work = async {
            for _ in 0..3 {
                let held = writer.lock().await;
                sleep(PERIOD * 4).await;
                drop(held);
            }
            "done"
        };
        let beat = || async {
            let _held = writer.lock().await;
            beats.fetch_add(1, Ordering::Relaxed);
            Ok::<_, ()>(())
        };
        let ended =
            tokio::time::timeout(Duration::from_secs(20), with_heartbeat(work, PERIOD, beat));
        assert_eq!(ended.await, Ok(Ok("done")), "neither waits for the other for ever");
        assert!(beats.load(Ordering::Relaxed) >= 1);
    }

    #[tokio::test]
    async fn a_beat_that_has_begun_is_carried_to_its_end() {
        let ended = AtomicU32::new(0);
        let beat = || async {
            sleep(PERIOD * 20).await;
            ended.fetch_add(1, Ordering::Relaxed);
            Err("too late to matter")
        };
        assert_eq!(with_heartbeat(sleep(PERIOD * 4), PERIOD, beat).await, Ok(()));
        assert_eq!(ended.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_beat_that_fails_ends_the_work() {
        let work = std::future::pending::<()>();
        assert_eq!(with_heartbeat(work, PERIOD, || async { Err("lost") }).await, Err("lost"));
    }
}
