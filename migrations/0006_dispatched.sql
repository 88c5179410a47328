-- The marker of the downstream's workflow that carries the run on the commit in `checked`; null
-- where none was dispatched for it.
ALTER TABLE canary_run ADD COLUMN dispatched TEXT;
