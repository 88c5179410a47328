//! When the next pass is due: by the schedule, by a request of somebody, or because something that
//! was waited for may be there.
//!
//! `tokio-cron-scheduler` is the alarm clock and nothing more: it ticks every second in UTC, and
//! this module decides. Its own time zones are fixed offsets, wrong after daylight saving; it
//! catches nothing up; it would start a second pass beside the first; and it is silent while a
//! clock that was set back catches up, so that a slower tick goes on beside it.

use crate::clock::Clock;
use crate::config::Schedule;
use crate::domain::{Digest, Timestamp};
use crate::store::Store;
use anyhow::{Context as _, Result};
use chrono::DateTime;
use chrono_tz::Tz;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How often the alarm is looked at whatever the wall clock says.
const BESIDE: Duration = Duration::from_secs(15);

/// Rings `wake` when a pass is due.
#[derive(Debug, Clone)]
pub(super) struct Alarm {
    schedule: Schedule,
    store: Store,
    clock: Clock,
    wake: Arc<Notify>,
    /// Makes this process's jitter differ from another's.
    seed: String,
    hands: Arc<Mutex<Hands>>,
}

/// What the alarm goes by.
#[derive(Debug, Default)]
struct Hands {
    /// The next pass by the schedule, jitter included.
    scheduled: Option<Timestamp>,
    /// When something changes by itself.
    parked: Option<Timestamp>,
    /// The newest request that a pass has seen.
    request: i64,
}

impl Alarm {
    pub(super) fn new(
        schedule: Schedule,
        store: Store,
        clock: Clock,
        wake: Arc<Notify>,
        seed: String,
    ) -> Self {
        let alarm = Self { schedule, store, clock, wake, seed, hands: Arc::default() };
        let next = alarm.after(alarm.clock.now());
        alarm.hands().scheduled = next;
        alarm
    }

    /// The next times at which the schedule rings, jitter left out.
    pub(super) fn preview(&self, count: usize) -> Vec<String> {
        let now = self.here(self.clock.now());
        self.schedule.cron.iter_after(now).take(count).map(|time| time.to_rfc3339()).collect()
    }

    /// A pass begins: it will see every request up to the newest.
    pub(super) async fn pass_begins(&self) -> Result<()> {
        let newest = self.store.newest_wish().await?;
        self.hands().request = newest;
        Ok(())
    }

    /// A pass ended, and something may change by itself at `parked`.
    pub(super) fn pass_ended(&self, parked: Option<Timestamp>) {
        self.hands().parked = parked;
    }

    /// Starts the clock; it stops when `stop` is cancelled.
    pub(super) async fn start(&self, stop: CancellationToken) -> Result<JobScheduler> {
        let scheduler = JobScheduler::new().await.context("the alarm clock")?;
        let (alarm, ticking) = (self.clone(), stop.clone());
        let job = Job::new_async("* * * * * *", move |_, _| {
            let (alarm, stop) = (alarm.clone(), ticking.clone());
            Box::pin(async move {
                // One more tick may come after the scheduler was shut down.
                if !stop.is_cancelled() {
                    alarm.tick().await;
                }
            })
        });
        scheduler.add(job.context("the alarm clock")?).await.context("the alarm clock")?;
        scheduler.start().await.context("the alarm clock")?;
        tokio::spawn(self.clone().tick_beside(stop));
        Ok(scheduler)
    }

    /// Ticks by the monotonic clock, until `stop` is cancelled.
    async fn tick_beside(self, stop: CancellationToken) {
        let ticks = async {
            loop {
                tokio::time::sleep(BESIDE).await;
                self.tick().await;
            }
        };
        stop.run_until_cancelled(ticks).await;
    }

    async fn tick(&self) {
        if self.is_due().await {
            self.wake.notify_one();
        }
    }

    async fn is_due(&self) -> bool {
        let now = self.clock.now();
        let newest = self.store.newest_wish().await.unwrap_or_else(|error| {
            warn!(%error, "the requests could not be read");
            0
        });
        let next = self.after(now);
        let mut hands = self.hands();
        let mut due = newest > hands.request;
        if hands.parked.is_some_and(|at| at <= now) {
            hands.parked = None;
            due = true;
        }
        if hands.scheduled.is_some_and(|at| at <= now) {
            hands.scheduled = next;
            due = true;
        }
        // A clock that was set back, or the repeated hour of autumn, has an earlier one.
        hands.scheduled = hands.scheduled.into_iter().chain(next).min();
        due
    }

    /// The next time after `now` by the schedule, with this process's jitter.
    fn after(&self, now: Timestamp) -> Option<Timestamp> {
        let now = self.here(now);
        // Of an hour that comes twice croner names the first time first, also within the second.
        let next = self.schedule.cron.iter_after(now).find(|next| *next > now)?;
        let next = Timestamp::from_millis(next.timestamp_millis());
        Some(next + jitter(&self.seed, next, self.schedule.jitter))
    }

    /// A time in the schedule's zone. Whole seconds: cron lines know no parts of them, and croner
    /// would carry the parts along.
    fn here(&self, time: Timestamp) -> DateTime<Tz> {
        Timestamp::from_millis(time.seconds() * 1000).to_chrono().with_timezone(&self.schedule.zone)
    }

