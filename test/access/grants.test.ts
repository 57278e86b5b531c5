import { expect } from 'chai'
import { alertVerb, mayForward, mayPublish, maySubscribe } from '../../src/access/grants.ts'
import { DEFAULT_TENANT, OTHER_TENANT, principal } from '../support/fake-directory.ts'

const anna = principal('user', 'anna')
const ops = principal('user', 'olga', { roles: ['user', 'ops'] })
const admin = principal('user', 'adam', { roles: ['admin'] })
const device = principal('client', 'db', { publish: ['alerts/#', 'notifications/#'] })
const acker = principal('client', 'panel', { publish: ['alerts/+/ack'], subscribe: ['state/alerts/#'] })
const everything = principal('client', 'bridge', { publish: ['#', '+/+/+'], subscribe: ['#'] })
const opsClient = principal('client', 'tool', { roles: ['ops'], publish: ['alerts/#'] })
const nothing = principal('client', 'nobody')
const names = new Map([
  [anna, 'a user'],
  [ops, 'an operator'],
  [admin, 'an administrator'],
  [device, 'a client with alerts/#'],
  [acker, 'a client with alerts/+/ack'],
  [everything, 'a client with #'],
  [opsClient, 'a client with role ops and alerts/#'],
  [nothing, 'a client without grants'],
])

