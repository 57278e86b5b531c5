import { expect } from 'chai'
import type { Alert, AlertLevel } from '../../src/alert/alert.ts'
import { createFence } from '../../src/alert/paging/fence.ts'
import { noAlarm } from '../../src/alert/operator-alarm.ts'
import { createHoldOff } from '../../src/alert/hold-off.ts'
import { createInTurn } from '../../src/alert/change/in-turn.ts'
import { createOpenAlerts } from '../../src/alert/open-alerts.ts'
import { raiseAlert } from '../../src/alert/raising.ts'
import type { Core } from '../../src/core.ts'
import { randomIds } from '../../src/ids.ts'
import { createMetrics } from '../../src/metrics.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { principal } from '../support/fake-context.ts'
import { fakeDirectory, person } from '../support/fake-directory.ts'
import { noNoise } from '../support/no-noise.ts'
import { silentLog } from '../support/silent-log.ts'
import { temporaryStore, type TemporaryStore } from '../store/temporary-store.ts'
import { aDecision, NOON, TENANT } from './an-alert.ts'

describe('Publishes of one condition', () => {
  let opened: TemporaryStore
  let shown: Alert[]
  beforeEach(async () => {
    opened = await temporaryStore()
    shown = []
  })
  afterEach(() => opened.end())

  /** The real store and turn-taking; nobody listens but the board. */
  function coreOf(): Core {
    const clock = fakeClock(NOON)
    const parts: Partial<Core> = {
      directory: () => fakeDirectory([person('root', { roles: ['admin'] })]),
      store: opened.store,
      clock,
      ids: randomIds(),
      log: silentLog().log,
      metrics: createMetrics(),
      fence: createFence(),
      holdOff: createHoldOff(),
      inTurn: createInTurn(),
      openAlerts: createOpenAlerts(),
      operatorAlarm: noAlarm,
      ...noNoise,
      addressesOf: () => ['root@example.org'],
      laneOf: (channel) => channel,
    }
    const deaf = {
      board: { alertChanged: (alert: Alert) => void shown.push(alert) },
      live: { page() {}, stored() {} },
      receipts: { accepted() {}, moved() {} },
      worker: { wake() {}, take() {}, room: () => 1 },
    }
    return { ...parts, ...deaf } as unknown as Core
  }

  let serial = 0
  function publish(core: Core, level: AlertLevel) {
    const topic = `alerts/${level}/disk`
    const arrival = {
      publish: {
        principal: principal('db-monitor'),
        topic,
        payload: new Uint8Array(),
        qos: 1,
        via: 'mqtt',
        fingerprint: null,
        dup: false,
        correlationId: 'c-1',
      },
      messageId: `m-${serial++}`,
      named: true,
      now: NOON + serial,
      submitted() {},
    } as const
    return raiseAlert(core, arrival, aDecision({ level }))
  }
  const stored = () => opened.store.openAlert(TENANT, 'disk:db1')

  it('count one each, the one that makes the alert more severe included (R32)', async () => {
    const core = coreOf()
    for (let index = 0; index < 4; index++) await publish(core, 'warning')
    expect(await stored()).to.include({ severity: 'critical', count: 4 })
    await publish(core, 'critical')
    expect(await stored()).to.include({ severity: 'critical', count: 5, version: 2 })
  })

  it('count one each when they come at the same time, and the board shows the count that is stored (R32)', async () => {
    const core = coreOf()
    const levels: AlertLevel[] = ['info', 'info', 'info', 'critical', 'info', 'critical', 'warning']
    await Promise.all(levels.map((level) => publish(core, level)))
    const alert = await stored()
    expect(alert).to.include({ severity: 'critical', count: levels.length, lastAt: NOON + serial })
    const promoted = shown.find(({ version }) => version === 2)
    expect(promoted?.count).to.equal(4)
    expect(shown.at(-1)?.count).to.equal(levels.length)
  })
})
