import fc, { type Arbitrary } from 'fast-check'
import { expect } from 'chai'
import { Installation, type Program } from '../support/program.ts'
import { endExchanges, exchange, type Received, type Sent } from './openapi/exchange.ts'
import { checksOf, operationsOf, type Checks, type Operation, type Parameter } from './openapi/operations.ts'
import { valueOf, type ValueOptions } from './openapi/values.ts'
import { callersOf, documentOf, leakIn, Names, populate, WORLD, type Caller } from './openapi/world.ts'

const SEED = Number(process.env['FUZZ_SEED'] ?? 20260105)
/** Requests in all; `FUZZ_REQUESTS=50000` for a night. */
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 600)
/** Which operations; all of them unless set. */
const ONLY = new RegExp(process.env['FUZZ_ONLY'] ?? '')
const PATIENCE_MS = 20_000
/** What waits for news would wait for long. */
const POLL_MS = 300

/** They end sessions, make everything slow, or use up log-ins, and therefore come after all others. */
const LAST = [
  'put /v1/outbox/chaos',
  'post /api/v1/register/rotate',
  'delete /api/v1/register',
  'post /v1/login',
  'post /v1/logout',
]

/** Rules about values that a JSON Schema cannot say, with what is said of them: no other valid request is refused as invalid. */
const BEYOND_SCHEMA: Readonly<Record<string, RegExp>> = {
  'post /v1/alerts/{id}/snooze': /^body\/for must be a duration/,
  'post /v1/alerts/{id}/reassign': /^body must have either/,
  'get /v1/deliveries/statistics': /is after|longer than a year/,
  'get /v1/oncall/{team}': /longer than a year/,
  'post /v1/silences': /has passed|There is no team|Name at least one|24 hours|until/,
  'post /v1/oncall/{team}/overrides': /^body\//,
  'post /v1/oncall/{team}/temporary': /^body\//,
  'get /v1/notifications/{id}/why': /about whom/,
  'put /v1/outbox/chaos': /no captured channel/,
  'post /v1/outbox/{id}/reply': /asks for no answer/,
  'post /v1/deliveries/{id}/cancel': /cannot be cancelled|ends with it/,
  'post /v1/deliveries/{id}/resend': /Nothing was ever made/,
  'post /v1/users/me/devices': /^body\/(token|subscription)/,
  'post /v1/templates/preview': /is no language|Nothing is rendered/,
  'get /v1/events': /^since is/,
  'get /v1/notifications/sse': /^since is/,
  'get /v1/events/poll': /^since is/,
  'post /hooks/generic': /No message|More than/,
  'post /hooks/grafana': /has alerts, or state/,
  'post /hooks/pagerduty': /needs/,
  'post /hooks/pagerduty/v2/enqueue': /needs/,
}
const ANYWHERE = /^(Idempotency-Key takes|The cursor is none of ours|The body has more than|The body nests)/

interface Case {
  readonly caller: Caller
  readonly path: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, unknown>>
  readonly body:
    | { readonly kind: 'none' }
    | { readonly kind: 'json'; readonly value: unknown }
    | { readonly kind: 'raw'; readonly type: string; readonly text: string }
}

