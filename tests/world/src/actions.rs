//! The downstream's workflows that somebody dispatches, and what becomes of their runs.

use crate::World;
use crate::github::actions::{self, Artifact};
use std::{
    collections::BTreeMap,
    io::{Cursor, Write as _},
};
use zip::{ZipWriter, write::SimpleFileOptions};

/// A run of a workflow that was dispatched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// GitHub's id of the run.
    pub id: u64,
    /// The workflow's file.
    pub workflow: String,
    /// The branch that it was dispatched on.
    pub branch: String,
    /// The commit that it runs on.
    pub sha: String,
    /// What its `run-name` made of it.
    pub title: String,
    /// What it was told.
    pub inputs: BTreeMap<String, String>,
    /// Its conclusion, or its status before it has one.
    pub state: String,
}

impl World {
    /// The runs that were dispatched in the downstream, the oldest first.
    #[must_use]
    pub fn dispatches(&self) -> Vec<Dispatch> {
        self.downstream(|state, repo| {
            let runs = state.repos[repo].runs.values();
            let told = runs.map(|run| Dispatch {
                id: run.id,
                workflow: run.workflow.clone(),
                branch: run.branch.clone(),
                sha: run.sha.clone(),
                title: run.title.clone(),
                inputs: run.inputs.clone(),
                state: run.conclusion.clone().unwrap_or_else(|| run.status.to_owned()),
            });
            told.collect()
        })
    }

    /// A person dispatches a workflow on a branch, and gives it other inputs; the run's id.
    ///
    /// # Panics
    /// If GitHub would refuse it.
    pub fn dispatch_as(
        &self,
        login: &str,
        workflow: &str,
        branch: &str,
        inputs: &[(&str, &str)],
    ) -> u64 {
        self.downstream(|state, repo| {
            let inputs = inputs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            actions::begin(state, repo, login, workflow, branch, inputs.collect())
                .expect("the workflow and the branch are there")
        })
    }

    /// A runner takes up a run.
    pub fn run_begins(&self, id: u64) {
        self.change_run(id, "in_progress", None, None);
    }

    /// A run hands back files in an artifact.
    ///
    /// # Panics
    /// If there is no such run.
    pub fn run_hands_back(&self, id: u64, artifact: &str, files: &[(&str, &[u8])]) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).expect("a file in a zip");
            zip.write_all(bytes).expect("memory is there");
        }
        let zip = zip.finish().expect("memory is there").into_inner();
        self.change_run(id, "in_progress", None, Some((artifact, zip)));
    }

    /// A run concludes, as GitHub spells it: `success`, `failure`, `cancelled` and so on.
    pub fn run_concludes(&self, id: u64, conclusion: &str) {
        self.change_run(id, "completed", Some(conclusion), None);
    }

    /// GitHub throws away what a run handed back.
    ///
    /// # Panics
    /// If there is no such run.
    pub fn artifacts_expire(&self, id: u64) {
        self.downstream(|state, repo| {
            let run = state.repo(repo).runs.get_mut(&id).expect("the run is there");
            run.artifacts.iter_mut().for_each(|artifact| artifact.expired = true);
        });
    }

    fn change_run(
        &self,
        id: u64,
        status: &'static str,
        conclusion: Option<&str>,
        artifact: Option<(&str, Vec<u8>)>,
    ) {
        self.downstream(|state, repo| {
            let (now, new_id) = (state.now(), state.id());
            let repository = state.repo(repo);
            repository.before_change();
            let run = repository.runs.get_mut(&id).expect("the run is there");
            (run.status, run.updated_at) = (status, now);
            run.conclusion = conclusion.map(str::to_owned);
            run.artifacts.extend(artifact.map(|(name, zip)| {
                let (name, expired) = (name.to_owned(), false);
                Artifact { id: new_id, name, zip, expired, created_at: now }
            }));
            repository.written();
        });
    }
}
