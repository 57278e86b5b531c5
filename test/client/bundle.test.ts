import { expect } from 'chai'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

interface Bundle {
  /** What a page loads at first, minified. */
  readonly first: string
  /** What is fetched later, if ever. */
  readonly later: string
}

/** Each import as a page would write it, with what must be in the bundle, what must not, and how large it may be. */
const CASES: readonly {
  readonly title: string
  readonly code: string
  readonly has: readonly string[]
  readonly hasNot: readonly string[]
  readonly gzipBytes: number
}[] = [
  {
    title: 'the error alone',
    code: `import { CarillonError } from 'carillon/client'; globalThis.x = CarillonError`,
    has: ['CarillonError'],
    hasNot: ['/v1/', 'fetch', 'BroadcastChannel', 'WebSocket'],
    gzipBytes: 300,
  },
  {
    title: 'publish, without the other three',
    code: `import { publish } from 'carillon/client/node'; globalThis.x = publish`,
    has: ['/v1/publish/'],
    hasNot: ['/admins/notify', '/events/emit', '/api/v1/notifications', 'WebSocket'],
    gzipBytes: 1300,
  },
  {
    title: 'emitEvent, without the other three',
    code: `import { emitEvent } from 'carillon/client/node'; globalThis.x = emitEvent`,
    has: ['/api/v1/events/emit'],
    hasNot: ['/v1/publish/', '/admins/notify', '/api/v1/notifications'],
    gzipBytes: 1300,
  },
  {
    title: 'the client, without what servers use, and with MQTT apart',
    code: `import { createClient } from 'carillon/client'; globalThis.x = createClient`,
    has: ['/ws?', '/v1/events/poll', '/v1/login'],
    hasNot: [
      '/admins/notify',
      '/events/emit',
      'CARILLON_TOKEN',
      '/mqtt',
      'notificationclick',
      'bellAnimating',
    ],
    gzipBytes: 6500,
  },
  {
    title: 'the event stream for Vue, without the notification centre',
    code: `import { useEventStream } from 'carillon/client/vue'; globalThis.x = useEventStream`,
    has: ['/ws?'],
    hasNot: ['bellAnimating', 'showCallNotifier', 'call.incoming'],
    gzipBytes: 6700,
  },
  {
    title: 'the worker for push messages, which is imported for what it does',
    code: `import 'carillon/client/push-worker'`,
    has: ['notificationclick', 'showNotification'],
    hasNot: ['/v1/', 'WebSocket'],
    gzipBytes: 600,
  },
]

describe('The client library in a bundle', function () {
  this.timeout(60_000)
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'carillon-bundle-'))
    // As it is installed where no peer is.
    const installed = join(folder, 'node_modules', 'carillon')
    cpSync(join(ROOT, 'dist', 'client'), join(installed, 'dist', 'client'), { recursive: true })
    cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const bundle = async (code: string): Promise<Bundle> => {
    writeFileSync(join(folder, 'page.js'), code)
    const built = await build({
      root: folder,
      logLevel: 'silent',
      configFile: false,
      publicDir: false,
      build: {
        write: false,
        modulePreload: false,
        rollupOptions: { input: join(folder, 'page.js'), external: ['vue'] },
      },
    })
    // One input and no watching: one output.
    const { output } = built as Exclude<typeof built, readonly unknown[] | { close(): unknown }>
    const chunks = output.filter((file) => file.type === 'chunk')
    const entry = chunks.find(({ isEntry }) => isEntry)
    if (!entry) throw new Error('nothing was built')
    const reached = new Set([entry.fileName])
    for (const name of reached)
      for (const next of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) reached.add(next)
    const textOf = (wanted: boolean) =>
      chunks
        .filter(({ fileName }) => reached.has(fileName) === wanted)
        .map((chunk) => chunk.code)
        .join('\n')
    return { first: textOf(true), later: textOf(false) }
  }

  for (const { title, code, has, hasNot, gzipBytes } of CASES)
    it(`is ${title}, in at most ${gzipBytes} bytes`, async () => {
      const { first } = await bundle(code)
      const size = gzipSync(first).length
      console.log(`      ${size} bytes (gzip), ${first.length} before`)
      for (const text of has) expect(first).to.contain(text)
      for (const text of hasNot) expect(first).to.not.contain(text)
      expect(size).to.be.at.most(gzipBytes)
    })

  it('fetches MQTT and its package only when they are used, and is built where the package is not installed', async () => {
    const code = `import { createClient } from 'carillon/client'; createClient({ transport: 'mqtt' })`
    const without = await bundle(code)
    expect(without.later).to.contain('/mqtt')
    symlinkSync(join(ROOT, 'node_modules', 'mqtt'), join(folder, 'node_modules', 'mqtt'))
    const beside = await bundle(code)
    expect(beside.later.length).to.be.greaterThan(without.later.length + 100_000)
    expect(beside.later).to.contain('CONNACK')
    expect(beside.first.length).to.be.lessThan(without.first.length + 500)
  })
})
