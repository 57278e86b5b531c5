import { expect } from 'chai'
import { isPremium, parseMailbox, parsePhone } from '../../src/delivery/address.ts'

describe('parseMailbox', () => {
  const good: readonly [string, string][] = [
    ['anna@example.org', 'anna@example.org'],
    ["o'brien+ops@mail.example.co.uk", "o'brien+ops@mail.example.co.uk"],
    ['root@localhost', 'root@localhost'],
    ['Anna K. <anna@example.org>', 'anna@example.org'],
    ['"Anna, ops" <anna@example.org>', 'anna@example.org'],
    ['anna@müller.example', 'anna@xn--mller-kva.example'],
    [`${'l'.repeat(64)}@example.org`, `${'l'.repeat(64)}@example.org`],
  ]
  for (const [text, mailbox] of good) {
    it(`takes ${text.slice(0, 60)} (R24)`, () => {
      expect(parseMailbox(text)).to.equal(mailbox)
    })
  }

  const bad: readonly [string, string][] = [
    ['nothing', ''],
    ['a masked address', '[email protected]'],
    ['no domain', 'anna@'],
    ['no local part', '@example.org'],
    ['two mailboxes', 'anna@example.org,bob@example.org'],
    ['two mailboxes behind a semicolon', 'anna@example.org;bob@example.org'],
    ['two at signs', 'anna@bob@example.org'],
    ['a group', 'friends:anna@example.org;'],
    ['a comment', 'anna(hello)@example.org'],
    ['100 KB of comments', `anna${'('.repeat(50_000)}${')'.repeat(50_000)}@example.org`],
    ['an SMTP command behind a line break', 'a@b\r\nRCPT TO:<x@y.example>'],
    ['a header behind a line break in the name', 'A\r\nBcc: x@y.example <a@b.example>'],
    ['a line break at its end', 'anna@example.org\n'],
    ['a NUL', 'anna@example.org\0'],
    ['a quoted local part', '"anna b"@example.org'],
    ['an address literal', 'anna@[127.0.0.1]'],
    ['a bare IP address', 'anna@127.0.0.1'],
    ['a percent-encoded domain', 'anna@ex%61mple.org'],
    ['two dots in a row', 'anna..k@example.org'],
    ['an empty label', 'anna@example..org'],
    ['a label that begins with a dash', 'anna@-example.org'],
    ['a local part over 64 characters', `${'l'.repeat(65)}@example.org`],
    [
      'more than 254 characters',
      `anna@${'d'.repeat(60)}.${'d'.repeat(60)}.${'d'.repeat(60)}.${'d'.repeat(60)}.${'d'.repeat(20)}`,
    ],
    ['a local part beyond ASCII', 'ännä@example.org'],
  ]
  for (const [title, text] of bad) {
    it(`refuses ${title} (R24, security row 20)`, () => {
      expect(parseMailbox(text)).to.equal(null)
    })
  }
})

describe('isPremium', () => {
  const table: readonly [string, boolean][] = [
    ['+19005551234', true],
    ['+19000000000', true],
    ['+449098790000', true],
    ['+449212345678', true],
    ['+499001234567', true],
    ['+491801234567', true],
    ['+33899123456', true],
    ['+979123456789', true],
    ['+4915112345678', false],
    ['+12125550100', false],
    ['+447400123456', false],
    ['', false],
  ]
  for (const [number, premium] of table)
    it(`says ${premium} to ${number} (security row 21)`, () => expect(isPremium(number)).to.equal(premium))

  it('lets such a number be parsed where it is asked for', () => {
    expect(parsePhone('+1 900 555 1234')).to.equal(null)
    expect(parsePhone('+1 900 555 1234', { premium: true })).to.equal('+19005551234')
  })
})

describe('parsePhone', () => {
  const table: readonly [string, string, string | null][] = [
    ['takes E.164', '+4915112345678', '+4915112345678'],
    ['takes the usual separators', '+49 (151) 123-456/78', '+4915112345678'],
    ['takes a fictional number', '+1 212 555 0100', '+12125550100'],
    ['refuses a number without its country', '015112345678', null],
    ['refuses a premium number', '+49 900 1234567', null],
    ['refuses a number that is too long', '+49151123456781234567', null],
    ['refuses a number that is too short', '+4915', null],
    ['refuses an extension', '+4915112345678;ext=5', null],
    ['refuses a line break with a second number', '+4915112345678\n+4915112345679', null],
    ['refuses letters', '+1800FLOWERS', null],
    ['refuses nothing', '', null],
  ]
  for (const [title, text, number] of table) {
    it(`${title} (R25, security row 21)`, () => {
      expect(parsePhone(text)).to.equal(number)
    })
  }
})
