import { expect } from 'chai'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/clock.ts'
import { Fault } from '../../src/errors.ts'
import { createBallast } from '../../src/store/sqlite/file/ballast.ts'
import { Committer } from '../../src/store/sqlite/thread/committer.ts'
import { openSqlite, type Database } from '../../src/store/sqlite/file/database.ts'
import { migrate } from '../../src/store/sqlite/table/migrations.ts'
import { acceptOperation, unpack, type Operation } from '../../src/store/sqlite/thread/operation.ts'
import { startThread } from '../../src/store/sqlite/thread/thread.ts'
import { createWriter } from '../../src/store/sqlite/thread/writer.ts'
import * as sample from '../support/store/samples.ts'

/** A database in memory whose next COMMIT fails with SQLite's result code. */
function failingAtCommit(): { readonly db: Database; readonly fail: (code: number) => void } {
  const db = openSqlite({ file: ':memory:', readOnly: false })
  migrate(db)
  let code: number | null = null
  return {
    fail(next) {
      code = next
    },
    db: {
      prepare: (sql) => db.prepare(sql),
      close: () => db.close(),
      get inTransaction() {
        return db.inTransaction
      },
      exec(sql) {
        if (sql !== 'COMMIT' || code === null) return db.exec(sql)
        const errcode = code
        code = null
        throw Object.assign(new Error(`result code ${errcode}`), { errcode })
      },
    },
  }
}

const noBallast = () => createBallast(join(tmpdir(), 'carillon-no-ballast'), 0)

const accept = (id: string): Operation =>
  acceptOperation(sample.acceptance({ notifications: [sample.notification(id)] }))

describe('A disk that fails', () => {
  const cases: readonly (readonly [string, number, boolean])[] = [
    ['a full disk', 13, false],
    ['a disk too full for the index of the log', 4874, false],
    ['a disk that turned read-only', 8, false],
    ['a failed fsync', 1034, true],
    ['a failed write', 778, true],
  ]
  for (const [what, code, fatal] of cases)
    it(`undoes the whole commit on ${what}${fatal ? ', and says that nobody can go on' : ''} (P2, P25)`, () => {
      const { db, fail } = failingAtCommit()
      const writer = createWriter(db, noBallast())
      fail(code)
      const reply = writer.run([accept('n-1'), accept('n-2')])
      const full = code === 13 || code === 4874
      expect(reply).to.deep.equal({ kind: 'failed', message: `result code ${code}`, fatal, full })
      expect(db.inTransaction).to.equal(false)
      expect(db.prepare('SELECT count(*) FROM notification').get()).to.deep.equal([0])
      expect(writer.run([accept('n-1')])).to.include({ kind: 'committed' })
      db.close()
    })

  it('ends everything at the first fsync that fails: no call is acknowledged then or later (P25)', async () => {
    const { db, fail } = failingAtCommit()
    const writer = createWriter(db, noBallast())
    fail(1034)
    const fatal: string[] = []
    const committer = new Committer({
      thread: {
        ready: null,
        ask: (batch) => Promise.resolve(writer.run(unpack(batch))),
        close: () => Promise.resolve(),
      },
      clock: systemClock(),
      metrics: undefined,
      limits: { operations: 2, bytes: 1_000_000 },
      onFatal: (error) => fatal.push(error.message),
      onDisk() {},
    })
    const write = (id: string) =>
      committer
        .write<'accept'>(acceptOperation(sample.acceptance({ notifications: [sample.notification(id)] })), {
          urgent: false,
          keys: [],
        })
        .then(
          () => 'acknowledged',
          (error: unknown) => (error instanceof Fault ? error.code : String(error)),
        )
    const first = await Promise.all(['n-1', 'n-2', 'n-3', 'n-4'].map(write))
    expect(new Set([...first, await write('n-5')])).to.deep.equal(new Set(['store.unavailable']))
    expect(fatal).to.have.length(1)
    expect(db.prepare('SELECT count(*) FROM notification').get()).to.deep.equal([0])
    db.close()
  })

  it('tells of a thread that ended without being asked to, and fails what waits for it (P25)', async () => {
    const ends: string[] = []
    const source = [
      `import { parentPort } from 'node:worker_threads'`,
      `parentPort.on('message', () => { throw new Error('the disk is gone') })`,
      `parentPort.postMessage('ready')`,
    ]
    const entry = new URL(`data:text/javascript,${source.join(';')}`)
    const thread = await startThread<string, string, string>(entry, null, (error) => ends.push(error.message))
    expect(thread.ready).to.equal('ready')
    const failure = await thread.ask('anything').then(
      () => null,
      (error: Error) => error.message,
    )
    await thread.close()
    expect(failure).to.equal('the disk is gone')
    expect(ends).to.deep.equal(['the disk is gone'])
    const late = await thread.ask('more').catch((error: Error) => error.message)
    expect(late).to.equal('the disk is gone')
  })
})
