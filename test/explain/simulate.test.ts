import { expect } from 'chai'
import type { SimulatedEvent } from '../../src/explain/simulate.ts'
import { harness } from '../support/harness.ts'
import { randomFrom } from '../support/store/samples.ts'

const MINUTE = 60_000
/** More than the run of every test is for whoever changes an escalation: `SIMULATIONS=500`. */
const COUNT = Number(process.env['SIMULATIONS'] ?? 100)

// The harness asks as its administrator.
const nameOf = (index: number) => (index === 0 ? 'anna' : `u${index}`)

/** A random installation: one team with a policy of its own for every alert type. */
function installation(seed: number, count: number) {
  const random = randomFrom(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const users = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => {
      const rules = () => [
        { after: '0s', via: [pick(['app', 'email', 'sms', 'voice'])] },
        ...(random() < 0.5
          ? [{ after: pick(['30s', '90s', '4m']), via: [pick(['sms', 'voice', 'email'])] }]
          : []),
      ]
      const person = {
        password: `${nameOf(index)}-password`,
        ...(random() < 0.9 && { email: `u${index}@example.org` }),
        ...(random() < 0.8 && { phone: `+49151123456${10 + index}` }),
        ...(random() < 0.4 && { contact_rules: { critical: rules() } }),
        ...(random() < 0.3 && { quiet_hours: { from: '11:00', to: '13:00' } }),
        ...(index === 0 && { roles: ['admin'] }),
        groups: [pick(['red', 'blue'])],
      }
      return [nameOf(index), person]
    }),
  )
  const someone = () => nameOf(Math.floor(random() * 12))
  const teams = Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const target = () => pick(['oncall', 'oncall.next', 'team', 'group:red', `user:${someone()}`])
      const steps = Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({
        notify: [...new Set([target(), ...(random() < 0.3 ? [target()] : [])])],
        wait: pick(['45s', '2m', '5m', '11m']),
      }))
      const layers =
        random() < 0.85
          ? [{ rotate: [...new Set([someone(), someone()])], every: '1h', handoff: '00:10' }]
          : []
      const team = {
        alert_types: [`type_${index}`],
        schedule: { timezone: 'UTC', layers },
        escalation: {
          steps,
          repeat: Math.floor(random() * 2),
          ...(random() < 0.3 && { ack_timeout: '7m' }),
        },
      }
      return [`team${index}`, team]
    }),
  )
  const levels = Array.from({ length: count }, () => pick(['critical', 'critical', 'critical', 'warning']))
  const acks = Array.from({ length: count }, () =>
    random() < 0.6 ? { user: someone(), afterMs: pick([1, 20, 61, 140, 333]) * 1000 } : null,
  )
  return { users, teams, levels, acks }
}

const sentOf = (events: readonly SimulatedEvent[]) =>
  events
    .filter(({ kind }) => kind === 'sent')
    .map(({ at, user, channel }) => `${at} ${user} ${channel}`)
    .toSorted()
const STEPS = new Set(['step', 'skipped', 'finished', 'acknowledged', 'unacknowledged', 'promoted'])

