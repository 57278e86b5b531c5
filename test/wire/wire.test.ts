import { expect } from 'chai'
import { renderAlert } from '../../src/wire/alert.ts'
import { renderDelivery } from '../../src/wire/delivery.ts'
import { formatDuration, parseDuration } from '../../src/duration.ts'
import { maskAddress } from '../../src/wire/mask.ts'
import { renderNotification } from '../../src/wire/notification.ts'
import { alertRow, deliveryRow, notificationRow } from '../support/fake-engine.ts'

describe('durations', () => {
  const good: [text: string, ms: number][] = [
    ['0s', 0],
    ['500ms', 500],
    ['12s', 12_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
  ]
  for (const [text, ms] of good) {
    it(`${text} is ${ms} ms (contract section 2)`, () => expect(parseDuration(text)).to.equal(ms))
  }

  it('are nothing else', () => {
    for (const text of ['', '5', 's', '-5s', '5 s', '1.5h', '5S', '999999999999999w', '5y']) {
      expect(parseDuration(text), text).to.equal(null)
    }
  })

  it('are written so that they read back', () => {
    for (const ms of [0, 1, 999, 1000, 90_000, 3_600_000, 86_400_000, 604_800_000, 1_209_600_000]) {
      expect(parseDuration(formatDuration(ms))).to.equal(ms)
    }
    expect(formatDuration(90_000)).to.equal('90s')
  })
})

describe('masked addresses', () => {
  const masked: [address: string, shown: string][] = [
    ['+4915112345678', '+49…78'],
    ['anna@example.org', 'a…@example.org'],
    ['https://hooks.example.org/secret/path?token=x', 'https://hooks.example.org/…'],
    ['fcm-token-0123456789', '…6789'],
    ['short', '…'],
  ]
  masked.push(
    ['https://hooks.slack.com/services/T0/B0/secret', 'https://hooks.slack.com/…'],
    ['HTTPS://hooks.slack.com/services/T0/B0/secret', 'https://hooks.slack.com/…'],
    ['https://discord.com/api/webhooks/1/a@b?x=secret', 'https://discord.com/…'],
  )
  for (const [address, shown] of masked) {
    it(`${address} is shown as ${shown} (contract section 7)`, () =>
      expect(maskAddress(address)).to.equal(shown))
  }
})

describe('a delivery on the wire', () => {
  it('shows the topic of a siren or of speech, and masks every other address (contract section 7)', () => {
    const shown = (channel: 'mqtt' | 'speech' | 'sms', address: string) =>
      renderDelivery(deliveryRow('a1.1', { channel, address })).address
    expect(shown('mqtt', 'plant/siren/set')).to.equal('plant/siren/set')
    expect(shown('speech', 'users/anna/events/speech')).to.equal('users/anna/events/speech')
    expect(shown('sms', '+4915112345678')).to.equal('+49…78')
  })
})

describe('a notification on the wire', () => {
  it('has the RouteMQ shape and leaves out what it does not have (R17)', () => {
    expect(renderNotification(notificationRow(1))).to.have.all.keys(
      'id user_id title message type priority data timestamp read channels created_at read_at'.split(' '),
    )
  })

  it('of a broadcast belongs to whoever reads it (R21)', () => {
    const row = notificationRow(1, { userId: null })
    expect(renderNotification(row, 'anna')).to.include({ user_id: 'anna', broadcast_id: row.id })
    expect(renderNotification(row)).to.include({ user_id: null })
  })
})

describe('an alert on the wire', () => {
  it('is acknowledged while somebody has it, not after it re-opened (contract section 6)', () => {
    const told = { acknowledgedBy: 'anna', acknowledgedAt: 1, acknowledgedVia: 'http' }
    expect(renderAlert(alertRow('a', { ...told, status: 'acknowledged' })).acknowledged).to.equal(true)
    expect(renderAlert(alertRow('a', { ...told, status: 'resolved' })).acknowledged).to.equal(true)
    expect(renderAlert(alertRow('a', { ...told, status: 'firing' })).acknowledged).to.equal(false)
    expect(renderAlert(alertRow('a', { status: 'resolved' })).acknowledged).to.equal(false)
  })
})
