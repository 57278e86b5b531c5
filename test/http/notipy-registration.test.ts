import { expect } from 'chai'
import { isRegistrationOpen } from '../../src/http/families/notipy/calling-service.ts'
import { serviceAccountJson } from '../support/fcm-server.ts'
import { loadConfig } from '../../src/config/load.ts'

function openWith(text: string): boolean {
  const loaded = loadConfig({ text, env: {}, flags: {} })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults))
  return isRegistrationOpen(loaded.config)
}

describe('registering over the NotiPy API', () => {
  const smtp = 'smtp_url: smtp://localhost'
  const settings: readonly (readonly [text: string, open: boolean])[] = [
    ['{}', true],
    ['server: { host: localhost }', true],
    ['server: { host: "::1" }', true],
    ['server: { host: 0.0.0.0 }', false],
    ['server: { host: bell.example.org }', false],
    [`channels: { email: { mode: live, ${smtp} } }`, false],
    [`channels: { email: { mode: both, ${smtp} } }`, false],
    ['channels: { sms: { mode: live, provider: http, url: "https://sms.example.org" } }', false],
    ['channels: { email: { mode: live, provider: mailgun, domain: mg.example.org, api_key: k } }', false],
    [`channels: { push: { mode: live, service_account: ${JSON.stringify(serviceAccountJson())} } }`, false],
    ['notipy: { open_registration: false }', false],
    ['{ notipy: { open_registration: true }, server: { host: 0.0.0.0 } }', true],
  ]
  for (const [text, open] of settings) {
    it(`is ${open ? 'open to anybody' : 'for operators'} with ${text.slice(0, 80)} (N04)`, () => {
      expect(openWith(text)).to.equal(open)
    })
  }
})
