-- One row a rollout file. A row counts only while size, modification time and inode still match.
CREATE TABLE threads (
  rollout_path   TEXT PRIMARY KEY,
  thread_id      TEXT NOT NULL,
  size_bytes     INTEGER NOT NULL,
  modified_at_ms REAL NOT NULL,
  inode          INTEGER NOT NULL,
  -- Bytes that the summary was folded from: whole lines.
  folded_bytes   INTEGER NOT NULL,
  summary        TEXT NOT NULL
) STRICT;

CREATE INDEX threads_by_id ON threads (thread_id);
