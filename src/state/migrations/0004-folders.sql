-- One row a folder of rollouts, as it was listed. It counts while modification time and inode match.
CREATE TABLE folders (
  path           TEXT PRIMARY KEY,
  modified_at_ms REAL NOT NULL,
  inode          INTEGER NOT NULL,
  -- Of its entries those that matter, with `/` between them.
  names          TEXT NOT NULL,
  checksum       INTEGER NOT NULL
) STRICT;