describe('grants', () => {
  const publishes: [who: typeof anna, topic: string, may: boolean][] = [
    [nothing, 'plain/x', false],
    [everything, 'plain/x', true],
    [everything, '$SYS/x', false],
    [everything, '$share/g/x', false],
    [everything, '$TopicA/B', true],
    [device, '$TopicA/B', false],
    [everything, 'a/+', false],
    [everything, 'receipts/anna/1', false],
    [everything, 'state/alerts/1', false],
    [everything, 'dlq/x', false],
    [device, 'alerts/critical/disk', true],
    [device, 'alerts/critical/ack', true],
    [device, 'alerts/7/ack', false],
    [device, 'alerts/7/reassign', false],
    [device, 'alerts/7/unknown', true],
    [device, 'notifications/alerts/7/ack', false],
    [everything, 'alerts/7/ack', false],
    [acker, 'alerts/7/ack', true],
    [acker, 'alerts/7/resolve', false],
    [acker, 'notifications/alerts/7/ack', false],
    [acker, 'alerts/critical/disk', false],
    [opsClient, 'alerts/7/ack', true],
    [opsClient, 'notifications/realtime/broadcast', false],
    [anna, 'alerts/7/ack', true],
    [anna, 'notifications/alerts/7/resolve', true],
    [anna, 'alerts/critical/disk', false],
    [anna, 'alerts/critical/ack', false],
    [anna, 'users/anna/notifications/1/read', true],
    [anna, 'users/anna/notifications/read-all', true],
    [anna, 'users/anna/notifications', false],
    [anna, 'users/bob/notifications/1/read', false],
    [anna, 'websocket/connect/anna', true],
    [anna, 'websocket/connect/bob', false],
    [anna, 'websocket/other/anna', false],
    [anna, 'websocket/connect/anna/x', false],
    [anna, 'notifications/realtime/user/anna', false],
    [anna, 'plain', false],
    [ops, 'notifications/realtime/broadcast', true],
    [ops, 'alerts/info/x', true],
    [ops, 'events/order/completed', true],
    [ops, 'users/anna/notifications/1/read', false],
    [admin, 'events/x', true],
    [admin, 'plain/x', false],
  ]
  for (const [who, topic, may] of publishes) {
    it(`${may ? 'lets' : 'does not let'} ${names.get(who)} publish to ${topic} (security 6, 38)`, () => {
      expect(mayPublish(who, topic)).to.equal(may)
    })
  }

  const subscribes: [who: typeof anna, filter: string, may: boolean][] = [
    [nothing, 'a', false],
    [nothing, 'receipts/nobody/#', true],
    [nothing, 'receipts/nobody/7', true],
    [nothing, 'receipts/+/7', false],
    [nothing, 'receipts/anna/#', false],
    [everything, 'receipts/anna/#', false],
    [everything, 'receipts/#', false],
    [everything, '#', true],
    [everything, 'dlq/#', false],
    [everything, '$SYS/#', false],
    [everything, '$share/g/#', false],
    [everything, 'users/anna/notifications', true],
    [acker, 'state/alerts/+', true],
    [acker, 'state/#', false],
    [opsClient, 'dlq/#', true],
    [anna, 'users/anna/#', true],
    [anna, 'users/anna/notifications', true],
    [anna, 'users/+/notifications', false],
    [anna, 'users/bob/#', false],
    [anna, 'users/#', false],
    [anna, '#', false],
    [anna, '+/anna/#', false],
    [anna, 'state/#', true],
    [anna, 'state/alerts/+', true],
    [anna, 'dlq/#', false],
    [anna, 'receipts/anna/#', true],
    [ops, 'dlq/#', true],
    [ops, 'events/#', true],
    [admin, 'users/#', false],
    [admin, 'users/anna/notifications', false],
    [admin, '#', false],
  ]
  for (const [who, filter, may] of subscribes) {
    it(`${may ? 'lets' : 'does not let'} ${names.get(who)} subscribe to ${filter} (security 7)`, () => {
      expect(maySubscribe(who, filter)).to.equal(may)
    })
  }

  const forwards: [who: typeof anna, topic: string, may: boolean][] = [
    [everything, 'plain/x', true],
    [everything, 'receipts/anna/1', false],
    [everything, 'receipts/bridge/1', true],
    [everything, 'dlq/1', false],
    [everything, 'state/preflight', false],
    [everything, '$SYS/x', false],
    [everything, '$TopicA/B', false],
    [nothing, 'plain/x', false],
    [nothing, 'state/alerts/1', false],
    [acker, 'state/alerts/1', true],
    [anna, 'users/anna/notifications', true],
    [anna, 'users/bob/notifications', false],
    [anna, 'users/annabel/notifications', false],
    [anna, 'state/alerts/1', true],
    [anna, 'receipts/bridge/1', false],
    [anna, 'events/x', false],
    [ops, 'events/x', true],
    [ops, 'dlq/1', true],
    [ops, 'state/preflight', true],
    [admin, 'users/anna/notifications', false],
  ]
  for (const [who, topic, may] of forwards) {
    it(`${may ? 'forwards' : 'does not forward'} ${topic} to ${names.get(who)} (security 8)`, () => {
      expect(mayForward(who, topic)).to.equal(may)
    })
  }

  it('does not even forward to a person what a grant of # would match in the inbox of another', () => {
    const curious = principal('user', 'carl', { subscribe: ['#'] })
    expect(maySubscribe(curious, '#')).to.equal(true)
    expect(mayForward(curious, 'users/anna/notifications')).to.equal(false)
    expect(mayForward(curious, 'plain/x')).to.equal(true)
  })

  it('forwards nothing of another tenant (security 18)', () => {
    expect(mayForward(anna, 'state/alerts/1', DEFAULT_TENANT)).to.equal(true)
    expect(mayForward(anna, 'state/alerts/1', OTHER_TENANT)).to.equal(false)
    expect(mayForward(ops, 'dlq/1', OTHER_TENANT)).to.equal(false)
    expect(mayForward(everything, 'plain/x', OTHER_TENANT)).to.equal(false)
  })

  it('gives a principal whose id is a wildcard nothing of its own (security 6)', () => {
    for (const id of ['#', '+', 'a/b', '$x', '']) {
      const odd = principal('user', id)
      expect(maySubscribe(odd, `users/${id}/notifications`), id).to.equal(false)
      expect(maySubscribe(odd, `receipts/${id}/x`), id).to.equal(false)
      expect(mayForward(odd, `users/${id}/notifications`), id).to.equal(false)
      expect(mayPublish(odd, `users/${id}/notifications/1/read`), id).to.equal(false)
      expect(mayForward(odd, 'users/anna/notifications'), id).to.equal(false)
    }
  })

  it('reads a verb only where the second level is an alert id (contract section 3)', () => {
    expect(alertVerb('alerts/7/ack')).to.equal('ack')
    expect(alertVerb('notifications/alerts/7/snooze')).to.equal('snooze')
    for (const topic of [
      'alerts/warning/ack',
      'alerts/7/ack/x',
      'alerts/7',
      'x/7/ack',
      'alerts/7/acknowledge',
    ]) {
      expect(alertVerb(topic), topic).to.equal(null)
    }
  })
})
