import { expect } from 'chai'
import type { RenderInput } from '../../../src/delivery/channel.ts'
import { webhookBody } from '../../../src/delivery/channels/webhook-body.ts'
import type { WebhookFormat } from '../../../src/delivery/message/webhook-format.ts'
import { alert, notification, person, planned } from '../../support/messages.ts'

const base = { recipient: null, fixed: null, publicUrl: 'http://localhost:8080' }

function page(text?: string): RenderInput {
  const hostile =
    text === undefined ? {} : { type: text, message: text, source: text, affectedSystems: [text] }
  return {
    ...base,
    delivery: planned({ step: 2 }).delivery,
    subject: { kind: 'alert', alert: alert(hostile) },
  }
}

/** Everything in a body that is a text, by its path; list positions are left out. */
function texts(value: unknown, path = ''): [path: string, text: string][] {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) =>
    texts(item, Array.isArray(value) ? path : `${path}.${key}`),
  )
}

const bodyOf = (format: WebhookFormat, input: RenderInput): unknown =>
  JSON.parse(JSON.stringify(webhookBody(format, input)))

describe('the body of a webhook', () => {
  it('is the alert as every interface shows it, with the topics that act on it', () => {
    const input = page()
    const body = bodyOf('json', input)
    expect(body).to.have.nested.property('alert.dedup_key', 'disk_full:db-1')
    expect(body).to.have.nested.property('alert.acknowledged', false)
    expect(body).to.deep.include({
      id: input.delivery.id,
      type: 'alert.page',
      step: 2,
      url: 'http://localhost:8080/alerts/a1',
      actions: [
        { id: 'ack', label: 'Acknowledge', topic: 'alerts/a1/ack' },
        { id: 'escalate', label: 'Escalate', topic: 'alerts/a1/escalate' },
        { id: 'resolve', label: 'Resolve', topic: 'alerts/a1/resolve' },
      ],
    })
  })

  it('is the notification as every interface shows it', () => {
    const { delivery } = planned({ subjectKind: 'notification', subjectId: 'n1', purpose: 'message' })
    const subject = { kind: 'notification', notification: notification({ title: 'Hello' }) } as const
    const body = bodyOf('json', { ...base, recipient: person(), delivery, subject })
    expect(body).to.have.nested.property('notification.title', 'Hello')
    expect(body).to.have.property('actions').that.deep.equals([])
  })

  // Plain facts of docs.slack.dev (reference/block-kit/blocks), docs.discord.com (resources/message) and
  // learn.microsoft.com (platform/webhooks-and-connectors).
  const limits: Readonly<Record<'slack' | 'discord' | 'teams', readonly [path: RegExp, length: number][]>> = {
    slack: [
      [/^\.blocks\.text\.text$/, 3000],
      [/^\.blocks\.fields\.text$/, 2000],
      [/^\.blocks\.elements\.text\.text$/, 75],
      [/^\.blocks\.elements\.url$/, 3000],
    ],
    discord: [
      [/^\.content$/, 2000],
      [/^\.embeds\.title$/, 256],
      [/^\.embeds\.description$/, 4096],
      [/^\.embeds\.fields\.name$/, 256],
      [/^\.embeds\.fields\.value$/, 1024],
    ],
    teams: [[/text$/, 4000]],
  }
  for (const format of ['slack', 'discord', 'teams'] as const) {
    for (const [kind, text] of [
      ['long', 'x'.repeat(100_000)],
      ['wide', '€'.repeat(100_000)],
      ['marked', '*_`[<&>'.repeat(10_000)],
      ['broken', '👩‍👩‍👧\ud800'.repeat(10_000)],
    ] as const) {
      it(`for ${format} keeps to its limits with ${kind} texts`, () => {
        const body = bodyOf(format, page(text))
        for (const [path, limit] of limits[format]) {
          const found = texts(body).filter(([at]) => path.test(at))
          expect(found, String(path)).to.not.deep.equal([])
          for (const [at, value] of found) expect(value.length, at).to.be.within(1, limit)
        }
        const embedded = texts(body).filter(([at]) => at.startsWith('.embeds.') && !at.endsWith('.url'))
        expect(embedded.reduce((sum, [, value]) => sum + value.length, 0)).to.be.at.most(6000)
        if (format === 'teams') expect(Buffer.byteLength(JSON.stringify(body))).to.be.below(28 * 1024)
      })
    }
  }

  it('for Slack has a header of 150 characters at most, and shows foreign text as it is', () => {
    const body = bodyOf('slack', page('<!channel> & co'))
    expect(body).to.have.property('text', 'CRITICAL ALERT: &lt;!channel&gt; &amp; co')
    expect(body).to.have.nested.property('blocks[0].type', 'header')
    expect(body).to.have.nested.property('blocks[1].text.type', 'plain_text')
    expect(body).to.have.nested.property('blocks[3].elements[0].url', 'http://localhost:8080/alerts/a1')
    expect(bodyOf('slack', page('x'.repeat(999))))
      .to.have.nested.property('blocks[0].text.text')
      .with.length(150)
  })

  it('for Discord mentions nobody and links nowhere that the text says', () => {
    const body = bodyOf('discord', page('@everyone [here](http://x.example)'))
    expect(body).to.have.property('allowed_mentions').that.deep.equals({ parse: [] })
    expect(body).to.have.nested.property(
      'embeds[0].description',
      '@everyone \\[here\\]\\(http://x.example\\)',
    )
    expect(body).to.have.nested.property('embeds[0].color', 0xc62828)
  })

  it('for Discord shows a link that Discord would refuse as a text', () => {
    const local = bodyOf('discord', page())
    expect(local).to.not.have.nested.property('embeds[0].url')
    expect(local).to.have.nested.property('embeds[0].fields[0].value', 'http://localhost:8080/alerts/a1')
    const known = bodyOf('discord', { ...page(), publicUrl: 'https://bell.example.org' })
    expect(known).to.have.nested.property('embeds[0].url', 'https://bell.example.org/alerts/a1')
    expect(known).to.have.nested.property('embeds[0].fields[0].name', 'Source')
  })

  it('for PagerDuty triggers an incident of the alert, with everything that is known of it', () => {
    expect(bodyOf('pagerduty', page())).to.deep.equal({
      event_action: 'trigger',
      dedup_key: 'a1',
      payload: {
        summary: 'CRITICAL ALERT: disk_full: Disk is full',
        source: 'db-1',
        severity: 'critical',
        timestamp: '2026-01-05T12:00:00.000Z',
        component: 'orders',
        class: 'disk_full',
        group: 'platform',
        custom_details: {
          message: 'Disk is full',
          Source: 'db-1',
          'Affected systems': 'orders, billing',
          Time: '5 Jan 2026, 12:00:00 UTC',
          Step: '2 of 2',
          Alert: 'a1',
          data: {},
        },
      },
      client: 'Carillon',
      client_url: 'http://localhost:8080/alerts/a1',
      links: [{ href: 'http://localhost:8080/alerts/a1', text: 'Open and acknowledge' }],
    })
  })

  for (const [status, action] of [
    ['acknowledged', 'acknowledge'],
    ['resolved', 'resolve'],
  ] as const) {
    it(`for PagerDuty says ${action} of the same incident when the alert is ${status}`, () => {
      const { delivery } = planned({ purpose: 'outcome' })
      const subject = { kind: 'alert', alert: alert({ status }) } as const
      expect(bodyOf('pagerduty', { ...base, delivery, subject })).to.deep.equal({
        event_action: action,
        dedup_key: 'a1',
      })
    })
  }

  it('for ntfy is a message with a priority, a sign and the link that a tap opens', () => {
    expect(bodyOf('ntfy', page())).to.deep.equal({
      title: 'CRITICAL ALERT: disk_full',
      message:
        'Disk is full\nSource: db-1\nAffected systems: orders, billing\nTime: 5 Jan 2026, 12:00:00 UTC\nStep: 2 of 2\nAlert: a1',
      priority: 5,
      tags: ['rotating_light'],
      click: 'http://localhost:8080/alerts/a1',
    })
  })

  for (const format of ['pagerduty', 'ntfy'] as const) {
    it(`for ${format} holds no key, because the outbox shows it`, () => {
      expect(bodyOf(format, page())).to.not.have.any.keys('routing_key', 'topic')
    })
  }

  it('for Teams is one adaptive card of plain text runs', () => {
    const body = bodyOf('teams', page('[here](http://x.example)'))
    const card = 'attachments[0].content'
    expect(body).to.have.property('type', 'message')
    expect(body).to.have.nested.property(
      'attachments[0].contentType',
      'application/vnd.microsoft.card.adaptive',
    )
    expect(body).to.have.nested.property(`${card}.body[1].inlines[0].type`, 'TextRun')
    expect(body).to.have.nested.property(`${card}.body[1].inlines[0].text`, '[here](http://x.example)')
    expect(body).to.have.nested.property(`${card}.actions[0].type`, 'Action.OpenUrl')
  })
})