    fn hands(&self) -> std::sync::MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Up to `most`, the same for the same process and time, different for others.
fn jitter(seed: &str, at: Timestamp, most: Duration) -> Duration {
    let hash = Digest::of(format!("{seed} {}", at.millis()).as_bytes());
    let number = u64::from_str_radix(hash.short(), 16).unwrap_or(0);
    let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(number % millis.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Wish;
    use croner::parser::{CronParser, Seconds};

    async fn alarm(cron: &str, zone: &str, jitter: u64, now: &str) -> (Alarm, Clock) {
        let clock = Clock::manual(now.parse().unwrap());
        let store = Store::memory(&clock).await.unwrap();
        let parser = CronParser::builder().seconds(Seconds::Disallowed).build();
        let schedule = Schedule {
            cron: parser.parse(cron).unwrap(),
            seconds: false,
            zone: zone.parse().unwrap(),
            jitter: Duration::from_secs(jitter),
            grace: Duration::ZERO,
        };
        let wake = Arc::new(Notify::new());
        (Alarm::new(schedule, store, clock.clone(), wake, "seed".to_owned()), clock)
    }

    #[tokio::test]
    async fn the_zone_follows_daylight_saving() {
        let (summer, _) = alarm("0 9 * * *", "Europe/Berlin", 0, "2026-10-24T10:00:00Z").await;
        assert_eq!(summer.preview(2), ["2026-10-25T09:00:00+01:00", "2026-10-26T09:00:00+01:00"]);
        let (before, _) = alarm("0 9 * * *", "Europe/Berlin", 0, "2026-10-23T10:00:00Z").await;
        assert_eq!(before.preview(1), ["2026-10-24T09:00:00+02:00"]);
    }

    #[tokio::test]
    async fn it_rings_once_for_each_reason() {
        let (alarm, clock) = alarm("*/15 * * * *", "UTC", 0, "2026-11-23T10:00:01Z").await;
        assert!(!alarm.is_due().await);
        clock.advance(Duration::from_mins(15));
        assert!(alarm.is_due().await, "the schedule");
        assert!(!alarm.is_due().await, "once");
        alarm.pass_ended(Some(clock.now() + Duration::from_secs(5)));
        assert!(!alarm.is_due().await);
        clock.advance(Duration::from_secs(5));
        assert!(alarm.is_due().await, "what was parked");
        let watch = "w".parse().unwrap();
        let version = "1.0.0".parse().unwrap();
        alarm.store.record_request(&watch, Wish::Bump, &version, "me", clock.now()).await.unwrap();
        assert!(alarm.is_due().await, "a request");
        alarm.pass_begins().await.unwrap();
        assert!(!alarm.is_due().await, "seen");
    }

    #[tokio::test]
    async fn a_time_between_two_seconds_is_no_trouble() {
        let (alarm, _) = alarm("*/15 * * * *", "UTC", 0, "2026-11-23T10:00:01.911Z").await;
        assert_eq!(alarm.preview(2), ["2026-11-23T10:15:00+00:00", "2026-11-23T10:30:00+00:00"]);
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_rings_no_later_than_one_that_was_not() {
        let (alarm, clock) = alarm("*/15 * * * *", "UTC", 0, "2026-11-23T10:00:01Z").await;
        clock.turn_to("2026-11-23T08:00:01Z".parse().unwrap());
        assert!(!alarm.is_due().await);
        clock.advance(Duration::from_mins(16));
        assert!(alarm.is_due().await);
        assert!(!alarm.is_due().await, "once");
    }

    #[tokio::test]
    async fn the_hour_that_comes_twice_in_autumn_rings_as_any_other() {
        // At 02:10, for the second time.
        let (second, clock) =
            alarm("*/15 * * * *", "Europe/Berlin", 0, "2026-10-25T01:10:00Z").await;
        assert!(!second.is_due().await);
        clock.advance(Duration::from_mins(5));
        assert!(second.is_due().await);
        assert!(!second.is_due().await, "once");
        clock.advance(Duration::from_mins(15));
        assert!(second.is_due().await);
        // From the first 02:50 into the second 02:xx.
        let (first, clock) =
            alarm("*/15 * * * *", "Europe/Berlin", 0, "2026-10-25T00:50:00Z").await;
        clock.advance(Duration::from_mins(15));
        assert!(!first.is_due().await);
        clock.advance(Duration::from_mins(10));
        assert!(first.is_due().await);
    }

    #[tokio::test]
    async fn an_hour_of_its_own_rings_once_in_autumn() {
        let (alarm, clock) = alarm("30 2 * * *", "Europe/Berlin", 0, "2026-10-25T00:00:00Z").await;
        clock.advance(Duration::from_mins(30));
        assert!(alarm.is_due().await);
        for _ in 0..12 {
            clock.advance(Duration::from_mins(15));
            assert!(!alarm.is_due().await);
        }
    }

    #[test]
    fn jitter_stays_within_its_bound_and_differs_by_process() {
        let at = Timestamp::from_millis(1_000);
        let most = Duration::from_secs(30);
        let all: Vec<_> = (0..100).map(|i| jitter(&i.to_string(), at, most)).collect();
        assert!(all.iter().all(|found| *found <= most));
        assert!(all.iter().any(|found| *found != all[0]));
        assert_eq!(jitter("a", at, Duration::ZERO), Duration::ZERO);
    }
}
