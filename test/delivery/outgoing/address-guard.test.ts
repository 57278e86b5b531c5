import { expect } from 'chai'
import {
  allowanceOf,
  checkUrl,
  isPublicAddress,
  mayConnect,
  parseAllowEntry,
} from '../../../src/delivery/outgoing/address-guard.ts'

describe('isPublicAddress', () => {
  const publicOnes = [
    '1.1.1.1',
    '9.9.9.9',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.0.1',
    '2606:4700::1111',
    '2a00:1450::1',
  ]
  const closedOnes = [
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%lo',
    'fec0::1',
    'ff02::1',
    'localhost',
    '',
  ]
  for (const address of publicOnes)
    it(`takes ${address}`, () => expect(isPublicAddress(address)).to.equal(true))
  for (const address of closedOnes)
    it(`refuses ${JSON.stringify(address)}`, () => expect(isPublicAddress(address)).to.equal(false))
})

describe('checkUrl', () => {
  const cases: readonly [allow: string[], url: string, verdict: string][] = [
    [[], 'https://hooks.example.org/x', 'public'],
    [[], 'https://hooks.example.org:8443/x', 'public'],
    [[], 'https://hooks.example.org:80/x', 'public'],
    [[], 'https://1.1.1.1/', 'public'],
    [[], 'http://hooks.example.org/', 'refused'],
    [[], 'http://1.1.1.1/', 'refused'],
    [[], 'https://hooks.example.org:22/', 'refused'],
    [[], 'https://[::1]/', 'refused'],
    [[], 'ftp://hooks.example.org/', 'refused'],
    [['hooks.lan'], 'http://hooks.lan:3000/', 'none'],
    [['Hooks.LAN'], 'http://hooks.lan./', 'none'],
    [['hooks.lan'], 'http://evil.hooks.lan/', 'refused'],
    [['hooks.lan'], 'http://u@hooks.lan/', 'refused'],
    [['10.0.0.0/8'], 'http://10.1.2.3:9000/', 'none'],
    [['10.0.0.0/8'], 'http://11.1.2.3:9000/', 'refused'],
    [['10.0.0.0/8'], 'http://hooks.lan/', 'allowed'],
    [['10.0.0.0/8'], 'https://hooks.lan/', 'public'],
    [['fd00::/8'], 'http://[fd00::1]/', 'none'],
    [['127.0.0.1'], 'http://0x7f.1/', 'none'],
  ]
  for (const [allow, url, verdict] of cases) {
    it(`says ${verdict} to ${url} where [${allow.join()}] is allowed`, () => {
      const said = checkUrl(new URL(url), allowanceOf(allow))
      expect(said.ok ? said.demand : 'refused').to.equal(verdict)
    })
  }
})

describe('mayConnect', () => {
  const allowance = allowanceOf(['10.0.0.0/8'])
  const cases = [
    ['10.0.0.1', 'public', true],
    ['10.0.0.1', 'allowed', true],
    ['1.1.1.1', 'public', true],
    ['1.1.1.1', 'allowed', false],
    ['192.168.0.1', 'public', false],
    ['192.168.0.1', 'none', true],
    ['nonsense', 'none', false],
  ] as const
  for (const [address, demand, may] of cases) {
    it(`says ${may} to ${address} when ${demand} is asked`, () =>
      expect(mayConnect(address, demand, allowance)).to.equal(may))
  }
})

describe('parseAllowEntry', () => {
  for (const entry of [
    '',
    ' ',
    'https://x',
    'a b',
    '10.0.0.0/33',
    '10.0.0.0/',
    '::1/129',
    '1/2/3',
    '127.1',
    '0x7f.1',
    '*',
    'x:80',
    'fe80::1%lo',
  ])
    it(`takes ${JSON.stringify(entry)} for nothing`, () => expect(parseAllowEntry(entry)).to.equal(null))
  it('tells hosts from addresses and networks', () => {
    expect(parseAllowEntry('Hooks.LAN')).to.deep.equal({ kind: 'host', host: 'hooks.lan' })
    expect(parseAllowEntry('127.0.0.1')).to.deep.equal({ kind: 'network', address: '127.0.0.1', prefix: 32 })
    expect(parseAllowEntry('fd00::/8')).to.deep.equal({ kind: 'network', address: 'fd00::', prefix: 8 })
  })
})
