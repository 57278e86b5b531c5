import { expect } from 'chai'
import { ALERT_STATUSES, type Alert, type AlertStatus } from '../../../src/alert/alert.ts'
import { outcomeOf, type OutcomeKind } from '../../../src/alert/outcome/outcome-of.ts'
import { outcomeWords } from '../../../src/alert/outcome/outcome-words.ts'
import { withOutcome } from '../../../src/alert/outcome/outcome.ts'
import type { Core } from '../../../src/core.ts'
import { DELIVERY_STATES, type Delivery, type DeliveryState } from '../../../src/delivery/delivery.ts'
import { deliveryRow } from '../../support/fake-engine.ts'
import { anAlert, NOON } from '../an-alert.ts'

const SIREN = 'plant/siren/set'
const LAMP = 'plant/lamp/set'

function coreWith(rows: readonly Delivery[]) {
  const topics = { siren: { topic: SIREN, resolved_payload: 'OFF' }, lamp: { topic: LAMP } }
  const people = new Map([['bob', { name: 'Bob K.', locale: 'de', timezone: 'Europe/Berlin' }]])
  // Nothing else of the core is asked.
  return {
    config: () => ({ channels: { mqtt: { topics } } }),
    laneOf: (channel: string) => channel,
    directory: () => ({ user: (id: string) => people.get(id) }),
    store: { deliveries: () => Promise.resolve({ items: rows, nextCursor: null }) },
  } as unknown as Core
}

interface Wish {
  readonly before?: Partial<Alert>
  readonly after?: Partial<Alert>
  readonly by?: string
  readonly paged?: readonly Delivery[]
}

async function turned(rows: readonly Delivery[], { before, after, by = 'anna', paged = [] }: Wish = {}) {
  const was = anAlert({ id: 'a1', status: 'firing', nextOrdinal: 9, ...before })
  const alert = { ...was, status: 'resolved' as const, ...after }
  const deliveries = paged.map((delivery) => ({ delivery, dueAt: NOON, lane: delivery.channel, lease: null }))
  const paging = { alert, deliveries, notifications: [] }
  const result = await withOutcome(coreWith(rows), { before: was, paging, by, now: NOON })
  const news = result.deliveries.slice(paged.length)
  expect(result.alert.nextOrdinal, 'every row has an ordinal of its own').to.equal(9 + news.length)
  return { news, outcome: result.outcome }
}

const outcomes = async (rows: readonly Delivery[], wish: Wish = {}) =>
  (await turned(rows, wish)).news.map(({ delivery }) => [delivery.id, delivery.purpose, delivery.address])

const siren = (ordinal: number, given: Partial<Delivery> = {}) =>
  deliveryRow(`a1.${ordinal}`, { channel: 'mqtt', purpose: 'page', address: SIREN, userId: null, ...given })
const page = (ordinal: number, given: Partial<Delivery> = {}) =>
  deliveryRow(`a1.${ordinal}`, {
    channel: 'sms',
    purpose: 'page',
    address: '+491',
    userId: 'bob',
    state: 'sent',
    ...given,
  })
const told = (...channels: readonly string[]) => ({ told: { bob: channels } })

describe('What a change of an alert means for those who were paged (E16)', () => {
  const meant: Readonly<Record<string, OutcomeKind>> = {
    'firing acknowledged': 'acknowledged',
    'snoozed acknowledged': 'acknowledged',
    'suppressed acknowledged': 'acknowledged',
    'acknowledged firing': 'unacknowledged',
    'firing resolved': 'resolved',
    'acknowledged resolved': 'resolved',
    'snoozed resolved': 'resolved',
    'suppressed resolved': 'resolved',
  }
  const all = ALERT_STATUSES.flatMap((from) => ALERT_STATUSES.map((to) => [from, to] as const))
  for (const [from, to] of all) {
    const news = meant[`${from} ${to}`] ?? null
    it(`is ${news ?? 'nothing'} from ${from} to ${to}`, () => {
      expect(outcomeOf({ status: from, severity: 'critical' }, { status: to })).to.equal(news)
    })
  }

  it('is nothing for an info, which pages nobody', () => {
    const after: { status: AlertStatus } = { status: 'resolved' }
    expect(outcomeOf({ status: 'firing', severity: 'info' }, after)).to.equal(null)
  })
})

