import { expect } from 'chai'
import { createPresence } from '../../src/live/presence.ts'
import { SESSION_LIFE_MS, SessionBook } from '../../src/live/session-book.ts'
import { fakeClock } from '../support/fake-clock.ts'

const HOUR = 3_600_000

function presence() {
  const clock = fakeClock()
  const heard: string[] = []
  let made = 0
  const subject = createPresence({
    clock,
    ids: { next: () => `s${(made += 1)}` },
    changed: (userId, online) => heard.push(`${userId} ${online ? 'came' : 'went'}`),
  })
  const tell = (
    verb: 'connect' | 'disconnect' | 'heartbeat',
    userId: string,
    sessionId: string | null = null,
    deviceInfo: Record<string, unknown> = {},
  ) => subject.apply({ kind: 'presence', verb, userId, sessionId, deviceInfo })
  return { clock, heard, subject, tell }
}

describe('presence', () => {
  it('answers a connect with its session, made up where none is named (R26)', () => {
    const { clock, subject, tell } = presence()
    expect(tell('connect', 'anna', 'phone', { os: 'ios' })).to.deep.equal({
      status: 'connected',
      session_id: 'phone',
    })
    expect(tell('connect', 'anna')).to.deep.equal({ status: 'connected', session_id: 's1' })
    expect(subject.sessions('anna')[0]).to.deep.equal({
      userId: 'anna',
      sessionId: 'phone',
      deviceInfo: { os: 'ios' },
      connectedAt: clock.now(),
      lastHeartbeatAt: clock.now(),
    })
  })

  it('keeps a person online until the last of their sessions is gone (R27)', () => {
    const { heard, subject, tell } = presence()
    tell('connect', 'anna', 'phone')
    tell('connect', 'anna', 'desk')
    expect(tell('disconnect', 'anna', 'phone')).to.deep.equal({ status: 'disconnected' })
    expect(subject.online('anna')).to.equal(true)
    tell('disconnect', 'anna', 'desk')
    tell('disconnect', 'anna', 'desk')
    expect(subject.online('anna')).to.equal(false)
    expect(subject.users()).to.deep.equal([])
    expect(heard).to.deep.equal(['anna came', 'anna went'])
  })

  it('takes a disconnect without an id for the only session there is, and for none of several', () => {
    const { subject, tell } = presence()
    tell('connect', 'anna', 'phone')
    tell('connect', 'anna', 'desk')
    tell('disconnect', 'anna')
    expect(subject.sessions('anna')).to.have.length(2)
    tell('disconnect', 'anna', 'desk')
    tell('disconnect', 'anna')
    expect(subject.online('anna')).to.equal(false)
  })

  it('lives on beyond the hour while heartbeats come, and ends an hour after the last (R38, fault 4)', async () => {
    const { clock, heard, subject, tell } = presence()
    tell('connect', 'anna', 'phone')
    for (let hours = 0; hours < 5; hours += 1) {
      await clock.pass(HOUR - 1)
      expect(tell('heartbeat', 'anna', 'phone')).to.deep.equal({
        status: 'alive',
        session_id: 'phone',
        expires_in: 3600,
      })
    }
    await clock.pass(HOUR - 1)
    expect(subject.online('anna')).to.equal(true)
    await clock.pass(1)
    expect(subject.online('anna')).to.equal(false)
    expect(heard).to.deep.equal(['anna came', 'anna went'])
    expect(clock.waiting).to.deep.equal([])
  })

  it('prolongs every session of a person whose heartbeat names none', async () => {
    const { clock, subject, tell } = presence()
    tell('connect', 'anna', 'phone')
    tell('connect', 'anna', 'desk')
    await clock.pass(HOUR - 1)
    tell('heartbeat', 'anna')
    await clock.pass(HOUR - 1)
    expect(subject.sessions('anna').map((session) => session.sessionId)).to.deep.equal(['phone', 'desk'])
  })

  it('opens the session of a heartbeat that comes after a restart', () => {
    const { heard, subject, tell } = presence()
    expect(tell('heartbeat', 'anna', 'phone')).to.include({ status: 'alive', session_id: 'phone' })
    expect(subject.online('anna')).to.equal(true)
    expect(heard).to.deep.equal(['anna came'])
  })

  it('holds one timer for everybody', () => {
    const { clock, subject, tell } = presence()
    for (let count = 0; count < 500; count += 1) tell('connect', `user${count}`)
    expect(clock.waiting).to.have.length(1)
    subject.close()
    expect(clock.waiting).to.deep.equal([])
  })

  it('ends the session that was silent longest beyond twenty, and keeps no oversized description', () => {
    const { subject, tell } = presence()
    for (let count = 0; count < 20; count += 1) tell('connect', 'anna', `s${count}`)
    tell('heartbeat', 'anna', 's0')
    tell('connect', 'anna', 'late', { os: 'x'.repeat(5000) })
    const open = subject.sessions('anna')
    expect(open).to.have.length(20)
    expect(open.map((session) => session.sessionId))
      .to.include.members(['s0', 'late'])
      .and.not.include('s1')
    expect(open.at(-1)?.deviceInfo).to.deep.equal({})
  })

  it('does not mix up the sessions of two people who use the same id', () => {
    const { subject, tell } = presence()
    tell('connect', 'anna', 'phone')
    tell('connect', 'bob', 'phone')
    tell('disconnect', 'anna', 'phone')
    expect(subject.users()).to.deep.equal(['bob'])
  })
})

describe('the book of sessions', () => {
  it('ends sessions in the order of their last heartbeats, exactly when their hour is over', () => {
    const book = new SessionBook()
    book.connect(0, 'anna', 'phone', {})
    book.connect(10, 'bob', 'desk', {})
    book.beat(20, 'anna', 'phone')
    expect(book.nextEndAt).to.equal(10 + SESSION_LIFE_MS)
    expect(book.expire(9 + SESSION_LIFE_MS)).to.deep.equal([])
    expect(book.expire(10 + SESSION_LIFE_MS).map((session) => session.userId)).to.deep.equal(['bob'])
    expect(book.nextEndAt).to.equal(20 + SESSION_LIFE_MS)
    expect(book.beat(30, 'bob', 'desk')).to.equal(null)
  })

  it('keeps the time of connecting when a session connects again', () => {
    const book = new SessionBook()
    book.connect(0, 'anna', 'phone', {})
    expect(book.connect(50, 'anna', 'phone', {})).to.include({ connectedAt: 0, lastHeartbeatAt: 50 })
  })
})
