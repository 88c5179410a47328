//! The evidence of a proposal, as its reader is shown it.

use super::plan::Workshop;
use crate::domain::{Check, Finding, Pin, ProposalKind, SignatureOutcome, SignatureRule, Version};
use crate::policy;
use crate::render::{CompanionImage, Evidence, Examined, command};
use std::collections::BTreeSet;

impl Workshop<'_> {
    /// The current answers about the watched image, in the order in which people read them.
    pub(super) fn evidence(&self, to: &Pin, kind: ProposalKind) -> Vec<Evidence> {
        let asked = policy::asked_checks(&self.watch.rules);
        let mut shown: BTreeSet<Check> = policy::required_checks(kind, &asked).collect();
        // For a stub the canary's answer is news.
        shown.insert(Check::Canary);
        let (rules, pinned) = (&self.watch.rules, Some(self.pin.digest.digest()));
        // A stub is made anew without finding anything out again: of what was found before, by the pin of
        // then say, its reader is told rather than of nothing.
        let anyhow = kind == ProposalKind::MigrationStub;
        let inputs = |check| policy::inputs_of(check, &to.version, rules, self.memory, pinned);
        self.answers(to, &shown, rules.signature.as_ref(), inputs, anyhow)
    }

    /// The companion images of a release, each with its evidence; `pins` are those that there are.
    pub(super) fn companions(&self, version: &Version, pins: &[Pin]) -> Vec<CompanionImage> {
        let tag = self.release(version).map_or("", |release| release.tag.as_str());
        let rules = self.watch.rules.companions.iter();
        let all = rules.map(|rule| {
            let pin = pins.iter().find(|pin| pin.image == rule.image).cloned();
            let rules = self.watch.rules.for_companion(rule);
            let asked = policy::companion_checks(&rules);
            let own = self.memory.of_companion(&rule.image, tag);
            let inputs = |check| policy::inputs_of(check, version, &rules, &own, None);
            let evidence = pin
                .as_ref()
                .map(|pin| self.answers(pin, &asked, rule.signature.as_ref(), inputs, false));
            let known = self.snapshot.companions.iter().find(|known| known.image == rule.image);
            let before = known.and_then(|known| known.digest.as_ref());
            let added = before.map(|before| policy::added_since(&own, before, version));
            CompanionImage {
                image: rule.image.clone(),
                version: version.clone(),
                needed: self.is_pinned(&rule.image),
                from: known.cloned(),
                added: added.unwrap_or_default(),
                pin,
                evidence: evidence.unwrap_or_default(),
            }
        });
        all.collect()
    }

    /// What a reviewer should look at; the ages are part of the agreement.
    fn points(&self, found: &Finding) -> Vec<String> {
        let mut points = found.detail.points.clone();
        if found.check == Check::Agreement {
            let (pinned, rules) = (&self.pin.version, &self.watch.rules);
            let version = &found.version;
            points.extend(policy::soak_points(version, pinned, self.memory, rules, self.now));
        }
        points
    }

    /// The answers that the decision went by: the latest with these inputs. What was found while
    /// they were others, such as a broken pin site, is no evidence; `anyhow` it is told of where there is
    /// nothing else.
    fn answers(
        &self,
        to: &Pin,
        checks: &BTreeSet<Check>,
        signature: Option<&SignatureRule>,
        inputs: impl Fn(Check) -> String,
        anyhow: bool,
    ) -> Vec<Evidence> {
        let release = self.release(&to.version).ok();
        let examined = Examined {
            pin: to,
            repository: &self.watch.upstream.repository,
            tag: release.map_or("", |release| &release.tag),
            package: self.watch.rules.npm.as_ref().map(|rule| rule.package.as_str()),
            signature,
        };
        let latest = |check: &Check| {
            let inputs = inputs(*check);
            let about = |found: &&Finding| {
                found.check == *check && found.subject == to.digest && found.version == to.version
            };
            let mut all = self.memory.findings.iter().rev().filter(about);
            let newest = all.clone().next().filter(|_| anyhow);
            all.find(|found| found.inputs == inputs).or(newest)
        };
        let found = checks.iter().filter_map(latest);
        found
            .map(|found| Evidence {
                check: found.check,
                verdict: found.verdict,
                not_required: found.signature_outcome() == Some(SignatureOutcome::NotRequired),
                summary: found.summary.clone(),
                at: found.at,
                points: self.points(found),
                judged: found.detail.judged.clone(),
                command: command(found.check, examined),
            })
            .collect()
    }
}
