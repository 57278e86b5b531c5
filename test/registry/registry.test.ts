import { expect } from 'chai'
import { createRegistry, recordKind, type Registered } from '../../src/registry/registry.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { DEFAULT_TENANT } from '../support/fake-directory.ts'
import { memoryRecords } from '../support/memory-records.ts'

interface Device {
  readonly token: string
}
const DEVICE = recordKind<Device>('device')
const at = (key: string, owner = 'anna') => ({ tenant: DEFAULT_TENANT, owner, key })

describe('The registry', () => {
  const opened = () => {
    const records = memoryRecords()
    return { records, registry: createRegistry(records, fakeClock()) }
  }

  it('reads what was put, after its commit, and what a start finds', async () => {
    const { records, registry } = opened()
    const putting = registry.put(DEVICE, at('a'), { token: 't' })
    expect(registry.get(DEVICE, at('a'))).to.equal(undefined)
    const put = await putting
    expect(put).to.deep.include({ key: 'a', doc: { token: 't' }, version: 1 })
    expect(registry.get(DEVICE, at('a'))).to.equal(put)
    const next = createRegistry(records, fakeClock())
    await next.catchUp()
    expect(next.list(DEVICE, DEFAULT_TENANT, 'anna')).to.deep.equal([put])
  })

  it('lists one owner’s in the order in which they were made, as the same array until one changes', async () => {
    const { registry } = opened()
    for (const key of ['b', 'a']) await registry.put(DEVICE, at(key), { token: key })
    await registry.put(DEVICE, at('c', 'bob'), { token: 'c' })
    const list = () => registry.list(DEVICE, DEFAULT_TENANT, 'anna')
    const before = list()
    expect(before.map(({ key }) => key)).to.deep.equal(['b', 'a'])
    expect(list()).to.equal(before)
    await registry.put(DEVICE, at('b'), { token: 'new' })
    expect(list().map(({ doc }) => doc.token)).to.deep.equal(['new', 'a'])
    expect([...registry.all(DEVICE)].map(({ key }) => key)).to.deep.equal(['b', 'a', 'c'])
    expect(registry.list(DEVICE, DEFAULT_TENANT, 'cem')).to.deep.equal([])
  })

  it('compares before it sets, and says so when it is too late', async () => {
    const { registry } = opened()
    await registry.put(DEVICE, at('a'), { token: 't' }, 0)
    const late = await registry.put(DEVICE, at('a'), { token: 'u' }, 0).then(
      () => null,
      (error: { code?: string }) => error.code,
    )
    expect(late).to.equal('record.stale')
    expect(registry.get(DEVICE, at('a'))?.doc).to.deep.equal({ token: 't' })
    await registry.put(DEVICE, at('a'), { token: 'u' }, 1)
    expect(registry.get(DEVICE, at('a'))?.doc).to.deep.equal({ token: 'u' })
  })

  it('removes once', async () => {
    const { registry } = opened()
    await registry.put(DEVICE, at('a'), { token: 't' })
    expect(await registry.remove(DEVICE, at('a'))).to.equal(true)
    expect(await registry.remove(DEVICE, at('a'))).to.equal(false)
    expect(registry.get(DEVICE, at('a'))).to.equal(undefined)
  })

  it('learns what others wrote to the same store, and nothing twice', async () => {
    const { records, registry } = opened()
    const other = createRegistry(records, fakeClock())
    const seen: (string | undefined)[] = []
    registry.watch(DEVICE, (now, before) => seen.push(`${before?.doc.token} → ${now?.doc.token}`))
    await registry.put(DEVICE, at('own'), { token: 'own' })
    await other.put(DEVICE, at('a'), { token: 'theirs' })
    await registry.catchUp()
    await registry.catchUp()
    await other.remove(DEVICE, at('a'))
    await registry.catchUp()
    await registry.remove(DEVICE, at('own'))
    await registry.catchUp()
    expect(seen).to.deep.equal([
      'undefined → own',
      'undefined → theirs',
      'theirs → undefined',
      'own → undefined',
    ])
  })

  it('tells a watcher of what is there already', async () => {
    const { registry } = opened()
    await registry.put(DEVICE, at('a'), { token: 't' })
    const seen: (Registered<Device> | undefined)[] = []
    registry.watch(DEVICE, (now) => seen.push(now))
    expect(seen.map((each) => each?.key)).to.deep.equal(['a'])
  })
})
