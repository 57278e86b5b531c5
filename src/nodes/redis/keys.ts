/** Everything of this program in a Redis begins so; another program may share the database. */
export const PREFIX = 'carillon:'

/** What nodes tell each other. */
export const STREAM = `${PREFIX}bus`
