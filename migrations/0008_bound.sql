-- Where the branch of its pull request was when a wish was written; null where it is about none, or
-- about the branch as it is.
ALTER TABLE request ADD COLUMN head TEXT;