describe('An outcome (contract section 6)', () => {
  const reaching: ReadonlySet<DeliveryState> = new Set(['sending', 'sent', 'delivered'])
  for (const state of DELIVERY_STATES) {
    it(`is ${reaching.has(state) ? 'told' : 'not told'} on a channel whose page is ${state}`, async () => {
      const expected = reaching.has(state) ? [['a1.9', 'outcome', '+491']] : []
      expect(await outcomes([page(1, { state })], { before: told('sms') })).to.deep.equal(expected)
    })
  }

  it('is told once on every address that was paged, however often, and never by a voice call', async () => {
    const rows = [
      page(1),
      page(2),
      page(3, { channel: 'email', address: 'bob@example.org' }),
      page(4, { channel: 'voice' }),
      page(5, { channel: 'push', address: 'device:1' }),
      page(6, { channel: 'push', address: 'device:2' }),
    ]
    const { news } = await turned(rows, { before: told('sms', 'email', 'voice', 'push') })
    const where = news.map(({ delivery }) => [delivery.channel, delivery.address, delivery.critical])
    expect(where).to.deep.equal([
      ['sms', '+491', false],
      ['email', 'bob@example.org', false],
      ['push', 'device:1', false],
      ['push', 'device:2', false],
    ])
  })

  it('is not told to whoever caused it, nor to whom the same change pages', async () => {
    expect(await outcomes([page(1)], { before: told('sms'), by: 'bob' })).to.deep.equal([])
    const reopened = {
      before: { status: 'acknowledged' as const, ...told('sms', 'realtime') },
      after: { status: 'firing' as const },
    }
    expect((await turned([page(1)], reopened)).news).to.have.length(1)
    const paged = await turned([page(1)], { ...reopened, paged: [page(9, { state: 'pending' })] })
    expect([paged.news, paged.outcome?.watching]).to.deep.equal([[], []])
  })

  it('goes to endpoints that were paged, whoever caused it, and not because of an earlier outcome', async () => {
    const hook = page(1, { channel: 'webhook', userId: null, address: 'ops https://x.example' })
    expect(await outcomes([hook])).to.deep.equal([['a1.9', 'outcome', 'ops https://x.example']])
    expect(await outcomes([{ ...hook, purpose: 'outcome' }])).to.deep.equal([])
  })

  it('comes to live connections of everybody who was told there, without a row', async () => {
    const rows = [page(1, { channel: 'realtime', address: null, state: 'pending' })]
    const { news, outcome } = await turned(rows, { before: told('realtime') })
    expect(news).to.deep.equal([])
    expect(outcome).to.deep.equal({ kind: 'resolved', by: 'anna', watching: ['bob'] })
  })

  it('waits for the end of an attempt at the page that is under way, so that it does not arrive before it', async () => {
    const due = async (state: DeliveryState) =>
      (await turned([page(1, { state })], { before: told('sms') })).news[0]?.dueAt
    expect([await due('sent'), await due('sending')]).to.deep.equal([NOON, NOON + 11_000])
  })

  it('says what, who and when in the language of its reader', () => {
    const alert = anAlert({ type: 'disk_full', message: 'Disk is full' })
    const parts = { by: 'Bob', at: Date.UTC(2026, 0, 5, 13, 5), timezone: 'Europe/Berlin', locale: 'en' }
    expect(outcomeWords('acknowledged', alert, parts)).to.deep.equal({
      subject: 'ACKNOWLEDGED: disk_full',
      text: 'Bob took it on at 14:05.\nDisk is full',
      outcome: 'acknowledged',
    })
    expect(outcomeWords('resolved', alert, { ...parts, locale: 'de-AT' }).text).to.match(
      /^Bob hat .* 14:05 erledigt/,
    )
    const late = outcomeWords('unacknowledged', alert, { ...parts, by: 'carillon' })
    expect([late.subject, late.text]).to.deep.equal([
      'OPEN AGAIN: disk_full',
      'It was not resolved in time; since 14:05 it pages again.\nDisk is full',
    ])
  })
})

describe('The end of an alert that sirens were told of', () => {
  const heard: ReadonlySet<DeliveryState> = new Set(['pending', 'sending', 'sent', 'delivered'])
  for (const state of DELIVERY_STATES) {
    it(`is ${heard.has(state) ? 'told to' : 'kept from'} one whose page is ${state}`, async () => {
      const expected = heard.has(state) ? [['a1.9', 'outcome', SIREN]] : []
      expect(await outcomes([siren(1, { state })])).to.deep.equal(expected)
    })
  }

  it('is told to one whose page was lost with the process, because it may have sounded (P10)', async () => {
    expect(await outcomes([siren(1, { state: 'dead', reason: 'poison' })])).to.have.length(1)
    expect(await outcomes([siren(1, { state: 'dead', reason: 'not_configured' })])).to.deep.equal([])
  })

  it('is told once, however often the siren was paged, and not because of an earlier end', async () => {
    expect(await outcomes([siren(1), siren(2), siren(3, { state: 'dead' })])).to.have.length(1)
    expect(await outcomes([siren(1, { purpose: 'outcome' })])).to.deep.equal([])
  })

  it('is told only to topics that have something to hear of it', async () => {
    expect(await outcomes([siren(1, { address: LAMP })])).to.deep.equal([])
  })

  it('is no end while the alert is not resolved', async () => {
    expect(await outcomes([siren(1)], { after: { status: 'acknowledged' } })).to.deep.equal([])
  })
})
