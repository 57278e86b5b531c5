import { expect } from 'chai'
import { DEFAULT_TENANT } from '../../src/access/principal.ts'
import type { DeadLetter } from '../../src/store/store.ts'
import { harness, type Harness } from '../support/harness.ts'

const TOPIC = 'notifications/realtime/user/nora'
const NORA = { users: { nora: { name: 'Nora', password: 'nora-password' } } }
const HOUR = 60 * 60_000

/** Fails as long as nobody is called Nora. */
const RULES = [
  { id: 'meter', topic: 'plain/meter', notify: { user: 'nora', title: 'Meter', message: 'Look' } },
]

describe('the replay of a dead letter', () => {
  let program: Harness
  afterEach(() => program.close())

  const letters = async () => {
    const { items } = await program.app.engine.store.deadLetters(DEFAULT_TENANT, { limit: 99 })
    return items
  }
  const only = async (): Promise<DeadLetter> => {
    const [letter, ...others] = await letters()
    expect(others).to.deep.equal([])
    return letter!
  }
  const replay = (id: string) => {
    const console = program.app.engine.directory.principal('console')!
    return program.app.engine.replayDeadLetter(console, id)
  }

  for (const named of [true, false]) {
    it(`that fails again keeps one letter ${named ? 'with' : 'without'} an id, with the newest error, and counts (P10)`, async () => {
      program = await harness()
      await program.publish(TOPIC, { message: 'for nobody', ...(named && { id: 'late-1' }) })
      const first = await only()
      expect(first).to.include({ code: 'publish.unknown_user', replays: 0 })
      await program.pass(HOUR)
      for (const replays of [1, 2]) {
        const outcome = await replay(first.id)
        expect(outcome).to.include({ kind: 'dead', id: first.id })
        expect(await only()).to.include({
          id: first.id,
          createdAt: first.createdAt,
          code: 'publish.unknown_user',
          replays,
        })
      }
      expect((await program.app.engine.store.conservation()).broken).to.equal(0)
    })
  }

  it('that fails for another reason keeps the newest one (P10)', async () => {
    program = await harness()
    await program.publish(TOPIC, { message: 'for nobody' })
    const { id } = await only()
    program.reconfigure({ filter: { block: [{ from: 'dev*', reason: 'Too noisy' }] } })
    expect(await replay(id)).to.include({ kind: 'dead', id, code: 'publish.blocked' })
    expect(await only()).to.include({ id, code: 'publish.blocked', reason: 'Too noisy', replays: 1 })
  })

  it('that is refused stays as it was, and is gone once it is taken (P10)', async () => {
    program = await harness()
    await program.publish('notifications/realtime/group/nobodies', { message: 'Hi' })
    const { id, code } = await only()
    program.reconfigure({ clients: { device: { token: 'device-token', publish: ['plain/#'] } } })
    expect((await replay(id)).kind).to.equal('refused')
    expect(await only()).to.include({ code, replays: 0 })
    program.reconfigure({ users: { eve: { password: 'eve-password', groups: ['nobodies'] } } })
    expect((await replay(id)).kind).to.equal('stored')
    expect(await letters()).to.deep.equal([])
  })

  it('keeps the one letter of a rule that fails again, and removes it once the rule works (P10)', async () => {
    program = await harness({ config: { rules: RULES } })
    await program.publish('plain/meter', '12')
    const first = await only()
    expect(first).to.include({ code: 'publish.unknown_user', replays: 0 })
    for (const replays of [1, 2]) {
      await replay(first.id)
      expect(await only()).to.include({ id: first.id, replays })
    }
    program.reconfigure({ ...NORA, rules: RULES })
    await replay(first.id)
    expect(await letters()).to.deep.equal([])
    expect(await program.inbox('nora')).to.have.length(1)
  })
})
