import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { formatFault } from '../../src/config/fault.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Environment } from '../../src/config/reading/raw.ts'

const PEOPLE = 'users: { anna: {}, bob: { groups: [ops] } }\n'

function faultsOf(text: string, env: Environment = {}): string[] {
  const loaded = loadConfig({ file: 'c.yaml', text, env, flags: {} })
  return loaded.ok ? [] : loaded.faults.map(formatFault)
}

/** One file, one fault, and how it is told. */
const FAULTS: readonly (readonly [kind: string, text: string, fault: string, env?: Environment])[] = [
  [
    'a template that cannot be read',
    'templates:\n  "payment.*":\n    email:\n      html: "<p>{{ amount | money }}</p>"\n',
    'c.yaml:4:13 templates["payment.*"].email.html: undefined filter: money (line 1, column 4)',
  ],
  [
    'a template of several lines that is not closed',
    'templates:\n  order:\n    locales:\n      de:\n        sms:\n          text: |\n            Hallo\n            {% if x %}\n',
    'c.yaml:6:17 templates.order.locales.de.sms.text: tag {% if x %} not closed (line 2, column 1)',
  ],
  [
    'a template that wants another file',
    'templates: { order: { sms: { text: "{% include \'x\' %}" } } }\n',
    'c.yaml:1:36 templates.order.sms.text: tag "include" not found (line 1, column 1)',
  ],
  [
    'a template for no language',
    'templates: { order: { locales: { german_: { sms: { text: x } } } } }\n',
    'c.yaml:1:34 templates.order.locales.german_: "german_" is no language such as en, de or pt-BR',
  ],
  [
    'a template for a channel that is none',
    'templates: { order: { emial: { subject: x } } }\n',
    'c.yaml:1:23 templates.order.emial: unknown key (did you mean "email"?)',
  ],
  [
    'a list that is not closed',
    'server:\n  trusted_proxies: [127.0.0.1\nusers: {}\n',
    'c.yaml:3:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  ['a key that is written twice', 'server: {}\nserver: {}\n', 'c.yaml:2:1: Map keys must be unique'],
  ['an alias without anchor', 'users:\n  anna: *who\n', 'c.yaml:2:9: no anchor &who comes before'],
  ['a file that is no map', '- 1\n', 'c.yaml:1:1: expected a map of keys and values, found a list'],
  ['an unknown section', 'servr: {}\n', 'c.yaml:1:1 servr: unknown key (did you mean "server"?)'],
  [
    'an unknown key',
    'server:\n  http_prt: 1\n',
    'c.yaml:2:3 server.http_prt: unknown key (did you mean "http_port"?)',
  ],
  [
    'an unknown key that is like no other',
    'server: { xylophone: 1 }\n',
    'c.yaml:1:11 server.xylophone: unknown key',
  ],
  [
    'a text where a number belongs',
    'server: { http_port: lots }\n',
    'c.yaml:1:22 server.http_port: expected a whole number, found "lots"',
  ],
  [
    'a number where a text belongs',
    'users: { anna: { phone: +4915112345678 } }\n',
    'c.yaml:1:25 users.anna.phone: expected a text, found 4915112345678; put it in quotes',
  ],
  [
    'a number where a duration belongs, which quotes would not mend',
    'auth: { jwt: { lifetime: 5 } }\n',
    'c.yaml:1:26 auth.jwt.lifetime: expected a duration such as 500ms, 12s, 5m, 1h, 1d or 1w, found 5',
  ],
  [
    'a secret of the wrong type, whose value is not told',
    'users: { anna: { password: 12345 } }\n',
    'c.yaml:1:28 users.anna.password: expected a text, found a number; put it in quotes',
  ],
  [
    'a list where a map belongs',
    'users: [anna]\n',
    'c.yaml:1:8 users: expected a map of keys and values, found a list',
  ],
  [
    'a text where a list belongs',
    'users:\n  anna:\n    groups: ops\n',
    'c.yaml:3:13 users.anna.groups: expected a list, found a text',
  ],
  [
    'a text where a switch belongs',
    'server: { dev_endpoints: maybe }\n',
    'c.yaml:1:26 server.dev_endpoints: expected true or false, found "maybe"',
  ],
  [
    'a number that is too big',
    'server: { mqtt_port: 65536 }\n',
    'c.yaml:1:22 server.mqtt_port: must be at most 65535',
  ],
  [
    'a number that is too small',
    'limits: { connections: 0 }\n',
    'c.yaml:1:24 limits.connections: must be at least 1',
  ],
  [
    'a window without length',
    'clients: { d: { rate_limit: { window_seconds: 0 } } }\n',
    'c.yaml:1:47 clients.d.rate_limit.window_seconds: must be more than 0',
  ],
  [
    'a word that is none of the possible ones',
    'channels:\n  email: { mode: captred }\n',
    'c.yaml:2:18 channels.email.mode: expected one of live, captured, both, found "captred" (did you mean "captured"?)',
  ],
  [
    'a bad duration',
    'auth: { jwt: { lifetime: 1 hour } }\n',
    'c.yaml:1:26 auth.jwt.lifetime: expected a duration such as 500ms, 12s, 5m, 1h, 1d or 1w, found "1 hour"',
  ],
  [
    'a key that is needed',
    'users:\n  anna:\n    quiet_hours:\n      from: "22:00"\n',
    'c.yaml:3:5 users.anna.quiet_hours.to: is missing',
  ],
  [
    'a bad time of day',
    'users: { a1: { quiet_hours: { from: "22:00", to: "24:00" } } }\n',
    'c.yaml:1:50 users.a1.quiet_hours.to: expected a time of day such as 07:00, found "24:00"',
  ],
  [
    'a pair of the wrong length',
    'throttle: { sms: [[5]] }\n',
    'c.yaml:1:19 throttle.sms[0]: expected a pair such as [5, 15m], found a list',
  ],
  [
    'a rotation of nobody',
    'teams: { p: { schedule: { layers: [{ rotate: [] }] } } }\n',
    'c.yaml:1:46 teams.p.schedule.layers[0].rotate: needs at least 1 entry',
  ],
  [
    'a variable that is not set',
    'auth:\n  jwt:\n    secret: ${JWT_SECRET}\n',
    'c.yaml:3:13 auth.jwt.secret: environment variable JWT_SECRET is not set',
  ],
  [
    'a reference that is none',
    'server: { host: "${my host}" }\n',
    'c.yaml:1:17 server.host: ${my host} is no reference; write ${NAME} or ${NAME:-default}, or $${ for a plain ${',
  ],
  [
    'a secret file that is not there',
    'clients:\n  d: { token_file: /nowhere/token }\n',
    'c.yaml:2:20 clients.d.token_file: cannot read /nowhere/token (ENOENT)',
  ],
  [
    'a secret that is given twice',
    'clients:\n  d: { token: a, token_file: b }\n',
    'c.yaml:2:30 clients.d.token_file: stands beside token; give only one of them',
  ],
  [
    'an id with a sign of MQTT',
    'users: { "a/b": {} }\n',
    'c.yaml:1:10 users.a/b: an id must not hold + # / or $',
  ],
  [
    'an id with white space',
    'users: { an na: {} }\n',
    'c.yaml:1:10 users["an na"]: an id must not hold white space or control characters',
  ],
  [
    'an id with a NUL',
    'users: { "a\\0": {} }\n',
    'c.yaml:1:10 users["a\\u0000"]: an id must not hold white space or control characters',
  ],
  [
    'a group that cannot stand in a topic',
    'users: { anna: { groups: [a#] } }\n',
    'c.yaml:1:27 users.anna.groups[0]: an id must not hold + # / or $',
  ],
  ['an empty id', 'clients: { "": {} }\n', 'c.yaml:1:12 clients[""]: the id is empty'],
  [
    'the id of the program itself',
    'users: { carillon: {} }\n',
    'c.yaml:1:10 users.carillon: carillon is the name of the program itself',
  ],
  [
    'an id that a user and a client share',
    'users: { anna: {} }\nclients: { anna: {} }\n',
    'c.yaml:2:12 clients.anna: a user has the same id',
  ],
  [
    'a token that two clients share, which over HTTP would be the first of them',
    'clients:\n  a: { token: token-of-somebody }\n  b: { token: token-of-somebody }\n',
    'c.yaml:3:15 clients.b.token: client "a" has the same token',
  ],
  [
    'a job that has to report all the time',
    'heartbeats: { backup: { every: 0s } }\n',
    'c.yaml:1:32 heartbeats.backup.every: must be longer than 0',
  ],
  [
    'a topic that has to be heard all the time',
    'rules: [{ id: gw, expect: "plant/{gw}", every: 0m, alert: { type: silent, message: x } }]\n',
    'c.yaml:1:48 rules[0].every: must be longer than 0',
  ],
  [
    'an unknown tenant',
    'tenants: { acme: {} }\nusers: { anna: { tenant: acmee } }\n',
    'c.yaml:2:26 users.anna.tenant: unknown tenant "acmee" (did you mean "acme"?)',
  ],
  [
    'an unknown administrator',
    `${PEOPLE}tenants: { acme: { admins: [ana] } }\n`,
    'c.yaml:2:29 tenants.acme.admins[0]: unknown user "ana" (did you mean "anna"?)',
  ],
  [
    'an unknown anonymous client',
    'auth: { anonymous: gest }\nclients: { guest: {} }\n',
    'c.yaml:1:20 auth.anonymous: unknown client "gest" (did you mean "guest"?)',
  ],
  [
    'a bad e-mail address',
    'users: { anna: { email: "anna at example.org" } }\n',
    'c.yaml:1:25 users.anna.email: "anna at example.org" is no mailbox such as anna@example.org',
  ],
  [
    'a second recipient in an address',
    'users: { anna: { email: "a@b.org,c@d.org" } }\n',
    'c.yaml:1:25 users.anna.email: "a@b.org,c@d.org" is no mailbox such as anna@example.org',
  ],
  [
    'a phone number without country code',
    'users: { anna: { phone: "0151 12345678" } }\n',
    'c.yaml:1:25 users.anna.phone: "0151 12345678" is no phone number with country code such as +4915112345678',
  ],
  [
    'a phone number with spaces',
    'users: { anna: { phone: "+49 151 12345678" } }\n',
    'c.yaml:1:25 users.anna.phone: "+49 151 12345678" is no phone number with country code; write +4915112345678',
  ],
  [
    'a phone number that is too short',
    'users: { anna: { phone: "+4915" } }\n',
    'c.yaml:1:25 users.anna.phone: "+4915" is no phone number with country code such as +4915112345678',
  ],
  [
    'a bad phone number of a customer',
    'customers: { acme: { name: Acme, phones: ["12"] } }\n',
    'c.yaml:1:43 customers.acme.phones[0]: "12" is no phone number with country code such as +4915112345678',
  ],
  [
    'a sender that is none',
    'channels: { email: { from: Alerts } }\n',
    'c.yaml:1:28 channels.email.from: "Alerts" is no sender such as Alerts <alerts@example.org>',
  ],
  [
    'a bad language',
    'users: { anna: { locale: de_DE! } }\n',
    'c.yaml:1:26 users.anna.locale: "de_DE!" is no language such as en, de or pt-BR',
  ],
  [
    'an unknown time zone of a user',
    'users: { anna: { timezone: Europe/Berln } }\n',
    'c.yaml:1:28 users.anna.timezone: unknown time zone "Europe/Berln" (did you mean "Europe/Berlin"?)',
  ],
  [
    'an unknown time zone of a schedule',
    'teams: { p: { schedule: { timezone: Mars/Olympus } } }\n',
    'c.yaml:1:37 teams.p.schedule.timezone: unknown time zone "Mars/Olympus"',
  ],
  [
    'a topic filter with # in the middle',
    'clients: { d: { publish: ["a/#/b"] } }\n',
    'c.yaml:1:27 clients.d.publish[0]: bad topic filter "a/#/b": # may only be the last level',
  ],
  [
    'a topic filter with + inside a level',
    'clients: { d: { subscribe: ["ok", "a/b+"] } }\n',
    'c.yaml:1:35 clients.d.subscribe[1]: bad topic filter "a/b+": + must be a level of its own',
  ],
  [
    'an unknown user in a rotation',
    `${PEOPLE}teams: { p: { schedule: { layers: [{ rotate: [anna, bop] }] } } }\n`,
    'c.yaml:2:53 teams.p.schedule.layers[0].rotate[1]: unknown user "bop" (did you mean "bob"?)',
  ],
  [
    'a user of another tenant in a rotation',
    'tenants: { acme: {} }\nusers: { eve: { tenant: acme } }\nteams: { p: { schedule: { layers: [{ rotate: [eve] }] } } }\n',
    'c.yaml:3:47 teams.p.schedule.layers[0].rotate[0]: user "eve" does not belong to tenant "default"',
  ],
  [
    'an unknown stand-in',
    `${PEOPLE}teams: { p: { schedule: { overrides: [{ user: bop, from: 2027-01-01T09:00, to: 2027-01-02T09:00 }] } } }\n`,
    'c.yaml:2:47 teams.p.schedule.overrides[0].user: unknown user "bop" (did you mean "bob"?)',
  ],
  [
    'an override that ends before it begins',
    `${PEOPLE}teams: { p: { schedule: { overrides: [{ user: bob, from: 2027-01-02T09:00, to: 2027-01-01T09:00 }] } } }\n`,
    'c.yaml:2:80 teams.p.schedule.overrides[0].to: must come after from',
  ],
  [
    'an override on a day that does not exist',
    `${PEOPLE}teams: { p: { schedule: { overrides: [{ user: bob, from: 2027-02-30T09:00, to: 2027-03-01T09:00 }] } } }\n`,
    'c.yaml:2:58 teams.p.schedule.overrides[0].from: expected a local time such as 2027-01-01T09:00, found "2027-02-30T09:00"',
  ],
  [
    'a weekly hand-off without weekday',
    `${PEOPLE}teams: { p: { schedule: { layers: [{ rotate: [bob], every: 2w, handoff: "09:00" }] } } }\n`,
    'c.yaml:2:73 teams.p.schedule.layers[0].handoff: every: 2w needs a weekday and time such as "Mon 09:00", found "09:00"',
  ],
  [
    'a monthly hand-off without a day',
    `${PEOPLE}teams: { p: { schedule: { layers: [{ rotate: [bob], every: 1mo, handoff: "09:00" }] } } }\n`,
    'c.yaml:2:74 teams.p.schedule.layers[0].handoff: every: 1mo needs a day and time such as "1 09:00", found "09:00"',
  ],
  [
    'turns with a daily hand-off',
    `${PEOPLE}teams: { p: { schedule: { layers: [{ rotate: [bob], turns: [5d, 2d], handoff: "09:00" }] } } }\n`,
    'c.yaml:2:79 teams.p.schedule.layers[0].handoff: turns needs a weekday and time such as "Mon 09:00", found "09:00"',
  ],
  [
    'a notice that goes to a webhook',
    `${PEOPLE}teams: { p: { schedule: { announce: { to: ["webhook:x"] } } } }\n`,
    'c.yaml:2:44 teams.p.schedule.announce.to[0]: a notice goes to people; state/oncall/… tells everything else',
  ],
  [
    'a calendar that names nobody',
    `${PEOPLE}teams: { p: { schedule: { ical: "BEGIN:VCALENDAR\\nBEGIN:VEVENT\\nDTSTART:20260105T090000Z\\nDURATION:PT1H\\nSUMMARY:bop\\nEND:VEVENT\\nEND:VCALENDAR" } } }\n`,
    'c.yaml:2:33 teams.p.schedule.ical: line 5 of the calendar: SUMMARY: "bop" is no user\'s id or name',
  ],
  [
    'a daily hand-off with a weekday',
    `${PEOPLE}teams: { p: { schedule: { layers: [{ rotate: [bob], every: 1d, handoff: Mon 09:00 }] } } }\n`,
    'c.yaml:2:73 teams.p.schedule.layers[0].handoff: every: 1d needs a time such as "09:00", found "Mon 09:00"',
  ],
  [
    'a turn in a unit that is none',
    `${PEOPLE}teams: { p: { schedule: { layers: [{ rotate: [bob], every: 1m }] } } }\n`,
    'c.yaml:2:60 teams.p.schedule.layers[0].every: expected hours, days, weeks or months such as 12h, 1d, 1w or 1mo, found "1m"',
  ],
  [
    'a start on a day that does not exist',
    `${PEOPLE}teams: { p: { schedule: { layers: [{ rotate: [bob], start: 2026-02-29 }] } } }\n`,
    'c.yaml:2:60 teams.p.schedule.layers[0].start: 2026-02-29 is no date',
  ],
  [
    'an unknown escalation target',
    `${PEOPLE}teams: { p: { escalation: { steps: [{ notify: [oncal] }] } } }\n`,
    'c.yaml:2:48 teams.p.escalation.steps[0].notify[0]: unknown target "oncal"; expected oncall, oncall.next, oncall.round_robin, team, admins, catch_all, user:…, group:…, round_robin:…, webhook:…, mqtt:… (did you mean "oncall"?)',
  ],
  [
    'a bare user as escalation target',
    `${PEOPLE}teams: { p: { escalation: { steps: [{ notify: [bob] }] } } }\n`,
    'c.yaml:2:48 teams.p.escalation.steps[0].notify[0]: unknown target "bob"; expected oncall, oncall.next, oncall.round_robin, team, admins, catch_all, user:…, group:…, round_robin:…, webhook:…, mqtt:… (did you mean "user:bob"?)',
  ],
  [
    'an unknown user as escalation target',
    `${PEOPLE}teams: { p: { escalation: { steps: [{ notify: [team, "user:bop"] }] } } }\n`,
    'c.yaml:2:54 teams.p.escalation.steps[0].notify[1]: unknown user "bop" (did you mean "bob"?)',
  ],
  [
    'an unknown round-robin target',
    `${PEOPLE}teams: { p: { escalation: { steps: [{ notify: ["round_robin:q"] }] } } }\n`,
    'c.yaml:2:48 teams.p.escalation.steps[0].notify[0]: unknown group or team "q"',
  ],
  [
    'an unknown target of the fallback',
    `${PEOPLE}teams: { p: { escalation: { fallback: ["user:bop"] } } }\n`,
    'c.yaml:2:40 teams.p.escalation.fallback[0]: unknown user "bop" (did you mean "bob"?)',
  ],
  [
    'a time window that never opens',
    `${PEOPLE}teams: { p: { escalation: { steps: [{ notify: [team], between: "08:00-08:00" }] } } }\n`,
    'c.yaml:2:64 teams.p.escalation.steps[0].between: begin and end must differ; 00:00-24:00 is all day',
  ],
  [
    'a time window that is none',
    `${PEOPLE}teams: { p: { escalation: { steps: [{ notify: [team], between: "8-18" }] } } }\n`,
    'c.yaml:2:64 teams.p.escalation.steps[0].between: expected two times of day such as 08:00-18:00, found "8-18"',
  ],
  [
    'a number of alerts in no time',
    `${PEOPLE}teams: { p: { escalation: { steps: [{ notify: [team], if_more_than: { count: 5, within: 0m } }] } } }\n`,
    'c.yaml:2:89 teams.p.escalation.steps[0].if_more_than.within: must be more than nothing',
  ],
  [
    'a block of nobody and nothing',
    `${PEOPLE}filter: { block: [{ reason: noisy }] }\n`,
    'c.yaml:2:19 filter.block[0]: name at least one of from, topic',
  ],
  [
    'a block of a topic that is no filter',
    `${PEOPLE}filter: { block: [{ topic: "a/#/b" }] }\n`,
    'c.yaml:2:28 filter.block[0].topic: "a/#/b" is no topic filter',
  ],
  [
    'an end that closes and tells a fallback',
    `${PEOPLE}teams: { p: { escalation: { steps: [{ notify: [team] }], fallback: [team], resolve_at_end: true } } }\n`,
    'c.yaml:2:92 teams.p.escalation.resolve_at_end: the end either tells the fallback or closes the alert',
  ],
  [
    'an end that closes where nothing begins',
    `${PEOPLE}teams: { p: { escalation: { resolve_at_end: true } } }\n`,
    'c.yaml:2:45 teams.p.escalation.resolve_at_end: needs steps, or there is no end',
  ],
  [
    'a reminder that nobody has time to answer',
    `${PEOPLE}teams: { p: { escalation: { ack_reminder: 20m } } }\n`,
    'c.yaml:2:43 teams.p.escalation.ack_reminder: needs ack_timeout: how long an answer to the reminder may take',
  ],
  [
    'an unknown group as escalation target',
    `${PEOPLE}teams: { p: { escalation: { steps: [{ notify: ["group:opps"] }] } } }\n`,
    'c.yaml:2:48 teams.p.escalation.steps[0].notify[0]: unknown group "opps" (did you mean "ops"?)',
  ],
  [
    'an unknown webhook as escalation target',
    `${PEOPLE}teams: { p: { escalation: { steps: [{ notify: ["webhook:ops"] }] } } }\n`,
    'c.yaml:2:48 teams.p.escalation.steps[0].notify[0]: unknown webhook "ops"',
  ],
  [
    'an unknown MQTT topic as escalation target',
    `${PEOPLE}teams: { p: { escalation: { steps: [{ notify: ["mqtt:siern"] }] } } }\nchannels: { mqtt: { topics: { siren: { topic: a/b } } } }\n`,
    'c.yaml:2:48 teams.p.escalation.steps[0].notify[0]: unknown mqtt "siern" (did you mean "siren"?)',
  ],
  ...(
    [
      ['alerts/critical/x', "alerts/ is the product's own; use another topic"],
      ['state/siren', "state/ is the product's own; use another topic"],
      ['$SYS/siren', 'topics below $SYS belong to the broker'],
      ['plant/+/set', '"plant/+/set" is no topic such as plant/siren/set, without + and #'],
      ['plant/#', '"plant/#" is no topic such as plant/siren/set, without + and #'],
      ['', '"" is no topic such as plant/siren/set, without + and #'],
    ] as const
  ).map(
    ([topic, because]) =>
      [
        `a siren on the topic "${topic}"`,
        `channels:\n  mqtt:\n    topics:\n      siren: { topic: "${topic}" }\n`,
        `c.yaml:4:23 channels.mqtt.topics.siren.topic: ${because}`,
      ] as const,
  ),
  [
    'two names for one topic, by which the payload is found',
    'channels:\n  mqtt:\n    topics:\n      a: { topic: x/y }\n      b: { topic: x/y }\n',
    'c.yaml:5:19 channels.mqtt.topics.b.topic: is the topic of a too',
  ],
  [
    'a placeholder that nothing fills',
    'channels:\n  mqtt:\n    topics:\n      a: { topic: x/y, payload: "{{sevrity}}" }\n',
    'c.yaml:4:33 channels.mqtt.topics.a.payload: unknown placeholder "sevrity" (did you mean "severity"?)',
  ],
  [
    'a quality of service that there is not',
    'channels:\n  mqtt:\n    topics:\n      a: { topic: x/y, qos: 3 }\n',
    'c.yaml:4:29 channels.mqtt.topics.a.qos: must be at most 2',
  ],
  [
    'one port for two things',
    'server: { http_port: 1883 }\n',
    'c.yaml:1:1 server.mqtt_port: 1883 is the http_port too',
  ],
  [
    'a proxy that is no address',
    'server: { trusted_proxies: [10.0.0.0/33] }\n',
    'c.yaml:1:29 server.trusted_proxies[0]: "10.0.0.0/33" is no address or network such as 10.0.0.0/8',
  ],
  [
    'an origin with a path',
    'server: { allowed_origins: ["https://a.org/x"] }\n',
    'c.yaml:1:29 server.allowed_origins[0]: "https://a.org/x" is no origin such as https://console.example.org',
  ],
  [
    'a public URL that is none',
    'server: { public_url: localhost }\n',
    'c.yaml:1:23 server.public_url: expected a URL such as https://example.org, found "localhost"',
  ],
  [
    'live mail without a server',
    'channels:\n  email: { mode: live }\n',
    'c.yaml:2:3 channels.email.smtp_url: is missing; mode live needs it',
  ],
  [
    'Mailgun without its domain',
    'channels:\n  email: { mode: live, provider: mailgun, api_key: geheim }\n',
    'c.yaml:2:3 channels.email.domain: is missing; provider mailgun needs it',
  ],
  [
    'a domain of Mailgun that would change the path of the request',
    'channels: { email: { mode: live, provider: mailgun, api_key: geheim, domain: ../x } }\n',
    'c.yaml:1:78 channels.email.domain: expected a domain such as mg.example.org',
  ],
  [
    'a mail server that is none, without telling its password',
    'channels: { email: { smtp_url: "http://u:geheim@h" } }\n',
    'c.yaml:1:32 channels.email.smtp_url: expected smtp://… or smtps://…',
  ],
  [
    'live telegram without a token',
    'channels:\n  telegram: { mode: live }\n',
    'c.yaml:2:3 channels.telegram.bot_token: is missing; mode live needs it',
  ],
  [
    'a token that would change the path of the request, without telling it',
    'channels:\n  telegram: { mode: both, bot_token: "1:geheim/../x" }\n',
    'c.yaml:2:38 channels.telegram.bot_token: is no token such as 123456:ABC…',
  ],
  [
    'a bot server with a password in its URL',
    'channels:\n  telegram: { api_root: "https://u:p@example.org" }\n',
    'c.yaml:2:25 channels.telegram.api_root: expected a URL such as https://example.org, without query',
  ],
  [
    'two people with one Telegram chat, because a button acts for one of them',
    'users:\n  anna: { telegram_chat_id: 7 }\n  bob: { telegram_chat_id: 7 }\n',
    'c.yaml:3:28 users.bob.telegram_chat_id: is the chat of anna too',
  ],
  [
    'a group of notifications with a blank in its name',
    'notification_types: { "my shop": { events: [] } }\n',
    'c.yaml:1:23 notification_types["my shop"]: a name must not hold white space or control characters',
  ],
  [
    'an event with a wildcard',
    'notification_types: { shop: { events: [sent, "order*"] } }\n',
    'c.yaml:1:46 notification_types.shop.events[1]: a name must not hold *; all of a group are there without being named',
  ],
  [
    'an event without a name',
    'notification_types: { shop: { events: [""] } }\n',
    'c.yaml:1:40 notification_types.shop.events[0]: the name is empty',
  ],
  [
    'an event that is too long together with its group (X34)',
    `notification_types: { shop: { events: [${'x'.repeat(95)}, ${'x'.repeat(96)}] } }\n`,
    'c.yaml:1:137 notification_types.shop.events[1]: shop.… has at most 100 characters',
  ],
  [
    'a digest of what is shown live',
    'digests: [{ event: "order.*", channels: [email, realtime] }]\n',
    'c.yaml:1:49 digests[0].channels[1]: what is shown live cannot be gathered; name channels such as email, sms or push',
  ],
  [
    'an exception for webhooks that is neither host nor network',
    'channels: { webhook: { allow: ["hooks.lan", "10.0.0.0/8", "::1", "https://x"] } }\n',
    'c.yaml:1:66 channels.webhook.allow[3]: "https://x" is no host, address or network such as 10.0.0.0/8',
  ],
  ...(
    [
      [
        'http://hooks.example.org/geheim',
        'only https:// is called, unless channels.webhook.allow names the host',
      ],
      ['https://u:geheim@hooks.example.org/', 'a URL must not hold a user name or password'],
      [
        'https://169.254.169.254/geheim',
        'the address is not public; channels.webhook.allow can make an exception',
      ],
      [
        'https://hooks.example.org:22/geheim',
        'only ports 443, 80 and 8443 are called, unless channels.webhook.allow names the host',
      ],
    ] as const
  ).map(
    ([url, because]) =>
      [
        `a live webhook to ${url.replace('geheim', '…')}, without telling the URL`,
        `channels:\n  webhook:\n    mode: live\n    endpoints: { ops: { url: "${url}" } }\n`,
        `c.yaml:4:30 channels.webhook.endpoints.ops.url: ${because}`,
      ] as const,
  ),
  [
    'an endpoint of PagerDuty without its key',
    'channels:\n  webhook:\n    endpoints:\n      a: { url: "https://x.example", format: pagerduty }\n',
    'c.yaml:4:7 channels.webhook.endpoints.a.routing_key: is missing; format pagerduty needs it',
  ],
  [
    'a key of PagerDuty that is none, without repeating it',
    'channels:\n  webhook:\n    endpoints:\n      a: { url: "https://x.example", format: pagerduty, routing_key: canary }\n',
    'c.yaml:4:70 channels.webhook.endpoints.a.routing_key: expected 32 letters and digits',
  ],
  [
    'an endpoint of ntfy without its topic',
    'channels:\n  webhook:\n    endpoints:\n      a: { url: "https://x.example", format: ntfy }\n',
    'c.yaml:4:7 channels.webhook.endpoints.a.topic: is missing; format ntfy needs it',
  ],
  [
    'a topic of ntfy that cannot be one',
    'channels:\n  webhook:\n    endpoints:\n      a: { url: "https://x.example", format: ntfy, topic: "a/b" }\n',
    'c.yaml:4:59 channels.webhook.endpoints.a.topic: expected at most 64 letters, digits, - and _',
  ],
  [
    'live push without a service account',
    'channels:\n  push: { mode: live }\n',
    'c.yaml:2:3 channels.push.service_account: is missing; mode live needs it, or service_account_file',
  ],
  [
    'a service account that cannot be read',
    'channels:\n  push: { mode: both, service_account_file: ./none.json }\n',
    'c.yaml:2:45 channels.push.service_account_file: cannot read ./none.json (ENOENT)',
  ],
  [
    'a service account that is none, without telling its content',
    'channels:\n  push: { mode: live, service_account: geheim }\n',
    'c.yaml:2:40 channels.push.service_account: the service account is no JSON object',
  ],
  [
    'a service account without a key',
    `channels:\n  push: { mode: live, service_account: '{"project_id":"p","client_email":"e","private_key":"geheim"}' }\n`,
    'c.yaml:2:40 channels.push.service_account: the service account has no RSA private_key',
  ],
  [
    'one half of a VAPID pair',
    'channels:\n  web_push: { mode: live, vapid_private_key: geheim }\n',
    'c.yaml:2:3 channels.web_push.vapid_public_key: is missing; vapid_private_key is of no use without it',
  ],
  [
    'two halves of different VAPID pairs',
    'channels:\n  web_push: { mode: live, vapid_public_key: BA, vapid_private_key: geheim }\n',
    'c.yaml:2:45 channels.web_push.vapid_public_key: is not the public key of vapid_private_key',
  ],
  [
    'a subject that push services would refuse',
    'channels:\n  web_push: { mode: live, subject: ops@example.org }\n',
    'c.yaml:2:36 channels.web_push.subject: expected mailto:ops@example.org, or an https:// URL',
  ],
  [
    'push services that are no hosts',
    'channels: { web_push: { allow: ["https://x"] } }\n',
    'c.yaml:1:33 channels.web_push.allow[0]: "https://x" is no host, address or network such as 10.0.0.0/8',
  ],
  [
    'a device without a token',
    'users:\n  anna: { devices: [{ platform: ios }] }\n',
    'c.yaml:2:21 users.anna.devices[0].token: is missing',
  ],
  [
    'a browser whose messages would go into this network (security row 23)',
    'users:\n  anna: { devices: [{ platform: web, subscription: { endpoint: "http://127.0.0.1:6379", keys: { p256dh: a, auth: b } } }] }\n',
    'c.yaml:2:64 users.anna.devices[0].subscription.endpoint: the address is not public; channels.web_push.allow can make an exception',
  ],
  [
    'a device of two people',
    'users:\n  anna: { devices: [{ platform: ios, token: t }] }\n  bob: { devices: [{ platform: ios, token: t }] }\n',
    'c.yaml:3:20 users.bob.devices[0]: is a device of anna too',
  ],
  [
    'live SMS without a sender',
    'channels:\n  sms: { mode: live, account_sid: AC1, auth_token: geheim }\n',
    'c.yaml:2:3 channels.sms.from: is missing; mode live needs it, or messaging_service_sid',
  ],
  [
    'a gateway without its address',
    'channels: { sms: { mode: live, provider: http } }\n',
    'c.yaml:1:13 channels.sms.url: is missing; mode live needs it',
  ],
  [
    'an incomplete provider of several, also before it is used',
    'channels: { sms: { providers: [{ name: a, account_sid: AC1, from: "+15005550006" }] } }\n',
    'c.yaml:1:32 channels.sms.providers[0].auth_token: is missing; provider twilio needs it',
  ],
  [
    'live calls that nobody could answer',
    'server: {}\nchannels:\n  voice: { mode: live, account_sid: AC1, auth_token: geheim, from: "+15005550006" }\n',
    'c.yaml:1:1 server.public_url: is missing; mode live of voice needs it',
  ],
  [
    'a country that is none',
    'channels: { sms: { countries: ["+49", DE] } }\n',
    'c.yaml:1:39 channels.sms.countries[1]: "DE" is no beginning of numbers such as +49',
  ],
  [
    'a channel whose provider cannot be asked what it took (P9)',
    'channels: { email: { on_ambiguous: reconcile } }\n',
    'c.yaml:1:36 channels.email.on_ambiguous: email has no provider that can be asked; use retry or give_up',
  ],
  [
    'a gateway that cannot be asked what it took (P9)',
    'channels: { sms: { on_ambiguous: reconcile, provider: http } }\n',
    'c.yaml:1:34 channels.sms.on_ambiguous: an http provider cannot be asked what it sent; use retry or give_up',
  ],
  [
    'a channel that sends and captures',
    'channels: { push: { mode: both } }\n',
    'c.yaml:1:13 channels.push.service_account: is missing; mode both needs it, or service_account_file',
  ],
  [
    'a server without its address',
    'storage: { driver: mongo, redis_url: "redis://127.0.0.1" }\n',
    'c.yaml:1:1 storage.url: is missing; driver mongo needs it',
  ],
  [
    'the other server without its address',
    'storage: { driver: mongo, url: "mongodb://127.0.0.1" }\n',
    'c.yaml:1:1 storage.redis_url: is missing; driver mongo needs it',
  ],
  [
    'a folder that nothing would be in',
    'storage: { driver: mongo, path: ./data, url: "mongodb://127.0.0.1", redis_url: "redis://localhost" }\n',
    'c.yaml:1:33 storage.path: belongs to driver sqlite; driver mongo keeps everything behind url',
  ],
  [
    'a server that nobody would ask',
    'storage: { url: "mongodb://127.0.0.1" }\n',
    'c.yaml:1:17 storage.url: belongs to driver mongo; driver sqlite keeps everything in path',
  ],
  [
    'an address of something else',
    'storage: { driver: mongo, url: "postgres://127.0.0.1", redis_url: "redis://[::1]:6379/2" }\n',
    'c.yaml:1:32 storage.url: expected mongodb://… or mongodb+srv://…',
  ],
  [
    'an open MongoDB elsewhere (security row 37)',
    'storage: { driver: mongo, url: "mongodb://127.0.0.1,10.0.0.2:27017/db", redis_url: "redis://127.0.0.1" }\n',
    'c.yaml:1:32 storage.url: a MongoDB on another machine needs a password: mongodb://user:password@host',
  ],
  [
    'an open Redis elsewhere (security row 37)',
    'storage: { driver: mongo, url: "mongodb://127.0.0.1", redis_url: "redis://user:@cache:6379" }\n',
    'c.yaml:1:66 storage.redis_url: a Redis on another machine needs a password: redis://user:password@host',
  ],
  [
    'a condition that cannot be read',
    'rules:\n  - id: a\n    topic: t/{x}\n    when: payload.a >\n    alert: { type: t, message: m }\n',
    'c.yaml:4:11 rules[0].when: ends too early (column 12)',
  ],
  [
    'a condition on something that is not there',
    'rules:\n  - id: a\n    topic: t/{x}\n    when: paylod.a > 1\n    alert: { type: t, message: m }\n',
    'c.yaml:4:11 rules[0].when: there is no paylod here; fields of the message are payload.paylod (did you mean "payload"?)',
  ],
  [
    'a template of a rule',
    'rules: [{ id: a, topic: t, notify: { user: anna, message: "{{ payload" } }]\n',
    'c.yaml:1:59 rules[0].notify.message: output "{{ payload" not closed (line 1, column 1)',
  ],
  [
    'a pattern with the wildcards of subscriptions',
    'rules: [{ id: a, topic: t/+, notify: { user: anna, message: m } }]\n',
    "c.yaml:1:25 rules[0].topic: Topic pattern 't/+': + and # are for subscriptions, write {name} or {name...}",
  ],
  [
    'a rule that looks at nothing',
    'rules: [{ id: a, notify: { user: anna, message: m } }]\n',
    'c.yaml:1:9 rules[0]: needs topic, event or expect',
  ],
  [
    'a rule that does nothing',
    'rules: [{ id: a, topic: t }]\n',
    'c.yaml:1:9 rules[0]: does nothing; give it an alert or notify',
  ],
  [
    'an expectation without a period',
    'rules: [{ id: a, expect: t, alert: { type: t, message: m } }]\n',
    'c.yaml:1:9 rules[0].every: is missing',
  ],
  [
    'two rules of one name',
    'rules: [{ id: a, topic: t, notify: { group: g, message: m } }, { id: a, topic: t, notify: { group: g, message: m } }]\n',
    'c.yaml:1:70 rules[1].id: another rule is called a too',
  ],
  [
    'a notification for two audiences',
    'rules: [{ id: a, topic: t, notify: { group: g, user: u, message: m } }]\n',
    'c.yaml:1:36 rules[0].notify: needs exactly one of user, group and broadcast',
  ],
  [
    'a short JWT secret',
    'auth: { jwt: { secret: 0123456789abcdef } }\n',
    'c.yaml:1:24 auth.jwt.secret: has 16 bytes, needs at least 32; openssl rand -base64 32 makes one',
  ],
  [
    'an empty token',
    'clients: { d: { token: "" } }\n',
    'c.yaml:1:24 clients.d.token: is empty; leave the key out if there is none',
  ],
  [
    'a token that everybody can guess on an open address',
    'server: { host: 0.0.0.0 }\nclients: { meter: { token: meter } }\n',
    'c.yaml:2:28 clients.meter.token: is too easy to guess for 0.0.0.0',
  ],
  [
    'a failpoint on an open address',
    'server:\n  host: 0.0.0.0\n',
    'c.yaml:2:9 server.host: CARILLON_FAILPOINT is for tests; it is refused on 0.0.0.0',
    { CARILLON_FAILPOINT: 'before-commit:1' },
  ],
]

describe('the faults of a configuration', () => {
  for (const [kind, text, fault, env] of FAULTS) {
    it(`tell of ${kind} where it stands`, () => {
      expect(faultsOf(text, env)).to.deep.equal([fault])
    })
  }

  it('are all told at once, in the order of the file', () => {
    const text = [
      'servr: { http_port: x }',
      'users:',
      '  anna: { emial: nope, password: ${PW} }',
      '  bob: 5',
      'teams:',
      '  p:',
      '    escalation: { steps: [{ notify: [7, "user:bop"], wait: soon }] }',
      'rules: [1, { id: a b, topic: t, notify: { user: anna, message: m } }]',
    ].join('\n')
    expect(faultsOf(text)).to.deep.equal([
      'c.yaml:1:1 servr: unknown key (did you mean "server"?)',
      'c.yaml:1:21 servr.http_port: expected a whole number, found "x"',
      'c.yaml:3:11 users.anna.emial: unknown key (did you mean "email"?)',
      'c.yaml:3:18 users.anna.emial: "nope" is no mailbox such as anna@example.org',
      'c.yaml:3:34 users.anna.password: environment variable PW is not set',
      'c.yaml:4:8 users.bob: expected a map of keys and values, found a number',
      'c.yaml:7:38 teams.p.escalation.steps[0].notify[0]: expected a text, found 7; put it in quotes',
      'c.yaml:7:41 teams.p.escalation.steps[0].notify[1]: unknown user "bop" (did you mean "bob"?)',
      'c.yaml:7:60 teams.p.escalation.steps[0].wait: expected a duration such as 500ms, 12s, 5m, 1h, 1d or 1w, found "soon"',
      'c.yaml:8:9 rules[0]: expected a map of keys and values, found a number',
      'c.yaml:8:18 rules[1].id: "a b" is no name of letters, digits, _ . and -',
    ])
  })

  it('never hold the value of a secret', () => {
    const secrets = ['geheim1', 'geheim2', 'geheim3']
    const text = [
      `auth: { jwt: { secret: ${secrets[0]} } }`,
      `channels: { email: { smtp_url: ${secrets[1]} } }`,
      `clients: { d: { token: [${secrets[2]}] } }`,
    ].join('\n')
    const faults = faultsOf(text).join('\n')
    expect(faults.split('\n')).to.have.length(3)
    for (const secret of secrets) expect(faults).not.to.contain(secret)
  })

  it('name the variable or flag that a bad value came from', () => {
    const loaded = loadConfig({
      text: '',
      env: { CARILLON__SERVER__LOG_LEVEL: 'loud', CARILLON__SERVR__HOST: 'x', CARILLON_MQTT_PORT: 'many' },
      flags: { httpPort: '99999' },
    })
    expect(loaded.ok ? [] : loaded.faults.map(formatFault)).to.deep.equal([
      'CARILLON__SERVR__HOST: no key servr there (did you mean "SERVER"?)',
      '--http-port server.http_port: must be at most 65535',
      'CARILLON_MQTT_PORT server.mqtt_port: expected a whole number, found "many"',
      'CARILLON__SERVER__LOG_LEVEL server.log_level: expected one of fatal, error, warn, info, debug, trace, found "loud"',
    ])
  })

  it('tell of a file that cannot be read', () => {
    const loaded = loadConfig({ env: {}, flags: { config: '/nowhere/c.yaml' } })
    expect(loaded.ok ? [] : loaded.faults.map(formatFault)).to.deep.equal([
      '--config: cannot read /nowhere/c.yaml (ENOENT)',
    ])
  })

  it('tell of a file whose aliases unfold without end', () => {
    const lines = ['rules:', '  - &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let depth = 1; depth < 8; depth++) {
      lines.push(`  - &a${depth} [${`*a${depth - 1}, `.repeat(10)}]`)
    }
    expect(faultsOf(lines.join('\n'))).to.deep.equal([
      'c.yaml:1:1: Excessive alias count indicates a resource exhaustion attack',
    ])
  })

  it('tell of an alias within what it stands for, which would never end', () => {
    expect(faultsOf('users: &all { anna: *all }\n')).to.deep.equal(['c.yaml:1:21: &all holds itself'])
    expect(faultsOf('&a [*a]\n')).to.deep.equal(['c.yaml:1:5: &a holds itself'])
    expect(faultsOf('users: { anna: &a { groups: &g [ops, *a] } }\n')).to.deep.equal([
      'c.yaml:1:38: &a holds itself',
    ])
  })

  it('leave the prototype of objects alone', () => {
    expect(faultsOf('users: { __proto__: { email: a@b.org } }\n')).to.deep.equal([
      'c.yaml:1:10 users.__proto__: this name is not possible',
    ])
    expect(({} as Record<string, unknown>)['email']).to.equal(undefined)
  })
})

describe('a secret in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-config-'))
  after(() => rmSync(folder, { recursive: true }))

  it('is read relative to the configuration file, without its last line end', () => {
    writeFileSync(join(folder, 'token'), 's3cret with space \r\n')
    const text = 'clients: { d: { token_file: token } }\n'
    const loaded = loadConfig({ file: join(folder, 'c.yaml'), text, env: {}, flags: {} })
    expect(loaded.ok && loaded.config.clients['d']?.token).to.equal('s3cret with space ')
    expect(loaded.ok && loaded.config.clients['d']).not.to.have.property('token_file')
  })

  it('may be named by a reference and by a variable', () => {
    writeFileSync(join(folder, 'jwt'), 'j'.repeat(40))
    const text = 'auth: { jwt: { secret_file: "${DIR}/jwt" } }\nusers: { anna: { password: other } }\n'
    const env = { DIR: folder, CARILLON__USERS__ANNA__PASSWORD_FILE: join(folder, 'jwt') }
    const loaded = loadConfig({ text, env, flags: {} })
    expect(loaded.ok && loaded.config.auth.jwt.secret).to.equal('j'.repeat(40))
    expect(loaded.ok && loaded.config.users['anna']?.password).to.equal('j'.repeat(40))
  })

  it('is located at the key that names it when its content is bad', () => {
    writeFileSync(join(folder, 'short'), 'short\n')
    const text = 'auth:\n  jwt:\n    secret_file: short\n'
    const loaded = loadConfig({ file: join(folder, 'c.yaml'), text, env: {}, flags: {} })
    expect(loaded.ok ? [] : loaded.faults).to.deep.equal([
      {
        at: `${join(folder, 'c.yaml')}:3:18`,
        path: 'auth.jwt.secret_file',
        message: 'has 5 bytes, needs at least 32; openssl rand -base64 32 makes one',
      },
    ])
  })
})
