import { expect } from 'chai'
import { createHmac } from 'node:crypto'
import { Installation, type Program } from '../support/program.ts'
import { call, login, published, servesTheGood } from './attacked.ts'
import { publishPacket, RawMqtt, subscribePacket, type RawConnect } from './raw-mqtt.ts'

const SECRET = 'jwt-secret-of-exactly-enough-bytes-0123456789'
const CONFIG = `
auth: { jwt: { secret: ${SECRET} } }
users:
  anna: { password: anna-password, email: anna@example.org, roles: [admin] }
  bob: { password: bob-password, email: bob@example.org }
clients:
  device: { token: device-token, publish: ["notifications/#", "alerts/#", "sensors/#"], subscribe: ["sensors/#"] }
  other: { token: other-token, publish: ["other/#"], subscribe: ["other/#"] }
`
const SECOND = 1000

function jwt(
  claims: Readonly<Record<string, unknown>>,
  { header = {}, secret = SECRET, alg = 'HS256' }: { header?: object; secret?: string; alg?: string } = {},
): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / SECOND)
  const body = `${part({ alg, typ: 'JWT', ...header })}.${part({ iss: 'carillon', aud: 'carillon', sub: 'anna', nbf: now - 5, exp: now + 600, ...claims })}`
  return `${body}.${
    alg === 'none'
      ? ''
      : createHmac(alg === 'HS512' ? 'sha512' : 'sha256', secret)
          .update(body)
          .digest('base64url')
  }`
}

