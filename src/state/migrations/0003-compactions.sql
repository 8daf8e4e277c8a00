-- Outlines count the compactions of their logs: those that do not are made anew.
DELETE FROM turn_words WHERE rowid IN (SELECT id FROM turn_texts);
DELETE FROM turn_texts;
DELETE FROM turns;
DELETE FROM outlines;
