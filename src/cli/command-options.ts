import type { Command } from 'commander'

/** Takes what a verb came to: its exit code. */
export type Finish = (result: number | Promise<number>) => Promise<void>

/** Adds the options of verbs that read the configuration. */
export function configured(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file; ./carillon.yaml if it is there')
    .option('--data <folder>', 'where everything is kept; ./data unless set')
}

/** Adds the options of verbs that ask a server (contract section 9). */
export function connected(command: Command): Command {
  return command
    .option('--json', 'for machines: the answer as it came, one object a line')
    .option('--url <url>', 'where the server is; CARILLON_URL unless set')
    .option('--token <token>', 'who you are; CARILLON_TOKEN unless set')
    .option('--data <folder>', 'where a demo left URL and token; ./data unless set')
}
