import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../../src/errors.ts'
import { createBallast } from '../../src/store/sqlite/file/ballast.ts'
import type { Store } from '../../src/store/store.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { silentLog } from '../support/silent-log.ts'
import * as sample from '../support/store/samples.ts'
import { DEFAULT, NOON } from '../support/store/samples.ts'
import { temporaryStore } from './temporary-store.ts'

const MIB = 1024 * 1024

async function outcome(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'done',
    (error: unknown) => (error instanceof Fault ? `${error.code} ${error.message}` : String(error)),
  )
}

/** A disk of its own of this size; null when this machine lets nobody make one. */
function smallDisk(mib: number): string | null {
  const path = mkdtempSync(join(tmpdir(), 'carillon-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', path], { stdio: 'ignore' })
    return path
  } catch {
    rmSync(path, { recursive: true })
    return null
  }
}

const large = sample.content({ message: 'x'.repeat(20_000) })
const ordinary = (store: Store, id: string) =>
  store.accept(sample.acceptance({ notifications: [sample.notification(id, { content: large })] }))

/** Publishes until one is refused; what was accepted. */
async function fill(store: Store, prefix: string): Promise<{ accepted: string[]; refusal: string }> {
  const accepted: string[] = []
  for (let index = 0; index < 20_000; index++) {
    const id = `${prefix}-${index}`
    const result = await outcome(ordinary(store, id))
    if (result !== 'done') return { accepted, refusal: result }
    accepted.push(id)
  }
  throw new Error('The disk does not become full')
}

