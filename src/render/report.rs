//! What the command line says of a watch, as plain text.

use super::{explanation::Explanation, view::WatchView};
use crate::domain::{Bump, HowToAsk, Timestamp, Version, Wish, human_duration};
use crate::policy::{Candidate, Stage};
use std::fmt::Write as _;

/// How many requests a status shows, the newest first; the page and the JSON have them all.
const REQUESTS_SHOWN: usize = 5;

/// The stage in one word, for a table.
#[must_use]
pub const fn stage_word(stage: &Stage) -> &'static str {
    match stage {
        Stage::Pinned => "pinned",
        Stage::Older => "older",
        Stage::Skipped { .. } => "skipped",
        Stage::Queued { .. } => "queued",
        Stage::Checking => "checking",
        Stage::Waiting { .. } => "waiting",
        Stage::CanaryRunning { .. } => "canary",
        Stage::Held { .. } => "held",
        Stage::Offered => "offered",
        Stage::Ready => "ready",
        Stage::Proposed { .. } => "proposed",
        Stage::Covered { .. } => "covered",
        Stage::Declined { .. } => "declined",
        Stage::Migrated => "migrated",
    }
}

/// The stage in one sentence; `how` its reader asks the bot.
#[must_use]
pub fn stage_line(version: &Version, stage: &Stage, how: &HowToAsk, now: Timestamp) -> String {
    match stage {
        Stage::Pinned => "the downstream pins it".to_owned(),
        Stage::Older => "it is older than the pin".to_owned(),
        Stage::Skipped { why } => why.clone(),
        Stage::Queued { behind } => format!("{behind} is looked at first"),
        Stage::Checking => "its evidence is being collected".to_owned(),
        Stage::Waiting { until: Some(until), why } if *until > now => {
            format!("{why}; until {until} ({} from now)", human_duration(until.since(now)))
        }
        Stage::Waiting { why, .. } => format!("{why}; looked at again in each pass"),
        Stage::CanaryRunning { since, checks: Some(checks) } => {
            format!("its checks run since {since}: {checks}")
        }
        Stage::CanaryRunning { since, checks: None } => {
            format!("the canary has been running for {}", human_duration(now.since(*since)))
        }
        Stage::Held { reasons } => reasons.join("; "),
        Stage::Offered => {
            format!("every check passed; {} proposes it", how.say(Wish::Bump, version))
        }
        Stage::Ready => "every check passed; its pull request is due".to_owned(),
        Stage::Proposed { pull, hands_off: false } => format!("pull request {pull} proposes it"),
        Stage::Proposed { pull, hands_off: true } => {
            format!("pull request {pull} proposes it; a person works on its branch, hands off")
        }
        Stage::Covered { by } => format!("{by} contains it"),
        Stage::Declined { pull } => format!("pull request {pull} was closed without merging"),
        Stage::Migrated => format!(
            "its migration is in the document; {} moves the pin",
            how.say(Wish::Bump, version)
        ),
    }
}

/// The stage in one sentence that stays true, whenever it is read.
fn lasting_line(version: &Version, stage: &Stage, how: &HowToAsk) -> String {
    match stage {
        Stage::Waiting { until: Some(until), why } => format!("{why}; until {until}"),
        Stage::CanaryRunning { since, checks: None } => {
            format!("the canary has been running since {since}")
        }
        // None of the others looks at the time.
        stage => stage_line(version, stage, how, Timestamp::from_millis(0)),
    }
}

/// Where a release stands, in one sentence, and why it is a MAJOR if its version says less.
#[must_use]
pub fn release_line(
    candidate: &Candidate,
    declared: Bump,
    stage: &Stage,
    how: &HowToAsk,
    now: Timestamp,
) -> String {
    with_reasons(stage_line(&candidate.version, stage, how, now), candidate, declared)
}

/// The same in words that stay true, whenever they are read.
#[must_use]
pub(super) fn lasting_release_line(
    candidate: &Candidate,
    declared: Bump,
    stage: &Stage,
    how: &HowToAsk,
) -> String {
    with_reasons(lasting_line(&candidate.version, stage, how), candidate, declared)
}

fn with_reasons(line: String, candidate: &Candidate, declared: Bump) -> String {
    if candidate.understated.is_empty() {
        return line;
    }
    format!("{line}; {}", understated_line(candidate, declared))
}

/// Why a release is treated as a MAJOR though its version says that it is `declared`.
#[must_use]
pub fn understated_line(candidate: &Candidate, declared: Bump) -> String {
    let reasons: Vec<&str> = candidate.understated.iter().map(|broken| &*broken.why).collect();
    format!("a MAJOR, though its version says {declared}: {}", reasons.join("; "))
}

