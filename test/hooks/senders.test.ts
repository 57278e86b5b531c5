import { expect } from 'chai'
import { fromAlertmanager } from '../../src/hooks/alertmanager.ts'
import { fromGeneric } from '../../src/hooks/generic.ts'
import { fromGotify } from '../../src/hooks/gotify.ts'
import { fromGrafana } from '../../src/hooks/grafana.ts'
import { keyOf, levelOf, typeOf } from '../../src/hooks/hook-alert.ts'
import { fromNtfy, ntfyJson, ntfyText } from '../../src/hooks/ntfy.ts'
import { fromOpsgenie } from '../../src/hooks/opsgenie.ts'
import { fromPagerDuty } from '../../src/hooks/pagerduty.ts'

describe('a message of another alerting program (behaviour E28, feature 15)', () => {
  it('of Alertmanager is one alert for each of its group, fired or resolved, keyed by fingerprint', () => {
    const [fired, resolved] = fromAlertmanager({
      version: '4',
      groupKey: '{}:{alertname="HighLoad"}',
      status: 'firing',
      receiver: 'carillon',
      externalURL: 'http://am.example.org',
      alerts: [
        {
          status: 'firing',
          labels: { alertname: 'HighLoad', instance: 'db1:9100', severity: 'page' },
          annotations: { summary: 'Load is 12', description: 'On db1' },
          startsAt: '2026-01-05T12:00:00Z',
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: 'http://prometheus.example.org/graph',
          fingerprint: 'c6eadffa33fcdf37',
        },
        { status: 'resolved', labels: { alertname: 'Disk full!' } },
      ],
    })
    expect(fired).to.deep.equal({
      action: 'fire',
      level: 'critical',
      type: 'HighLoad',
      message: 'Load is 12',
      source: 'db1:9100',
      dedupKey: 'alertmanager:c6eadffa33fcdf37',
      data: {
        labels: { alertname: 'HighLoad', instance: 'db1:9100', severity: 'page' },
        annotations: { summary: 'Load is 12', description: 'On db1' },
        starts_at: '2026-01-05T12:00:00Z',
        url: 'http://prometheus.example.org/graph',
      },
    })
    expect(resolved).to.include({
      action: 'resolve',
      level: 'warning',
      type: 'Disk_full_',
      message: 'Disk full!',
    })
    expect(resolved?.dedupKey).to.match(/^alertmanager:[0-9a-f]{32}$/)
  })

  it('of Grafana is the same with its own key, and of an old Grafana one alert for its rule', () => {
    const [alert] = fromGrafana({
      receiver: 'Webhook',
      status: 'resolved',
      orgId: 1,
      title: '[RESOLVED]',
      alerts: [
        {
          status: 'resolved',
          labels: { alertname: 'High memory', zone: 'us-1' },
          annotations: { summary: 'Memory is fine' },
          fingerprint: 'bc97ff14869b13e3',
          dashboardURL: '',
          panelURL: '',
        },
      ],
    })
    expect(alert).to.deep.include({
      action: 'resolve',
      type: 'High_memory',
      dedupKey: 'grafana:bc97ff14869b13e3',
    })
    const old = { title: '[Alerting] Panel', ruleId: 7, ruleName: 'Panel', orgId: 2, message: 'Too high' }
    expect(fromGrafana({ ...old, state: 'alerting' })[0]).to.include({
      action: 'fire',
      message: 'Too high',
      dedupKey: 'grafana:2:7',
    })
    expect(fromGrafana({ ...old, state: 'ok' })[0]).to.include({ action: 'resolve', dedupKey: 'grafana:2:7' })
    expect(() => fromGrafana({ title: 'x' })).to.throw('alerts')
  })

  it('of PagerDuty triggers, acknowledges and resolves by dedup_key', () => {
    const body = {
      routing_key: 'secret',
      event_action: 'trigger' as const,
      dedup_key: 'srv01/HTTP',
      payload: { summary: 'HTTP is down', source: 'srv01', severity: 'error', class: 'http check' },
    }
    const { alert, dedupKey } = fromPagerDuty(body, 'new')
    expect(dedupKey).to.equal('srv01/HTTP')
    expect(alert).to.deep.equal({
      action: 'fire',
      level: 'critical',
      type: 'http_check',
      message: 'HTTP is down',
      source: 'srv01',
      dedupKey: 'pagerduty:srv01/HTTP',
      data: { class: 'http check' },
    })
    expect(JSON.stringify(alert), 'a token is no data').to.not.include('secret')
    const { dedup_key: _, ...unnamed } = body
    expect(fromPagerDuty(unnamed, 'new').dedupKey).to.equal('new')
    for (const [event_action, action] of [
      ['resolve', 'resolve'],
      ['acknowledge', 'acknowledge'],
    ] as const) {
      expect(fromPagerDuty({ event_action, dedup_key: 'srv01/HTTP' }, 'new').alert).to.include({
        action,
        dedupKey: 'pagerduty:srv01/HTTP',
      })
      expect(() => fromPagerDuty({ event_action }, 'new')).to.throw('dedup_key')
    }
    expect(() => fromPagerDuty({ event_action: 'trigger' }, 'new')).to.throw('payload')
  })

  it('of Opsgenie is keyed by its alias, else by its text (behaviour E13)', () => {
    const alert = fromOpsgenie({
      message: 'Queue is full',
      alias: 'q1',
      priority: 'P1',
      entity: 'queue',
      tags: ['a'],
      details: { k: 'v' },
    })
    expect(alert).to.deep.equal({
      action: 'fire',
      level: 'critical',
      type: 'queue',
      message: 'Queue is full',
      source: 'queue',
      dedupKey: 'opsgenie:q1',
      data: { tags: ['a'], details: { k: 'v' } },
    })
    expect(fromOpsgenie({ message: 'Queue is full' })).to.include({
      level: 'warning',
      type: 'opsgenie',
      dedupKey: 'opsgenie:Queue is full',
    })
  })

  it('of ntfy is text with headers, or JSON', () => {
    const headers = {
      title: 'Backup',
      'x-priority': 'urgent',
      tags: 'warning, disk',
      click: 'https://x.example.org',
    }
    const text = ntfyText('backups', headers, 'Disk full')
    expect(fromNtfy(text)).to.deep.equal({
      action: 'fire',
      level: 'critical',
      type: 'backups',
      message: 'Backup: Disk full',
      source: 'backups',
      dedupKey: 'ntfy:backups:Backup',
      data: { tags: ['warning', 'disk'], priority: 5, url: 'https://x.example.org' },
    })
    expect(ntfyText('backups', {}, '')).to.deep.equal({
      topic: 'backups',
      message: 'triggered',
      priority: 3,
      tags: [],
    })
    const json = ntfyJson({
      topic: 'backups',
      title: 'Backup',
      message: 'Fine',
      tags: ['resolved'],
      priority: 4,
    })
    expect(fromNtfy(json)).to.include({
      action: 'resolve',
      level: 'warning',
      dedupKey: 'ntfy:backups:Backup',
    })
    for (const body of [null, [], {}, { topic: '' }]) expect(() => ntfyJson(body)).to.throw('topic')
  })

  const priorities: readonly (readonly [given: string, priority: number | null])[] = [
    ['1', 1],
    ['min', 1],
    ['low', 2],
    ['Default', 3],
    ['high', 4],
    ['max', 5],
    ['urgent', 5],
    ['u=1, i', 3],
    ['0', null],
    ['6', null],
    ['2.5', null],
    ['loud', null],
    ['constructor', null],
  ]
  for (const [given, priority] of priorities) {
    it(`of ntfy with the priority ${given} ${priority === null ? 'is refused' : `has ${priority}`} (N1)`, () => {
      const read = () => ntfyText('backups', { priority: given }, 'Disk full').priority
      if (priority === null) expect(read).to.throw('priority takes 1 to 5')
      else expect(read()).to.equal(priority)
    })
  }

  it('of Gotify is a level by its priority, and is ended by its extras', () => {
    expect(fromGotify({ message: 'Disk full', title: 'NAS', priority: 8 })).to.deep.include({
      action: 'fire',
      level: 'critical',
      type: 'NAS',
      message: 'NAS: Disk full',
      dedupKey: 'gotify:NAS',
    })
    const extras = { 'carillon::alert': { status: 'resolved', dedup_key: 'k', type: 'disk' } }
    expect(fromGotify({ message: 'Fine', priority: 5, extras })).to.include({
      action: 'resolve',
      level: 'warning',
      type: 'disk',
      dedupKey: 'gotify:k',
    })
    expect(fromGotify({ message: 'Hello' })).to.include({ level: 'info', type: 'gotify' })
  })

  it('of any other program is read by the names that most use', () => {
    const [one, two] = fromGeneric([
      { text: 'Pump stopped', host: 'p1', level: 'ERROR', check: 'pump' },
      { message: 'Pump runs', host: 'p1', status: 'OK', check: 'pump' },
    ])
    expect(one).to.include({
      action: 'fire',
      level: 'critical',
      type: 'pump',
      source: 'p1',
      dedupKey: 'generic:pump:p1',
    })
    expect(two).to.include({ action: 'resolve', dedupKey: 'generic:pump:p1' })
    for (const body of [null, 'text', 7, [], {}, { message: '' }, [[]]])
      if (!(Array.isArray(body) && body.length === 0))
        expect(() => fromGeneric(body), JSON.stringify(body)).to.throw('No message')
  })

  it('of any other program is another alert where the URL asks for another type', () => {
    const body = { message: 'Pump stopped' }
    const [said] = fromGeneric(body)
    const [wished] = fromGeneric(body, { type: 'pump' })
    expect(said).to.include({ type: 'generic', dedupKey: 'generic:generic:Pump stopped' })
    expect(wished).to.include({ type: 'pump', dedupKey: 'generic:pump:Pump stopped' })
    expect(fromGeneric({ ...body, id: 7 }, { type: 'pump' })[0]?.dedupKey).to.equal('generic:7')
  })

  it('has a level, type and key that are fit to be used', () => {
    const levels = ['Critical', ' error ', 'P2', 'warn', 'none', 'P5', 'bogus', undefined, 7].map(levelOf)
    expect(levels).to.deep.equal([
      'critical',
      'critical',
      'critical',
      'warning',
      'info',
      'info',
      'warning',
      'warning',
      'warning',
    ])
    expect(levelOf('constructor')).to.equal('warning')
    expect(['a/b', '#', '+', '', 'Ä b', '../..'].map((name) => typeOf(name))).to.deep.equal([
      'a_b',
      'alert',
      'alert',
      'alert',
      'Ä_b',
      '.._..',
    ])
    const [a, b] = ['x', 'y'].map((end) => keyOf('s', 'k'.repeat(400) + end))
    expect(a).to.have.length(255)
    expect(a).to.not.equal(b)
  })
})
