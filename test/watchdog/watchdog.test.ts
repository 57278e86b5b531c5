import { expect } from 'chai'
import { join } from 'node:path'
import { openSqlite } from '../../src/store/sqlite/file/database.ts'
import { eventually } from '../support/eventually.ts'
import { harness, type Harness } from '../support/harness.ts'
import { httpEndpoint } from '../support/http-endpoint.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

describe('the watchdog (P21)', () => {
  let h: Harness
  beforeEach(async () => {
    h = await harness()
  })
  afterEach(() => h.close())

  /** What befalls the file, and not the program. */
  const corrupt = (sql: string) => {
    const db = openSqlite({ file: join(h.folder, 'carillon.db'), readOnly: false })
    db.exec(sql)
    db.close()
  }
  const ready = async () => fetch(`${h.app.httpUrl}/readyz`).then(async (answer) => answer.json())
  const alarms = async () => (await h.openAlerts()).filter(({ type }) => type === 'carillon_watchdog')
  const overdueMetric = async () => (await h.app.engine.metrics.watchdog.get()).values[0]?.value

  it('is content with an alert whose escalation runs, is finished, asleep or acknowledged', async () => {
    const [, second] = [
      await h.raise('alerts/critical/system_failure'),
      await h.raise('alerts/critical/temp_high'),
    ]
    await h.raise('alerts/warning/temp_low')
    await h.pass(2 * MINUTE)
    await h.publish(`alerts/${second ?? ''}/ack`, {})
    await h.pass(60 * MINUTE)
    expect(await alarms()).to.deep.equal([])
    expect(await ready()).to.deep.equal({ status: 'ready' })
    expect(await overdueMetric()).to.equal(0)
  })

  const losses: readonly [string, string][] = [
    ['the row of a timer is deleted', `DELETE FROM work WHERE kind = 'escalate'`],
    ['the row of a timer is put off', `UPDATE work SET due_at = due_at + 86400000 WHERE kind = 'escalate'`],
    [
      'an alert that fires forgets its timer',
      `DELETE FROM work WHERE kind = 'escalate'; UPDATE alert SET work_id = NULL, next_step_at = NULL, doc = json_set(doc, '$.nextStepAt', NULL)`,
    ],
    [
      'an alert waits beyond everything in its policy',
      `UPDATE alert SET next_step_at = next_step_at + 864e5, doc = json_set(doc, '$.nextStepAt', next_step_at + 86400000);
       UPDATE work SET due_at = due_at + 86400000 WHERE kind = 'escalate'`,
    ],
  ]
  for (const [title, sql] of losses) {
    it(`alarms within a minute when ${title}, and the next step fires all the same (O13)`, async () => {
      const id = await h.raise('alerts/critical/system_failure')
      await h.pass(40 * SECOND)
      corrupt(sql.replaceAll('864e5', '86400000'))
      await h.pass(40 * SECOND)
      expect(await alarms()).to.have.length(1)
      await h.pass(5 * MINUTE)
      expect((await h.alert(id)).step).to.be.at.least(2)
      expect(await alarms()).to.deep.equal([])
      expect(await ready()).to.deep.equal({ status: 'ready' })
    })
  }

  it('says on /readyz, in the metric and to the operators what is overdue when nothing carries it out', async () => {
    await h.raise('alerts/critical/system_failure')
    await h.app.worker.stop(0)
    await h.pass(6 * MINUTE)
    expect(await overdueMetric()).to.be.at.least(1)
    expect(await ready()).to.deep.equal({
      status: 'unavailable',
      reason: '1 escalation step is overdue',
    })
    expect(await alarms()).to.have.length(1)
  })
})

describe('the dead-man ping of the watchdog (P21)', () => {
  it('goes out as long as escalations are on time', async () => {
    const outside = await httpEndpoint()
    const h = await harness({
      config: { watchdog: { ping_url: outside.url, every: '1m', allow: ['127.0.0.1'] } },
    })
    try {
      await h.pass(MINUTE)
      await eventually('a ping', () => outside.received[0])
    } finally {
      await h.close()
      await outside.close()
    }
  })
})
