-- One text for SQLite and PostgreSQL: TEXT, BIGINT, BYTEA. Times are milliseconds since
-- 1970-01-01T00:00:00Z, flags 0 or 1, JSON is text, ids are counted by the writer under its lock.

-- What was read in the world. Append-only; the latest of a (watch, aspect, subject) has the
-- largest id.
CREATE TABLE observation (
  id BIGINT PRIMARY KEY NOT NULL,
  watch TEXT NOT NULL,
  aspect TEXT NOT NULL,
  subject TEXT NOT NULL,
  fact TEXT NOT NULL,
  seen_at BIGINT NOT NULL
);
CREATE INDEX observation_of ON observation (watch, aspect, subject, id);

-- Answers to checks. Append-only.
CREATE TABLE finding (
  id BIGINT PRIMARY KEY NOT NULL,
  watch TEXT NOT NULL,
  version TEXT NOT NULL,
  check_name TEXT NOT NULL,
  subject TEXT NOT NULL,
  inputs TEXT NOT NULL,
  verdict TEXT NOT NULL,
  summary TEXT NOT NULL,
  found_at BIGINT NOT NULL
);
CREATE INDEX finding_of ON finding (watch, id);

-- Executions of the contract canary. The last four columns are filled in together, at its end.
CREATE TABLE canary_run (
  id BIGINT PRIMARY KEY NOT NULL,
  watch TEXT NOT NULL,
  version TEXT NOT NULL,
  subject TEXT NOT NULL,
  inputs TEXT NOT NULL,
  base TEXT NOT NULL,
  tree TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  alive_until BIGINT NOT NULL,
  ended_at BIGINT,
  verdict TEXT,
  summary TEXT,
  output TEXT
);
CREATE INDEX canary_run_of ON canary_run (watch, id);

-- Wishes of people. Of open ones there is one for each version.
CREATE TABLE request (
  id BIGINT PRIMARY KEY NOT NULL,
  watch TEXT NOT NULL,
  version TEXT NOT NULL,
  actor TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  granted BIGINT,
  answer TEXT,
  ended_at BIGINT
);
CREATE UNIQUE INDEX request_open ON request (watch, version) WHERE ended_at IS NULL;

-- Writes to the outside: intended before, done after.
CREATE TABLE effect (
  effect_key TEXT PRIMARY KEY NOT NULL,
  watch TEXT NOT NULL,
  effect TEXT NOT NULL,
  state TEXT NOT NULL,
  intended_at BIGINT NOT NULL,
  done_at BIGINT,
  remote_id TEXT
);
CREATE INDEX effect_of ON effect (watch, intended_at);

-- Whole answers with their validators, for conditional requests.
CREATE TABLE http_cache (
  url TEXT PRIMARY KEY NOT NULL,
  etag TEXT,
  last_modified TEXT,
  next_url TEXT,
  body BYTEA NOT NULL,
  cached_at BIGINT NOT NULL
);

-- Who may write. The token rises with each new owner, so that an owner who slept too long is
-- recognised by its old one; a row is never deleted.
CREATE TABLE lease (
  name TEXT PRIMARY KEY NOT NULL,
  owner TEXT NOT NULL,
  token BIGINT NOT NULL,
  held_until BIGINT NOT NULL
);
