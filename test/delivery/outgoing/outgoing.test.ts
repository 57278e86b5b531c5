import { expect } from 'chai'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { allowanceOf } from '../../../src/delivery/outgoing/address-guard.ts'
import { createOutgoing, guardedLookup, type Resolve } from '../../../src/delivery/outgoing/outgoing.ts'
import { hostileUrls } from '../../support/hostile-urls.ts'
import { httpEndpoint, type HttpEndpoint } from '../../support/http-endpoint.ts'

const LOCAL = { address: '127.0.0.1', family: 4 }
const PUBLIC = { address: '1.1.1.1', family: 4 }

const request = (url: string, signal = new AbortController().signal) => ({
  url,
  headers: { 'content-type': 'application/json' },
  body: '{"a":1}',
  signal,
  waitMs: 10_000,
})

describe('an outgoing request', () => {
  let canary: HttpEndpoint
  afterEach(() => canary.close())

  it('never reaches this machine, however its address is written or resolved (security row 22)', async () => {
    canary = await httpEndpoint()
    // Every name leads home.
    const outgoing = createOutgoing({ allow: [], resolve: () => Promise.resolve([LOCAL]) })
    for (const url of hostileUrls(canary.port)) {
      expect((await outgoing.post(request(url))).kind, url).to.equal('refused')
    }
    // With networks allowed names are resolved even over http; they still have to lead there.
    const lenient = createOutgoing({ allow: ['192.0.2.0/24'], resolve: () => Promise.resolve([LOCAL]) })
    for (const url of hostileUrls(canary.port)) {
      expect((await lenient.post(request(url))).kind, url).to.equal('refused')
    }
    expect(canary.received).to.deep.equal([])
  })

  it('reaches it when the operator allows the host, the address or the network', async () => {
    canary = await httpEndpoint()
    for (const allow of ['127.0.0.1', '127.0.0.0/8', 'hooks.lan']) {
      const outgoing = createOutgoing({ allow: [allow], resolve: () => Promise.resolve([LOCAL]) })
      const answer = await outgoing.post(request(`http://hooks.lan:${canary.port}/x?y=1`))
      expect(answer).to.deep.equal({ kind: 'answer', status: 200, retryAfter: null, body: 'ok' })
    }
    expect(canary.received.map(({ method, path, body }) => [method, path, body])).to.deep.equal(
      Array.from({ length: 3 }, () => ['POST', '/x?y=1', '{"a":1}']),
    )
  })

  it('goes to the address that was checked: nothing is resolved twice (DNS rebinding)', async () => {
    canary = await httpEndpoint()
    let asked = 0
    // The first answer passes; whoever asks again is led elsewhere.
    const rebinding: Resolve = () =>
      Promise.resolve([asked++ === 0 ? LOCAL : { address: '10.255.255.1', family: 4 }])
    const outgoing = createOutgoing({ allow: ['127.0.0.1'], resolve: rebinding })
    expect(await outgoing.post(request(`http://hooks.lan:${canary.port}/`))).to.have.property('status', 200)
    expect(asked).to.equal(1)
    expect((await outgoing.post(request(`http://hooks.lan:${canary.port}/`))).kind).to.equal('refused')
    expect(canary.received).to.have.length(1)
  })

  it('gives a socket public addresses only, each time anew, and none of a mixed answer', async () => {
    canary = await httpEndpoint()
    const answers = [[PUBLIC], [LOCAL], [PUBLIC, LOCAL], []]
    const lookup = guardedLookup({
      demand: 'public',
      allowance: allowanceOf([]),
      resolve: () => Promise.resolve(answers.shift() ?? []),
    })
    const ask = () =>
      new Promise((resolve) =>
        lookup('hooks.example.org', { all: true }, (error, addresses) => resolve(error?.code ?? addresses)),
      )
    expect(await ask()).to.deep.equal([PUBLIC])
    expect(await ask()).to.equal('ENOTALLOWED')
    expect(await ask()).to.equal('ENOTALLOWED')
    expect(await ask()).to.equal('ENOTFOUND')
  })

  it('speaks nothing but TLS over https, and says nothing before the other side has proved who it is', async () => {
    canary = await httpEndpoint()
    const outgoing = createOutgoing({ allow: ['hooks.lan'], resolve: () => Promise.resolve([LOCAL]) })
    const answer = await outgoing.post(request(`https://hooks.lan:${canary.port}/`))
    expect(answer).to.include({ kind: 'failed', written: false })
    expect(canary.received).to.deep.equal([])
  })

  it('follows no redirect', async () => {
    canary = await httpEndpoint()
    const redirecting = await httpEndpoint((_request, response) => {
      response.writeHead(307, { location: canary.url }).end()
    })
    const outgoing = createOutgoing({ allow: ['127.0.0.1'] })
    expect(await outgoing.post(request(redirecting.url))).to.have.property('status', 307)
    expect(canary.received).to.deep.equal([])
    await redirecting.close()
  })

  it('reads 64 KB of an endless answer', async () => {
    canary = await httpEndpoint((_request, response) => {
      const more = () => {
        while (response.write('x'.repeat(16_384)));
        response.once('drain', more)
      }
      more()
    })
    const answer = await createOutgoing({ allow: ['127.0.0.1'] }).post(request(canary.url))
    expect(answer.kind === 'answer' && answer.body.length).to.equal(64 * 1024)
  })

  it('is given up at its signal, and then may have arrived (P9)', async () => {
    const abort = new AbortController()
    canary = await httpEndpoint(() => abort.abort())
    const answer = await createOutgoing({ allow: ['127.0.0.1'] }).post(request(canary.url, abort.signal))
    expect(answer).to.deep.equal({ kind: 'failed', code: 'AbortError', written: true })
  })

  it('has certainly not arrived where nobody listens', async () => {
    canary = await httpEndpoint()
    const free = createServer()
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
    const { port } = free.address() as AddressInfo
    await new Promise((resolve) => free.close(resolve))
    const answer = await createOutgoing({ allow: ['127.0.0.1'] }).post(request(`http://127.0.0.1:${port}/`))
    expect(answer).to.deep.equal({ kind: 'failed', code: 'ECONNREFUSED', written: false })
  })

  it('may have arrived when the connection is cut before the answer (P9)', async () => {
    canary = await httpEndpoint((_request, response) => void response.socket?.destroy())
    const answer = await createOutgoing({ allow: ['127.0.0.1'] }).post(request(canary.url))
    expect(answer).to.include({ kind: 'failed', written: true })
  })
})