/// The status of a watch.
#[must_use]
pub fn status(view: &WatchView) -> String {
    let mut out = match (&view.pinned, &view.digest, &view.pin_fault) {
        (Some(version), Some(digest), _) => {
            format!("{}: pinned at {version} ({digest})\n", view.watch)
        }
        (_, _, fault) => {
            let fault = fault.as_deref().unwrap_or("nothing was observed yet");
            format!("{}: the pin is unknown: {fault}\n", view.watch)
        }
    };
    let _ = match view.last_pass.as_ref().zip(view.last_pass_ago.as_ref()) {
        Some((at, ago)) => writeln!(out, "  last pass: {at}, {ago} ago"),
        None => writeln!(out, "  no pass has ended yet"),
    };
    for line in &view.alarms {
        let _ = writeln!(out, "  ALARM: {line}");
    }
    for line in &view.drift {
        let _ = writeln!(out, "  drift: {line}");
    }
    for line in view.mirror_hunks.iter().flat_map(|hunks| hunks.lines()) {
        let _ = writeln!(out, "    {line}");
    }
    for line in &view.troubles {
        let _ = writeln!(out, "  not done in the last pass: {line}");
    }
    for release in &view.releases {
        let version = release.version.to_string();
        let bump = step(release.bump);
        let _ = writeln!(out, "  {version:<10} {bump:<6} {:<9} {}", release.word, release.line);
    }
    if view.older > 0 {
        let _ = writeln!(out, "  and {} older", view.older);
    }
    for ignored in &view.ignored {
        let _ = writeln!(out, "  {:<17} ignored   {}", ignored.tag, ignored.why);
    }
    for pull in view.proposals.iter().filter(|pull| pull.state == "open") {
        let word = if pull.draft { "draft" } else { "open" };
        let _ = writeln!(out, "  {word} #{}: {} <{}>", pull.number, pull.title, pull.url);
    }
    for line in &view.standing {
        let _ = writeln!(out, "  {line}");
    }
    for asked in view.requests.iter().take(REQUESTS_SHOWN) {
        let answer = asked.answer.as_deref().map(|it| format!(": {it}"));
        let _ = writeln!(
            out,
            "  request {} by {}: {} {}, {}{}",
            asked.id,
            asked.actor,
            asked.wish.name(),
            asked.version,
            asked.state,
            answer.unwrap_or_default()
        );
    }
    out
}

/// The step from the pin; the pinned release itself has none.
fn step(bump: Bump) -> &'static str {
    match bump {
        Bump::None => "",
        bump => bump.word(),
    }
}

/// Why a release stands where it stands.
#[must_use]
pub fn explain(explanation: &Explanation) -> String {
    let release = &explanation.release;
    let comma = if release.bump == Bump::None { "" } else { ", " };
    let mut out = format!(
        "{} ({}{comma}published {}) is {}: {}\n",
        release.version,
        step(release.bump),
        release.published_at,
        release.word,
        release.line
    );
    if let Some(digest) = &explanation.digest {
        let platforms = explanation.platforms.join(", ");
        let _ = writeln!(out, "  image {digest}\n  platforms {platforms}");
    }
    for line in &explanation.known_issues {
        let _ = writeln!(out, "  known: {line}");
    }
    for line in &explanation.told {
        let _ = writeln!(out, "  {line}");
    }
    for asked in &explanation.requests {
        let answer = asked.answer.as_deref().unwrap_or("not answered yet");
        let what = match asked.wish {
            Wish::Bump => "",
            Wish::Canary => " for its canary",
            Wish::Rebase => " for another making of its pull request",
            Wish::Recreate => " for another making without people's commits",
        };
        let (at, id, actor) = (&asked.at, asked.id, &asked.actor);
        let _ = writeln!(out, "  {at}  request {id}{what} by {actor}: {answer}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_asked_for_says_how_where_it_is_read() {
        let version = "3.9.4".parse().unwrap();
        let comment = HowToAsk::Comment { prefix: "/pin".to_owned() };
        for (stage, by_comment, by_command) in [
            (
                Stage::Offered,
                "every check passed; `/pin 3.9.4` proposes it",
                "every check passed; `digest-bump request bump 3.9.4` proposes it",
            ),
            (
                Stage::Migrated,
                "its migration is in the document; `/pin 3.9.4` moves the pin",
                "its migration is in the document; `digest-bump request bump 3.9.4` moves the pin",
            ),
        ] {
            assert_eq!(lasting_line(&version, &stage, &comment), by_comment);
            assert_eq!(lasting_line(&version, &stage, &HowToAsk::CommandLine), by_command);
        }
    }
}
