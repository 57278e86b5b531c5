import { expect } from 'chai'
import { createServer, type AddressInfo } from 'node:net'
import { createServer as createHttpServer } from 'node:http'
import { createClient, type SocketLike, type TransportName } from '../../client/carillon.ts'
import { backOffMs } from '../../client/live/back-off.ts'
import { Handlers, matches } from '../../client/events.ts'
import { Seen } from '../../client/live/frame.ts'
import { CarillonError, publish } from '../../client/node.ts'
import { eventReader } from '../../client/live/transport.ts'

describe('The parts of the client library', () => {
  it('matches events by type and by wildcard (X20)', () => {
    for (const [pattern, type, expected] of [
      ['order.completed', 'order.completed', true],
      ['order.completed', 'order.complete', false],
      ['order.*', 'order.completed', true],
      ['order.*', 'order.item.added', true],
      ['order.*', 'order', false],
      ['order.*', 'orders.completed', false],
      ['*', 'order', true],
      ['*', 'a.b.c', true],
      ['*.completed', 'order.completed', true],
      ['*.completed', 'a.order.completed', false],
      ['order.*.added', 'order.item.added', true],
      ['order.*.added', 'order.item.removed', false],
    ] as const)
      expect(matches(pattern, type), `${pattern} ${type}`).to.equal(expected)
  })

  it('tells every handler, whatever one of them does meanwhile', () => {
    const handlers = new Handlers()
    const heard: string[] = []
    const stop = handlers.on('a', () => {
      heard.push('first')
      stop()
    })
    const same = () => heard.push('same')
    handlers.on('a', same)
    handlers.on('a', same)()
    handlers.tell({ type: 'a', data: 1 })
    handlers.tell({ type: 'a', data: 2 })
    expect(heard).to.deep.equal(['first', 'same', 'same'])
  })

  it('refuses a transport that there is none of', () => {
    const transport = 'pigeon' as TransportName
    expect(() => createClient({ url: 'http://127.0.0.1:1', transport })).to.throw(TypeError, 'pigeon')
  })

  it('waits at random, up to a limit that doubles to half a minute', () => {
    expect([1, 2, 3, 7, 50].map((failures) => backOffMs(failures, 0.999_999))).to.deep.equal([
      499, 999, 1999, 29_999, 29_999,
    ])
    expect(backOffMs(5, 0)).to.equal(0)
  })

  it('asks a silent server once more, and begins anew when it does not answer', async () => {
    const timers: { readonly ms: number; readonly task: () => void; cancelled: boolean }[] = []
    const sockets: { sent: string[]; onmessage: ((event: never) => void) | null; closed: boolean }[] = []
    const due = (ms: number) => timers.findLast((timer) => timer.ms === ms && !timer.cancelled)?.task()
    class Socket implements SocketLike {
      onopen = null
      onmessage: SocketLike['onmessage'] = null
      onclose = null
      onerror = null
      readonly sent: string[] = []
      closed = false
      constructor() {
        sockets.push(this)
      }
      send(text: string) {
        this.sent.push(text)
      }
      close() {
        this.closed = true
      }
    }
    const client = createClient({
      url: 'http://127.0.0.1:1',
      share: false,
      surroundings: {
        webSocket: Socket,
        random: () => 0.5,
        onNetwork: () => () => {},
        after(ms, task) {
          const timer = { ms, task, cancelled: false }
          timers.push(timer)
          return () => (timer.cancelled = true)
        },
      },
    })
    await new Promise(setImmediate)
    const [first] = sockets
    const hear = () => first?.onmessage?.({ data: '{"type":"connected","id":"1.r.0","data":{}}' } as never)
    hear()
    expect(client.state).to.equal('live')
    due(35_000)
    expect(first?.sent).to.have.length(1)
    hear()
    due(35_000)
    due(10_000)
    expect(first?.closed).to.equal(true)
    expect(client.state).to.equal('offline')
    due(250)
    await new Promise(setImmediate)
    expect(sockets).to.have.length(2)
    client.close()
  })

  it('takes each frame once, whichever way it comes', () => {
    const seen = new Seen()
    const notification = (id: string) => seen.take({ type: 'notification.created', id, data: {} })
    const event = (id: string) => seen.take({ type: 'unread', id, data: {}, timestamp: 1 })
    expect(seen.take({ type: 'connected', id: '4.r.0', data: {} })).to.equal(true)
    expect(['5.r.0', '5.r.0', '4.r.0', '7.r.0', '6.r.0'].map(notification)).to.deep.equal([
      true,
      false,
      false,
      true,
      false,
    ])
    expect(['7.r.1', '7.r.1', '7.r.2', '9.s.1', '9.s.1'].map(event)).to.deep.equal([
      true,
      false,
      true,
      true,
      false,
    ])
    expect(seen.position).to.equal('9.s.1')
    const unread = (version: number) => seen.take({ type: 'unread', id: '9.s.1', data: { version } })
    expect([3, 3, 2, 4].map(unread)).to.deep.equal([true, false, false, true])
    const page = (step: number) =>
      seen.take({ type: 'critical_alert', id: '9.s.1', data: { alert: { id: 'a', step, status: 'firing' } } })
    expect([0, 0, 1].map(page)).to.deep.equal([true, false, true])
  })

  it('reads an event stream in pieces of any size', () => {
    const text =
      ': hello\n\nevent: a.b\nid: 1.r.0\nsource: shop\ntimestamp: 1.5\ndata: {"x":\ndata: "é"}\n\nevent: c\r\ndata: 1\r\n\r\n'
    for (let size = 1; size <= text.length; size++) {
      const frames: unknown[] = []
      const read = eventReader((frame) => frames.push(frame))
      for (let at = 0; at < text.length; at += size) read(text.slice(at, at + size))
      expect(frames, `in pieces of ${size}`).to.deep.equal([
        { type: 'a.b', id: '1.r.0', data: { x: 'é' }, source: 'shop', timestamp: 1.5 },
        { type: 'c', id: '', data: 1 },
      ])
    }
  })

  it('repeats a publish under one key until it is answered, and never what was refused [P3]', async () => {
    const keys: unknown[] = []
    const answers = [503, 429, 202, 400]
    const server = createHttpServer((request, response) => {
      keys.push(request.headers['idempotency-key'])
      const status = answers[keys.length - 1] ?? 500
      const body = status === 202 ? { id: 'm', result: {} } : { error: { code: 'x.y', message: 'No' } }
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const target = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 't' }
    expect(await publish('a/b c', {}, target)).to.deep.equal({ id: 'm', result: {} })
    expect(new Set(keys).size).to.equal(1)
    const refused = (await publish('a', {}, target).catch((error: unknown) => error)) as CarillonError
    expect([refused.status, refused.code]).to.deep.equal([400, 'x.y'])
    expect(keys).to.have.length(4)
    expect(keys[3]).to.not.equal(keys[0])
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('gives up a publish that is called off', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const calledOff = new AbortController()
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const pending = publish('a', {}, { url, signal: calledOff.signal })
    calledOff.abort(new Error('called off'))
    const error = await pending.catch((reason: unknown) => reason)
    expect((error as Error).message).to.equal('called off')
    await new Promise((resolve) => server.close(resolve))
  })
})