describe('the simulation of alerts (section 3.1)', () => {
  it(`says what a live run then does, for ${COUNT} random policies, schedules, contact rules and answers`, async () => {
    const { users, teams, levels, acks } = installation(20_260_105, COUNT)
    const h = await harness({
      config: JSON.stringify({
        users,
        teams,
        clients: { device: { token: 'device-token', publish: ['alerts/#', 'alerts/+/ack'] } },
        throttle: { sms: [[100_000, '1m']], voice: [[100_000, '1m']] },
      }),
    })
    try {
      const by = h.app.engine.directory.principal('anna')
      if (!by) throw new Error('nobody')
      const start = h.now
      const forMs = 40 * MINUTE
      const simulated = await Promise.all(
        levels.map((severity, index) => {
          const ack = acks[index]
          return h.app.engine.simulate(by, {
            alert: { type: `type_${index}`, severity: severity as 'critical' | 'warning' },
            at: start,
            forMs,
            outages: [],
            silent: [],
            acks: ack ? [ack] : [],
          })
        }),
      )
      const ids: string[] = []
      for (const [index, level] of levels.entries()) {
        const { alert_id: id } = await h.accepted(`alerts/${level}/type_${index}`, {
          message: 'Out of order',
        })
        ids.push(String(id))
      }
      // People answer when the simulation says that they do: each answer is its own way through the door.
      const answers = simulated
        .flatMap((events, index) =>
          events
            .filter(({ kind }) => kind === 'acknowledged')
            .map(({ at, user }) => ({ at, user, id: ids[index] })),
        )
        .toSorted((a, b) => a.at - b.at)
      for (const { at, user, id } of answers) {
        await h.pass(at - h.now)
        // What falls due in the same instant is done before by the harness; the simulation does so as well.
        await h.app.engine.commandAlert(
          { kind: 'alert-command', alertId: id ?? '', verb: 'ack' },
          h.app.engine.directory.principal(user ?? '') ?? by,
          'http',
        )
      }
      await h.pass(start + forMs - h.now)
      for (const [index, events] of simulated.entries()) {
        const id = ids[index] ?? ''
        // Simulated are pages; how an alert went on is told beside them.
        const rows = (await h.deliveries(id)).filter(({ purpose }) => purpose === 'page')
        const live = rows
          .filter(({ sentAt, channel }) => sentAt !== null && channel !== 'realtime')
          .map(({ sentAt, userId, channel }) => `${sentAt} ${userId} ${channel}`)
          .toSorted()
        expect(sentOf(events), `type_${index}`).to.deep.equal(live)
        const timeline = (await h.timeline(id)).filter(({ kind }) => STEPS.has(kind))
        expect(
          events.filter(({ kind }) => STEPS.has(kind)).map(({ at, kind, step }) => ({ at, kind, step })),
          `type_${index}`,
        ).to.deep.equal(timeline.map(({ at, kind, step = null }) => ({ at, kind, step })))
      }
      // Or the comparison would say little.
      expect(simulated.flat().filter(({ kind }) => kind === 'sent').length).to.be.above(COUNT)
      expect(answers.length).to.be.above(COUNT / 20)
    } finally {
      await h.close()
    }
  }).timeout(600_000)

  it('brings the next step forward when every channel of one is down (P7, P20), and lets the silent be silent', async () => {
    const h = await harness()
    try {
      const by = h.app.engine.directory.principal('anna')
      if (!by) throw new Error('nobody')
      const alert = { type: 'system_failure', severity: 'critical' } as const
      const base = { alert, at: h.now, forMs: 3 * 60 * MINUTE, outages: [], silent: [], acks: [] } as const
      const acks = [{ user: 'bob', afterMs: MINUTE }]
      const acknowledged = await h.app.engine.simulate(by, { ...base, acks })
      expect(acknowledged.at(-1)).to.include({ kind: 'acknowledged', at: h.now + MINUTE, user: 'bob' })
      const silent = await h.app.engine.simulate(by, { ...base, acks, silent: ['bob'] })
      expect(silent.map(({ kind }) => kind))
        .to.include('finished')
        .and.not.include('acknowledged')
      const outage = await h.app.engine.simulate(by, { ...base, outages: ['email', 'sms'] })
      expect(outage.filter(({ kind }) => kind === 'sent')).to.deep.equal([])
      expect(outage.some(({ kind, reason }) => kind === 'dead' && reason === 'budget_exhausted')).to.equal(
        true,
      )
      expect(await h.openAlerts()).to.deep.equal([])
      expect(await h.phone('bob').messages()).to.deep.equal([])
    } finally {
      await h.close()
    }
  })

  it('keeps an alert as quiet as silences, windows and open alerts would, and names what it leaves out (A7, A8, E21)', async () => {
    const program = await harness({
      config: { inhibit: [{ source: { type: 'gateway_down' }, target: { type: 'sensor_*' } }] },
    })
    try {
      const { token } = await loginOf(program.app.httpUrl)
      const ask = async (type: string) => {
        const answer = await fetch(`${program.app.httpUrl}/v1/simulate`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ alert: { type }, for: '3h' }),
        })
        return (await answer.json()) as {
          timeline: { at: string; kind: string; reason: string | null }[]
          left_out: string[]
        }
      }
      const firstOf = async (type: string, kind: string) =>
        (await ask(type)).timeline.find((event) => event.kind === kind)
      const inAnHour = new Date(program.now + 60 * MINUTE).toISOString()
      const principal = program.app.engine.directory.principal('anna')!
      await program.app.engine.silences.create(principal, {
        match: { type: 'disk_full' },
        reason: 'New disks',
        until: program.now + 60 * MINUTE,
      })
      await program.accepted('notifications/system/maintenance', {
        id: 'w1',
        title: 'Racks',
        start: new Date(program.now).toISOString(),
        end: inAnHour,
        alert_types: ['temp_*'],
      })
      await program.raise('alerts/critical/gateway_down')

      expect(await firstOf('disk_full', 'suppressed')).to.include({ reason: 'Silenced by anna: New disks' })
      expect(await firstOf('disk_full', 'sent')).to.include({ at: inAnHour })
      expect(await firstOf('temp_high', 'suppressed')).to.include({ reason: 'Maintenance: Racks' })
      expect(await firstOf('temp_high', 'sent')).to.include({ at: inAnHour })
      expect((await firstOf('sensor_7', 'suppressed'))?.reason).to.match(/^Follows gateway_down/)
      expect(await firstOf('sensor_7', 'sent')).to.equal(undefined)
      const { left_out: leftOut } = await ask('system_failure')
      expect(leftOut).to.deep.equal([
        'throttle',
        'digests',
        'provider_pauses',
        'outcome_notices',
        'later_changes',
      ])
    } finally {
      await program.close()
    }
  })
})

async function loginOf(url: string): Promise<{ readonly token: string }> {
  const answer = await fetch(`${url}/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'anna', password: 'anna-password' }),
  })
  return (await answer.json()) as { readonly token: string }
}
