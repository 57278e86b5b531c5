import { expect } from 'chai'
import { formatFault } from '../../src/config/fault.ts'
import { loadConfig } from '../../src/config/load.ts'
import { printConfig } from '../../src/config/shown/print.ts'

function load(url: string, redisUrl: string, env: Readonly<Record<string, string>> = {}) {
  const text = `storage: ${JSON.stringify({ driver: 'mongo', url, redis_url: redisUrl })}`
  return loadConfig({ text, env, flags: {} })
}

const LOCAL = ['mongodb://127.0.0.1:27017', 'redis://localhost:6379'] as const

describe('the servers that a store is kept on', () => {
  for (const [url, redisUrl] of [
    LOCAL,
    ['mongodb://[::1]:27017,localhost/carillon?replicaSet=rs', 'rediss://127.0.0.1/2'],
    ['mongodb://%2Ftmp%2Fmongodb-27017.sock/db', 'redis://[::1]'],
    ['mongodb+srv://app:p%40ss@cluster.example.org/db?w=1', 'rediss://:secret@cache.example.org:6380/1'],
    ['mongodb://db.example.org/?tls=true&authMechanism=MONGODB-X509', 'redis://app:secret@10.0.0.3'],
  ] as const)
    it(`may be ${url} and ${redisUrl} (security row 37)`, () => {
      const loaded = load(url, redisUrl)
      expect(loaded.ok ? [] : loaded.faults.map(formatFault)).to.deep.equal([])
    })

  it('are not shown, because their addresses hold passwords', () => {
    const loaded = load('mongodb://app:geheim@db.example.org', 'redis://:geheim@cache.example.org')
    if (!loaded.ok) throw new Error('the configuration is faulty')
    const shown = printConfig(loaded.config)
    expect(shown).to.contain('driver: mongo').and.to.contain('redis_url: "********"')
    expect(shown).not.to.contain('geheim')
  })

  it('are not put in doubt by a variable that names a folder for whichever driver there is', () => {
    expect(load(...LOCAL, { CARILLON_DATA: '/data' }).ok).to.equal(true)
  })
})
