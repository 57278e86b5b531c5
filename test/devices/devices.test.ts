import { expect } from 'chai'
import { deviceAddress, deviceId, type PushTarget } from '../../src/devices/device.ts'
import { createDevices, MOST_DEVICES, type Devices } from '../../src/devices/devices.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import type { Directory, Person } from '../../src/directory/directory.ts'
import { fakeClock, turn, type FakeClock } from '../support/fake-clock.ts'
import { DEFAULT_TENANT, fakeDirectory, person } from '../support/fake-directory.ts'
import { memoryRecords } from '../support/memory-records.ts'
import { silentLog } from '../support/silent-log.ts'

const phone = (token: string): PushTarget => ({ channel: 'push', token })
const ANNA = { tenant: DEFAULT_TENANT, userId: 'anna' }
const BOB = { tenant: DEFAULT_TENANT, userId: 'bob' }

describe('the devices of people', () => {
  let records: ReturnType<typeof memoryRecords>
  let clock: FakeClock
  let directory: Directory
  let devices: Devices
  const start = async () => {
    const registry = createRegistry(records, clock)
    await registry.catchUp()
    devices = createDevices({ registry, directory: () => directory, clock, log: silentLog().log })
  }
  const given = (userId: string, token: string): Partial<Person> => {
    const target = phone(token)
    const id = deviceId(userId, target)
    return { devices: [{ id, userId, platform: 'ios', name: null, target, registered: null }] }
  }
  beforeEach(async () => {
    records = memoryRecords()
    clock = fakeClock()
    directory = fakeDirectory([person('anna'), person('bob')])
    await start()
  })

  const register = (owner: typeof ANNA, token: string) =>
    devices.register(owner, { platform: 'android', name: null, target: phone(token) })
  const tokens = (userId: string) =>
    devices.of(userId).map(({ target }) => (target.channel === 'push' ? target.token : ''))

  it('are kept over a restart, and found by their id', async () => {
    const { device, created } = await register(ANNA, 'one')
    expect(created).to.equal(true)
    await start()
    expect(devices.of('anna')).to.deep.equal([device])
    expect(devices.find(device.id)).to.deep.equal(device)
    expect(devices.of('bob')).to.deep.equal([])
  })

  it('are the same when their token is registered again, at the same time too', async () => {
    const [first, second] = await Promise.all([register(ANNA, 'one'), register(ANNA, 'one')])
    await clock.pass(1000)
    const third = await register(ANNA, 'one')
    expect([first, second, third].map(({ created }) => created)).to.deep.equal([true, false, false])
    expect(new Set([first, second, third].map(({ device }) => device.id)).size).to.equal(1)
    expect(tokens('anna')).to.deep.equal(['one'])
    expect(third.device.registered?.seenAt).to.equal((first.device.registered?.seenAt ?? 0) + 1000)
  })

  it('move to whoever registers their token next, and nothing meant for the one before reaches them', async () => {
    const { device: annas } = await register(ANNA, 'one')
    const { device: bobs, created } = await register(BOB, 'one')
    expect(created).to.equal(true)
    expect([tokens('anna'), tokens('bob')]).to.deep.equal([[], ['one']])
    expect(bobs.id).to.not.equal(annas.id)
    expect(devices.find(annas.id)).to.equal(undefined)
  })

  it('have one owner, however many register them at a time', async () => {
    await Promise.all([register(ANNA, 'one'), register(BOB, 'one'), register(ANNA, 'one')])
    expect([...tokens('anna'), ...tokens('bob')]).to.deep.equal(['one'])
  })

  it('are ten at most; the one that was not seen for longest gives way (security row 23)', async () => {
    for (let count = 0; count < MOST_DEVICES; count++) {
      await register(ANNA, `t${count}`)
      await clock.pass(1)
    }
    await register(ANNA, 't0')
    await clock.pass(1)
    await register(ANNA, 'new')
    expect(tokens('anna')).to.have.length(MOST_DEVICES)
    expect(tokens('anna')).to.include.members(['t0', 'new'])
    expect(tokens('anna')).to.not.include('t1')
  })

  it('are forgotten when their push service says that they are gone, by address or by token (P7, R28)', async () => {
    const { device } = await register(ANNA, 'one')
    await register(ANNA, 'two')
    await register(BOB, 'three')
    devices.gone(deviceAddress(device))
    devices.gone('three')
    devices.gone('unheard of')
    devices.gone('topic:one')
    await turn()
    expect([tokens('anna'), tokens('bob')]).to.deep.equal([['two'], []])
    await start()
    expect([tokens('anna'), tokens('bob')]).to.deep.equal([['two'], []])
  })

  it('are removed by their owner only', async () => {
    const { device } = await register(ANNA, 'one')
    expect(await devices.remove(BOB, device.id)).to.equal(false)
    expect(await devices.remove(ANNA, device.id)).to.equal(true)
    expect(await devices.remove(ANNA, device.id)).to.equal(false)
  })

  describe('of the configuration', () => {
    beforeEach(() => void (directory = fakeDirectory([person('anna', given('anna', 'one')), person('bob')])))

    it('come first, and are found by a reload', async () => {
      await register(ANNA, 'two')
      expect(tokens('anna')).to.deep.equal(['one', 'two'])
      directory = fakeDirectory([person('anna', given('anna', 'three')), person('bob')])
      expect(tokens('anna')).to.deep.equal(['three', 'two'])
      expect(devices.find(deviceId('anna', phone('three')))?.userId).to.equal('anna')
      expect(devices.find(deviceId('anna', phone('one')))).to.equal(undefined)
    })

    it('are read-only, for their owner and for others', async () => {
      expect(await register(ANNA, 'one')).to.include({ created: false })
      expect(tokens('anna')).to.deep.equal(['one'])
      for (const attempt of [
        () => register(BOB, 'one'),
        () => devices.remove(ANNA, deviceId('anna', phone('one'))),
      ]) {
        const error = await attempt().catch((caught: unknown) => caught)
        expect(error).to.have.property('code', 'record.read_only')
      }
      expect(await devices.remove(BOB, deviceId('anna', phone('one')))).to.equal(false)
    })

    it('are not tried any more once they are gone, until the app registers again', async () => {
      devices.gone(deviceAddress({ id: deviceId('anna', phone('one')) }))
      expect(tokens('anna')).to.deep.equal([])
      expect(devices.find(deviceId('anna', phone('one')))).to.equal(undefined)
      await register(ANNA, 'one')
      expect(tokens('anna')).to.deep.equal(['one'])
    })
  })
})