describe('A full disk', function () {
  let disk: string
  before(function () {
    const made = smallDisk(48)
    // Only an administrator of the machine may mount a disk that is small enough.
    if (made === null) this.skip()
    disk = made
  })
  after(() => {
    if (!disk) return
    execFileSync('umount', [disk])
    rmSync(disk, { recursive: true })
  })

  it('refuses ordinary publishes, still stores what acts on alerts, loses nothing, and recovers by itself (P1, P2, P25)', async () => {
    const clock = fakeClock()
    const { log, lines } = silentLog()
    const path = join(disk, 'data')
    const ballast = join(path, 'ballast')
    const filler = join(disk, 'filler')
    writeFileSync(filler, Buffer.alloc(34 * MIB, 1))
    const opened = await temporaryStore({ path, clock, log, ballastBytes: 4 * MIB })
    let { store } = opened
    try {
      expect(statSync(ballast).size).to.equal(4 * MIB)
      const alert = sample.alert('a-1', { nextStepAt: NOON })
      const email = sample.toSend(sample.delivery('a-1', 1, { subjectKind: 'alert', purpose: 'page' }))
      await store.accept(sample.opening(alert, { deliveries: [email] }))
      const { accepted, refusal } = await fill(store, 'before')
      expect(accepted.length).to.be.greaterThan(50)
      expect(refusal).to.match(/^store\.unavailable The disk is full/)
      expect(existsSync(ballast)).to.equal(false)
      expect(await outcome(store.ping())).to.match(/^store\.unavailable The disk is full/)

      const timer = sample.only((await store.claim(sample.claimOf('escalate', NOON))).items)
      const claimed = { workId: timer.workId, token: timer.token }
      const page = sample.delivery('a-1', 2, { subjectKind: 'alert', purpose: 'page' })
      const step = sample.alertChange(
        alert,
        { step: 2, nextStepAt: NOON + 5000 },
        { claimed, deliveries: [sample.toSend(page)] },
      )
      expect(await store.changeAlert(step)).to.equal('done')
      const work = (await store.claim({ ...sample.claimOf('email', NOON), limit: 1 })).items
      expect(await store.settle(sample.sent(sample.only(work)))).to.equal('done')
      const ack = sample.alertChange(
        step.alert,
        { status: 'acknowledged', nextStepAt: null },
        { cancelPages: 'acknowledged' },
      )
      const acknowledging = sample.acceptance({ alert: { kind: 'change', change: ack }, urgent: true })
      const [mixedRefusal, acknowledged] = await Promise.all([
        outcome(ordinary(store, 'never')),
        store.accept(acknowledging),
      ])
      expect(mixedRefusal).to.match(/^store\.unavailable The disk is full/)
      expect(acknowledged.kind).to.equal('accepted')
      expect(
        await store.mark({ ...sample.reader(), ids: [accepted[0]!], as: 'read', at: NOON }),
      ).to.have.length(1)
      const opening = sample.opening(sample.alert('a-2', { createdAt: NOON + 1 }), { urgent: true })
      expect((await store.accept(opening)).kind).to.equal('accepted')

      await clock.pass(5000)
      await store.claim(sample.claimOf('sms', NOON))
      expect(await outcome(ordinary(store, 'never')), 'nothing was freed').to.include('The disk is full')
      expect(existsSync(ballast)).to.equal(false)

      rmSync(filler)
      await clock.pass(5000)
      await store.claim(sample.claimOf('sms', NOON))
      expect(await outcome(store.ping())).to.equal('done')
      expect(await outcome(ordinary(store, 'after'))).to.equal('done')
      expect(statSync(ballast).size).to.equal(4 * MIB)
      expect(clock.waiting).to.deep.equal([])
      expect(lines.filter(({ level }) => level >= 40).map(({ msg }) => msg)).to.deep.equal([
        'the disk is full: ordinary publishes are refused until there is room again',
        'the disk has room again',
      ])

      store = await opened.reopen()
      const stored = await sample.idsOf(sample.wholeInbox(store, sample.reader()))
      expect(stored).to.deep.equal([...accepted, 'after'].toReversed())
      expect(await store.alert(DEFAULT, 'a-1')).to.include({ status: 'acknowledged', step: 2 })
      const pages = await store.deliveries({ tenant: DEFAULT, subjectId: 'a-1', limit: 9 })
      expect(pages.items.map(({ state }) => state)).to.deep.equal(['sent', 'cancelled'])
      expect(await store.conservation()).to.include({ broken: 0, accepted: accepted.length + 4 })
    } finally {
      await opened.end()
      rmSync(filler, { force: true })
    }
  })

  it('does not end the store when it has no room for what the log holds (P25)', async () => {
    const opened = await temporaryStore({
      path: join(disk, 'data'),
      clock: fakeClock(),
      ballastBytes: 20 * MIB,
    })
    const { store } = opened
    try {
      await store.accept(sample.opening(sample.alert('a-1')))
      // The log is copied when it is larger than what is free then.
      const { accepted, refusal } = await fill(store, 'n')
      expect(accepted.length * 20_000).to.be.within(8 * MIB, 24 * MIB)
      expect(refusal).to.include('The disk is full')
      for (let version = 1; version <= 20; version++) {
        const note = sample.alertChange(sample.alert('a-1', { version }), {})
        expect(await store.changeAlert(note)).to.equal('done')
      }
      expect(await store.conservation()).to.include({ broken: 0, accepted: accepted.length + 1 })
    } finally {
      await opened.end()
    }
  })

  it('opens in the room of the ballast when other files have filled it (P25)', async () => {
    const path = join(disk, 'data')
    const filler = join(disk, 'filler')
    const open = () => temporaryStore({ path, clock: fakeClock(), ballastBytes: 4 * MIB })
    let opened = await open()
    try {
      await opened.store.accept(sample.opening(sample.alert('a-1')))
      await opened.store.close()
      // To the last byte: opening has to write as well.
      expect(() => writeFileSync(filler, Buffer.alloc(64 * MIB, 1))).to.throw('ENOSPC')
      opened = await open()
      const { store } = opened
      expect(await outcome(ordinary(store, 'n-1'))).to.include('The disk is full')
      const ack = sample.alertChange(sample.alert('a-1'), { status: 'acknowledged' })
      expect(await store.changeAlert(ack)).to.equal('done')
      expect(await store.conservation()).to.include({ broken: 0, accepted: 1 })
    } finally {
      rmSync(filler, { force: true })
      await opened.end()
    }
  })

  it('without room for the ballast is warned of, and the store works as before (P25)', async () => {
    const { log, lines } = silentLog()
    const opened = await temporaryStore({ path: join(disk, 'data'), log, ballastBytes: 64 * MIB })
    expect(lines.map(({ msg }) => msg).join()).to.include('there is no room for the ballast file')
    expect(existsSync(join(disk, 'data', 'ballast'))).to.equal(false)
    expect(await outcome(ordinary(opened.store, 'n-1'))).to.equal('done')
    await opened.end()
  })
})

describe('The ballast', () => {
  let path: string
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'carillon-ballast-'))
  })
  afterEach(() => rm(path, { recursive: true }))

  it('grows in portions to its size, takes up real room, and goes on where an earlier run left off', () => {
    const file = join(path, 'ballast')
    const first = createBallast(file, 20 * MIB)
    expect([first.grow(), statSync(file).size]).to.deep.equal(['growing', 8 * MIB])
    const second = createBallast(file, 20 * MIB)
    expect([second.grow(), second.grow(), second.grow()]).to.deep.equal(['growing', 'whole', 'whole'])
    expect(statSync(file).size).to.equal(20 * MIB)
    expect(statSync(file).blocks * 512).to.be.at.least(20 * MIB)
  })

  it('counts as spent until it stands again', () => {
    const file = join(path, 'ballast')
    const ballast = createBallast(file, MIB)
    ballast.grow()
    expect(ballast.spent).to.equal(false)
    ballast.spend()
    expect([ballast.spent, existsSync(file)]).to.deep.equal([true, false])
    expect([ballast.grow(), ballast.spent, statSync(file).size]).to.deep.equal(['whole', false, MIB])
  })
})
