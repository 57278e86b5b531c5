import { expect } from 'chai'
import { outcomeTargets, recordTold, wasTold } from '../../../src/alert/outcome/told.ts'
import { anAlert } from '../an-alert.ts'

describe('who was told of an alert', () => {
  it('is kept with their channels, each once, in the same version', () => {
    const once = recordTold(anAlert(), [{ userId: 'anna', channels: ['realtime', 'sms'] }])
    const twice = recordTold(once, [
      { userId: 'anna', channels: ['sms', 'voice'] },
      { userId: 'bob', channels: ['email'] },
    ])
    expect(twice.told).to.deep.equal({ anna: ['realtime', 'sms', 'voice'], bob: ['email'] })
    expect(twice.version).to.equal(anAlert().version)
  })

  it('is asked by name, also when the name is that of a property of every object', () => {
    const alert = recordTold(anAlert(), [{ userId: '__proto__', channels: ['sms'] }])
    expect(wasTold(alert, '__proto__')).to.equal(true)
    expect(wasTold(alert, 'constructor')).to.equal(false)
    expect(outcomeTargets(alert, 'anna')).to.deep.equal([{ userId: '__proto__', channels: ['sms'] }])
  })
})

describe('who hears how an alert ended (E16)', () => {
  const alert = anAlert({
    told: { anna: ['realtime', 'sms', 'voice'], bob: ['email', 'push'], carla: ['voice'] },
  })

  it('is everybody who was told, on their channels, without a voice call and without the one who caused it', () => {
    expect(outcomeTargets(alert, 'bob')).to.deep.equal([{ userId: 'anna', channels: ['realtime', 'sms'] }])
    expect(outcomeTargets(alert, 'carillon')).to.deep.equal([
      { userId: 'anna', channels: ['realtime', 'sms'] },
      { userId: 'bob', channels: ['email', 'push'] },
    ])
  })

  it('is not told on a channel whose page never reached them', () => {
    const reached = (_userId: string, channel: string) => channel === 'push'
    expect(outcomeTargets(alert, 'anna', reached)).to.deep.equal([{ userId: 'bob', channels: ['push'] }])
  })
})
