import { expect } from 'chai'
import type { Alert } from '../../src/alert/alert.ts'
import type { LiveAttachment, LiveInterest } from '../../src/live/live.ts'
import { visibleTo } from '../../src/live/visible-to.ts'
import type { Notification } from '../../src/notification/notification.ts'
import type { InboxReader } from '../../src/store/store.ts'
import { fakeSink, type FakeSink } from '../support/fake-sink.ts'
import { sampleAlert } from '../support/sample-alert.ts'
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts'
import { ALL, liveHarness, person } from './harness.ts'

const SEEDS = 60
const STEPS = 400
const READERS = [person('anna', 'ops'), person('bob'), person('cleo', 'ops', 'sales')]

interface Connection {
  readonly reader: InboxReader
  readonly sink: FakeSink
  readonly attachment: LiveAttachment
  interest: LiveInterest
  attached: boolean
}

/** One random story: what happens is drawn, what must hold is checked at the end. */
class Story {
  readonly #random: SeededRandom
  readonly #harness: ReturnType<typeof liveHarness>
  readonly #connections: Connection[] = []
  /** Committed, but not passed on yet: the engine's effects come a little after the commit. */
  readonly #untold: Notification[] = []
  readonly #pages = new Map<string, number>()

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.#harness = liveHarness()
    this.#harness.inbox.hold(true)
  }

  async play(): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      this.#act()
      if (this.#random.chance(0.3)) await this.#harness.settle()
      if (this.#random.chance(0.05)) await this.#harness.clock.pass(this.#random.below(400))
    }
    await this.#quieten()
  }

  #act(): void {
    const { inbox } = this.#harness
    const random = this.#random
    const draw = random.below(100)
    if (draw < 25) this.#commit(random.chance(0.05) ? 150 : 1 + random.below(5))
    else if (draw < 40) this.#pass(1 + random.below(20))
    else if (draw < 46) this.#connect()
    else if (draw < 70 && inbox.waiting > 0)
      inbox.answer(random.below(inbox.waiting), random.chance(0.1) ? 'fail' : random.pick(['early', 'late']))
    else if (draw < 74) this.#read()
    else if (draw < 78) this.#raise()
    else if (this.#live.length > 0) this.#touch(random.pick(this.#live), draw)
  }

  get #live(): Connection[] {
    return this.#connections.filter((connection) => connection.attached)
  }

  #commit(count: number): void {
    for (let made = 0; made < count; made += 1) {
      const to = this.#random.pick([null, 'anna', 'anna', 'bob', 'cleo', 'nobody'])
      const audience = to === null ? this.#random.pick([[], ['ops'], ['sales']]) : []
      const content = this.#random.chance(0.1) ? { channels: [] } : {}
      this.#untold.push(this.#harness.inbox.commit({ to, audience, content }))
    }
  }

  #pass(count: number): void {
    for (const notification of this.#untold.splice(0, count)) this.#harness.live.stored(notification)
  }

  #connect(): void {
    const reader = this.#random.pick(READERS)
    const sink = fakeSink({ room: this.#random.pick([0, 5, 40, Infinity]) })
    const interest = this.#random.chance(0.6) ? ALL : this.#interest()
    const attachment = this.#harness.live.attach(reader, interest, sink)
    this.#connections.push({ reader, sink, attachment, interest, attached: true })
  }

  #interest(): LiveInterest {
    const [notifications, alerts, unread] = [0, 0, 0].map(() => this.#random.chance(0.5))
    return { notifications: notifications === true, alerts: alerts === true, unread: unread === true }
  }

  #read(): void {
    const reader = this.#random.pick(READERS)
    const unread = this.#harness.inbox.unreadOf(reader)
    if (unread.length === 0) return
    this.#harness.inbox.markRead(reader.userId, this.#random.pick(unread).id)
    this.#harness.live.changed(reader.userId)
  }

  #raise(): void {
    const { live, openAlerts } = this.#harness
    if (openAlerts.size > 0 && this.#random.chance(0.3)) {
      openAlerts.delete(this.#random.pick([...openAlerts.keys()]))
      return
    }
    const { userId } = this.#random.pick(READERS)
    const id = `a${this.#random.below(40)}`
    const told = { ...openAlerts.get(id)?.told, [userId]: ['realtime'] }
    const alert: Alert = sampleAlert({ id, told })
    openAlerts.set(id, alert)
    const key = `${userId} ${id}`
    this.#pages.set(key, (this.#pages.get(key) ?? 0) + 1)
    live.page(alert, userId)
  }

  #touch(connection: Connection, draw: number): void {
    const { sink, attachment } = connection
    const random = this.#random
    if (draw < 84) {
      const some = 1 + random.below(60)
      for (const { confirm } of sink.unconfirmed.splice(0, some)) confirm()
    } else if (draw < 92) {
      sink.room = random.pick([0, 1, 10, 100])
      if (!sink.refused) return
      sink.refused = sink.room === 0
      if (sink.room > 0) attachment.roomy()
    } else if (draw < 95) {
      connection.interest = this.#interest()
      attachment.want(connection.interest)
    } else if (draw < 97) {
      connection.attached = false
      attachment.detach()
    }
  }

  /** Everything that is under way comes to its end: the faults are over, everybody has room. */
  async #quieten(): Promise<void> {
    const { inbox, clock } = this.#harness
    this.#pass(this.#untold.length)
    inbox.hold(false)
    while (inbox.waiting > 0) inbox.answer(0, 'late')
    for (let round = 0; round < 40; round += 1) {
      for (const { sink, attachment } of this.#live) {
        sink.room = Infinity
        sink.refused = false
        attachment.roomy()
        sink.confirmAll()
      }
      await clock.pass(1000)
      await this.#harness.settle()
    }
  }

  check(): void {
    for (const connection of this.#connections) {
      this.#checkNotifications(connection)
      this.#checkPages(connection)
      this.#checkUnread(connection)
    }
  }

  #checkNotifications({ reader, sink, interest, attached }: Connection): void {
    const { numbers } = sink
    const ascending = numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0))
    expect(ascending, `each once, in order: ${numbers.join(' ')}`).to.equal(true)
    expect(sink.peak).to.be.at.most(100)
    if (!attached || !interest.notifications) return
    const due = this.#harness.inbox.unreadOf(reader).filter((entry) => visibleTo(entry, reader))
    const got = new Set(numbers)
    expect(due.filter((entry) => !got.has(entry.seq)).map((entry) => entry.seq)).to.deep.equal([])
  }

  #checkPages({ reader, sink, interest, attached }: Connection): void {
    const got = sink.of('alert').map((payload) => (payload['alert'] as { id: string }).id)
    for (const id of new Set(got))
      expect(got.filter((each) => each === id).length, `pages of ${id}`).to.be.at.most(
        this.#pages.get(`${reader.userId} ${id}`) ?? 0,
      )
    if (!attached || !interest.alerts) return
    const open = [...this.#harness.openAlerts.values()].filter((alert) => alert.told[reader.userId])
    expect(open.filter((alert) => !got.includes(alert.id)).map((alert) => alert.id)).to.deep.equal([])
  }

  #checkUnread({ reader, sink, interest, attached }: Connection): void {
    const versions = sink.of('unread').map((summary) => Number(summary['version']))
    expect(versions).to.deep.equal(versions.toSorted((a, b) => a - b))
    if (!attached || !interest.unread) return
    const { total, unread } = this.#harness.inbox.summaryOf(reader)
    expect(sink.of('unread').at(-1)).to.include({ total, unread })
  }

  get received(): number {
    return this.#connections.reduce((sum, { sink }) => sum + sink.frames.length, 0)
  }
}

describe('live connections under random interleavings', () => {
  it(`tell each notification once per connection, in order, none missing, within the window, over ${SEEDS} stories (P5, P22)`, async function () {
    this.timeout(60_000)
    let received = 0
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const story = new Story(seed)
      await story.play()
      try {
        story.check()
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        })
      }
      received += story.received
    }
    expect(received, 'a story without frames proves nothing').to.be.greaterThan(SEEDS * 200)
  })
})
