import { expect } from 'chai'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../src/store/open.ts'
import { openSqlite, type Database } from '../../src/store/sqlite/file/database.ts'
import { migrate, SCHEMA_VERSION } from '../../src/store/sqlite/table/migrations.ts'
import { silentLog } from '../support/silent-log.ts'

describe('The schema of the embedded store', () => {
  let path: string
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'carillon-schema-'))
  })
  afterEach(() => rm(path, { recursive: true }))

  function withDatabase<T>(work: (db: Database) => T): T {
    const db = openSqlite({ file: join(path, 'carillon.db'), readOnly: false })
    try {
      return work(db)
    } finally {
      db.close()
    }
  }
  const setting = (db: Database, name: string) => db.prepare(`PRAGMA ${name}`).get()?.[0]

  it('is made in an empty file and left alone in one that has it', () => {
    for (let round = 0; round < 2; round++)
      withDatabase((db) => {
        migrate(db)
        expect(setting(db, 'user_version')).to.equal(SCHEMA_VERSION)
      })
    expect(withDatabase((db) => db.prepare('SELECT count(*) FROM meta').get())).to.deep.equal([1])
  })

  it('is used when it is one version newer, and refused beyond that without touching the file (P28)', async () => {
    withDatabase((db) => {
      migrate(db)
      db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`)
      migrate(db)
      db.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 2}`)
    })
    const limits = { operations: 100, bytes: 1_000_000 }
    const refusal = await openStore({ path, ballastBytes: 0, log: silentLog().log, limits }).then(
      () => null,
      (error: Error) => error.message,
    )
    expect(refusal).to.include(`schema version ${SCHEMA_VERSION + 2}`)
    withDatabase((db) => {
      expect(setting(db, 'user_version')).to.equal(SCHEMA_VERSION + 2)
      expect(db.prepare('SELECT boots FROM meta').get()).to.deep.equal([0])
    })
  })

  it('is opened so that a commit waits for the disk (P1)', () => {
    withDatabase((db) => {
      expect(setting(db, 'journal_mode')).to.equal('wal')
      expect(setting(db, 'synchronous')).to.equal(2)
      expect(setting(db, 'foreign_keys')).to.equal(1)
      expect(setting(db, 'busy_timeout')).to.equal(5000)
    })
  })

  it('has strict tables only, but for SQLite’s own', () => {
    const loose = withDatabase((db) => {
      migrate(db)
      return db
        .prepare(`SELECT name FROM pragma_table_list WHERE strict = 0 AND name NOT LIKE 'sqlite_%'`)
        .all()
    })
    expect(loose).to.deep.equal([])
  })

  it('finds deliveries of a user, of a subject and rare ends, inboxes and due work by an index', () => {
    const plans: readonly (readonly [string, string])[] = [
      [
        `SELECT * FROM delivery WHERE tenant = ? AND user_id = ? ORDER BY created_at DESC, subject_id DESC, ordinal DESC`,
        'delivery_user',
      ],
      [`SELECT * FROM delivery WHERE tenant = ? AND subject_id = ? ORDER BY ordinal`, 'PRIMARY KEY'],
      [
        `SELECT * FROM delivery WHERE tenant = ? ORDER BY created_at DESC, subject_id DESC, ordinal DESC`,
        'delivery_tenant',
      ],
      [
        `SELECT * FROM delivery WHERE tenant = ? AND state = ? AND state IN ('cancelled', 'suppressed', 'expired', 'dead') ORDER BY created_at DESC, subject_id DESC, ordinal DESC`,
        'delivery_ended',
      ],
      [
        `SELECT * FROM work WHERE lane = ? AND critical = ? AND due_at <= ? ORDER BY due_at, id`,
        'work_due (lane=? AND critical=? AND due_at<?)',
      ],
      [`SELECT min(due_at) FROM work WHERE lane = ? AND critical = 1`, 'work_due (lane=? AND critical=?)'],
      [`SELECT * FROM alert WHERE tenant = ? AND status = ? ORDER BY row DESC`, 'alert_status'],
    ]
    withDatabase((db) => {
      migrate(db)
      for (const [sql, index] of plans) {
        const plan = db
          .prepare(`EXPLAIN QUERY PLAN ${sql}`)
          .all()
          .map((row) => row[3])
          .join('; ')
        expect(plan).to.include(index)
        expect(plan, 'sorts').to.not.include('TEMP B-TREE')
      }
    })
  })
})
