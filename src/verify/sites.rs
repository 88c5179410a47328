//! Can every required pin site of the downstream be edited?

use super::{Answer, failed, passed};
use crate::domain::{PinFacts, SiteState};

pub(super) fn verify(facts: Option<&PinFacts>) -> Answer {
    let Some(facts) = facts else {
        return failed("the downstream was not read yet");
    };
    let faults: Vec<String> = facts
        .sites
        .iter()
        .filter_map(|reading| match &reading.state {
            // A site without a name of its own is called by its path.
            SiteState::Faulty { why } if reading.site == reading.path.as_str() => {
                Some(format!("{}: {why}", reading.path))
            }
            SiteState::Faulty { why } => {
                Some(format!("{} ({}): {why}", reading.site, reading.path))
            }
            SiteState::Spelled { .. } | SiteState::Absent => None,
        })
        .collect();
    if !faults.is_empty() {
        return failed(faults.join("; "));
    }
    let present = facts
        .sites
        .iter()
        .filter(|reading| matches!(reading.state, SiteState::Spelled { .. }))
        .count();
    passed(format!("{present} of {} sites present, each as expected", facts.sites.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{SiteReading, Verdict};

    #[test]
    fn a_fault_names_its_site() {
        let reading = |state| SiteReading {
            path: "a.yml".parse().unwrap(),
            site: "compose".to_owned(),
            companion: None,
            state,
        };
        let faulty = SiteState::Faulty { why: "expected 1 match, found none".to_owned() };
        let facts = PinFacts {
            sites: vec![reading(SiteState::Absent), reading(faulty)],
            migrated: Vec::new(),
            migrated_to: Vec::new(),
            migration_fault: None,
            harness: String::new(),
        };
        let Answer { verdict, summary, .. } = verify(Some(&facts));
        assert_eq!(verdict, Verdict::Failed);
        assert_eq!(summary, "compose (a.yml): expected 1 match, found none");
        assert_eq!(verify(None).verdict, Verdict::Failed);
    }
}
