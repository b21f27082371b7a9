-- The register: what was met, what was read, what breaks the policy, what
-- people decided. Times are microseconds since 1970 in UTC, 0 for never;
-- truth values are 0 and 1. Columns called sealed_… are AES-256-GCM with the
-- row's identity as additional data; nothing here holds a raw value.

-- +goose Up

-- What the database knows of itself: the id of the key that seals it.
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- One run over one source.
CREATE TABLE scan (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  source          TEXT NOT NULL,
  service         TEXT NOT NULL,
  ruleset_reading TEXT NOT NULL,
  ruleset_policy  TEXT NOT NULL,
  started         INTEGER NOT NULL,
  ended           INTEGER NOT NULL DEFAULT 0,
  complete        INTEGER NOT NULL DEFAULT 0,
  failure         TEXT NOT NULL DEFAULT '',
  items           INTEGER NOT NULL DEFAULT 0,
  deleted         INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX scan_of_source ON scan (source, id);

-- A part of a source with its own cursor, and the crawl under way in it.
CREATE TABLE scope (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  source    TEXT NOT NULL,
  scope     TEXT NOT NULL,
  path      TEXT NOT NULL,
  site      TEXT NOT NULL,
  owner     TEXT NOT NULL,
  web_url   TEXT NOT NULL,
  scan      INTEGER NOT NULL,            -- the last scan that met it
  crawl     INTEGER NOT NULL DEFAULT 0,  -- number of the last crawl
  full_crawl INTEGER NOT NULL DEFAULT 1, -- that crawl began at the zero cursor
  under_way INTEGER NOT NULL DEFAULT 0,  -- that crawl has not ended
  cursor    TEXT NOT NULL DEFAULT '',    -- where to go on
  reason    TEXT NOT NULL DEFAULT '',    -- why it could not be crawled
  detail    TEXT NOT NULL DEFAULT '',
  since     INTEGER NOT NULL DEFAULT 0,
  UNIQUE (source, scope)
) STRICT;

CREATE TABLE document (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  source          TEXT NOT NULL,
  service         TEXT NOT NULL,
  site            TEXT NOT NULL,
  scope           INTEGER NOT NULL REFERENCES scope (id),
  crawl           INTEGER NOT NULL,            -- the last crawl that met it

  item            TEXT NOT NULL,
  path            TEXT NOT NULL,
  version         TEXT NOT NULL,
  content_hash    TEXT NOT NULL,
  size            INTEGER NOT NULL,
  modified        INTEGER NOT NULL,
  owner           TEXT NOT NULL,
  web_url         TEXT NOT NULL,

  queue           INTEGER NOT NULL DEFAULT 0,  -- 0: not waiting, 1: to be read, 2: text recognition
  ticket          INTEGER NOT NULL DEFAULT 0,  -- counts the times it was queued
  taken           INTEGER NOT NULL DEFAULT 0,  -- the ticket that is being worked on
  attempt         INTEGER NOT NULL DEFAULT 0,
  retry_at        INTEGER NOT NULL DEFAULT 0,

  status          TEXT NOT NULL DEFAULT '',
  media_type      TEXT NOT NULL DEFAULT '',
  extractor       TEXT NOT NULL DEFAULT '',
  name_mismatch   INTEGER NOT NULL DEFAULT 0,
  bytes           INTEGER NOT NULL DEFAULT 0,
  chars           INTEGER NOT NULL DEFAULT 0,
  files           INTEGER NOT NULL DEFAULT 0,
  gaps            INTEGER NOT NULL DEFAULT 0,  -- rows in gap
  sealed_content  BLOB,
  sealed_exposure BLOB,
  ruleset_reading TEXT NOT NULL DEFAULT '',
  ruleset_policy  TEXT NOT NULL DEFAULT '',
  class           INTEGER NOT NULL DEFAULT 0,
  outcome         TEXT NOT NULL DEFAULT '',
  controller      TEXT NOT NULL DEFAULT '',
  department      TEXT NOT NULL DEFAULT '',
  head            TEXT NOT NULL DEFAULT '',
  mail            TEXT NOT NULL DEFAULT '',
  first_seen      INTEGER NOT NULL,
  read_at         INTEGER NOT NULL DEFAULT 0,
  read_hash       TEXT NOT NULL DEFAULT '',    -- content_hash and size of what was read
  read_size       INTEGER NOT NULL DEFAULT 0,
  UNIQUE (source, item)
) STRICT;
CREATE INDEX document_by_path ON document (source, path);
-- Counting and looking for what is to be read or judged again needs no more
-- than this; a pass over the documents themselves would read all that is sealed.
CREATE INDEX document_counts ON document (source, ruleset_reading, ruleset_policy, status, queue, retry_at, bytes, service);
CREATE INDEX document_of_scope ON document (scope, crawl);
CREATE INDEX document_waiting ON document (queue, retry_at) WHERE queue > 0;
CREATE INDEX document_by_content ON document (read_hash, read_size) WHERE read_hash <> '';

-- What was not read of a document.
CREATE TABLE gap (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  document INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
  place    TEXT NOT NULL,
  reason   TEXT NOT NULL,
  detail   TEXT NOT NULL,
  since    INTEGER NOT NULL
) STRICT;
CREATE INDEX gap_of_document ON gap (document);

-- Folders and items that a source could list but not look into.
CREATE TABLE unreadable (
  scope  INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
  item   TEXT NOT NULL,
  path   TEXT NOT NULL,
  crawl  INTEGER NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  since  INTEGER NOT NULL,
  PRIMARY KEY (scope, item)
) STRICT;

-- One document breaking one rule. It stays when the document is gone.
CREATE TABLE finding (
  id              TEXT PRIMARY KEY,
  document        INTEGER NOT NULL,            -- 0: gone
  source          TEXT NOT NULL,
  service         TEXT NOT NULL,
  site            TEXT NOT NULL,
  item            TEXT NOT NULL,
  path            TEXT NOT NULL,
  content_hash    TEXT NOT NULL,
  size            INTEGER NOT NULL,
  item_json       TEXT NOT NULL,
  controller      TEXT NOT NULL,
  department      TEXT NOT NULL,
  head            TEXT NOT NULL,
  mail            TEXT NOT NULL,
  rule            TEXT NOT NULL,
  class           INTEGER NOT NULL,
  severity        INTEGER NOT NULL,            -- 1 low … 4 critical
  categories      TEXT NOT NULL,               -- " halsa hr "
  sealed          INTEGER NOT NULL,            -- säkerhetsskydd
  people          INTEGER NOT NULL,
  verdict_json    TEXT NOT NULL,               -- without evidence
  kinds_json      TEXT NOT NULL,
  sealed_evidence BLOB,
  sealed_exposure BLOB,
  status          TEXT NOT NULL,
  until           INTEGER NOT NULL DEFAULT 0,
  basis_json      TEXT NOT NULL DEFAULT '{}',
  first_seen      INTEGER NOT NULL,
  last_seen       INTEGER NOT NULL,
  changed         INTEGER NOT NULL
) STRICT;
CREATE INDEX finding_of_document ON finding (document);
CREATE INDEX finding_by_severity ON finding (severity DESC, class DESC, people DESC, id);
CREATE INDEX finding_by_content ON finding (content_hash, size, rule) WHERE content_hash <> '';
CREATE INDEX finding_until ON finding (until) WHERE until > 0;

-- The audit trail.
CREATE TABLE event (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  at      INTEGER NOT NULL,
  by      TEXT NOT NULL,
  role    TEXT NOT NULL,
  act     TEXT NOT NULL,
  finding TEXT NOT NULL,
  detail  TEXT NOT NULL
) STRICT;
CREATE INDEX event_of_finding ON event (finding, id);

-- +goose StatementBegin
CREATE TRIGGER event_is_kept BEFORE UPDATE ON event
BEGIN SELECT raise(ABORT, 'the audit trail is only ever added to'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_stays BEFORE DELETE ON event
BEGIN SELECT raise(ABORT, 'the audit trail is only ever added to'); END;
-- +goose StatementEnd
