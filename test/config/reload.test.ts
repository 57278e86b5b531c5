import { expect } from 'chai'
import { loadConfig } from '../../src/config/load.ts'
import { reloadConfig } from '../../src/config/reload.ts'

const BEFORE = 'server: { http_port: 8080 }\nusers: { anna: { email: anna@example.org, password: old } }\n'

function current(text = BEFORE) {
  const loaded = loadConfig({ text, env: {}, flags: {} })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults))
  return loaded
}

const reload = (text: string) => reloadConfig(current(), { text, env: {}, flags: {} })

describe('a reload', () => {
  it('says nothing changed when nothing did', () => {
    expect(reload(BEFORE)).to.deep.include({ ok: true, changed: [], restart: [] })
  })

  it('brings new values into force and names them, without telling any', () => {
    const reloaded = reload(
      'users: { anna: { email: a@example.org, password: new }, bob: {} }\nthrottle: { sms: [[1, 1h]] }\n',
    )
    expect(reloaded.ok && reloaded.config.users['anna']?.password).to.equal('new')
    expect(reloaded).to.deep.include({
      changed: ['users.anna.email', 'users.anna.password', 'users.bob', 'throttle.sms'],
      restart: [],
    })
  })

  it('keeps ports, host and storage as they are and says that they need a restart', () => {
    const reloaded = reload(
      'server: { http_port: 9090, mqtt_port: 2883, host: "::1", log_level: debug }\nstorage: { path: /new, retention: { outbox: 1d } }\nusers: { anna: { email: anna@example.org, password: old } }\n',
    )
    if (!reloaded.ok) throw new Error('faults')
    expect(reloaded.config.server).to.deep.include({
      http_port: 8080,
      mqtt_port: 1883,
      host: '127.0.0.1',
      log_level: 'debug',
    })
    expect(reloaded.config.storage).to.deep.include({ path: './data' })
    expect(reloaded.config.storage.retention.outbox).to.equal('1d')
    expect(reloaded.restart).to.have.members([
      'server.host',
      'server.http_port',
      'server.mqtt_port',
      'storage.path',
    ])
    expect(reloaded.changed).to.include.members([
      ...reloaded.restart,
      'server.log_level',
      'storage.retention.outbox',
    ])
  })

  it('names what the program reads only at its start as needing one, and leaves it as it is', () => {
    const reloaded = reload(
      `${BEFORE}channels: { email: { from: a@example.org } }\nlimits: { connections: 5 }\nauth: { anonymous: null, jwt: { lifetime: 2h } }\n`,
    )
    if (!reloaded.ok) throw new Error(JSON.stringify(reloaded.faults))
    expect(reloaded.restart).to.have.members([
      'channels.email.from',
      'limits.connections',
      'auth.jwt.lifetime',
    ])
    const { channels, limits, auth } = current().config
    expect(reloaded.config).to.deep.include({ channels, limits })
    expect(reloaded.config.auth.jwt).to.deep.equal(auth.jwt)
  })

  it('with faults loads nothing and tells them all (P28)', () => {
    const reloaded = reload('server: { http_port: x }\nusrs: {}\n')
    expect(reloaded.ok ? [] : reloaded.faults.map(({ path }) => path)).to.deep.equal([
      'server.http_port',
      'usrs',
    ])
  })

  it('of a demo that still has no file keeps its credentials', () => {
    const demo = loadConfig({ env: {}, flags: { demo: true } })
    if (!demo.ok) throw new Error('faults')
    const reloaded = reloadConfig(demo, { env: {}, flags: { demo: true } })
    expect(reloaded.ok && reloaded.config).to.equal(demo.config)
  })
})
