import { expect } from 'chai'
import { harness, type Harness, type HarnessOptions } from '../support/harness.ts'
import { HttpApi, type Answer, type Refused } from '../support/http-api.ts'

interface Row {
  readonly channel: string
  readonly address: string
  readonly purpose: string
  readonly state: string
  readonly reason: string | null
  readonly error: string | null
  readonly provider_id: string | null
  readonly attempts: number
}
type Tried = Answer<{ items: readonly Row[] } & Refused>

describe('A test message', function () {
  this.timeout(30_000)
  let program: Harness
  afterEach(() => program.close())

  const login = (user: string) =>
    HttpApi.login(() => ({ url: program.app.httpUrl }), user, `${user}-password`)
  const run = async (options: HarnessOptions = {}) => {
    program = await harness(options)
  }
  const test = async (as: HttpApi, user: string, body: object = {}): Promise<Tried> =>
    as.post(`/v1/users/${user}/test-send`, body)
  const codeOf = ({ status, body }: Tried) => [status, body.error?.code]

  it('goes to every address of a person, for themselves, in quiet hours too, and its row is the answer (contract section 9, pain P15)', async () => {
    await run({
      config: {
        users: {
          bob: {
            name: 'Bob',
            password: 'bob-password',
            email: 'bob@example.org',
            phone: '+4915112345672',
            quiet_hours: { from: '00:00', to: '23:59' },
          },
        },
      },
    })
    const { status, body } = await test(await login('bob'), 'me')
    expect(status).to.equal(200)
    expect(body.items.map(({ channel, state, purpose }) => `${channel} ${state} ${purpose}`)).to.deep.equal([
      'email sent test',
      'sms sent test',
      'voice sent test',
    ])
    expect(body.items[1]).to.include({ provider_id: 'captured', attempts: 1 })
    expect(body.items[1]?.address).not.to.contain('15112345672')
    const [sms] = await program.phone('bob').messages('sms')
    expect(sms?.text).to.contain('test message from Carillon for Bob, sent by bob')
    expect(sms?.actions).to.deep.equal([])
  })

  it('goes to one channel or one contact for an operator, and tells what refused it after one attempt', async () => {
    await run({ failing: ['sms'] })
    const anna = await login('anna')
    const refused = await test(anna, 'bob', { channel: 'sms' })
    expect(refused.body.items).to.have.length(1)
    expect(refused.body.items[0]).to.include({ channel: 'sms', state: 'dead', attempts: 1 })
    expect(refused.body.items[0]?.error ?? '').not.to.equal('')
    const mail = await test(anna, 'bob', { contact: 'file-email' })
    expect(mail.body.items.map(({ channel, state }) => [channel, state])).to.deep.equal([['email', 'sent']])
    expect(codeOf(await test(anna, 'bob', { contact: 'nothing' }))).to.deep.equal([404, 'request.not_found'])
    expect(codeOf(await test(anna, 'dora'))).to.deep.equal([409, 'contact.unreachable'])
  })

  it('is nobody else’s to send, and there is no telling whom there is', async () => {
    await run()
    const bob = await login('bob')
    expect(codeOf(await test(bob, 'anna'))).to.deep.equal([404, 'request.not_found'])
    expect(codeOf(await test(bob, 'nobody'))).to.deep.equal([404, 'request.not_found'])
    expect(await program.phone('anna').messages()).to.deep.equal([])
  })

  it('can be sent five times in 15 minutes, over a restart, and takes nothing from the budget of messages', async () => {
    await run()
    const send = async () => test(await login('bob'), 'me', { channel: 'sms' })
    for (let count = 0; count < 5; count++) expect((await send()).status).to.equal(200)
    await program.restart()
    const refused = await send()
    expect(codeOf(refused)).to.deep.equal([429, 'contact.too_many_tests'])
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 900)
    await program.raise('alerts/warning/temp_high', { source: 'a' })
    for (const source of ['b', 'c'])
      await program.raise('alerts/critical/system_failure', { source, message: 'Down' })
    const states = (await program.phone('bob').messages('sms')).filter(({ text }) => text.includes('Down'))
    expect(states).to.have.length(2)
    await program.pass(15 * 60_000)
    expect((await send()).status).to.equal(200)
  })
})
