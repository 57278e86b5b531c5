import { expect } from 'chai'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { emailChannel } from '../../src/delivery/channels/email.ts'
import { attemptsOver } from '../support/attempts.ts'
import { mailServer } from '../support/mail-server.ts'

const SECOND = 1000
const HOUR = 60 * 60 * SECOND

const open: (() => Promise<unknown>)[] = []

function attemptsAt(url: string, stuck: (made: number) => boolean = () => false) {
  const channel = emailChannel({ smtpUrl: url, from: 'Alerts <alerts@example.org>' })
  const attempts = attemptsOver(channel, { stuck })
  open.push(() => attempts.close())
  return attempts
}

async function refusing(refuse: (address: string, attempt: number) => number | null) {
  const server = await mailServer(refuse)
  open.push(() => server.close())
  return { server, attempts: attemptsAt(server.url) }
}

/** Three quarters of 1 s, doubled with every attempt, at most 30 s (promise P7). */
function instants(count: number, takes = 0): number[] {
  const at = [0]
  while (at.length < count)
    at.push(at.at(-1)! + takes + 0.75 * Math.min(30 * SECOND, SECOND * 2 ** (at.length - 1)))
  return at
}

describe('A mail server in trouble (P7, P8)', () => {
  afterEach(async () => {
    for (const close of open.splice(0).toReversed()) await close()
  })

  for (const code of [421, 450, 452])
    it(`that answers ${code} seven times is asked again at the instants of the promise, and gets one mail under its key`, async () => {
      const { server, attempts } = await refusing((_to, attempt) => (attempt <= 7 ? code : null))
      const id = attempts.send()
      await attempts.pass(HOUR, () => attempts.delivery(id).state === 'sent')
      expect(attempts.made.map(({ at }) => at)).to.deep.equal(instants(8))
      expect(new Set(attempts.made.map(({ key }) => key))).to.deep.equal(new Set([id]))
      expect(server.taken.map(({ raw }) => /^Message-ID: (.*?)\r?$/im.exec(raw)?.[1])).to.deep.equal([
        `<${id}@example.org>`,
      ])
    })

  for (const code of [550, 552, 554])
    it(`that answers ${code} is not asked again`, async () => {
      const { attempts } = await refusing(() => code)
      const id = attempts.send()
      await attempts.pass(2 * HOUR)
      expect(attempts.made).to.have.length(1)
      expect(attempts.delivery(id)).to.include({ state: 'dead', reason: `smtp_${code}` })
    })

  it('that refuses one mailbox for now holds back no other', async () => {
    const { attempts } = await refusing((to) => (to === 'full@example.org' ? 452 : null))
    for (let count = 0; count < 10; count++) attempts.send({ address: 'full@example.org' })
    await attempts.pass(SECOND / 2)
    const other = attempts.send()
    await attempts.pass(1)
    expect(attempts.delivery(other).state).to.equal('sent')
  })

  it('that is not there keeps a critical mail for an hour, and then it is dead', async () => {
    const { server, attempts } = await refusing(() => null)
    await server.close()
    const id = attempts.send()
    await attempts.pass(2 * HOUR)
    expect(attempts.made.map(({ at }) => at)).to.deep.equal(instants(200).filter((at) => at <= HOUR))
    expect(attempts.delivery(id)).to.include({ state: 'dead', reason: 'budget_exhausted' })
  })

  it('that says nothing is given up after 10 s, and asked again', async () => {
    const sockets = new Set<Socket>()
    const server: Server = createServer((socket) => void sockets.add(socket))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    open.push(async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    const { port } = server.address() as AddressInfo
    const attempts = attemptsAt(`smtp://127.0.0.1:${port}`, (made) => sockets.size >= made)
    const id = attempts.send()
    await attempts.pass(HOUR, () => attempts.made.length >= 5)
    const gaps = attempts.made.slice(1).map(({ at }, index) => at - attempts.made[index]!.at)
    for (const [index, gap] of gaps.entries())
      expect(gap - 750 * 2 ** index).to.be.within(10 * SECOND, 11 * SECOND)
    expect(attempts.delivery(id).state).to.be.oneOf(['pending', 'sending'])
  })
})
