/** The time of day such as `14:05` in a zone; UTC where this system does not know the zone. */
export function clockTime(at: number, timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone }).format(at)
  } catch {
    return new Date(at).toISOString().slice(11, 16)
  }
}
