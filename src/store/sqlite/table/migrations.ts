import { failpoint } from '../../../failpoint.ts'
import { type Database } from '../file/database.ts'
import { COUNT_OF_ROWS } from './inbox-count.ts'

/** Migration n lifts the schema from version n - 1 to n. Only ever appended to. */
const MIGRATIONS: readonly string[] = [
  `
  -- One row. commits: grows with every commit; accepted = routed + dead_lettered (promise P4).
  CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    commits INTEGER NOT NULL DEFAULT 0,
    high_water_at INTEGER NOT NULL DEFAULT 0,
    boots INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,
    routed INTEGER NOT NULL DEFAULT 0,
    dead_lettered INTEGER NOT NULL DEFAULT 0,
    dead_letters_removed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO meta (id) VALUES (1);

  CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

  -- Idempotency keys (promise P3). Found by a hash of tenant, principal and key: the keys come in no order, so an
  -- index on their text dirties a page per row. Measured over 150,000 keys in commits of 500: hash 6.5 µs CPU per key
  -- and growing slowly, unique text index 14 µs, text as the table's own key 19 µs.
  CREATE TABLE once (
    row INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    key TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    result TEXT NOT NULL
  ) STRICT;
  CREATE INDEX once_hash ON once (hash);
  CREATE INDEX once_expiry ON once (expires_at);

  -- state: 0 unread, 1 read, 2 deleted; of a broadcast (user_id NULL) always 0, its state is in broadcast_state.
  CREATE TABLE notification (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    user_id TEXT,
    audience TEXT,
    principal TEXT NOT NULL,
    message_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    category TEXT,
    customer_id TEXT,
    created_at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    read_at INTEGER,
    content TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX notification_id ON notification (id, tenant);
  -- One index for both halves of an inbox and both counts; the rowid, seq, is its last column.
  CREATE INDEX notification_inbox ON notification (tenant, user_id, state) WHERE user_id IS NOT NULL AND state < 2;
  CREATE INDEX notification_broadcast ON notification (tenant) WHERE user_id IS NULL;

  CREATE TABLE broadcast_state (
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    state INTEGER NOT NULL,
    read_at INTEGER,
    PRIMARY KEY (tenant, user_id, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE alert (
    row INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    dedup_key TEXT NOT NULL,
    status TEXT NOT NULL,
    severity TEXT NOT NULL,
    team TEXT,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    next_step_at INTEGER,
    work_id INTEGER,
    count INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    doc TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX alert_id ON alert (id, tenant);
  CREATE UNIQUE INDEX alert_dedup ON alert (tenant, dedup_key) WHERE status <> 'resolved';
  CREATE INDEX alert_open ON alert (created_at) WHERE status <> 'resolved';
  CREATE INDEX alert_tenant ON alert (tenant);
  CREATE INDEX alert_status ON alert (tenant, status);

  CREATE TABLE timeline (
    row INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    entry TEXT NOT NULL
  ) STRICT;
  CREATE INDEX timeline_alert ON timeline (alert_id, tenant);

  -- The subject leads the key because the reports of connected devices name it alone; ids grow with time, so rows
  -- are appended. work_id: the piece of work that will move this row on.
  CREATE TABLE delivery (
    subject_id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    subject_kind TEXT NOT NULL,
    purpose TEXT NOT NULL,
    user_id TEXT,
    channel TEXT NOT NULL,
    address TEXT,
    critical INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    principal TEXT NOT NULL,
    message_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    reason TEXT,
    next_attempt_at INTEGER,
    provider_id TEXT,
    error TEXT,
    step INTEGER,
    fixed TEXT,
    sent_at INTEGER,
    delivered_at INTEGER,
    work_id INTEGER,
    PRIMARY KEY (subject_id, tenant, ordinal)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX delivery_user ON delivery (tenant, user_id, created_at) WHERE user_id IS NOT NULL;
  CREATE INDEX delivery_tenant ON delivery (tenant, created_at);
  -- Rare ends, so that looking for them does not read everything that went well.
  CREATE INDEX delivery_ended ON delivery (tenant, state, created_at)
    WHERE state IN ('cancelled', 'suppressed', 'expired', 'dead');

  -- Due work of every kind. A leased row is due again when its lease runs out. AUTOINCREMENT: an id that came back
  -- would let an old holder settle another's work.
  CREATE TABLE work (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    ref TEXT NOT NULL,
    ordinal INTEGER,
    due_at INTEGER NOT NULL,
    token INTEGER NOT NULL,
    crashes INTEGER NOT NULL DEFAULT 0,
    leased INTEGER NOT NULL,
    critical INTEGER NOT NULL,
    doc TEXT
  ) STRICT;
  CREATE INDEX work_due ON work (lane, critical, due_at);

  -- What the publishers last said of the components they watch (checklist R34).
  CREATE TABLE component_state (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE dead_letter (
    row INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    principal TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX dead_letter_id ON dead_letter (id, tenant);
  CREATE INDEX dead_letter_tenant ON dead_letter (tenant);
  CREATE INDEX dead_letter_age ON dead_letter (created_at);

  CREATE TABLE outbox (
    row INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    channel TEXT NOT NULL,
    user_id TEXT,
    created_at INTEGER NOT NULL,
    doc TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX outbox_id ON outbox (id, tenant);
  CREATE INDEX outbox_tenant ON outbox (tenant);
  CREATE INDEX outbox_age ON outbox (created_at);
  `,
  `
  -- What is changed while the program runs. seq orders the changes, so a change gives the row a new one; AUTOINCREMENT,
  -- because a number that came back would hide a change from whoever has read beyond it.
  CREATE TABLE record (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    doc TEXT,
    version INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (tenant, kind, owner, key)
  ) STRICT;
  CREATE INDEX record_removed ON record (changed_at) WHERE doc IS NULL;
  `,
  `
  CREATE TABLE digest (
    id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    channel TEXT NOT NULL,
    user_id TEXT NOT NULL,
    address TEXT,
    opened_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (id, tenant)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX digest_open ON digest (tenant, key) WHERE closed_at IS NULL;
  CREATE INDEX digest_closed ON digest (closed_at) WHERE closed_at IS NOT NULL;
  ALTER TABLE delivery ADD COLUMN digest_id TEXT;
  CREATE INDEX delivery_digest ON delivery (digest_id) WHERE digest_id IS NOT NULL;
  `,
  `
  -- What was sent to addresses, for whoever sent it; listed by owner and topic, newest first: seq is the index's last
  -- column.
  CREATE TABLE dispatch (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    topic TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    doc TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX dispatch_id ON dispatch (id, tenant);
  CREATE INDEX dispatch_owner ON dispatch (tenant, owner, topic);
  `,
  `
  -- What has not ended and does not merely wait for its person to connect: all that the law of conservation has to look
  -- at every minute, and all that it needs of it.
  CREATE INDEX delivery_moving ON delivery (work_id, state, channel)
    WHERE state IN ('pending', 'sending') AND NOT (state = 'pending' AND channel = 'realtime' AND work_id IS NULL);

  CREATE TABLE delivery_count (state TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO delivery_count SELECT state, count(*) FROM delivery GROUP BY state;
  -- The last commit that kept the count: an older build does not, and may have written in between.
  ALTER TABLE meta ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
  UPDATE meta SET counted = commits;
  `,
  `
  -- Only ever grows; hash covers the row and the hash before it (security row 30). audit_head is one row: the end.
  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    via TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_actor ON audit (tenant, actor);
  CREATE INDEX audit_action ON audit (tenant, action);
  CREATE TABLE audit_head (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
  INSERT INTO audit_head VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

  -- What the watchdog looks through: open alerts that wait for a timer, and firing ones that have none.
  CREATE INDEX alert_timer ON alert (next_step_at, work_id, status, id, tenant)
    WHERE status <> 'resolved' AND next_step_at IS NOT NULL;
  CREATE INDEX alert_untimed ON alert (created_at, id, tenant)
    WHERE status = 'firing' AND severity = 'critical' AND next_step_at IS NULL;
  `,
  `
  -- When it was to be attempted first, where that was later than it came to be.
  ALTER TABLE delivery ADD COLUMN first_due_at INTEGER;
  `,
  `
  -- Alerts by what their timelines refer to; few entries refer to anything.
  CREATE INDEX timeline_ref ON timeline (tenant, entry ->> '$.ref', alert_id) WHERE entry ->> '$.ref' IS NOT NULL;
  `,
  `
  -- What was sent again and what sends it again, and what every attempt came to: JSON, the newest ones.
  ALTER TABLE delivery ADD COLUMN resend_of TEXT;
  ALTER TABLE delivery ADD COLUMN resent_as TEXT;
  ALTER TABLE delivery ADD COLUMN history TEXT;
  -- When its summary is written; null for those that an earlier build opened.
  ALTER TABLE digest ADD COLUMN due_at INTEGER;
  `,
  `
  -- State of MQTT sessions (MQTT 3.1.1 section 4.1). A message that waits for several sessions is stored once.
  CREATE TABLE mqtt_session (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    principal TEXT NOT NULL,
    left_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE mqtt_subscription (
    session TEXT NOT NULL,
    filter TEXT NOT NULL,
    qos INTEGER NOT NULL,
    options TEXT NOT NULL,
    PRIMARY KEY (session, filter)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE mqtt_message (
    seq INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    payload ANY NOT NULL,
    retain INTEGER NOT NULL,
    dup INTEGER NOT NULL,
    broker TEXT,
    counter INTEGER
  ) STRICT;
  CREATE TABLE mqtt_outgoing (
    seq INTEGER PRIMARY KEY,
    session TEXT NOT NULL,
    message INTEGER NOT NULL,
    qos INTEGER NOT NULL,
    packet_id INTEGER,
    released INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX mqtt_outgoing_packet ON mqtt_outgoing (session, packet_id);
  CREATE INDEX mqtt_outgoing_message ON mqtt_outgoing (message);
  CREATE TABLE mqtt_incoming (
    session TEXT NOT NULL,
    packet_id INTEGER NOT NULL,
    doc TEXT NOT NULL,
    payload ANY NOT NULL,
    PRIMARY KEY (session, packet_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE mqtt_retained (
    seq INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    topic TEXT NOT NULL,
    doc TEXT NOT NULL,
    payload ANY NOT NULL,
    UNIQUE (tenant, topic)
  ) STRICT;
  CREATE TABLE mqtt_will (
    session TEXT PRIMARY KEY,
    broker TEXT NOT NULL,
    doc TEXT NOT NULL,
    payload ANY NOT NULL
  ) STRICT;
  `,
  `
  -- How often it was presented again and refused again.
  ALTER TABLE dead_letter ADD COLUMN replays INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- What each inbox has, broadcasts aside.
  CREATE TABLE inbox_count (
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    total INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    PRIMARY KEY (tenant, user_id)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO inbox_count ${COUNT_OF_ROWS};
  -- The last commit that kept it, as counted is of the deliveries.
  ALTER TABLE meta ADD COLUMN inbox_counted INTEGER NOT NULL DEFAULT 0;
  UPDATE meta SET inbox_counted = commits;
  -- Pages of one category and of one customer. Rows without them cost nothing here.
  CREATE INDEX notification_category ON notification (tenant, user_id, category, state)
    WHERE user_id IS NOT NULL AND state < 2 AND category IS NOT NULL;
  CREATE INDEX notification_customer ON notification (tenant, user_id, customer_id, state)
    WHERE user_id IS NOT NULL AND state < 2 AND customer_id IS NOT NULL;
  -- With everything by which broadcasts are chosen: only those that are shown are read.
  DROP INDEX notification_broadcast;
  CREATE INDEX notification_broadcast ON notification (tenant, seq, audience, category, customer_id, user_id)
    WHERE user_id IS NULL;
  `,
]

/** The schema version this build writes. */
export const SCHEMA_VERSION = MIGRATIONS.length

/**
 * Brings the file up to this build's schema, each step in a transaction of its own, so that a crash leaves the
 * version before it. A schema that is one version newer is used as it is (nodes are upgraded one by one, promise
 * P28); anything newer throws and touches nothing.
 */
export function migrate(db: Database): void {
  const found = Number(db.prepare('PRAGMA user_version').get()?.[0] ?? 0)
  if (found > SCHEMA_VERSION + 1)
    throw new Error(
      `The data has schema version ${found}, and this build reads up to ${SCHEMA_VERSION + 1}: ` +
        'start the newer build again, or restore a backup made by this one',
    )
  for (const [index, sql] of MIGRATIONS.entries()) {
    const version = index + 1
    if (version <= found) continue
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(sql)
      db.exec(`PRAGMA user_version = ${version}`)
      failpoint('during-migration')
      db.exec('COMMIT')
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}
