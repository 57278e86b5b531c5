import { expect } from 'chai'
import { SlidingWindow } from '../../src/router/sliding-window.ts'
import { seededRandom } from '../support/seeded-random.ts'

const limit = { maxRequests: 1000, windowMs: 60_000 }

describe('sliding window', () => {
  it('lets exactly 1000 of 5000 through within 60 s, however they are spread (R40, fault 11)', () => {
    for (const everyMs of [0, 1, 11.9]) {
      const window = new SlidingWindow()
      let admitted = 0
      for (let index = 0; index < 5000; index += 1) {
        if (window.take('a', limit, 1_000_000 + Math.floor(index * everyMs))) admitted += 1
      }
      expect(admitted, `every ${everyMs} ms`).to.equal(1000)
    }
  })

  it('frees a place exactly one window after it was taken', () => {
    const window = new SlidingWindow()
    const small = { maxRequests: 2, windowMs: 1000 }
    expect([0, 400, 401, 999, 1000, 1001, 1399, 1400].map((at) => window.take('a', small, at))).to.deep.equal(
      [true, true, false, false, true, false, false, true],
    )
  })

  it('says how many are left and when the next one is free, behind those who wait', () => {
    const window = new SlidingWindow()
    const small = { maxRequests: 3, windowMs: 1000 }
    expect(window.standing('a', small, 0)).to.deep.equal({ remaining: 3, freeAt: 0 })
    for (const at of [0, 100, 200]) window.take('a', small, at)
    const freeAt = (waiting: number) => window.standing('a', small, 500, waiting)
    expect(freeAt(0)).to.deep.equal({ remaining: 0, freeAt: 1000 })
    expect(freeAt(1)).to.deep.equal({ remaining: 0, freeAt: 1100 })
    expect(freeAt(2)).to.deep.equal({ remaining: 0, freeAt: 1200 })
    expect(freeAt(3)).to.deep.equal({ remaining: 0, freeAt: 2000 })
    expect(freeAt(7)).to.deep.equal({ remaining: 0, freeAt: 3100 })
    expect(window.standing('a', small, 1100)).to.deep.equal({ remaining: 2, freeAt: 1100 })
  })

  it('keeps keys apart and follows a limit that changes', () => {
    const window = new SlidingWindow()
    const two = { maxRequests: 2, windowMs: 1000 }
    for (let index = 0; index < 2; index += 1) window.take('a', two, 0)
    expect(window.take('a', two, 0)).to.equal(false)
    expect(window.take('b', two, 0)).to.equal(true)
    expect(window.take('a', { ...two, maxRequests: 3 }, 0)).to.equal(true)
    expect(window.standing('a', { ...two, maxRequests: 1 }, 0)).to.deep.equal({ remaining: 0, freeAt: 1000 })
  })

  it('forgets the least recently used key beyond its bound, and every window that has run out (security 27)', () => {
    const window = new SlidingWindow({ maxKeys: 3 })
    const one = { maxRequests: 1, windowMs: 1000 }
    for (const key of ['a', 'b', 'c']) window.take(key, one, 0)
    window.take('a', one, 1)
    window.take('d', one, 2)
    expect(window.size).to.equal(3)
    expect(window.take('a', one, 3), 'a was used after b').to.equal(false)
    expect(window.take('b', one, 3), 'b is forgotten').to.equal(true)
    for (let index = 0; index < 1000; index += 1) window.take(`k${index}`, one, 10_000 + index * 1000)
    expect(window.size).to.be.at.most(2)
  })

  it('also forgets a key that somebody only asked about after its window had run out', () => {
    const window = new SlidingWindow()
    window.take('asked', limit, 0)
    window.standing('asked', limit, 100_000)
    for (let index = 0; index < 10; index += 1) window.take(`k${index}`, limit, 200_000 + index * 100_000)
    expect(window.size, 'only the last one has a window that runs').to.equal(1)
  })

  it('never admits more than the limit in any span, and never fewer than it could, on random arrivals', () => {
    const random = seededRandom(7).next
    for (let round = 0; round < 200; round += 1) {
      const some = { maxRequests: 1 + Math.floor(random() * 40), windowMs: 1 + Math.floor(random() * 200) }
      const window = new SlidingWindow()
      const taken: number[] = []
      let now = 0
      for (let index = 0; index < 300; index += 1) {
        now += random() < 0.1 ? Math.floor(random() * 300) : Math.floor(random() * 4)
        const live = taken.filter((at) => at > now - some.windowMs).length
        const admitted = window.take('a', some, now)
        expect(admitted, `round ${round} at ${now}`).to.equal(live < some.maxRequests)
        if (admitted) taken.push(now)
      }
    }
  })
})
