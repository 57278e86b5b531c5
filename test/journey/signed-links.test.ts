import { expect } from 'chai'
import { request } from 'undici'
import { eventually } from '../support/eventually.ts'
import { harness, type Harness } from '../support/harness.ts'
import { mailServer, type MailServer } from '../support/mail-server.ts'

const HOUR = 60 * 60_000

describe('The link in a page (contract section 6, security row 24)', function () {
  this.timeout(30_000)
  let h: Harness
  let mails: MailServer

  beforeEach(async () => {
    mails = await mailServer()
    h = await harness({
      config: {
        channels: { email: { mode: 'live', smtp_url: mails.url, from: 'alerts@example.org' } },
        users: {
          bob: {
            name: 'Bob K.',
            password: 'bob-password',
            email: 'bob@example.org',
            phone: '+4915112345672',
            locale: 'de',
            timezone: 'Europe/Berlin',
          },
        },
      },
    })
  })

  afterEach(async () => {
    await h.close()
    await mails.close()
  })

  const linksIn = async (to: string) => {
    const mail = await eventually(`a mail to ${to}`, () => mails.taken.find((each) => each.to === to))
    const text = mail.raw.replaceAll('=\r\n', '').replaceAll('=3D', '=')
    return [...new Set(text.match(/https?:\/\/[^\s"<>]+/g) ?? [])]
  }
  const linkOf = async (to: string) => {
    const link = (await linksIn(to)).find((url) => url.includes('/a/'))
    if (link === undefined) throw new Error(`the mail to ${to} has no link to act`)
    return link
  }
  const get = (url: string, method = 'GET', headers: Readonly<Record<string, string>> = {}) =>
    fetch(url, { method, headers, redirect: 'manual' })
  const press = (url: string, action: string) =>
    fetch(url, { method: 'POST', body: new URLSearchParams({ action }) })
  const acknowledgements = async (id: string) =>
    (await h.timeline(id)).filter(({ kind }) => kind === 'acknowledged')

  it('changes nothing however often it is fetched, with whatever method that is no POST (P24 of beyond)', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const before = await h.alert(id)
    for (const to of ['bob@example.org', 'anna@example.org']) {
      for (const url of await linksIn(to)) {
        for (const method of ['GET', 'HEAD', 'OPTIONS', 'GET']) {
          const prefetching = { 'sec-purpose': 'prefetch', 'user-agent': 'HeadlessChrome' }
          expect((await get(url, method, prefetching)).status, `${method} ${url}`).to.be.lessThan(500)
        }
        for (const method of ['PUT', 'PATCH', 'DELETE']) await get(url, method)
        // What an HTML page makes a browser load by itself.
        const html = await (await get(url)).text()
        for (const [, loaded] of html.matchAll(/(?:src|href)="([^"]+)"/g))
          await get(new URL(loaded ?? '', url).href)
      }
    }
    await h.quiet()
    expect(await h.alert(id)).to.deep.equal(before)
  })

  it('shows the alert and a button for each action, without scripts, kept nowhere and led on to nowhere', async () => {
    await h.raise('alerts/critical/system_failure', {
      message: '<script>alert(1)</script>',
      source: 'db "1"',
    })
    const answer = await get(await linkOf('bob@example.org'))
    expect(answer.status).to.equal(200)
    expect(answer.headers.get('cache-control')).to.equal('no-store')
    expect(answer.headers.get('referrer-policy')).to.equal('no-referrer')
    expect(answer.headers.get('x-robots-tag')).to.include('noindex')
    expect(answer.headers.get('content-security-policy')).to.match(
      /^default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'/,
    )
    const html = await answer.text()
    expect(html).to.include('<html lang="de">').and.include('Bestätigen').and.include('system_failure')
    expect(html)
      .to.include('&lt;script&gt;')
      .and.not.match(/<script|javascript:|http-equiv/i)
    const values = [...html.matchAll(/<form method="post"><button[^>]* name="action" value="([a-z]+)"/g)]
    expect(values.map(([, value]) => value)).to.deep.equal(['ack', 'escalate', 'snooze', 'resolve'])
    const style = await get(`${h.app.httpUrl}/web/link.css`)
    expect(await style.text()).to.include('min-height: 48px')
    expect(await (await get(await linkOf('anna@example.org'))).text()).to.include('<html lang="en">')
  })

  it('acknowledges in the name of its recipient when the button is pressed, after which no page comes (P15)', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const answer = await press(await linkOf('bob@example.org'), 'ack')
    expect([answer.status, await answer.text()].join())
      .to.include('200')
      .and.include('bestätigt')
    expect(await h.alert(id)).to.include({
      status: 'acknowledged',
      acknowledgedBy: 'bob',
      acknowledgedVia: 'link',
    })
    await h.pass(HOUR)
    expect(await h.phone('cem').messages()).to.deep.equal([])
  })

  it('says who was faster, and when, instead of failing, and acts once per button (P16)', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const bob = await linkOf('bob@example.org')
    await press(await linkOf('anna@example.org'), 'ack')
    const second = await press(bob, 'ack')
    expect(second.status).to.equal(200)
    expect(await second.text()).to.include('Schon bestätigt von Anna um ')
    expect((await h.alert(id)).acknowledgedBy).to.equal('anna')
    expect(await acknowledgements(id)).to.have.length(1)
  })

  it('does nothing when a press is sent again after the alert was opened anew', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const bob = await linkOf('bob@example.org')
    await press(bob, 'ack')
    await h.accepted(`alerts/${id}/unack`, {}, { as: 'anna' })
    await h.quiet()
    const again = await press(bob, 'ack')
    expect([again.status, await again.text()].join())
      .to.include('200')
      .and.include('Schon bestätigt von Bob K. um ')
    expect((await h.alert(id)).status).to.equal('firing')
    // Another button of the same link has not been pressed yet.
    expect((await press(bob, 'resolve')).status).to.equal(200)
    expect(await h.alert(id)).to.include({ status: 'resolved' })
  })

  it('escalates, snoozes for an hour and resolves', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const bob = await linkOf('bob@example.org')
    await press(bob, 'escalate')
    expect(await h.alert(id)).to.include({ status: 'firing', step: 2 })
    await press(bob, 'snooze')
    expect(await h.alert(id)).to.include({ status: 'snoozed', nextStepAt: h.now + HOUR })
    await press(bob, 'resolve')
    expect(await h.alert(id)).to.include({ status: 'resolved' })
    const over = await get(bob)
    expect([over.status, await over.text()].join())
      .to.include('200')
      .and.include('ist vorbei')
      .and.not.include('<form')
    const late = await press(bob, 'ack')
    expect([late.status, await late.text()].join())
      .to.include('409')
      .and.include('ist vorbei')
    const by = (await h.timeline(id))
      .filter(({ via }) => via === 'link')
      .map(({ kind, by: who }) => [kind, who])
    expect(by).to.deep.equal([
      ['escalated', 'bob'],
      ['snoozed', 'bob'],
      ['resolved', 'bob'],
    ])
  })

  it('leads to the sign-in when it was tampered with, or a day has passed, and acts no more', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const bob = await linkOf('bob@example.org')
    const at = bob.lastIndexOf('/') + 1
    for (let index = at; index < bob.length; index++) {
      const other = bob[index] === 'A' ? 'B' : 'A'
      const tampered = bob.slice(0, index) + other + bob.slice(index + 1)
      expect((await press(tampered, 'ack')).status, String(index - at)).to.equal(404)
    }
    const unknown = await get(`${bob.slice(0, at)}nothing`)
    expect([unknown.status, await unknown.text()].join())
      .to.include('404')
      .and.include('href="/"')
    await h.pass(24 * HOUR)
    for (const late of [await get(bob), await press(bob, 'ack')]) {
      expect(late.status).to.equal(410)
      expect(await late.text()).to.include(`href="/alerts/${id}"`)
    }
    expect(await acknowledgements(id)).to.deep.equal([])
  })

  it('acts for its own recipient only, whoever is signed in beside it', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const link = await linkOf('anna@example.org')
    const { statusCode } = await request(link, {
      method: 'POST',
      headers: { authorization: 'Bearer console-token', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'action=ack&user=cem',
    })
    expect(statusCode).to.equal(200)
    expect((await h.alert(id)).acknowledgedBy).to.equal('anna')
    const odd = await press(link, 'reassign')
    expect(odd.status).to.equal(400)
  })

  it('outlives a restart', async () => {
    const id = await h.raise('alerts/critical/system_failure')
    const bob = new URL(await linkOf('bob@example.org'))
    await h.restart()
    expect((await press(`${h.app.httpUrl}${bob.pathname}`, 'ack')).status).to.equal(200)
    expect((await h.alert(id)).acknowledgedBy).to.equal('bob')
  })
})