describe(`the HTTP API as its document describes it (seed ${SEED})`, function () {
  this.timeout(Math.max(180_000, REQUESTS * 60))
  const installation = new Installation(WORLD)
  let program: Program
  let callers: Caller[]
  let operations: Operation[]
  let checks: Checks
  const names = new Names()

  before(async () => {
    program = await installation.start()
    const document = await documentOf(program)
    operations = operationsOf(document)
    checks = checksOf(document)
    callers = await callersOf(program)
    await populate(program, callers)
  })
  after(async () => {
    endExchanges()
    await installation.remove()
  })

  it('answers every request as documented, refuses what its schemas forbid, takes what they allow, and shows no tenant the other (acceptance of the four APIs, rows 13, 18 and 28)', async () => {
    const ordered = [
      ...operations.filter(({ key }) => !LAST.includes(key)),
      ...operations
        .filter(({ key }) => LAST.includes(key))
        .sort((a, b) => LAST.indexOf(a.key) - LAST.indexOf(b.key)),
    ]
    const defects: string[] = []
    const numRuns = Math.max(5, Math.round(REQUESTS / ordered.length))
    for (const [index, operation] of ordered.entries()) {
      if (!ONLY.test(operation.key)) continue
      if (index % 25 === 0) await names.gather(program, operations, callers)
      const property = fc.asyncProperty(caseOf(operation, callers, names.words), async (given) => {
        const wrong = await tried(operation, given)
        if (wrong !== null) throw new Error(wrong)
      })
      const details = await fc.check(property, {
        seed: SEED + index,
        numRuns,
        endOnFailure: process.env['FUZZ_SHRINK'] === undefined,
      })
      if (process.env['ATTACK_FIGURES'] !== undefined)
        process.stdout.write(`${operation.key} ${details.numRuns} ${Math.round(performance.now())}\n`)
      if (details.failed && process.env['ATTACK_FIGURES'] !== undefined)
        process.stdout.write(`DEFECT ${String((details.errorInstance as Error).message)}\n`)
      if (details.failed)
        defects.push(`${operation.key}: ${String((details.errorInstance as Error | null)?.message)}`)
    }
    expect(defects.join('\n\n')).to.equal('')
  })

  it('has logged no bug', () => {
    const bugs = program.lines.filter((line) => Number(line['level']) >= 50)
    expect(bugs).to.deep.equal([])
  })

  /** What is wrong with the answer to a case; null when nothing is. */
  async function tried(operation: Operation, given: Case): Promise<string | null> {
    const sent = wire(operation, given)
    const waits = operation.parameters.some(({ name }) => name === 'wait')
    const received = await exchange(program.httpPort, sent, waits ? POLL_MS : PATIENCE_MS)
    const wrong = received === null ? (waits ? null : 'no answer') : judged(operation, given, received)
    if (wrong === null) return null
    const shown = `${given.caller.name}: ${sent.method} ${sent.target.slice(0, 300)}\n  ${JSON.stringify(sent.headers['content-type'] ?? null)} ${sent.body?.slice(0, 400) ?? ''}`
    return `${wrong}\n  ${shown}\n  ${received?.status} ${received?.text.slice(0, 400)}`
  }

  function judged(operation: Operation, given: Case, { status, type, text }: Received): string | null {
    const leak = leakIn(text, given.caller)
    // What somebody says themselves may be repeated to them.
    if (leak !== null && !JSON.stringify(given).includes(leak)) return `shows ${leak}`
    if (status >= 500) return 'a failure of the server'
    const documented = operation.responses[String(status)]
    if (documented === undefined) return 'a status that is not documented'
    const undocumented = wrongAnswer(documented, type, text)
    if (undocumented !== null) return undocumented
    const foreign = Object.entries(given.path).some(
      ([name, value]) => name.endsWith('id') && names.isForeign(String(value), given.caller),
    )
    if (foreign && status < 400) return 'takes an id of the other tenant'
    const fits = fitsDocument(operation, given)
    if (fits === false && status < 400) return 'took what its schema forbids'
    if (fits === true && status === 400 && /"code":"request\.invalid"/.test(text)) {
      const { message } = (JSON.parse(text) as { readonly error: { readonly message: string } }).error
      if (!ANYWHERE.test(message) && BEYOND_SCHEMA[operation.key]?.test(message) !== true)
        return 'refused what its schema allows'
    }
    return null
  }

  function wrongAnswer(
    documented: Operation['responses'][string],
    type: string,
    text: string,
  ): string | null {
    const types = Object.keys(documented)
    if (types.length === 0) return text === '' ? null : 'a body where none is documented'
    const schema = documented[type]
    if (schema === undefined) return `the media type ${type} is not documented`
    if (type !== 'application/json') return null
    const wrong = checks.answer(schema, JSON.parse(text))
    return wrong === null ? null : `an answer outside its schema: ${wrong}`
  }

  /** Null where the document does not decide. */
  function fitsDocument(operation: Operation, given: Case): boolean | null {
    for (const parameter of operation.parameters) {
      const value = partOf(parameter, given)[parameter.name]
      if (value === undefined) {
        if (parameter.required === true) return parameter.in === 'path' ? null : false
        continue
      }
      if (!checks.text(parameter.schema, value)) return false
    }
    const { body } = operation
    if (body === null) return given.body.kind === 'none' ? true : null
    const json = body.content['application/json']
    if (given.body.kind === 'none') return body.required ? false : true
    if (given.body.kind === 'raw') return given.body.type in body.content ? null : false
    if (json === undefined) return false
    if (Object.keys(json).every((key) => /^(description|examples?)$/.test(key))) return true
    return checks.body(json, JSON.parse(JSON.stringify(given.body.value)))
  }
})

function partOf(parameter: Parameter, given: Case): Readonly<Record<string, unknown>> {
  return parameter.in === 'path' ? given.path : parameter.in === 'query' ? given.query : given.headers
}

