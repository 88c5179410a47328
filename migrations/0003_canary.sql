-- What a run showed, step by step, as JSON.
ALTER TABLE canary_run ADD COLUMN report TEXT NOT NULL DEFAULT '{}';

-- What its result may be used for again: the digest of the steps and of the harness that it ran on.
-- Empty for runs from before it was kept.
ALTER TABLE canary_run ADD COLUMN remembered_by TEXT NOT NULL DEFAULT '';
