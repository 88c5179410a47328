-- What a run showed, step by step, as JSON.
ALTER TABLE canary_run ADD COLUMN report TEXT NOT NULL DEFAULT '{}';

-- What its result may be used for again: the digest of the steps and of the harness that it ran on.
-- Empty for runs from before it was kept.
ALTER TABLE canary_run ADD COLUMN remembered_by TEXT NOT NULL DEFAULT '';

-- All that a run printed, as long as the config says: the run's own row has the end of it.
CREATE TABLE canary_log (
  run BIGINT PRIMARY KEY NOT NULL,
  log TEXT NOT NULL,
  ended_at BIGINT NOT NULL
);
