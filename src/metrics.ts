import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Every metric there is; a new one is a line here. Names follow the Prometheus conventions. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  return {
    registry,
    publishes: new Counter({
      name: 'carillon_publishes_total',
      help: 'Publishes by what became of them',
      labelNames: ['outcome'],
      registers,
    }),
    deadLetters: new Counter({
      name: 'carillon_dead_letters_total',
      help: 'Dead letters by code',
      labelNames: ['code'],
      registers,
    }),
    rules: new Counter({
      name: 'carillon_rules_total',
      help: 'What rules of the configuration did, by what became of it',
      labelNames: ['rule', 'outcome'],
      registers,
    }),
    drops: new Counter({
      name: 'carillon_drops_total',
      help: 'Publishes dropped by a middleware, by reason',
      labelNames: ['reason'],
      registers,
    }),
    refusals: new Counter({
      name: 'carillon_refusals_total',
      help: 'Refused connections, subscriptions and publishes by reason',
      labelNames: ['reason'],
      registers,
    }),
    deliveries: new Counter({
      name: 'carillon_deliveries_total',
      help: 'Delivery attempts by channel and resulting state',
      labelNames: ['channel', 'state'],
      registers,
    }),
    ambiguous: new Counter({
      name: 'carillon_ambiguous_total',
      help: 'Attempts whose effect is unknown',
      labelNames: ['channel'],
      registers,
    }),
    templateFailures: new Counter({
      name: 'carillon_template_failures_total',
      help: 'Messages sent in plain text because their template failed, by channel',
      labelNames: ['channel'],
      registers,
    }),
    paused: new Gauge({
      name: 'carillon_provider_paused',
      help: 'Whether the deliveries of a lane wait for their provider',
      labelNames: ['lane'],
      registers,
    }),
    operatorAlarms: new Gauge({
      name: 'carillon_operator_alarms',
      help: 'Troubles of the product itself that its operators were told of, by cause, while they last',
      labelNames: ['cause'],
      registers,
    }),
    conservationBroken: new Gauge({
      name: 'carillon_conservation_broken',
      help: 'Rows that break the law of conservation: anything but 0 is a defect',
      registers,
    }),
    deliveriesByState: new Gauge({
      name: 'carillon_deliveries_by_state',
      help: 'Stored deliveries by state, counted every minute',
      labelNames: ['state'],
      registers,
    }),
    workFailures: new Counter({
      name: 'carillon_work_failures_total',
      help: 'Pieces of due work that failed unexpectedly',
      labelNames: ['lane'],
      registers,
    }),
    steps: new Counter({
      name: 'carillon_escalation_steps_total',
      help: 'Escalation steps fired',
      registers,
    }),
    stepLateness: new Histogram({
      name: 'carillon_escalation_lateness_seconds',
      help: 'How long after its due time a step fired',
      buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
      registers,
    }),
    commitSize: new Histogram({
      name: 'carillon_store_commit_operations',
      help: 'Operations in one commit',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'carillon_store_commit_seconds',
      help: 'Duration of one commit',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
      registers,
    }),
    queued: new Gauge({
      name: 'carillon_store_queue',
      help: 'Operations waiting for their commit',
      registers,
    }),
    connections: new Gauge({
      name: 'carillon_connections',
      help: 'Open connections by transport',
      labelNames: ['transport'],
      registers,
    }),
    clockJumps: new Counter({
      name: 'carillon_clock_jumps_total',
      help: 'Times the wall clock was moved by more than a second',
      registers,
    }),
    clockJumpSeconds: new Gauge({
      name: 'carillon_clock_jump_seconds',
      help: 'The last jump of the wall clock',
      registers,
    }),
    preflight: new Gauge({
      name: 'carillon_preflight_problems',
      help: 'What would keep a critical page of the next 14 days from reaching somebody',
      registers,
    }),
    canary: new Histogram({
      name: 'carillon_canary_seconds',
      help: 'How long canary pages took until the provider had them (sent) or reported them (delivered)',
      labelNames: ['channel', 'state'],
      buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
      registers,
    }),
    nodes: new Gauge({
      name: 'carillon_nodes',
      help: 'Nodes of this installation that this one knows of',
      registers,
    }),
    configurations: new Gauge({
      name: 'carillon_node_configurations',
      help: 'Different configurations that nodes run: anything but 1 is a mistake',
      registers,
    }),
    rateFallbacks: new Counter({
      name: 'carillon_rate_fallbacks_total',
      help: 'Publishes whose rate this node counted for itself, because Redis was away',
      registers,
    }),
    watchdog: new Gauge({
      name: 'carillon_overdue_work',
      help: 'Pieces of work that are due for more than five seconds',
      registers,
    }),
  }
}

export type Metrics = ReturnType<typeof createMetrics>
