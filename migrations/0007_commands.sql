-- Comments that command. Deliveries of webhooks, so that one that comes twice does nothing.
CREATE TABLE delivery (
  id TEXT PRIMARY KEY NOT NULL,
  event TEXT NOT NULL,
  received_at BIGINT NOT NULL
);
CREATE INDEX delivery_at ON delivery (received_at);

-- What was said and heard, once, whichever way it came. `rulings` is what became of each command in
-- it, `watch` whose pass said so, `stranger` whether who said it may not command; `ended_at` is when nothing more is to be answered.
CREATE TABLE heard (
  id BIGINT PRIMARY KEY NOT NULL,
  repository TEXT NOT NULL,
  source TEXT NOT NULL,
  number BIGINT NOT NULL,
  author TEXT NOT NULL,
  bot BIGINT NOT NULL,
  body TEXT NOT NULL,
  head TEXT,
  said_at BIGINT NOT NULL,
  heard_at BIGINT NOT NULL,
  watch TEXT,
  rulings TEXT,
  stranger BIGINT NOT NULL DEFAULT 0,
  ended_at BIGINT
);
CREATE UNIQUE INDEX heard_once ON heard (repository, source);
CREATE INDEX heard_open ON heard (repository, heard_at) WHERE ended_at IS NULL;

-- Standing orders are requests that are granted as they are made. They have no version, but for
-- the one that is ignored: then it is the empty text.
ALTER TABLE request ADD COLUMN subject TEXT;
ALTER TABLE request ADD COLUMN reason TEXT;
