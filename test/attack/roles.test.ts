import { expect } from 'chai'
import { routes } from '../../routes/index.ts'
import { Installation, type Program } from '../support/program.ts'
import { endExchanges, exchange } from './openapi/exchange.ts'
import { operationsOf, type Operation } from './openapi/operations.ts'
import { callersOf, documentOf, leakIn, populate, WORLD, type Caller } from './openapi/world.ts'
import { HTTP_ROLES, PUBLISH_ROLES, SUBSCRIBE_ROLES } from './roles.ts'
import { RawMqtt, subscribePacket } from './raw-mqtt.ts'

const COLUMNS = ['bob', 'olga', 'anna', 'device', 'eve'] as const
const NOWHERE = '019b8e5c-7a00-7001-8000-5f3c2d1e0f10'

describe('every role on every route and topic, of two tenants (security row 18)', function () {
  this.timeout(120_000)
  const installation = new Installation(WORLD)
  let program: Program
  let callers: readonly Caller[]
  let operations: readonly Operation[]
  const examples = new Map<string, unknown>()
  /** Ids of the tenant `default`, by what precedes them in a path. */
  const ids: Record<string, string> = {
    oncall: 'platform',
    heartbeats: 'backup',
    users: 'bob',
    tenants: 'default',
  }

  before(async () => {
    program = await installation.start()
    const document = await documentOf(program)
    operations = operationsOf(document)
    callers = await callersOf(program)
    await populate(program, callers)
    for (const { key, path, method } of operations)
      examples.set(key, exampleIn(document, path, method.toLowerCase()))
    const first = async (name: string, path: string, list = 'items') => {
      const answer = await exchange(
        program.httpPort,
        { method: 'GET', target: path, headers: headersOf(name), body: null },
        10_000,
      )
      const body = JSON.parse(answer?.text ?? '{}') as Readonly<
        Record<string, readonly { readonly id: string }[]>
      >
      const id = body[list]?.[0]?.id
      if (id === undefined) throw new Error(`nothing on ${path}`)
      return id
    }
    ids['alerts'] = await first('bob', '/v1/alerts')
    ids['notifications'] = await first('bob', '/v1/notifications', 'notifications')
    ids['deliveries'] = await first('bob', '/v1/deliveries')
    ids['dead-letters'] = await first('anna', '/v1/dead-letters')
    ids['outbox'] = await first('anna', '/v1/outbox')
    ids['silences'] = await first('anna', '/v1/silences')
    ids['overrides'] = await first('anna', '/v1/oncall/platform/overrides')
    ids['devices'] = await first('anna', '/v1/users/me/devices')
    ids['contacts'] = await first('anna', '/v1/users/me/contacts')
    ids['events'] = await first('device as a service', '/api/v1/events', 'events')
    ids['sent'] = await first(
      'device as a service',
      `/api/v1/events/${ids['events']}/get_notifications`,
      'notifications',
    )
  })
  after(async () => {
    endExchanges()
    await installation.remove()
  })

  const headersOf = (name: string) => callers.find((caller) => caller.name === name)?.headers ?? {}

  /** What a column shows for a route: services of the NotiPy API prove themselves in its way. */
  async function cell(operation: Operation, name: string): Promise<string> {
    const asService = operation.security.length === 1 && 'serviceId' in (operation.security[0] ?? {})
    const as = !asService
      ? name
      : name === 'device'
        ? 'device as a service'
        : name === 'eve'
          ? 'foreign as a service'
          : name
    const caller = callers.find((known) => known.name === as)
    if (caller === undefined) throw new Error(as)
    const body = examples.get(operation.key)
    // Whoever may remove something is not to do it before the next one is asked.
    const real = operation.method !== 'DELETE' || name === 'eve'
    const received = await exchange(
      program.httpPort,
      {
        method: operation.method,
        target: targetOf(operation, asService, real),
        headers: { ...caller.headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        body: body === undefined ? null : JSON.stringify(body),
      },
      20_000,
    )
    const { status = 0, text = '' } = received ?? {}
    expect(status, `${name} ${operation.key} ${text}`).to.be.within(200, 499)
    expect(leakIn(text, caller), `${name} ${operation.key}`).to.equal(null)
    return [401, 403, 404].includes(status) ? String(status) : 'ok'
  }

  function targetOf({ path, parameters }: Operation, asService: boolean, real: boolean): string {
    const levels = path.split('/')
    const filled = levels.map((level, at) => {
      const before = levels.slice(0, at).findLast((word) => !word.startsWith('{')) ?? ''
      if (!level.includes('{')) return level
      const id = asService && before === 'notifications' ? ids['sent'] : ids[before]
      const known = real || before === 'oncall' ? id : undefined
      return level.replace(
        /\{[^}]+\}/,
        path.includes('/publish/') ? 'notifications/realtime/user/bob' : (known ?? NOWHERE),
      )
    })
    return (
      filled.join('/') +
      (parameters.some(({ name }) => name === 'wait') ? '?wait=0' : path.endsWith('/why') ? '?user=bob' : '')
    )
  }

  it('has an entry for each HTTP route', () => {
    expect(Object.keys(HTTP_ROLES)).to.have.members(operations.map(({ key }) => key))
  })

  it('answers each role as the table says, and another tenant 404 for every id (rows 18 and 38, contract section 7)', async () => {
    const rank = ({ method, key }: Operation) =>
      key.endsWith('logout') ? 3 : method === 'DELETE' ? 2 : method === 'GET' ? 0 : 1
    const found: Record<string, string> = {}
    for (const operation of operations.toSorted((a, b) => rank(a) - rank(b))) {
      const cells: string[] = []
      for (const name of [...COLUMNS].toReversed()) cells.unshift(await cell(operation, name))
      found[operation.key] = cells.join(' ')
    }
    if (process.env['ATTACK_FIGURES'] !== undefined)
      process.stdout.write(`${JSON.stringify(found, null, 1)}\n`)
    expect(found).to.deep.equal(HTTP_ROLES)
  })

  it('has an entry for each topic that is routed, and lets each role publish as the table says (contract sections 3 and 4)', async () => {
    // The log-out above ended the sessions of people.
    callers = await callersOf(program)
    const patterns = routes().routes.map(({ pattern }) => pattern)
    expect(Object.keys(PUBLISH_ROLES)).to.include.members(patterns)
    const found: Record<string, string> = {}
    for (const pattern of Object.keys(PUBLISH_ROLES)) {
      const topic = pattern.replaceAll(
        /\{([^}]+)\}/g,
        (_, name: string) => ({ userId: 'bob', alertId: ids['alerts'] ?? '', id: NOWHERE })[name] ?? 'x',
      )
      const cells: string[] = []
      for (const name of COLUMNS) {
        const headers = { ...headersOf(name), 'content-type': 'application/json' }
        const received = await exchange(
          program.httpPort,
          { method: 'POST', target: `/v1/publish/${topic}`, headers, body: '{}' },
          10_000,
        )
        const { error } = JSON.parse(received?.text ?? '{}') as { readonly error?: { readonly code: string } }
        cells.push(
          error === undefined || !/auth|forbidden|reserved|unknown/.test(error.code)
            ? 'ok'
            : error.code.replace(/^.*\./, ''),
        )
      }
      found[pattern] = cells.join(' ')
    }
    if (process.env['ATTACK_FIGURES'] !== undefined)
      process.stdout.write(`${JSON.stringify(found, null, 1)}\n`)
    expect(found).to.deep.equal(PUBLISH_ROLES)
  })

  it('lets each role subscribe as the table says (contract sections 3 and 5)', async () => {
    const found: Record<string, string> = {}
    const cells = new Map<string, string[]>(Object.keys(SUBSCRIBE_ROLES).map((filter) => [filter, []]))
    for (const name of COLUMNS) {
      const raw = await RawMqtt.open(program.mqttPort)
      const password = name === 'device' ? 'device-token' : `${name}-password`
      expect(await raw.connect({ clientId: `${name}-roles`, username: name, password }), name).to.equal(0)
      for (const [filter, row] of cells) {
        raw.send(subscribePacket([[filter, 1]]))
        const granted = (await raw.next(9))?.at(-1)
        row.push(granted === 0x80 ? 'no' : 'ok')
      }
      raw.end()
    }
    for (const [filter, row] of cells) found[filter] = row.join(' ')
    if (process.env['ATTACK_FIGURES'] !== undefined)
      process.stdout.write(`${JSON.stringify(found, null, 1)}\n`)
    expect(found).to.deep.equal(SUBSCRIBE_ROLES)
  })
})

/** The first JSON body that the document shows for an operation. */
function exampleIn(document: object, path: string, method: string): unknown {
  const { paths } = document as {
    readonly paths: Readonly<
      Record<
        string,
        Readonly<
          Record<string, { readonly requestBody?: { readonly content: Readonly<Record<string, Media>> } }>
        >
      >
    >
  }
  const media = paths[path]?.[method]?.requestBody?.content['application/json']
  return media?.example ?? Object.values(media?.examples ?? {})[0]?.value
}

interface Media {
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}
