import type { Program } from '../../support/program.ts'
import { call, login } from '../attacked.ts'
import type { Document, Operation } from './operations.ts'

/** Two tenants with somebody in every role; every channel is captured, and nobody is slowed down. */
export const WORLD = `
tenants: { acme: { admins: [eve] } }
server: { public_url: "http://127.0.0.1:8080" }
users:
  anna: { name: Anna, password: anna-password, email: anna@example.org, phone: "+4915112345671", roles: [user, admin], groups: [ops], customers: [globex] }
  olga: { name: Olga, password: olga-password, email: olga@example.org, roles: [user, ops] }
  bob: { name: Bob, password: bob-password, email: bob@example.org, phone: "+4915112345672", groups: [ops] }
  eve: { name: Eve of acme-secret, tenant: acme, password: eve-password, email: eve@acme-secret.org, roles: [user, admin] }
customers: { globex: { name: Globex, number: K-1 } }
clients:
  device: { token: device-token, publish: ["notifications/#", "alerts/#", "alerts/+/ack", "events/#", "heartbeats/#", "plain/#"], rate_limit: &fast { max_requests: 1000000, window_seconds: 1 } }
  mute: { token: mute-token, roles: [], publish: ["alerts/#"], rate_limit: *fast }
  foreign: { tenant: acme, token: foreign-token, publish: ["notifications/#", "alerts/#", "events/#"], rate_limit: *fast }
teams:
  platform: { alert_types: ["*"], schedule: { layers: [{ rotate: [bob, anna] }] }, escalation: { steps: [{ notify: [oncall], wait: 1h }, { notify: [team], wait: 1h }] } }
  acme-secret-team: { tenant: acme, alert_types: ["*"], schedule: { layers: [{ rotate: [eve] }] }, escalation: { steps: [{ notify: ["user:eve"], wait: 1h }] } }
heartbeats:
  backup: { every: 1d }
templates: { "payment.*": { sms: { text: "{{ data.amount }}" } } }
`

export interface Caller {
  readonly name: string
  readonly tenant: 'default' | 'acme' | null
  readonly headers: Readonly<Record<string, string>>
}

/** What stands in everything of one tenant, and must stand in no answer to the other. */
const MARKS = { default: 'default-secret', acme: 'acme-secret' } as const

/** Signs everybody in. Machines also come as NotiPy services. */
export async function callersOf(program: Program): Promise<Caller[]> {
  const person = async (name: string, tenant: 'default' | 'acme' = 'default'): Promise<Caller> => ({
    name,
    tenant,
    headers: { authorization: `Bearer ${await login(program, name)}` },
  })
  const machine = (name: string, tenant: 'default' | 'acme' = 'default'): Caller => ({
    name,
    tenant,
    headers: { 'x-api-key': `${name}-token` },
  })
  const service = (name: string, tenant: 'default' | 'acme' = 'default'): Caller => ({
    name: `${name} as a service`,
    tenant,
    headers: { 'x-service-id': name, 'x-service-token': `${name}-token` },
  })
  return [
    await person('anna'),
    await person('olga'),
    await person('bob'),
    await person('eve', 'acme'),
    machine('device'),
    machine('mute'),
    machine('foreign', 'acme'),
    service('device'),
    service('foreign', 'acme'),
    { name: 'nobody', tenant: null, headers: {} },
  ]
}

