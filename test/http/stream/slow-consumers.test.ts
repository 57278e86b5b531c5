import { expect } from 'chai'
import { connect, type Socket } from 'node:net'
import { eventually } from '../../support/eventually.ts'
import { harness, type Harness } from '../../support/harness.ts'

const EVENTS = 200
/** Together far more than what the buffers of two sockets take. */
const FILLER = 'x'.repeat(100_000)

describe('A consumer that does not read', function () {
  this.timeout(60_000)
  let h: Harness
  const sockets: Socket[] = []
  before(async () => {
    h = await harness()
  })
  afterEach(() => sockets.splice(0).forEach((socket) => socket.destroy()))
  after(() => h.close())

  const tokenOf = async (user: string): Promise<string> => {
    const response = await fetch(`${h.app.httpUrl}/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user, password: `${user}-password` }),
    })
    return ((await response.json()) as { readonly token: string }).token
  }
  /** A connection whose numbers are kept as they come, once it has begun. */
  const consumer = async (path: string, token: string) => {
    const upgrade =
      path === '/ws'
        ? 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
          'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n'
        : ''
    const socket = connect(Number(new URL(h.app.httpUrl).port), '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => {})
    socket.write(
      `GET ${path}?since=latest HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${upgrade}\r\n`,
    )
    const numbers: number[] = []
    let rest = ''
    socket.on('data', (chunk: Buffer) => {
      rest += chunk.toString('latin1')
      numbers.push(...[...rest.matchAll(/"number":(\d+)\}/g)].map(([, number]) => Number(number)))
      const last = rest.lastIndexOf('"number":')
      rest =
        last < 0 ? rest.slice(-1000) : rest.slice(/"number":\d+\}/.test(rest.slice(last)) ? last + 10 : last)
    })
    await eventually('the greeting', () => (rest.includes('"connected"') ? true : undefined))
    return { socket, numbers }
  }
  const connections = async (transport: string) => {
    const { values } = await h.app.engine.metrics.connections.get()
    return values.find(({ labels }) => labels['transport'] === transport)?.value ?? 0
  }
  const emit = (user: string, number: number) =>
    h.accepted('events/load/step', { user_id: user, filler: FILLER, number })

  for (const [transport, path, user] of [
    ['sse', '/v1/events', 'bob'],
    ['ws', '/ws', 'cem'],
  ] as const)
    it(`of ${transport} is given up after half a minute, and the others of the person miss nothing and wait for nothing (R43)`, async () => {
      const token = await tokenOf(user)
      const [slow, quick] = await Promise.all([consumer(path, token), consumer(path, token)])
      slow.socket.pause()
      const numbers = Array.from({ length: EVENTS }, (_, index) => index)
      for (const number of numbers) await emit(user, number)
      await eventually('the quick one to have all', () => (quick.numbers.length >= EVENTS ? true : undefined))
      expect(quick.numbers).to.deep.equal(numbers)
      expect(await connections(transport)).to.equal(2)
      await h.pass(29_000)
      expect(await connections(transport)).to.equal(2)
      await h.pass(2000)
      await eventually('the slow one to be gone', async () =>
        (await connections(transport)) === 1 ? true : undefined,
      )
      await emit(user, EVENTS)
      await eventually('the quick one to hear more', () => (quick.numbers.length > EVENTS ? true : undefined))
      // What it was given before is whole and in order.
      slow.socket.resume()
      await eventually('the slow one to find out', () => (slow.socket.destroyed ? true : undefined))
      expect(slow.numbers).to.deep.equal(numbers.slice(0, slow.numbers.length))
      expect(slow.numbers.length).to.be.lessThan(EVENTS)
    })
})
