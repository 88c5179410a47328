-- The commit of the downstream whose own checks are the run's result; null where the bot runs it.
ALTER TABLE canary_run ADD COLUMN checked TEXT;
