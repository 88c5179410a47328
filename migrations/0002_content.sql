-- What a finding tells besides verdict and summary, as JSON.
ALTER TABLE finding ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';

-- The documents that findings rest on, each once, by the sha256 of its bytes: so that a verdict can
-- be looked at again years later.
CREATE TABLE content (
  digest TEXT PRIMARY KEY NOT NULL,
  media_type TEXT NOT NULL,
  bytes BYTEA NOT NULL,
  seen_at BIGINT NOT NULL
);
