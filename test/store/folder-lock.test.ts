import { expect } from 'chai'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { openStore } from '../../src/store/open.ts'
import { openSqlite } from '../../src/store/sqlite/file/database.ts'
import { SCHEMA_VERSION } from '../../src/store/sqlite/table/migrations.ts'
import { silentLog } from '../support/silent-log.ts'
import { temporaryStore } from './temporary-store.ts'

const HOLDER = fileURLToPath(new URL('./folder-holder.js', import.meta.url))
const limits = { operations: 100, bytes: 1_000_000 }

describe('The data folder', () => {
  let path: string
  const children: ChildProcess[] = []
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'carillon-folder-'))
  })
  afterEach(async () => {
    for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
    await rm(path, { recursive: true, force: true })
  })

  function hold() {
    const child = spawn(process.execPath, [HOLDER, path], { stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    return child
  }
  const refusal = () =>
    openStore({ path, ballastBytes: 0, log: silentLog().log, limits }).then(
      (store) => store.close().then(() => null),
      (error: Error) => error.message,
    )

  it('belongs to one process: the next one is told at once, by name, and the first goes on', async () => {
    const holder = hold()
    await once(holder.stdout, 'data')
    expect(await refusal()).to.include(`The data folder ${path} is in use by another process`)
    const second = hold()
    const complaint = text(second.stderr)
    const [code] = (await once(second, 'exit')) as [number | null]
    expect(code).to.equal(1)
    expect(await complaint).to.include(`The data folder ${path} is in use`)
    expect(holder.exitCode).to.equal(null)
  })

  it('is free as soon as its process was killed', async () => {
    const holder = hold()
    await once(holder.stdout, 'data')
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    expect(await refusal()).to.equal(null)
  })

  it('is free after the store was closed, and after it could not be opened', async () => {
    const opened = await temporaryStore({ path })
    expect(await refusal()).to.include('in use')
    const again = await opened.reopen()
    await again.close()
    const setVersion = (version: number) => {
      const db = openSqlite({ file: join(path, 'carillon.db'), readOnly: false })
      db.exec(`PRAGMA user_version = ${version}`)
      db.close()
    }
    setVersion(SCHEMA_VERSION + 2)
    expect(await refusal()).to.include('schema version')
    setVersion(SCHEMA_VERSION)
    expect(await refusal()).to.equal(null)
  })
})
