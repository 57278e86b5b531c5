import { expect } from 'chai'
import { join } from 'node:path'
import { runCli } from '../../src/cli/run.ts'
import { openSqlite } from '../../src/store/sqlite/file/database.ts'
import { verifyAuditFile } from '../../src/store/sqlite/verify-file.ts'
import { fakeTerminal } from '../cli/fake-terminal.ts'
import { DEFAULT, NOON } from '../support/store/samples.ts'
import { temporaryStore, type TemporaryStore } from './temporary-store.ts'

describe('the audit log in the data folder (security row 30)', () => {
  let opened: TemporaryStore
  beforeEach(async () => {
    opened = await temporaryStore()
    for (let index = 1; index <= 6; index++)
      await opened.store.audit([
        {
          tenant: DEFAULT,
          at: NOON,
          actor: 'anna',
          via: 'http',
          action: `act.${index}`,
          subject: null,
          detail: {},
        },
      ])
  })
  afterEach(() => opened.end())

  /** What somebody with access to the file does to it. */
  const tamper = (sql: string) => {
    const db = openSqlite({ file: join(opened.path, 'carillon.db'), readOnly: false })
    db.exec(sql)
    db.close()
  }
  const attacks: readonly [string, string, number][] = [
    ['one byte of a row is flipped', `UPDATE audit SET actor = 'bnna' WHERE seq = 3`, 3],
    ['a row is removed', 'DELETE FROM audit WHERE seq = 4', 4],
    ['the last row is removed', 'DELETE FROM audit WHERE seq = 6', 6],
    [
      'two rows change places',
      'UPDATE audit SET seq = 100 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 100',
      2,
    ],
  ]
  for (const [title, sql, at] of attacks) {
    it(`is found out at its entry when ${title}`, async () => {
      expect(verifyAuditFile(opened.path)).to.include({ ok: true, entries: 6 })
      tamper(sql)
      expect(verifyAuditFile(opened.path)).to.include({ ok: false, at })
      const terminal = fakeTerminal()
      const parts = { start: () => Promise.resolve(0), version: '0' }
      expect(await runCli(['verify-audit', '--data', opened.path, '--json'], terminal, parts)).to.equal(1)
      expect(JSON.parse(terminal.out())).to.include({ ok: false, at })
    })
  }

  it('is verified against a head that the log of the program had once', async () => {
    const head = await opened.store.auditHead()
    const run = (known: string) =>
      runCli(['verify-audit', '--data', opened.path, '--head', known], fakeTerminal(), {
        start: () => Promise.resolve(0),
        version: '0',
      })
    expect(await run(`${head.seq}:${head.hash}`)).to.equal(0)
    expect(await run(`${head.seq}:${'0'.repeat(64)}`)).to.equal(1)
    expect(await run(`${head.seq + 1}:${head.hash}`)).to.equal(1)
    expect(await run('whatever')).to.equal(2)
  })
})