/** Requests to an operation: half of them as documented, half with something wrong in them. */
function caseOf(operation: Operation, callers: readonly Caller[], known: readonly string[]): Arbitrary<Case> {
  return fc.constantFrom(0, 0, 12).chain((noise) => {
    const options = { noise, known }
    return fc.record({
      caller: callerOf(operation, callers),
      path: partsOf(operation, 'path', options),
      query: partsOf(operation, 'query', options),
      headers: partsOf(operation, 'header', options),
      body: bodyOf(operation, options),
    })
  })
}

/** Whoever may is asked for most often. */
function callerOf({ security }: Operation, callers: readonly Caller[]): Arbitrary<Caller> {
  const services = security.length === 1 && security[0] !== undefined && 'serviceId' in security[0]
  const usual = callers.filter(({ name }) => name.endsWith('as a service') === services)
  return fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...callers) },
  )
}

function partsOf(
  operation: Operation,
  place: Parameter['in'],
  options: ValueOptions,
): Arbitrary<Record<string, unknown>> {
  const parameters = operation.parameters.filter((parameter) => parameter.in === place)
  const values = parameters.map((parameter) => [parameter.name, scalarOf(parameter, options)] as const)
  const required = parameters
    .filter((parameter) => parameter.required === true || place === 'path')
    .map(({ name }) => name)
  const none = options.noise > 0 && place !== 'path'
  return fc.record(Object.fromEntries(values), { requiredKeys: none ? [] : required })
}

/** In a URL and in a header everything is text; the latter takes no control characters. */
function scalarOf({ schema, in: place }: Parameter, options: ValueOptions): Arbitrary<string> {
  return valueOf(schema, options)
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
    .filter((text) => (place === 'header' ? /^[\x20-\x7e]*$/.test(text) && text.trim() === text : true))
    .map((text) => (place === 'path' ? text.slice(0, 1000) : text.slice(0, 2000)))
    .map(wellFormed)
}

const JUNK = [
  '',
  '{',
  '[1,',
  'null',
  '"text"',
  '{"a":1,}',
  '\u0000',
  'a=b&c=d',
  '<a/>',
  `${'['.repeat(1000)}`,
]

function bodyOf({ body, method }: Operation, options: ValueOptions): Arbitrary<Case['body']> {
  const none = fc.constant({ kind: 'none' } as const)
  if (body === null || method === 'GET') return none
  const types = Object.keys(body.content)
  const own = types.map((type) =>
    type === 'application/json'
      ? valueOf(body.content[type] ?? {}, options).map((value) => ({ kind: 'json', value }) as const)
      : textBody(type, body.content[type] ?? {}, options),
  )
  if (options.noise === 0)
    return body.required ? fc.oneof(...own) : fc.oneof({ weight: 5, arbitrary: fc.oneof(...own) }, none)
  const foreign = fc
    .tuple(
      fc.constantFrom(
        'text/plain',
        'text/xml',
        'application/x-www-form-urlencoded',
        'multipart/form-data',
        'application/json; charset=utf-16',
        'nonsense',
      ),
      fc.constantFrom(...JUNK),
    )
    .map(([type, text]) => ({ kind: 'raw', type, text }) as const)
  const broken = fc
    .constantFrom(...JUNK)
    .map((text) => ({ kind: 'raw', type: types[0] ?? '', text }) as const)
  return fc.oneof({ weight: 12, arbitrary: fc.oneof(...own) }, foreign, broken, none)
}

function textBody(
  type: string,
  schema: Readonly<Record<string, unknown>>,
  options: ValueOptions,
): Arbitrary<Case['body']> {
  return valueOf(schema, options).map((value) => ({
    kind: 'raw' as const,
    type,
    text: type.endsWith('urlencoded') && typeof value === 'object' ? formOf(value) : String(value),
  }))
}

function formOf(value: object | null): string {
  const pairs = Object.entries(value ?? {}).map(([name, text]) => [
    wellFormed(name),
    wellFormed(String(text)),
  ])
  return new URLSearchParams(pairs as [string, string][]).toString()
}

/** URLs know no half of a surrogate pair. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString()
}

function wire(operation: Operation, given: Case): Sent {
  const path = operation.path.replaceAll(/\{([^}]+)\}/g, (_, name: string) =>
    encodeURIComponent(String(given.path[name])),
  )
  const query = new URLSearchParams(given.query as Record<string, string>).toString()
  const { body } = given
  const type = body.kind === 'json' ? 'application/json' : body.kind === 'raw' ? body.type : null
  return {
    method: operation.method,
    target: query === '' ? path : `${path}?${query}`,
    headers: {
      ...(given.headers as Record<string, string>),
      ...given.caller.headers,
      ...(type !== null && { 'content-type': type }),
    },
    body: body.kind === 'json' ? JSON.stringify(body.value) : body.kind === 'raw' ? body.text : null,
  }
}
