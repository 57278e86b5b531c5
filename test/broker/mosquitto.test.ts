import { expect } from 'chai'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connectClient, eventually, startBroker, type TestBroker } from './harness.ts'

const BINARY = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(
  existsSync,
)

/** A free port, given back before it is used: mosquitto cannot be told to take any. */
const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

describe('a mosquitto beside the broker', () => {
  let t: TestBroker
  let folder: string
  let bridge: ChildProcess | null = null

  before(function () {
    if (BINARY !== undefined) return
    if (process.env['REQUIRE_MOSQUITTO'] === '1')
      throw new Error('REQUIRE_MOSQUITTO is set and mosquitto is not installed')
    console.log('    SKIPPED: mosquitto is not installed (apt install mosquitto mosquitto-clients)')
    this.skip()
  })
  beforeEach(async () => {
    t = await startBroker()
    folder = await mkdtemp(join(tmpdir(), 'carillon-bridge-'))
  })
  afterEach(async () => {
    bridge?.kill('SIGKILL')
    bridge = null
    await t.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('bridges with its default settings, both ways, and its notifications are acknowledged and discarded', async () => {
    const port = await freePort()
    await writeFile(
      join(folder, 'mosquitto.conf'),
      `listener ${port} 127.0.0.1
allow_anonymous true
persistence false
connection carillon
address 127.0.0.1:${t.port}
remote_username plant
remote_password good
topic plant/# out 1
topic commands/# in 1
`,
    )
    bridge = spawn(BINARY ?? '', ['-c', join(folder, 'mosquitto.conf')], { stdio: 'ignore' })
    await eventually(() => t.broker.wanted('commands/x'))
    const machine = await connectClient(`mqtt://127.0.0.1:${port}`, { username: 'machine' })
    await machine.mqtt.subscribeAsync('commands/#', { qos: 1 })
    await machine.mqtt.publishAsync('plant/1/alarm', 'hot', { qos: 1 })
    await eventually(() => t.door.received.some(({ topic }) => topic === 'plant/1/alarm'))
    t.broker.publish('commands/1', 'cool', { qos: 1 })
    await machine.got(1)
    expect(machine.texts()).to.deep.equal(['cool'])
    machine.mqtt.end(true)
    expect(t.door.received.map(({ topic, qos }) => [topic, qos])).to.deep.equal([['plant/1/alarm', 1]])
    expect(t.log.filter(({ level }) => level >= 40)).to.deep.equal([])
    bridge.kill('SIGKILL')
    await eventually(() => t.broker.connections === 0)
    expect(t.door.received, 'its will neither').to.have.length(1)
  })

  it('offers clients that publish and subscribe here', async function () {
    if (!existsSync('/usr/bin/mosquitto_pub')) this.skip()
    const run = promisify(execFile)
    const login = ['-h', '127.0.0.1', '-p', String(t.port), '-u', 'dev', '-P', 'good']
    const heard = run('mosquitto_sub', [...login, '-t', 'x/#', '-q', '1', '-C', '2'])
    await eventually(() => t.broker.wanted('x/1'))
    await run('mosquitto_pub', [...login, '-t', 'x/1', '-m', 'one', '-q', '0'])
    await run('mosquitto_pub', [...login, '-t', 'x/1', '-m', 'two', '-q', '2'])
    expect((await heard).stdout).to.equal('one\ntwo\n')
    const denied = await run('mosquitto_pub', [...login, '-t', 'x', '-m', 'y', '-V', 'mqttv5']).catch(
      (error: unknown) => error,
    )
    expect(denied).to.have.property('code').above(0)
  })
})
