import type { Principal } from '../access/principal.ts'
import type { Core } from '../core.ts'
import { CHANNEL_NAMES, type ChannelName, type Delivery } from '../delivery/delivery.ts'
import { newDelivery } from '../delivery/plan.ts'
import { sendOwn } from '../delivery/direct/send-own.ts'
import { roomIn } from '../delivery/worker/start.ts'
import { waysTo, type Way } from '../delivery/ways.ts'
import type { Person } from '../directory/directory.ts'
import { fault } from '../errors.ts'
import { recordKind } from '../registry/registry.ts'
import type { NewDelivery } from '../store/store.ts'
import type { ContactBook } from './contact-book.ts'

/** Which of a person's ways is tried: one channel, one contact by its id, or with neither all there are. */
export interface TestWish {
  readonly channel?: ChannelName | undefined
  readonly contact?: string | undefined
}

/** Messages that only show whether they arrive (pain P15: found out before 3 am). */
export interface TestSends {
  /**
   * Sends one test message to each address, one attempt each, and resolves with their deliveries once all were tried,
   * at the latest after 15 s. It draws on no budget of the person and heeds no quiet hours. Faults:
   * `request.not_found` for a contact that is none, `contact.unreachable`, `contact.too_many_tests`.
   */
  send(by: Principal, person: Person, wish: TestWish): Promise<readonly Delivery[]>
  /** An attempt was written. */
  settled(delivery: Pick<Delivery, 'id' | 'purpose'>): void
}

/** Each may cost money and rings a phone (security row 21); over restarts. */
const TESTS = recordKind<{ readonly sent: readonly number[] }>('contact_tests')
const MOST_TESTS = 5
const WINDOW_MS = 15 * 60_000
/** A little longer than an attempt may take. */
const PATIENCE_MS = 15_000

/** What leads to a person by itself: no programs, no loudspeakers; `push` finds browsers, too. */
const CHANNELS = CHANNEL_NAMES.filter(
  (name) => !['realtime', 'webhook', 'web_push', 'speech', 'mqtt'].includes(name),
)

export function createTestSends(core: () => Core, book: () => Pick<ContactBook, 'list'>): TestSends {
  const waiting = new Map<string, () => void>()
  return {
    async send(by, person, wish) {
      const { clock, store } = core()
      const ways = chosenWays(core(), book(), person, wish)
      await core().inTurn(`tests ${person.id}`, () => admit(core(), person))
      const id = core().ids.next(clock.now())
      const planned = plan(core(), { by, person, ways, id })
      const tried = planned.map(({ delivery }) => triedOnce(waiting, clock, delivery.id))
      await sendOwn(core(), planned)
      await Promise.all(tried)
      return (await store.deliveries({ tenant: person.tenant, subjectId: id, limit: 500 })).items
    },
    settled({ id, purpose }) {
      if (purpose === 'test') waiting.get(id)?.()
    },
  }
}

function chosenWays(
  core: Core,
  book: Pick<ContactBook, 'list'>,
  person: Person,
  { channel, contact }: TestWish,
): readonly Way[] {
  const view = contact === undefined ? undefined : book.list(person).find(({ id }) => id === contact)
  if (contact !== undefined && view === undefined)
    throw fault('request.not_found', 'There is no such contact')
  if (view?.verified === false)
    throw fault('contact.unreachable', 'The contact is not verified; only its code is sent there')
  const wanted = channel ?? view?.channel
  const ways = (wanted === undefined ? CHANNELS : [wanted])
    .flatMap((name) => waysTo(core, person, name))
    .filter(({ address }) => view === undefined || address === view.address)
  if (ways.length === 0)
    throw fault(
      'contact.unreachable',
      wanted === undefined
        ? `${person.id} has no address on any channel that is configured`
        : `${person.id} has no address on ${wanted}, or the channel is not configured`,
    )
  return ways
}

async function admit({ registry, clock }: Core, { tenant, id: owner }: Person): Promise<void> {
  const now = clock.now()
  const place = { tenant, owner, key: 'sent' }
  const sent = (registry.get(TESTS, place)?.doc.sent ?? []).filter((at) => at > now - WINDOW_MS)
  const [oldest = now] = sent
  if (sent.length >= MOST_TESTS)
    throw fault('contact.too_many_tests', undefined, undefined, oldest + WINDOW_MS - now)
  await registry.put(TESTS, place, { sent: [...sent, now] })
}

function plan(
  core: Core,
  {
    by,
    person,
    ways,
    id,
  }: {
    readonly by: Principal
    readonly person: Person
    readonly ways: readonly Way[]
    readonly id: string
  },
): readonly NewDelivery[] {
  const now = core.clock.now()
  const mayStart = roomIn(core.worker)
  return ways.map(({ channel, address }, ordinal) => {
    const lane = address === null ? channel : core.laneOf(channel, address)
    const planned = newDelivery({
      tenant: person.tenant,
      subjectKind: 'direct',
      subjectId: id,
      ordinal,
      purpose: 'test',
      userId: person.id,
      channel,
      lane,
      address,
      critical: false,
      fixed: {
        subject: 'Test message from Carillon',
        text: `This is a test message from Carillon for ${person.name}, sent by ${by.id}. Nothing has happened and there is nothing to do.`,
      },
      origin: { principal: by.id, messageId: id, topic: topicOf(person) },
      now,
      leased: mayStart(lane),
    })
    // The first answer is what is asked for.
    return { ...planned, delivery: { ...planned.delivery, maxAttempts: 1 } }
  })
}

const topicOf = ({ id }: Person) => `users/${id}/test-send`

/** Resolves with the next written attempt of the delivery, or when patience has run out. */
function triedOnce(waiting: Map<string, () => void>, clock: Core['clock'], id: string): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      waiting.delete(id)
      cancel()
      resolve()
    }
    const cancel = clock.at(clock.now() + PATIENCE_MS, done)
    waiting.set(id, done)
  })
}
