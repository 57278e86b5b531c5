import { storeConformance } from '../support/store-conformance.ts'
import { temporaryStore } from './temporary-store.ts'

storeConformance('SQLite', () => temporaryStore())
