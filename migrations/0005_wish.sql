-- What is asked for: that the pin is bumped, or that the canary is run again. Of open wishes there is
-- one of each kind for each version.
ALTER TABLE request ADD COLUMN wish TEXT NOT NULL DEFAULT 'bump';
DROP INDEX request_open;
CREATE UNIQUE INDEX request_open ON request (watch, version, wish) WHERE ended_at IS NULL;
