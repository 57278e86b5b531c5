import type { mongo } from 'mongoose'
import type { Collections } from './collections.ts'

/** Looked for by every claim; only what has work is in it. */
const DUE = {
  key: { 'work.lane': 1, 'work.rank': -1, 'work.dueAt': 1, 'work.order': 1 },
  sparse: true,
} as const
/** What a crash may have left behind. */
const PENDING = { key: { 'pending.since': 1 }, sparse: true } as const

/** The indexes of every collection: nothing is asked for without one. */
export const INDEXES: Readonly<Partial<Record<keyof Collections, readonly mongo.IndexDescription[]>>> = {
  journal: [PENDING, { key: { preparedAt: 1 }, sparse: true }, { key: { expiresAt: 1 }, sparse: true }],
  alerts: [
    DUE,
    PENDING,
    { key: { openKey: 1 }, unique: true },
    { key: { tenant: 1, order: -1, _id: -1 } },
    { key: { tenant: 1, status: 1, order: -1, _id: -1 } },
    { key: { createdAt: 1, order: 1, _id: 1 }, partialFilterExpression: { open: true }, name: 'open' },
    {
      key: { nextStepAt: 1, status: 1, severity: 1, ended: 1 },
      partialFilterExpression: { open: true },
      name: 'open_timer',
    },
    // Empty, unless something is wrong.
    {
      key: { status: 1, nextStepAt: 1 },
      partialFilterExpression: { open: false, nextStepAt: { $gte: 0 } },
      name: 'closed_timer',
    },
  ],
  timeline: [
    { key: { tenant: 1, alertId: 1, version: 1, place: 1 } },
    {
      key: { tenant: 1, ref: 1, order: -1 },
      partialFilterExpression: { ref: { $exists: true } },
      name: 'ref',
    },
  ],
  notifications: [
    // Personal entries in the order of an inbox, by state; broadcasts have no user and state 0.
    { key: { tenant: 1, userId: 1, state: 1, seq: 1 } },
  ],
  reading: [{ key: { tenant: 1, userId: 1, seq: 1 } }],
  deliveries: [
    DUE,
    PENDING,
    // Reports of connected devices name the subject alone.
    { key: { subjectId: 1, tenant: 1, ordinal: 1 } },
    { key: { tenant: 1, createdAt: -1, subjectId: -1, ordinal: -1 } },
    { key: { tenant: 1, userId: 1, createdAt: -1, subjectId: -1, ordinal: -1 } },
    { key: { tenant: 1, state: 1, createdAt: -1, subjectId: -1, ordinal: -1 } },
    {
      key: { digestId: 1, tenant: 1, createdAt: -1, subjectId: -1, ordinal: -1 },
      partialFilterExpression: { digestId: { $exists: true } },
      name: 'digest',
    },
    // Whether what moves has work, and nothing else does.
    { key: { state: 1, channel: 1, 'work.leased': 1 } },
  ],
  digests: [
    DUE,
    PENDING,
    { key: { openKey: 1 }, unique: true },
    { key: { closedAt: 1 } },
    { key: { 'holding.since': 1 }, sparse: true },
  ],
  releases: [DUE, { key: { endedAt: 1 }, sparse: true }],
  dead_letters: [{ key: { tenant: 1, order: -1, _id: -1 } }, { key: { createdAt: 1 } }],
  dispatches: [
    { key: { tenant: 1, owner: 1, topic: 1, order: -1 } },
    { key: { tenant: 1, owner: 1, order: -1 } },
  ],
  nodes: [{ key: { beatAt: 1 } }, { key: { highWaterAt: -1 } }],
  outbox: [{ key: { tenant: 1, order: 1, _id: 1 } }, { key: { createdAt: 1 } }],
}
