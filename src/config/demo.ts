import { randomBytes } from 'node:crypto'
import { configNode } from './reading/schema-node.ts'
import { QUIET, settle } from './reading/settle.ts'
import type { Config } from './schema/schema.ts'

const credential = () => randomBytes(18).toString('base64url')

/**
 * What runs without a configuration file (contract section 1): three people, one team whose escalation takes
 * seconds, every channel captured. Passwords and the client's token are new in every start.
 */
export function demoConfig(): Config {
  // The schema's own defaults complete the settings, so what comes out has the schema's type.
  return settle(configNode, demoSettings(), [], QUIET) as Config
}

/** The demo as somebody would write it down. Numbers are from the range that the regulator keeps for fiction. */
export function demoSettings() {
  const person = (name: string, mailbox: string, phone: string) => ({
    name,
    email: `${mailbox}@example.org`,
    phone,
    password: credential(),
    timezone: 'Europe/Berlin',
    devices: [{ platform: 'android', name: `Phone of ${name}`, token: `demo-${mailbox}` }],
  })
  return {
    users: {
      anna: {
        ...person('Anna Kern', 'anna', '+491713920001'),
        roles: ['user', 'admin'],
        groups: ['ops'],
        preferences: { sms: true },
      },
      bob: { ...person('Bob Lind', 'bob', '+491713920002'), groups: ['ops'] },
      cem: { ...person('Cem Aydin', 'cem', '+491713920003'), groups: ['support'] },
    },
    clients: {
      demo: {
        token: credential(),
        // `ops`, so that the command line can show alerts, deliveries and the outbox.
        roles: ['service', 'ops'],
        publish: [
          'notifications/#',
          'alerts/#',
          ...['ack', 'escalate', 'snooze', 'resolve', 'note'].map((verb) => `alerts/+/${verb}`),
          'events/#',
          'websocket/#',
          'demo/#',
        ],
        subscribe: [
          'users/+/notifications',
          'users/+/alerts',
          'users/+/events/#',
          'users/+/unread',
          'state/#',
          'demo/#',
        ],
      },
    },
    teams: {
      platform: {
        alert_types: ['*'],
        schedule: {
          timezone: 'Europe/Berlin',
          layers: [{ rotate: ['anna', 'bob', 'cem'], every: '1w', handoff: 'Mon 09:00' }],
        },
        escalation: {
          steps: [
            { notify: ['oncall'], wait: '12s' },
            { notify: ['oncall.next'], wait: '12s' },
            { notify: ['team'], wait: '12s' },
          ],
        },
      },
    },
  }
}
