-- Summaries say more than before.
DELETE FROM threads;
ALTER TABLE threads ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;

-- One row a rollout file that was read whole. It counts only as long as `threads` rows do.
CREATE TABLE outlines (
  id             INTEGER PRIMARY KEY,
  rollout_path   TEXT NOT NULL UNIQUE,
  thread_id      TEXT NOT NULL,
  size_bytes     INTEGER NOT NULL,
  modified_at_ms REAL NOT NULL,
  inode          INTEGER NOT NULL,
  folded_bytes   INTEGER NOT NULL,
  folded_lines   INTEGER NOT NULL,
  damaged_lines  INTEGER NOT NULL,
  damage         TEXT NOT NULL,
  summary        TEXT NOT NULL,
  -- What folding goes on from, beside the last turns.
  state          TEXT NOT NULL,
  checksum       INTEGER NOT NULL
) STRICT;

-- Every turn that ever began, with the bytes that tell of it.
CREATE TABLE turns (
  outline_id       INTEGER NOT NULL,
  turn_order       INTEGER NOT NULL,
  turn_id          TEXT NOT NULL,
  status           TEXT NOT NULL,
  start_offset     INTEGER NOT NULL,
  end_offset       INTEGER NOT NULL,
  item_count       INTEGER NOT NULL,
  numbered_before  INTEGER NOT NULL,
  line_index       INTEGER NOT NULL,
  numbered_count   INTEGER NOT NULL,
  is_explicit      INTEGER NOT NULL,
  is_taken_back    INTEGER NOT NULL,
  has_user_message INTEGER NOT NULL,
  is_open_at_next  INTEGER,
  checksum         INTEGER NOT NULL,
  PRIMARY KEY (outline_id, turn_order)
) STRICT, WITHOUT ROWID;

CREATE INDEX turns_by_id ON turns (outline_id, turn_id);

-- Words of a turn; the same id in both tables, newer text has a greater one.
CREATE TABLE turn_texts (
  id         INTEGER PRIMARY KEY,
  outline_id INTEGER NOT NULL,
  turn_order INTEGER NOT NULL,
  -- Kept while more may be said in the turn, so that all of it is found together.
  words      TEXT
) STRICT;

CREATE INDEX turn_texts_by_turn ON turn_texts (outline_id, turn_order);

-- The words alone: the text itself is in the rollouts.
CREATE VIRTUAL TABLE turn_words USING fts5 (
  words,
  content = '',
  contentless_delete = 1,
  tokenize = 'unicode61 remove_diacritics 2'
);
