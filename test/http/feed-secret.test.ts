import { expect } from 'chai'
import { fakeClock } from '../support/fake-clock.ts'
import { httpHarness } from '../support/http-harness.ts'
import { memoryRecords } from '../support/memory-records.ts'
import { createFeeds } from '../../src/oncall/feeds.ts'
import { createRegistry } from '../../src/registry/registry.ts'
import type { DutyBook } from '../../src/oncall/duty-book.ts'

describe('the secret address of a calendar', () => {
  it('stands in no line of the log, neither when it opens a feed nor when it does not (security 26)', async () => {
    const feeds = createFeeds(createRegistry(memoryRecords(), fakeClock()))
    // Nothing here changes a schedule.
    const http = await httpHarness({ options: { duty: { book: {} as DutyBook, feeds } } })
    const anna = http.engine.directory.user('anna')
    if (!anna) throw new Error('there is no anna')
    const secret = await feeds.create(anna, 'platform')
    for (const [path, status] of [
      [secret, 200],
      ['guessed', 404],
    ] as const) {
      const answer = await http.app.inject({ method: 'GET', url: `/ical/${path}.ics` })
      expect(answer.statusCode).to.equal(status)
    }
    const said = JSON.stringify(http.engine.lines)
    expect(said).to.include('/ical/:secret.ics')
    expect(said).to.not.include(secret)
    expect(said).to.not.include('guessed')
    await http.close()
  })
})
