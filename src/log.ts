import { pino, type Logger } from 'pino'

export type Log = Logger

/** Keys whose values never reach a log line, at any depth that objects of ours have (security 26). */
const SECRET_KEYS = ['authorization', 'password', 'token', 'secret', 'cookie', 'ticket', 'apiKey']

/** JSON lines on stdout; readable ones on a terminal. Level from `CARILLON_LOG_LEVEL` by way of the configuration. */
export function createLog(options: { readonly level: string; readonly pretty: boolean }): Log {
  return pino({
    level: options.level,
    redact: {
      paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
      censor: '[secret]',
    },
    ...(options.pretty && {
      transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' } },
    }),
  })
}
