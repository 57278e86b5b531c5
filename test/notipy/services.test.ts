import { expect } from 'chai'
import { createServices } from '../../src/notipy/services.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { memoryRecords } from '../support/memory-records.ts'

describe('The services of the NotiPy API', () => {
  it('never bring one back that ended while it asked for another token (N13)', async () => {
    const services = createServices(createRegistry(memoryRecords(), fakeClock()))
    const { id, token } = await services.register('owner-1')
    const service = services.find(id, token)
    if (!service) throw new Error('not registered')
    const ending = services.revoke(service)
    const rotated = await services.rotate(service).then(
      (credentials) => credentials,
      () => null,
    )
    await ending
    expect(rotated === null ? null : services.find(id, rotated.token)).to.equal(null)
    const refused = await services.rotate(service).catch((error: unknown) => error)
    expect(refused).to.include({ code: 'notipy.unknown_service' })
  })
})
