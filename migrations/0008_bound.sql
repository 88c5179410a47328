-- Where the branch of its pull request was when a wish was written; null where it is about none, or
-- about the branch as it is.
ALTER TABLE request ADD COLUMN head TEXT;
-- When it was said, for the last time while it was open; null where that is when it was recorded.
ALTER TABLE request ADD COLUMN said_at BIGINT;
