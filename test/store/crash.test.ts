import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FailpointName } from '../../src/failpoint.ts'
import { openSqlite } from '../../src/store/sqlite/file/database.ts'
import * as sample from '../support/store/samples.ts'
import { temporaryStore } from './temporary-store.ts'

/** Runs the publisher of crash-publisher.ts until the failpoint kills it; resolves with the ids it saw accepted. */
async function publishUntil(
  failpoint: FailpointName,
  count: number,
  path: string,
): Promise<readonly string[]> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./crash-publisher.js', import.meta.url)), path],
    {
      env: { ...process.env, CARILLON_FAILPOINT: `${failpoint}:${count}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (output += part))
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect(signal).to.equal('SIGKILL')
  return output.split('\n').filter(Boolean)
}

describe('The embedded store after a kill', () => {
  const cases: readonly (readonly [FailpointName, number, boolean])[] = [
    ['before-commit', 1, false],
    ['before-commit', 4, false],
    ['after-commit-before-puback', 4, true],
    ['during-checkpoint', 1, false],
  ]
  for (const [failpoint, count, mayHoldMore] of cases)
    it(`has everything that was acknowledged, whole, when it was killed at ${failpoint}, passage ${count} (P1, P4)`, async () => {
      const path = await mkdtemp(join(tmpdir(), 'carillon-crash-'))
      const acknowledged = await publishUntil(failpoint, count, path)
      const opened = await temporaryStore({ path })
      try {
        const { store } = opened
        const stored = await sample.idsOf(sample.wholeInbox(store, sample.reader()))
        expect(stored).to.include.members([...acknowledged])
        if (mayHoldMore) expect(stored.length).to.be.greaterThan(acknowledged.length)
        else expect(stored).to.have.length(acknowledged.length)
        const { broken, deliveries, accepted } = await store.conservation()
        expect({ broken, accepted, pending: deliveries.pending }).to.deep.equal({
          broken: 0,
          accepted: stored.length,
          pending: stored.length,
        })
        for (const id of stored) {
          const given = { key: `id:${id}`, check: true, expiresAt: sample.NOON + 1000 }
          expect((await store.accept(sample.acceptance({ once: given }))).kind).to.equal('duplicate')
        }
        await store.close()
        const db = openSqlite({ file: join(path, 'carillon.db'), readOnly: false })
        expect(db.prepare('PRAGMA integrity_check').get()).to.deep.equal(['ok'])
        db.close()
      } finally {
        await opened.end()
      }
    })

  it('has no schema or a whole one when it was killed while making it', async () => {
    const path = await mkdtemp(join(tmpdir(), 'carillon-crash-'))
    expect(await publishUntil('during-migration', 1, path)).to.deep.equal([])
    const opened = await temporaryStore({ path })
    expect((await opened.store.conservation()).broken).to.equal(0)
    await opened.end()
  })
})
