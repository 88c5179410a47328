-- When the lease was last given back; null until then. Of a pass's lease that is the end of the last pass.
ALTER TABLE lease ADD COLUMN released_at BIGINT;
