import { expect } from 'chai'
import { createAttachments } from '../../../src/delivery/outgoing/attachments.ts'
import { createOutgoing, type Resolve } from '../../../src/delivery/outgoing/outgoing.ts'
import { hostileUrls } from '../../support/hostile-urls.ts'
import { httpEndpoint, type HttpEndpoint } from '../../support/http-endpoint.ts'

const KILOBYTE = 1024

describe('files that go with a mail', () => {
  let host: HttpEndpoint
  afterEach(() => host.close())

  const attachments = (maxBytes = 64 * KILOBYTE, allow: readonly string[] = ['127.0.0.1']) =>
    createAttachments({
      outgoing: createOutgoing({ allow, setting: 'channels.email.attachments.allow' }),
      maxBytes,
    })
  const fetchAll = (paths: readonly string[], maxBytes?: number) =>
    attachments(maxBytes).fetch(
      paths.map((path) => `${host.url}${path}`),
      new AbortController().signal,
    )
  const answering = (status: number, headers: Record<string, string> = {}, body: string | Buffer = 'x') =>
    httpEndpoint((_request, response) => response.writeHead(status, headers).end(body))

  it('come byte by byte, in the order of their URLs, with type and name (N08)', async () => {
    const bytes = Buffer.from(Array.from({ length: 30_000 }, (_, index) => (index * 7) % 256))
    host = await httpEndpoint(({ path }, response) => {
      if (path === '/b.bin') return void response.writeHead(200, { 'content-type': 'nonsense' }).end(bytes)
      response.setHeader('content-type', 'text/csv; charset="UTF-8"; header=present')
      response.setHeader('content-disposition', 'attachment; filename="list.csv"')
      response.end('a;b')
    })
    expect(await fetchAll(['/a', '/b.bin'])).to.deep.equal([
      { filename: 'list.csv', content: Buffer.from('a;b'), contentType: 'text/csv; charset=utf-8' },
      { filename: 'b.bin', content: bytes, contentType: 'application/octet-stream' },
    ])
    expect(host.received[0]?.headers).to.include({ 'accept-encoding': 'identity', 'user-agent': 'Carillon' })
  })

  const ends: readonly [status: number, headers: Record<string, string>, code: string, retry: boolean][] = [
    [404, {}, 'attachment_not_found', false],
    [410, {}, 'attachment_not_found', false],
    [401, {}, 'attachment_refused', false],
    [403, {}, 'attachment_refused', false],
    [302, { location: 'http://127.0.0.1:1/' }, 'attachment_refused', false],
    [429, {}, 'attachment_unavailable', true],
    [408, {}, 'attachment_unavailable', true],
    [500, {}, 'attachment_unavailable', true],
    [503, {}, 'attachment_unavailable', true],
    [200, { 'content-encoding': 'gzip' }, 'attachment_bad_type', false],
    [200, { 'content-type': 'multipart/mixed; boundary=x' }, 'attachment_bad_type', false],
    [200, { 'content-type': 'message/rfc822' }, 'attachment_bad_type', false],
    [200, { 'content-length': '99' }, 'attachment_unavailable', true],
  ]
  for (const [status, headers, code, retry] of ends) {
    it(`${retry ? 'are tried again' : 'are given up'} at ${status} ${JSON.stringify(headers)}, without a word on the mail server or the URL (N08, P7)`, async () => {
      host =
        headers['content-length'] === undefined
          ? await answering(status, headers)
          : await httpEndpoint((_request, response) => {
              response.writeHead(status, headers).write('x', () => response.destroy())
            })
      const result = await fetchAll(['/secret-path?sig=secret'])
      expect(result).to.include({ ok: false, code, retry, blameless: true })
      expect(JSON.stringify(result)).not.to.match(/secret|127\.0\.0\.1/)
    })
  }

  it('are given up when one is over the limit, or all together are, without reading an endless one (N08)', async () => {
    let sent = 0
    host = await httpEndpoint(({ path }, response) => {
      if (path !== '/endless') return void response.end(Buffer.alloc(3 * KILOBYTE))
      const more = () => {
        while (response.write(Buffer.alloc(16 * KILOBYTE))) sent += 16 * KILOBYTE
        response.once('drain', more)
      }
      more()
    })
    const tooLarge = { ok: false, retry: false, code: 'attachment_too_large', blameless: true }
    expect(await fetchAll(['/a', '/b'], 6 * KILOBYTE)).to.have.length(2)
    expect(await fetchAll(['/a', '/b'], 6 * KILOBYTE - 1)).to.include(tooLarge)
    expect(await fetchAll(['/a'], 3 * KILOBYTE - 1)).to.include(tooLarge)
    expect(await fetchAll(['/endless'], 100 * KILOBYTE)).to.include(tooLarge)
    expect(sent).to.be.below(20_000_000)
  })

  it('never come from this machine or its network, however its address is written: 0 hits (security row 22)', async () => {
    host = await httpEndpoint()
    const home: Resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }])
    const outgoing = createOutgoing({ allow: [], resolve: home, setting: 'channels.email.attachments.allow' })
    const guarded = createAttachments({ outgoing, maxBytes: KILOBYTE })
    const urls = hostileUrls(host.port)
    expect(urls.length).to.be.above(30)
    for (const url of urls) {
      const result = await guarded.fetch([url], new AbortController().signal)
      expect(result, url).to.include({ ok: false, retry: false, code: 'attachment_blocked', blameless: true })
      expect(JSON.stringify(result)).not.to.include('channels.webhook')
    }
    expect(host.received).to.deep.equal([])
  })

  it('never come from where a redirect points (security row 22)', async () => {
    host = await httpEndpoint()
    const redirecting = await answering(302, { location: host.url })
    const result = await attachments().fetch([redirecting.url], new AbortController().signal)
    expect(result).to.include({ code: 'attachment_refused', retry: false })
    expect(host.received).to.deep.equal([])
    await redirecting.close()
  })

  it('are waited for until the attempt is given up, and tried again then', async () => {
    const abort = new AbortController()
    host = await httpEndpoint(() => abort.abort())
    expect(await attachments().fetch([host.url], abort.signal)).to.include({
      code: 'attachment_unavailable',
      retry: true,
      blameless: true,
    })
  })

  it('are not waited for any more once one has failed for good', async () => {
    host = await httpEndpoint(({ path }, response) => {
      if (path === '/gone') response.writeHead(404).end()
    })
    expect(await fetchAll(['/silent', '/gone'])).to.include({ code: 'attachment_not_found', retry: false })
  })
})
