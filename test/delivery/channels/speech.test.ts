import { expect } from 'chai'
import type { PublishOptions } from '../../../src/broker/broker.ts'
import type { RenderInput } from '../../../src/delivery/channel.ts'
import { speechChannel } from '../../../src/delivery/channels/speech.ts'
import { alert, notification, person, planned, TENANT } from '../../support/messages.ts'

const TOPIC = 'users/anna/events/speech'

/** A broker on whose topics these principals listen. */
function brokerWith(...listeners: string[]) {
  const published: { topic: string; body: unknown; options: PublishOptions | undefined }[] = []
  return {
    published,
    hears: (principalId: string) => listeners.includes(principalId),
    publish: (topic: string, payload: string | Uint8Array, options?: PublishOptions) =>
      void published.push({ topic, body: JSON.parse(String(payload)), options }),
  }
}

function spoken(input: Partial<RenderInput> = {}): RenderInput {
  return {
    recipient: person(),
    fixed: null,
    publicUrl: 'http://localhost:8080',
    delivery: planned({ channel: 'speech', address: TOPIC, ordinal: 3 }).delivery,
    subject: { kind: 'alert', alert: alert() },
    ...input,
  }
}

function frameOf(input: RenderInput): unknown {
  return JSON.parse(speechChannel(null).render(input).frame?.payload ?? 'null')
}

describe('speech', () => {
  it('says how bad an alert is, what it is and why, in the language of the person (X07, X29)', () => {
    expect(frameOf(spoken())).to.deep.equal({
      type: 'speech',
      id: 'a1.3',
      text: 'Kritischer Alarm: disk full. Disk is full',
      lang: 'de',
      severity: 'critical',
      alert_id: 'a1',
    })
  })

  const announced: readonly [locale: string, severity: 'critical' | 'warning' | 'info', text: string][] = [
    ['en', 'critical', 'Critical alert: disk full. Disk is full'],
    ['en-GB', 'warning', 'Warning: disk full. Disk is full'],
    ['de-AT', 'warning', 'Warnung: disk full. Disk is full'],
    ['DE', 'info', 'Hinweis: disk full. Disk is full'],
    ['den', 'info', 'Information: disk full. Disk is full'],
    ['fr', 'critical', 'Critical alert: disk full. Disk is full'],
  ]
  for (const [locale, severity, text] of announced) {
    it(`announces ${severity} to a person with locale ${locale} as “${text}” (X29)`, () => {
      const input = spoken({
        recipient: person({ locale }),
        subject: { kind: 'alert', alert: alert({ severity }) },
      })
      expect(frameOf(input)).to.include({ text, lang: locale, severity })
    })
  }

  it('says title and message of a notification, with its severity where it has one (X07)', () => {
    const { delivery } = planned({
      subjectKind: 'notification',
      subjectId: 'n1',
      purpose: 'message',
      ordinal: 0,
    })
    const message = notification({ title: 'Anruf.', message: 'Mustermann GmbH, Nummer K-10042' })
    const input = spoken({ delivery, subject: { kind: 'notification', notification: message } })
    expect(frameOf(input)).to.deep.equal({
      type: 'speech',
      id: 'n1.0',
      text: 'Anruf. Mustermann GmbH, Nummer K-10042',
      lang: 'de',
      notification_id: 'n1',
    })
    const severe = notification({ severity: 'warning' })
    expect(frameOf(spoken({ delivery, subject: { kind: 'notification', notification: severe } }))).to.include(
      {
        severity: 'warning',
      },
    )
  })

  it('stays short, whatever the publisher wrote', () => {
    const long = alert({ message: 'word'.repeat(1000) })
    expect(
      speechChannel(null).render(spoken({ subject: { kind: 'alert', alert: long } })).text,
    ).to.have.length(500)
  })

  it('shows what was said, not the frame, in the outbox', () => {
    expect(speechChannel(null).render(spoken()).text).to.equal('Kritischer Alarm: disk full. Disk is full')
  })

  const send = (broker: ReturnType<typeof brokerWith>, signal = new AbortController().signal) => {
    const channel = speechChannel(broker)
    const message = {
      idempotencyKey: 'a1.3',
      address: TOPIC,
      rendered: channel.render(spoken()),
      critical: true,
    }
    return channel.send(message, signal)
  }

  it('goes to the open pages of its tenant, at QoS 1 and kept for nobody (X07)', async () => {
    const broker = brokerWith('anna')
    expect(await send(broker)).to.deep.equal({ ok: true })
    expect(broker.published).to.deep.equal([
      { topic: TOPIC, body: frameOf(spoken()), options: { qos: 1, tenant: TENANT, passing: true } },
    ])
  })

  it('is suppressed as not_connected when no page of the person is open, whoever else listens', async () => {
    const broker = brokerWith('bob')
    expect(await send(broker)).to.deep.include({
      ok: false,
      retry: false,
      code: 'not_connected',
      suppressed: true,
    })
    expect(broker.published).to.deep.equal([])
  })
})
