import { expect } from 'chai'
import { harness, type Harness } from '../support/harness.ts'
import { providerServer, type Given, type ProviderServer } from '../support/provider-server.ts'

const MINUTE = 60_000
const WELL: Given = { status: 200 }
const DOWN: Given = { status: 503 }
const REFUSES: Given = { status: 401 }

describe('The alarm about SMS providers that may stand in for each other (P7, P24)', () => {
  let servers: readonly ProviderServer[]
  let bell: Harness
  let count = 0

  /** Two providers, `main` before `spare`, each for numbers that begin like this. */
  const start = async (main: readonly string[], spare: readonly string[]) => {
    servers = await Promise.all([providerServer(), providerServer()])
    answer(WELL, WELL)
    const provider = (name: string, index: number, countries: readonly string[]) => ({
      name,
      provider: 'http',
      url: `${servers[index]?.url}/sms`,
      countries,
    })
    const person = (phone: string) => ({ name: phone, groups: ['all'], phone })
    bell = await harness({
      config: {
        users: { dora: person('+4915112345678'), emil: person('+12025550123') },
        channels: {
          sms: { mode: 'live', providers: [provider('main', 0, main), provider('spare', 1, spare)] },
        },
        throttle: { sms: [[1000, '15m']] },
        teams: {
          platform: {
            alert_types: ['system_failure'],
            escalation: { steps: [{ notify: ['group:all'], wait: '300h' }] },
          },
        },
      },
    })
  }
  const answer = (...given: readonly Given[]) =>
    servers.forEach((server, index) => (server.answer = () => given[index] ?? WELL))
  /** Pages both people every 20 seconds. */
  const pages = async (minutes: number) => {
    for (let left = minutes * 3; left > 0; left--) {
      await bell.raise('alerts/critical/system_failure', { dedup_key: `k${count++}` })
      await bell.pass(MINUTE / 3)
    }
  }
  /** Every alarm that there has been, by its cause; in the order in which they began. */
  const alarms = async (which: 'open' | 'all' = 'all') => {
    const all = await bell.app.engine.store.alerts({
      tenant: bell.app.engine.directory.principal('anna')!.tenant,
      limit: 1000,
    })
    return all.items
      .filter(
        ({ type, status }) => type.startsWith('carillon_') && (which === 'all' || status !== 'resolved'),
      )
      .toSorted((one, other) => one.createdAt - other.createdAt)
  }
  const causes = async (which?: 'open' | 'all') =>
    (await alarms(which)).map(({ dedupKey }) => dedupKey.replace(/^carillon:provider_/, ''))

  afterEach(async () => {
    await bell.close()
    await Promise.all(servers.map((server) => server.close()))
  })

  it('is one for a provider that serves its numbers alone, and ends with it', async () => {
    await start(['+49'], ['+1'])
    answer(DOWN, WELL)
    await pages(4)
    expect(await causes()).to.deep.equal(['failing:sms:main'])
    answer(WELL, WELL)
    await pages(3)
    expect(await causes('open')).to.deep.equal([])
  })

  it('is one for a provider that serves some numbers alone and has a stand-in for others', async () => {
    await start([], ['+49'])
    answer(DOWN, WELL)
    await pages(4)
    expect(await causes()).to.deep.equal(['failing:sms:main'])
    answer(WELL, WELL)
    await pages(3)
    expect(await causes()).to.deep.equal(['failing:sms:main'])
    expect(await causes('open')).to.deep.equal([])
  })

  it('is one for a dead provider whose stand-in sends, and says that it does', async () => {
    await start([], [])
    answer(DOWN, WELL)
    await pages(4)
    expect(await causes()).to.deep.equal(['failing:sms:main'])
    expect((await alarms())[0]?.message).to.equal(
      'sms:main has been failing for a while: another provider stands in',
    )
    answer(WELL, WELL)
    await pages(3)
    expect(await causes('open')).to.deep.equal([])
  })

  for (const [title, given, cause] of [
    ['are dead', DOWN, 'failing:sms:main+spare'],
    ['refuse us', REFUSES, 'refused:sms:main+spare'],
  ] as const)
    it(`is one that names both when both ${title}, and ends with the first that is well`, async () => {
      await start([], [])
      answer(given, given)
      await pages(4)
      expect(await causes()).to.deep.equal([cause])
      expect((await alarms())[0]).to.deep.include({ affectedSystems: ['sms:main+spare'] })
      answer(WELL, given)
      await pages(3)
      expect(await causes()).to.deep.equal([cause])
      expect(await causes('open')).to.deep.equal([])
    })

  it('gives way to one about the provider that is still dead when its stand-in is back', async () => {
    await start([], [])
    answer(DOWN, DOWN)
    await pages(4)
    answer(DOWN, WELL)
    await pages(3)
    expect(await causes()).to.deep.equal(['failing:sms:main+spare', 'failing:sms:main'])
    expect(await causes('open')).to.deep.equal(['failing:sms:main'])
  })

  it('tells at once of one that refuses us while its stand-in asks for patience', async () => {
    await start([], [])
    answer(REFUSES, { status: 429, headers: { 'retry-after': '600' } })
    await pages(1)
    expect(await causes()).to.deep.equal(['refused:sms:main'])
  })

  it('is a second one when the stand-in dies later, for then nothing gets through', async () => {
    await start([], [])
    answer(DOWN, WELL)
    await pages(3)
    expect(await causes()).to.deep.equal(['failing:sms:main'])
    answer(DOWN, DOWN)
    await pages(4)
    expect(await causes('open')).to.deep.equal(['failing:sms:main', 'failing:sms:main+spare'])
    answer(WELL, WELL)
    await pages(3)
    expect(await causes('open')).to.deep.equal([])
  })
})