describe('somebody who would be somebody else', function () {
  this.timeout(30_000)
  const installation = new Installation(CONFIG)
  let program: Program

  before(async () => {
    program = await installation.start()
  })
  after(() => installation.remove())

  async function open(options: RawConnect): Promise<{ raw: RawMqtt; code: number | null }> {
    const raw = await RawMqtt.open(program.mqttPort)
    return { raw, code: await raw.connect(options) }
  }
  const as = async (username: string, clientId = `${username}-1`, more: RawConnect = {}) => {
    const password = ['device', 'other'].includes(username) ? `${username}-token` : `${username}-password`
    const { raw, code } = await open({ username, password, clientId, ...more })
    expect(code, username).to.equal(0)
    return raw
  }
  const settled = async (raw: RawMqtt) => {
    raw.send(Buffer.from([0xc0, 0]))
    await raw.next(13)
  }

  describe('by credentials', () => {
    const now = Math.floor(Date.now() / SECOND)
    const wrong: [string, () => string][] = [
      ['alg none', () => jwt({}, { alg: 'none' })],
      ['alg None', () => jwt({}, { alg: 'None' })],
      ['HS512', () => jwt({}, { alg: 'HS512' })],
      ['another secret', () => jwt({}, { secret: 'x'.repeat(40) })],
      ['an empty secret', () => jwt({}, { secret: '' })],
      ['a kid', () => jwt({}, { header: { kid: '../../etc/passwd' } })],
      ['a jku', () => jwt({}, { header: { jku: 'http://127.0.0.1/keys' } })],
      ['a jwk', () => jwt({}, { header: { jwk: { kty: 'oct', k: 'AAAA' } } })],
      ['a past exp', () => jwt({ exp: now - 60 })],
      ['no exp', () => jwt({ exp: undefined })],
      ['an exp that is text', () => jwt({ exp: 'never' })],
      ['an exp in ten years', () => jwt({ exp: now + 315_360_000 })],
      ['a future nbf', () => jwt({ nbf: now + 600 })],
      ['no nbf', () => jwt({ nbf: undefined })],
      ['another issuer', () => jwt({ iss: 'elsewhere' })],
      ['another audience', () => jwt({ aud: 'elsewhere' })],
      ['no audience', () => jwt({ aud: undefined })],
      ['an unknown sub', () => jwt({ sub: 'mallory' })],
      ['a sub that is an object', () => jwt({ sub: { $gt: '' } })],
      ['a sub of the prototype', () => jwt({ sub: '__proto__' })],
      ['9 KB', () => jwt({ pad: 'x'.repeat(9000) })],
    ]
    it('is let in with a JWT that is right in everything (row 4)', async () => {
      expect((await call(program, jwt({}), 'GET', '/v1/users/me')).status).to.equal(200)
      const { raw, code } = await open({ username: 'whoever', password: jwt({}) })
      expect(code).to.equal(0)
      raw.end()
    })
    for (const [what, token] of wrong)
      it(`is refused over HTTP and MQTT with a JWT that has ${what} (row 4)`, async () => {
        expect((await call(program, token(), 'GET', '/v1/users/me')).status).to.equal(401)
        const { raw, code } = await open({ username: 'jwt', password: token() })
        expect(code).to.equal(4)
        raw.end()
      })

    it('loses the connection when the JWT ends (row 4)', async () => {
      const { raw, code } = await open({
        username: 'x',
        password: jwt({ exp: Math.floor(Date.now() / SECOND) + 2 }),
      })
      expect(code).to.equal(0)
      await raw.closed
    })

    it('guesses passwords against a wait, while others are served (row 2)', async () => {
      const answers = await Promise.all(
        Array.from({ length: 14 }, () =>
          call(program, null, 'POST', '/v1/login', { user: 'bob', password: 'guess' }),
        ),
      )
      expect(answers.every(({ status }) => status === 401 || status === 429)).to.equal(true)
      const began = performance.now()
      expect(await servesTheGood(program)).to.equal(true)
      expect(performance.now() - began).to.be.below(2000)
      // Even the right one has to wait now.
      expect(
        (await call(program, null, 'POST', '/v1/login', { user: 'bob', password: 'bob-password' })).status,
      ).to.equal(429)
      expect(
        (await call(program, null, 'POST', '/v1/login', { user: 'anna', password: 'anna-password' })).status,
      ).to.equal(200)
    })

    it('is nobody without credentials, and with those that everybody tries first (row 1)', async () => {
      expect((await open({ clientId: 'x' })).code).to.equal(5)
      for (const [username, password] of [
        ['admin', 'admin'],
        ['anna', ''],
        ['', ''],
        ['device', ''],
        ['__proto__', 'x'],
        ['device', 'DEVICE-TOKEN'],
      ])
        expect((await open({ username: username ?? '', password: password ?? '' })).code, username).to.equal(
          4,
        )
      expect((await call(program, null, 'GET', '/v1/alerts')).status).to.equal(401)
      for (const token of ['device', 'null', 'undefined', '', '..', 'eyJ..'])
        expect((await call(program, token, 'GET', '/v1/alerts')).status, token).to.equal(401)
    })
  })

  describe('by client id', () => {
    it('neither inherits another’s queue nor ends their connection (A9, row 12)', async () => {
      const victim = await as('device', 'shared', { clean: false })
      victim.send(subscribePacket([['sensors/#', 1]]))
      await victim.next(9)
      const thief = await as('other', 'shared', { clean: false })
      await settled(victim)
      expect(victim.socket.destroyed).to.equal(false)
      victim.end()
      await victim.closed
      const sender = await as('device', 'sender')
      sender.send(publishPacket('sensors/a', 'for the victim', 1))
      await sender.next(4)
      thief.end()
      await thief.closed
      const again = await RawMqtt.open(program.mqttPort)
      await again.connect({ username: 'other', password: 'other-token', clientId: 'shared', clean: false })
      await settled(again)
      expect(published(again)).to.deep.equal([])
      const back = await as('device', 'shared', { clean: false })
      expect((await back.next(3))?.toString()).to.include('for the victim')
      for (const raw of [sender, again, back]) raw.end()
    })

    it('is held off after three take-overs in a minute (row 12)', async () => {
      const codes: (number | null)[] = []
      const all: RawMqtt[] = []
      for (let round = 0; round < 6; round++) {
        const { raw, code } = await open({
          username: 'device',
          password: 'device-token',
          clientId: 'ping-pong',
        })
        codes.push(code)
        all.push(raw)
      }
      expect(codes).to.deep.equal([0, 0, 0, 0, 2, 2])
      await settled(all[3] ?? (await as('device')))
      expect(all[3]?.socket.destroyed).to.equal(false)
      for (const raw of all) raw.end()
    })

    for (const id of ['a/b', '../anna', 'device/shared', '+', '#', '$SYS', 'a'.repeat(256)])
      it(`may be ${JSON.stringify(id.slice(0, 20))} without meaning anything (row 6)`, async () => {
        const raw = await as('device', id)
        raw.send(publishPacket('sensors/a', 'x', 1))
        expect(await raw.next(4)).not.to.equal(null)
        raw.end()
      })

    for (const [what, id] of [
      ['a NUL', 'a\0b'],
      ['a control character', 'a\u0007'],
      ['64 KB', 'x'.repeat(65_535)],
      ['bytes that are no UTF-8', Buffer.from([0x61, 0xff, 0xfe])],
    ] as const)
      it(`is refused with ${what} in it (row 14)`, async () => {
        const { raw, code } = await open({ username: 'device', password: 'device-token', clientId: id })
        expect(code).not.to.equal(0)
        await raw.closed
      })
  })

  describe('by subscription', () => {
    it('gets nothing of what a mixed SUBSCRIBE was denied, now or after coming back (A3, row 7)', async () => {
      const raw = await as('device', 'mixed', { clean: false })
      raw.send(
        subscribePacket([
          ['sensors/#', 1],
          ['users/anna/notifications', 1],
          ['#', 1],
          ['+/+/+', 1],
          ['receipts/other/#', 1],
          ['$SYS/#', 1],
          ['$share/g/#', 1],
          ['sensors/../users/#', 1],
        ]),
      )
      expect([...((await raw.next(9))?.subarray(4) ?? [])]).to.deep.equal([
        1, 128, 128, 128, 128, 128, 128, 1,
      ])
      raw.end()
      await raw.closed
      const sender = await as('device', 'sender-2')
      sender.send(
        publishPacket('notifications/realtime/user/anna', '{"message":"private"}', 1, 1),
        publishPacket('sensors/a', 'public', 1, 2),
      )
      await sender.next(4)
      await sender.next(4)
      const back = await as('device', 'mixed', { clean: false })
      expect((await back.next(3))?.toString()).to.include('public')
      await settled(back)
      expect(published(back)).to.deep.equal([])
      sender.end()
      back.end()
    })

    it('reads no broker topics and kicks nobody through them (A8, A8b, row 9)', async () => {
      const anna = await as('anna')
      anna.send(subscribePacket([['$SYS/#', 1]]))
      expect((await anna.next(9))?.at(-1)).to.equal(128)
      const device = await as('device', 'kicker')
      device.send(publishPacket('$SYS/x/new/clients', 'anna/anna-1', 1))
      await device.closed
      expect(device.packets).to.deep.equal([])
      await settled(anna)
      expect(anna.socket.destroyed).to.equal(false)
      anna.end()
    })
  })

  describe('by last will', () => {
    const wills: [string, NonNullable<RawConnect['will']>][] = [
      ['to a topic that is not granted', { topic: 'users/anna/notifications', payload: 'x' }],
      ['to the broker', { topic: '$SYS/x/new/clients', payload: 'x' }],
      ['to an acknowledgement', { topic: 'alerts/1/ack', payload: '{}' }],
      ['with wildcards', { topic: 'sensors/#', payload: 'x' }],
      ['with a NUL', { topic: 'sensors/\0', payload: 'x' }],
      ['that is no UTF-8', { topic: Buffer.from([0x73, 0xff]), payload: 'x' }],
      ['over 4 KB', { topic: 'sensors/a', payload: 'x'.repeat(5000) }],
      ['of 101 levels', { topic: 'sensors' + '/a'.repeat(100), payload: 'x' }],
    ]
    for (const [what, will] of wills)
      it(`is refused one ${what} (A7, row 11)`, async () => {
        const { raw, code } = await open({
          username: 'device',
          password: 'device-token',
          clientId: 'will',
          will,
        })
        expect(code).not.to.equal(0)
        await raw.closed
      })
    it('has one that is granted sent when the connection breaks, and no other (A7, row 11)', async () => {
      const watcher = await as('device', 'watcher')
      watcher.send(subscribePacket([['sensors/#', 1]]))
      await watcher.next(9)
      const dying = await as('device', 'dying', { will: { topic: 'sensors/dying', payload: 'gone', qos: 1 } })
      dying.socket.resetAndDestroy()
      const will = await watcher.next(3)
      expect(will?.toString()).to.include('gone')
      watcher.end()
    })
  })

  it('uses a log-in session over HTTP only as the person it was made for', async () => {
    const token = await login(program, 'anna')
    const me = await call(program, token, 'GET', '/v1/users/me')
    expect((JSON.parse(me.text) as { id: string }).id).to.equal('anna')
    expect((await call(program, token, 'POST', '/v1/logout', {})).status).to.equal(200)
    expect((await call(program, token, 'GET', '/v1/users/me')).status).to.equal(401)
  })
})