/** Something of every kind in both tenants, marked. */
export async function populate(program: Program, callers: readonly Caller[]): Promise<void> {
  const as = (name: string) => async (method: string, path: string, body?: unknown) => {
    const caller = callers.find((known) => known.name === name)
    const response = await fetch(`${program.url}${path}`, {
      method,
      headers: { ...caller?.headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    if (response.status >= 300) throw new Error(`${name} ${method} ${path}: ${response.status} ${text}`)
    return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
  }
  for (const [tenant, admin, client, person, team] of [
    ['default', 'anna', 'device', 'bob', 'platform'],
    ['acme', 'eve', 'foreign', 'eve', 'acme-secret-team'],
  ] as const) {
    const mark = MARKS[tenant]
    const machine = as(client)
    await machine('POST', `/v1/publish/notifications/realtime/user/${person}`, { message: mark, title: mark })
    await machine('POST', '/v1/publish/notifications/realtime/broadcast', { message: mark })
    for (const type of ['disk_full', 'too_hot'])
      await machine('POST', `/v1/publish/alerts/critical/${type}`, { message: mark, source: mark })
    await machine('POST', '/v1/publish/notifications/email/send', {
      to: `${mark}@example.org`,
      subject: mark,
      body: mark,
    })
    await fetch(`${program.url}/v1/publish/notifications/nowhere`, {
      method: 'POST',
      headers: { 'x-api-key': `${client}-token` },
      body: mark,
    })
    const head = as(admin)
    const later = new Date(Date.now() + 3_600_000).toISOString()
    await head('POST', '/v1/silences', { match: { type: `${mark}*` }, reason: mark, until: later })
    await head('POST', `/v1/oncall/${team}/overrides`, {
      user: person,
      from: later,
      to: new Date(Date.now() + 7_200_000).toISOString(),
    })
    await head('POST', '/v1/users/me/devices', {
      platform: 'android',
      token: `${mark}-${'t'.repeat(40)}`,
      name: mark,
    })
    const made = await as(`${client} as a service`)('POST', '/api/v1/events', {
      name: mark,
      channels: { email: { subject: mark, content: 'Dear {{ name }}' } },
    })
    const { id } = made['event'] as { readonly id: string }
    await as(`${client} as a service`)('POST', `/api/v1/events/${id}/send_notifications`, {
      email: { to_email: [`${mark}@example.org`], metadata: { name: mark } },
    })
  }
}

/** What the program names in its answers: words for later requests, and whose ids they are. */
export class Names {
  readonly #words = new Set<string>([
    'anna',
    'bob',
    'eve',
    'platform',
    'acme-secret-team',
    'default',
    'acme',
    'backup',
  ])
  readonly #owners = new Map<string, Set<string>>()

  /** Reads every list that needs nothing but a caller. */
  async gather(
    program: Program,
    operations: readonly Operation[],
    callers: readonly Caller[],
  ): Promise<void> {
    const lists = operations.filter(
      ({ method, path, responses }) =>
        method === 'GET' && !path.includes('{') && responses['200']?.['application/json'] !== undefined,
    )
    for (const { path } of lists.filter((list) => !/^\/(openapi|asyncapi)|poll$/.test(list.path)))
      for (const caller of callers.filter(({ tenant }) => tenant !== null)) {
        const response = await fetch(`${program.url}${path}`, { headers: caller.headers })
        if (response.status === 200) this.#take(await response.json(), caller)
        else await response.body?.cancel()
      }
  }

  get words(): readonly string[] {
    return [...this.#words].slice(-400)
  }

  /** Whether this is an id of the other tenant alone. */
  isForeign(id: string, caller: Caller): boolean {
    const owners = this.#owners.get(id)
    return caller.tenant !== null && owners !== undefined && !owners.has(caller.tenant)
  }

  #take(value: unknown, caller: Caller, key = ''): void {
    if (Array.isArray(value)) for (const item of value) this.#take(item, caller, key)
    else if (typeof value === 'object' && value !== null)
      for (const [name, below] of Object.entries(value)) this.#take(below, caller, name)
    else if (
      typeof value === 'string' &&
      value !== '' &&
      value.length <= 200 &&
      /(^|_)(id|uuid|user|team|name|topic|type|key)$/.test(key)
    ) {
      this.#words.add(value)
      if (!/^(id|uuid)$/.test(key) || value.length < 20 || caller.tenant === null) return
      this.#owners.set(value, (this.#owners.get(value) ?? new Set()).add(caller.tenant))
    }
  }
}

/** The mark of the other tenant, if it stands in an answer. */
export function leakIn(text: string, { tenant }: Caller): string | null {
  const foreign = tenant === 'default' ? MARKS.acme : tenant === 'acme' ? MARKS.default : null
  return foreign !== null && text.includes(foreign) ? foreign : null
}

export async function documentOf(program: Program): Promise<Document> {
  return JSON.parse((await call(program, null, 'GET', '/openapi.json')).text) as Document
}
