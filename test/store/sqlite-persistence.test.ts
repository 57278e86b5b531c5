import { sessionSuite } from '../support/session-suite.ts'
import { temporaryStore, type TemporaryStore } from './temporary-store.ts'

describe('the persistence of MQTT sessions in the embedded store (aedes-persistence, abstract.js)', () => {
  let opened: TemporaryStore

  beforeEach(async () => {
    opened = await temporaryStore()
  })
  afterEach(() => opened.end())

  sessionSuite(async () => opened.store.sessions)
})
